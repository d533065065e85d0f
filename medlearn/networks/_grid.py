"""Between boxes and the grid of a detector: what each cell should say, and what its answer means."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import boxes as arithmetic

STRIDE = 8  # pixels of the image a cell is wide
_SPREAD = 0.1  # standard deviation of the hill around a centre, as a share of the box's side
_CORE = 0.25  # cells up to this share of the side away from the centre draw the box


def targets(
    boxes: Sequence[ArrayLike], shape: tuple[int, int], classes: int
) -> dict[str, np.ndarray]:
    """What a detector should say of N images of one shape (height, width): the targets of `fit`.

    boxes: an array (k, 5) of [y0, x0, y1, x1, class] for each image, k may be 0. Returns `centres`, float32 (N, h, w,
    classes), and `sides`, float32 (N, h, w, 5), as `assign` makes them. Raises ValueError as `assign` does, with the
    number of the image.
    """
    both = []
    for number, each in enumerate(boxes):
        try:
            both.append(assign(each, shape, classes))
        except ValueError as problem:
            raise ValueError(f"Image {number}: {problem}") from None
    if not both:
        raise ValueError(
            "There is no image: boxes is an empty list, but holds one array for each image."
        )
    centres, sides = map(np.stack, zip(*both))
    return {"centres": centres, "sides": sides}


def assign(boxes: ArrayLike, shape: tuple[int, int], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Which cell answers for which box, in one image of `shape` (height, width), multiples of STRIDE.

    boxes: (k, 5), clipped to the image. Returns `centres`, float32 (h, w, classes): 1 in the cell that holds the centre of an
    object and a hill of Gaussian slopes around it, wider for wider boxes; and `sides`, float32 (h, w, 5): of the cells
    around each centre, the distances in pixels from the cell's middle to the box's top, left, bottom and right, and a weight
    that sums to one for each object. Where boxes compete for a cell, the smaller one has it. Of a side under STRIDE pixels, a
    distance may be cut at 0. Raises ValueError for boxes without area, wholly outside, or of unknown class.
    """
    if len(shape) != 2 or shape[0] % STRIDE or shape[1] % STRIDE or min(shape) < STRIDE:
        raise ValueError(
            f"shape={shape!r} is not (height, width) in multiples of {STRIDE} pixels; boxes.resize_with_padding resizes."
        )
    boxes = _checks.boxes(boxes, columns=5, shape=shape, classes=classes)[:, :5].copy()
    boxes[:, :4] = boxes[:, :4].clip(0, [*shape, *shape])
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    centres, sides = (
        np.zeros((rows, columns, classes), np.float32),
        np.zeros((rows, columns, 5), np.float32),
    )
    middles = [(np.arange(count) + 0.5) * STRIDE for count in (rows, columns)]
    owner, slopes = np.full((rows, columns), -1), np.zeros((rows, columns))
    for number in np.argsort(
        -arithmetic.area(boxes), kind="stable"
    ):  # the smallest last: it has the last word
        hill, core, (row, column) = _hill(boxes[number, :4], middles)
        kind = centres[..., int(boxes[number, 4])]
        np.maximum(kind, hill, out=kind)
        mine = core & (hill > 0.01)
        mine[row, column] = True
        owner[mine], slopes[mine] = number, hill[mine]
    taken = owner >= 0
    if taken.any():
        y, x = np.meshgrid(*middles, indexing="ij")
        y0, x0, y1, x1 = boxes[owner[taken], :4].T
        distances = np.stack([y[taken] - y0, x[taken] - x0, y1 - y[taken], x1 - x[taken]], axis=-1)
        sums = np.bincount(owner[taken], slopes[taken], minlength=len(boxes))
        sides[taken] = np.column_stack([distances.clip(0), slopes[taken] / sums[owner[taken]]])
    return centres, sides


def decode(
    heat: np.ndarray,
    sides: np.ndarray,
    shape: tuple[int, int],
    *,
    least: float = 0.05,
    overlap: float = 0.5,
    most: int = 100,
) -> np.ndarray:
    """Boxes (k, 6) of [y0, x0, y1, x1, class, score], best first, from what the cells of one image say.

    heat: (h, w, classes), how sure each cell is of a centre, 0..1 (probabilities, not logits). sides: (h, w, 4 or more),
    distances in pixels. shape: (height, width) of the image, to which boxes are clipped. `least`: the lowest score
    that counts. Every such cell draws its box; `boxes.non_max_suppression` keeps the best of those whose IoU exceeds `overlap`,
    class by class; at most `most` remain. Raises ValueError for grids that differ or values that are no probabilities.
    """
    if heat.ndim != 3 or heat.shape[:2] != sides.shape[:2]:
        raise ValueError(
            f"heat is (h, w, classes) and sides (h, w, 4) on the same grid, not {heat.shape} and {sides.shape}."
        )
    if heat.size and not (heat.min() >= 0 and heat.max() <= 1):
        raise ValueError(
            f"heat runs from {heat.min():.3g} to {heat.max():.3g}, not from 0 to 1; of logits, take the sigmoid first."
        )
    row, column, kind = np.nonzero(heat >= least)
    scores = heat[row, column, kind].astype(float)
    best = np.argsort(-scores, kind="stable")[: 20 * most]
    row, column, kind, scores = row[best], column[best], kind[best], scores[best]
    top, left, bottom, right = sides[row, column, :4].astype(float).T
    y, x = (row + 0.5) * STRIDE, (column + 0.5) * STRIDE
    found = np.column_stack([y - top, x - left, y + bottom, x + right, kind, scores]).reshape(-1, 6)
    found[:, :4] = found[:, :4].clip(0, [*shape, *shape])
    found = found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])]
    return found[arithmetic.non_max_suppression(found[:, :5], found[:, 5], overlap)[:most]]


def _hill(box: np.ndarray, middles: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """The hill (h, w), exactly 1 in its cell; which cells are near the centre; and the cell's row and column."""
    slopes, near, place = [], [], []
    for low, high, middle in zip(box[:2], box[2:], middles):
        centre, side = (low + high) / 2, high - low
        cell = min(int(centre // STRIDE), len(middle) - 1)
        away = middle - middle[cell]
        slopes.append(np.exp(-0.5 * (away / max(_SPREAD * side, 0.4 * STRIDE)) ** 2))
        near.append(np.abs(middle - centre) <= _CORE * side)
        place.append(cell)
    return np.outer(*slopes), np.outer(*near), place
