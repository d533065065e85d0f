"""A slice of a subject, prepared once, so that it can be scanned at many sites."""

from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from scipy import ndimage

from medlearn import _checks, _files
from medlearn.instruments.mri import _anatomy, _atlas, _painting, _subjects
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW, Plane
from medlearn.instruments.mri._site import HIGHEST_SEED
from medlearn.instruments.mri._subjects import CLASSES, TRUTH_THICKNESS, Subject

MASK_CLASSES = ("background", "cerebrospinal fluid", "grey matter", "white matter", "lesion")
HEIGHTS = (-30.0, 30.0)  # mm around a subject's central slice
SIZES = (32, 512)  # pixels
_SMALLEST_ISLAND = 10.0  # mm2: smaller ones stay with the tissue around them (assumption)


@dataclass(frozen=True, eq=False)
class Prepared:
    """One slice of one subject, ready to be scanned: all that does not depend on the site.

    Attributes
    ----------
    subject : Subject
        Whose slice it is.
    level : float
        MNI height in mm.
    plane : Plane
        The pixels in the head, and where they lie in the atlas.
    mask : numpy.ndarray of uint8, shape (H, W)
        Index into `MASK_CLASSES`; it holds at every site.
    boxes : numpy.ndarray of float64, shape (k, 5)
        ``[y0, x0, y1, x1, class]`` around the islands of lesion, y1 and x1 excluded.
    brain : numpy.ndarray, shape (3, N)
        The healthy brain in the slab of the mask.
    lesion_shares : numpy.ndarray, shape (lesion tissues, N)
        The lesion's share in the slab of the mask.
    grain : numpy.ndarray, shape (N,)
        The faint unevenness of living tissue (assumption).
    """

    subject: Subject
    level: float
    plane: Plane
    mask: np.ndarray
    boxes: np.ndarray
    brain: np.ndarray
    lesion_shares: np.ndarray
    grain: np.ndarray
    _by_thickness: dict[float, np.ndarray] = field(default_factory=dict, repr=False)

    def fractions(self, thickness: float) -> np.ndarray:
        """Return the fractions of all tissues (tissues, N) in a slab of this many mm."""
        if thickness not in self._by_thickness:
            self._by_thickness[thickness] = self._fractions(thickness)
        return self._by_thickness[thickness]

    def _fractions(self, thickness: float) -> np.ndarray:
        subject, plane = self.subject, self.plane
        brain, shares = self.brain, self.lesion_shares
        if thickness != TRUTH_THICKNESS:
            brain, shares = _slab(subject, plane, thickness)
        healthy = _anatomy.with_skull(brain, plane)
        return _painting.with_lesion(
            healthy, shares, subject.lesion, subject.head, plane, thickness
        )


def prepare(
    label: int | str, seed: int = 0, subject: int = 0, height: float = 0.0, size: int = 128
) -> Prepared:
    """Prepare one slice of one subject, to be scanned at any site with `scan`.

    Parameters
    ----------
    label : int or str
        Class of `CLASSES`, by name or index.
    seed : int
        0 to 2**31 - 1.
    subject : int
        Number of a subject of this seed, 0 to 9999. It has the same head in every class.
    height : float
        Millimetres above the subject's central slice, -30 to 30; away from 0 a lesion may be out
        of sight.
    size : int
        Side of the image in pixels, 32 to 512, over 220 mm.

    Returns
    -------
    Prepared
        With its `mask` and `boxes`.

    Raises
    ------
    ValueError
        For anything outside these ranges.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> stroke = mri.prepare("stroke", seed=1, size=64)
    >>> mri.scan(stroke, "3T-FLAIR").shape, stroke.mask.shape
    ((64, 64, 3), (64, 64))
    """
    drawn_subject = _subjects.draw_subject(
        _checks.whole_number("seed", seed, 0, HIGHEST_SEED),
        _checks.whole_number("subject", subject, 0, _subjects.SUBJECTS - 1),
        _class_index(label),
    )
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ValueError(
            f"height must be from {HEIGHTS[0]:g} to {HEIGHTS[1]:g} mm around the central slice, "
            f"not {height}."
        )
    size = _checks.whole_number("size", size, *SIZES)
    return prepare_level(drawn_subject, float(drawn_subject.levels[0] + height), size)


def prepare_level(subject: Subject, level: float, size: int) -> Prepared:
    """Prepare the slice of a subject at an MNI height.

    Parameters
    ----------
    subject : Subject
        Whose slice.
    level : float
        MNI height in mm.
    size : int
        Side of the image in pixels.
    """
    plane = _anatomy.cut(subject.head, level, size, subject.lesion)
    brain, shares = _slab(subject, plane, TRUTH_THICKNESS)
    mask, boxes = _truth(plane, brain, shares, subject.label)
    offset = np.array([13, 29, 7]) * subject.number
    grain = 1 + np.float32(0.015) * _atlas.textures(plane.anatomy, offset)[1]
    return Prepared(subject, level, plane, mask, boxes, brain, shares, grain)


def _class_index(label: int | str) -> int:
    """The index in `CLASSES` of a class name or index."""
    if isinstance(label, str) and label in CLASSES:
        return CLASSES.index(label)
    if isinstance(label, Integral) and not isinstance(label, bool) and label in range(len(CLASSES)):
        return int(label)
    raise ValueError(_files.unknown("class", label, CLASSES))


def _slab(subject: Subject, plane: Plane, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """The healthy brain (3, N) and the lesion's share (lesion tissues, N) in a slab."""
    brain = _anatomy.brain_fractions(subject.head, plane, thickness)
    return brain, _painting.lesion_shares(brain, subject.lesion, plane, thickness)


def _truth(plane: Plane, brain, shares, label: int) -> tuple[np.ndarray, np.ndarray]:
    """The majority class of each pixel, uint8 (H, W), and boxes around the islands of lesion."""
    side = plane.size
    background = 1 - brain.sum(axis=0, keepdims=True)
    flat_mask = np.zeros(side**2, np.uint8)
    flat_mask[plane.pixels] = np.argmax(np.concatenate([background, brain]), axis=0)
    mask = flat_mask.reshape(side, side)
    if label == 0:
        return mask, np.zeros((0, 5))
    lesion = np.zeros(side**2, bool)
    lesion[plane.pixels] = shares.sum(axis=0) > 0.5
    islands, _ = ndimage.label(lesion.reshape(side, side), structure=np.ones((3, 3)))
    areas = np.bincount(islands.ravel()) * (FIELD_OF_VIEW / side) ** 2
    is_large = areas >= _SMALLEST_ISLAND
    is_large[0] = False  # the background
    mask[is_large[islands]] = MASK_CLASSES.index("lesion")
    frames = ndimage.find_objects(islands)
    boxes = [
        [rows.start, columns.start, rows.stop, columns.stop, label]
        for (rows, columns), keep in zip(frames, is_large[1:], strict=True)
        if keep
    ]
    return mask, np.array(boxes, float).reshape(-1, 5)
