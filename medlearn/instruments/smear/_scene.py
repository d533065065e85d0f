"""A piece of the blood film: leukocytes, red cells and platelets, with true masks and boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medlearn.instruments.smear import _red_cells as particles
from medlearn.instruments.smear._cells import Cell
from medlearn.instruments.smear._cytoplasm import ABSORBERS, CHROMATIN, EOSIN, HAEMOGLOBIN
from medlearn.instruments.smear._geometry import frame_grid, length, patch_grid, texture
from medlearn.instruments.smear._laboratories import RedCells
from medlearn.instruments.smear._patients import Patient

FIELD_CLASSES = ("red blood cell", "white blood cell", "platelet")
RED_CELL, WHITE_CELL, PLATELET = range(3)
VISIBLE_SHARE = 0.25  # cells cut by the frame to less than this get no box (assumption)
FAR_UM = 9.0


@dataclass(frozen=True)
class Outlined:
    """A cell in the frame, for its box."""

    window: tuple[slice, slice]  # rows and columns of the frame
    pixels: np.ndarray  # bool, of the window
    class_index: int  # of FIELD_CLASSES
    area_px: float  # of the whole cell, with what the frame cuts off


@dataclass(frozen=True)
class Scene:
    """The film of one frame, filled step by step by `compose`.

    Attributes
    ----------
    frame : tuple of int
        Height and width in pixels.
    um_per_px : float
        Size of a pixel.
    dyes : numpy.ndarray, shape (absorber, H, W)
        Concentrations.
    thickness : numpy.ndarray, shape (H, W)
        Optical thickness.
    mask : numpy.ndarray of uint8, shape (H, W)
        Of the leukocytes.
    obstacles : numpy.ndarray, shape (H, W)
        Signed distance in um to what red cells must not cover.
    cells : list of Outlined
        All cells so far.
    """

    frame: tuple[int, int]
    um_per_px: float
    dyes: np.ndarray
    thickness: np.ndarray
    mask: np.ndarray
    obstacles: np.ndarray
    cells: list[Outlined] = field(default_factory=list)


def compose(
    rng: np.random.Generator,
    leukocytes: Sequence[Cell],
    red_cells: RedCells,
    patient: Patient,
    frame: tuple[int, int],
    um_per_px: float,
    widest_um: float,
) -> Scene:
    """Surround leukocytes with red cells, platelets and dirt.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the scene.
    leukocytes : sequence of Cell
        Later ones lie on top of earlier ones.
    red_cells : RedCells
        The laboratory's.
    patient : Patient
        Whose blood it is.
    frame : tuple of int
        Height and width in pixels.
    um_per_px : float
        Size of a pixel.
    widest_um : float
        Neighbours are drawn for a frame of this width, so that they stay where they are when the
        magnification changes.
    """
    scene = Scene(
        frame=frame,
        um_per_px=um_per_px,
        dyes=np.zeros((len(ABSORBERS), *frame), np.float32),
        thickness=np.zeros(frame, np.float32),
        mask=np.zeros(frame, np.uint8),
        obstacles=np.full(frame, FAR_UM, np.float32),
    )
    for cell in leukocytes:
        _add_obstacle(scene, cell.grid.window, cell.distance - 0.12)
    width = max(widest_um, 1.1 * frame[1] * um_per_px)
    extent = (width * frame[0] / frame[1], width)
    _add_red_cells(scene, rng, extent, leukocytes, red_cells, patient)
    for cell in leukocytes:
        _add_leukocyte(scene, cell)
    _add_platelets(scene, rng, extent, red_cells)
    _add_dirt(scene, rng, extent, red_cells)
    return scene


def _add_obstacle(scene: Scene, window: tuple[slice, slice], distance: np.ndarray) -> None:
    obstacles = scene.obstacles[window]
    np.minimum(obstacles, distance, out=obstacles)


def _add_red_cells(
    scene: Scene,
    rng: np.random.Generator,
    extent: tuple[float, float],
    leukocytes: Sequence[Cell],
    red_cells: RedCells,
    patient: Patient,
) -> None:
    candidates = particles.draw_candidates(
        rng, extent, particles.RED_CELL_CANDIDATES, particles.RED_CELL_NUMBERS
    )
    density, thinness = rng.standard_normal(2).tolist()
    pallor = red_cells.pallor * min(math.exp(0.45 * thinness + 0.2 * patient.pallor - 0.2), 1.3)
    wobble = 0.10 * texture(rng.random(2), frame_grid(scene.frame, scene.um_per_px), 1.6)
    count = _red_cell_count(scene, red_cells, density, patient)
    radii = particles.red_cell_radii(candidates.numbers, red_cells, patient)
    chosen = _with_room(scene, candidates, radii, leukocytes, red_cells.spacing, count)
    outlines = particles.red_cell_outlines(candidates.numbers[chosen], radii[chosen], red_cells)
    for index, outline in zip(chosen, outlines, strict=True):
        numbers, radius = candidates.numbers[index], float(radii[index])
        centre = _pixels(candidates.positions[index], scene)
        grid = patch_grid(scene.frame, centre, 1.22 * radius, scene.um_per_px)
        red_cell = particles.draw_red_cell(
            numbers,
            radius,
            outline,
            red_cells,
            pallor,
            grid,
            wobble[grid.window],
            scene.obstacles[grid.window],
        )
        _add_haemoglobin(scene, red_cell)
        _add_particle(scene, red_cell, RED_CELL)
        if numbers[4] > 0.5:  # half of the red cells push later ones aside; others overlap
            _add_obstacle(scene, grid.window, red_cell.distance - 0.05)


def _red_cell_count(scene: Scene, red_cells: RedCells, density: float, patient: Patient) -> int:
    """How many red cells are to be put into the frame; there may be no room for all."""
    spread = 0.8 * density + 0.6 * patient.film_density
    crowding = min(math.exp(red_cells.density_sd * spread), 2.2)
    area = scene.frame[0] * scene.frame[1] * scene.um_per_px**2
    return round(1.25 * red_cells.per_100um2 / 100 * crowding * area)


def _with_room(
    scene: Scene,
    candidates: particles.Candidates,
    radii: np.ndarray,
    leukocytes: Sequence[Cell],
    spacing: float,
    count: int,
) -> list[int]:
    """Indices of the first `count` candidates that find room, in a fixed order."""
    reach = np.array(scene.frame) / 2 * scene.um_per_px + 3.0
    white_cells = [[*_micrometres(cell.centre, scene), cell.radius] for cell in leukocytes]
    white = np.array(white_cells).reshape(-1, 3)
    to_white = _apart(candidates.positions, white[:, :2])
    is_free = (np.abs(candidates.positions) <= reach).all(1)
    is_free &= (to_white >= white[:, 2] + 0.62 * radii[:, None]).all(1)
    indices = np.flatnonzero(is_free)
    positions, ranks = candidates.positions[indices], candidates.ranks[indices]
    both_radii = radii[indices][:, None] + radii[indices]
    closest = spacing * (0.85 + 0.5 * ranks[:, None]) * both_radii
    clash = _apart(positions, positions) < closest
    taken: list[int] = []
    is_blocked = np.zeros(len(indices), bool)
    for number in range(len(indices)):
        if len(taken) < count and not is_blocked[number]:
            taken.append(number)
            is_blocked |= clash[:, number]
    return indices[taken].tolist()


def _apart(points: np.ndarray, other_points: np.ndarray) -> np.ndarray:
    """Distances (N, M) between two sets of points."""
    return length(points[:, :1] - other_points[:, 0], points[:, 1:] - other_points[:, 1])


def _pixels(position: np.ndarray, scene: Scene) -> tuple[float, float]:
    """Row and column of a position in um from the middle of the frame."""
    height, width = scene.frame
    y, x = (float(um) / scene.um_per_px for um in position)
    return (height - 1) / 2 + y, (width - 1) / 2 + x


def _micrometres(centre: tuple[float, float], scene: Scene) -> tuple[float, float]:
    """Position in um from the middle of the frame of a row and column."""
    height, width = scene.frame
    row, column = centre
    return (row - (height - 1) / 2) * scene.um_per_px, (column - (width - 1) / 2) * scene.um_per_px


def _add_haemoglobin(scene: Scene, red_cell: particles.Particle) -> None:
    """Overlapping discs flatten, so their sum would look too dark."""
    below = scene.dyes[HAEMOGLOBIN][red_cell.grid.window]
    above = red_cell.dyes.pop(HAEMOGLOBIN)
    below[...] = np.maximum(below, above) + 0.55 * np.minimum(below, above)


def _add_particle(scene: Scene, particle: particles.Particle, class_index: int) -> None:
    window = particle.grid.window
    for absorber, amount in particle.dyes.items():
        scene.dyes[absorber][window] += amount
    scene.thickness[window] += particle.thickness
    _outline(scene, window, particle.distance < 0, class_index, particle.radius)


def _add_leukocyte(scene: Scene, cell: Cell) -> None:
    window = cell.grid.window
    dyes = scene.dyes[:, window[0], window[1]]
    dyes *= 1 - 0.97 * cell.cover
    dyes += cell.dyes
    scene.thickness[window] *= 1 - cell.cover
    scene.thickness[window] += cell.thickness
    is_cell = cell.mask > 0
    scene.mask[window][is_cell] = cell.mask[is_cell]
    _outline(scene, window, is_cell, WHITE_CELL, cell.radius)


def _add_platelets(scene: Scene, rng: np.random.Generator, extent, red_cells: RedCells) -> None:
    density = particles.PLATELET_CANDIDATES
    candidates = particles.draw_candidates(rng, extent, density, particles.PLATELET_NUMBERS)
    appear = candidates.ranks < red_cells.platelets_per_1000um2 / 10 / density
    for position, numbers in zip(
        candidates.positions[appear], candidates.numbers[appear], strict=True
    ):
        row, column = _pixels(position, scene)
        in_frame = 0 <= row < scene.frame[0] and 0 <= column < scene.frame[1]
        if in_frame and not scene.mask[int(row), int(column)]:
            platelet = particles.draw_platelet(numbers, scene.frame, (row, column), scene.um_per_px)
            _add_particle(scene, platelet, PLATELET)


def _add_dirt(scene: Scene, rng: np.random.Generator, extent, red_cells: RedCells) -> None:
    """Add precipitate of the stain and a faint veil of dried plasma."""
    grid = frame_grid(scene.frame, scene.um_per_px)
    density = particles.DEBRIS_CANDIDATES
    candidates = particles.draw_candidates(rng, extent, density, particles.DEBRIS_NUMBERS)
    appear = candidates.ranks < red_cells.debris_per_1000um2 / 10 / density
    scene.dyes[CHROMATIN] += particles.draw_debris(
        candidates.positions[appear], candidates.numbers[appear], grid
    )
    corners = rng.random((2, 2))
    plasma = 0.5 * texture(corners[0], grid, 0.5) + 0.8 * texture(corners[1], grid, 3.0)
    scene.dyes[EOSIN] += np.maximum(red_cells.film_texture * (plasma + 0.6), 0)


def _outline(scene: Scene, window, pixels: np.ndarray, class_index: int, radius: float) -> None:
    area_px = math.pi * (radius / scene.um_per_px) ** 2
    scene.cells.append(Outlined(window, pixels, class_index, area_px))


def boxes_of(scene: Scene) -> np.ndarray:
    """Return bounding boxes (k, 5) [y0, x0, y1, x1, class] in pixels.

    Of the cells of which enough lies in the frame; y1 and x1 are excluded.
    """
    boxes = []
    for cell in scene.cells:
        if cell.pixels.sum() < max(VISIBLE_SHARE * cell.area_px, 1):
            continue
        rows, columns = cell.window
        down, across = np.flatnonzero(cell.pixels.any(1)), np.flatnonzero(cell.pixels.any(0))
        y0, x0 = rows.start + down[0], columns.start + across[0]
        y1, x1 = rows.start + down[-1] + 1, columns.start + across[-1] + 1
        boxes.append((y0, x0, y1, x1, cell.class_index))
    return np.array(boxes, float).reshape(-1, 5)
