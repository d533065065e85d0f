"""Gather the pages in a temporary folder and let Sphinx build them; warnings are errors."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from medlearn import _drafts, _files
from tools import lessons
from tools.site import (
    charts,
    copies,
    data,
    dots,
    evidence,
    front,
    online,
    quiz,
    results,
    rooms,
    slides,
    vendor,
)
from tools.translation import pages_of_site as translated

NEEDED = {"sphinx": "sphinx", "myst_nb": "myst-nb", "sphinx_book_theme": "sphinx-book-theme"}
PAGES_BY_HAND = (
    "index.md",
    "faq.md",
    "glossary.md",
    "jupyterhub.md",
    "keras.md",
    "two_sites.md",
    "instructor",
    "_static",
    "_templates",
    "pictures",
    "conf.py",
)
MARK = ".medlearn-site"  # in a folder that a build made, and that the next may replace
SPHINX = ["-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-j", "auto", "-b", "html"]


Say = Callable[[str], object]


def _silent(line: str) -> None:
    """Say nothing of a stage."""


def write(
    to: Path | None = None,
    repository: str | None = None,
    say: Say = _silent,
    language: str | None = None,
) -> list[str]:
    """Build the site and return sentences on how it went.

    Parameters
    ----------
    to : Path, optional
        An empty or new folder, or one that holds a site; default: ``_site`` in the course.
    repository : str, optional
        ``"owner/name"`` on GitHub: pages link to it, to Colab and to Binder.
    say : callable, optional
        Called with a line when a stage has ended.
    language : str, optional
        Such as ``"zh_CN"``: the site in this language too, in a folder of this name, and a link
        from each page to its twin.

    Raises
    ------
    RuntimeError
        If a builder is not installed, or if Sphinx finds fault with a page.
    ValueError
        If `to` holds something that no build made, or if `repository` is no such name.
    """
    online.check(repository)
    _demand_builders()
    to = (to or lessons.ROOT / "_site").expanduser().resolve()
    _demand_replaceable(to)
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch, "site")
        sentences = []
        for code in (None, language) if language else (None,):
            source = Path(scratch, "source", code or "en")
            with translated.speaking(code):
                sentences += gather(source, repository, say, code)
                options = translated.sphinx_options(code, language)
                with _stage(say, "pages built by Sphinx"):
                    _run_sphinx(source, built / (code or ""), repository, options)
        _leave_out_maps(built)
        (built / MARK).touch()
        with _stage(say, "site put in its place"):
            _put(built, to)
    last = f"The site is in {to}: open index.html there, or copy the folder to a web server."
    return [*sentences, last]


def _demand_builders() -> None:
    missing = missing_builders()
    if missing:
        raise RuntimeError(
            f"The site is built by {', '.join(missing)}, which this Python has not: install the "
            "course with the extra `docs`, as in "
            '`pip install -c constraints.txt -e ".[cpu,lab,test,docs]"`.'
        )


def _demand_replaceable(folder: Path) -> None:
    """Raise ValueError for a folder that holds something that no build made."""
    is_site = (folder / MARK).exists()
    if folder.exists() and not is_site and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} holds other things than a site of this course; give an empty folder, or "
            "one that is not there yet."
        )


@contextmanager
def _stage(say: Say, text: str) -> Iterator[None]:
    """Say what a stage has done, and its seconds, when it has ended."""
    began = time.monotonic()
    yield
    say(f"  {text}, {time.monotonic() - began:.0f} s")


def _put(built: Path, to: Path) -> None:
    """Copy the site beside its place, then put it there: a kill leaves the old one or the new."""
    to.parent.mkdir(parents=True, exist_ok=True)
    _drafts.remove_dead(to.parent)
    draft = _drafts.beside(to)
    try:
        shutil.copytree(built, draft)
        _files.replace_folder(draft, to)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def missing_builders() -> list[str]:
    """Return the distributions that build the site and are not installed."""
    return [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]


def gather(
    source: Path, repository: str | None = None, say: Say = _silent, language: str | None = None
) -> list[str]:
    """Write all that Sphinx reads into the folder `source`.

    Parameters
    ----------
    source : Path
        A new folder.
    repository : str, optional
        As for `write`.
    say : callable, optional
        As for `write`.
    language : str, optional
        Of the pages; default: English.

    Returns
    -------
    list of str
        Sentences on what had to be left out.
    """
    source.mkdir(parents=True)
    with _stage(say, "JavaScript for formulas and slides"):
        _copy_by_hand(source)
        if language:
            translated.write_pages(source, language)
        sentences = vendor.fetch(source / "_static" / "vendor")
    with _stage(say, "lessons as pages"):
        pages = copies.copy(source, repository, language)
        _link_pages(source)
    with _stage(say, "slides and quizzes"):
        slides.write(pages, source)
        quiz.write(source)
    with _stage(say, "front page and reference"):
        front.write(pages, source, repository)
        online.write_citation(source)
        rooms.write(source / "reference")
    with _stage(say, "tables and charts"):
        charts.draw(source / "_static" / "charts")
        dots.draw(source / "_static" / "charts")
        results.write(source)
        evidence.write(source)
        data.write(source)
    return sentences


def _copy_by_hand(source: Path) -> None:
    """Copy the pages and files that people wrote."""
    docs = lessons.ROOT / "docs"
    for name in PAGES_BY_HAND:
        copy = shutil.copytree if (docs / name).is_dir() else shutil.copy
        copy(docs / name, source / name)


def _link_pages(source: Path) -> None:
    """Let the links of pages by hand lead to pages of the site."""
    for name in ("glossary.md", "keras.md"):
        copies.link_glossary(source / name)
    questions = source / "faq.md"
    questions.write_text(copies.table_links(questions.read_text("utf-8")), "utf-8")


def _leave_out_maps(built: Path) -> None:
    """Remove the source maps that the theme brings, and the lines that name them."""
    for path in [*built.rglob("*.js"), *built.rglob("*.css")]:
        map_beside = path.with_name(f"{path.name}.map")
        if map_beside.exists():
            map_beside.unlink()
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"(?://|/\*)# sourceMappingURL=\S+.*", "", text), "utf-8")


def _run_sphinx(source: Path, built: Path, repository: str | None, options: list[str]) -> None:
    doctrees = source.with_name(f"doctrees-{source.name}")  # beside the site: it is not published
    about = ["-A", f"repository={repository or ''}", *options]
    command = [sys.executable, "-P", *SPHINX, *about, "-d", doctrees, source, built]
    process = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    if process.returncode:
        problems = (process.stderr or process.stdout).replace(str(source), "docs").strip()
        raise RuntimeError(f"Sphinx found fault with these pages:\n{problems}")
