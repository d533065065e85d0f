"""The microscope: single cells and wide fields of simulated blood films, with known truth."""

import math
from numbers import Integral
from typing import Any

import numpy as np

from medlearn._dataset import Dataset
from medlearn.instruments.smear._cell_types import CLASSES
from medlearn.instruments.smear._cells import leukocyte
from medlearn.instruments.smear._laboratories import Laboratory
from medlearn.instruments.smear._mixing import adjust
from medlearn.instruments.smear._optics import draw_exposure, photograph
from medlearn.instruments.smear._patients import draw_patient, stream
from medlearn.instruments.smear._presets import find, unknown
from medlearn.instruments.smear._randomisation import random_laboratory
from medlearn.instruments.smear._scene import FIELD_CLASSES, boxes, compose

MASK_CLASSES = ("background", "cytoplasm", "nucleus")
LICENCE = "Apache-2.0 (simulated; no patient was ever here)"
CELLS_PER_PATIENT = 2 * len(CLASSES)
FIELDS_PER_PATIENT = 4
CELL_FRAME_PX, FIELD_FRAME_PX = 128, 640  # frame widths that Magnification refers to
WIDEST_UM_PER_PX = 0.30  # at those widths; neighbours are drawn for a frame this wide (assumption)
NEIGHBOUR_SHARE = 0.06  # frames with a second leukocyte cut by the border (assumption)
DIFFERENTIAL = (0.58, 0.29, 0.07, 0.045, 0.015)  # adult differential count (Bain 2015, ch. 5)


def single_cells(
    laboratory: Laboratory | str, count: int, size: int = 128, seed: int = 0, first: int = 0
) -> Dataset:
    """`count` frames of `size` x `size` pixels, one leukocyte in the middle of each; five classes, near
    balanced.

    `laboratory` is a Laboratory, a name of LABORATORIES, or "random" for a new random laboratory per image.
    Ten cells, two of each class in random order, come from one patient. The same seed gives the same patients
    and cells in every laboratory, and the first cells of a larger count are the same as those of a smaller
    one; `first` is the number, from 0, of the cell to begin with. Raises ValueError for an unknown laboratory,
    a negative count, seed or first, a size under 32.
    """
    _whole_number("count", count, 0), _whole_number("size", size, 32)
    _whole_number("seed", seed, 0), _whole_number("first", first, 0)
    laboratories = _laboratories(laboratory, seed)
    shots, labels, patients = [], [], []
    for number in range(first, first + count):
        patient, turn = divmod(number, CELLS_PER_PATIENT)
        if turn == 0 or number == first:
            order = stream("labels", seed, patient).permutation(CELLS_PER_PATIENT) % len(CLASSES)
        bench, label = laboratories(number), int(order[turn])
        shots.append(
            (bench.name, *_single_cell(bench, label, (seed, patient), (seed, number), size))
        )
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
    """A Dataset of one cell of class `label` (name or index): the same cell for the same seed and patient
    everywhere.

    `patient` numbers the patients of seed 0; `changes` turn single dials as in `adjust`, e.g. `blur_um=0.5`.
    Raises ValueError for an unknown laboratory, class or parameter.
    """
    (
        _whole_number("seed", seed, 0),
        _whole_number("patient", patient, 0),
        _whole_number("size", size, 32),
    )
    index = CLASSES.index(label) if label in CLASSES else label
    if isinstance(index, bool) or not isinstance(index, Integral) or not 0 <= index < len(CLASSES):
        raise ValueError(unknown("class", label, CLASSES))
    bench = random_laboratory(seed) if laboratory == "random" else find(laboratory, "random")
    bench = adjust(bench, **changes)
    shot = (bench.name, *_single_cell(bench, int(index), (0, patient), (seed,), size))
    return _cells([shot], size, [_patient_id(0, patient)], [index])


def fields(
    laboratory: Laboratory | str,
    count: int,
    height: int = 480,
    width: int = 640,
    seed: int = 0,
    first: int = 0,
) -> Dataset:
    """`count` wide fields of view with boxes of red cells, leukocytes and platelets; four fields per patient.

    The same piece of the film is shown whatever the width in pixels. `first` and errors are those of
    `single_cells`.
    """
    (
        _whole_number("count", count, 0),
        _whole_number("seed", seed, 0),
        _whole_number("first", first, 0),
    )
    _whole_number("height", height, 32), _whole_number("width", width, 32)
    laboratories = _laboratories(laboratory, seed)
    shots, found, patients = [], [], []
    for number in range(first, first + count):
        patient = number // FIELDS_PER_PATIENT
        bench = laboratories(number)
        *shot, field_boxes = _field(bench, (seed, patient), (seed, number), (height, width))
        shots.append((bench.name, *shot))
        found.append(field_boxes)
        patients.append(_patient_id(seed, patient))
    return _dataset(
        shots,
        (height, width),
        patients,
        name="smear-fields",
        twin="bccd",
        classes=FIELD_CLASSES,
        boxes=found,
    )


def _single_cell(
    laboratory: Laboratory,
    label: int,
    patient_key: tuple[int, ...],
    cell_key: tuple[int, ...],
    size: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Image, mask of the central cell and um per pixel."""
    patient, rendering = draw_patient(*patient_key), stream("rendering", *cell_key)
    exposure = draw_exposure(rendering)
    lens = laboratory.magnification
    um = lens.um_per_px * float(np.exp(lens.um_per_px_sd * exposure.zoom)) * CELL_FRAME_PX / size
    place, frame = stream("neighbour", *cell_key), (size, size)
    offset, angle, kind, present = place.standard_normal(2), *place.random(3).tolist()
    middle = (size - 1) / 2
    centre = tuple((middle + 0.03 * size * offset).tolist())
    cell = leukocyte(
        stream("cell", *cell_key), CLASSES[label], patient, laboratory, frame, centre, um
    )
    leukocytes = [cell]
    if present < NEIGHBOUR_SHARE:
        away, turn = 0.72 * size, 2 * math.pi * angle
        beside = (middle + away * math.sin(turn), middle + away * math.cos(turn))
        other = CLASSES[min(int(np.searchsorted(np.cumsum(DIFFERENTIAL), kind)), len(CLASSES) - 1)]
        leukocytes.insert(0, leukocyte(place, other, patient, laboratory, frame, beside, um))
    scene = compose(
        stream("scene", *cell_key),
        leukocytes,
        laboratory.red_cells,
        patient,
        frame,
        um,
        WIDEST_UM_PER_PX * CELL_FRAME_PX,
    )
    mask = np.zeros(frame, np.uint8)
    mask[cell.grid.window] = cell.mask
    return photograph(rendering, scene, exposure, laboratory, patient), mask, um


def _field(
    laboratory: Laboratory,
    patient_key: tuple[int, int],
    field_key: tuple[int, int],
    frame: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Image, mask of all leukocytes, um per pixel and boxes."""
    patient, rendering = draw_patient(*patient_key), stream("rendering", *field_key)
    exposure, place = draw_exposure(rendering), stream("neighbour", *field_key)
    lens = laboratory.magnification
    um = (
        lens.field_um_per_px
        * float(np.exp(lens.um_per_px_sd * exposure.zoom))
        * FIELD_FRAME_PX
        / frame[1]
    )
    wanted, spots, kinds = (
        int(place.integers(1, 4)),
        place.random((60, 2)) * frame,
        place.random(60),
    )
    centres: list[tuple[float, float]] = []
    for spot in spots:
        if len(centres) < wanted and all(np.hypot(*(spot - other)) * um > 17 for other in centres):
            centres.append(tuple(spot.tolist()))
    names = [
        CLASSES[min(int(n), len(CLASSES) - 1)]
        for n in np.searchsorted(np.cumsum(DIFFERENTIAL), kinds)
    ]
    leukocytes = [
        leukocyte(stream("cell", *field_key, number), name, patient, laboratory, frame, centre, um)
        for number, (name, centre) in enumerate(zip(names, centres))
    ]
    scene = compose(
        stream("scene", *field_key),
        leukocytes,
        laboratory.red_cells,
        patient,
        frame,
        um,
        WIDEST_UM_PER_PX * FIELD_FRAME_PX,
    )
    image = photograph(rendering, scene, exposure, laboratory, patient)
    return image, scene.mask, um, boxes(scene)


def _laboratories(laboratory: Laboratory | str, seed: int):
    """The laboratory of each image: always the same one, or for "random" one of its own."""
    if laboratory == "random":
        return lambda number: random_laboratory((seed, number))
    found = find(laboratory, "random")
    return lambda number: found


def _patient_id(seed: int, patient: int) -> str:
    return f"s{seed}-p{patient:04d}"


def _whole_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")


def _cells(shots: list, size: int, patients: list[str], labels: list[int]) -> Dataset:
    return _dataset(
        shots,
        (size, size),
        patients,
        name="smear",
        twin="wbc",
        classes=CLASSES,
        labels=np.array(labels, np.int64),
    )


def _dataset(shots: list, frame: tuple[int, int], patients: list[str], **columns) -> Dataset:
    """Shots (domain, image, mask, um per pixel) of one frame size, and what else is known of them."""
    domains, images, masks, spacing = zip(*shots) if shots else ((), (), (), ())
    return Dataset(
        images=np.array(images, np.uint8).reshape(-1, *frame, 3),
        masks=np.array(masks, np.uint8).reshape(-1, *frame),
        mask_classes=MASK_CLASSES,
        patients=np.array(patients, dtype=str),
        patients_known=True,
        domains=np.array(domains, dtype=str),
        spacing=np.repeat(np.array(spacing, float)[:, None], 2, 1),
        licence=LICENCE,
        **columns,
    )
