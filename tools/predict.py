"""`course.py predict`: the answers of a saved predictor for a file or a folder, as a table.

Spreadsheets read the table: it is UTF-8 with a byte order mark, and no cell becomes a formula.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from medlearn import _files
from medlearn._harmless import harmless

ENCODING = "utf-8-sig"
LONGEST_CELL = 32_000  # signs; Excel takes 32,767
_HEADER = re.compile(r"file,.*,ask_human,problem(,note)?\r?\n?")
_FRAME = re.compile(r"#\d+$")  # an image of a file that holds several


def write(
    model: Path, folder: Path, to: Path, masks: Path | None = None, *, force: bool = False
) -> Iterator[str]:
    """Predict all images of a folder, write the table, and yield what to print.

    Parameters
    ----------
    model : Path
        Folder of a predictor that `Predictor.save` wrote.
    folder : Path
        Holds the images, at any depth; or one image file.
    to : Path
        The table. One that this command wrote before is replaced.
    masks : Path, optional
        Folder for the masks of a segmenter.
    force : bool
        Whether any other file called `to` is replaced, too.

    Raises
    ------
    ValueError
        If there is no image, or the masks cannot be had.
    FileExistsError
        If `to` exists and is not such a table.
    OSError
        If there is no predictor, no folder, or the table cannot be written.
    """
    model, folder, to = model.expanduser(), folder.expanduser(), to.expanduser()
    _check_paths(folder, to, masks, force)
    from medlearn import inference  # late: TensorFlow takes seconds to start

    predictor = inference.load(model)
    if masks is not None and predictor.task != "segmentation":
        raise ValueError(
            f"The predictor in {model} does {predictor.task} and has no masks: leave out --masks."
        )
    table = predictor.predict(folder, to=masks)
    if table.empty:
        raise ValueError(f"{folder} holds no file: name the folder that holds the images.")
    text = _harmless(table).to_csv(index=False, float_format="%.6g", lineterminator="\r\n")
    _files.write_bytes(to, text.encode(ENCODING, errors="replace"))
    yield f"{summary(table)}: {to}"


def summary(table: pd.DataFrame) -> str:
    """Return the counts of a table of `Predictor.predict` as one line."""
    files = table.file.str.replace(_FRAME, "", regex=True).nunique()
    images = table.file.nunique()
    is_problem = table.problem != ""
    problems = table.file[is_problem].nunique()
    for_humans = table.file[table.ask_human.astype(bool) & ~is_problem].nunique()
    noted = table.file[table.note != ""].nunique()
    counted = _count(files, "file")
    if images > files:
        counted += f" with {_count(images, 'image')}"
    return (
        f'{counted}: {_count(images - problems, "answer")} ({for_humans} "ask a human"), '
        f"{_count(problems, 'problem')}" + (f", {_count(noted, 'note')}" if noted else "")
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _check_paths(folder: Path, to: Path, masks: Path | None, force: bool) -> None:
    """Refuse what would fail, or spoil something, only after a long prediction."""
    if not folder.exists():
        raise FileNotFoundError(f"There is no file or folder {folder}: check the path.")
    if to.is_dir():
        raise IsADirectoryError(f"{to} is a folder: name a file in it, such as results.csv.")
    _files.demand_parent(to)
    if not os.access(to.parent, os.W_OK):
        raise PermissionError(f"You may not write to {to.parent}: choose another folder for --to.")
    if to.exists() and not force and not _is_results(to):
        raise FileExistsError(
            f"{to} exists and is not a table of this command: choose another name, or add --force."
        )
    for option, path in (("--to", to), ("--masks", masks)):
        if path is not None and path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"{path} lies among the images and would be taken for one the next time: choose a "
                f"place outside {folder} for {option}."
            )


def _is_results(path: Path) -> bool:
    with path.open(encoding=ENCODING, errors="replace", newline="") as file:
        return _HEADER.fullmatch(file.readline(100_000)) is not None


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with texts and names of columns that no spreadsheet runs."""

    def cell(value):
        return harmless(value, LONGEST_CELL) if isinstance(value, str) else value

    return table.map(cell).rename(columns=cell)
