"""The secret behind the pseudonyms of a study, and file names without the names of patients."""

import os
import re
import secrets
import unicodedata
import warnings
from functools import lru_cache
from pathlib import Path

from medlearn import _files, _pseudonyms

_BYTES = 32
_SHORTEST = 2  # characters of an identifier that is looked for in file names


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
    if span is not None:
        name = name[: span[0]] + pseudonym(identifier, study) + name[span[1] :]
    if len(identifier) < _SHORTEST:
        parts = name.split("/")
        return "/".join(pseudonym(part, study) if part == identifier else part for part in parts)
    # A record number stands alone: "12" does not hide in "2012.png".
    spellings = {unicodedata.normalize(form, identifier) for form in ("NFC", "NFD")} | {identifier}
    alternatives = "|".join(map(re.escape, sorted(spellings)))
    pattern = rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])"
    return re.sub(pattern, pseudonym(identifier, study), name, flags=re.IGNORECASE)


def secret(study: str | None = None) -> bytes:
    """Return the 32 secret bytes of a study; they are made at the first call and stay in the cache.

    Parameters
    ----------
    study : str, optional
        As in `pseudonym`.

    Raises
    ------
    ValueError
        If the stored secret is damaged, or the name of the study is not a plain name.
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
        data = path.read_bytes()
    except OSError as error:
        return _secret_of_this_session(path, error)
    if len(data) != _BYTES:
        raise ValueError(
            f"The secret of the patients' pseudonyms in {path} is damaged: it has {len(data)} "
            f"bytes and not {_BYTES}. Restore it from a backup, or delete it: pseudonyms then "
            "change, splits do not."
        )
    return data


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
