"""Cytoplasm of the five classes: dye concentrations of ground substance, granules and vacuoles.

Granule sizes: eosinophils 0.5-1 um, basophils of uneven size up to 1.2 um, neutrophils below the
resolution of the light microscope, so only their speckle shows (Bain 2015, Blood Cells, ch. 3;
Lichtman's Atlas of Hematology 2016). Numbers of granules and vacuoles and all concentrations:
assumption.
"""

import math
from dataclasses import dataclass

import numpy as np

from medlearn.instruments.smear._cell_types import CellType
from medlearn.instruments.smear._geometry import Grid, dots, packed_points, ridge, texture
from medlearn.instruments.smear._laboratories import Preparation
from medlearn.instruments.smear._patients import Patient

CHROMATIN, AZURE, EOSIN, GRANULE, HAEMOGLOBIN = ABSORBERS = range(5)


@dataclass(frozen=True)
class Body:
    """A cell outline on its patch, as the cytoplasm needs it: all arrays (H, W), float32."""

    grid: Grid
    radius: float  # um
    depth: np.ndarray  # 0 at the border, 1 from 1.6 um inwards
    profile: np.ndarray  # relative thickness of the cytoplasm
    to_nucleus: np.ndarray  # signed distance, um
    mottle: np.ndarray  # uneven staining, zero mean
    cell_type: CellType
    preparation: Preparation
    patient: Patient


def _points(rng: np.random.Generator, count: int, radius: float) -> np.ndarray:
    """Exactly `count` points in a disc: the number of draws does not depend on the radius."""
    away = radius * np.sqrt(rng.random(count))
    angle = rng.uniform(0, 2 * math.pi, count)
    return np.stack([away * np.cos(angle), away * np.sin(angle)], 1)


def _ground(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Dyes (absorber, H, W) of the ground substance."""
    dyes = np.zeros((len(ABSORBERS), *body.grid.shape), np.float32)
    dyes[AZURE] = rng.uniform(*body.cell_type.azure) * body.profile
    dyes[EOSIN] = rng.uniform(*body.cell_type.eosin) * body.profile
    dyes[CHROMATIN] = rng.uniform(*body.cell_type.purple) * body.profile
    return dyes


def _neutrophil(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Pink with a fine violet speckle; one in fourteen with coarse (toxic) granulation."""
    dyes = _ground(rng, body)
    speckle = np.maximum(texture(rng.random(2), body.grid, 0.18) - 0.3, 0)
    amount = rng.uniform(0.35, 0.95) * body.preparation.granularity
    amount *= math.exp(0.2 * body.patient.granularity)
    amount *= 1.8 if rng.random() < 0.07 else 1.0
    dyes[EOSIN] += (1.2 * body.mottle + 0.45 * amount * speckle) * body.profile
    dyes[CHROMATIN] += 0.11 * amount * speckle * body.profile
    return dyes


def _lymphocyte(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Blue, paler beside the nucleus, deeper at the border.

    Large ones may carry a few azurophilic granules.
    """
    dyes = _ground(rng, body)
    halo = 1 - 0.35 * ridge(np.maximum(body.to_nucleus, 0), 0.0, 0.6)
    dyes[AZURE] *= halo * (1 + body.mottle) * (1.15 - 0.35 * body.depth) / body.profile
    count = int(rng.integers(4, 12))
    has_granules = rng.random() < 0.4
    points, radii = _points(rng, count, 0.9 * body.radius), np.full(count, 0.22)
    granules = dots(body.grid, points, radii, np.full(count, 0.5), 0.2)
    if has_granules and body.cell_type.diameter_um[0] > 10:
        dyes[CHROMATIN] += granules
    return dyes


def _monocyte(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Grey-blue ground glass with dust-like granules and, in three of five, vacuoles."""
    dyes = _ground(rng, body)
    dust = np.maximum(texture(rng.random(2), body.grid, 0.22) - 0.6, 0)
    amount = 0.3 * rng.uniform(0.1, 0.4) * body.preparation.granularity
    dyes[CHROMATIN] += amount * dust * body.profile
    dyes[AZURE] *= 1 + 1.6 * body.mottle
    count = int(rng.integers(1, 12))
    count = count if rng.random() < 0.6 else 0
    points = _points(rng, count, 0.92 * body.radius)
    radii = rng.uniform(0.22, 0.7, count)
    depths = rng.uniform(0.4, 0.95, count)
    return dyes * (1 - dots(body.grid, points, radii, depths, 0.24))


def _eosinophil(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Packed with coarse granules of one size; one in six has lost some of them."""
    preparation = body.preparation
    dyes = _ground(rng, body)
    pitch, hollow = rng.uniform(0.55, 0.75), rng.uniform(0, 0.35)
    full = rng.uniform(0.55, 0.95) if rng.random() < 0.15 else 0.97
    points = packed_points(rng, body.radius * 1.02, pitch, 0.40)
    radii = rng.uniform(0.24, 0.44, len(points))
    heights = rng.uniform(0.45, 1.2, len(points))
    kept = rng.random(len(points)) < full / preparation.granule_scale
    clumps = texture(rng.random(2), body.grid, 1.1)
    radii = radii[kept] * preparation.granule_scale
    coarse = dots(body.grid, points[kept], radii, heights[kept], 0.22, hollow)
    coarse *= np.exp(preparation.granule_clumping * (0.55 * clumps - 0.15))
    strength = preparation.granularity * math.exp(0.15 * body.patient.granularity)
    strength *= rng.uniform(0.75, 1.15)
    dyes[GRANULE] = strength * coarse * np.minimum(body.profile * 1.3, 1)
    dyes[EOSIN] *= 0.8 + body.mottle
    dyes[CHROMATIN] += np.maximum(body.mottle, 0) * (0.2 + 0.6 * preparation.granule_clumping)
    return dyes


def _basophil(rng: np.random.Generator, body: Body) -> np.ndarray:
    """Uneven dark granules scattered over the whole cell; one in eight partly washed out."""
    dyes = _ground(rng, body)
    count = int(rng.integers(35, 130))
    points = _points(rng, count, 0.96 * body.radius)
    radii = rng.uniform(0.2, 0.6, count)
    heights = rng.uniform(0.5, 1.2, count)
    granules = dots(body.grid, points, radii, heights, 0.2)
    strength = rng.uniform(0.6, 1.0) * body.preparation.granularity
    strength *= 0.45 if rng.random() < 0.12 else 1.0
    dyes[CHROMATIN] += strength * granules
    return dyes


CYTOPLASM = {
    "neutrophil": _neutrophil,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "eosinophil": _eosinophil,
    "basophil": _basophil,
}
