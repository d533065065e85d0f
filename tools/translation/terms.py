"""The termbase: one term of the field, one word in translation."""

import re
import tomllib
from functools import cache

from tools import lessons

FILE = lessons.ROOT / "docs" / "translations" / "zh_CN" / "terms.toml"


@cache
def read() -> dict[str, list[str]]:
    """Return the words that may stand for each English term, the usual one first.

    Plurals are found as well; ``fine-tun*`` is any word that begins so. A list that holds ``""``
    says that the term may be left out.
    """
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["terms"]


@cache
def titles() -> dict[str, str]:
    """Return the translated title of each lesson by its English one, without the number."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["titles"]


def problems(english: str, translation: str) -> list[str]:
    """Return the terms of an English text whose word its translation does not have.

    Parameters
    ----------
    english, translation : str
        The texts without code, formulas and addresses.
    """
    english, _, _ = english.partition("## References")  # titles of papers stay as they are
    faults = []
    for title, translated in titles().items():
        if f"· {title}" in english and f"· {translated}" not in translation:
            faults.append(f"title {title!r} is {translated!r}")
        english = english.replace(f"· {title}", "")
    folded = re.sub(r"\s+", "", translation).casefold()
    for term in sorted(read(), key=len, reverse=True):
        english, count = _pattern(term).subn(" ", english)
        words = read()[term]
        if count and not any(re.sub(r"\s+", "", word).casefold() in folded for word in words):
            faults.append(f"term {term!r} is {' or '.join(words)}")
    return faults


@cache
def _pattern(term: str) -> re.Pattern:
    """The term as whole words, with any ending where it ends in a star."""
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", term.rstrip("*"))))
    ending = r"\w*" if term.endswith("*") else "(?:s|es)?"
    flags = 0 if term.isupper() else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){words}{ending}(?![\w-])", flags)
