"""Lesions: a tumour with oedema and mass effect, plaques of multiple sclerosis, a territorial or lacunar stroke.

Sizes, counts and shapes are assumptions that follow the usual textbook descriptions: plaques are ovoid, mostly
periventricular and upright on the ventricle's wall (Dawson's fingers); infarcts fill a wedge of an artery's territory
up to the cortex, or a small ball in the basal ganglia. Points are MNI mm; every function is pure.
"""

from dataclasses import dataclass

import numpy as np

from medlearn.instruments.mri import _atlas


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
    pool = _atlas.atlas().hemisphere
    radius = rng.uniform(6, 17)
    return Tumour(
        centre=pool[rng.integers(len(pool)), :3],
        radii=radius * rng.uniform([0.8, 0.8, 0.9], [1.25, 1.25, 1.3]),
        necrosis=rng.uniform(0.3, 0.75) if rng.random() < 0.5 else 0.0,
        oedema=rng.uniform(2, 13),
        mass=rng.uniform(0.08, 0.32),
        offset=rng.uniform(0, 96, 3),
        strength=rng.uniform(0.6, 1),
    )


def plaques(rng) -> Plaques:
    """A random set of plaques, in about 40 mm of height."""
    known = _atlas.atlas()
    middle = rng.uniform(4, 36)
    count = int(rng.integers(6, 19))
    picks = []
    pools = [known.periventricular] * 3 + [known.deep, known.juxtacortical]
    for kind in rng.choice(5, count):
        pool = pools[kind]
        pool = pool[np.abs(pool[:, 2] - middle) < 20]
        picks.append(pool[rng.integers(len(pool))])
    picks = np.array(picks)
    return Plaques(
        centres=picks[:, :3],
        radii=(1.8 + rng.gamma(5, 0.5, count)).astype(np.float32),
        along=picks[:, 3:],
        stretch=rng.uniform(1.0, 2.2, count).astype(np.float32),
        offset=rng.uniform(0, 96, 3),
        strength=rng.uniform(0.55, 1),
    )


def stroke(rng) -> Infarct | Lacune:
    """A random infarct: middle (half of them), anterior or posterior cerebral artery, or a lacune."""
    kind = rng.choice(["middle", "middle", "middle", "anterior", "posterior", "lacune"])
    offset, strength = rng.uniform(0, 96, 3), rng.uniform(0.6, 1)
    if kind == "lacune":
        pool = _atlas.atlas().basal
        return Lacune(
            pool[rng.integers(len(pool)), :3],
            rng.uniform(4, 8) * rng.uniform([1, 0.8, 1], [1, 1.5, 1.2]),
            offset,
            strength,
        )
    side = int(rng.choice([-1, 1]))
    if kind == "middle":
        origin = side * rng.uniform(18, 30), rng.uniform(-28, 8)
        angle, half = rng.uniform(-50, 45), rng.uniform(11, 36)
    elif kind == "anterior":
        origin = side * 4, rng.uniform(5, 20)
        angle, half = rng.uniform(70, 85), rng.uniform(11, 22)
    else:
        origin = side * 12, -45.0
        angle, half = rng.uniform(-85, -50), rng.uniform(12, 26)
    return Infarct(
        side,
        np.array(origin),
        float(np.deg2rad(angle)),
        float(np.deg2rad(half)),
        start=rng.uniform(0, 14),
        centre=np.array([*origin, rng.uniform(-2, 42)]),
        half_height=rng.uniform(10, 24),
        offset=offset,
        strength=strength,
    )


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
