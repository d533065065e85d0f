"""Virtual instruments: images whose truth is known, made without a download."""
