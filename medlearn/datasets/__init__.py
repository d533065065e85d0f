"""Data sets by name, or from your own files and arrays; all of them are a `Dataset` (or `Volumes`).

For example:

    cells = datasets.load("smear", domain="lab-a", count=600, size=128, seed=0)    # simulated
    cells = datasets.load("wbc")                          # its real twin; both look the same
    print(datasets.card("wbc"))                           # origin, licence, oddities, whom to cite
    heads = datasets.load_volumes("brain-mri", domain="3T-T1w")    # or "hippocampus"
    result = datasets.from_folder("scans", layout="class/patient")
    result.dataset, result.problems                       # your own pictures, and what is wrong
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
