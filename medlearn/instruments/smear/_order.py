"""Which classes the cells of a patient have, in which order."""

import numpy as np

from medlearn import _checks
from medlearn.instruments.smear._cell_types import CLASSES
from medlearn.instruments.smear._patients import random_stream

CELLS_PER_PATIENT = 2 * len(CLASSES)


def label_order(seed: int, patient: int) -> np.ndarray:
    """Return the classes of a patient's cells, each of them twice.

    Parameters
    ----------
    seed : int
        Of the cells.
    patient : int
        Number of the patient.
    """
    rng = random_stream("labels", seed, patient)
    return rng.permutation(CELLS_PER_PATIENT) % len(CLASSES)


def cell_labels(count: int, seed: int = 0) -> np.ndarray:
    """Return the classes of the cells of `single_cells`, without simulating them.

    Parameters
    ----------
    count : int
        Number of cells, at least 0.
    seed : int
        At least 0.

    Returns
    -------
    numpy.ndarray of int, shape (count,)
        Class indices of `CLASSES`.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> sorted(smear.cell_labels(10).tolist())
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    for name, value in (("count", count), ("seed", seed)):
        _checks.whole_number(name, value, 0)
    orders = [label_order(seed, patient) for patient in range(-(-count // CELLS_PER_PATIENT))]
    return np.concatenate([np.empty(0, int), *orders])[:count]
