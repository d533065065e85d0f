"""Lesions painted into the tissue fractions of a slice: soft-edged, mottled, bounded by the tissue they grow in.

Edge softness, roughness and mottle are assumptions, chosen by eye.
"""

import numpy as np

from medlearn.instruments.mri import _atlas
from medlearn.instruments.mri._lesions import Infarct, Plaques, Tumour
from medlearn.instruments.mri.physics import LESION_TISSUES


def share(maps: np.ndarray, lesion, place, thickness: float) -> np.ndarray:
    """The lesion's tissues as shares of each pixel of a slab: float32 (lesion tissues, N), in all at most 1.

    `maps` are the healthy fractions, fluid, grey and white first. The slab is averaged over three planes.
    """
    own = np.zeros((len(LESION_TISSUES), maps.shape[1]), np.float32)
    if lesion is not None:
        for name, part in _shares(lesion, place, maps, _steps(thickness)).items():
            own[LESION_TISSUES.index(name)] = part
        own /= np.maximum(own.sum(axis=0), 1)
    return own


def add(maps: np.ndarray, own: np.ndarray, lesion, subject, place, thickness: float) -> np.ndarray:
    """Put a lesion's shares `own` and the age-related spots into healthy tissue fractions: float32 (tissues, N).

    `strength` below 1 and a mottled texture leave some healthy tissue inside a lesion.
    """
    spots = _spot_share(subject.spots, place.anatomy, _steps(thickness))
    spots += np.float32(subject.caps) * np.exp(-place.ventricle / 3)
    extra = own.copy()
    spots *= maps[2] * (1 - own.sum(axis=0))
    sick = np.flatnonzero(own.any(axis=0))
    if sick.size:
        coarse, fine = _atlas.textures(place.anatomy[:, sick], (7, 31, 55))
        extra[:, sick] *= np.clip(
            np.float32(lesion.strength) * (1 + 0.12 * fine + 0.10 * coarse), 0.3, 1
        )
    extra[LESION_TISSUES.index("spot")] = spots
    return np.concatenate([maps * (1 - extra.sum(axis=0)), extra])


def _steps(thickness) -> list[np.float32]:
    return [np.float32(step * thickness) for step in (-1 / 3, 0, 1 / 3)]


def _shares(lesion, place, maps, steps) -> dict[str, np.ndarray]:
    """The lesion's tissues as shares of each pixel (N,)."""
    if isinstance(lesion, Tumour):
        return _tumour_shares(
            lesion, place.points, maps, steps
        )  # where it was before it pushed the anatomy
    if isinstance(lesion, Plaques):
        room = np.clip(1.2 * maps[2] + 0.5 * maps[1], 0, 1)
        return {"plaque": _plaque_share(lesion, place.anatomy, steps) * room}
    dead = (_wedge if isinstance(lesion, Infarct) else _ball)(lesion, place.anatomy, steps)
    return {"infarct grey": dead * maps[1], "infarct white": dead * maps[2]}


def _tumour_shares(lesion, points, maps, steps) -> dict[str, np.ndarray]:
    reach = 1 + lesion.oedema / float(lesion.radii.mean())
    near = _near(points, lesion.centre, 1.8 * reach * lesion.radii.max())
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    fluid, grey, white = maps[:3, near]
    room, wettable = np.clip(grey + white + 0.5 * fluid, 0, 1), np.clip(1.5 * white - 0.2, 0, 1)
    shares = np.zeros((3, points.shape[1]), np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        rough = radius * (1 + 0.14 * coarse) + 0.05 * fine
        core = _soft(1 - rough, 0.05) * room
        dead = (
            _soft(lesion.necrosis - rough * (1 + 0.2 * fine), 0.06) * core
            if lesion.necrosis
            else 0 * core
        )
        wet = _soft(1 + (reach - 1) * (1 + 0.5 * coarse) - radius, 0.08) * wettable * (1 - core)
        shares[:, near] += np.stack([core - dead, dead, wet]) / len(steps)
    return dict(zip(("tumour", "necrosis", "oedema"), shares))


def _ball(lesion, points, steps) -> np.ndarray:
    near = _near(points, lesion.centre, 2 * lesion.radii.max())
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    share = np.zeros(points.shape[1], np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        share[near] += _soft(1 - radius * (1 + 0.14 * coarse) - 0.05 * fine, 0.06) / len(steps)
    return share


def _wedge(lesion, points, steps) -> np.ndarray:
    near = np.flatnonzero(points[0] * lesion.side > -4)
    x, y, z = points[:, near]
    coarse, fine = _atlas.textures(points[:, near], lesion.offset)
    right, forward = (
        (x - np.float32(lesion.origin[0])) * lesion.side,
        y - np.float32(lesion.origin[1]),
    )
    turn = np.arctan2(forward, right) - np.float32(lesion.angle)
    turn = np.abs((turn + np.float32(np.pi)) % np.float32(2 * np.pi) - np.float32(np.pi))
    above = np.float32(lesion.centre[2])
    high = sum(_soft(lesion.half_height - np.abs(z + step - above), 2.0) for step in steps) / len(
        steps
    )
    share = np.zeros(points.shape[1], np.float32)
    wide = _soft(lesion.half_angle * (1 + 0.22 * coarse) + 0.05 * fine - turn, 0.05)
    outward = _soft(np.hypot(right, forward) - lesion.start + 2 * coarse, 1.2)
    share[near] = high * wide * outward * _soft(x * lesion.side, 1.0)
    return share


def _plaque_share(lesion, points, steps) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    for centre, radius, along, stretch in zip(
        lesion.centres, lesion.radii, lesion.along, lesion.stretch
    ):
        near = _near(points, centre, 2 * radius * stretch)
        if near.size:
            rough = 1 + 0.12 * _atlas.textures(points[:, near], lesion.offset)[1]
            one = 0
            for step in steps:
                away = points[:, near] - centre[:, None]
                away[2] += step
                length = along @ away
                squared = (away**2).sum(axis=0) - length**2 + (length / stretch) ** 2
                one += _soft(1 - np.sqrt(np.maximum(squared, 0)) / radius * rough, 0.14) / len(
                    steps
                )
            share[near] = np.maximum(share[near], one)
    return share


def _spot_share(spots, points, steps) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    for *centre, radius in spots:
        near = _near(points, centre, 2.5 * radius)
        if near.size:
            one = sum(
                _soft(1 - _radius(points[:, near], centre, (radius,) * 3, step), 0.2)
                for step in steps
            )
            share[near] = np.maximum(share[near], 0.8 * one / len(steps))
    return share


def _near(points, centre, reach) -> np.ndarray:
    """Indices of the points in a box around a centre; cheap when the slice passes far from it."""
    reach = np.float32(reach + 2)
    inside = np.flatnonzero(np.abs(points[2] - np.float32(centre[2])) < reach)
    for axis in (0, 1):
        inside = (
            inside[np.abs(points[axis, inside] - np.float32(centre[axis])) < reach]
            if inside.size
            else inside
        )
    return inside


def _radius(points, centre, radii, step) -> np.ndarray:
    """Distance from a centre in units of the `radii`, for points lifted by `step` mm."""
    middle = np.array([centre[0], centre[1], centre[2] - step], np.float32)
    scaled = (points - middle[:, None]) / np.array(radii, np.float32)[:, None]
    return np.sqrt((scaled**2).sum(axis=0))


def _soft(value, softness) -> np.ndarray:
    """A soft step from 0 to 1, about 4 * `softness` wide."""
    return 1 / (1 + np.exp(np.clip(value * np.float32(-1 / softness), -30, 30)))
