"""Words in the reader's language: for verdicts and hints, labels of figures, and dials.

``MEDLEARN_LANGUAGE=zh`` sets the language; without it, and where a text has no translation, the
text stays English. Translations are found by their English text in the PO files of
``docs/translations``; code, and what a cell prints, are the same in every language.
"""

import contextlib
import os
import re
from functools import cache, lru_cache
from typing import NamedTuple

from medlearn import _files

VARIABLE = "MEDLEARN_LANGUAGE"
LANGUAGES = {"zh": "zh_CN"}  # as a user writes it: as its folder is named
# The first of these that a computer has draws the signs that the usual font lacks.
FONTS = {
    "zh_CN": (
        "Noto Sans CJK SC",
        "Noto Sans SC",
        "Source Han Sans SC",
        "Source Han Sans CN",
        "Microsoft YaHei",
        "PingFang SC",
        "Hiragino Sans GB",
        "Heiti SC",
        "Heiti TC",
        "SimHei",
        "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei",
        "Noto Sans CJK JP",
        "Arial Unicode MS",
    )
}
# Where messages stand. Those of the site's pages are said, but are no labels of figures.
_SHORT_TEXTS = {"hint", "label", "verdict", "notebooks/lessons.toml", "finding"}
_OF_PAGES = {"page", "card"}
_GAP = re.compile(r"\{(\w+)\}")


class _Words(NamedTuple):
    """The translations of a language: of whole texts, texts with gaps, and texts of pages."""

    texts: dict[str, str]
    templates: list[tuple[re.Pattern, str]]
    of_pages: dict[str, str]


def name() -> str | None:
    """Return the language, such as ``"zh_CN"``, or None for English.

    Raises
    ------
    ValueError
        If ``MEDLEARN_LANGUAGE`` names a language that the course has not.
    """
    requested = os.environ.get(VARIABLE, "").strip().replace("-", "_")
    if requested.lower().split("_")[0] in ("", "en"):
        return None
    for short, code in LANGUAGES.items():
        if requested in (short, code):
            return code
    raise ValueError(
        f"{VARIABLE} is {requested!r}; the course has en and {', '.join(LANGUAGES)}: set one of "
        "them."
    )


def say(text: str, **values: object) -> str:
    """Return a text in the reader's language, or as it is if there is no translation.

    Parameters
    ----------
    text : str
        English, perhaps with gaps such as ``"{id}: not yet"``.
    **values : object
        What goes into the gaps.

    Examples
    --------
    >>> say("{id}: not yet", id="02.1")
    '02.1: not yet'
    """
    language = name()
    if language is not None:
        words = _words(language)
        text = words.of_pages.get(text) or words.texts.get(text, text)
    return text.format(**values) if values else text


def label(text: str) -> str:
    """Return a label in the reader's language; texts whose gaps are filled in are recognised.

    Parameters
    ----------
    text : str
        What a figure would show in English.
    """
    language = name()
    if language is None or not re.search("[A-Za-z]{2}", text):
        return text
    return _label(language, text)


def in_all(text: str) -> set[str]:
    """Return a text in English and in each language that has it.

    Parameters
    ----------
    text : str
        English.
    """
    return {text} | {_words(code).texts.get(text, text) for code in LANGUAGES.values()}


def translate_figures() -> bool:
    """Let matplotlib write labels in the reader's language, and return whether it will.

    It does so if a language is set and this computer has a font with its signs; else figures stay
    English. It is safe to call again.
    """
    language = name()
    font = _font(language) if language else None
    if font is None:
        return False
    import matplotlib
    from matplotlib.text import Text

    families = matplotlib.rcParams["font.family"]
    if font not in families:
        matplotlib.rcParams["font.family"] = [*families, font]
    if not hasattr(Text.set_text, "in_english"):
        _wrap_set_text(Text)
    return True


def _wrap_set_text(text_class) -> None:
    """Every text of a figure passes through this method, those of ticks and legends as well."""
    in_english = text_class.set_text

    def set_text(self, s):
        in_english(self, label(s) if isinstance(s, str) else s)

    set_text.in_english = in_english  # type: ignore[attr-defined]
    text_class.set_text = set_text


def _font(language: str) -> str | None:
    """The first font for this language that matplotlib finds."""
    from matplotlib.font_manager import fontManager

    for look in (lambda: None, _list_new_fonts):
        look()
        installed = {font.name for font in fontManager.ttflist}
        for font in FONTS[language]:
            if font in installed:
                return font
    return None


def _list_new_fonts() -> None:
    """Tell matplotlib of fonts that were installed after it had listed those of this computer."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.fname for font in fontManager.ttflist}
    for path in set(findSystemFonts()) - known:
        with contextlib.suppress(Exception):  # one that it cannot read
            fontManager.addfont(path)


@lru_cache(maxsize=10_000)
def _label(language: str, text: str) -> str:
    words = _words(language)
    if text in words.texts:
        return words.texts[text]
    for pattern, translation in words.templates:
        match = pattern.fullmatch(text)
        if match:
            filled = {gap: _label(language, value) for gap, value in match.groupdict().items()}
            return translation.format(**filled)
    return text


@cache
def _words(language: str) -> _Words:
    """All translations but those of Markdown; none without Babel, which reads their files."""
    words = _Words({}, [], {})
    try:
        from babel.messages.pofile import read_po
    except ImportError:
        return words
    for path in sorted((_files.folder("translations") / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, charset="utf-8"):
                _add(words, message)
    return words


def _add(words: _Words, message) -> None:
    """Keep a message that is translated, and whose English has not changed since."""
    context = (message.context or "").split(" ")[0]
    if not message.string or message.fuzzy:
        return
    if context in _SHORT_TEXTS:
        words.texts.setdefault(message.id, message.string)
    elif context in _OF_PAGES:
        words.of_pages.setdefault(message.id, message.string)
    elif context == "template":
        words.templates.append((_pattern(message.id), message.string))


def _pattern(template: str) -> re.Pattern:
    """What matches a text in which the gaps of a template are filled."""
    pieces = _GAP.split(template)
    names = iter(pieces[1::2])
    parts = [re.escape(pieces[0])]
    for piece in pieces[2::2]:
        parts.append(f"(?P<{next(names)}>.*?){re.escape(piece)}")
    return re.compile("".join(parts), re.DOTALL)
