"""Red cells, platelets and dirt around the leukocytes.

All candidates of an image are drawn at once, in micrometres around the middle of the frame, with every random
number that their looks need. A laboratory only decides how many of them it shows, so turning a dial leaves
the rest in place.
"""

import math
from dataclasses import dataclass

import numpy as np

from medlearn.instruments.smear._cytoplasm import AZURE, CHROMATIN, EOSIN, HAEMOGLOBIN
from medlearn.instruments.smear._geometry import (
    Grid,
    clamp,
    coverage,
    dots,
    outlines,
    patch,
    ridge,
    smooth_cut,
    star,
    texture,
)
from medlearn.instruments.smear._laboratories import RedCells
from medlearn.instruments.smear._patients import Patient


@dataclass(frozen=True)
class Sizes:
    """A red cell is 7.5 um wide (6 to 9 um; Walker, Hall & Hurst 1990, Clinical Methods, PubMed 21250106), a
    platelet 1.5-3 um (Bain 2015, Blood Cells, 5th ed., ch. 3). Candidates per 100 um2 are upper limits for
    any laboratory (assumption), as is the size of precipitate."""

    red_cell_radius_um: float = 3.7
    platelet_radius_um: tuple[float, float] = (0.75, 1.6)
    debris_radius_um: tuple[float, float] = (0.10, 0.42)
    red_cell_candidates: float = 7.0
    platelet_candidates: float = 0.6
    debris_candidates: float = 0.6


SIZES = Sizes()
RED_CELL_LOOKS, PLATELET_LOOKS, DEBRIS_LOOKS = 31, 15, 2
ROUNDING_UM = 0.9  # how softly a red cell bends away from a neighbour (assumption)


@dataclass(frozen=True)
class Candidates:
    """Places (N, 2) y, x in um from the middle of the frame, ranks (N,) in 0..1 and looks (N, K) in 0..1."""

    places: np.ndarray
    ranks: np.ndarray
    looks: np.ndarray


@dataclass(frozen=True)
class Particle:
    """A red cell or platelet on its patch: dyes by absorber, thickness and signed distance, all (H, W)."""

    grid: Grid
    radius: float
    dyes: dict[int, np.ndarray]
    thickness: np.ndarray
    distance: np.ndarray


def candidates(
    rng: np.random.Generator, extent_um: tuple[float, float], per_100um2: float, looks: int
) -> Candidates:
    """Candidates spread evenly over `extent_um` (height, width)."""
    drawn = rng.random((round(extent_um[0] * extent_um[1] / 100 * per_100um2), 3 + looks))
    return Candidates((drawn[:, :2] - 0.5) * extent_um, drawn[:, 2], drawn[:, 3:])


def red_cell_radii(looks: np.ndarray, red: RedCells, patient: Patient) -> np.ndarray:
    """Radii in um (N,); the patient's mean volume and the spread between cells enter on a log scale."""
    return SIZES.red_cell_radius_um * np.exp(
        red.size_sd * _score(looks[:, 0]) + 0.037 * patient.red_cell_size
    )


def red_cell_outlines(looks: np.ndarray, radii: np.ndarray, red: RedCells) -> np.ndarray:
    """Outlines (N, angles) for `geometry.star`: bumpy discs, and burr cells with 9 to 17 uneven short
    projections."""
    crenated = looks[:, 3] < red.crenation
    waves = np.zeros((len(looks), 16, 2))
    waves[:, :6] = (
        0.055 * (looks[:, 5:17].reshape(-1, 6, 2) - 0.5) / np.sqrt(np.arange(1, 7))[:, None]
    )
    scallops = (looks[:, 17:22] - 0.5) * crenated[:, None]
    waves[:, 7::2] = 0.045 * np.stack([scallops, scallops[:, ::-1]], -1)
    return outlines(radii, waves)


def red_cell(
    looks: np.ndarray,
    radius: float,
    outline: np.ndarray,
    red: RedCells,
    pallor: float,
    where: Grid,
    wobble: np.ndarray,
    obstacles: np.ndarray,
) -> Particle:
    """One red cell. `wobble` (H, W) in um disturbs its outline; it yields where `obstacles` (signed distance,
    um) says that something is in the way."""
    squash, tilt, _, tone = looks[1:5].tolist()
    stretch, turn = math.exp(0.08 * abs(_score(squash))), tilt * math.pi
    u = (where.x * math.cos(turn) + where.y * math.sin(turn)) * (1 / stretch)
    v = (where.y * math.cos(turn) - where.x * math.sin(turn)) * stretch
    distance = star(u, v, outline) + wobble
    if obstacles.size and obstacles.min() < ROUNDING_UM:
        distance = smooth_cut(distance, obstacles, ROUNDING_UM)
    inside = coverage(distance, 1.2 * where.um_per_px)
    profile = _biconcave(looks[22:29], u, v, distance, radius, pallor) * inside
    haemoglobin = profile * ((1 - red.lysis) * math.exp(0.12 * _score(tone)))
    if red.lysis > 0:
        rim = ridge(distance, -0.3, 0.28)
        patchy = clamp(0.55 + 0.5 * texture(looks[29:31], where, 1.2), 0, 1.4)
        haemoglobin = haemoglobin + rim * patchy * (red.lysis * (0.3 + 1.3 * tone))
    thickness = inside * (0.22 * red.lysis) + profile * (0.6 * (1 - red.lysis))
    return Particle(where, radius, {HAEMOGLOBIN: haemoglobin}, thickness, distance)


def _score(uniform):
    """Near-normal scores from numbers in 0..1 (logistic quantile, cut off at about +-2.5)."""
    uniform = np.minimum(np.maximum(uniform, 0.015), 0.985)
    return 0.6 * np.log(uniform / (1 - uniform))


def _biconcave(looks: np.ndarray, u, v, distance, radius: float, pallor: float) -> np.ndarray:
    """Relative thickness of the disc: steep at the border, sunken in the middle; a few are target cells."""
    right, up, oval, width, steep, depth, target = looks.tolist()
    rise = clamp(distance * (-1 / 0.55), 0, 1)
    rise = np.sqrt(rise * (2 - rise))
    stretch, shift = math.exp(0.5 * (oval - 0.5)) / radius, 0.35 * radius
    u, v = (
        (u - (right - 0.5) * shift) * stretch,
        (v - (up - 0.5) * shift) * (1 / (stretch * radius**2)),
    )
    squared = u * u + v * v
    scaled = squared * (1 / (0.28 + 0.26 * width) ** 2)
    depth = min(pallor * math.exp(0.3 * _score(depth)), 1.0) * 0.85
    profile = rise * (1 - depth * np.exp(-scaled * ((1 - steep) + steep * scaled)))
    return profile + 0.5 * np.exp(-25 * squared) if target < 0.03 else profile


def platelet(
    looks: np.ndarray, frame: tuple[int, int], centre: tuple[float, float], um_per_px: float
) -> Particle:
    """A platelet: a ragged pale blue disc with purple granules in the middle."""
    low, high = SIZES.platelet_radius_um
    radius = low + (high - low) * float(looks[0])
    where = patch(frame, centre, 1.9 * radius, um_per_px)
    waves = 0.42 * (looks[3:15].reshape(6, 2) - 0.5) / np.arange(1, 7)[:, None] ** 0.4
    distance = star(where.x, where.y, outlines(radius, waves))
    inside = coverage(distance, 1.5 * um_per_px)
    grains = clamp(0.5 + 0.6 * texture(looks[1:3], where, 0.28), 0, 2)
    dyes = {
        CHROMATIN: inside * grains * clamp(distance * (-1 / 0.7), 0, 1) * 0.6,
        AZURE: inside * 0.35,
        EOSIN: inside * 0.15,
    }
    return Particle(where, radius, dyes, inside * 0.3, distance)


def debris(places: np.ndarray, looks: np.ndarray, where: Grid) -> np.ndarray:
    """Stain precipitate: small dark dots, as chromatin concentration (H, W)."""
    low, high = SIZES.debris_radius_um
    return dots(
        where, places[:, ::-1], low + (high - low) * looks[:, 0] ** 2, 0.2 + 0.8 * looks[:, 1], 0.25
    )
