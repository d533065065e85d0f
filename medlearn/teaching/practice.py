"""What others might send: a folder with faults, a leaking split, a table of answers."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from medlearn._dataset import Dataset
from medlearn.teaching._leaky_files import leaky_files

__all__ = ["AWAY", "FEWEST", "HOME", "LATER", "export_names", "leaky_files", "predictions", "write"]

HOME, AWAY, LATER = "home.csv", "away.csv", "away_labelled_later.csv"
FEWEST = 20  # images of each site
_TURNED, _CMYK, _DAMAGED, _EMPTY, _TEXT, _COPIED, _DICOM = range(7)  # rows of home.csv
_ORIENTATION, _QUARTER_TURN = 0x0112, 6  # the EXIF tag, and its value for "turn me to display me"

_PATIENTS = [  # of the table of predictions: age group, ill, patients, mean logit
    ("child", 1, 3, 2.0),
    ("child", 0, 5, -2.6),
    ("adult", 1, 14, 0.9),
    ("adult", 0, 18, -2.2),
    ("senior", 1, 13, -0.5),
    ("senior", 0, 11, -1.8),
]

Row = dict[str, str]


def write(home: Dataset, away: Dataset, path: str | Path) -> Path:
    """Write two labelled data sets as picture files with tables, and damage some of them.

    home.csv lists file, label, patient and site, away.csv the same without labels, and
    away_labelled_later.csv those labels. If patients are unknown, there is no column of them.
    Pictures lie at home/CLASS/PATIENT/ and at away/PATIENT/. At home

    - one picture is a photograph to be turned, one is in CMYK, and one is a DICOM file;
    - one picture is a copy of another patient's, and three cannot be read;
    - three rows of the table are wrong, and one label of the first class is in capitals.

    The images are otherwise untouched.

    Parameters
    ----------
    home, away : Dataset
        At least twenty images each, with labels.
    path : str or Path
        The folder; it is made if there is none.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        Without labels, or with fewer than twenty images.
    """
    path = Path(path)
    if home.labels is None or away.labels is None or min(len(home), len(away)) < FEWEST:
        raise ValueError("A practice folder needs two sets of at least twenty images with labels.")
    home_names = [home.classes[label] for label in home.labels]
    away_names = [away.classes[label] for label in away.labels]
    home_rows = [_row(home, index, name, f"home/{name}") for index, name in enumerate(home_names)]
    away_rows = [_row(away, index, name, "away") for index, name in enumerate(away_names)]
    _save_all(home.images, home_rows, path)
    _save_all(away.images, away_rows, path)
    _make_odd(path, home.images, home_rows)
    _damage(path, home_rows)
    _write_table(path / HOME, _with_faults(path, home_rows, home.classes[0]))
    _write_table(path / AWAY, [_without_label(row) for row in away_rows])
    _write_table(path / LATER, away_rows)
    return path


def export_names(seed: int = 0, patients: int = 30) -> tuple[list[str], np.ndarray]:
    """Return names of eye photographs as clinics export them, and whose each is.

    Three clinics number their patients on their own, so clinic1's patient 7 is not clinic2's. The
    number is typed by hand: P7, p007, P-07 and PAT 7 are one person. A date and the eye follow.

    Parameters
    ----------
    seed : int
        Random seed.
    patients : int
        How many people.

    Returns
    -------
    names : list of str
        Two to four images of each person, in random order.
    people : numpy.ndarray of int
        The number of the person, from 0.

    Examples
    --------
    >>> names, people = export_names()
    >>> len(names) == len(people), len(set(people.tolist()))
    (True, 30)
    """
    random = np.random.default_rng(seed)
    pairs = [(clinic, number) for clinic in (1, 2, 3) for number in range(1, patients + 1)]
    order_of_people = random.permutation(len(pairs))[:patients]
    names, people = [], []
    for person, index in enumerate(order_of_people):
        clinic, number = pairs[index]
        for _ in range(random.integers(2, 5)):
            word = random.choice(["P", "p", "P-", "PAT ", "pat_"])
            digits = str(number).zfill(int(random.integers(1, 5)))
            date = f"2024{random.integers(1, 13):02}{random.integers(1, 29):02}"
            ending = random.choice([".png", ".PNG", ".jpg"])
            eye = random.choice(["L", "R"])
            names.append(f"clinic{clinic}/{word}{digits}_{date}_{eye}{ending}")
            people.append(person)
    order = random.permutation(len(names))
    return [names[index] for index in order], np.array(people)[order]


def predictions() -> pd.DataFrame:
    """Return a table of a model's test, as a colleague might send it; it is simulated.

    Returns
    -------
    pandas.DataFrame
        A row per image, four images per patient, with the columns patient, age_group (child, adult
        or senior), ill (0 or 1) and probability (of being ill).

    Examples
    --------
    >>> table = predictions()
    >>> len(table), table.patient.nunique()
    (256, 64)
    """
    random = np.random.default_rng(6)
    rows = []
    for age_group, is_ill, patients, mean in _PATIENTS:
        for _ in range(patients):
            logits = mean + random.normal(0, 1.2) + random.normal(0, 0.6, 4)
            for probability in 1 / (1 + np.exp(-logits)):
                rows.append((age_group, is_ill, round(float(probability), 3)))
    table = pd.DataFrame(rows, columns=["age_group", "ill", "probability"])
    numbers = np.repeat(random.permutation(len(table) // 4), 4) + 101
    table.insert(0, "patient", [f"P{number}" for number in numbers])
    return table.sort_values("patient", ignore_index=True)


def _row(data: Dataset, index: int, label: str, folder: str) -> Row:
    """The row of an image in its table."""
    patient = str(data.patients[index])
    letters = [letter if letter.isalnum() or letter in "-_" else "-" for letter in patient]
    file = f"{folder}/{''.join(letters)}/{index:04d}.png"
    row = {"file": file, "label": label}
    if data.patients_known:
        row["patient"] = patient
    return row | {"site": str(data.domains[index])}


def _without_label(row: Row) -> Row:
    return {column: text for column, text in row.items() if column != "label"}


def _save_all(images: np.ndarray, rows: list[Row], path: Path) -> None:
    for image, row in zip(images, rows, strict=True):
        _save(image, path / row["file"])


def _save(pixels: np.ndarray, file: Path, mode: str = "RGB", **options) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(file, **options)


def _make_odd(path: Path, images: np.ndarray, rows: list[Row]) -> None:
    """The photograph on its side, the one in CMYK and the DICOM file: odd, but readable."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _QUARTER_TURN
    turned = np.rot90(images[_TURNED])
    _save(turned, _replaced(path, rows[_TURNED], ".jpg"), quality=95, exif=exif.tobytes())
    _save(images[_CMYK], _replaced(path, rows[_CMYK], ".jpg"), "CMYK", quality=95)
    patient = rows[_DICOM].get("patient", "")
    _write_dicom(images[_DICOM], patient, _replaced(path, rows[_DICOM], ".dcm"))


def _replaced(path: Path, row: Row, ending: str) -> Path:
    """Delete the file of a row; the path of the file with another ending that takes its place."""
    (path / row["file"]).unlink()
    row["file"] = row["file"].replace(".png", ending)
    return path / row["file"]


def _write_dicom(pixels: np.ndarray, patient: str, file: Path) -> None:
    """Write a colour picture as a viewer's screenshot (DICOM PS3.3 A.8.1, Secondary Capture)."""
    import pydicom  # late: listing data sets needs none of it

    class_uid = pydicom.uid.SecondaryCaptureImageStorage
    instance_uid = pydicom.uid.generate_uid(entropy_srcs=["practice", patient])
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = class_uid
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    picture = pydicom.Dataset()
    picture.file_meta = meta
    picture.SOPClassUID = class_uid
    picture.SOPInstanceUID = instance_uid
    picture.PatientID = patient
    picture.PatientName = "Doe^Jane"
    picture.Modality = "OT"
    picture.set_pixel_data(pixels, "RGB", 8, generate_instance_uid=False)
    picture.save_as(file, enforce_file_format=True)


def _damage(path: Path, rows: list[Row]) -> None:
    """Make three files that cannot be read: cut off, empty, and a text."""
    cut_off = path / rows[_DAMAGED]["file"]
    cut_off.write_bytes(cut_off.read_bytes()[:1500])
    (path / rows[_EMPTY]["file"]).write_bytes(b"")
    (path / rows[_TEXT]["file"]).write_bytes(b"Please find the picture attached.\n")


def _with_faults(path: Path, rows: list[Row], first_class: str) -> list[Row]:
    """The rows with faults, and a row for a copy under another patient's name."""
    sound = rows[_DICOM + 1 :]
    folder = _patient_folder(rows[_COPIED])
    other_patient = next(row for row in sound if _patient_folder(row) != folder)
    copy = other_patient | {"file": other_patient["file"].replace(".png", "_copy.png")}
    (path / copy["file"]).write_bytes((path / rows[_COPIED]["file"]).read_bytes())
    in_capitals = next((row for row in sound[:-2] if row["label"] == first_class), sound[0])
    in_capitals["label"] = in_capitals["label"].upper()
    mistyped = rows[-1] | {"file": rows[-1]["file"].replace(".png", ".pgn")}
    unlabelled = rows[-2] | {"label": ""}
    twice = sound[0]
    return [*rows[:-2], copy, unlabelled, mistyped, twice]


def _patient_folder(row: Row) -> str:
    return row["file"].split("/")[2]


def _write_table(file: Path, rows: list[Row]) -> None:
    with open(file, "w", encoding="utf-8", newline="") as text:
        table = csv.DictWriter(text, rows[0])
        table.writeheader()
        table.writerows(rows)
