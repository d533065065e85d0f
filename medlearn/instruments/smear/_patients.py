"""Patients and random streams: whose blood it is, whatever laboratory looks at it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

STREAMS = ("patient", "labels", "cell", "neighbour", "scene", "rendering", "laboratory")


def random_stream(purpose: str, *key: int) -> np.random.Generator:
    """Return an independent random generator, the same in every process.

    Cell, scene and rendering have streams of their own and every draw is made whatever the
    laboratory, so the same key gives the same cell in every laboratory.

    Parameters
    ----------
    purpose : str
        One of `STREAMS`.
    *key : int
        Such as the seed and the number of the cell.
    """
    spawn_key = (STREAMS.index(purpose),)
    return np.random.default_rng(np.random.SeedSequence(key, spawn_key=spawn_key))


@dataclass(frozen=True)
class Patient:
    """Tendencies of one patient and slide, as standard scores.

    A laboratory or a cell type turns them into units. Cells of one patient look alike in these,
    which is why a split must keep patients together. The size of the spreads that multiply them is
    an assumption, except red-cell width (a normal mean volume of 80-100 fL, that is +-3.7 % in
    width).
    """

    stain_strength: float
    stain_hue: np.ndarray  # (5, 3): absorber, colour channel
    haemoglobin: float
    lot: float  # 0..1: slides below the laboratory's share come from its second lot
    cell_size: float
    lobulation: float  # right shift (many lobes) or left shift (bands)
    granularity: float
    chromatin: float
    red_cell_size: float
    pallor: float
    film_density: float


@lru_cache(maxsize=1024)
def draw_patient(*key: int) -> Patient:
    """Return the patient of this key; the same in every laboratory."""
    rng = random_stream("patient", *key)
    strength, haemoglobin, *tendencies = np.clip(rng.standard_normal(9), -2.5, 2.5).tolist()
    hue = np.clip(rng.standard_normal((5, 3)), -2.5, 2.5)
    return Patient(strength, hue, haemoglobin, rng.uniform(), *tendencies)
