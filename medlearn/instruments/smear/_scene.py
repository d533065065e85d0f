"""A piece of the blood film: leukocytes, red cells and platelets put together, with truth masks and boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medlearn.instruments.smear import _red_cells as small
from medlearn.instruments.smear._cells import Cell
from medlearn.instruments.smear._cytoplasm import ABSORBERS, CHROMATIN, EOSIN, HAEMOGLOBIN
from medlearn.instruments.smear._geometry import length, patch, texture, whole
from medlearn.instruments.smear._laboratories import RedCells
from medlearn.instruments.smear._patients import Patient

FIELD_CLASSES = ("red blood cell", "white blood cell", "platelet")
RED_CELL, WHITE_CELL, PLATELET = range(3)
VISIBLE_SHARE = 0.25  # cells cut by the frame to less than this get no box (assumption)
FAR_UM = 9.0


@dataclass(frozen=True)
class Scene:
    """The film of one frame, filled step by step by `compose`.

    `dyes` (absorber, H, W) concentrations, `thickness` (H, W), `mask` uint8 (H, W), `in_the_way` (H, W)
    signed distance in um to what red cells must not cover, `found` window, pixels, class and whole area of
    each cell.
    """

    frame: tuple[int, int]
    um_per_px: float
    dyes: np.ndarray
    thickness: np.ndarray
    mask: np.ndarray
    in_the_way: np.ndarray
    found: list[tuple[tuple[slice, slice], np.ndarray, int, float]] = field(default_factory=list)


def compose(
    rng: np.random.Generator,
    leukocytes: Sequence[Cell],
    red: RedCells,
    patient: Patient,
    frame: tuple[int, int],
    um_per_px: float,
    widest_um: float,
) -> Scene:
    """Surround the leukocytes with red cells, platelets and dirt; later leukocytes lie on top of earlier
    ones.

    Neighbours are drawn for a frame of `widest_um`, so that they stay in place when the magnification
    changes.
    """
    scene = Scene(
        frame,
        um_per_px,
        np.zeros((len(ABSORBERS), *frame), np.float32),
        np.zeros(frame, np.float32),
        np.zeros(frame, np.uint8),
        np.full(frame, FAR_UM, np.float32),
    )
    for cell in leukocytes:
        near = scene.in_the_way[cell.grid.window]
        np.minimum(near, cell.distance - 0.12, out=near)
    width = max(widest_um, 1.1 * frame[1] * um_per_px)
    extent = (width * frame[0] / frame[1], width)
    _add_red_cells(scene, rng, extent, leukocytes, red, patient)
    for cell in leukocytes:
        _add_leukocyte(scene, cell)
    _add_platelets(scene, rng, extent, red)
    _add_dirt(scene, rng, extent, red)
    return scene


def _add_red_cells(
    scene: Scene, rng: np.random.Generator, extent, leukocytes, red: RedCells, patient: Patient
):
    crowd = small.candidates(rng, extent, small.SIZES.red_cell_candidates, small.RED_CELL_LOOKS)
    density, thin = rng.standard_normal(2).tolist()
    pallor = red.pallor * min(math.exp(0.45 * thin + 0.2 * patient.pallor - 0.2), 1.3)
    crowding = min(math.exp(red.density_sd * (0.8 * density + 0.6 * patient.film_density)), 2.2)
    area = scene.frame[0] * scene.frame[1] * scene.um_per_px**2
    wanted = round(1.25 * red.per_100um2 / 100 * crowding * area)
    wobble = 0.10 * texture(rng.random(2), whole(scene.frame, scene.um_per_px), 1.6)
    radii = small.red_cell_radii(crowd.looks, red, patient)
    chosen = _with_room(scene, crowd, radii, leukocytes, red.spacing, wanted)
    outlines = small.red_cell_outlines(crowd.looks[chosen], radii[chosen], red)
    for number, outline in zip(chosen, outlines):
        looks, radius = crowd.looks[number], float(radii[number])
        where = patch(
            scene.frame, _pixels(crowd.places[number], scene), 1.22 * radius, scene.um_per_px
        )
        cell = small.red_cell(
            looks,
            radius,
            outline,
            red,
            pallor,
            where,
            wobble[where.window],
            scene.in_the_way[where.window],
        )
        window = cell.grid.window
        haemoglobin = scene.dyes[HAEMOGLOBIN][window]
        added = cell.dyes.pop(HAEMOGLOBIN)
        # Overlapping discs flatten, so their sum would look too dark.
        haemoglobin[...] = np.maximum(haemoglobin, added) + 0.55 * np.minimum(haemoglobin, added)
        _add(scene, cell, RED_CELL)
        if (
            looks[4] > 0.5
        ):  # half of the red cells push later ones aside instead of overlapping with them
            near = scene.in_the_way[window]
            np.minimum(near, cell.distance - 0.05, out=near)


def _with_room(
    scene: Scene,
    crowd: small.Candidates,
    radii: np.ndarray,
    leukocytes: Sequence[Cell],
    spacing: float,
    wanted: int,
) -> list[int]:
    """Numbers of the first `wanted` candidates that find room, in a fixed order."""
    reach = np.array(scene.frame) / 2 * scene.um_per_px + 3.0
    white = np.array(
        [[*_micrometres(cell.centre, scene), cell.radius] for cell in leukocytes]
    ).reshape(-1, 3)
    free = (np.abs(crowd.places) <= reach).all(1)
    free &= (_apart(crowd.places, white[:, :2]) >= white[:, 2] + 0.62 * radii[:, None]).all(1)
    numbers = np.flatnonzero(free)
    places, radii, ranks = crowd.places[numbers], radii[numbers], crowd.ranks[numbers]
    clash = _apart(places, places) < spacing * (0.85 + 0.5 * ranks[:, None]) * (
        radii[:, None] + radii
    )
    taken, blocked = [], np.zeros(len(numbers), bool)
    for index in range(len(numbers)):
        if len(taken) < wanted and not blocked[index]:
            taken.append(index)
            blocked |= clash[:, index]
    return numbers[taken].tolist()


def _apart(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distances (N, M) between two sets of points."""
    return length(places[:, :1] - others[:, 0], places[:, 1:] - others[:, 1])


def _pixels(place, scene: Scene) -> tuple[float, float]:
    return tuple(
        (side - 1) / 2 + float(um) / scene.um_per_px for um, side in zip(place, scene.frame)
    )


def _micrometres(centre, scene: Scene) -> tuple[float, float]:
    return tuple((px - (side - 1) / 2) * scene.um_per_px for px, side in zip(centre, scene.frame))


def _add(scene: Scene, particle: small.Particle, kind: int):
    for absorber, amount in particle.dyes.items():
        scene.dyes[absorber][particle.grid.window] += amount
    scene.thickness[particle.grid.window] += particle.thickness
    _found(scene, particle.grid.window, particle.distance < 0, kind, particle.radius)


def _add_leukocyte(scene: Scene, cell: Cell):
    window = cell.grid.window
    scene.dyes[:, window[0], window[1]] *= 1 - 0.97 * cell.cover
    scene.dyes[:, window[0], window[1]] += cell.dyes
    scene.thickness[window] *= 1 - cell.cover
    scene.thickness[window] += cell.thickness
    here = cell.mask > 0
    scene.mask[window][here] = cell.mask[here]
    _found(scene, window, here, WHITE_CELL, cell.radius)


def _add_platelets(scene: Scene, rng: np.random.Generator, extent, red: RedCells):
    crowd = small.candidates(rng, extent, small.SIZES.platelet_candidates, small.PLATELET_LOOKS)
    share = red.platelets_per_1000um2 / 10 / small.SIZES.platelet_candidates
    for place, rank, looks in zip(crowd.places, crowd.ranks, crowd.looks):
        row, column = _pixels(place, scene)
        if rank >= share or not (0 <= row < scene.frame[0] and 0 <= column < scene.frame[1]):
            continue
        if not scene.mask[int(row), int(column)]:
            _add(
                scene, small.platelet(looks, scene.frame, (row, column), scene.um_per_px), PLATELET
            )


def _add_dirt(scene: Scene, rng: np.random.Generator, extent, red: RedCells):
    """Precipitate of the stain and a faint veil of dried plasma."""
    where = whole(scene.frame, scene.um_per_px)
    crowd = small.candidates(rng, extent, small.SIZES.debris_candidates, small.DEBRIS_LOOKS)
    shown = crowd.ranks < red.debris_per_1000um2 / 10 / small.SIZES.debris_candidates
    scene.dyes[CHROMATIN] += small.debris(crowd.places[shown], crowd.looks[shown], where)
    corners = rng.random((2, 2))
    plasma = 0.5 * texture(corners[0], where, 0.5) + 0.8 * texture(corners[1], where, 3.0)
    scene.dyes[EOSIN] += np.maximum(red.film_texture * (plasma + 0.6), 0)


def _found(scene: Scene, window, here: np.ndarray, kind: int, radius: float):
    scene.found.append((window, here, kind, math.pi * (radius / scene.um_per_px) ** 2))


def boxes(scene: Scene) -> np.ndarray:
    """Bounding boxes (k, 5) [y0, x0, y1, x1, class] in pixels of the cells of which enough lies in the
    frame."""
    found = []
    for (rows, columns), here, kind, whole_area in scene.found:
        if here.sum() < max(VISIBLE_SHARE * whole_area, 1):
            continue
        down, across = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
        found.append(
            (
                rows.start + down[0],
                columns.start + across[0],
                rows.start + down[-1] + 1,
                columns.start + across[-1] + 1,
                kind,
            )
        )
    return np.array(found, float).reshape(-1, 5)
