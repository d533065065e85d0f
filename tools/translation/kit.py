"""The quiz, the questions and the words of the slides, which the instructor kit keeps as TOML."""

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from medlearn.teaching import language
from tools import lessons
from tools.translation import catalogues

PART = "kit"
QUIZ = "docs/instructor/quiz.toml"
QUESTIONS = "docs/instructor/questions.toml"
FILES = (QUIZ, QUESTIONS)
MADE = ("quiz_after.md", "quiz_before.md", "quiz_key.md")  # `tools.site.quiz` makes them of QUIZ
_NO_WORDS = {"right", "lesson"}  # keys of the quiz's items that hold a letter or a number


def read(name: str) -> dict[str, Any]:
    """Return what a file holds, in the reader's language; what has no translation stays English.

    Parameters
    ----------
    name : str
        One of `FILES`.
    """
    code = language.name()
    if code is None:
        return _english(name)
    catalogue = catalogues.read(PART, code)

    def translate(text: str) -> str:
        return catalogues.translation(catalogue, name, text) or text

    return _translated(_english(name), translate)


def texts(name: str) -> Iterator[str]:
    """Yield the texts of a file that are to be translated, in its order.

    Parameters
    ----------
    name : str
        One of `FILES`.
    """
    yield from _texts_in(_english(name))


def _english(name: str) -> dict[str, Any]:
    return tomllib.loads((lessons.ROOT / name).read_text(encoding="utf-8"))


def _has_words(key: str, part: Any) -> bool:
    return not (key in _NO_WORDS and isinstance(part, str))


def _texts_in(value: Any) -> Iterator[str]:
    """The texts in tables and lists, in order."""
    if isinstance(value, dict):
        value = [part for key, part in value.items() if _has_words(key, part)]
    if isinstance(value, list):
        for part in value:
            yield from _texts_in(part)
    elif isinstance(value, str):
        yield value


def _translated(value: Any, translate: Callable[[str], str]) -> Any:
    """The same tables and lists with another text in the place of each."""
    if isinstance(value, dict):
        return {
            key: _translated(part, translate) if _has_words(key, part) else part
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_translated(part, translate) for part in value]
    return translate(value) if isinstance(value, str) else value
