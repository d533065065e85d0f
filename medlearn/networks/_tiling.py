"""Images and volumes larger than a network takes: predicted in overlapping, blended tiles."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from medlearn import _checks
from medlearn._keras import keras

_SPREAD = 0.25  # standard deviation of the Gaussian weight, as a share of the tile's side
_FAINTEST = 1e-3  # weight along a side that counts at least, so that no sum of weights is zero


class _Tiling(NamedTuple):
    """How a model is shown an image: sides of a tile, steps between tiles, and the rest."""

    model: keras.Model
    sides: tuple[int, ...]
    steps: tuple[int, ...]
    margin: int
    flips: Sequence[tuple[int, ...]]
    batch_size: int


def predict_tiled(
    model: keras.Model,
    image: np.ndarray,
    *,
    tile: int | tuple[int, ...] | None = None,
    overlap: float = 0.5,
    margin: int = 0,
    flips: Sequence[tuple[int, ...]] = ((),),
    classes_only: bool = False,
    batch_size: int = 8,
) -> np.ndarray:
    """Predict one image or volume in overlapping tiles and blend them with a Gaussian weight.

    Where tiles overlap, pixels near a tile's centre count more than those near its edge, since the
    network has seen less of their surroundings. Pixels within `margin` of an inner edge do not
    count at all: with a margin of at least the network's radius of view, the result of a network
    that looks at nothing else (no pooling of the whole image, no group normalisation) equals that
    of the untiled image.

    Parameters
    ----------
    model : keras.Model
        A segmenter of images, (N, h, w, 3) in and probabilities (N, h, w, K) out, or of volumes,
        (N, z, y, x, 1) in and (N, z, y, x, K) out.
    image : ndarray, shape (H, W, 3), or (Z, Y, X) or (Z, Y, X, 1) for a segmenter of volumes
        uint8 or float, 0 to 255; may be a memory map, of which a band of tiles is read at a time.
        What is smaller than a tile is mirrored at its edges.
    tile : int or tuple of int, optional
        Sides of a tile; by default the size that the model takes.
    overlap : float
        Share of a tile that it has in common with the next, from 0 to below 1.
    margin : int
        Pixels at each inner edge of a tile that do not count; at most half of the overlap.
    flips : sequence of tuple of int
        Axes that are mirrored before a tile is predicted; the answers are mirrored back and
        averaged (test-time augmentation). ``((), (2,))`` averages a volume and its mirror image.
    classes_only : bool
        Return the class of each pixel, uint8, instead of probabilities. Memory then holds one band
        of probabilities instead of all: needed for whole slides.
    batch_size : int
        Tiles per step.

    Returns
    -------
    ndarray, shape (H, W, K) or (H, W); (Z, Y, X, K) or (Z, Y, X) for volumes
        Probabilities float32, or classes uint8.

    Raises
    ------
    ValueError
        For an image of another shape or range, and settings out of range.

    References
    ----------
    Isensee et al. 2021, nnU-Net, doi:10.1038/s41592-020-01008-z (Gaussian weight of tiles).
    """
    axes = len(model.input_shape) - 2
    image = _one_image(image) if axes == 2 else _one_volume(image, model.input_shape[-1])
    _check_flips(flips, axes)
    sides = _tile_sides(model, tile)
    tiling = _Tiling(model, sides, _steps(sides, overlap, margin), margin, flips, batch_size)
    shape = image.shape[:-1]
    channels = () if classes_only else (model.output_shape[-1],)
    result = np.empty((*shape, *channels), np.uint8 if classes_only else np.float32)
    inside = tuple(slice(length) for length in shape[1:])
    for top, bottom, band in _bands(tiling, _padded(image, sides)):
        rows = slice(top, min(bottom, shape[0]))
        values = band[(slice(max(rows.stop - top, 0)), *inside)]
        result[rows] = values.argmax(-1) if classes_only else values
    return result


def _one_image(image: np.ndarray) -> np.ndarray:
    if np.ndim(image) != 3:
        raise ValueError(
            f"predict_tiled takes one image (H, W, 3), not {np.shape(image)}; "
            "call it for each image."
        )
    return _checks.images(image[None])[0]


def _one_volume(volume: np.ndarray, channels: int) -> np.ndarray:
    """Return the volume with an axis of channels."""
    volume = volume if isinstance(volume, np.ndarray) else np.asarray(volume)
    if volume.ndim == 3 and channels == 1:
        volume = volume[..., None]
    if volume.ndim != 4 or volume.shape[-1] != channels:
        expected = "(Z, Y, X)" if channels == 1 else f"(Z, Y, X, {channels})"
        raise ValueError(
            f"predict_tiled takes one volume {expected} for this model, not "
            f"{np.shape(volume)}; call it for each volume."
        )
    return volume


def _check_flips(flips: Sequence[tuple[int, ...]], axes: int) -> None:
    are_axes = all(isinstance(flip, tuple) and set(flip) <= set(range(axes)) for flip in flips)
    if not len(flips) or not are_axes:
        raise ValueError(
            f"flips={flips!r} is not a sequence of tuples of axes from 0 to {axes - 1}; ((),) is "
            "the image alone, ((), (1,)) the image and one mirror image."
        )


def _tile_sides(model, tile) -> tuple[int, ...]:
    names = ("height", "width") if len(model.input_shape) == 4 else ("depth", "height", "width")
    if tile is None:
        tile = model.input_shape[1:-1]
    sides = (tile,) * len(names) if isinstance(tile, int | np.integer) else tuple(tile)
    whole = all(isinstance(side, int | np.integer) for side in sides)
    if len(sides) != len(names) or not whole:
        raise ValueError(
            f"tile={tile!r} is not a {' and a '.join(names)} in pixels; {model.name} takes any "
            "size, so name one, such as tile=256."
        )
    for name, side in zip(names, sides, strict=True):
        _checks.whole_number(f"the {name} of a tile", side, 1)
    return tuple(map(int, sides))


def _steps(sides: tuple[int, ...], overlap: float, margin: int) -> tuple[int, ...]:
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap={overlap!r} is a share of a tile, from 0 to below 1; try 0.5.")
    steps = tuple(max(1, round(side * (1 - overlap))) for side in sides)
    _checks.whole_number("margin", margin, 0)
    shared = min(side - step for side, step in zip(sides, steps, strict=True))
    if margin and 2 * margin > shared:
        raise ValueError(
            f"margin={margin} at both edges is more than the {shared} pixels that tiles share: "
            "raise the overlap or lower the margin."
        )
    return steps


def _padded(image: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """Return an image of at least one tile, mirrored at the far edge of each axis."""
    missing = [max(side - length, 0) for side, length in zip(sides, image.shape, strict=False)]
    if not any(missing):
        return image
    return np.pad(image, [*((0, count) for count in missing), (0, 0)], mode="symmetric")


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


def _bands(tiling: _Tiling, image: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (first row, row after the last, probabilities) of rows that no further tile touches."""
    shape, sides = image.shape[:-1], tiling.sides
    starts = [_starts(*lengths) for lengths in zip(shape, sides, tiling.steps, strict=True)]
    sums = np.zeros((sides[0], *shape[1:], tiling.model.output_shape[-1]), np.float32)
    weights = np.zeros((sides[0], *shape[1:], 1), np.float32)
    tops = starts[0]
    for index, top in enumerate(tops):
        _add_band_of_tiles(tiling, image, top, list(product(*starts[1:])), sums, weights)
        following = tops[index + 1] if index + 1 < len(tops) else top + sides[0]
        ready = following - top
        yield top, following, sums[:ready] / np.maximum(weights[:ready], 1e-12)
        sums = _shifted(sums, ready)
        weights = _shifted(weights, ready)


def _add_band_of_tiles(tiling: _Tiling, image, top: int, corners, sums, weights) -> None:
    """Predict the tiles of a band in batches, and add their weighted answers to the sums."""
    for start in range(0, len(corners), tiling.batch_size):
        batch = corners[start : start + tiling.batch_size]
        windows = [_place(corner, tiling.sides[1:]) for corner in batch]
        rows = slice(top, top + tiling.sides[0])
        tiles = np.stack([image[(rows, *window)] for window in windows]).astype(np.float32)
        for corner, window, values in zip(batch, windows, _answers(tiling, tiles), strict=True):
            weight = _tile_weight(tiling, (top, *corner), image.shape)
            sums[(slice(None), *window)] += weight * values
            weights[(slice(None), *window)] += weight


def _answers(tiling: _Tiling, tiles: np.ndarray) -> np.ndarray:
    """Probabilities of tiles, the mean over their mirror images."""
    total = np.zeros((), np.float32)
    for flip in tiling.flips:
        axes = tuple(axis + 1 for axis in flip)
        values = np.asarray(tiling.model.predict_on_batch(np.flip(tiles, axes)))
        total = total + np.flip(values, axes)
    return total / np.float32(len(tiling.flips))


def _place(corner: tuple[int, ...], sides: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(start, start + side) for start, side in zip(corner, sides, strict=True))


def _tile_weight(tiling: _Tiling, corner: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """The product of the weights along each side (*sides, 1)."""
    weight = np.ones((), np.float32)
    for start, side, length in zip(corner, tiling.sides, shape, strict=False):
        along = _counted(_profile(side), start, length, tiling.margin)
        weight = weight[..., None] * along
    return weight[..., None]


def _shifted(band: np.ndarray, rows: int) -> np.ndarray:
    """Return the band moved up by some rows, with zeros below."""
    moved = np.zeros_like(band)
    moved[: len(band) - rows] = band[rows:]
    return moved
