"""The files of real data sets: fetched, unpacked and verified without trusting them."""
