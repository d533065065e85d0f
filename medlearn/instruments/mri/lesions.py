"""Lesions: a tumour with oedema and mass effect, plaques of multiple sclerosis, a territorial or lacunar stroke.

Sizes, counts and shapes are assumptions that follow the usual textbook descriptions: plaques are ovoid, mostly
periventricular and upright on the ventricle's wall (Dawson's fingers); infarcts fill a wedge of an artery's territory
up to the cortex, or a small ball in the basal ganglia. Points are MNI mm; every function is pure.
"""

from dataclasses import dataclass

import numpy as np

from . import atlas
from .physics import LESION_TISSUES


@dataclass(frozen=True, eq=False)
class Tumour:
    """A ball of `radii` mm with a share `necrosis` of its radius dead, `oedema` mm of it around, pushing by `mass`."""

    centre: np.ndarray
    radii: np.ndarray
    necrosis: float
    oedema: float
    mass: float
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Plaques:
    """`centres` (k, 3), `radii` (k,) mm, long axes `along` (k, 3), `stretch` (k,) times longer than wide."""

    centres: np.ndarray
    radii: np.ndarray
    along: np.ndarray
    stretch: np.ndarray
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Infarct:
    """A wedge in the half of the brain `side` (+1 right), from `origin` (x, y) along `angle`, between two heights."""

    side: int
    origin: np.ndarray
    angle: float
    half_angle: float
    start: float
    centre: np.ndarray
    half_height: float
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Lacune:
    """A small deep infarct: a ball of `radii` mm."""

    centre: np.ndarray
    radii: np.ndarray
    offset: np.ndarray
    strength: float


Lesion = Tumour | Plaques | Infarct | Lacune


def tumour(rng) -> Tumour:
    """A random glioma-like tumour of the hemispheres."""
    pool = atlas.atlas().hemisphere
    radius = rng.uniform(6, 17)
    return Tumour(centre=pool[rng.integers(len(pool)), :3], radii=radius * rng.uniform([0.8, 0.8, 0.9], [1.25, 1.25, 1.3]),
                  necrosis=rng.uniform(0.3, 0.75) if rng.random() < 0.5 else 0.0, oedema=rng.uniform(2, 13),
                  mass=rng.uniform(0.08, 0.32), offset=rng.uniform(0, 96, 3), strength=rng.uniform(0.6, 1))


def plaques(rng) -> Plaques:
    """A random set of plaques, in about 40 mm of height."""
    known = atlas.atlas()
    middle = rng.uniform(4, 36)
    count = int(rng.integers(6, 19))
    picks = []
    for kind in rng.choice(5, count):
        pool = (known.periventricular, known.periventricular, known.periventricular, known.deep, known.juxtacortical)[kind]
        pool = pool[np.abs(pool[:, 2] - middle) < 20]
        picks.append(pool[rng.integers(len(pool))])
    picks = np.array(picks)
    return Plaques(centres=picks[:, :3], radii=(1.8 + rng.gamma(5, 0.5, count)).astype(np.float32), along=picks[:, 3:],
                   stretch=rng.uniform(1.0, 2.2, count).astype(np.float32), offset=rng.uniform(0, 96, 3), strength=rng.uniform(0.55, 1))


def stroke(rng) -> Infarct | Lacune:
    """A random infarct: middle (half of them), anterior or posterior cerebral artery, or a lacune."""
    kind = rng.choice(["middle", "middle", "middle", "anterior", "posterior", "lacune"])
    offset, strength = rng.uniform(0, 96, 3), rng.uniform(0.6, 1)
    if kind == "lacune":
        pool = atlas.atlas().basal
        return Lacune(pool[rng.integers(len(pool)), :3], rng.uniform(4, 8) * rng.uniform([1, 0.8, 1], [1, 1.5, 1.2]),
                      offset, strength)
    side = int(rng.choice([-1, 1]))
    if kind == "middle":
        origin, angle, half = (side * rng.uniform(18, 30), rng.uniform(-28, 8)), rng.uniform(-50, 45), rng.uniform(11, 36)
    elif kind == "anterior":
        origin, angle, half = (side * 4, rng.uniform(5, 20)), rng.uniform(70, 85), rng.uniform(11, 22)
    else:
        origin, angle, half = (side * 12, -45.0), rng.uniform(-85, -50), rng.uniform(12, 26)
    return Infarct(side, np.array(origin), float(np.deg2rad(angle)), float(np.deg2rad(half)), start=rng.uniform(0, 14),
                   centre=np.array([*origin, rng.uniform(-2, 42)]), half_height=rng.uniform(10, 24), offset=offset,
                   strength=strength)


def heights(lesion: Lesion, count: int, rng) -> np.ndarray:
    """MNI heights in mm at which the lesion is likely to be well visible: float64 (count,)."""
    if isinstance(lesion, Plaques):
        ranks = np.linspace(0, len(lesion.centres) - 1, count).astype(int)
        return rng.permutation(np.sort(lesion.centres[:, 2])[ranks]) + rng.normal(0, 1, count)
    reach = lesion.half_height if isinstance(lesion, Infarct) else lesion.radii[2]
    return lesion.centre[2] + 0.7 * reach * rng.uniform(-1, 1, count)


def push(lesion: Lesion | None):
    """The mass effect as a function of points (3, N), or None: only a tumour displaces."""
    if not isinstance(lesion, Tumour):
        return None
    centre = lesion.centre[:, None].astype(np.float32)
    width = np.float32(2 * (1.9 * lesion.radii.mean()) ** 2)

    def displaced(points):
        away = points - centre
        return points - away * (np.float32(lesion.mass) * np.exp(-(away**2).sum(axis=0) / width))
    return displaced


def share(maps: np.ndarray, lesion: Lesion | None, place, thickness: float) -> np.ndarray:
    """The lesion's tissues as shares of each pixel of a slab: float32 (lesion tissues, N), in all at most 1.

    `maps` are the healthy fractions (tissues or more, N): fluid, grey, white first. The slab is averaged over three planes.
    """
    own = np.zeros((len(LESION_TISSUES), maps.shape[1]), np.float32)
    if lesion is not None:
        for name, part in _shares(lesion, place, maps, _steps(thickness)).items():
            own[LESION_TISSUES.index(name)] = part
        own /= np.maximum(own.sum(axis=0), 1)
    return own


def add(maps: np.ndarray, own: np.ndarray, lesion: Lesion | None, subject, place, thickness: float) -> np.ndarray:
    """Put a lesion's shares `own` and the age-related spots into healthy tissue fractions: float32 (tissues, N).

    `strength` below 1 and a mottled texture leave some healthy tissue inside a lesion.
    """
    spots = _spot_share(subject.spots, place.anatomy, _steps(thickness))
    spots += np.float32(subject.caps) * np.exp(-place.ventricle / 3)
    extra = own.copy()
    spots *= maps[2] * (1 - own.sum(axis=0))
    sick = np.flatnonzero(own.any(axis=0))
    if sick.size:
        coarse, fine = atlas.textures(place.anatomy[:, sick], (7, 31, 55))
        extra[:, sick] *= np.clip(np.float32(lesion.strength) * (1 + 0.12 * fine + 0.10 * coarse), 0.3, 1)
    extra[LESION_TISSUES.index("spot")] = spots
    return np.concatenate([maps * (1 - extra.sum(axis=0)), extra])


def _steps(thickness) -> list[np.float32]:
    return [np.float32(step * thickness) for step in (-1 / 3, 0, 1 / 3)]


def _shares(lesion, place, maps, steps) -> dict[str, np.ndarray]:
    """The lesion's tissues as shares of each pixel (N,)."""
    if isinstance(lesion, Tumour):
        return _tumour_shares(lesion, place.points, maps, steps)      # it pushes the anatomy, so it sits before the push
    if isinstance(lesion, Plaques):
        return {"plaque": _plaque_share(lesion, place.anatomy, steps) * np.clip(1.2 * maps[2] + 0.5 * maps[1], 0, 1)}
    dead = (_wedge if isinstance(lesion, Infarct) else _ball)(lesion, place.anatomy, steps)
    return {"infarct grey": dead * maps[1], "infarct white": dead * maps[2]}


def _tumour_shares(lesion, points, maps, steps) -> dict[str, np.ndarray]:
    reach = 1 + lesion.oedema / float(lesion.radii.mean())
    near = _near(points, lesion.centre, 1.8 * reach * lesion.radii.max())
    coarse, fine = atlas.textures(points[:, near], lesion.offset)
    fluid, grey, white = maps[:3, near]
    room, wettable = np.clip(grey + white + 0.5 * fluid, 0, 1), np.clip(1.5 * white - 0.2, 0, 1)
    shares = np.zeros((3, points.shape[1]), np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        rough = radius * (1 + 0.14 * coarse) + 0.05 * fine
        core = _soft(1 - rough, 0.05) * room
        dead = _soft(lesion.necrosis - rough * (1 + 0.2 * fine), 0.06) * core if lesion.necrosis else 0 * core
        wet = _soft(1 + (reach - 1) * (1 + 0.5 * coarse) - radius, 0.08) * wettable * (1 - core)
        shares[:, near] += np.stack([core - dead, dead, wet]) / len(steps)
    return dict(zip(("tumour", "necrosis", "oedema"), shares))


def _ball(lesion, points, steps) -> np.ndarray:
    near = _near(points, lesion.centre, 2 * lesion.radii.max())
    coarse, fine = atlas.textures(points[:, near], lesion.offset)
    share = np.zeros(points.shape[1], np.float32)
    for step in steps:
        radius = _radius(points[:, near], lesion.centre, lesion.radii, step)
        share[near] += _soft(1 - radius * (1 + 0.14 * coarse) - 0.05 * fine, 0.06) / len(steps)
    return share


def _wedge(lesion, points, steps) -> np.ndarray:
    near = np.flatnonzero(points[0] * lesion.side > -4)
    x, y, z = points[:, near]
    coarse, fine = atlas.textures(points[:, near], lesion.offset)
    right, forward = (x - np.float32(lesion.origin[0])) * lesion.side, y - np.float32(lesion.origin[1])
    turn = np.arctan2(forward, right) - np.float32(lesion.angle)
    turn = np.abs((turn + np.float32(np.pi)) % np.float32(2 * np.pi) - np.float32(np.pi))
    above = np.float32(lesion.centre[2])
    high = sum(_soft(lesion.half_height - np.abs(z + step - above), 2.0) for step in steps) / len(steps)
    share = np.zeros(points.shape[1], np.float32)
    share[near] = high * (_soft(lesion.half_angle * (1 + 0.22 * coarse) + 0.05 * fine - turn, 0.05)
                          * _soft(np.hypot(right, forward) - lesion.start + 2 * coarse, 1.2) * _soft(x * lesion.side, 1.0))
    return share


def _plaque_share(lesion, points, steps) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    for centre, radius, along, stretch in zip(lesion.centres, lesion.radii, lesion.along, lesion.stretch):
        near = _near(points, centre, 2 * radius * stretch)
        if near.size:
            rough = 1 + 0.12 * atlas.textures(points[:, near], lesion.offset)[1]
            one = 0
            for step in steps:
                away = points[:, near] - centre[:, None]
                away[2] += step
                length = along @ away
                squared = (away**2).sum(axis=0) - length**2 + (length / stretch) ** 2
                one += _soft(1 - np.sqrt(np.maximum(squared, 0)) / radius * rough, 0.14) / len(steps)
            share[near] = np.maximum(share[near], one)
    return share


def _spot_share(spots, points, steps) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    for *centre, radius in spots:
        near = _near(points, centre, 2.5 * radius)
        if near.size:
            one = sum(_soft(1 - _radius(points[:, near], centre, (radius,) * 3, step), 0.2) for step in steps)
            share[near] = np.maximum(share[near], 0.8 * one / len(steps))
    return share


def _near(points, centre, reach) -> np.ndarray:
    """Indices of the points in a box around a centre; cheap when the slice passes far from it."""
    reach = np.float32(reach + 2)
    inside = np.flatnonzero(np.abs(points[2] - np.float32(centre[2])) < reach)
    for axis in (0, 1):
        inside = inside[np.abs(points[axis, inside] - np.float32(centre[axis])) < reach] if inside.size else inside
    return inside


def _radius(points, centre, radii, step) -> np.ndarray:
    """Distance from a centre in units of the `radii`, for points lifted by `step` mm."""
    middle = np.array([centre[0], centre[1], centre[2] - step], np.float32)
    scaled = (points - middle[:, None]) / np.array(radii, np.float32)[:, None]
    return np.sqrt((scaled**2).sum(axis=0))


def _soft(value, softness) -> np.ndarray:
    """A soft step from 0 to 1, about 4 * `softness` wide."""
    return 1 / (1 + np.exp(np.clip(value * np.float32(-1 / softness), -30, 30)))
