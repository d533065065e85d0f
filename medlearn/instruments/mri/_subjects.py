"""Subjects: a head, a class, a lesion, and the heights of the slices that show it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medlearn.instruments.mri import _anatomy, _atlas, _lesions, _painting

CLASSES = ("healthy", "tumour", "multiple sclerosis", "stroke")
SUBJECTS = 10_000  # subjects of a seed
SLICES = 4  # slices of each subject in a batch
TRUTH_THICKNESS = 3.0  # mm: masks are of this slab, whatever the site's own thickness
VISIBLE = (
    0.0,
    150.0,
    50.0,
    120.0,
)  # mm2 of lesion that a slice must show to carry its class's label
LEVELS = (-2.0, 48.0)  # MNI mm: between the skull's base and the vertex
_DRAW = (None, _lesions.tumour, _lesions.plaques, _lesions.stroke)


@dataclass(frozen=True, eq=False)
class Subject:
    """A head with its class and lesion; `levels` (4,): MNI heights in mm of its slices, the central one first."""

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
def draw(seed: int, number: int, label: int) -> Subject:
    """The subject of this number in the class of this index: in every class the same head.

    Lesions are drawn until the central slice shows enough of one; a further slice that shows too little moves towards
    the centre.
    """
    head = _anatomy.head(np.random.default_rng([seed, number, 11]))
    if label == 0:
        rng = np.random.default_rng([seed, number, 12])
        levels = rng.uniform(4, 36) + np.array([0, *rng.uniform(-14, 14, SLICES - 1)])
        return Subject(seed, number, 0, head, None, np.clip(levels, *LEVELS))
    for attempt in range(30):
        rng = np.random.default_rng([seed, number, 13, label, attempt])
        lesion = _DRAW[label](rng)
        wished = _lesions.heights(lesion, SLICES, rng)
        levels = wished[:1]
        if LEVELS[0] <= levels[0] <= LEVELS[1] and _shows(head, lesion, label, levels[0]):
            break
    for wish in wished[1:]:
        nearer = levels[0] + (wish - levels[0]) * np.array([1, 0.6, 0.3])
        options = [*nearer, *(levels[0] + np.array([1, -1, 2, -2, 0.5, -0.5]))]
        fits = (
            level
            for level in options
            if LEVELS[0] <= level <= LEVELS[1]
            and abs(levels - level).min() >= 0.5
            and _shows(head, lesion, label, level)
        )
        levels = np.append(levels, next(fits, levels[0] + 0.1 * len(levels)))
    return Subject(seed, number, label, head, lesion, levels)


def _shows(head, lesion, label, level, size=64) -> bool:
    """Whether a slice shows enough of the lesion; looked up coarsely, the same for every image size."""
    plane = _anatomy.plane(head, level, size, _lesions.push(lesion))
    own = _painting.share(
        _atlas.slab(*plane.anatomy, TRUTH_THICKNESS), lesion, plane, TRUTH_THICKNESS
    )
    return (
        np.count_nonzero(own.sum(axis=0) > 0.5) * (_anatomy.FIELD_OF_VIEW / size) ** 2
        >= VISIBLE[label]
    )
