"""A folder as a hospital might send it: two sites, three tables, and the faults that real folders have (for lesson 16)."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn.datasets.dataset import Dataset

HOME, AWAY, LATER = "home.csv", "away.csv", "away_labelled_later.csv"
_UPSIDE_RIGHT, _ORIENTATION = 6, 0x0112           # the EXIF tag that says: turn me by a quarter when you show me


def write(home: Dataset, away: Dataset, path: str | Path) -> Path:
    """Write two labelled data sets as picture files with tables below the folder `path`, damage some; returns `path`.

    home.csv lists file, label, patient and site, away.csv the same without labels, and away_labelled_later.csv those
    labels. Pictures lie at home/CLASS/PATIENT/ and at away/PATIENT/. At home one picture is a photograph to be turned,
    one is in CMYK; one is a copy of another patient's, three cannot be read, and three rows of the table are wrong. The
    images of the data sets are otherwise untouched. Raises ValueError without labels or with fewer than ten images.
    """
    path = Path(path)
    if home.labels is None or away.labels is None or min(len(home), len(away)) < 10:
        raise ValueError("A practice folder needs two sets of at least ten images with labels.")
    rows = [_row(home, place, f"home/{home.classes[home.labels[place]]}") for place in range(len(home))]
    for place, row in enumerate(rows):
        _save(home.images[place], path / row["file"])
    later = [_row(away, place, "away") for place in range(len(away))]
    for place, row in enumerate(later):
        _save(away.images[place], path / row["file"])
    _odd(path, home.images, rows)
    _table(path / HOME, _faulty(path, rows))
    _table(path / AWAY, [{key: value for key, value in row.items() if key != "label"} for row in later])
    _table(path / LATER, later)
    return path


def _row(data: Dataset, place: int, folder: str) -> dict[str, str]:
    who = str(data.patients[place])
    name = "".join(each if each.isalnum() or each in "-_" else "-" for each in who)
    return {"file": f"{folder}/{name}/{place:04d}.png", "label": data.classes[data.labels[place]],
            "patient": who if data.patients_known else "", "site": str(data.domains[place])}


def _save(pixels: np.ndarray, file: Path, mode: str = "RGB", **options) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(file, **options)


def _odd(path: Path, pixels: np.ndarray, rows: list[dict[str, str]]) -> None:
    """The photograph on its side and the one in CMYK: odd, and still to be read."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _UPSIDE_RIGHT
    changes = {0: (np.rot90(pixels[0]), "RGB", {"quality": 95, "exif": exif.tobytes()}), 1: (pixels[1], "CMYK", {"quality": 95})}
    for place, (picture, mode, options) in changes.items():
        (path / rows[place]["file"]).unlink()
        rows[place]["file"] = rows[place]["file"].replace(".png", ".jpg")
        _save(picture, path / rows[place]["file"], mode, **options)


def _faulty(path: Path, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with three faults in the table, three files beyond repair, and a copy under another patient's name."""
    cut, empty, other = (path / rows[place]["file"] for place in (2, 3, 4))
    cut.write_bytes(cut.read_bytes()[:1500])
    empty.write_bytes(b"")
    other.write_bytes(b"Please find the picture attached.\n")
    copied = next(row for row in rows[6:] if row["file"].split("/")[2] != rows[5]["file"].split("/")[2])
    twin = copied | {"file": copied["file"].replace(".png", "_copy.png")}
    (path / twin["file"]).write_bytes((path / rows[5]["file"]).read_bytes())
    mistyped = rows[-1] | {"file": rows[-1]["file"].replace(".png", ".pgn")}
    unlabelled = rows[-2] | {"label": ""}
    return [*rows[:-2], twin, unlabelled, mistyped, rows[7]]


def _table(file: Path, rows: list[dict[str, str]]) -> None:
    with open(file, "w", encoding="utf-8", newline="") as text:
        table = csv.DictWriter(text, rows[0])
        table.writeheader()
        table.writerows(rows)
