"""Where a challenge lies: the students' folder, the envelope, and what a kill left of both.

The envelope is written first, under the hidden name of something unfinished; then the folder gets
its place, then the envelope its name. Whoever finds an unfinished envelope can go on with it.
"""

import filecmp
import os
from pathlib import Path

from medlearn import _drafts, _files
from medlearn.teaching.challenge._seal import SUFFIX, Seal

_HOLDS = "{} holds something: name a new or empty folder."
_BUSY = "Another process writes the same challenge ({}): wait until it has ended."


def envelope_of(folder: Path) -> Path:
    """Return where the envelope of a students' folder lies by default: beside it.

    Parameters
    ----------
    folder : Path
        The students' folder.
    """
    folder = folder.resolve()
    return folder.with_name(folder.name + SUFFIX)


def unfinished(envelope: Path) -> Path:
    """Return the name of an envelope until its folder is in its place.

    Parameters
    ----------
    envelope : Path
        The envelope's own name.
    """
    return envelope.with_name(f".{envelope.name}.unfinished")


def check(to: Path, envelope: Path, is_begun: bool) -> None:
    """Refuse places that a challenge cannot have.

    Parameters
    ----------
    to : Path
        The students' folder.
    envelope : Path
        The teacher's file.
    is_begun : bool
        Whether a kill left this challenge unfinished; a part of it may then be in the folder.

    Raises
    ------
    ValueError
        For an envelope inside the students' folder, or of another ending.
    FileExistsError
        If the folder holds something, or the envelope exists.
    FileNotFoundError
        If the envelope's folder does not exist.
    """
    if to.exists() and not to.is_dir():
        raise FileExistsError(f"{to} is a file: name a new or empty folder for the students.")
    if to.is_dir() and any(to.iterdir()) and not is_begun:
        raise FileExistsError(_HOLDS.format(to))
    if envelope.exists():
        raise FileExistsError(
            f"The envelope {envelope} exists, and without it its challenge cannot be marked: "
            "choose another name."
        )
    if envelope.suffix != ".npz":
        raise ValueError(f"The envelope {envelope} should end in .npz.")
    if envelope.resolve().is_relative_to(to.resolve()):
        raise ValueError(
            f"The envelope {envelope} would lie in the students' folder, where all could open it: "
            "choose a place outside."
        )
    _files.demand_parent(envelope)


def save_first(seal: Seal, path: Path) -> None:
    """Write an envelope where there is none.

    Parameters
    ----------
    seal : Seal
        What it holds.
    path : Path
        What `unfinished` returned.

    Raises
    ------
    FileExistsError
        If another process has written one there meanwhile.
    """
    temporary = _drafts.beside(path)
    seal.save(temporary)
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise FileExistsError(_BUSY.format(path)) from error
    except OSError as error:  # a disk without links
        if path.exists():
            raise FileExistsError(_BUSY.format(path)) from error
        os.rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def put(draft: Path, place: Path, begun: Path, envelope: Path) -> None:
    """Give the students' folder its name, then the envelope.

    Parameters
    ----------
    draft : Path
        The whole folder, beside its place.
    place : Path
        The place of the folder; in a folder that is there, what it lacks is put.
    begun : Path
        The envelope under the name of `unfinished`.
    envelope : Path
        The envelope's own name.

    Raises
    ------
    FileExistsError
        If the folder holds anything but a part of this challenge.
    """
    _put_folder(draft, place)
    try:
        os.replace(begun, envelope)
    except FileNotFoundError:
        if not envelope.exists():  # else another call went on with this challenge, and has ended
            raise


def _put_folder(draft: Path, place: Path) -> None:
    if not place.exists():
        os.replace(draft, place)
        return
    _check_part_of(place, draft)
    for path in sorted(draft.iterdir()):
        if not (place / path.name).exists():
            os.replace(path, place / path.name)


def _check_part_of(place: Path, draft: Path) -> None:
    """Raise FileExistsError if a folder holds anything but a part of this challenge."""
    for path in place.rglob("*"):
        same = draft / path.relative_to(place)
        if path.is_symlink() or path.is_dir() != same.is_dir():
            raise FileExistsError(_HOLDS.format(place))
        if path.is_file() and not (same.is_file() and filecmp.cmp(path, same, shallow=False)):
            raise FileExistsError(_HOLDS.format(place))
