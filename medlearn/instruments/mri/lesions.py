"""Lesions: a tumour with oedema and mass effect, plaques of multiple sclerosis, a territorial or lacunar stroke.

Sizes, counts and shapes are assumptions that follow the usual textbook descriptions: plaques are ovoid, mostly
periventricular and upright on the ventricle's wall (Dawson's fingers); infarcts fill a wedge of an artery's territory
up to the cortex, or a small ball in the basal ganglia. Points are MNI mm; every function is pure.
"""

from dataclasses import dataclass

import numpy as np

from . import atlas
from .physics import INDEX, TISSUES

_LESION_ROWS = [INDEX[name] for name in ("tumour", "necrosis", "oedema", "plaque", "infarct grey", "infarct white")]


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
    return Plaques(centres=picks[:, :3], radii=1.8 + rng.gamma(5, 0.5, count), along=picks[:, 3:],
                   stretch=rng.uniform(1.0, 2.2, count), offset=rng.uniform(0, 96, 3), strength=rng.uniform(0.55, 1))


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
    return Infarct(side, np.array(origin), np.deg2rad(angle), np.deg2rad(half), start=rng.uniform(0, 14),
                   centre=np.array([*origin, rng.uniform(-2, 42)]), half_height=rng.uniform(10, 24), offset=offset,
                   strength=strength)


def heights(lesion: Lesion, count: int, rng) -> np.ndarray:
    """MNI heights in mm at which the lesion is likely to be well visible: float64 (count,)."""
    if isinstance(lesion, Plaques):
        return lesion.centres[rng.integers(len(lesion.centres), size=count), 2] + rng.normal(0, 1, count)
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


def add(maps: np.ndarray, lesion: Lesion | None, subject, place, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """Put a lesion and the age-related spots into healthy tissue fractions.

    Returns the new fractions (tissues, N) and the lesion's own share of each pixel (N,), spots not counted. The slab is
    averaged over three planes. `strength` below 1 and a mottled texture leave some healthy tissue inside.
    """
    brain = maps[1] + maps[2]
    extra = np.zeros_like(maps)
    for step in (-thickness / 3, 0, thickness / 3):
        points, anatomy = _lifted(place.points, step), _lifted(place.anatomy, step)
        if isinstance(lesion, Plaques):
            extra[INDEX["plaque"]] += _plaque_share(lesion, anatomy) * np.clip(1.2 * maps[2] + 0.5 * maps[1], 0, 1)
        elif isinstance(lesion, Tumour):
            for name, share in _tumour_shares(lesion, points, maps).items():
                extra[INDEX[name]] += share
        elif lesion is not None:
            shape = _wedge if isinstance(lesion, Infarct) else _ball
            dead = shape(lesion, anatomy)
            extra[INDEX["infarct grey"]] += dead * maps[1]
            extra[INDEX["infarct white"]] += dead * maps[2]
        extra[INDEX["spot"]] += _spot_share(subject.spots, anatomy) * maps[2]
    extra /= 3
    extra[INDEX["spot"]] += np.float32(subject.caps) * np.exp(-place.ventricle / 3) * maps[2]
    extra[INDEX["spot"]] *= 1 - np.clip(extra[_LESION_ROWS].sum(axis=0), 0, 1)
    extra /= np.maximum(extra.sum(axis=0), 1)
    share = extra[_LESION_ROWS].sum(axis=0)
    if lesion is not None:
        mottle = 1 + 0.12 * atlas.texture("fine", *place.anatomy, (7, 31, 55)) \
            + 0.10 * atlas.texture("coarse", *place.anatomy, (3, 5, 9))
        extra[_LESION_ROWS] *= np.clip(np.float32(lesion.strength) * mottle, 0.3, 1)
    return maps * (1 - extra.sum(axis=0)) + extra, np.where(brain + maps[0] > 0, share, 0)


def _lifted(points, step) -> np.ndarray:
    return points + np.array([0, 0, step], np.float32)[:, None]


def _tumour_shares(lesion, points, maps) -> dict[str, np.ndarray]:
    radius = _radius(points, lesion.centre, lesion.radii)
    shares = {name: np.zeros(radius.shape, np.float32) for name in ("tumour", "necrosis", "oedema")}
    reach = 1 + lesion.oedema / lesion.radii.mean()
    near = np.flatnonzero(radius < 2.5 * reach)
    radius, local, points = radius[near], maps[:, near], points[:, near]
    coarse = atlas.texture("coarse", *points, lesion.offset)
    fine = atlas.texture("fine", *points, lesion.offset)
    rough = radius * (1 + 0.14 * coarse) + 0.05 * fine
    core = _step(1 - rough, 0.05) * np.clip(local[1] + local[2] + 0.5 * local[0], 0, 1)
    dead = _step(lesion.necrosis - rough * (1 + 0.2 * fine), 0.06) * core if lesion.necrosis else 0 * core
    wet = _step(1 + (reach - 1) * (1 + 0.5 * coarse) - radius, 0.08) * np.clip(1.5 * local[2] - 0.2, 0, 1)
    shares["tumour"][near], shares["necrosis"][near], shares["oedema"][near] = core - dead, dead, wet * (1 - core)
    return shares


def _ball(lesion, points) -> np.ndarray:
    radius = _radius(points, lesion.centre, lesion.radii)
    rough = radius * (1 + 0.14 * atlas.texture("coarse", *points, lesion.offset))
    return _step(1 - rough - 0.05 * atlas.texture("fine", *points, lesion.offset), 0.06)


def _wedge(lesion, points) -> np.ndarray:
    x, y, z = points
    coarse = atlas.texture("coarse", *points, lesion.offset)
    fine = atlas.texture("fine", *points, lesion.offset)
    right, forward = (x - np.float32(lesion.origin[0])) * lesion.side, y - np.float32(lesion.origin[1])
    turn = np.arctan2(forward, right) - np.float32(lesion.angle)
    turn = np.abs((turn + np.float32(np.pi)) % np.float32(2 * np.pi) - np.float32(np.pi))
    return (_step(lesion.half_angle * (1 + 0.22 * coarse) + 0.05 * fine - turn, 0.05)
            * _step(np.hypot(right, forward) - lesion.start + 2 * coarse, 1.2)
            * _step(lesion.half_height - np.abs(z - np.float32(lesion.centre[2])), 2.0)
            * _step(x * lesion.side, 1.0))


def _plaque_share(lesion, points) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    fine = None
    for centre, radius, along, stretch in zip(lesion.centres, lesion.radii, lesion.along, lesion.stretch):
        near = _near(points, centre, 2 * radius * stretch)
        if near.size:
            fine = atlas.texture("fine", *points, lesion.offset) if fine is None else fine
            away = points[:, near] - centre[:, None]
            length = along @ away
            squared = (away**2).sum(axis=0) - length**2 + (length / np.float32(stretch)) ** 2
            rough = np.sqrt(np.maximum(squared, 0)) / np.float32(radius) * (1 + 0.12 * fine[near])
            share[near] = np.maximum(share[near], _step(1 - rough, 0.14))
    return share


def _spot_share(spots, points) -> np.ndarray:
    share = np.zeros(points.shape[1], np.float32)
    for *centre, radius in spots:
        near = _near(points, centre, 2.5 * radius)
        if near.size:
            away = np.sqrt(((points[:, near] - np.array(centre)[:, None]) ** 2).sum(axis=0)) / radius
            share[near] = np.maximum(share[near], 0.8 * _step(1 - away, 0.2))
    return share


def _near(points, centre, reach) -> np.ndarray:
    """Indices of the points in a box around a centre; cheap for a centre far from the slice."""
    in_height = np.flatnonzero(np.abs(points[2] - centre[2]) < reach)
    if not in_height.size:
        return in_height
    beside = np.abs(points[0, in_height] - centre[0]) < reach
    beside &= np.abs(points[1, in_height] - centre[1]) < reach
    return in_height[beside]


def _radius(points, centre, radii) -> np.ndarray:
    scaled = (points - np.asarray(centre, np.float32)[:, None]) / np.asarray(radii, np.float32)[:, None]
    return np.sqrt((scaled**2).sum(axis=0))


def _step(value, softness) -> np.ndarray:
    """A soft step from 0 to 1, 4 * `softness` wide."""
    return 1 / (1 + np.exp(np.clip(-np.asarray(value, np.float32) / np.float32(softness), -30, 30)))
