"""From boxes to the grid of cells that a detector learns from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn.metrics import boxes as _boxes

STRIDE = 8  # pixels of the image that a cell is wide
_SPREAD = 0.1  # standard deviation of the Gaussian around a centre, as a share of the box's side
_SMALLEST_SPREAD = 0.4 * STRIDE  # pixels
_CORE = 0.25  # cells up to this share of the side away from the centre learn the box
_FAINT = 0.01  # cells with a lower value of the Gaussian do not


def encode_targets(
    boxes: Sequence[ArrayLike], shape: tuple[int, int], classes: int
) -> dict[str, np.ndarray]:
    """Return the targets that a detector is fitted to, for N images of one shape.

    Parameters
    ----------
    boxes : sequence of array_like, each of shape (k, 5)
        [y0, x0, y1, x1, class] of the objects of each image, in pixels; k may be 0.
    shape : tuple of int
        (height, width) of the images, multiples of `STRIDE`.
    classes : int
        Number of classes.

    Returns
    -------
    dict of numpy.ndarray
        ``"centres"``, float32 (N, h, w, classes), and ``"sides"``, float32 (N, h, w, 5), as
        `assign` makes them for each image.

    Raises
    ------
    ValueError
        As `assign`, with the number of the image; and if there is no image.
    """
    if not len(boxes):
        raise ValueError(
            "There is no image: boxes is an empty list, but holds one array for each image."
        )
    targets = [_assign_image(number, boxes[number], shape, classes) for number in range(len(boxes))]
    return {
        "centres": np.stack([centres for centres, _ in targets]),
        "sides": np.stack([sides for _, sides in targets]),
    }


def _assign_image(number: int, boxes: ArrayLike, shape: tuple[int, int], classes: int):
    try:
        return assign(boxes, shape, classes)
    except ValueError as problem:
        raise ValueError(f"Image {number}: {problem}") from None


def assign(boxes: ArrayLike, shape: tuple[int, int], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Assign the cells of one image to its boxes.

    Where boxes compete for a cell, the smaller one has it. Of a box with a side under `STRIDE`
    pixels, a distance may be cut at 0.

    Parameters
    ----------
    boxes : array_like, shape (k, 5)
        [y0, x0, y1, x1, class] in pixels; parts outside the image are cut off.
    shape : tuple of int
        (height, width) of the image, multiples of `STRIDE`.
    classes : int
        Number of classes.

    Returns
    -------
    centres : numpy.ndarray, shape (h, w, classes)
        float32; 1 in the cell that holds an object's centre and a Gaussian around it, wider for
        larger boxes.
    sides : numpy.ndarray, shape (h, w, 5)
        float32; cells around a centre hold four distances in pixels, from the cell's middle to
        the box's top, left, bottom and right. The fifth number is a weight; the weights of an
        object's cells sum to one.

    Raises
    ------
    ValueError
        For boxes without area, wholly outside, or of unknown class, and for another shape.

    Examples
    --------
    >>> centres, sides = assign([[4, 36, 36, 52, 1]], (64, 96), classes=3)
    >>> centres.shape, sides[2, 5, :4].tolist()
    ((8, 12, 3), [16.0, 8.0, 16.0, 8.0])
    """
    if len(shape) != 2 or shape[0] % STRIDE or shape[1] % STRIDE or min(shape) < STRIDE:
        raise ValueError(
            f"shape={shape!r} is not (height, width) in multiples of {STRIDE} pixels; "
            "boxes.resize_with_padding resizes."
        )
    boxes = _checks.boxes(boxes, columns=5, shape=shape, classes=classes)[:, :5].copy()
    boxes[:, :4] = boxes[:, :4].clip(0, [*shape, *shape])
    grid = (shape[0] // STRIDE, shape[1] // STRIDE)
    centres = np.zeros((*grid, classes), np.float32)
    owners = np.full(grid, -1)
    weights = np.zeros(grid)
    for index in np.argsort(-_boxes.area(boxes), kind="stable"):  # small boxes overwrite large ones
        gaussian, core = _gaussian_and_core(boxes[index, :4], grid)
        heatmap = centres[..., int(boxes[index, 4])]
        np.maximum(heatmap, gaussian, out=heatmap)
        owners[core] = index
        weights[core] = gaussian[core]
    return centres, _sides(boxes, owners, weights)


def _gaussian_and_core(box: np.ndarray, grid: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a Gaussian (h, w), exactly 1 in the centre's cell, and which cells learn the box."""
    row, gaussian_y, near_y = _along_axis(box[0], box[2], grid[0])
    column, gaussian_x, near_x = _along_axis(box[1], box[3], grid[1])
    gaussian = np.outer(gaussian_y, gaussian_x)
    core = np.outer(near_y, near_x) & (gaussian > _FAINT)
    core[row, column] = True
    return gaussian, core


def _along_axis(low: float, high: float, cells: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the centre's cell, the Gaussian around it, and which cells are near the centre."""
    middles = (np.arange(cells) + 0.5) * STRIDE
    centre = (low + high) / 2
    side = high - low
    cell = min(int(centre // STRIDE), cells - 1)
    spread = max(_SPREAD * side, _SMALLEST_SPREAD)
    gaussian = np.exp(-0.5 * ((middles - middles[cell]) / spread) ** 2)
    near = np.abs(middles - centre) <= _CORE * side
    return cell, gaussian, near


def _sides(boxes: np.ndarray, owners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return distances and weight (h, w, 5) of the cells that a box owns, and zeros elsewhere."""
    sides = np.zeros((*owners.shape, 5), np.float32)
    row, column = np.nonzero(owners >= 0)
    owner = owners[row, column]
    y = (row + 0.5) * STRIDE
    x = (column + 0.5) * STRIDE
    y0, x0, y1, x1 = boxes[owner, :4].T
    distances = np.column_stack([y - y0, x - x0, y1 - y, x1 - x]).clip(0)
    totals = np.bincount(owner, weights[row, column], minlength=len(boxes))
    share = weights[row, column] / totals[owner]
    sides[row, column] = np.column_stack([distances, share])
    return sides
