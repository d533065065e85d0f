"""The folder of what a class hands in: who, with which file, and what is refused and why."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medlearn import _files
from medlearn.teaching.challenge import _mask_files, _tables
from medlearn.teaching.challenge._seal import SUFFIX, Seal

MOST_FILES = 20_000


@dataclass(frozen=True, eq=False)
class HandIn:
    """What one person handed in.

    Attributes
    ----------
    name : str
        Name of the file or folder.
    predictions : numpy.ndarray or None
        Class indices (M,) or masks (M, H, W); None if it was refused.
    method : str
        What was done, in the words of the person.
    problem : str
        Why it was refused; empty if it was not.
    """

    name: str
    predictions: np.ndarray | None
    method: str = ""
    problem: str = ""


def read(folder: Path, seal: Seal) -> list[HandIn]:
    """Read all hand-ins of a folder; nothing in them is run.

    Parameters
    ----------
    folder : Path
        Holds for each person a file of the person's name, or a folder with one hand-in.
    seal : Seal
        The envelope of the challenge.

    Returns
    -------
    list of HandIn
        By name; those that were refused, too.

    Raises
    ------
    ValueError
        If there is nothing to read, or too much.
    """
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is not a folder; expected one that holds a file or a folder for each person."
        )
    people = _by_person(folder, seal.task)
    if not people:
        is_kinds = seal.task == "kinds"
        expected = "a .csv file" if is_kinds else "an .npz file, or a folder of .png files,"
        raise ValueError(f"{folder} holds no hand-in: expected {expected} for each person.")
    spelt = Counter(_spelling(name) for name, _ in people)
    handins = []
    for name, files in people:
        if spelt[_spelling(name)] > 1:
            problem = "two hand-ins have this name; keep one, or give each a name of its own"
            handins.append(HandIn(name, None, problem=problem))
        else:
            handins.append(_read_one(name, files, seal))
    return sorted(handins, key=lambda handin: handin.name)


def _read_one(name: str, files: list[Path], seal: Seal) -> HandIn:
    try:
        predictions, method = (_table if seal.task == "kinds" else _masks)(files, seal)
    except OSError as error:
        return HandIn(name, None, problem=f"it cannot be read ({error.strerror or error})")
    except ValueError as error:
        return HandIn(name, None, problem=str(error))
    return HandIn(name, predictions, method)


def _table(files: list[Path], seal: Seal) -> tuple[np.ndarray, str]:
    tables = [path for path in files if path.suffix.casefold() == ".csv"]
    data = _bytes(_only(tables, "table (.csv)"), _tables.LARGEST)
    predictions, method = _tables.read_predictions(data, seal.ids, seal.classes)
    return predictions, _method(files) or method


def _masks(files: list[Path], seal: Seal) -> tuple[np.ndarray, str]:
    ids, shape, classes = seal.ids, seal.truth.labels.shape[1:], len(seal.classes)
    pngs = [path for path in files if path.suffix.casefold() == ".png"]
    archives = [path for path in files if path.suffix.casefold() == ".npz"]
    if pngs and not archives:
        names = Counter(path.stem.casefold() for path in pngs)
        _tables.refuse("masks that are there twice", [n for n in names if names[n] > 1])
        masks = _mask_files.from_pngs({path.stem: path for path in pngs}, ids, shape, classes)
    else:
        archive = _only(archives, "file of masks (.npz), or only pictures (.png)")
        masks = _mask_files.from_npz(archive, ids, shape, classes)
    return masks, _method(files)


def _only(files: list[Path], expected: str) -> Path:
    if len(files) != 1:
        raise ValueError(f"there are {len(files)} files, expected one {expected}")
    return files[0]


def _method(files: list[Path]) -> str:
    for path in files:
        if path.suffix.casefold() == ".txt":
            data = path.open("rb").read(4 * _tables.LONGEST_METHOD)
            return _tables.one_sentence(data.decode("utf-8-sig", errors="replace"))
    return ""


def _bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)


def _spelling(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _by_person(folder: Path, task: str) -> list[tuple[str, list[Path]]]:
    """Names and files: a folder of its own, or a file and a text of the same name beside it."""
    main = ".csv" if task == "kinds" else ".npz"
    people, texts, count = [], {}, 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or path.name.endswith(SUFFIX):
            continue
        if path.is_dir():
            files = list(_files_below(path, MOST_FILES - count))
            count += len(files)
            people.append((path.name, files))
        elif path.suffix.casefold() == main:
            people.append((path.stem, [path]))
        elif path.suffix.casefold() == ".txt":
            texts[path.stem] = path
    for name, files in people:
        if len(files) == 1 and files[0].parent == folder and name in texts:
            files.append(texts[name])
    return people


def _files_below(folder: Path, most: int) -> Iterator[Path]:
    """The files of a person, in order; ValueError if they are more than `most`."""
    for count, path in enumerate(_files.visible_files(folder), start=1):
        if count > most:
            raise ValueError(
                f"{folder} and what comes before it hold more than {MOST_FILES} files; mark class "
                "by class."
            )
        yield path
