"""Arithmetic of boxes: overlap, non-maximum suppression, boxes of masks, flips and resizing.

A box is a row [y0, x0, y1, x1] of its edges in pixels; a fifth column is its class index and a
sixth the score of a detection.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from scipy import ndimage

from medlearn import _checks

_TOUCHING = np.ones((3, 3))  # pixels that touch at an edge or a corner belong together


def from_mask(mask: ArrayLike, min_pixels: int = 1) -> np.ndarray:
    """Return the box around each connected region of a binary mask, from the top down.

    Regions that touch at an edge or a corner are one: cells that touch get one box.

    Parameters
    ----------
    mask : array_like, shape (H, W)
        Above zero inside the regions.
    min_pixels : int
        Pixels that a region must have to count.

    Returns
    -------
    numpy.ndarray, shape (K, 4)
        [y0, x0, y1, x1] of each region.

    Raises
    ------
    ValueError
        For a mask that is not of shape (H, W).

    Examples
    --------
    >>> from medlearn.metrics import boxes
    >>> boxes.from_mask([[0, 0, 0], [0, 1, 1]])
    array([[1., 1., 2., 3.]])
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(
            "A mask is (height, width), zero or not for each pixel; "
            f"the shape of this one is {mask.shape}."
        )
    regions, count = ndimage.label(mask > 0, structure=_TOUCHING)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    edges = [
        (rows.start, columns.start, rows.stop, columns.stop)
        for (rows, columns), size in zip(ndimage.find_objects(regions), sizes)
        if size >= min_pixels
    ]
    return np.array(edges, float).reshape(-1, 4)


def area(boxes: ArrayLike) -> np.ndarray:
    """Return the area of each box in square pixels, shape (K,)."""
    boxes = np.asarray(boxes, float)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def pairwise_iou(boxes_a: ArrayLike, boxes_b: ArrayLike) -> np.ndarray:
    """Return the intersection over union (IoU) of every pair of boxes.

    Parameters
    ----------
    boxes_a : array_like, shape (N, 4 or more)
        Boxes; further columns are ignored.
    boxes_b : array_like, shape (M, 4 or more)
        Other boxes.

    Returns
    -------
    numpy.ndarray, shape (N, M)
        IoU from 0 to 1.

    Raises
    ------
    ValueError
        For boxes without area, NaN, or another shape.

    References
    ----------
    Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11:37, 1912.

    Examples
    --------
    >>> from medlearn.metrics import boxes
    >>> boxes.pairwise_iou([[0, 0, 10, 10]], [[0, 5, 10, 10]])
    array([[0.5]])
    """
    intersection, union, _ = _pairwise_areas(boxes_a, boxes_b)
    return intersection / union


def pairwise_giou(boxes_a: ArrayLike, boxes_b: ArrayLike) -> np.ndarray:
    """Return the generalised intersection over union (GIoU) of every pair of boxes.

    GIoU is IoU minus the empty share of the smallest box around both. All boxes that do not touch
    have IoU 0; GIoU still says how far apart they are, so that a loss made of it can pull them
    together.

    Parameters
    ----------
    boxes_a : array_like, shape (N, 4 or more)
        Boxes; further columns are ignored.
    boxes_b : array_like, shape (M, 4 or more)
        Other boxes.

    Returns
    -------
    numpy.ndarray, shape (N, M)
        GIoU, above -1 and at most 1.

    Raises
    ------
    ValueError
        For boxes without area, NaN, or another shape.

    References
    ----------
    Rezatofighi et al., Generalized intersection over union, CVPR 2019 (arXiv:1902.09630),
    algorithm 1.
    """
    intersection, union, enclosing = _pairwise_areas(boxes_a, boxes_b)
    return intersection / union - (enclosing - union) / enclosing


def non_max_suppression(
    boxes: ArrayLike, scores: ArrayLike, iou_threshold: float = 0.5
) -> np.ndarray:
    """Return the indices of the boxes that non-maximum suppression keeps, best score first.

    The box with the best score is kept, all others of its class whose IoU with it exceeds the
    threshold are removed, and so on. Of equal scores the first box wins.

    Parameters
    ----------
    boxes : array_like, shape (K, 4) or (K, 5)
        Boxes; with a fifth column, the class index, classes do not suppress each other.
    scores : array_like, shape (K,)
        The score of each box.
    iou_threshold : float
        From 0 to 1.

    Returns
    -------
    numpy.ndarray, shape (kept,)
        Indices of the boxes that are kept.

    Raises
    ------
    ValueError
        For boxes without area, lengths that differ, NaN, or a threshold outside 0 to 1.

    Examples
    --------
    >>> from medlearn.metrics import boxes
    >>> boxes.non_max_suppression([[0, 0, 9, 9], [0, 1, 9, 9], [20, 0, 29, 9]], [0.8, 0.9, 0.3])
    array([1, 2])
    """
    boxes, scores = _checks.boxes(boxes), np.asarray(scores, float)
    if scores.shape != boxes.shape[:1] or np.isnan(scores).any():
        raise ValueError(
            f"Each box needs one score that is a number: {len(boxes)} boxes, "
            f"scores of the shape {scores.shape}."
        )
    if not 0 <= iou_threshold <= 1:
        raise ValueError(
            f"iou_threshold={iou_threshold!r} is an intersection over union, from 0 to 1; try 0.5."
        )
    suppresses = pairwise_iou(boxes, boxes) > iou_threshold
    if boxes.shape[1] > 4:
        suppresses &= boxes[:, 4][:, None] == boxes[:, 4]
    remaining = np.ones(len(boxes), bool)
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if remaining[index]:
            kept.append(index)
            remaining &= ~suppresses[index]
    return np.array(kept, int)


def resize_with_padding(
    images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], shape: tuple[int, int]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Bring images of any size into one array, and move their boxes with them.

    Each image is scaled by one factor until it fits into `shape`, and put at the top left; what
    remains is black.

    Parameters
    ----------
    images : sequence of numpy.ndarray, each of shape (H, W, 3)
        uint8 images, which may differ in size.
    boxes : sequence of array_like, each of shape (K, 4 or more)
        The boxes of each image.
    shape : tuple of int
        (height, width) of the result in pixels.

    Returns
    -------
    numpy.ndarray, shape (N, height, width, 3)
        uint8 images.
    list of numpy.ndarray
        The boxes in the new images.

    Raises
    ------
    ValueError
        For numbers of images and boxes that differ, and for images that are not uint8 (H, W, 3).
    """
    _check_boxes_per_image(images, boxes)
    resized = np.zeros((len(images), *shape, 3), np.uint8)
    moved = []
    for canvas, image, image_boxes in zip(resized, images, boxes):
        image = _checked_image(image)
        factor = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
        height = max(1, min(shape[0], round(factor * image.shape[0])))
        width = max(1, min(shape[1], round(factor * image.shape[1])))
        picture = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
        canvas[:height, :width] = np.asarray(picture)
        scaled = _checks.boxes(image_boxes).copy()
        scaled[:, :4] *= np.array([height / image.shape[0], width / image.shape[1]] * 2)
        moved.append(scaled)
    return resized, moved


def flip(
    images: np.ndarray, boxes: Sequence[ArrayLike], axis: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Flip images, and their boxes with them.

    Parameters
    ----------
    images : array_like, shape (N, H, W, channels)
        Images of one size.
    boxes : sequence of array_like, each of shape (K, 4 or more)
        The boxes of each image.
    axis : int
        1 turns images upside down, 2 mirrors them.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, channels)
        The flipped images, a view.
    list of numpy.ndarray
        The flipped boxes.

    Raises
    ------
    ValueError
        For another axis, and for numbers of images and boxes that differ.
    """
    images = np.asarray(images)
    _check_boxes_per_image(images, boxes)
    if axis not in (1, 2):
        raise ValueError(f"axis={axis!r} is 1 (upside down) or 2 (mirrored).")
    start, end, side = axis - 1, axis + 1, images.shape[axis]
    flipped = []
    for image_boxes in map(_checks.boxes, boxes):
        mirrored = image_boxes.copy()
        mirrored[:, start] = side - image_boxes[:, end]
        mirrored[:, end] = side - image_boxes[:, start]
        flipped.append(mirrored)
    return np.flip(images, axis), flipped


def _pairwise_areas(
    boxes_a: ArrayLike, boxes_b: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas (N, M) of the intersection, of the union, and of the smallest box around both."""
    a = _checks.boxes(boxes_a)[:, None, :4]
    b = _checks.boxes(boxes_b)[None, :, :4]
    inner_start, inner_end = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    outer_start, outer_end = np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])
    intersection = (inner_end - inner_start).clip(0).prod(-1)
    enclosing = (outer_end - outer_start).prod(-1)
    return intersection, area(a) + area(b) - intersection, enclosing


def _check_boxes_per_image(images: Sequence | np.ndarray, boxes: Sequence) -> None:
    if len(images) != len(boxes):
        raise ValueError(
            "Each image needs its boxes, an empty array if there are none: "
            f"{len(images)} images, {len(boxes)} boxes."
        )


def _checked_image(image: ArrayLike) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3 or not image.size:
        raise ValueError(
            f"Images are uint8 (H, W, 3), 0 to 255, not {image.dtype} of shape {image.shape}; "
            "repeat a grey channel three times, and do not divide by 255."
        )
    return image
