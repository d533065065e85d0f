"""One subject's head: a random deformation of the atlas, an age, and the tissues of any slice.

The ranges are assumptions chosen to look like a varied clinic; ageing widens ventricles and sulci
and adds white-matter spots, as described for instance by Fazekas et al. 1987 (AJR 149:351).
Millimetres, MNI axes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medlearn.instruments.mri import _atlas, _lesions
from medlearn.instruments.mri.physics import HEALTHY_TISSUES, TISSUES

FIELD_OF_VIEW = 220.0  # mm, square
CENTRE = (0.0, -18.0)  # MNI x and y at the middle of the image
AGES = (20.0, 85.0)  # years, uniform
# Outer edges in mm of inner table, diploe and outer table: about 6 in all (MR of 220 adults, Int J
# Morphol 2013, 31:38); how they share it is an assumption.
_SKULL = (1.6, 4.4, 6.0)
_FAT, _SKIN = 3.5, 1.8  # mm: assumption
_COARSE, _FINE = 4, 12  # B-spline cells across the field of view
_UNIT_VARIANCE = np.float32(np.sqrt(315 / 151))  # 1 / the root of a cubic B-spline's squared sum
_HEAD_RADII = (95.0, 116.0)  # mm across and along; beyond there is only air (assumption)


@dataclass(frozen=True, eq=False)
class Head:
    """What makes a subject's head differ from the atlas, in every slice and at every site.

    Attributes
    ----------
    age : float
        Years.
    ageing : float
        0 to 1.
    scale : numpy.ndarray, shape (3,)
        Of x, y and z.
    tilt, roll, turn : float
        Radians.
    shift : numpy.ndarray, shape (2,)
        In mm.
    coarse, fine : numpy.ndarray, shapes (6, 7, 7) and (3, 15, 15)
        B-spline coefficients.
    ventricles : float
        Relative widening.
    rim : float
        Fluid around the brain in mm.
    skull, scalp : float
        Relative thickness.
    spots : numpy.ndarray, shape (k, 4)
        x, y, z and radius in mm of age-related spots.
    caps : float
        Strength of the bright rim around ageing ventricles.
    biology : numpy.ndarray, shape (tissues, 3)
        The subject's own factors on T1, T2 and proton density.
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


def draw_head(rng: np.random.Generator) -> Head:
    """Return a random head."""
    ageing = rng.uniform()
    return Head(
        age=AGES[0] + (AGES[1] - AGES[0]) * ageing,
        ageing=ageing,
        scale=np.clip(rng.normal(0.92, 0.025, 3), 0.85, 0.97),  # MNI brains are large (assumption)
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


def _spots(rng: np.random.Generator, ageing: float) -> np.ndarray:
    """Age-related white-matter spots (k, 4), mostly deep; the same in every class: no shortcut."""
    count = rng.poisson(8 * ageing**2)
    deep, near = _atlas.atlas().deep, _atlas.atlas().periventricular
    pools = [deep if rng.random() < 0.6 else near for _ in range(count)]
    centres = [pool[rng.integers(len(pool)), :3] for pool in pools]
    radii = rng.uniform(1.0, 2.4, count)
    return np.column_stack([np.reshape(centres, (-1, 3)), radii]).astype(np.float32)


@lru_cache(maxsize=16)
def spline_basis(size: int, cells: int, width: float = FIELD_OF_VIEW) -> np.ndarray:
    """Return cubic B-splines at the middles of pixels, scaled for fields of variance 1.

    Parameters
    ----------
    size : int
        Number of pixels.
    cells : int
        Of the splines across the field of view.
    width : float
        Of all pixels in mm, around the middle of the field of view. What lies beyond the field is
        like its edge.

    Returns
    -------
    numpy.ndarray, shape (size, cells + 3)
        float32.
    """
    position = (np.arange(size) + 0.5) * cells / size
    if width == FIELD_OF_VIEW:
        basis = _splines_at(position, cells)
        return basis * np.float32(1 / np.sqrt((basis**2).sum(axis=1).mean()))
    wider = (position - cells / 2) * width / FIELD_OF_VIEW + cells / 2
    return _splines_at(np.clip(wider, 0, cells * (1 - 1e-6)), cells) * _UNIT_VARIANCE


def _splines_at(position: np.ndarray, cells: int) -> np.ndarray:
    """Cubic B-splines at positions from 0 to below `cells`: float32 (N, cells + 3)."""
    size = len(position)
    first, t = position.astype(int), position % 1
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    basis = np.zeros((size, cells + 3), np.float32)
    for step, weight in enumerate(weights):
        basis[np.arange(size), first + step] = weight
    return basis


def smooth_fields(coefficients: np.ndarray, size: int, width: float = FIELD_OF_VIEW) -> np.ndarray:
    """Return smooth random fields over the middle of the field of view.

    Parameters
    ----------
    coefficients : numpy.ndarray, shape (k, cells + 3, cells + 3)
        Of B-splines, float32.
    size : int
        Side of the fields in pixels.
    width : float
        Side of the fields in mm.

    Returns
    -------
    numpy.ndarray, shape (k, size, size)
        float32.
    """
    basis = spline_basis(size, coefficients.shape[-1] - 3, width)
    return basis @ coefficients @ basis.T


@dataclass(frozen=True, eq=False)
class Plane:
    """The pixels of one slice that lie in the head, and where they lie in the atlas.

    Attributes
    ----------
    size : int
        Side of the image in pixels.
    pixels : numpy.ndarray of int, shape (N,)
        Indices into the flat image.
    points, anatomy : numpy.ndarray, shape (3, N)
        MNI mm before and after the mass effect and the widening of the ventricles.
    rim, skull, scalp : numpy.ndarray, shape (N,)
        Local thickness, in mm (rim) or relative.
    outside, ventricle : numpy.ndarray, shape (N,)
        Distance outside the brain and to the lateral ventricles, in mm.
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


def cut(
    head: Head,
    height: float,
    size: int,
    lesion: _lesions.Lesion | None,
    width: float = FIELD_OF_VIEW,
) -> Plane:
    """Return an axial slice of a head, radiological: the subject's right is the image's left.

    Parameters
    ----------
    head : Head
        The subject's.
    height : float
        MNI height in mm.
    size : int
        Side of the image in pixels.
    lesion : Lesion or None
        A tumour displaces the anatomy around it.
    width : float
        Side of the image in mm.
    """
    coarse = smooth_fields(head.coarse, size, width)
    x, y, z = _positions(head, height, size, width, coarse[:3])
    across, along = (x - CENTRE[0]) / _HEAD_RADII[0], (y - CENTRE[1]) / _HEAD_RADII[1]
    pixels = np.flatnonzero(across**2 + along**2 < 1)
    points = np.stack([position.ravel().take(pixels) for position in (x, y, z)])
    anatomy = _with_wide_ventricles(_lesions.displaced(lesion, points), head.ventricles)
    outside, ventricle = _atlas.distances(anatomy)
    more_rim, more_skull, more_scalp = coarse[3:].reshape(3, -1).take(pixels, axis=1)
    rim = np.float32(head.rim) * (1 + 0.25 * more_rim)
    skull = np.float32(head.skull) * (1 + 0.12 * more_skull)
    scalp = np.float32(head.scalp) * np.clip(1 + 0.25 * more_scalp, 0.5, None)
    edge = rim + _SKULL[-1] * skull + _FAT * scalp + _SKIN + 1.5
    in_head = np.flatnonzero(outside < edge)  # positions are taken faster than by a mask
    return Plane(
        size=size,
        pixels=pixels.take(in_head),
        points=points.take(in_head, axis=1),
        anatomy=anatomy.take(in_head, axis=1),
        rim=rim.take(in_head),
        skull=skull.take(in_head),
        scalp=scalp.take(in_head),
        outside=outside.take(in_head),
        ventricle=ventricle.take(in_head),
    )


def _positions(
    head: Head, height: float, size: int, width: float, bend: np.ndarray
) -> list[np.ndarray]:
    """Where the pixels of a slice lie in the atlas: MNI x, y and z in mm, (size, size) each."""
    step = width / size
    steps = ((np.arange(size) - (size - 1) / 2) * step).astype(np.float32)
    right, forward = -steps[None, :], -steps[:, None]
    fine = smooth_fields(head.fine, size, width)
    cos, sin = np.float32(np.cos(head.turn)), np.float32(np.sin(head.turn))
    scale_x, scale_y, scale_z = head.scale.astype(np.float32)
    shift_x, shift_y = head.shift.astype(np.float32)
    x = (cos * right - sin * forward + shift_x) / scale_x + CENTRE[0]
    x = x + 2.4 * bend[0] + 0.9 * fine[0]
    y = (sin * right + cos * forward + shift_y) / scale_y + CENTRE[1]
    y = y + 2.4 * bend[1] + 0.9 * fine[1]
    tilted = np.float32(height) + x * np.float32(np.sin(head.roll))
    tilted = tilted + (y - CENTRE[1]) * np.float32(np.sin(head.tilt))
    z = tilted / scale_z * np.float32(0.93) + 2.0 * bend[2] + 0.8 * fine[2]
    return [x, y, z]


def _with_wide_ventricles(points: np.ndarray, widening: float) -> np.ndarray:
    """Points nearer to the lateral ventricles, so that these appear wider: float32 (3, N)."""
    x, y, z = points
    dx, dy = x, y + 12  # from the middle of the ventricles, MNI
    weight = np.float32(widening) * np.exp(-((dx / 34) ** 2) - (dy / 48) ** 2)
    return np.stack([x - dx * weight, y - 0.5 * dy * weight, z])


def brain_fractions(head: Head, plane: Plane, thickness: float) -> np.ndarray:
    """Return the fractions of fluid, grey and white matter in a slab, without lesions or spots.

    Parameters
    ----------
    head : Head
        The subject's.
    plane : Plane
        The middle of the slab.
    thickness : float
        In mm.

    Returns
    -------
    numpy.ndarray, shape (3, N)
        float32.
    """
    fluid, grey, white = _atlas.slab(plane.anatomy, thickness)
    # Sulci widen with age.
    shrunk = np.minimum(grey, fluid * np.float32(1.2 * head.ageing)) * np.float32(0.8)
    rim = _inside(plane.rim - plane.outside, 0.35) * (1 - np.clip(fluid + grey + white, 0, 1))
    return np.stack([fluid + shrunk + rim, grey - shrunk, white])


def with_skull(brain: np.ndarray, plane: Plane) -> np.ndarray:
    """Return the brain with a skull in three layers, fat and skin around it.

    Parameters
    ----------
    brain : numpy.ndarray, shape (3, N)
        Fractions of fluid, grey and white matter.
    plane : Plane
        The slice.

    Returns
    -------
    numpy.ndarray, shape (healthy tissues, N)
        float32 fractions.
    """
    fractions = np.zeros((len(HEALTHY_TISSUES), brain.shape[1]), np.float32)
    fractions[:3] = brain
    around = 1 - np.clip(brain.sum(axis=0), 0, 1)
    depth = plane.outside - plane.rim
    bone = [edge * plane.skull for edge in _SKULL]
    fat = bone[-1] + _FAT * plane.scalp
    layers = ("skull", "marrow", "skull", "fat", "skin")
    below = np.zeros(1, np.float32)
    for name, edge in zip(layers, (*bone, fat, fat + _SKIN), strict=True):
        up_to = _inside(edge - depth, 0.4)
        fractions[HEALTHY_TISSUES.index(name)] += around * (up_to - below)
        below = up_to
    return fractions


def _inside(depth: np.ndarray, softness: float) -> np.ndarray:
    """1 well inside, 0 well outside, soft over about 4 * `softness` mm."""
    return 1 / (1 + np.exp(np.clip(-depth / softness, -30, 30)))
