"""A piece of the blood film: leukocytes, red cells and platelets put together, with truth masks and boxes."""
from collections.abc import Sequence
from dataclasses import dataclass, field
import math

import numpy as np

from medlearn.instruments.smear import red_cells as small
from medlearn.instruments.smear.cells import Cell
from medlearn.instruments.smear.cytoplasm import ABSORBERS, CHROMATIN, EOSIN, HAEMOGLOBIN
from medlearn.instruments.smear.geometry import texture, whole
from medlearn.instruments.smear.laboratories import RedCells
from medlearn.instruments.smear.patients import Patient

FIELD_CLASSES = ("red blood cell", "white blood cell", "platelet")
RED_CELL, WHITE_CELL, PLATELET = range(3)
WIDEST_UM_PER_PX = 0.30     # candidates reach as far as a frame at this pixel size (assumption)
VISIBLE_SHARE = 0.25        # cells cut by the frame to less than this get no box (assumption)
FAR_UM = 9.0


@dataclass(frozen=True)
class Scene:
    """The film of one frame, filled step by step by `compose`.

    `dyes` (absorber, H, W) concentrations, `thickness` (H, W), `mask` uint8 (H, W), `boxes` [y0, x0, y1, x1, class]
    in pixels, `in_the_way` (H, W) signed distance in um to what red cells must not cover.
    """

    frame: tuple[int, int]
    um_per_px: float
    dyes: np.ndarray
    thickness: np.ndarray
    mask: np.ndarray
    in_the_way: np.ndarray
    boxes: list[tuple[float, ...]] = field(default_factory=list)


def compose(rng: np.random.Generator, leukocytes: Sequence[Cell], red: RedCells, patient: Patient,
            frame: tuple[int, int], um_per_px: float) -> Scene:
    """Surround the leukocytes with red cells, platelets and dirt; later leukocytes lie on top of earlier ones."""
    scene = Scene(frame, um_per_px, np.zeros((len(ABSORBERS), *frame), np.float32), np.zeros(frame, np.float32),
                  np.zeros(frame, np.uint8), np.full(frame, FAR_UM, np.float32))
    for cell in leukocytes:
        near = scene.in_the_way[cell.grid.window]
        np.minimum(near, cell.distance - 0.12, out=near)
    extent = (frame[0] * max(WIDEST_UM_PER_PX, 1.1 * um_per_px), frame[1] * max(WIDEST_UM_PER_PX, 1.1 * um_per_px))
    _add_red_cells(scene, rng, extent, leukocytes, red, patient)
    for cell in leukocytes:
        _add_leukocyte(scene, cell)
    _add_platelets(scene, rng, extent, red)
    _add_dirt(scene, rng, extent, red)
    return scene


def _add_red_cells(scene: Scene, rng: np.random.Generator, extent, leukocytes, red: RedCells, patient: Patient):
    crowd = small.candidates(rng, extent, small.SIZES.red_cell_candidates, small.RED_CELL_LOOKS)
    density, thin, blue = rng.standard_normal(3).tolist()
    film = small.Film(red.pallor * min(math.exp(0.45 * thin + 0.2 * patient.pallor - 0.2), 1.3), blue)
    crowding = min(math.exp(red.density_sd * (0.8 * density + 0.6 * patient.film_density)), 2.2)
    area = scene.frame[0] * scene.frame[1] * scene.um_per_px**2
    wanted = round(1.25 * red.per_100um2 / 100 * crowding * area)
    for looks, centre, radius in _room(scene, crowd, leukocytes, red, patient, wanted):
        cell = small.red_cell(looks, radius, red, film, scene.frame, centre, scene.um_per_px, scene.in_the_way)
        window = cell.grid.window
        haemoglobin = scene.dyes[HAEMOGLOBIN][window]
        added = cell.dyes.pop(HAEMOGLOBIN)
        # Where two discs overlap they flatten: the sum of both would look too dark.
        haemoglobin[...] = np.maximum(haemoglobin, added) + 0.55 * np.minimum(haemoglobin, added)
        _add(scene, cell, RED_CELL)
        if looks[4] > 0.5:       # half of the red cells push later ones aside instead of overlapping with them
            near = scene.in_the_way[window]
            np.minimum(near, cell.distance - 0.05, out=near)


def _room(scene: Scene, crowd: small.Candidates, leukocytes: Sequence[Cell], red: RedCells, patient: Patient,
          wanted: int):
    """(looks, centre in pixels, radius in um) of the first `wanted` candidates that find room, in a fixed order."""
    um, taken = scene.um_per_px, np.zeros((0, 3))
    reach = np.array(scene.frame) / 2 * um + 3.0
    white = np.array([[*_micrometres(cell.centre, scene), cell.radius] for cell in leukocytes]).reshape(-1, 3)
    for place, rank, looks in zip(crowd.places, crowd.ranks, crowd.looks):
        if len(taken) >= wanted:
            return
        if (np.abs(place) > reach).any():
            continue
        radius = small.red_cell_radius(looks, red, patient)
        if (np.hypot(*(white[:, :2] - place).T) < white[:, 2] + 0.62 * radius).any():
            continue
        closest = red.spacing * (0.85 + 0.5 * rank) * (taken[:, 2] + radius)
        if (np.hypot(*(taken[:, :2] - place).T) < closest).any():
            continue
        taken = np.concatenate([taken, [[*place, radius]]])
        yield looks, _pixels(place, scene), radius


def _pixels(place, scene: Scene) -> tuple[float, float]:
    return tuple((side - 1) / 2 + float(um) / scene.um_per_px for um, side in zip(place, scene.frame))


def _micrometres(centre, scene: Scene) -> tuple[float, float]:
    return tuple((px - (side - 1) / 2) * scene.um_per_px for px, side in zip(centre, scene.frame))


def _add(scene: Scene, particle: small.Particle, kind: int):
    for absorber, amount in particle.dyes.items():
        scene.dyes[absorber][particle.grid.window] += amount
    scene.thickness[particle.grid.window] += particle.thickness
    whole_area = math.pi * (particle.radius / scene.um_per_px) ** 2
    _add_box(scene, particle.grid.window, particle.distance < 0, kind, VISIBLE_SHARE * whole_area)


def _add_leukocyte(scene: Scene, cell: Cell):
    window = cell.grid.window
    scene.dyes[:, window[0], window[1]] *= 1 - 0.97 * cell.cover
    scene.dyes[:, window[0], window[1]] += cell.dyes
    scene.thickness[window] *= 1 - cell.cover
    scene.thickness[window] += cell.thickness
    here = cell.mask > 0
    scene.mask[window][here] = cell.mask[here]
    _add_box(scene, window, here, WHITE_CELL, VISIBLE_SHARE * math.pi * (cell.radius / scene.um_per_px) ** 2)


def _add_platelets(scene: Scene, rng: np.random.Generator, extent, red: RedCells):
    crowd = small.candidates(rng, extent, small.SIZES.platelet_candidates, small.PLATELET_LOOKS)
    share = red.platelets_per_1000um2 / 10 / small.SIZES.platelet_candidates
    for place, rank, looks in zip(crowd.places, crowd.ranks, crowd.looks):
        row, column = _pixels(place, scene)
        if rank >= share or not (0 <= row < scene.frame[0] and 0 <= column < scene.frame[1]):
            continue
        if not scene.mask[int(row), int(column)]:
            _add(scene, small.platelet(looks, scene.frame, (row, column), scene.um_per_px), PLATELET)


def _add_dirt(scene: Scene, rng: np.random.Generator, extent, red: RedCells):
    """Precipitate of the stain and a faint veil of dried plasma."""
    where = whole(scene.frame, scene.um_per_px)
    crowd = small.candidates(rng, extent, small.SIZES.debris_candidates, small.DEBRIS_LOOKS)
    shown = crowd.ranks < red.debris_per_1000um2 / 10 / small.SIZES.debris_candidates
    scene.dyes[CHROMATIN] += small.debris(crowd.places[shown], crowd.looks[shown], where)
    corners = rng.random((2, 2))
    plasma = 0.5 * texture(corners[0], where, 0.5) + 0.8 * texture(corners[1], where, 3.0)
    scene.dyes[EOSIN] += np.maximum(red.film_texture * (plasma + 0.6), 0)


def _add_box(scene: Scene, window: tuple[slice, slice], here: np.ndarray, kind: int, least_px: float):
    """The bounding box of the pixels `here` of a window, unless fewer than `least_px` of them lie in the frame."""
    if here.sum() < max(least_px, 1):
        return
    rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
    top, left = window[0].start, window[1].start
    scene.boxes.append((float(top + rows[0]), float(left + columns[0]),
                        float(top + rows[-1] + 1), float(left + columns[-1] + 1), float(kind)))
