"""One leukocyte: outline, nucleus and cytoplasm as dye concentrations, with its true mask."""

import math
from dataclasses import dataclass

import numpy as np

from medlearn.instruments.smear._cell_types import CELL_TYPES, VARIANTS, CellType
from medlearn.instruments.smear._cytoplasm import AZURE, CHROMATIN, CYTOPLASM, GRANULE, Body
from medlearn.instruments.smear._geometry import (
    Grid,
    clamp,
    coverage,
    patch_grid,
    ridge,
    star_distance,
    texture,
    wavy_outlines,
)
from medlearn.instruments.smear._laboratories import Laboratory, Preparation
from medlearn.instruments.smear._nuclei import SHAPES
from medlearn.instruments.smear._patients import Patient

BACKGROUND, CYTOPLASM_PIXEL, NUCLEUS_PIXEL = range(3)


@dataclass(frozen=True)
class Cell:
    """A leukocyte on its patch of pixels. Arrays (H, W) except `dyes` (absorber, H, W)."""

    grid: Grid
    centre: tuple[float, float]  # row, column; pixels of the frame
    radius: float  # um
    dyes: np.ndarray  # concentrations
    cover: np.ndarray  # share of the pixel under the cell, 0..1
    thickness: np.ndarray  # optical thickness, arbitrary unit
    distance: np.ndarray  # signed distance to the outline, um
    mask: np.ndarray  # uint8: 0 background, 1 cytoplasm, 2 nucleus


def draw_leukocyte(
    rng: np.random.Generator,
    label: str,
    patient: Patient,
    laboratory: Laboratory,
    frame: tuple[int, int],
    centre: tuple[float, float],
    um_per_px: float,
) -> Cell:
    """Draw one leukocyte.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the cell.
    label : str
        Name of its class.
    patient : Patient
        Whose cell it is.
    laboratory : Laboratory
        How it is prepared and stained.
    frame : tuple of int
        Height and width of the image in pixels.
    centre : tuple of float
        Row and column of the cell's centre in pixels; it may lie outside the frame.
    um_per_px : float
        Size of a pixel.
    """
    preparation = laboratory.preparation
    cell_type = _variant(rng, label)
    radius = rng.uniform(*cell_type.diameter_um) / 2 * math.exp(0.03 * patient.cell_size)
    radius *= preparation.monocyte_spread if label == "monocyte" else 1.0
    grid = patch_grid(frame, centre, 1.25 * radius + 0.8, um_per_px)
    outline, nucleus, fold = _shapes(rng, label, cell_type, grid, radius, preparation, patient)
    inside = coverage(outline, um_per_px)
    in_nucleus = coverage(nucleus, 1.2 * um_per_px)
    depth = clamp(outline * (-1 / 1.6), 0, 1)
    body = Body(
        grid=grid,
        radius=radius,
        depth=depth,
        profile=_profile(rng, depth, preparation, cell_type),
        to_nucleus=nucleus,
        mottle=_mottle(rng, grid, preparation),
        cell_type=cell_type,
        preparation=preparation,
        patient=patient,
    )
    dyes = CYTOPLASM[label](rng, body) * inside
    rim = laboratory.stain.rim * (2.4 if label == "eosinophil" else 1.0)
    _add_rim(dyes, rng, grid, outline, radius, rim)
    chromatin, edge = _chromatin(rng, grid, nucleus, fold, cell_type, preparation, patient)
    thickness = inside * (0.5 + 0.5 * depth) + 0.5 * in_nucleus + 0.35 * dyes[GRANULE]
    dyes *= 1 - in_nucleus * (1 - _seen_through(label, preparation))
    dyes[CHROMATIN] += in_nucleus * chromatin * _visible_chromatin(label, preparation)
    dyes[AZURE] += in_nucleus * edge * (laboratory.stain.nuclear_edge * rng.uniform(0.3, 1.4))
    dyes *= math.exp(0.08 * rng.standard_normal())
    mask = _mask(inside, in_nucleus)
    return Cell(grid, centre, radius, dyes, inside, thickness, outline, mask)


def _variant(rng: np.random.Generator, label: str) -> CellType:
    """One of the cell types of a class, as often as they occur."""
    names, shares = zip(*VARIANTS[label], strict=True)
    return CELL_TYPES[names[int(np.searchsorted(np.cumsum(shares), rng.random()))]]


def _mask(inside: np.ndarray, in_nucleus: np.ndarray) -> np.ndarray:
    """The class of which most of a pixel consists: uint8."""
    cell = np.where(in_nucleus > 0.5, NUCLEUS_PIXEL, CYTOPLASM_PIXEL)
    return np.where(inside > 0.5, cell, BACKGROUND).astype(np.uint8)


def _shapes(
    rng: np.random.Generator,
    label: str,
    cell_type: CellType,
    grid: Grid,
    radius: float,
    preparation: Preparation,
    patient: Patient,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signed distances to the outlines of cell and nucleus, and where its lobes overlap."""
    corners = rng.random((4, 2))
    warp_x, warp_y = (preparation.warp_um * texture(corner, grid, 2.2) for corner in corners[:2])
    fray_x, fray_y = (texture(corner, grid, 0.75) for corner in corners[2:])
    fray = preparation.fray_um * cell_type.fray
    waves = _waves(rng, preparation.irregularity * cell_type.irregularity)
    outline = star_distance(
        grid.x + warp_x + fray * fray_x,
        grid.y + warp_y + fray * fray_y,
        wavy_outlines(radius, waves),
    )
    x = grid.x + 0.9 * warp_x + 0.13 * fray_y
    y = grid.y + 0.9 * warp_y + 0.13 * fray_x
    share = rng.uniform(*cell_type.nucleus_share)
    nucleus, fold = SHAPES[label](x, y, rng, radius, share, patient.lobulation)
    return outline, np.maximum(nucleus, outline + 0.15), fold


def _waves(rng: np.random.Generator, irregularity: float) -> np.ndarray:
    """Amplitudes of the outline's harmonics 2-8.

    An oval of up to 6 %, and waves that fade with their order.
    """
    oval, strength = 0.06 * rng.random(), math.exp(0.35 * rng.standard_normal())
    amplitude = 2 * irregularity * strength * rng.standard_normal(7) / np.arange(2, 9) ** 1.1
    amplitude[0] += oval
    phase = rng.uniform(0, 2 * math.pi, 7)
    return np.stack([amplitude * np.cos(phase), amplitude * np.sin(phase)], 1)


def _profile(
    rng: np.random.Generator, depth: np.ndarray, preparation: Preparation, cell_type: CellType
) -> np.ndarray:
    """Relative thickness of the cytoplasm, which thins out towards the border."""
    softness = preparation.softness * cell_type.softness * rng.uniform(0.5, 1.4)
    return np.maximum(1 - softness + softness * depth, 0.15)


def _mottle(rng: np.random.Generator, grid: Grid, preparation: Preparation) -> np.ndarray:
    """Uneven staining, zero mean."""
    corners = rng.random((2, 2))
    coarse, fine = texture(corners[0], grid, 1.1), texture(corners[1], grid, 0.45)
    return preparation.cytoplasm_texture * (0.11 * coarse + 0.09 * fine)


def _add_rim(
    dyes: np.ndarray,
    rng: np.random.Generator,
    grid: Grid,
    outline: np.ndarray,
    radius: float,
    strength: float,
) -> None:
    """Add dye that pooled along the border while drying, more on one side."""
    amount, side = strength * rng.uniform(0.3, 1.5), rng.uniform(0, 2 * math.pi)
    lean = 1 + (0.75 / radius) * (grid.x * math.cos(side) + grid.y * math.sin(side))
    rim = amount * lean * ridge(outline, -0.22, 0.3)
    dyes[AZURE] += 0.8 * rim
    dyes[CHROMATIN] += 0.35 * rim


def _chromatin(
    rng: np.random.Generator,
    grid: Grid,
    nucleus: np.ndarray,
    fold: np.ndarray,
    cell_type: CellType,
    preparation: Preparation,
    patient: Patient,
) -> tuple[np.ndarray, np.ndarray]:
    """Chromatin concentration, and the condensed band along the nuclear membrane: (H, W) each."""
    corners = rng.random((4, 2))
    level = rng.uniform(*cell_type.chromatin)
    fine_level = rng.uniform(0.10, 0.24)
    size = cell_type.clump_um
    clumps = texture(corners[0], grid, size) + 0.7 * texture(corners[1], grid, 0.5 * size)
    clumps = clumps / np.sqrt(1 + clumps * clumps)  # patches with borders rather than waves
    channels = ridge(texture(corners[2], grid, 0.7 * size), 0.0, 0.45)
    fine = preparation.fine_chromatin * fine_level * texture(corners[3], grid, 0.16)
    edge = ridge(nucleus, -0.25, 0.3)
    depth = clamp(nucleus * (-1 / 0.9), 0, 1)
    pattern = 0.22 * edge + cell_type.clumping * clumps - cell_type.reticulum * (channels - 0.3)
    level *= math.exp(0.06 * patient.chromatin)
    pattern = preparation.chromatin_contrast * pattern + fine
    return level * np.maximum(0.80 + 0.20 * depth + pattern + 0.22 * fold, 0.1), edge


def _seen_through(label: str, preparation: Preparation) -> float:
    """How much of the cytoplasm lies visibly on top of the nucleus."""
    return {"eosinophil": preparation.granules_over_nucleus, "basophil": 0.85}.get(label, 0.25)


def _visible_chromatin(label: str, preparation: Preparation) -> float:
    """Granules on top of the nucleus of an eosinophil push some of it out of sight."""
    return 1 - 0.35 * preparation.granules_over_nucleus if label == "eosinophil" else 1.0
