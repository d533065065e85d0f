"""Arithmetic of boxes: from masks, overlap, non-maximum suppression; arrays in, arrays out.

A box is [y0, x0, y1, x1], the edges in pixels of the image; where there are more columns, the fifth is its class
(an index) and the sixth the score of a detection.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from scipy import ndimage


def checked(
    boxes: ArrayLike,
    *,
    columns: int = 4,
    shape: tuple[int, int] | None = None,
    classes: int | None = None,
) -> np.ndarray:
    """The boxes as a float array (k, at least `columns`); an empty list is no box.

    shape: (height, width) of the image, if boxes that lie wholly outside it are a mistake. classes: how many there
    are, if the fifth column is to be a whole number below it. Raises ValueError, in one sentence that names the first
    box, for another shape, NaN, no area, a place outside, an unknown class.
    """
    array = _numbers(boxes)
    array = np.zeros((0, max(4, columns))) if array.size == 0 and array.ndim < 2 else array
    if array.ndim != 2 or not max(4, columns) <= array.shape[1] <= 6:
        raise ValueError(
            f"Boxes are rows [y0, x0, y1, x1{', class' * (columns > 4)}{', score' * (columns > 5)}], "
            f"an array (k, {columns}); this one has the shape {array.shape}."
        )
    y0, x0, y1, x1 = array[:, :4].T
    _complain(
        ~np.isfinite(array).all(1), array, "holds NaN or infinity; drop it, or mend the annotation"
    )
    _complain(
        (y1 <= y0) | (x1 <= x0),
        array,
        "has no area: y1 must exceed y0 and x1 exceed x0; drop it, or swap its corners",
    )
    if shape is not None:
        outside = (y1 <= 0) | (x1 <= 0) | (y0 >= shape[0]) | (x0 >= shape[1])
        _complain(
            outside,
            array,
            f"lies outside its image of {shape[0]} x {shape[1]} pixels; perhaps the images were resized without it",
        )
    if classes is not None and array.shape[1] > 4:
        unknown = ~np.isin(array[:, 4], np.arange(classes))
        _complain(
            unknown,
            array,
            f"is of an unknown class: classes are whole numbers from 0 to {classes - 1}",
        )
    return array


def from_mask(mask: ArrayLike, min_pixels: int = 1) -> np.ndarray:
    """The box (k, 4) around each connected region of a yes-or-no mask (H, W), from the top down.

    Regions that touch at an edge or a corner are one: cells that touch get one box. `smallest`: pixels that a region
    must have to count. Raises ValueError for a mask that is not (H, W).
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(
            f"A mask is (height, width), one yes or no a pixel; this one has the shape {mask.shape}."
        )
    regions, found = ndimage.label(mask > 0, structure=np.ones((3, 3)))
    sizes = np.bincount(regions.ravel(), minlength=found + 1)[1:]
    places = [
        place for place, size in zip(ndimage.find_objects(regions), sizes) if size >= min_pixels
    ]
    return np.array([(y.start, x.start, y.stop, x.stop) for y, x in places], float).reshape(-1, 4)


def area(boxes: ArrayLike) -> np.ndarray:
    """Square pixels of each box, (k,)."""
    boxes = np.asarray(boxes, float)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def pairwise_iou(one: ArrayLike, other: ArrayLike) -> np.ndarray:
    """Intersection over union of every box in `one` (n, 4 or more) with every box in `other` (m, 4 or more): (n, m), 0..1.

    Raises ValueError as `checked` does. Source: Jaccard, New Phytologist 11:37, 1912.
    """
    shared, union, _ = _overlaps(one, other)
    return shared / union


def pairwise_giou(one: ArrayLike, other: ArrayLike) -> np.ndarray:
    """Generalised IoU, (n, m), above -1 to 1: IoU minus the empty share of the smallest box around both.

    Boxes that do not touch all have IoU 0; this one still says how far apart they are, so that a loss made of it can
    pull them together. Source: Rezatofighi et al. 2019 (arXiv:1902.09630).
    """
    shared, union, around = _overlaps(one, other)
    return shared / union - (around - union) / around


def non_max_suppression(
    boxes: ArrayLike, scores: ArrayLike, iou_threshold: float = 0.5
) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes that are kept, best score first.

    The best box is kept, all others of its class whose IoU with it exceeds `overlap` (0..1) go, and so on. boxes:
    (k, 4), or (k, 5) with a class: classes do not suppress each other. scores: (k,). Of equal scores the first wins.
    Raises ValueError for boxes without an area, other lengths, NaN among the scores, or an overlap outside 0..1.
    """
    boxes, scores = checked(boxes), np.asarray(scores, float)
    if scores.shape != boxes.shape[:1] or np.isnan(scores).any():
        raise ValueError(
            f"Each box needs one score that is a number: {len(boxes)} boxes, scores of the shape {scores.shape}."
        )
    if not 0 <= iou_threshold <= 1:
        raise ValueError(
            f"iou_threshold={iou_threshold!r} is an intersection over union, from 0 to 1; try 0.5."
        )
    order = np.argsort(-scores, kind="stable")
    rivals = pairwise_iou(boxes, boxes) > iou_threshold
    if boxes.shape[1] > 4:
        rivals &= boxes[:, 4][:, None] == boxes[:, 4]
    alive, kept = np.ones(len(boxes), bool), []
    for index in order:
        if alive[index]:
            kept.append(index)
            alive &= ~rivals[index]
    return np.array(kept, int)


def resize_with_padding(
    images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], shape: tuple[int, int]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Images of any sizes in one array uint8 (N, height, width, 3), and their boxes moved with them.

    Each image is scaled by one factor until it fits into `shape` (height, width), and put at the top left; what stays
    free is black. boxes: an array (k, 4 or more) per image. Raises ValueError if their numbers differ, and for an image that is
    not uint8 (H, W, 3).
    """
    if len(images) != len(boxes):
        raise ValueError(
            f"Each image needs its boxes, an empty array if there are none: {len(images)} images, {len(boxes)} boxes."
        )
    out, moved = np.zeros((len(images), *shape, 3), np.uint8), []
    for canvas, image, here in zip(out, map(_picture, images), boxes):
        factor = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
        height, width = (
            max(1, min(side, round(factor * had))) for side, had in zip(shape, image.shape)
        )
        canvas[:height, :width] = Image.fromarray(image).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        here = checked(here).copy()
        here[:, :4] *= np.array([height / image.shape[0], width / image.shape[1]] * 2)
        moved.append(here)
    return out, moved


def flip(
    images: np.ndarray, boxes: Sequence[ArrayLike], axis: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Images (N, H, W, channels) turned upside down (axis 1) or mirrored (axis 2), and their boxes with them.

    boxes: an array (k, 4 or more) per image. Raises ValueError for another axis, and if their numbers differ.
    """
    images = np.asarray(images)
    if len(images) != len(boxes):
        raise ValueError(
            f"Each image needs its boxes, an empty array if there are none: {len(images)} images, {len(boxes)} boxes."
        )
    if axis not in (1, 2):
        raise ValueError(f"axis={axis!r} is 1 (upside down) or 2 (mirrored).")
    low, high, moved = axis - 1, axis + 1, []
    for each in map(checked, boxes):
        turned = each.copy()
        turned[:, low], turned[:, high] = (
            images.shape[axis] - each[:, high],
            images.shape[axis] - each[:, low],
        )
        moved.append(turned)
    return np.flip(images, axis), moved


def _overlaps(one: ArrayLike, other: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas (n, m): shared, of the union, and of the smallest box around both."""
    one, other = checked(one)[:, None, :4], checked(other)[None, :, :4]
    top_left, bottom_right = (
        np.maximum(one[..., :2], other[..., :2]),
        np.minimum(one[..., 2:], other[..., 2:]),
    )
    shared = (bottom_right - top_left).clip(0).prod(-1)
    outer = np.maximum(one[..., 2:], other[..., 2:]) - np.minimum(one[..., :2], other[..., :2])
    return shared, area(one) + area(other) - shared, outer.prod(-1)


def _picture(image: ArrayLike) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3 or not image.size:
        raise ValueError(
            f"Images are uint8 (H, W, 3), 0 to 255, not {image.dtype} of shape {image.shape}; repeat a grey channel "
            "three times, and do not divide by 255."
        )
    return image


def _numbers(boxes: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(boxes, float)
    except (TypeError, ValueError):
        raise ValueError(
            "Boxes are rows of numbers, [y0, x0, y1, x1] and perhaps a class and a score; these hold text or rows "
            "of different lengths."
        ) from None


def _complain(wrong: np.ndarray, boxes: np.ndarray, what: str) -> None:
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(
            f"Box {first} of {len(boxes)}, {np.round(boxes[first], 2).tolist()}, {what}."
        )
