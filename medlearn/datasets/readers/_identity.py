"""The secret behind the pseudonyms of a study, and file names without the names of patients."""

import os
import re
import secrets
import shlex
import stat
import tempfile
import unicodedata
import warnings
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from medlearn import _files, _pseudonyms

_BYTES = 32
_DISTINCT = 8  # of 32 random bytes, 29 or more differ as a rule
_OTHERS = 0o077  # rights of the group and of all others
_RESTORE = "Restore it from a backup, or delete it"
_SHORTEST = 2  # characters of an identifier that is looked for in file names
_SURE = 4  # characters of one that a letter beside its digits does not change
_LONGEST_ENDING = 5  # characters, as of ".tiff"
_MARK = "\0"  # stands for the pseudonym, and is in no file name


def pseudonym(identifier: str, study: str | None = None) -> str:
    """Return the pseudonym of a patient or a series in a study; "" stays "".

    Parameters
    ----------
    identifier : str
        What the hospital calls the patient.
    study : str, optional
        Name of the study. One study has one secret on this machine, so a patient who appears in
        two of its folders has one pseudonym. Default: the secret that all unnamed studies share.
    """
    if not identifier.strip():
        return ""
    composed = unicodedata.normalize("NFC", identifier)  # accents differ between file systems
    return _pseudonyms.pseudonym(composed, secret(study))


def hidden(
    name: str, identifier: str, study: str | None = None, span: tuple[int, int] | None = None
) -> str:
    """Return a file name in which the patient's identifier is replaced by the pseudonym.

    Parameters
    ----------
    name : str
        Path of a file as the user names it, with "/" between the folders.
    identifier : str
        What the hospital calls the patient; "" hides nothing.
    study : str, optional
        As in `pseudonym`.
    span : (int, int), optional
        Start and end of a place in the name that holds the identifier, such as in "12L.png".
    """
    identifier = identifier.strip()
    if not identifier:
        return name
    if span is not None:
        name = name[: span[0]] + _MARK + name[span[1] :]
    if len(identifier) < _SHORTEST:
        parts = name.split("/")
        name = "/".join(_MARK if part == identifier else part for part in parts)
        return name.replace(_MARK, pseudonym(identifier, study))
    for spelling in {unicodedata.normalize(form, identifier) for form in ("NFC", "NFD")}:
        name = _marked(name, spelling)
        if len(identifier) >= _SURE:
            parts = [_in_doubt(part, spelling, study) for part in name.split("/")]
            name = "/".join(parts)
    return name.replace(_MARK, pseudonym(identifier, study))


def _marked(name: str, identifier: str) -> str:
    """Return a name in which a mark replaces an identifier, where it is no part of a longer one."""
    lower, wanted = _lower(name), _lower(identifier)
    marked, done = "", 0
    start = lower.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not _goes_on(lower[:start][-1:], wanted[0], len(wanted)) and not _goes_on(
            lower[end : end + 1], wanted[-1], len(wanted)
        ):
            marked, done = marked + name[done:start] + _MARK, end
        start = lower.find(wanted, max(start + 1, done))
    return marked + name[done:]


def _goes_on(neighbour: str, edge: str, length: int) -> bool:
    """Say whether an identifier goes on beside its edge.

    "12" goes on in "2012" and "12L", and "700101" in "1700101", but not in "700101L".
    """
    if not neighbour.isascii() or not neighbour.isalnum():
        return False
    return length < _SURE or neighbour.isdigit() == edge.isdigit()


def _in_doubt(part: str, identifier: str, study: str | None) -> str:
    """Return a part of a path, or a pseudonym of all of it if it holds the identifier after all.

    "SmithJohn.png" may be called after the patient Smith.
    """
    if _lower(identifier) not in _lower(part):
        return part
    ending = os.path.splitext(part)[1]
    return pseudonym(part, study) + (ending if len(ending) <= _LONGEST_ENDING else "")


def _lower(text: str) -> str:
    """Return a text in small letters, of the same length."""
    return text.lower() if text.isascii() else "".join(letter.lower()[:1] for letter in text)


def secret(study: str | None = None) -> bytes:
    """Return the 32 secret bytes of a study; they are made at the first call and stay in the cache.

    Parameters
    ----------
    study : str, optional
        As in `pseudonym`.

    Raises
    ------
    ValueError
        If the stored secret is damaged or open to others, or the name of the study is no plain
        name.
    """
    return _secret(_path(study))


def _path(study: str | None) -> Path:
    if study is None:
        return _files.cache() / "patients.salt"
    if not re.fullmatch(r"[\w .-]{1,80}", study) or study.startswith("."):
        raise ValueError(
            f"study must be a name of letters, digits, spaces, dots and hyphens; it was {study!r}."
        )
    return _files.cache() / f"patients of {study}.salt"


@lru_cache(maxsize=64)
def _secret(path: Path) -> bytes:
    try:
        if not path.exists():
            with _files.locked(path):  # of several, the first makes it
                if not path.exists():
                    _files.write_atomically(path, _write_secret)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # to read a pipe would never end
            _refuse(path, "is no file but a folder, a pipe or a device")
        data = path.read_bytes()
        is_open = os.name == "posix" and mode & _OTHERS and _has_rights(path.parent)
        is_closed_now = is_open and _close(path)
    except OSError as error:
        return _secret_of_this_session(path, error)
    if len(data) != _BYTES:
        _refuse(path, f"is damaged: it has {len(data)} bytes and not {_BYTES}")
    if len(set(data)) < _DISTINCT:  # zeros are what a power cut may leave
        problem = f"is damaged: a good one has {_DISTINCT} different bytes or more, and this one"
        _refuse(path, f"{problem} has {len(set(data))}")
    if is_open and not is_closed_now:
        problem = f"may be read or changed by others (its rights are {stat.S_IMODE(mode):o})"
        close = f"chmod 600 {shlex.quote(str(path))}"
        _refuse(path, problem, f"Close it with {close}, or, if others may have seen it, delete it")
    return data


def _has_rights(folder: Path) -> bool:
    """Say whether files that one makes in a folder keep their rights; on a stick they may not."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # for the owner only
            return not os.fstat(file.fileno()).st_mode & _OTHERS
    except OSError:  # a folder that is only read, such as a teacher's
        return False


def _close(path: Path) -> bool:
    """Take the rights of others from one's own file, as a hub gives them to all files of a home."""
    try:
        os.chmod(path, 0o600)
    except OSError:  # it is somebody else's
        return False
    warnings.warn(
        f"The secret of the patients' pseudonyms in {path} could be read by others and is closed "
        "now: if somebody may have copied it, delete it; pseudonyms then change, splits do not.",
        stacklevel=2,
    )
    return True


def _refuse(path: Path, problem: str, remedy: str = _RESTORE) -> NoReturn:
    raise ValueError(
        f"The secret of the patients' pseudonyms in {path} {problem}. {remedy}: pseudonyms then "
        "change, splits do not."
    )


def _secret_of_this_session(path: Path, error: OSError) -> bytes:
    """Return a secret that is not kept: pseudonyms change at the next start, splits do not."""
    warnings.warn(
        f"The secret of the patients' pseudonyms cannot be kept in {path.parent} "
        f"({error.strerror or error}): pseudonyms change at the next start, splits do not. Set "
        "MEDLEARN_CACHE to a folder that you may write to.",
        stacklevel=2,
    )
    return secrets.token_bytes(_BYTES)


def _write_secret(path: Path) -> None:
    """Write the secret so that only the owner may read it, and see it on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_BYTES))
        file.flush()
        os.fsync(file.fileno())
