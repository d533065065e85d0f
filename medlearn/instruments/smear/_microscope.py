"""The microscope: single cells and wide fields of simulated blood films, with known truth."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from medlearn import _checks, _files
from medlearn._dataset import Dataset
from medlearn.instruments.smear._cell_types import CLASSES
from medlearn.instruments.smear._cells import draw_leukocyte
from medlearn.instruments.smear._laboratories import Laboratory
from medlearn.instruments.smear._mixing import adjust
from medlearn.instruments.smear._optics import draw_exposure, photograph
from medlearn.instruments.smear._order import CELLS_PER_PATIENT, label_order
from medlearn.instruments.smear._patients import draw_patient, random_stream
from medlearn.instruments.smear._presets import find_laboratory
from medlearn.instruments.smear._randomisation import random_laboratory
from medlearn.instruments.smear._scene import FIELD_CLASSES, boxes_of, compose

MASK_CLASSES = ("background", "cytoplasm", "nucleus")
LICENCE = "Apache-2.0 (simulated; no patient was ever here)"
FIELDS_PER_PATIENT = 4
SMALLEST_PX = 32
CELL_FRAME_PX, FIELD_FRAME_PX = 128, 640  # frame widths that Magnification refers to
WIDEST_UM_PER_PX = 0.30  # at those widths; neighbours are drawn for a frame this wide (assumption)
NEIGHBOUR_SHARE = 0.06  # frames with a second leukocyte cut by the border (assumption)
CLOSEST_UM = 17.0  # between leukocytes of a field (assumption)
DIFFERENTIAL = (0.58, 0.29, 0.07, 0.045, 0.015)  # adult differential count (Bain 2015, ch. 5)
_RANDOM = "random"  # the laboratory that is drawn anew for each image

Key = tuple[int, ...]  # of a random stream


@dataclass(frozen=True)
class _Shot:
    """One image with its truth."""

    domain: str
    image: np.ndarray
    mask: np.ndarray
    um_per_px: float
    boxes: np.ndarray | None = None


def single_cells(
    laboratory: Laboratory | str, count: int, size: int = 128, seed: int = 0, first: int = 0
) -> Dataset:
    """Simulate frames with one leukocyte in the middle of each; the five classes are balanced.

    Ten cells, two of each class in random order, come from one patient. The same seed gives the
    same patients and cells in every laboratory. The first n cells of a larger count are those of
    the count n.

    Parameters
    ----------
    laboratory : Laboratory or str
        A laboratory, the name of one of `LABORATORIES`, or "random" for a new random laboratory
        per image.
    count : int
        Number of images, at least 0.
    size : int
        Side of the image in pixels, at least 32. Frames of all sizes show the same piece of film.
    seed : int
        At least 0.
    first : int
        Number, from 0, of the cell to begin with.

    Returns
    -------
    Dataset
        With labels, masks of the central cell, and spacing in um per pixel.

    Raises
    ------
    ValueError
        For an unknown laboratory or a number outside its range.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> cells = smear.single_cells("lab-a", 10, size=64)
    >>> cells.images.shape, sorted(cells.labels.tolist())
    ((10, 64, 64, 3), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    """
    _check_numbers(count=count, seed=seed, first=first)
    _checks.whole_number("size", size, SMALLEST_PX)
    laboratory_of = _laboratories(laboratory, seed)
    shots, labels, patients = [], [], []
    for number in range(first, first + count):
        patient, position = divmod(number, CELLS_PER_PATIENT)
        label = int(label_order(seed, patient)[position])
        keys = (seed, patient), (seed, number)
        shots.append(_single_cell(laboratory_of(number), label, *keys, size))
        labels.append(label)
        patients.append(_patient_id(seed, patient))
    return _cells(shots, size, patients, labels)


def one_cell(
    laboratory: Laboratory | str,
    label: int | str,
    seed: int = 0,
    patient: int = 0,
    size: int = 128,
    **changes: Any,
) -> Dataset:
    """Simulate one cell of a class.

    The same seed and patient give the same cell in every laboratory.

    Parameters
    ----------
    laboratory : Laboratory or str
        A laboratory, the name of one of `LABORATORIES`, or "random" for the random laboratory of
        this seed.
    label : int or str
        Class of `CLASSES`, by name or index.
    seed : int
        Of the cell, at least 0.
    patient : int
        Number of a patient of seed 0.
    size : int
        Side of the image in pixels, at least 32.
    **changes : float or sequence of float
        Single parameters of the laboratory as in `adjust`, such as ``blur_um=0.5``.

    Returns
    -------
    Dataset
        Of one image.

    Raises
    ------
    ValueError
        For an unknown laboratory, class or parameter, or a number outside its range.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> here, there = (smear.one_cell(name, "monocyte") for name in ("lab-a", "lab-a-restained"))
    >>> bool((here.masks == there.masks).all())
    True
    """
    _check_numbers(seed=seed, patient=patient)
    _checks.whole_number("size", size, SMALLEST_PX)
    index = _class_index(label)
    is_random = isinstance(laboratory, str) and laboratory == _RANDOM
    chosen = random_laboratory(seed) if is_random else find_laboratory(laboratory, _RANDOM)
    shot = _single_cell(adjust(chosen, **changes), index, (0, patient), (seed,), size)
    return _cells([shot], size, [_patient_id(0, patient)], [index])


def fields(
    laboratory: Laboratory | str,
    count: int,
    height: int = 480,
    width: int = 640,
    seed: int = 0,
    first: int = 0,
) -> Dataset:
    """Simulate wide fields of view with boxes of red cells, leukocytes and platelets.

    Four fields come from one patient. The same piece of the film is shown whatever the width in
    pixels.

    Parameters
    ----------
    laboratory : Laboratory or str
        A laboratory, the name of one of `LABORATORIES`, or "random" for a new random laboratory
        per image.
    count : int
        Number of images, at least 0.
    height, width : int
        Sides of the image in pixels, at least 32.
    seed : int
        At least 0.
    first : int
        Number, from 0, of the field to begin with.

    Returns
    -------
    Dataset
        With boxes of `FIELD_CLASSES`, masks of the leukocytes, and spacing in um per pixel.

    Raises
    ------
    ValueError
        For an unknown laboratory or a number outside its range.
    """
    _check_numbers(count=count, seed=seed, first=first)
    _checks.whole_number("height", height, SMALLEST_PX)
    _checks.whole_number("width", width, SMALLEST_PX)
    laboratory_of = _laboratories(laboratory, seed)
    shots, patients = [], []
    for number in range(first, first + count):
        patient = number // FIELDS_PER_PATIENT
        keys = (seed, patient), (seed, number)
        shots.append(_field(laboratory_of(number), *keys, (height, width)))
        patients.append(_patient_id(seed, patient))
    return _dataset(
        shots,
        (height, width),
        patients,
        name="smear-fields",
        twin="bccd",
        classes=FIELD_CLASSES,
        boxes=[shot.boxes for shot in shots],
    )


# ---- one image ----


def _single_cell(
    laboratory: Laboratory, label: int, patient_key: Key, cell_key: Key, size: int
) -> _Shot:
    """A frame around one cell, and sometimes a second one cut by the border."""
    patient, rendering = draw_patient(*patient_key), random_stream("rendering", *cell_key)
    exposure = draw_exposure(rendering)
    lens = laboratory.magnification
    zoom = float(np.exp(lens.um_per_px_sd * exposure.zoom))
    um_per_px = lens.um_per_px * zoom * CELL_FRAME_PX / size
    frame, middle = (size, size), (size - 1) / 2
    around = random_stream("neighbour", *cell_key)
    offset = around.standard_normal(2)
    direction, class_chance, presence = around.random(3).tolist()
    row, column = (middle + 0.03 * size * offset).tolist()
    stream, name = random_stream("cell", *cell_key), CLASSES[label]
    cell = draw_leukocyte(stream, name, patient, laboratory, frame, (row, column), um_per_px)
    leukocytes = [cell]
    if presence < NEIGHBOUR_SHARE:
        angle, away = 2 * math.pi * direction, 0.72 * size
        centre = (middle + away * math.sin(angle), middle + away * math.cos(angle))
        name = _class_by_chance(class_chance)
        neighbour = draw_leukocyte(around, name, patient, laboratory, frame, centre, um_per_px)
        leukocytes.insert(0, neighbour)
    scene = compose(
        random_stream("scene", *cell_key),
        leukocytes,
        laboratory.red_cells,
        patient,
        frame,
        um_per_px,
        WIDEST_UM_PER_PX * CELL_FRAME_PX,
    )
    mask = np.zeros(frame, np.uint8)
    mask[cell.grid.window] = cell.mask
    image = photograph(rendering, scene, exposure, laboratory, patient)
    return _Shot(laboratory.name, image, mask, um_per_px)


def _field(
    laboratory: Laboratory, patient_key: Key, field_key: Key, frame: tuple[int, int]
) -> _Shot:
    """A wide field with one to three leukocytes."""
    patient, rendering = draw_patient(*patient_key), random_stream("rendering", *field_key)
    exposure = draw_exposure(rendering)
    lens = laboratory.magnification
    zoom = float(np.exp(lens.um_per_px_sd * exposure.zoom))
    um_per_px = lens.field_um_per_px * zoom * FIELD_FRAME_PX / frame[1]
    around = random_stream("neighbour", *field_key)
    count = int(around.integers(1, 4))
    centres = _spread(around.random((60, 2)) * frame, count, um_per_px)
    names = [_class_by_chance(chance) for chance in around.random(60)]
    leukocytes = [
        draw_leukocyte(
            random_stream("cell", *field_key, number),
            name,
            patient,
            laboratory,
            frame,
            centre,
            um_per_px,
        )
        for number, (name, centre) in enumerate(zip(names, centres, strict=False))
    ]
    scene = compose(
        random_stream("scene", *field_key),
        leukocytes,
        laboratory.red_cells,
        patient,
        frame,
        um_per_px,
        WIDEST_UM_PER_PX * FIELD_FRAME_PX,
    )
    image = photograph(rendering, scene, exposure, laboratory, patient)
    return _Shot(laboratory.name, image, scene.mask, um_per_px, boxes_of(scene))


def _spread(points: np.ndarray, count: int, um_per_px: float) -> list[tuple[float, float]]:
    """The first `count` of the points (row, column) that are far enough from each other."""
    spread: list[np.ndarray] = []
    for point in points:
        distances = [np.hypot(*(point - nearer)) * um_per_px for nearer in spread]
        if len(spread) < count and all(distance > CLOSEST_UM for distance in distances):
            spread.append(point)
    return [(float(row), float(column)) for row, column in spread]


def _class_by_chance(chance: float) -> str:
    """A class as often as in blood, from a number in 0..1."""
    index = int(np.searchsorted(np.cumsum(DIFFERENTIAL), chance))
    return CLASSES[min(index, len(CLASSES) - 1)]


# ---- arguments and the table ----


def _check_numbers(**numbers: int) -> None:
    for name, value in numbers.items():
        _checks.whole_number(name, value, 0)


def _class_index(label: int | str) -> int:
    """The index in `CLASSES` of a class name or index."""
    if isinstance(label, str) and label in CLASSES:
        return CLASSES.index(label)
    if isinstance(label, Integral) and not isinstance(label, bool) and label in range(len(CLASSES)):
        return int(label)
    raise ValueError(_files.unknown("class", label, CLASSES))


def _laboratories(laboratory: Laboratory | str, seed: int) -> Callable[[int], Laboratory]:
    """The laboratory of each image: always the same one, or for "random" one of its own."""
    if isinstance(laboratory, str) and laboratory == _RANDOM:
        return lambda number: random_laboratory((seed, number))
    chosen = find_laboratory(laboratory, _RANDOM)
    return lambda number: chosen


def _patient_id(seed: int, patient: int) -> str:
    return f"s{seed}-p{patient:04d}"


def _cells(shots: list[_Shot], size: int, patients: list[str], labels: list[int]) -> Dataset:
    indices = np.array(labels, np.int64)
    frame = (size, size)
    return _dataset(
        shots, frame, patients, name="smear", twin="wbc", classes=CLASSES, labels=indices
    )


def _dataset(
    shots: list[_Shot], frame: tuple[int, int], patients: list[str], **columns: Any
) -> Dataset:
    """Shots of one frame size (there may be none), and what else is known of them."""
    spacing = np.array([shot.um_per_px for shot in shots], float)
    return Dataset(
        images=np.array([shot.image for shot in shots], np.uint8).reshape(-1, *frame, 3),
        masks=np.array([shot.mask for shot in shots], np.uint8).reshape(-1, *frame),
        mask_classes=MASK_CLASSES,
        patients=np.array(patients, dtype=str),
        patients_known=True,
        domains=np.array([shot.domain for shot in shots], dtype=str),
        spacing=np.repeat(spacing[:, None], 2, 1),
        licence=LICENCE,
        **columns,
    )
