"""Pseudonyms of patients: unreadable, and without influence on a split.

A pseudonym is a keyed hash, so that nobody who has only the pseudonyms can try all record numbers.
The key differs from study to study and from machine to machine, and so does the alphabetical order
of pseudonyms. Splits therefore order pseudonyms by their first appearance, which is the order of
the files: the same folder is split in the same way everywhere.
"""

import hashlib
import hmac
import re

import numpy as np

_PREFIX = "p-"
_DIGITS = 12  # hexadecimal digits: 48 bits, no two patients of a study share them by chance
_PATTERN = re.compile(rf"{_PREFIX}[0-9a-f]{{{_DIGITS}}}")


def pseudonym(identifier: str, key: bytes) -> str:
    """Return the pseudonym of a patient: "p-" and 12 hexadecimal digits; "" stays "".

    Parameters
    ----------
    identifier : str
        What the hospital calls the patient, such as a record number.
    key : bytes
        The secret of the study.
    """
    identifier = identifier.strip()
    if not identifier:
        return ""
    data = identifier.encode("utf-8", "replace")
    return _PREFIX + hmac.new(key, data, hashlib.sha256).hexdigest()[:_DIGITS]


def numbered(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct ids, and for each entry the position of its id among them.

    Ids are sorted; where pseudonyms are among them, they come in the order of their appearance.

    Parameters
    ----------
    ids : numpy.ndarray, shape (N,)
        One id per image.
    """
    names, first, codes = np.unique(ids, return_index=True, return_inverse=True)
    if names.dtype.kind not in "USO" or not any(_PATTERN.fullmatch(str(name)) for name in names):
        return names, codes
    order = np.argsort(first, kind="stable")
    position = np.empty(len(order), int)
    position[order] = np.arange(len(order))
    return names[order], position[codes]
