"""From the grid of cells that a detector gives to boxes."""

import numpy as np

from medlearn.metrics import boxes as _boxes
from medlearn.networks.detection._targets import STRIDE

_CANDIDATES = 20  # per box that may be reported: more are not compared


def decode(
    centres: np.ndarray,
    sides: np.ndarray,
    shape: tuple[int, int],
    *,
    score_threshold: float = 0.05,
    iou_threshold: float = 0.5,
    max_detections: int = 100,
) -> np.ndarray:
    """Return the boxes that the cells of one image describe, best first.

    Each cell whose probability reaches the threshold gives a box; non-maximum suppression keeps the
    best of those that overlap, class by class.

    Parameters
    ----------
    centres : numpy.ndarray, shape (h, w, classes)
        Probabilities that an object's centre lies in the cell, 0 to 1; not logits.
    sides : numpy.ndarray, shape (h, w, 4) or more channels
        Distances in pixels from the cell's middle to top, left, bottom and right.
    shape : tuple of int
        (height, width) of the image in pixels, to which boxes are clipped.
    score_threshold : float
        Lowest probability that is reported, 0 to 1.
    iou_threshold : float
        Intersection over union, 0 to 1, above which the weaker of two boxes goes.
    max_detections : int
        Boxes that are reported at most.

    Returns
    -------
    numpy.ndarray, shape (k, 6)
        [y0, x0, y1, x1, class, score] in pixels.

    Raises
    ------
    ValueError
        For grids that differ, and values that are no probabilities.
    """
    if centres.ndim != 3 or centres.shape[:2] != sides.shape[:2]:
        raise ValueError(
            "centres is (h, w, classes) and sides (h, w, 4) on the same grid, not "
            f"{centres.shape} and {sides.shape}."
        )
    if centres.size and not (centres.min() >= 0 and centres.max() <= 1):
        raise ValueError(
            f"centres runs from {centres.min():.3g} to {centres.max():.3g}, not from 0 to 1; of "
            "logits, take the sigmoid first."
        )
    boxes = _candidates(centres, sides, score_threshold, _CANDIDATES * max_detections)
    boxes[:, :4] = boxes[:, :4].clip(0, [*shape, *shape])
    has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    boxes = boxes[has_area]
    kept = _boxes.non_max_suppression(boxes[:, :5], boxes[:, 5], iou_threshold)
    return boxes[kept[:max_detections]]


def _candidates(
    centres: np.ndarray, sides: np.ndarray, score_threshold: float, count: int
) -> np.ndarray:
    """Return the boxes (k, 6) of the `count` cells with the highest scores, best first."""
    row, column, label = np.nonzero(centres >= score_threshold)
    scores = centres[row, column, label].astype(float)
    best = np.argsort(-scores, kind="stable")[:count]
    row = row[best]
    column = column[best]
    top, left, bottom, right = sides[row, column, :4].astype(float).T
    y = (row + 0.5) * STRIDE
    x = (column + 0.5) * STRIDE
    return np.column_stack([y - top, x - left, y + bottom, x + right, label[best], scores[best]])
