"""Images larger than a network takes: predicted in overlapping tiles that are blended."""

from collections.abc import Iterator

import numpy as np

from medlearn import _checks
from medlearn._keras import keras

_SPREAD = 0.25  # standard deviation of the Gaussian weight, as a share of the tile's side
_FAINTEST = 1e-3  # weight that every counted pixel has at least, so that no sum of weights is zero


def predict_tiled(
    model: keras.Model,
    image: np.ndarray,
    *,
    tile: int | tuple[int, int] | None = None,
    overlap: float = 0.5,
    margin: int = 0,
    classes_only: bool = False,
    batch_size: int = 8,
) -> np.ndarray:
    """Predict one large image in overlapping tiles and blend them with a Gaussian weight.

    Where tiles overlap, pixels near a tile's centre count more than those near its edge, since the
    network has seen less of their surroundings. Pixels within `margin` of an inner edge do not
    count at all: with a margin of at least the network's radius of view, the result of a network
    that looks at nothing else (no pooling of the whole image, no group normalisation) equals that
    of the untiled image.

    Parameters
    ----------
    model : keras.Model
        A segmenter: images (N, h, w, 3) in, probabilities (N, h, w, K) out.
    image : ndarray, shape (H, W, 3)
        uint8 or float, 0 to 255; may be a memory map, of which a band of tiles is read at a time.
        An image smaller than a tile is mirrored at its edges.
    tile : int or tuple of int, optional
        Height and width of a tile; by default the size that the model takes.
    overlap : float
        Share of a tile that it has in common with the next, from 0 to below 1.
    margin : int
        Pixels at each inner edge of a tile that do not count; less than half of the overlap.
    classes_only : bool
        Return the class of each pixel, uint8 (H, W), instead of probabilities. Memory then holds
        one band of probabilities instead of all: needed for whole slides.
    batch_size : int
        Tiles per step.

    Returns
    -------
    ndarray, shape (H, W, K) or (H, W)
        Probabilities float32, or classes uint8.

    Raises
    ------
    ValueError
        For an image of another shape or range, and settings out of range.

    References
    ----------
    Isensee et al. 2021, nnU-Net, doi:10.1038/s41592-020-01008-z (Gaussian weight of tiles).
    """
    image = _one_image(image)
    sides = _tile_sides(model, tile)
    steps = _steps(sides, overlap, margin)
    padded = _padded(image, sides)
    weight = [_profile(side) for side in sides]
    channels = model.output_shape[-1]
    height, width = image.shape[:2]
    shape = (height, width) if classes_only else (height, width, channels)
    result = np.empty(shape, np.uint8 if classes_only else np.float32)
    for top, bottom, band in _bands(model, padded, sides, steps, weight, margin, batch_size):
        rows = slice(top, min(bottom, height))
        values = band[: max(rows.stop - top, 0), :width]
        result[rows] = values.argmax(-1) if classes_only else values
    return result


def _one_image(image: np.ndarray) -> np.ndarray:
    if np.ndim(image) != 3:
        raise ValueError(
            f"predict_tiled takes one image (H, W, 3), not {np.shape(image)}; "
            "call it for each image."
        )
    return _checks.images(image[None])[0]


def _tile_sides(model, tile) -> tuple[int, int]:
    if tile is None:
        tile = model.input_shape[1:3]
    sides = (tile, tile) if isinstance(tile, int | np.integer) else tuple(tile)
    if len(sides) != 2 or any(not isinstance(side, int | np.integer) for side in sides):
        raise ValueError(
            f"tile={tile!r} is not a height and a width in pixels; {model.name} takes any size, "
            "so name one, such as tile=256."
        )
    for name, side in zip(("height", "width"), sides, strict=True):
        _checks.whole_number(f"the {name} of a tile", side, 1)
    return int(sides[0]), int(sides[1])


def _steps(sides: tuple[int, int], overlap: float, margin: int) -> tuple[int, int]:
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap={overlap!r} is a share of a tile, from 0 to below 1; try 0.5.")
    height, width = (max(1, round(side * (1 - overlap))) for side in sides)
    _checks.whole_number("margin", margin, 0)
    shared = min(side - step for side, step in zip(sides, (height, width), strict=True))
    if margin and 2 * margin > shared:
        raise ValueError(
            f"margin={margin} at both edges is more than the {shared} pixels that tiles share: "
            "raise the overlap or lower the margin."
        )
    return height, width


def _padded(image: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """Return an image of at least one tile, mirrored at its lower and right edges."""
    missing = [max(side - length, 0) for side, length in zip(sides, image.shape[:2], strict=True)]
    if not any(missing):
        return image
    return np.pad(image, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")


def _starts(length: int, side: int, step: int) -> list[int]:
    """Return where tiles begin: a step apart, and the last one at the end."""
    starts = list(range(0, length - side + 1, step))
    if starts[-1] + side < length:
        starts.append(length - side)
    return starts


def _profile(side: int) -> np.ndarray:
    """Return the Gaussian weight along one side of a tile."""
    away = np.arange(side) - (side - 1) / 2
    return np.maximum(np.exp(-0.5 * (away / (_SPREAD * side)) ** 2), _FAINTEST).astype(np.float32)


def _counted(profile: np.ndarray, start: int, length: int, margin: int) -> np.ndarray:
    """Return the weight with zeros within the margin of edges that are not edges of the image."""
    counted = profile.copy()
    if margin and start > 0:
        counted[:margin] = 0
    if margin and start + len(profile) < length:
        counted[len(profile) - margin :] = 0
    return counted


def _bands(
    model, image, sides, steps, weight, margin: int, batch_size: int
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (first row, row after the last, probabilities) of rows that no further tile touches."""
    height, width = image.shape[:2]
    tops = _starts(height, sides[0], steps[0])
    lefts = _starts(width, sides[1], steps[1])
    sums = np.zeros((sides[0], width, model.output_shape[-1]), np.float32)
    weights = np.zeros((sides[0], width, 1), np.float32)
    for index, top in enumerate(tops):
        vertical = _counted(weight[0], top, height, margin)
        _add_row_of_tiles(
            model, image, top, lefts, sides, vertical, weight[1], margin, batch_size, sums, weights
        )
        following = tops[index + 1] if index + 1 < len(tops) else top + sides[0]
        ready = following - top
        yield top, following, sums[:ready] / np.maximum(weights[:ready], 1e-12)
        sums = _shifted(sums, ready)
        weights = _shifted(weights, ready)


def _add_row_of_tiles(
    model, image, top, lefts, sides, vertical, profile, margin, batch_size, sums, weights
) -> None:
    for start in range(0, len(lefts), batch_size):
        batch = lefts[start : start + batch_size]
        tiles = np.stack([image[top : top + sides[0], left : left + sides[1]] for left in batch])
        values = model.predict_on_batch(tiles.astype(np.float32))
        for left, probabilities in zip(batch, values, strict=True):
            horizontal = _counted(profile, left, image.shape[1], margin)
            tile_weight = np.outer(vertical, horizontal)[..., None]
            columns = slice(left, left + sides[1])
            sums[:, columns] += tile_weight * probabilities
            weights[:, columns] += tile_weight


def _shifted(band: np.ndarray, rows: int) -> np.ndarray:
    """Return the band moved up by some rows, with zeros below."""
    moved = np.zeros_like(band)
    moved[: len(band) - rows] = band[rows:]
    return moved
