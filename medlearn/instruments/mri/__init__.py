"""A virtual MRI scanner: simulated subjects on the ICBM152 anatomy, at any site, with known truth.

`slices` makes a `Batch`, `stacks` one with whole stacks; `prepare` and `scan` separate the subject from the scanner: scan
one prepared slice at many sites, or turn one dial at a time. All images are simulated; every constant carries its source
or the word assumption.
"""

from .batch import Batch, one_slice, slices, stacks
from .scanner import MASK_CLASSES, Prepared, prepare, scan
from .site import SITES, Site, random_site
from .subjects import CLASSES

__all__ = ["Batch", "CLASSES", "MASK_CLASSES", "Prepared", "SITES", "Site",
           "one_slice", "prepare", "random_site", "scan", "slices", "stacks"]
