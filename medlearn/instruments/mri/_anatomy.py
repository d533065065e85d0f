"""One subject's head: a random deformation of the atlas, an age, and the tissue fractions of any slice.

The ranges are assumptions chosen to look like a varied clinic; ageing widens ventricles and sulci and adds white-matter
spots, as described for instance by Fazekas et al. 1987 (AJR 149:351). Millimetres, MNI axes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medlearn.instruments.mri import _atlas
from medlearn.instruments.mri.physics import HEALTHY_TISSUES, TISSUES

FIELD_OF_VIEW = 220.0  # mm, square
CENTRE = (0.0, -18.0)  # MNI x and y at the middle of the image
AGES = (20.0, 85.0)  # years, uniform
# Outer edges in mm of inner table, diploe and outer table: about 6 in all (MR of 220 adults, Int J Morphol 2013,
# 31:38); how they share it is an assumption.
_SKULL = (1.6, 4.4, 6.0)
_FAT, _SKIN = 3.5, 1.8  # mm: assumption
_COARSE, _FINE = 4, 12  # B-spline cells across the field of view


@dataclass(frozen=True, eq=False)
class Head:
    """What makes a subject's head differ from the atlas; the same for every slice, lesion and site.

    `age` in years, `ageing` from 0 to 1; `scale` of x, y, z; `tilt`, `roll`, `turn` in radians; `shift` in mm;
    `coarse` (6, 7, 7) and `fine` (3, 15, 15) B-spline coefficients; `ventricles`: relative widening; `rim`: fluid
    around the brain in mm; `skull`, `scalp`: relative thickness; `spots` (k, 4): x, y, z and radius in mm; `caps`:
    strength of the bright rim around ageing ventricles; `biology` (tissues, 3): own factors on T1, T2 and PD.
    """

    age: float
    ageing: float
    scale: np.ndarray
    tilt: float
    roll: float
    turn: float
    shift: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    ventricles: float
    rim: float
    skull: float
    scalp: float
    spots: np.ndarray
    caps: float
    biology: np.ndarray


def head(rng: np.random.Generator) -> Head:
    """A random head."""
    ageing = rng.uniform()
    return Head(
        age=AGES[0] + (AGES[1] - AGES[0]) * ageing,
        ageing=ageing,
        scale=np.clip(
            rng.normal(0.92, 0.025, 3), 0.85, 0.97
        ),  # MNI brains are large; by how much: assumption
        tilt=np.deg2rad(rng.normal(0, 5)),
        roll=np.deg2rad(rng.normal(0, 2.5)),
        turn=np.deg2rad(rng.normal(0, 4)),
        shift=np.clip(rng.normal(0, 2, 2), -4, 4),
        coarse=rng.standard_normal((6, _COARSE + 3, _COARSE + 3)).astype(np.float32),
        fine=rng.standard_normal((3, _FINE + 3, _FINE + 3)).astype(np.float32),
        ventricles=float(np.clip(rng.normal(0.05 + 0.30 * ageing, 0.10), -0.1, 0.5)),
        rim=0.8 + 1.8 * ageing * rng.uniform(0.4, 1) + rng.uniform(0, 0.8),
        skull=rng.uniform(0.85, 1.2),
        scalp=rng.uniform(0.7, 1.3),
        spots=_spots(rng, ageing),
        caps=0.5 * ageing * rng.uniform(),
        biology=1 + rng.standard_normal((len(TISSUES), 3)) * [0.025, 0.025, 0.01],
    )


def _spots(rng, ageing) -> np.ndarray:
    """Age-related white-matter spots, mostly deep; the same in every class, so that they are no shortcut."""
    count = rng.poisson(8 * ageing**2)
    deep, near = _atlas.atlas().deep, _atlas.atlas().periventricular
    pools = [deep if rng.random() < 0.6 else near for _ in range(count)]
    picks = [pool[rng.integers(len(pool)), :3] for pool in pools]
    radii = rng.uniform(1.0, 2.4, count)
    return np.column_stack([np.reshape(picks, (-1, 3)), radii]).astype(np.float32)


@lru_cache(maxsize=16)
def _splines(size: int, cells: int) -> np.ndarray:
    """Cubic B-spline basis over the field of view: float32 (size, cells + 3), scaled to fields of unit variance."""
    position = (np.arange(size) + 0.5) * cells / size
    first, t = position.astype(int), position % 1
    basis = np.zeros((size, cells + 3), np.float32)
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    for step, weight in enumerate(weights):
        basis[np.arange(size), first + step] = weight
    return basis * np.float32(1 / np.sqrt((basis**2).sum(axis=1).mean()))


def smooth_fields(coefficients: np.ndarray, size: int) -> np.ndarray:
    """Smooth random fields from B-spline coefficients (k, cells + 3, cells + 3): float32 (k, size, size)."""
    basis = _splines(size, coefficients.shape[-1] - 3)
    return basis @ coefficients @ basis.T


@dataclass(frozen=True, eq=False)
class Plane:
    """The pixels of one slice that lie in the head, and where they lie in the atlas.

    `pixels` int (N,): flat image indices. `points` (3, N): MNI mm before, `anatomy` (3, N): after widening of the
    ventricles. `rim`, `skull`, `scalp` (N,): local thickness in mm or relative. `outside`, `ventricle` (N,): mm.
    """

    size: int
    pixels: np.ndarray
    points: np.ndarray
    anatomy: np.ndarray
    rim: np.ndarray
    skull: np.ndarray
    scalp: np.ndarray
    outside: np.ndarray
    ventricle: np.ndarray


def plane(subject: Head, height: float, size: int, push=None) -> Plane:
    """The axial slice of a head at an MNI height in mm, radiological: the subject's right is the image's left.

    `push(points)` returns displaced points: the mass effect of a lesion, if there is one.
    """
    step = FIELD_OF_VIEW / size
    across = ((np.arange(size) - (size - 1) / 2) * step).astype(np.float32)
    right, forward = -across[None, :], -across[:, None]
    bend_x, bend_y, bend_z, rim, skull, scalp = smooth_fields(subject.coarse, size)
    fine_x, fine_y, fine_z = smooth_fields(subject.fine, size)
    cos, sin = np.float32(np.cos(subject.turn)), np.float32(np.sin(subject.turn))
    scale_x, scale_y, scale_z = (np.float32(value) for value in subject.scale)
    shift_x, shift_y = (np.float32(value) for value in subject.shift)
    x = (cos * right - sin * forward + shift_x) / scale_x + CENTRE[0] + 2.4 * bend_x + 0.9 * fine_x
    y = (sin * right + cos * forward + shift_y) / scale_y + CENTRE[1] + 2.4 * bend_y + 0.9 * fine_y
    z = (
        (
            np.float32(height)
            + x * np.float32(np.sin(subject.roll))
            + (y - CENTRE[1]) * np.float32(np.sin(subject.tilt))
        )
        / scale_z
        * np.float32(0.93)
        + 2.0 * bend_z
        + 0.8 * fine_z
    )

    near = np.flatnonzero(((x - CENTRE[0]) / 95) ** 2 + ((y - CENTRE[1]) / 116) ** 2 < 1)
    points = np.stack([field.ravel()[near] for field in (x, y, z)])
    anatomy = _widen(points if push is None else push(points), subject.ventricles)
    outside, ventricle = _atlas.distances(*anatomy)
    rim = np.float32(subject.rim) * (1 + 0.25 * rim.ravel()[near])
    skull = np.float32(subject.skull) * (1 + 0.12 * skull.ravel()[near])
    scalp = np.float32(subject.scalp) * np.clip(1 + 0.25 * scalp.ravel()[near], 0.5, None)
    kept = (
        outside < rim + _SKULL[-1] * skull + _FAT * scalp + _SKIN + 1.5
    )  # further out there is only air
    return Plane(
        size,
        near[kept],
        points[:, kept],
        anatomy[:, kept],
        rim[kept],
        skull[kept],
        scalp[kept],
        outside[kept],
        ventricle[kept],
    )


def _widen(points, amount) -> np.ndarray:
    """Look up nearer to the lateral ventricles, so that they appear wider: float32 (3, N)."""
    x, y, z = points
    dx, dy = x, y + 12  # their middle, MNI
    weight = np.float32(amount) * np.exp(-((dx / 34) ** 2) - (dy / 48) ** 2)
    return np.stack([x - dx * weight, y - 0.5 * dy * weight, z])


def brain(subject: Head, place: Plane, thickness: float) -> np.ndarray:
    """Fractions of fluid, grey and white matter in a slab, without lesions or spots: float32 (3, N)."""
    fluid, grey, white = _atlas.slab(*place.anatomy, thickness)
    shrunk = np.minimum(grey, fluid * np.float32(1.2 * subject.ageing)) * np.float32(
        0.8
    )  # sulci widen with age
    rim = _inside(place.rim - place.outside, 0.35) * (1 - np.clip(fluid + grey + white, 0, 1))
    return np.stack([fluid + shrunk + rim, grey - shrunk, white])


def wrap(inner: np.ndarray, place: Plane) -> np.ndarray:
    """The brain (3, N) with skull in three layers, fat and skin around it: float32 (healthy tissues, N)."""
    maps = np.zeros((len(HEALTHY_TISSUES), inner.shape[1]), np.float32)
    maps[:3] = inner
    rest = 1 - np.clip(inner.sum(axis=0), 0, 1)
    depth = place.outside - place.rim
    bone = [edge * place.skull for edge in _SKULL]
    fat = bone[-1] + _FAT * place.scalp
    within = np.float32(0)
    for name, edge in zip(("skull", "marrow", "skull", "fat", "skin"), (*bone, fat, fat + _SKIN)):
        up_to = _inside(edge - depth, 0.4)
        maps[HEALTHY_TISSUES.index(name)] += rest * (up_to - within)
        within = up_to
    return maps


def _inside(depth, softness) -> np.ndarray:
    """1 well inside, 0 well outside, soft over about 4 * `softness` mm."""
    return 1 / (1 + np.exp(np.clip(-depth / softness, -30, 30)))
