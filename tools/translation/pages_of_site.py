"""The course's site in another language: its pages, and what Sphinx is told."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from medlearn.teaching import language as words
from tools.translation import catalogues, copies, sources

PARTS = ("glossary", "site", "kit")
ONLY = "from_a_tutorial"  # a page that exists in the other language only
ABOVE_IT = "notebooks/index\n"  # in the list of pages of index.md
CAPTION = re.compile(r"(?<=^:caption: ).+$", re.MULTILINE)  # of a list of pages, beside the text
NAMES = {"zh_CN": ("zh-CN", "中文")}


@contextlib.contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Let `medlearn.teaching.language.say` speak this language, or English, for a while."""
    before = os.environ.pop(words.VARIABLE, None)
    if language:
        os.environ[words.VARIABLE] = language
    try:
        yield
    finally:
        os.environ.pop(words.VARIABLE, None)
        if before is not None:
            os.environ[words.VARIABLE] = before


def write_pages(source: Path, language: str) -> None:
    """Write the pages by hand in a language over the English ones.

    Parameters
    ----------
    source : Path
        Sphinx's folder, which holds them.
    language : str
        Such as ``"zh_CN"``.
    """
    for part in PARTS:
        for name in sources.page_names(part):
            text = copies.page(name, language, part)
            (source / name.removeprefix("docs/")).write_text(text, encoding="utf-8")
    front = source / "index.md"
    captions = CAPTION.sub(lambda found: words.say(found.group()), front.read_text("utf-8"))
    front.write_text(captions, encoding="utf-8")
    extra = catalogues.FOLDER / language / f"{ONLY}.md"
    if extra.exists():
        text = extra.read_text(encoding="utf-8").replace("](../../../notebooks/", "](notebooks/")
        (source / f"{ONLY}.md").write_text(text, encoding="utf-8")
        listed = front.read_text(encoding="utf-8").replace(ABOVE_IT, f"{ABOVE_IT}{ONLY}\n", 1)
        front.write_text(listed, encoding="utf-8")


def tag(code: str | None) -> str:
    """Return what HTML calls a language, such as ``"zh-CN"``; English for None."""
    return NAMES[code][0] if code else "en"


def sphinx_options(code: str | None, language: str | None) -> list[str]:
    """Return what Sphinx is told of the language, and of where each page's twin is.

    Parameters
    ----------
    code : str or None
        The language of these pages; None: English.
    language : str or None
        The other language of the site, if it has one.
    """
    if language is None:
        return []
    tag, name = NAMES[language]
    if code is None:
        twin = {"twin": f"{language}/", "twin_language": tag, "twin_name": name}
    else:
        twin = {"twin": "../", "twin_language": "en", "twin_name": "English", "without_twin": ONLY}
    options = [part for key, value in twin.items() for part in ("-A", f"{key}={value}")]
    return [*options, *(("-D", f"language={code}") if code else ())]
