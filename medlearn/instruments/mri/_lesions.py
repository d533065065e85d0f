"""Lesions: a tumour with oedema, plaques of multiple sclerosis, a territorial or lacunar stroke.

Sizes, counts and shapes are assumptions that follow the usual textbook descriptions: plaques are
ovoid, mostly periventricular and upright on the ventricle's wall (Dawson's fingers); infarcts fill
a wedge of an artery's territory up to the cortex, or a small ball in the basal ganglia. Points are
MNI mm. Every lesion has an `offset` of its texture (3,) and a `strength` from 0 to 1, the share of
the tissue that is ill.
"""

from dataclasses import dataclass, replace

import numpy as np

from medlearn.instruments.mri import _atlas


@dataclass(frozen=True, eq=False)
class Tumour:
    """A ball with a dead core and oedema around it, which pushes the brain aside."""

    centre: np.ndarray
    radii: np.ndarray  # (3,) mm
    necrosis: float  # share of the radius that is dead
    oedema: float  # mm around the ball
    mass: float  # strength of the mass effect
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Plaques:
    """Several ovoid plaques of multiple sclerosis."""

    centres: np.ndarray  # (k, 3)
    radii: np.ndarray  # (k,) mm
    along: np.ndarray  # (k, 3) long axes
    stretch: np.ndarray  # (k,) how many times longer than wide
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Infarct:
    """A wedge of an artery's territory in one half of the brain."""

    side: int  # +1 right, -1 left
    origin: np.ndarray  # (x, y) of the wedge's tip
    angle: float  # radians
    half_angle: float
    start: float  # mm from the origin
    centre: np.ndarray
    half_height: float  # mm
    offset: np.ndarray
    strength: float


@dataclass(frozen=True, eq=False)
class Lacune:
    """A small deep infarct: a ball."""

    centre: np.ndarray
    radii: np.ndarray  # (3,) mm
    offset: np.ndarray
    strength: float


Lesion = Tumour | Plaques | Infarct | Lacune


def draw_tumour(rng: np.random.Generator) -> Tumour:
    """Return a random glioma-like tumour of the hemispheres."""
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


def draw_plaques(rng: np.random.Generator) -> Plaques:
    """Return a random set of plaques, within about 40 mm of height."""
    atlas = _atlas.atlas()
    middle = rng.uniform(4, 36)
    count = int(rng.integers(6, 19))
    pools = [atlas.periventricular] * 3 + [atlas.deep, atlas.juxtacortical]
    rows = []
    for index in rng.choice(5, count):
        pool = pools[index]
        pool = pool[np.abs(pool[:, 2] - middle) < 20]
        rows.append(pool[rng.integers(len(pool))])
    sites = np.array(rows)
    return Plaques(
        centres=sites[:, :3],
        radii=(1.8 + rng.gamma(5, 0.5, count)).astype(np.float32),
        along=sites[:, 3:],
        stretch=rng.uniform(1.0, 2.2, count).astype(np.float32),
        offset=rng.uniform(0, 96, 3),
        strength=rng.uniform(0.55, 1),
    )


def draw_stroke(rng: np.random.Generator) -> Infarct | Lacune:
    """Return a random infarct.

    Half of them are of the middle cerebral artery; the others of the anterior or the posterior
    one, or lacunes.
    """
    artery = rng.choice(["middle", "middle", "middle", "anterior", "posterior", "lacune"])
    offset = rng.uniform(0, 96, 3)
    strength = rng.uniform(0.6, 1)
    if artery == "lacune":
        pool = _atlas.atlas().basal
        centre = pool[rng.integers(len(pool)), :3]
        radii = rng.uniform(4, 8) * rng.uniform([1, 0.8, 1], [1, 1.5, 1.2])
        return Lacune(centre, radii, offset, strength)
    side = int(rng.choice([-1, 1]))
    origin, angle, half_angle = _territory(rng, artery, side)
    return Infarct(
        side=side,
        origin=np.array(origin),
        angle=float(np.deg2rad(angle)),
        half_angle=float(np.deg2rad(half_angle)),
        start=rng.uniform(0, 14),
        centre=np.array([*origin, rng.uniform(-2, 42)]),
        half_height=rng.uniform(10, 24),
        offset=offset,
        strength=strength,
    )


def _territory(
    rng: np.random.Generator, artery: str, side: int
) -> tuple[tuple[float, float], float, float]:
    """Tip (x, y), angle and half angle in degrees of the wedge that an artery feeds."""
    if artery == "middle":
        origin = side * rng.uniform(18, 30), rng.uniform(-28, 8)
        return origin, rng.uniform(-50, 45), rng.uniform(11, 36)
    if artery == "anterior":
        origin = side * 4, rng.uniform(5, 20)
        return origin, rng.uniform(70, 85), rng.uniform(11, 22)
    origin = side * 12, -45.0
    return origin, rng.uniform(-85, -50), rng.uniform(12, 26)


def visible_heights(lesion: Lesion, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return MNI heights in mm at which the lesion is likely to be well visible.

    Parameters
    ----------
    lesion : Lesion
        Of any type.
    count : int
        How many heights.
    rng : numpy.random.Generator
        The subject's.

    Returns
    -------
    numpy.ndarray, shape (count,)
        float64.
    """
    if isinstance(lesion, Plaques):
        ranks = np.linspace(0, len(lesion.centres) - 1, count).astype(int)
        return rng.permutation(np.sort(lesion.centres[:, 2])[ranks]) + rng.normal(0, 1, count)
    reach = lesion.half_height if isinstance(lesion, Infarct) else lesion.radii[2]
    return lesion.centre[2] + 0.7 * reach * rng.uniform(-1, 1, count)


def flattened(lesion: Lesion | None, extent: float) -> Lesion | None:
    """Return a lesion that reaches over fewer heights; in its middle slice it stays as wide.

    Parameters
    ----------
    lesion : Lesion or None
        Of any type.
    extent : float
        Share of its height that is left, above 0 to 1. Of plaques, those near the middle one stay.

    Returns
    -------
    Lesion or None
        None for None.
    """
    if lesion is None or extent == 1:
        return lesion
    if isinstance(lesion, Plaques):
        heights = lesion.centres[:, 2]
        away = np.abs(heights - np.sort(heights)[len(heights) // 2])
        near = away <= extent * away.max()
        return replace(
            lesion,
            centres=lesion.centres[near],
            radii=lesion.radii[near],
            along=lesion.along[near],
            stretch=lesion.stretch[near],
        )
    if isinstance(lesion, Infarct):
        return replace(lesion, half_height=extent * lesion.half_height)
    return replace(lesion, radii=lesion.radii * np.array([1, 1, extent]))


def displaced(lesion: Lesion | None, points: np.ndarray) -> np.ndarray:
    """Return where the anatomy at these points lay before the lesion pushed it aside.

    Parameters
    ----------
    lesion : Lesion or None
        Only a tumour displaces; then the points come back as they are.
    points : numpy.ndarray, shape (3, N)
        MNI mm.

    Returns
    -------
    numpy.ndarray, shape (3, N)
        MNI mm.
    """
    if not isinstance(lesion, Tumour):
        return points
    away = points - lesion.centre[:, None].astype(np.float32)
    width = np.float32(2 * (1.9 * lesion.radii.mean()) ** 2)
    return points - away * (np.float32(lesion.mass) * np.exp(-(away**2).sum(axis=0) / width))
