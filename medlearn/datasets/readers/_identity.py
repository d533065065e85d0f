"""Patients as hashes: the same person keeps one name in this cache, and nobody can read it back."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from medlearn import _files

_SALT = "patients.salt"


def hashed(identifier: str) -> str:
    """ "p-" and 12 hexadecimal digits of a salted SHA-256; "" stays "".

    The salt is drawn once per cache and never leaves it, so that a hash cannot be reversed by trying all hospital
    numbers, and hashes of two caches cannot be joined.
    """
    identifier = identifier.strip()
    return (
        "p-" + hashlib.sha256(salt() + identifier.encode("utf-8", "replace")).hexdigest()[:12]
        if identifier
        else ""
    )


def salt() -> bytes:
    """The 32 secret bytes of this cache, made at the first call; whole or not there, also with several processes."""
    path = _files.cache() / _SALT
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(draft, path)  # fails if another process was first: then its salt counts
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                os.replace(draft, path)
        finally:
            Path(draft).unlink(missing_ok=True)
    return path.read_bytes()
