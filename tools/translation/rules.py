"""What a translation must keep of its English: formulas, links, numbers, code, tags, structure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tools.translation import labels, terms

_FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
_WORDS_IN_FORMULA = re.compile(r"\\(?:text|mathrm|textrm|operatorname)\{[^}]*\}")
_FENCE = re.compile(r"^ *(```|:::).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_TARGET = re.compile(r"\]\(([^)\s]+)[^)]*\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_NUMBER = re.compile(r"(?<![A-Za-z_])\d*\.?\d+")
_GAP = re.compile(r"\{\w+\}")
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ", re.MULTILINE)
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_CHINESE = r"\u3400-\u9fff"
_HALF_WIDTH = re.compile(rf"[{_CHINESE}][,;:?!]|[,;?!][{_CHINESE}]|[{_CHINESE}]\.(?=\s|$)")
_HAN = re.compile(rf"[{_CHINESE}]")


def problems(context: str, english: str, translation: str) -> list[str]:
    """Return what is wrong with a translation, a sentence each.

    Parameters
    ----------
    context : str
        Where the text stands.
    english : str
        The source.
    translation : str
        Its translation.
    """
    faults = [*_lost_or_added(english, translation)]
    for element, count in _COUNTED.items():
        if count(english) != count(translation):
            faults.append(f"{element}: {count(english)} in English, {count(translation)} here")
    if _visible_stars(translation) > _visible_stars(english):
        faults.append("emphasis: a star shows; write a space outside of **...。**")
    prose = _prose(translation)
    faults += [f"half-width punctuation: {hit.group()!r}" for hit in _HALF_WIDTH.finditer(prose)]
    if context not in (labels.LABEL, labels.TEMPLATE):
        faults += terms.problems(_prose(english), prose)
    return faults


def _lost_or_added(english: str, translation: str) -> Iterator[str]:
    """Formulas, links and the like that only one of the two texts has."""
    for element, pieces in _KEPT.items():
        expected, actual = Counter(pieces(english)), Counter(pieces(translation))
        if expected - actual:
            yield f"{element} lost: {_listed(expected - actual)}"
        if element in _NONE_ADDED and actual - expected:
            yield f"{element} not in the English: {_listed(actual - expected)}"


def spacing(texts: Iterable[str]) -> list[str]:
    """Return what AutoCorrect would space or punctuate otherwise; nothing if it is not installed.

    Parameters
    ----------
    texts : iterable of str
        Translations. Code, formulas, links and tags are left out.
    """
    try:
        import autocorrect_py
    except ImportError:  # only contributors have the extra `dev`
        return []
    faults = []
    for text in texts:
        for line in _prose(text).splitlines():
            corrected = autocorrect_py.format(line)
            if _HAN.search(line) and corrected != line:
                faults.append(f"spacing: {line.strip()!r}; better {corrected.strip()!r}")
    return faults


def links(text: str) -> list[str]:
    """Return the targets of all links of a text."""
    return _TARGET.findall(text)


def _prose(text: str) -> str:
    """A text with a sign in the place of code, formulas, addresses and tags."""
    text = _FENCE.sub("", text)
    text = _FORMULA.sub("x", _CODE.sub("x", text))
    text = _TAG.sub("", re.sub(r"\]\([^)\n]*\)", "]", text.replace("![", "[")))
    text = re.sub(r"(?<=[。：；？！，）”])(\*+) ", r"\1", text)  # a space that emphasis needs
    return re.sub(r"https?://\S+|[\[\]*]", "", text)


def _visible_stars(text: str) -> int:
    """How many stars a reader would see: those that neither open nor close an emphasis."""
    from markdown_it import MarkdownIt

    text = _FORMULA.sub("x", _CODE.sub("x", _FENCE.sub("", text)))
    visible = 0
    for token in MarkdownIt("commonmark").parse(text):
        visible += sum(part.content.count("*") for part in token.children or () if not part.tag)
    return visible


def _formulas(text: str) -> list[str]:
    formulas = _FORMULA.findall(_CODE.sub("", _FENCE.sub("", text)))
    return [_WORDS_IN_FORMULA.sub("", re.sub(r"\s+", "", formula)) for formula in formulas]


def _numbers(text: str) -> list[str]:
    text = _CODE.sub("", _FENCE.sub("", text))
    text = _TAG.sub("", _TARGET.sub("]", _FORMULA.sub("", text)))
    text = re.sub(r"^ *\d+\. ", "", re.sub(r"https?://\S+", "", text), flags=re.MULTILINE)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return [number.removeprefix("0") or "0" for number in _NUMBER.findall(text)]


def _code(text: str) -> list[str]:
    return _CODE.findall(_FENCE.sub("", text))


def _columns(text: str) -> list[int]:
    return [row.count("|") - row.count(r"\|") for row in _ROW.findall(_FENCE.sub("", text))]


def _listed(pieces: Counter) -> str:
    return ", ".join(sorted(pieces)[:5])


_KEPT: dict[str, Callable[[str], list[str]]] = {
    "formula": _formulas,
    "link": links,
    "number": _numbers,
    "code": _code,
    "block of code": lambda text: [match.group() for match in _FENCE.finditer(text)],
    "tag": _TAG.findall,
    "gap": lambda text: _GAP.findall(_FORMULA.sub("", text)),
}
_NONE_ADDED = {"formula", "link", "tag", "gap", "block of code"}
_COUNTED: dict[str, Callable[[str], object]] = {
    "headings": lambda text: _HEADING.findall(_FENCE.sub("", text)),
    "items of lists": lambda text: len(_ITEM.findall(_FENCE.sub("", text))),
    "columns of table rows": _columns,
}
