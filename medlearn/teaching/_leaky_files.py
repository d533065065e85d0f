"""A table whose split leaks in three ways, with its pictures: the open task of lesson 01."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from medlearn.instruments import smear

PEOPLE, CELLS_EACH, COPIES = 12, 4, 8
_TWO_SPELLINGS = (2, 7)  # people whose id is written in two ways
_OF_A_PATIENT = 10  # cells that the microscope makes of each patient
_SIDE, _SEED = 96, 5


def leaky_files() -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table of files with a split that leaks, and the pictures of the files.

    The cells are simulated. Files were divided by chance, so that patients are on both sides; some
    ids are written in two ways; and some pictures occur a second time, saved anew or darker, under
    the id of another hospital.

    Returns
    -------
    files : pandas.DataFrame
        The columns file, patient, cell and split ("train" or "test").
    images : numpy.ndarray of uint8, shape (N, 96, 96, 3)
        The picture of each file.

    Examples
    --------
    >>> from medlearn.teaching import practice
    >>> files, images = practice.leaky_files()
    >>> len(files) == len(images) == 56
    True
    """
    files, person, number = rows()
    cells = smear.single_cells("lab-a", PEOPLE * _OF_A_PATIENT, size=_SIDE, seed=_SEED)
    source = person * _OF_A_PATIENT + number
    images = cells.images[source].copy()
    is_copy = files["patient"].str.startswith("H").to_numpy()
    is_darker = is_copy & (number % 2 == 0)
    is_saved_anew = is_copy & ~is_darker
    images[is_darker] = (0.8 * images[is_darker]).astype(np.uint8)
    images[is_saved_anew] = [_saved_anew(image) for image in images[is_saved_anew]]
    names = np.array(cells.classes)[cells.labels]
    files.insert(2, "cell", names[source])
    return files, images


def rows() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the table without its pictures, the person of each file, and which cell it is."""
    rng = np.random.default_rng(_SEED)
    person = np.repeat(np.arange(PEOPLE), CELLS_EACH)
    number = np.tile(np.arange(CELLS_EACH), PEOPLE)
    patients = [_written(index // CELLS_EACH, index % CELLS_EACH) for index in range(len(person))]
    copied = rng.permutation(len(person))[:COPIES]
    person, number = np.append(person, person[copied]), np.append(number, number[copied])
    patients += [f"H{100 + 7 * index}" for index in range(COPIES)]
    order = rng.permutation(len(person))
    table = {
        "file": [f"{index:03d}.png" for index in range(len(order))],
        "patient": np.array(patients)[order],
        "split": np.where(rng.random(len(order)) < 0.3, "test", "train"),
    }
    return pd.DataFrame(table), person[order], number[order]


def _written(person: int, number: int) -> str:
    """The id of a patient; some are written in another way in half of their rows."""
    if person in _TWO_SPELLINGS and number % 2:
        return f"p{person + 1:02d}"
    return f"P-{person + 1:02d}"


def _saved_anew(image: np.ndarray) -> np.ndarray:
    """The image after compression as JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))
