"""Lesson 14: millilitres, tiles, and crumbs in millilitres."""

import numpy as np
from scipy import ndimage

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Value

_SPACING = (5.0, 1.0, 2.0)  # mm: a voxel of 0.01 mL


def _made() -> tuple[np.ndarray, np.ndarray]:
    """A mask with two lesions of 0.64 and 0.2 mL and two crumbs, and what should be left of it."""
    lesions = np.zeros((6, 12, 12), np.uint8)
    lesions[0:4, 0:4, 0:4] = 1
    lesions[4:6, 7:12, 7:9] = 1
    mask = lesions.copy()
    mask[5, 0, 0] = 1
    mask[0, 11, 5:11] = 1
    return mask, lesions


def _answer(without_crumbs) -> np.ndarray:
    return np.asarray(without_crumbs(_made()[0], _SPACING, 0.1))


def _has_other_shape(without_crumbs) -> bool:
    return _answer(without_crumbs).shape != _made()[0].shape


def _changes_nothing(without_crumbs) -> bool:
    return np.array_equal(_answer(without_crumbs) > 0, _made()[0] > 0)


def _keeps_one_only(without_crumbs) -> bool:
    return ndimage.label(_answer(without_crumbs))[1] == 1


def _counts_voxels(without_crumbs) -> bool:
    """Whether the answer is the same for voxels of another size."""
    mask, _ = _made()
    small = np.asarray(without_crumbs(mask, (0.5, 0.5, 0.5), 0.1))
    return np.array_equal(small > 0, _answer(without_crumbs) > 0)


def _is_empty(without_crumbs) -> bool:
    return not _answer(without_crumbs).any()


def _is_another_mask(without_crumbs) -> bool:
    return not np.array_equal(_answer(without_crumbs) > 0, _made()[1] > 0)


def _is_right(without_crumbs) -> bool | None:
    if without_crumbs(_made()[0], _SPACING, 0.1) is None:
        return None
    if _has_other_shape(without_crumbs) or _is_another_mask(without_crumbs):
        return False
    return not _counts_voxels(without_crumbs)


def _largest_only(mask, spacing, least_ml):
    parts = ndimage.label(mask)[0]
    sizes = np.bincount(parts.ravel())
    return (parts == 1 + sizes[1:].argmax()).astype(int)


def _of_ten_voxels(mask, spacing, least_ml):
    parts = ndimage.label(mask)[0]
    return np.where(np.bincount(parts.ravel())[parts] >= 10, mask, 0)


def _of_many_voxels(mask, spacing, least_ml):
    parts = ndimage.label(mask)[0]
    return np.where(np.bincount(parts.ravel())[parts] >= 1000 * least_ml, mask, 0)


def _of_five_voxels(mask, spacing, least_ml):
    parts = ndimage.label(mask)[0]
    return np.where(np.bincount(parts.ravel())[parts] >= 5, mask, 0)


EXERCISES = [
    Value(
        id="14.1",
        name="lesion_ml",
        expected=Sealed("14.1", "a number", ("c790b6ed",)),
        wrong=[
            (0.06, "That takes each voxel for 1 mm³, but along z it is 5 mm long."),
            (300, "That is in mm³; 1000 of them are 1 mL."),
            (1.5, "Only one of the three sides is 5 mm, so the factor is 5, not 25."),
        ],
        hints=[
            "What is the volume of one voxel, in mm³?",
            "Multiply the three sides of a voxel, then count voxels, then change the unit.",
        ],
    ),
    Value(
        id="14.2",
        name="tiles_needed",
        expected=Sealed("14.2", "a number", ("61213e80",)),
        wrong=[
            (8, "That is two along each axis. How far do two tiles reach along the 64?"),
            (4, "Those are tiles side by side along two axes; they overlap by half here."),
            (18, "Along 40 and along 48 two tiles reach the end; three are needed along one axis."),
        ],
        hints=[
            "Take one axis at a time: where does the first tile begin, and where the second?",
            "A tile of 32 that overlaps by half moves on by 16. How many such moves until the end "
            "is reached?",
        ],
    ),
    Condition(
        id="14.3",
        name="without_crumbs",
        test=_is_right,
        wrong=[
            (lambda mask, spacing, least_ml: mask.sum(), _has_other_shape, "Return a mask."),
            (lambda mask, spacing, least_ml: mask, _changes_nothing, "Nothing was removed."),
            (
                _largest_only,
                _keeps_one_only,
                "One of the two lesions is gone: that is the largest component, not the crumbs.",
            ),
            (
                _of_many_voxels,
                _is_empty,
                "Nothing is left. Is the volume of a piece in mL, with all three sides of a voxel?",
            ),
            (
                _of_five_voxels,
                _is_another_mask,
                "Pieces of `least_ml` and more should be left, and nothing else.",
            ),
            (
                _of_ten_voxels,
                _counts_voxels,
                "The answer is the same for small and for large voxels, so it counts voxels. "
                "`least_ml` is a volume.",
            ),
        ],
        hints=[
            "How many voxels does each piece have, and how many mL is one voxel?",
            "`np.bincount(parts.ravel())[parts]` gives each voxel the size of its piece. The "
            "background is piece 0.",
        ],
    ),
]
