"""The atlas is prepared once: tissue fractions, distances, textures and points for lesions.

The sharpening and the widths in mm are assumptions; those of the points for lesions follow the
usual descriptions.
"""

import numpy as np
from scipy import ndimage

ORIGIN = np.array([-98.0, -134.0, -37.0], np.float32)  # MNI mm of the first voxel kept
FARTHEST = 50.0  # mm: distances beyond are all alike
PERIOD = 96  # mm: the textures repeat

_BOTTOM, _TOP = 35, 155  # template slices kept: what any tilted slice of ours may touch
_SHARPEN = 1.8  # undoes part of the blur of an average brain (assumption, chosen by eye)
_LOWEST, _HIGHEST = -14, 54  # MNI mm: lesions sit between these heights


def build() -> dict[str, np.ndarray]:
    """Return the arrays of an `Atlas` by name, from the templates of the installed nilearn."""
    t1, grey, white = _templates()
    inside = ndimage.binary_closing(np.pad(t1 > 0, 4), iterations=3)[4:-4, 4:-4, 4:-4] | (t1 > 0)
    fluid = np.clip(1 - grey - white, 0, 1)
    share = (np.stack([fluid, grey, white], axis=-1) + 1e-4) ** _SHARPEN
    share *= inside[..., None] / share.sum(axis=-1, keepdims=True)

    inside_brain, half_fluid = _halve(inside) > 0.5, _halve(share[..., 0])
    outside = 2 * ndimage.distance_transform_edt(~_closed(inside_brain, 16))
    depth = 2 * ndimage.distance_transform_edt(inside_brain)
    to_ventricle = 2 * ndimage.distance_transform_edt(~_ventricles(half_fluid, depth))
    distance = np.minimum(np.stack([outside, to_ventricle], axis=-1), FARTHEST)
    return {
        "tissue": np.round(share * 255).astype(np.uint8),
        "distance": np.round(distance * (255 / FARTHEST)).astype(np.uint8),
        "fine": _texture(2.2),
        "coarse": _texture(5.0),
        **_lesion_sites(_halve(grey), _halve(white), depth, to_ventricle),
    }


def _templates() -> list[np.ndarray]:
    """T1, grey and white templates, float32 (196, 232, 120) in 0..1."""
    from nilearn import datasets  # two seconds: imported only when the atlas is missing

    loaders = (
        datasets.load_mni152_template,
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
    )
    volumes = [np.asarray(load(resolution=1).dataobj, np.float32) for load in loaders]
    return [volume[:196, :232, _BOTTOM:_TOP] for volume in volumes]


def _halve(volume: np.ndarray) -> np.ndarray:
    """The mean of each 2 x 2 x 2 voxels."""
    nx, ny, nz = (length // 2 for length in volume.shape)
    return volume.astype(np.float32).reshape(nx, 2, ny, 2, nz, 2).mean(axis=(1, 3, 5))


def _mni(indices: np.ndarray) -> np.ndarray:
    """MNI mm of voxels of the halved grid."""
    return (ORIGIN + 0.5 + 2 * np.asarray(indices, np.float32)).astype(np.float32)


def _closed(mask: np.ndarray, reach: float) -> np.ndarray:
    """The mask without bays narrower than 2 * `reach` mm: the inner side of a smooth skull."""
    padded = np.pad(mask, int(reach))
    grown = 2 * ndimage.distance_transform_edt(~padded) <= reach
    shrunk = 2 * ndimage.distance_transform_edt(grown) > reach
    inner = slice(int(reach), -int(reach))
    return shrunk[inner, inner, inner] | mask


def _ventricles(fluid: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Fluid deep inside the brain and near the midline, without crumbs."""
    x = _mni(np.indices(fluid.shape).reshape(3, -1).T)[:, 0].reshape(fluid.shape)
    islands, count = ndimage.label((fluid > 0.5) & (depth > 14) & (np.abs(x) < 40))
    sizes = ndimage.sum(islands > 0, islands, range(1, count + 1))
    return np.isin(islands, 1 + np.flatnonzero(np.asarray(sizes) > 40))


def _lesion_sites(grey, white, depth, to_ventricle) -> dict[str, np.ndarray]:
    """Points (k, 6) where lesions of each type may sit, with the direction off the ventricles."""
    white_around = ndimage.uniform_filter(white, 3)
    points = _mni(np.moveaxis(np.indices(white.shape), 0, -1))
    x, z = points[..., 0], points[..., 2]
    smooth = ndimage.gaussian_filter(to_ventricle.astype(np.float32), 1)
    away = np.stack(np.gradient(smooth), axis=-1)
    away /= np.linalg.norm(away, axis=-1, keepdims=True) + 1e-6
    near_ventricle = (to_ventricle > 2) & (to_ventricle < 18)
    masks = {
        "periventricular": (white_around > 0.6) & (to_ventricle > 2) & (to_ventricle < 7),
        "deep": (white_around > 0.75) & (to_ventricle > 8),
        "juxtacortical": (white > 0.5) & (white_around < 0.65) & (depth > 6) & (to_ventricle > 12),
        "hemisphere": (white_around > 0.55) & (depth > 14) & (to_ventricle > 6) & (np.abs(x) > 12),
        "basal": (grey > 0.3) & near_ventricle & (depth > 24) & (z > -6) & (z < 23),
    }
    rows = np.concatenate([points, away], axis=-1).astype(np.float32)
    within = (z > _LOWEST) & (z < _HIGHEST)
    return {name: rows[mask & within] for name, mask in masks.items()}


def _texture(width: float) -> np.ndarray:
    """Periodic Gaussian noise of unit variance, `width` mm wide."""
    noise = np.random.default_rng(0).standard_normal((PERIOD,) * 3)
    noise = ndimage.gaussian_filter(noise, width, mode="wrap")
    return (noise / noise.std()).astype(np.float16)
