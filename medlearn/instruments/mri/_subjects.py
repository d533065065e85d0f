"""Subjects: a head, a class, a lesion, and the heights of the slices that show it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medlearn.instruments.mri import _anatomy, _atlas, _lesions, _painting

CLASSES = ("healthy", "tumour", "multiple sclerosis", "stroke")
SUBJECTS = 10_000  # subjects of a seed
SLICES = 4  # slices of each subject in a series
TRUTH_THICKNESS = 3.0  # mm: masks are of this slab, whatever the site's own thickness
VISIBLE = (0.0, 150.0, 50.0, 120.0)  # mm2 of lesion by class that a slice with its label shows
LEVELS = (-2.0, 48.0)  # MNI mm: between the skull's base and the vertex
_COARSE = 64  # pixels: whether a slice shows a lesion is looked up at this size
_ATTEMPTS = 30
_DRAW: dict[int, Callable[[np.random.Generator], _lesions.Lesion]] = {
    1: _lesions.draw_tumour,
    2: _lesions.draw_plaques,
    3: _lesions.draw_stroke,
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A head with its class and lesion.

    Attributes
    ----------
    seed : int
        The random seed of the study.
    number : int
        Which of its subjects.
    label : int
        Index into `CLASSES`.
    head : Head
        The same in every class.
    lesion : Lesion or None
        None for the healthy.
    levels : numpy.ndarray, shape (4,)
        MNI heights in mm of the subject's slices, the central one first.
    """

    seed: int
    number: int
    label: int
    head: _anatomy.Head
    lesion: _lesions.Lesion | None
    levels: np.ndarray

    @property
    def name(self) -> str:
        return f"s{self.seed}-subject-{self.number:04d}"


@lru_cache(maxsize=64)
def draw_subject(seed: int, number: int, label: int) -> Subject:
    """Return the subject of this number in a class; it has the same head in every class.

    Parameters
    ----------
    seed, number : int
        Which subject.
    label : int
        Index into `CLASSES`.
    """
    head = _anatomy.draw_head(np.random.default_rng([seed, number, 11]))
    if label == 0:
        rng = np.random.default_rng([seed, number, 12])
        levels = rng.uniform(4, 36) + np.array([0, *rng.uniform(-14, 14, SLICES - 1)])
        return Subject(seed, number, 0, head, None, np.clip(levels, *LEVELS))
    lesion, heights = _visible_lesion(head, seed, number, label)
    levels = heights[:1]
    for height in heights[1:]:
        levels = np.append(levels, _next_level(head, lesion, label, levels, height))
    return Subject(seed, number, label, head, lesion, levels)


def _visible_lesion(
    head: _anatomy.Head, seed: int, number: int, label: int
) -> tuple[_lesions.Lesion, np.ndarray]:
    """A lesion of which the first of its heights (SLICES,) shows enough."""
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, number, 13, label, attempt])
        lesion = _DRAW[label](rng)
        heights = _lesions.visible_heights(lesion, SLICES, rng)
        if _in_range(heights[0]) and _shows(head, lesion, label, heights[0]):
            break
    return lesion, heights


def _next_level(head, lesion, label: int, levels: np.ndarray, height: float) -> float:
    """A level near this height that shows enough of the lesion, else one nearer to the centre."""
    centre = levels[0]
    towards_centre = centre + (height - centre) * np.array([1, 0.6, 0.3])
    beside_centre = centre + np.array([1, -1, 2, -2, 0.5, -0.5])
    for level in (*towards_centre, *beside_centre):
        apart = abs(levels - level).min() >= 0.5
        if _in_range(level) and apart and _shows(head, lesion, label, level):
            return level
    return centre + 0.1 * len(levels)


def _in_range(level: float) -> bool:
    return LEVELS[0] <= level <= LEVELS[1]


def _shows(head: _anatomy.Head, lesion, label: int, level: float) -> bool:
    """Whether a slice shows enough of the lesion; the answer is the same for every image size."""
    plane = _anatomy.cut(head, level, _COARSE, lesion)
    brain = _atlas.slab(plane.anatomy, TRUTH_THICKNESS)
    shares = _painting.lesion_shares(brain, lesion, plane, TRUTH_THICKNESS)
    pixels = np.count_nonzero(shares.sum(axis=0) > 0.5)
    return bool(pixels * (_anatomy.FIELD_OF_VIEW / _COARSE) ** 2 >= VISIBLE[label])
