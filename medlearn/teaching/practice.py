"""A folder as a hospital might send it: two sites, three tables, and the faults that real folders have (for lesson 16)."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn._dataset import Dataset

HOME, AWAY, LATER = "home.csv", "away.csv", "away_labelled_later.csv"
_DICOM = 6
_UPSIDE_RIGHT, _ORIENTATION = (
    6,
    0x0112,
)  # the EXIF tag that says: turn me by a quarter when you show me


def write(home: Dataset, away: Dataset, path: str | Path) -> Path:
    """Write two labelled data sets as picture files with tables below the folder `path`, damage some; returns `path`.

    home.csv lists file, label, patient and site, away.csv the same without labels, and away_labelled_later.csv those
    labels; where patients are unknown there is no column of them. Pictures lie at home/CLASS/PATIENT/ and at
    away/PATIENT/. At home one picture is a photograph to be turned, one is in CMYK, and one a DICOM file; one is a copy of
    another patient's, three cannot be read, three rows of the table are wrong, and one of the first class has its label
    in capitals. The images of the data sets are otherwise untouched. Raises ValueError without labels or with fewer than twenty images.
    """
    path = Path(path)
    if home.labels is None or away.labels is None or min(len(home), len(away)) < 20:
        raise ValueError("A practice folder needs two sets of at least twenty images with labels.")
    rows = [
        _row(home, place, f"home/{home.classes[home.labels[place]]}") for place in range(len(home))
    ]
    for place, row in enumerate(rows):
        _save(home.images[place], path / row["file"])
    later = [_row(away, place, "away") for place in range(len(away))]
    for place, row in enumerate(later):
        _save(away.images[place], path / row["file"])
    _odd(path, home.images, rows)
    _table(path / HOME, _faulty(path, rows, home.classes[0]))
    _table(
        path / AWAY, [{key: value for key, value in row.items() if key != "label"} for row in later]
    )
    _table(path / LATER, later)
    return path


def _row(data: Dataset, place: int, folder: str) -> dict[str, str]:
    who = str(data.patients[place])
    name = "".join(each if each.isalnum() or each in "-_" else "-" for each in who)
    row = {"file": f"{folder}/{name}/{place:04d}.png", "label": data.classes[data.labels[place]]}
    return (
        row | ({"patient": who} if data.patients_known else {}) | {"site": str(data.domains[place])}
    )


def _save(pixels: np.ndarray, file: Path, mode: str = "RGB", **options) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(file, **options)


def _odd(path: Path, pixels: np.ndarray, rows: list[dict[str, str]]) -> None:
    """The photograph on its side, the one in CMYK and the DICOM file: odd, and still to be read."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _UPSIDE_RIGHT
    changes = {
        0: (np.rot90(pixels[0]), "RGB", {"quality": 95, "exif": exif.tobytes()}),
        1: (pixels[1], "CMYK", {"quality": 95}),
    }
    for place, (picture, mode, options) in changes.items():
        (path / rows[place]["file"]).unlink()
        rows[place]["file"] = rows[place]["file"].replace(".png", ".jpg")
        _save(picture, path / rows[place]["file"], mode, **options)
    (path / rows[_DICOM]["file"]).unlink()
    rows[_DICOM]["file"] = rows[_DICOM]["file"].replace(".png", ".dcm")
    _dicom(pixels[_DICOM], rows[_DICOM].get("patient", ""), path / rows[_DICOM]["file"])


def _dicom(pixels: np.ndarray, patient: str, file: Path) -> None:
    """A colour picture as a viewer's screenshot comes (DICOM PS3.3 A.8.1, Secondary Capture)."""
    import pydicom  # late: listing data sets needs none of it

    kind, itself = (
        "1.2.840.10008.5.1.4.1.1.7",
        pydicom.uid.generate_uid(entropy_srcs=["practice", patient]),
    )
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, itself
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    picture = pydicom.Dataset()
    picture.file_meta, picture.SOPClassUID, picture.SOPInstanceUID = meta, kind, itself
    picture.PatientID, picture.PatientName, picture.Modality = patient, "Doe^Jane", "OT"
    picture.set_pixel_data(pixels, "RGB", 8, generate_instance_uid=False)
    picture.save_as(file, enforce_file_format=True)


def _faulty(path: Path, rows: list[dict[str, str]], usual: str) -> list[dict[str, str]]:
    """The rows with four faults in the table, three files beyond repair, and a copy under another patient's name."""
    cut, empty, other = (path / rows[place]["file"] for place in (2, 3, 4))
    cut.write_bytes(cut.read_bytes()[:1500])
    empty.write_bytes(b"")
    other.write_bytes(b"Please find the picture attached.\n")
    copied = next(
        row for row in rows[7:] if row["file"].split("/")[2] != rows[5]["file"].split("/")[2]
    )
    twin = copied | {"file": copied["file"].replace(".png", "_copy.png")}
    (path / twin["file"]).write_bytes((path / rows[5]["file"]).read_bytes())
    shouted = next((row for row in rows[7:-2] if row["label"] == usual), rows[7])
    shouted["label"] = shouted["label"].upper()
    mistyped = rows[-1] | {"file": rows[-1]["file"].replace(".png", ".pgn")}
    unlabelled = rows[-2] | {"label": ""}
    return [*rows[:-2], twin, unlabelled, mistyped, rows[7]]


def _table(file: Path, rows: list[dict[str, str]]) -> None:
    with open(file, "w", encoding="utf-8", newline="") as text:
        table = csv.DictWriter(text, rows[0])
        table.writeheader()
        table.writerows(rows)
