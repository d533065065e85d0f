"""The anatomy behind every subject: the ICBM152 2009a symmetric atlas that ships inside nilearn, prepared once.

Fonov et al. 2011, NeuroImage 54:313 (the average of 152 healthy young adults, at 1 mm, skull-stripped). Points are in
MNI millimetres: x to the right, y forward, z up. What comes out is kept in `mri-atlas-2.npz` in the cache folder.
"""

import os
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from medlearn import _files

FILE = "mri-atlas-2.npz"  # raise the number when the preparation changes
ORIGIN = np.array([-98.0, -134.0, -37.0], np.float32)  # MNI mm of the first voxel kept
_BOTTOM, _TOP = 35, 155  # template slices kept: what any tilted slice of ours may touch
_FAR = 50.0  # mm: distances beyond are all alike
_SHARPEN = 1.8  # undoes part of the blur of an average brain (assumption, chosen by eye)
_PERIOD = 96  # mm: the textures repeat


@dataclass(frozen=True)
class Atlas:
    """The prepared atlas.

    `tissue` uint8 (x, y, z, 3): fluid, grey, white in 255ths, at 1 mm. `distance` uint8 (x, y, z, 2) at 2 mm: distance
    outside the brain's smooth outline and distance to the lateral ventricles, in 50/255 mm. `fine` and `coarse`
    float16 (96, 96, 96): periodic Gaussian textures of unit variance, 2 and 5 mm. `periventricular`, `deep`,
    `juxtacortical`, `hemisphere`, `basal` float32 (k, 6): places for lesions, with the direction away from the
    ventricles.
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
    """The atlas, from the cache folder; built there (about five seconds) if missing or damaged."""
    path = _files.cache() / FILE
    try:
        with np.load(path) as stored:
            return Atlas(**{field.name: stored[field.name] for field in fields(Atlas)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        built = _build()
        _write(path, {field.name: getattr(built, field.name) for field in fields(Atlas)})
        return built


@lru_cache(maxsize=1)
def _running_sum() -> np.ndarray:
    """Tissue fractions summed over z, uint16 (z + 1, x, y, 4 of which 3 used): a slab's mean from two look-ups.

    z comes first because slices are axial: what one of them touches lies close together in memory.
    """
    tissue = np.moveaxis(atlas().tissue, 2, 0)
    total = np.zeros(
        (len(tissue) + 1, *tissue.shape[1:3], 4), np.uint16
    )  # at most 120 slices of 255: it fits
    np.cumsum(tissue, axis=0, dtype=np.uint16, out=total[1:, ..., :3])
    return total


def slab(x, y, z, thickness) -> np.ndarray:
    """Mean fractions of fluid, grey and white matter over a slab centred on MNI points: float32 (3, N).

    Linear in x and y; in z exact, for any `thickness` in mm.
    """
    table = np.moveaxis(_running_sum(), 0, 2)
    centre = z - ORIGIN[2] + 0.5
    upper, lower = (
        _interpolate(table, 3, x - ORIGIN[0], y - ORIGIN[1], end)
        for end in (centre + thickness / 2, centre - thickness / 2)
    )
    return (upper - lower) * np.float32(1 / (255 * thickness))


def distances(x, y, z) -> np.ndarray:
    """Distance outside the brain, and to the lateral ventricles, at MNI points: float32 (2, N) mm, at most 50."""
    # a voxel of the 2 mm grid is centred half a fine voxel after the first of its two
    fine = (axis - origin - 0.5 for axis, origin in zip((x, y, z), ORIGIN))
    return _interpolate(atlas().distance, 2, *(axis / 2 for axis in fine)) * np.float32(_FAR / 255)


def textures(points, offset=(0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """The coarse and the fine texture at MNI points (3, N), moved by `offset` mm: float32 (N,), mean 0, variance 1."""
    known = atlas()
    i, j, k = (
        (axis + np.float32(1000 + shift)).astype(np.int32) % _PERIOD
        for axis, shift in zip(points, offset)
    )
    where = (i * _PERIOD + j) * _PERIOD + k
    return known.coarse.reshape(-1)[where].astype(np.float32), known.fine.reshape(-1)[where].astype(
        np.float32
    )


def _interpolate(table, channels, x, y, z) -> np.ndarray:
    """The first `channels` of a table (x, y, z, width), in any order in memory, trilinear at voxels: float32 (channels, N)."""
    (nx, ny, nz, width), word = table.shape, np.dtype(f"u{table.itemsize * table.shape[3]}")
    across, along, up = (stride // word.itemsize for stride in table.strides[:3])
    x, y, z = np.clip(x, 0, nx - 1.001), np.clip(y, 0, ny - 1.001), np.clip(z, 0, nz - 1.001)
    i, j, k = x.astype(np.int32), y.astype(np.int32), z.astype(np.int32)
    fx, fy, fz = (x - i).astype(np.float32), (y - j).astype(np.float32), (z - k).astype(np.float32)
    first = i * across + j * along + k * up
    rows, weights = [], []
    for di, wx in ((0, 1 - fx), (across, fx)):
        for dj, wy in ((0, 1 - fy), (along, fy)):
            column, weight = first + (di + dj), wx * wy
            rows += [column, column + up]
            weights += [weight - weight * fz, weight * fz]
    flat = table.ravel(order="K").view(word)  # a whole row read as one number: several times faster
    found, weights = (
        flat.take(np.stack(rows)).view(table.dtype).reshape(8, -1, width),
        np.stack(weights),
    )
    return np.stack(
        [
            np.einsum("kn,kn->n", weights, found[..., channel].astype(np.float32))
            for channel in range(channels)
        ]
    )


def _write(path: Path, arrays: dict) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        os.replace(temporary, path)  # readers see the old file or the whole new one
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _build() -> Atlas:
    t1, grey, white = _templates()
    inside = ndimage.binary_closing(np.pad(t1 > 0, 4), iterations=3)[4:-4, 4:-4, 4:-4] | (t1 > 0)
    fluid = np.clip(1 - grey - white, 0, 1)
    share = (np.stack([fluid, grey, white], axis=-1) + 1e-4) ** _SHARPEN
    share *= inside[..., None] / share.sum(axis=-1, keepdims=True)
    tissue = np.round(share * 255).astype(np.uint8)

    coarse_inside, coarse_fluid = _halve(inside) > 0.5, _halve(share[..., 0])
    outside = 2 * ndimage.distance_transform_edt(~_closed(coarse_inside, 16))
    depth = 2 * ndimage.distance_transform_edt(coarse_inside)
    to_ventricle = 2 * ndimage.distance_transform_edt(~_ventricles(coarse_fluid, depth))
    distance = np.stack([outside, to_ventricle], axis=-1)
    distance = np.round(np.minimum(distance, _FAR) * (255 / _FAR)).astype(np.uint8)
    return Atlas(
        tissue,
        distance,
        _texture(2.2),
        _texture(5.0),
        **_places(_halve(grey), _halve(white), depth, to_ventricle),
    )


def _templates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T1, grey and white templates, float32 (196, 232, 120) in 0..1, read from the installed nilearn."""
    from nilearn import datasets  # two seconds: imported only when the cache is missing

    loaders = (
        datasets.load_mni152_template,
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
    )
    return tuple(
        np.asarray(load(resolution=1).dataobj, np.float32)[:196, :232, _BOTTOM:_TOP]
        for load in loaders
    )


def _halve(volume) -> np.ndarray:
    nx, ny, nz = (length // 2 for length in volume.shape)
    return volume.astype(np.float32).reshape(nx, 2, ny, 2, nz, 2).mean(axis=(1, 3, 5))


def _mni(indices) -> np.ndarray:
    return (ORIGIN + 0.5 + 2 * np.asarray(indices, np.float32)).astype(np.float32)


def _closed(mask, reach) -> np.ndarray:
    """The mask without bays narrower than 2 * `reach` mm: the inner side of a smooth skull."""
    grown = np.pad(mask, int(reach))
    grown = 2 * ndimage.distance_transform_edt(~grown) <= reach
    shrunk = 2 * ndimage.distance_transform_edt(grown) > reach
    inner = slice(int(reach), -int(reach))
    return shrunk[inner, inner, inner] | mask


def _ventricles(fluid, depth) -> np.ndarray:
    """Fluid deep inside the brain and near the midline, without crumbs."""
    x = _mni(np.indices(fluid.shape).reshape(3, -1).T)[:, 0].reshape(fluid.shape)
    found, count = ndimage.label((fluid > 0.5) & (depth > 14) & (np.abs(x) < 40))
    sizes = ndimage.sum(found > 0, found, range(1, count + 1))
    return np.isin(found, 1 + np.flatnonzero(np.asarray(sizes) > 40))


def _places(grey, white, depth, to_ventricle) -> dict[str, np.ndarray]:
    """Where lesions of each kind may sit; the distances in mm are assumptions that follow the usual descriptions."""
    white_around = ndimage.uniform_filter(white, 3)
    points = _mni(np.moveaxis(np.indices(white.shape), 0, -1))
    x, z = points[..., 0], points[..., 2]
    away = np.stack(
        np.gradient(ndimage.gaussian_filter(to_ventricle.astype(np.float32), 1)), axis=-1
    )
    away /= np.linalg.norm(away, axis=-1, keepdims=True) + 1e-6
    shown = (z > -14) & (z < 54)
    masks = {
        "periventricular": (white_around > 0.6) & (to_ventricle > 2) & (to_ventricle < 7),
        "deep": (white_around > 0.75) & (to_ventricle > 8),
        "juxtacortical": (white > 0.5) & (white_around < 0.65) & (depth > 6) & (to_ventricle > 12),
        "hemisphere": (white_around > 0.55) & (depth > 14) & (to_ventricle > 6) & (np.abs(x) > 12),
        "basal": (grey > 0.3)
        & (to_ventricle > 2)
        & (to_ventricle < 18)
        & (depth > 24)
        & (z > -6)
        & (z < 23),
    }
    return {
        name: np.concatenate([points[mask & shown], away[mask & shown]], axis=1).astype(np.float32)
        for name, mask in masks.items()
    }


def _texture(width) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((_PERIOD,) * 3)
    noise = ndimage.gaussian_filter(noise, width, mode="wrap")
    return (noise / noise.std()).astype(np.float16)
