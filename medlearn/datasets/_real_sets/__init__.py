"""One module for each format of a real data set.

A module has two functions. `index(card, files)` returns a dict of columns with one entry per image.
`read(columns, files, size)` returns the fields of a `Dataset` that need pixels, for chosen images.
"""
