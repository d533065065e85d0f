"""Red cells, platelets and dirt around the leukocytes.

All candidates of an image are drawn at once, in micrometres around the middle of the frame, with
every random number that their appearance needs. A laboratory only decides how many of them appear,
so turning a dial leaves the others where they are.
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
    patch_grid,
    ridge,
    smooth_cut,
    star_distance,
    texture,
    wavy_outlines,
)
from medlearn.instruments.smear._laboratories import RedCells
from medlearn.instruments.smear._patients import Patient

# A red cell is 7.5 um wide (6 to 9 um; Walker, Hall & Hurst 1990, Clinical Methods, PubMed
# 21250106), a platelet 1.5-3 um (Bain 2015, Blood Cells, 5th ed., ch. 3). The size of precipitate
# and the candidates per 100 um2, upper limits for any laboratory, are assumptions.
RED_CELL_RADIUS_UM = 3.7
PLATELET_RADIUS_UM = (0.75, 1.6)
DEBRIS_RADIUS_UM = (0.10, 0.42)
RED_CELL_CANDIDATES = 7.0
PLATELET_CANDIDATES = 0.6
DEBRIS_CANDIDATES = 0.6
RED_CELL_NUMBERS, PLATELET_NUMBERS, DEBRIS_NUMBERS = 31, 15, 2  # random numbers of each particle
ROUNDING_UM = 0.9  # how softly a red cell bends away from a neighbour (assumption)


@dataclass(frozen=True)
class Candidates:
    """Particles that may appear.

    Attributes
    ----------
    positions : numpy.ndarray, shape (N, 2)
        y, x in um from the middle of the frame.
    ranks : numpy.ndarray, shape (N,)
        0 to 1; the lower ones appear first.
    numbers : numpy.ndarray, shape (N, K)
        Random numbers from 0 to 1 for their appearance.
    """

    positions: np.ndarray
    ranks: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Particle:
    """A red cell or platelet on its patch: dyes by absorber, thickness, signed distance (H, W)."""

    grid: Grid
    radius: float
    dyes: dict[int, np.ndarray]
    thickness: np.ndarray
    distance: np.ndarray


def draw_candidates(
    rng: np.random.Generator, extent_um: tuple[float, float], per_100um2: float, numbers: int
) -> Candidates:
    """Draw candidates that are spread evenly.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the scene.
    extent_um : tuple of float
        Height and width of the film.
    per_100um2 : float
        Density.
    numbers : int
        How many random numbers each of them needs.
    """
    count = round(extent_um[0] * extent_um[1] / 100 * per_100um2)
    rows = rng.random((count, 3 + numbers))
    return Candidates((rows[:, :2] - 0.5) * extent_um, rows[:, 2], rows[:, 3:])


def red_cell_radii(numbers: np.ndarray, red_cells: RedCells, patient: Patient) -> np.ndarray:
    """Return radii in um (N,).

    The patient's mean volume and the spread between cells enter on a log scale.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (N, 31)
        Of the candidates.
    red_cells : RedCells
        The laboratory's.
    patient : Patient
        Whose cells they are.
    """
    spread = red_cells.size_sd * _score(numbers[:, 0]) + 0.037 * patient.red_cell_size
    return RED_CELL_RADIUS_UM * np.exp(spread)


def red_cell_outlines(numbers: np.ndarray, radii: np.ndarray, red_cells: RedCells) -> np.ndarray:
    """Return outlines for `star_distance`, (N, angles).

    Bumpy discs, and burr cells with 9 to 17 uneven short projections.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (N, 31)
        Of the candidates.
    radii : numpy.ndarray, shape (N,)
        In um.
    red_cells : RedCells
        The laboratory's.
    """
    is_crenated = numbers[:, 3] < red_cells.crenation
    bumps = numbers[:, 5:17].reshape(-1, 6, 2) - 0.5
    scallops = (numbers[:, 17:22] - 0.5) * is_crenated[:, None]
    waves = np.zeros((len(numbers), 16, 2))
    waves[:, :6] = 0.055 * bumps / np.sqrt(np.arange(1, 7))[:, None]
    waves[:, 7::2] = 0.045 * np.stack([scallops, scallops[:, ::-1]], -1)
    return wavy_outlines(radii, waves)


def draw_red_cell(
    numbers: np.ndarray,
    radius: float,
    outline: np.ndarray,
    red_cells: RedCells,
    pallor: float,
    grid: Grid,
    wobble: np.ndarray,
    obstacles: np.ndarray,
) -> Particle:
    """Draw one red cell.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (31,)
        Of the candidate.
    radius : float
        In um.
    outline : numpy.ndarray, shape (angles,)
        From `red_cell_outlines`.
    red_cells : RedCells
        The laboratory's.
    pallor : float
        Depth of the pale centre.
    grid : Grid
        The patch.
    wobble : numpy.ndarray, shape (H, W)
        In um; it disturbs the outline.
    obstacles : numpy.ndarray, shape (H, W)
        Signed distance in um to what is in the way; the cell yields to it.
    """
    squash, tilt, _, tone = numbers[1:5].tolist()
    stretch, turn = math.exp(0.08 * abs(_score(squash))), tilt * math.pi
    u = (grid.x * math.cos(turn) + grid.y * math.sin(turn)) * (1 / stretch)
    v = (grid.y * math.cos(turn) - grid.x * math.sin(turn)) * stretch
    distance = star_distance(u, v, outline) + wobble
    if obstacles.size and obstacles.min() < ROUNDING_UM:
        distance = smooth_cut(distance, obstacles, ROUNDING_UM)
    inside = coverage(distance, 1.2 * grid.um_per_px)
    profile = _biconcave(numbers[22:29], u, v, distance, radius, pallor) * inside
    lysis = red_cells.lysis
    haemoglobin = profile * ((1 - lysis) * math.exp(0.12 * _score(tone)))
    if lysis > 0:
        rim = ridge(distance, -0.3, 0.28)
        patchy = clamp(0.55 + 0.5 * texture(numbers[29:31], grid, 1.2), 0, 1.4)
        haemoglobin = haemoglobin + rim * patchy * (lysis * (0.3 + 1.3 * tone))
    thickness = inside * (0.22 * lysis) + profile * (0.6 * (1 - lysis))
    return Particle(grid, radius, {HAEMOGLOBIN: haemoglobin}, thickness, distance)


def _score(uniform):
    """Near-normal scores from numbers in 0..1 (logistic quantile, cut off at about +-2.5)."""
    uniform = np.minimum(np.maximum(uniform, 0.015), 0.985)
    return 0.6 * np.log(uniform / (1 - uniform))


def _biconcave(
    numbers: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    distance: np.ndarray,
    radius: float,
    pallor: float,
) -> np.ndarray:
    """Relative thickness of the disc: steep at the border, sunken in the middle.

    A few are target cells, which rise again in the middle.
    """
    right, up, oval, width, steep, depth, target = numbers.tolist()
    rise = clamp(distance * (-1 / 0.55), 0, 1)
    rise = np.sqrt(rise * (2 - rise))
    stretch, shift = math.exp(0.5 * (oval - 0.5)) / radius, 0.35 * radius
    u = (u - (right - 0.5) * shift) * stretch
    v = (v - (up - 0.5) * shift) * (1 / (stretch * radius**2))
    squared = u * u + v * v
    scaled = squared * (1 / (0.28 + 0.26 * width) ** 2)
    depth = min(pallor * math.exp(0.3 * _score(depth)), 1.0) * 0.85
    profile = rise * (1 - depth * np.exp(-scaled * ((1 - steep) + steep * scaled)))
    return profile + 0.5 * np.exp(-25 * squared) if target < 0.03 else profile


def draw_platelet(
    numbers: np.ndarray, frame: tuple[int, int], centre: tuple[float, float], um_per_px: float
) -> Particle:
    """Draw a platelet: a ragged pale blue disc with purple granules in the middle.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (15,)
        Of the candidate.
    frame : tuple of int
        Height and width of the image in pixels.
    centre : tuple of float
        Row and column in pixels.
    um_per_px : float
        Size of a pixel.
    """
    low, high = PLATELET_RADIUS_UM
    radius = low + (high - low) * float(numbers[0])
    grid = patch_grid(frame, centre, 1.9 * radius, um_per_px)
    waves = 0.42 * (numbers[3:15].reshape(6, 2) - 0.5) / np.arange(1, 7)[:, None] ** 0.4
    distance = star_distance(grid.x, grid.y, wavy_outlines(radius, waves))
    inside = coverage(distance, 1.5 * um_per_px)
    grains = clamp(0.5 + 0.6 * texture(numbers[1:3], grid, 0.28), 0, 2)
    dyes = {
        CHROMATIN: inside * grains * clamp(distance * (-1 / 0.7), 0, 1) * 0.6,
        AZURE: inside * 0.35,
        EOSIN: inside * 0.15,
    }
    return Particle(grid, radius, dyes, inside * 0.3, distance)


def draw_debris(positions: np.ndarray, numbers: np.ndarray, grid: Grid) -> np.ndarray:
    """Draw precipitate of the stain: small dark dots, as chromatin concentration (H, W).

    Parameters
    ----------
    positions : numpy.ndarray, shape (N, 2)
        y, x in um.
    numbers : numpy.ndarray, shape (N, 2)
        Of the candidates.
    grid : Grid
        The whole frame.
    """
    low, high = DEBRIS_RADIUS_UM
    radii = low + (high - low) * numbers[:, 0] ** 2
    return dots(grid, positions[:, ::-1], radii, 0.2 + 0.8 * numbers[:, 1], 0.25)
