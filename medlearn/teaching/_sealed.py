"""Right answers that cannot be read: of each accepted spelling, a salted hash.

Rounding to a grid makes a number a short text, so that a hash can stand for it: `_answers.spelling`
writes the answer, and the seal holds the hashes of all spellings of the right number (see
`_answers`) or of all synonyms of a text. It keeps eyes off the answer and is no protection against
somebody who tries all numbers. Authors print a seal with

    python -c "from medlearn.teaching import _sealed; print(_sealed.seal('09.1', 2 / 3))"
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from medlearn.teaching import _answers

LENGTH = 8  # hexadecimal digits of a hash: enough to tell the spellings of one exercise apart


@dataclass(frozen=True)
class Sealed:
    """A right answer under seal.

    Attributes
    ----------
    id : str
        Of the exercise; it is the salt.
    type_name : str
        "a number", "text", or "a list of 2 numbers".
    hashes : tuple of str
        For each part of a list (a number or a text is one part) the hashes, with spaces between.
    """

    id: str
    type_name: str
    hashes: tuple[str, ...]

    def opens(self, answer: object) -> bool:
        """Return whether the seal is one of this answer."""
        parts = _parts(answer)
        if parts is None or len(parts) != len(self.hashes):
            return False
        is_list = parts[0] is not answer
        if is_list != self.type_name.startswith("a list"):
            return False
        if self.type_name == "text":
            if not isinstance(answer, str):
                return False
        elif not all(map(_is_number, parts)):
            return False
        pairs = zip(map(_spelling, parts), self.hashes, strict=True)
        return all(_hash(self.id, part) in hashes.split() for part, hashes in pairs)


def seal(id: str, answer: Any, *synonyms: str) -> Sealed:
    """Return the seal of a number, a text with its synonyms, or a list of numbers.

    Parameters
    ----------
    id : str
        Of the exercise.
    answer : float, str, or list of float
        The right answer.
    *synonyms : str
        Other texts that are right as well.
    """
    if isinstance(answer, str):
        texts = [answer, *synonyms]
        return Sealed(id, "text", (_hashes(id, map(_answers.plain, texts)),))
    numbers = answer if isinstance(answer, list | tuple) else [answer]
    hashes = tuple(_hashes(id, _answers.spellings(number)) for number in numbers)
    return Sealed(id, _answers.type_name(answer), hashes)


def _hashes(id: str, texts: Iterable[str]) -> str:
    return " ".join(sorted({_hash(id, text) for text in texts}))


def _hash(id: str, text: str) -> str:
    return hashlib.sha256(f"medlearn {id} {text}".encode()).hexdigest()[:LENGTH]


def _parts(answer: object) -> list | None:
    """The parts of an answer: of a list its elements, of anything else the answer itself."""
    if isinstance(answer, list | tuple):
        return list(answer)
    if isinstance(answer, np.ndarray) and answer.ndim:
        return answer.tolist() if answer.ndim == 1 else None
    return [answer]


def _is_number(part: Any) -> bool:
    try:
        return not isinstance(part, str) and np.isrealobj(part) and np.ndim(float(part)) == 0
    except Exception:  # whatever float() refuses
        return False


def _spelling(part: Any) -> str:
    return _answers.plain(part) if isinstance(part, str) else _answers.spelling(part)
