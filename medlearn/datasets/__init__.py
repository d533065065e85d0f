"""Data by name: `load("smear")` simulates, `load("wbc")` brings the real twin, and both look the same.

cells = datasets.load("smear", domain="lab-a", count=600, size=128, seed=0)
print(datasets.card("wbc"))        # origin, licence, what is odd about it, whom to cite
found = datasets.from_folder("scans", layout="class/patient")      # your own: found.dataset, found.problems
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
