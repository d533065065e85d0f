"""Patients as hashes: one person keeps one name in this cache, and nobody can read it back."""

import hashlib
import os
import secrets
from pathlib import Path

from filelock import FileLock

from medlearn import _files

_SALT = "patients.salt"
_DIGITS = 12  # hexadecimal digits of a hash


def hashed(identifier: str) -> str:
    """Return "p-" and 12 hexadecimal digits of a salted SHA-256; "" stays "".

    The salt is drawn once per cache and never leaves it. So a hash cannot be reversed by trying all
    hospital numbers, and the hashes of two caches cannot be joined.
    """
    identifier = identifier.strip()
    if not identifier:
        return ""
    data = salt() + identifier.encode("utf-8", "replace")
    return "p-" + hashlib.sha256(data).hexdigest()[:_DIGITS]


def salt() -> bytes:
    """Return the 32 secret bytes of this cache; they are made at the first call."""
    path = _files.cache() / _SALT
    if not path.exists():
        with FileLock(path.with_name(f"{_SALT}.lock")):  # of several processes, the first makes it
            if not path.exists():
                _files.write_atomically(path, _write_secret)
    return path.read_bytes()


def _write_secret(path: Path) -> None:
    """Write 32 random bytes that only the owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
