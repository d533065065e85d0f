"""Lesions painted into the tissues of a slice: soft-edged, mottled, bounded by where they grow.

Edge softness, roughness and mottle are assumptions, chosen by eye. A slab is averaged over three
planes, at the `steps` (mm) above its middle.
"""

import numpy as np

from medlearn.instruments.mri import _atlas
from medlearn.instruments.mri._anatomy import Head, Plane
from medlearn.instruments.mri._lesions import Infarct, Lacune, Lesion, Plaques, Tumour
from medlearn.instruments.mri.physics import LESION_TISSUES


def lesion_shares(
    healthy: np.ndarray, lesion: Lesion | None, plane: Plane, thickness: float
) -> np.ndarray:
    """Return the lesion's tissues as shares of each pixel of a slab.

    Parameters
    ----------
    healthy : numpy.ndarray, shape (3 or more, N)
        Fractions of healthy tissues: fluid, grey and white matter first.
    lesion : Lesion or None
        Of any type.
    plane : Plane
        The middle of the slab.
    thickness : float
        In mm.

    Returns
    -------
    numpy.ndarray, shape (lesion tissues, N)
        float32, in all at most 1.
    """
    shares = np.zeros((len(LESION_TISSUES), healthy.shape[1]), np.float32)
    if lesion is not None:
        for name, share in _shares(lesion, plane, healthy, _steps(thickness)).items():
            shares[LESION_TISSUES.index(name)] = share
        shares /= np.maximum(shares.sum(axis=0), 1)
    return shares


def with_lesion(
    healthy: np.ndarray,
    shares: np.ndarray,
    lesion: Lesion | None,
    head: Head,
    plane: Plane,
    thickness: float,
) -> np.ndarray:
    """Return the tissue fractions of a slab with its lesion and the age-related spots.

    A strength below 1 and a mottled texture leave some healthy tissue inside a lesion.

    Parameters
    ----------
    healthy : numpy.ndarray, shape (healthy tissues, N)
        Fractions, fluid, grey and white matter first.
    shares : numpy.ndarray, shape (lesion tissues, N)
        From `lesion_shares`.
    lesion : Lesion or None
        Of any type.
    head : Head
        The subject's.
    plane : Plane
        The middle of the slab.
    thickness : float
        In mm.

    Returns
    -------
    numpy.ndarray, shape (tissues, N)
        float32.
    """
    spots = _spot_share(head.spots, plane.anatomy, _steps(thickness))
    spots += np.float32(head.caps) * np.exp(-plane.ventricle / 3)
    spots *= healthy[2] * (1 - shares.sum(axis=0))
    ill = shares.copy()
    touched = np.flatnonzero(shares.any(axis=0))
    if lesion is not None and touched.size:
        coarse, fine = _atlas.textures(plane.anatomy[:, touched], (7, 31, 55))
        mottle = 1 + 0.12 * fine + 0.10 * coarse
        ill[:, touched] *= np.clip(np.float32(lesion.strength) * mottle, 0.3, 1)
    ill[LESION_TISSUES.index("spot")] = spots
    return np.concatenate([healthy * (1 - ill.sum(axis=0)), ill])


def _steps(thickness: float) -> list[np.float32]:
    return [np.float32(step * thickness) for step in (-1 / 3, 0, 1 / 3)]


def _shares(lesion: Lesion, plane: Plane, healthy, steps) -> dict[str, np.ndarray]:
    """The lesion's tissues as shares of each pixel (N,)."""
    if isinstance(lesion, Tumour):  # it lies where it was before it pushed the anatomy
        return _tumour_shares(lesion, plane.points, healthy, steps)
    if isinstance(lesion, Plaques):
        room = np.clip(1.2 * healthy[2] + 0.5 * healthy[1], 0, 1)
        return {"plaque": _plaque_share(lesion, plane.anatomy, steps) * room}
    if isinstance(lesion, Infarct):
        dead = _wedge(lesion, plane.anatomy, steps)
    else:
        dead = _ball(lesion, plane.anatomy, steps)
    return {"infarct grey": dead * healthy[1], "infarct white": dead * healthy[2]}


def _tumour_shares(lesion: Tumour, points, healthy, steps) -> dict[str, np.ndarray]:
    reach = 1 + lesion.oedema / float(lesion.radii.mean())
    near = _near(points, lesion.centre, 1.8 * reach * lesion.radii.max())
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    fluid, grey, white = healthy[:3, near]
    room = np.clip(grey + white + 0.5 * fluid, 0, 1)
    wettable = np.clip(1.5 * white - 0.2, 0, 1)
    shares = np.zeros((3, points.shape[1]), np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        rough = radius * (1 + 0.14 * coarse) + 0.05 * fine
        core = _soft(1 - rough, 0.05) * room
        dead = 0 * core
        if lesion.necrosis:
            dead = _soft(lesion.necrosis - rough * (1 + 0.2 * fine), 0.06) * core
        wet = _soft(1 + (reach - 1) * (1 + 0.5 * coarse) - radius, 0.08) * wettable * (1 - core)
        shares[:, near] += np.stack([core - dead, dead, wet]) / len(steps)
    return dict(zip(("tumour", "necrosis", "oedema"), shares, strict=True))


def _ball(lesion: Lacune, points, steps) -> np.ndarray:
    """The share of a ball in each pixel (N,)."""
    near = _near(points, lesion.centre, 2 * lesion.radii.max())
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    share = np.zeros(points.shape[1], np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        share[near] += _soft(1 - radius * (1 + 0.14 * coarse) - 0.05 * fine, 0.06) / len(steps)
    return share


def _wedge(lesion: Infarct, points, steps) -> np.ndarray:
    """The share of a wedge in each pixel (N,)."""
    near = np.flatnonzero(points[0] * lesion.side > -4)
    x, y, z = points[:, near]
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    right = (x - np.float32(lesion.origin[0])) * lesion.side
    forward = y - np.float32(lesion.origin[1])
    turn = np.arctan2(forward, right) - np.float32(lesion.angle)
    turn = np.abs((turn + np.float32(np.pi)) % np.float32(2 * np.pi) - np.float32(np.pi))
    middle = np.float32(lesion.centre[2])
    high = sum(_soft(lesion.half_height - np.abs(z + step - middle), 2.0) for step in steps)
    wide = _soft(lesion.half_angle * (1 + 0.22 * coarse) + 0.05 * fine - turn, 0.05)
    outward = _soft(np.hypot(right, forward) - lesion.start + 2 * coarse, 1.2)
    share = np.zeros(points.shape[1], np.float32)
    share[near] = high / len(steps) * wide * outward * _soft(x * lesion.side, 1.0)
    return share


def _plaque_share(lesion: Plaques, points, steps) -> np.ndarray:
    """The share of all plaques in each pixel (N,)."""
    share = np.zeros(points.shape[1], np.float32)
    ovoids = zip(lesion.centres, lesion.radii, lesion.along, lesion.stretch, strict=True)
    for centre, radius, along, stretch in ovoids:
        near = _near(points, centre, 2 * radius * stretch)
        if near.size:
            rough = 1 + 0.12 * _atlas.textures(points[:, near], lesion.offset)[1]
            ovoid = np.zeros(near.size, np.float32)
            for step in steps:
                away = points[:, near] - centre[:, None]
                away[2] += step
                distance = _from_axis(away, along, stretch)
                ovoid += _soft(1 - distance / radius * rough, 0.14) / len(steps)
            share[near] = np.maximum(share[near], ovoid)
    return share


def _from_axis(away: np.ndarray, along: np.ndarray, stretch: float) -> np.ndarray:
    """Distances in mm from a centre, of which those along an axis count `stretch` times less."""
    length = along @ away
    squared = (away**2).sum(axis=0) - length**2 + (length / stretch) ** 2
    return np.sqrt(np.maximum(squared, 0))


def _spot_share(spots: np.ndarray, points, steps) -> np.ndarray:
    """The share of all age-related spots in each pixel (N,)."""
    share = np.zeros(points.shape[1], np.float32)
    for *centre, radius in spots:
        near = _near(points, centre, 2.5 * radius)
        if near.size:
            radii = (radius, radius, radius)
            distances = [_radius(points[:, near], centre, radii, step) for step in steps]
            spot = sum(_soft(1 - distance, 0.2) for distance in distances)
            share[near] = np.maximum(share[near], 0.8 * spot / len(steps))
    return share


def _near(points: np.ndarray, centre, reach: float) -> np.ndarray:
    """Indices of the points in a box around a centre; cheap if the slice passes far from it."""
    half_side = np.float32(reach + 2)
    inside = np.flatnonzero(np.abs(points[2] - np.float32(centre[2])) < half_side)
    for axis in (0, 1):
        if inside.size:
            distance = np.abs(points[axis, inside] - np.float32(centre[axis]))
            inside = inside[distance < half_side]
    return inside


def _radius(points: np.ndarray, centre, radii, step: np.float32) -> np.ndarray:
    """Distance from a centre in units of the `radii`, for points lifted by `step` mm."""
    middle = np.array([centre[0], centre[1], centre[2] - step], np.float32)
    scaled = (points - middle[:, None]) / np.array(radii, np.float32)[:, None]
    return np.sqrt((scaled**2).sum(axis=0))


def _soft(value: np.ndarray, softness: float) -> np.ndarray:
    """A soft step from 0 to 1, about 4 * `softness` wide."""
    return 1 / (1 + np.exp(np.clip(value * np.float32(-1 / softness), -30, 30)))
