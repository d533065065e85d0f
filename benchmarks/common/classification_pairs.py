"""Laboratories and rows of sim_to_real_cells.py: who teaches whom to name cells."""

from functools import lru_cache

import numpy as np

from medlearn import datasets
from medlearn.instruments import smear

CLASSES, SIDE = 4, 128  # `wbc` has next to no basophils
SIMULATED, REHEARSALS = 1000, 2
SEEDS = range(2)
VALIDATORS = ("certainty", "information")
REAL = ("wbc a", "wbc b")
REHEARSED = tuple(f"rehearsal {number}" for number in range(REHEARSALS))
OTHER = {"wbc a": "wbc b", "wbc b": "wbc a"}  # a real laboratory, and the one that it is not
PICTURES = (
    "frame, lite0",
    "scale+reinhard, lite0",
    "crop, lite0",
    "cut out, lite0",
    "frame, tuned",
    "cut out, tuned",
)
PICTURES_OF_REAL = tuple(name.replace("tuned", "looks") for name in PICTURES)
MATCHERS, LEARNERS = ("none", "standardise", "coral"), ("probe", "self-training")


@lru_cache
def load(name: str, seed: int) -> datasets.Dataset:
    """Return cells of the four classes, 128 px.

    Parameters
    ----------
    name : str
        "virtual", or a name in `REAL` or `REHEARSED`.
    seed : int
        Seed of simulated laboratories and patients.
    """
    if name in REAL:
        return datasets.load("wbc", domain=f"lab-{name[-1]}", size=SIDE)
    if name == "virtual":
        count = SIMULATED * 5 // 4  # a fifth are basophils
        data = datasets.load("smear", domain="random", count=count, size=SIDE, seed=500 + seed)
    else:
        number = int(name[-1])
        laboratory = smear.random_laboratory((600 + seed, number))
        data = smear.single_cells(laboratory, 150, size=SIDE, seed=600 + 10 * seed + number)
    return data.take(np.flatnonzero(data.labels < CLASSES))


def rows(seed: int) -> list[tuple[str, str, str, int]]:
    """Return the rows of one seed: (target, source, method, seed)."""
    methods, methods_of_real = _methods(PICTURES), _methods(PICTURES_OF_REAL)
    any_colours = [method for method in methods if "reinhard" not in method]
    rows = [(target, "virtual", method) for method in methods for target in REAL]
    rows += [(target, "oracle", pictures) for target in REAL for pictures in PICTURES]
    rows += [(target, "majority", "") for target in REAL]
    rows += [(target, "both", method) for method in any_colours for target in REAL]
    rows += [(target, OTHER[target], method) for target in REAL for method in methods_of_real]
    rows += [(target, "virtual", method) for method in methods for target in REHEARSED]
    return [(*row, seed) for row in rows]


def _methods(pictures: tuple[str, ...]) -> list[str]:
    return [
        f"{shown_as}, {matcher}, {learner}"
        for shown_as in pictures
        for matcher in MATCHERS
        for learner in LEARNERS
    ]
