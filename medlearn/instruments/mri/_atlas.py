"""The anatomy behind every subject: the ICBM152 2009a symmetric atlas that ships inside nilearn.

Fonov et al. 2011, NeuroImage 54:313 (the average of 152 healthy young adults, at 1 mm,
skull-stripped). Points are in MNI millimetres: x to the right, y forward, z up. The atlas is
prepared once and kept in the cache folder.
"""

import zipfile
import zlib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from medlearn import _files
from medlearn.instruments.mri import _preparation
from medlearn.instruments.mri._preparation import FARTHEST, ORIGIN, PERIOD

FILE = "mri-atlas-2.npz"  # raise the number when the preparation changes


@dataclass(frozen=True)
class Atlas:
    """The prepared atlas.

    Attributes
    ----------
    tissue : numpy.ndarray of uint8, shape (x, y, z, 3)
        Fluid, grey and white matter in 255ths, at 1 mm.
    distance : numpy.ndarray of uint8, shape (x, y, z, 2)
        Distance outside the brain's smooth outline, and to the lateral ventricles, in 50/255 mm,
        at 2 mm.
    fine, coarse : numpy.ndarray of float16, shape (96, 96, 96)
        Periodic Gaussian textures of unit variance, 2 and 5 mm wide.
    periventricular, deep, juxtacortical, hemisphere, basal : numpy.ndarray of float32, (k, 6)
        Points where lesions may sit, each with the direction away from the ventricles.
    """

    tissue: np.ndarray
    distance: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    periventricular: np.ndarray
    deep: np.ndarray
    juxtacortical: np.ndarray
    hemisphere: np.ndarray
    basal: np.ndarray


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """Return the atlas of the cache folder; it is built there, in 5 s, if missing or damaged."""
    path = _files.cache() / FILE
    try:
        with np.load(path) as stored:
            return Atlas(**{field.name: stored[field.name] for field in fields(Atlas)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        built = Atlas(**_preparation.build())
        _write(path, built)
        return built


def _write(path: Path, built: Atlas) -> None:
    arrays = {field.name: getattr(built, field.name) for field in fields(Atlas)}

    def save(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    _files.write_atomically(path, save)


@lru_cache(maxsize=1)
def _running_sum() -> np.ndarray:
    """Tissue fractions summed over z, uint16 (x, y, z + 1, 4 of which 3 are used).

    A slab's mean then takes two look-ups. In memory z comes first, because slices are axial: what
    one of them touches lies close together.
    """
    tissue = np.moveaxis(atlas().tissue, 2, 0)
    # At most 120 slices of 255: the sum fits into 16 bits.
    total = np.zeros((len(tissue) + 1, *tissue.shape[1:3], 4), np.uint16)
    np.cumsum(tissue, axis=0, dtype=np.uint16, out=total[1:, ..., :3])
    return np.moveaxis(total, 0, 2)


def slab(points: np.ndarray, thickness: float) -> np.ndarray:
    """Return the mean fractions of fluid, grey and white matter in a slab.

    Parameters
    ----------
    points : numpy.ndarray, shape (3, N)
        MNI points in the middle of the slab, float32, in mm.
    thickness : float
        In mm. The mean over it is exact; across it, the atlas is interpolated linearly.

    Returns
    -------
    numpy.ndarray, shape (3, N)
        float32.
    """
    x, y, z = points
    x, y, middle = x - ORIGIN[0], y - ORIGIN[1], z - ORIGIN[2] + 0.5
    upper = _interpolate(_running_sum(), 3, (x, y, middle + thickness / 2))
    lower = _interpolate(_running_sum(), 3, (x, y, middle - thickness / 2))
    return (upper - lower) * np.float32(1 / (255 * thickness))


def distances(points: np.ndarray) -> np.ndarray:
    """Return the distances outside the brain and to the lateral ventricles, float32 (2, N).

    In mm, at most 50, at MNI points (3, N).
    """
    # A voxel of the 2 mm grid is centred half a fine voxel after the first of its two.
    voxels = [(axis - origin - 0.5) / 2 for axis, origin in zip(points, ORIGIN, strict=True)]
    return _interpolate(atlas().distance, 2, voxels) * np.float32(FARTHEST / 255)


def textures(points: np.ndarray, offset=(0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """Return the coarse and the fine texture at points: mean 0, variance 1.

    Parameters
    ----------
    points : numpy.ndarray, shape (3, N)
        MNI points in mm.
    offset : sequence of 3 floats
        Moves the texture, in mm.

    Returns
    -------
    tuple of two numpy.ndarray, shape (N,)
        float32.
    """
    i, j, k = (
        (axis + np.float32(1000 + shift)).astype(np.int32) % PERIOD
        for axis, shift in zip(points, offset, strict=True)
    )
    voxels = ((i * PERIOD + j) * PERIOD + k).astype(np.intp)  # what `take` would make of it twice
    coarse = atlas().coarse.reshape(-1).take(voxels).astype(np.float32)
    fine = atlas().fine.reshape(-1).take(voxels).astype(np.float32)
    return coarse, fine


def _interpolate(table: np.ndarray, channels: int, voxels) -> np.ndarray:
    """The first channels of a table (x, y, z, width), trilinear: float32 (channels, N).

    `voxels` are three arrays (N,), the positions along x, y and z. These axes may lie in any order
    in memory; the last one is contiguous, so that all channels of a voxel are read as one number,
    which is several times faster.
    """
    word = np.dtype(f"u{table.itemsize * table.shape[3]}")
    flat = table.ravel(order="K").view(word)
    first, steps, fractions = np.intp(0), [], []
    for axis, position in enumerate(voxels):
        position = np.minimum(np.maximum(position, 0), table.shape[axis] - 1.001)
        index = position.astype(np.int32)
        steps.append(table.strides[axis] // word.itemsize)
        first = first + np.multiply(index, steps[axis], dtype=np.intp)
        fractions.append((position - index).astype(np.float32))
    corners = flat.take(first + np.array(_corner_offsets(*steps), np.intp)[:, None])
    values = corners.view(table.dtype).reshape(8, -1, table.shape[3])
    weights = _corner_weights(*fractions)
    by_channel = [
        np.einsum("kn,kn->n", weights, values[..., channel].astype(np.float32))
        for channel in range(channels)
    ]
    return np.stack(by_channel)


def _corner_offsets(x_step: int, y_step: int, z_step: int) -> list[int]:
    """How far the eight corners of a voxel lie from its first one; z runs fastest, x slowest."""
    return [x + y + z for x in (0, x_step) for y in (0, y_step) for z in (0, z_step)]


def _corner_weights(fx: np.ndarray, fy: np.ndarray, fz: np.ndarray) -> np.ndarray:
    """Trilinear weights (8, N) of the corners, in the order of `_corner_offsets`."""
    weights = []
    for along_x in (1 - fx, fx):
        for along_y in (1 - fy, fy):
            upper = along_x * along_y * fz
            weights += [along_x * along_y - upper, upper]
    return np.stack(weights)
