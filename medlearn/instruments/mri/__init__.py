"""A virtual MRI scanner: simulated subjects on the ICBM152 anatomy, at any site, with known truth.

`slices` makes a `Dataset`, `paired_slices` one for each of several sites, `stacks` one with whole
stacks of slices; `volumes` and `paired_volumes` make `Volumes` of the same subjects. `prepare` and
`scan` separate the subject from the scanner: scan one prepared slice at many sites, or turn one
dial at a time. All images are simulated; every constant carries its source or the word assumption.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
