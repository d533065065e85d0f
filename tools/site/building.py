"""Gather the pages in a temporary folder and let Sphinx build them; a warning of Sphinx is an error."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import lessons
from tools.site import charts, copies, data, front, reference, results, slides, vendor

NEEDED = {"sphinx": "sphinx", "myst_nb": "myst-nb", "sphinx_book_theme": "sphinx-book-theme"}
PAGES_BY_HAND = (
    "index.md",
    "glossary.md",
    "jupyterhub.md",
    "instructor",
    "_static",
    "pictures",
    "conf.py",
)
MARK = ".medlearn-site"  # in a folder that a build made, and that the next may replace


def write(to: Path | None = None) -> list[str]:
    """Build the site into the folder `to` (default: `_site` in the course) and return sentences on how it went.

    Raises RuntimeError if a builder is not installed or if Sphinx finds fault with a page, ValueError if `to` holds
    something that no build made.
    """
    missing = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise RuntimeError(
            f"The site is built by {', '.join(missing)}, which this Python has not: "
            'install the course with the extra `docs`, as in `pip install -c constraints.txt -e ".[cpu,lab,test,docs]"`.'
        )
    to = (to or lessons.ROOT / "_site").expanduser().resolve()
    if to.exists() and (not to.is_dir() or (any(to.iterdir()) and not (to / MARK).exists())):
        raise ValueError(
            f"{to} holds other things than a site of this course; give an empty folder, or one that is not there yet."
        )
    with tempfile.TemporaryDirectory() as scratch:
        source, made = Path(scratch, "source"), Path(scratch, "site")
        said = gather(source)
        _sphinx(source, made)
        (made / MARK).touch()
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(made, to)
    return [
        *said,
        f"The site is in {to}: open index.html there, or copy the folder to any web server or stick.",
    ]


def gather(source: Path) -> list[str]:
    """Write all that Sphinx reads into the folder `source`; returns sentences on what had to be left out."""
    docs = lessons.ROOT / "docs"
    source.mkdir(parents=True)
    for name in PAGES_BY_HAND:
        (shutil.copytree if (docs / name).is_dir() else shutil.copy)(docs / name, source / name)
    said = vendor.fetch(source / "_static" / "vendor")
    copied = copies.copy(source)
    copies.link_glossary(source / "glossary.md")
    slides.write(copied, source)
    charts.draw(source / "_static" / "charts")
    front.write(copied, source)
    reference.write(source / "reference")
    results.write(source)
    data.write(source)
    return said


def _sphinx(source: Path, made: Path) -> None:
    command = [
        sys.executable,
        "-P",
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-E",
        "-j",
        "auto",
        "-b",
        "html",
        source,
        made,
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    if run.returncode:
        raise RuntimeError(
            f"Sphinx found fault with these pages:\n{(run.stderr or run.stdout).replace(str(source), 'docs').strip()}"
        )
