"""Nuclear shapes of the five leukocyte classes, as signed distances in micrometres.

Every function takes warped coordinates, a generator and the cell radius, and returns (distance,
fold): `fold` counts how many lobes lie on top of each other beyond the first, where the chromatin
looks darker. Shapes follow the usual descriptions (neutrophils 2-5 lobes on thin filaments or a
band, eosinophils two lobes, monocytes kidney to folded, lymphocytes round and eccentric; Bain 2015,
Blood Cells, 5th ed., ch. 3); frequencies and proportions: assumption.
"""

import math
from itertools import pairwise

import numpy as np

from medlearn.instruments.smear._geometry import (
    clamp,
    ellipse_distance,
    rod_distance,
    smooth_cut,
    smooth_union,
)

TURN = 2 * math.pi
Shape = tuple[np.ndarray, np.ndarray]


def _lobed(
    x,
    y,
    rng: np.random.Generator,
    radius: float,
    *,
    lobes: int,
    share: float,
    arc: float,
    filament_um: float,
    blend_um: float,
    elongation: float,
    orbit: float | None = None,
) -> Shape:
    """Lobes on a horseshoe of `arc` radians, joined by filaments: `share` of the cell's area."""
    lobe = radius * math.sqrt(share / lobes)
    orbit = min(0.52, 0.93 - 1.05 * lobe / radius) if orbit is None else orbit
    start, step = rng.uniform(0, TURN), arc / max(lobes - 1, 1)
    distances, centres = [], []
    for number in range(lobes):
        angle = start + step * (number + 0.18 * rng.standard_normal())
        size = lobe * math.exp(0.13 * rng.standard_normal())
        away = min(radius * orbit * (1 + 0.12 * rng.standard_normal()), 0.95 * radius - size)
        stretch = math.exp(rng.uniform(0, math.log(elongation)))
        centre = (away * math.cos(angle), away * math.sin(angle))
        tilt = angle + math.pi / 2 + 0.4 * rng.standard_normal()
        axes = (size * stretch, size / stretch)
        distances.append(ellipse_distance(x, y, centre, axes, tilt))
        centres.append(centre)
    distance, fold = distances[0], np.zeros_like(distances[0])
    for lobe_distance in distances[1:]:
        distance = smooth_union(distance, lobe_distance, blend_um)
    for lobe_distance in distances:
        fold = fold + clamp(lobe_distance * -2.5, 0, 1)
    for lower, upper in pairwise(centres):
        width = filament_um * rng.uniform(0.6, 1.5)
        filament = rod_distance(x, y, lower, upper, width, width)
        distance = smooth_union(distance, filament, min(0.5, 1.5 * blend_um))
    return distance, np.maximum(fold - 1, 0)


def _band(
    x, y, rng: np.random.Generator, radius: float, *, share: float, arc: float, unevenness: float
) -> Shape:
    """A curved rod of `arc` radians that fills `share` of the cell's area.

    The shape of a band neutrophil, or the horseshoe of a monocyte.
    """
    knots = 6
    orbit = radius * rng.uniform(0.42, 0.55)
    half_width = min(share * math.pi * radius**2 / (2 * orbit * arc + 2.2), 0.42 * radius)
    angles = rng.uniform(0, TURN) + arc * np.linspace(0, 1, knots)
    away = orbit * (1 + 0.10 * rng.standard_normal(knots))
    widths = half_width * np.clip(1 + unevenness * rng.standard_normal(knots), 0.55, 1.5)
    away = np.minimum(away, 0.95 * radius - widths)
    points = np.stack([away * np.cos(angles), away * np.sin(angles)], 1).tolist()
    ends = pairwise(zip(points, widths.tolist(), strict=True))
    rods = [rod_distance(x, y, a, b, a_width, b_width) for (a, a_width), (b, b_width) in ends]
    return np.minimum.reduce(rods), np.zeros_like(x)


def _oval(
    x,
    y,
    rng: np.random.Generator,
    radius: float,
    *,
    share: float,
    stretch: float,
    eccentricity: float,
    notch: tuple[float, float] | None = None,
    notch_blend_um: float = 0.5,
) -> Shape:
    """A round or oval nucleus, off the middle by `eccentricity` (1 touches the border).

    `notch` holds half the width and the depth of a notch, as shares of the nuclear radius.
    """
    size = radius * math.sqrt(share)
    direction = rng.uniform(0, TURN)
    away = eccentricity * (radius - size) * 0.85
    centre = (away * math.cos(direction), away * math.sin(direction))
    side, reach = rng.uniform(0, TURN), size * rng.uniform(0.85, 1.12)
    tilt = side + math.pi / 2 if notch else rng.uniform(0, math.pi)
    distance = ellipse_distance(x, y, centre, (size * stretch, size / stretch), tilt)
    if notch:
        middle = (centre[0] + reach * math.cos(side), centre[1] + reach * math.sin(side))
        axes = (notch[0] * size, notch[1] * size)
        hollow = ellipse_distance(x, y, middle, axes, side + math.pi / 2)
        distance = smooth_cut(distance, hollow, notch_blend_um)
    return distance, np.zeros_like(x)


def _neutrophil(
    x, y, rng: np.random.Generator, radius: float, share: float, lobulation: float
) -> Shape:
    """2-5 lobes on filaments; about one in ten a band.

    `lobulation` is a standard score; higher ones bring more lobes.
    """
    if rng.random() < 0.10 * math.exp(-0.5 * lobulation):
        arc = rng.uniform(2.6, 4.4)
        return _band(x, y, rng, radius, share=share * 0.95, arc=arc, unevenness=0.15)
    lobes = int(np.clip(round(3.2 + 0.4 * lobulation + 0.85 * rng.standard_normal()), 2, 5))
    arcs = {2: (1.6, 3.0), 3: (2.4, 4.0), 4: (3.2, 5.0), 5: (4.0, 5.6)}[lobes]
    return _lobed(
        x,
        y,
        rng,
        radius,
        lobes=lobes,
        share=share,
        arc=rng.uniform(*arcs),
        filament_um=rng.uniform(0.2, 0.7),
        blend_um=rng.uniform(0.3, 0.9),
        elongation=1.5,
    )


def _lymphocyte(
    x, y, rng: np.random.Generator, radius: float, share: float, lobulation: float
) -> Shape:
    """Round and eccentric, one in five with a shallow notch."""
    notch = (rng.uniform(0.2, 0.45), rng.uniform(0.15, 0.3)) if rng.random() < 0.2 else None
    return _oval(
        x,
        y,
        rng,
        radius,
        share=share,
        stretch=math.exp(rng.uniform(0, 0.16)),
        eccentricity=rng.uniform(0.5, 1.0),
        notch=notch,
    )


def _monocyte(
    x, y, rng: np.random.Generator, radius: float, share: float, lobulation: float
) -> Shape:
    """Kidney (45 %), horseshoe (20 %), folded (20 %) or nearly round."""
    chance = rng.random()
    if chance < 0.45:
        return _oval(
            x,
            y,
            rng,
            radius,
            share=share * 1.15,
            stretch=math.exp(rng.uniform(0, 0.22)),
            eccentricity=rng.uniform(0, 0.8),
            notch=(rng.uniform(0.35, 0.75), rng.uniform(0.2, 0.45)),
            notch_blend_um=1.0,
        )
    if chance < 0.65:
        arc = rng.uniform(2.0, 3.3)
        return _band(x, y, rng, radius, share=share, arc=arc, unevenness=0.09)
    if chance < 0.85:
        return _lobed(
            x,
            y,
            rng,
            radius,
            lobes=int(rng.integers(2, 4)),
            share=share,
            arc=rng.uniform(1.6, 3.2),
            filament_um=rng.uniform(1.2, 2.2),
            blend_um=2.2,
            elongation=1.25,
            orbit=rng.uniform(0.26, 0.38),
        )
    stretch = math.exp(rng.uniform(0, 0.2))
    eccentricity = rng.uniform(0, 0.8)
    return _oval(x, y, rng, radius, share=share, stretch=stretch, eccentricity=eccentricity)


def _eosinophil(
    x, y, rng: np.random.Generator, radius: float, share: float, lobulation: float
) -> Shape:
    """Two full lobes, one in five with three."""
    lobes = 3 if rng.random() < 0.2 * math.exp(0.4 * lobulation) else 2
    return _lobed(
        x,
        y,
        rng,
        radius,
        lobes=lobes,
        share=share,
        arc=rng.uniform(1.7, 3.1) if lobes == 2 else rng.uniform(2.4, 3.8),
        filament_um=rng.uniform(0.2, 0.6),
        blend_um=rng.uniform(0.3, 0.8),
        elongation=1.4,
    )


def _basophil(
    x, y, rng: np.random.Generator, radius: float, share: float, lobulation: float
) -> Shape:
    """Two or three lobes folded over each other."""
    return _lobed(
        x,
        y,
        rng,
        radius,
        lobes=int(rng.integers(2, 4)),
        share=share,
        arc=rng.uniform(1.5, 3.0),
        filament_um=rng.uniform(0.8, 1.8),
        blend_um=1.5,
        elongation=1.3,
        orbit=rng.uniform(0.3, 0.42),
    )


SHAPES = {
    "neutrophil": _neutrophil,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "eosinophil": _eosinophil,
    "basophil": _basophil,
}
