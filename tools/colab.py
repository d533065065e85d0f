"""`course.py colab`: the lessons as Google Colab opens them, and the wheel that they install."""

import copy
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from medlearn.teaching import language as words
from tools import lessons, new_files
from tools.translation import copies as translated

BRANCH = "colab"
COLAB = "https://colab.research.google.com"
BADGE = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({{}})"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")

FIRST_CELL = """\
# Run this cell first, and again after Colab has disconnected.
# USE_DRIVE = True asks for your Google Drive, and keeps downloads and computed features there.
USE_DRIVE = False
CONTENT = "/content"
RELEASE = "{release}"
import subprocess, sys, urllib.request
from pathlib import Path
if USE_DRIVE:
    from google.colab import drive
    drive.mount(CONTENT + "/drive")
mine = Path(CONTENT, "drive", "MyDrive")
wheels = [folder / "{wheel}" for folder in (Path(CONTENT), mine, mine / "medlearn")]
wheel = next((path for path in wheels if path.exists()), wheels[0])
if not wheel.exists() and RELEASE:
    urllib.request.urlretrieve(RELEASE, wheel)
if not wheel.exists():
    raise SystemExit(
        "Upload {wheel} (folder symbol on the left, or your Drive), then run this cell again."
    )
options = ["-qq", "--no-deps", "--force-reinstall"]
subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
from medlearn.teaching import session
print(session.prepare(CONTENT))"""


def write(to: Path, repository: str | None = None, language: str | None = None) -> Iterator[str]:
    """Write the wheel and a copy of each lesson into a folder, and yield what to print.

    Parameters
    ----------
    to : Path
        The folder; it is made if needed.
    repository : str, optional
        ``"owner/name"`` on GitHub: the wheel comes from its release, links and badges lead there.
    language : str, optional
        Such as ``"zh_CN"``; default: English.

    Raises
    ------
    ValueError
        If `repository` is anything else.
    RuntimeError
        If the wheel cannot be built.
    FileExistsError
        Before anything is written, if a file there differs from the one that would be written.
    """
    if repository is not None and not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"--repository is {repository!r}; expected OWNER/NAME as on GitHub.")
    wheel, content = _wheel()
    contents = {to / wheel: content}
    paths = lessons.find([])
    for path in paths:
        lesson = translated.lesson(path, language)
        copied = for_colab(lesson, path.name, wheel, repository, language)
        contents[to / path.name] = lessons.as_text(copied).encode()
    if repository is not None:
        contents[to / "README.md"] = _readme(repository, paths).encode()
    new_files.write(contents, "The folder for the notebooks", "be your own")
    yield f"{len(paths)} lessons for Colab and {wheel} are in {to}."
    if repository is None:
        yield "Open a lesson in Colab (File, Upload notebook); upload the wheel there or to Drive."
        return
    yield (
        f"Push the folder as the branch {BRANCH!r} of {repository}, and attach the wheel to its "
        f"release {_release_tag(wheel)}; the badges are in README.md."
    )


def for_colab(
    notebook: NotebookNode,
    name: str,
    wheel: str,
    repository: str | None,
    language: str | None = None,
) -> NotebookNode:
    """Return a copy whose first code cell installs the wheel.

    Parameters
    ----------
    notebook : NotebookNode
        A lesson.
    name : str
        Its file name.
    wheel : str
        The file name of the wheel.
    repository : str or None
        Relative links lead to this repository on GitHub; without one they become plain words.
    language : str, optional
        Of the copy, such as ``"zh_CN"``.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(lambda link: _link(*link.groups(), repository), cell.source)
    release = ""
    below_title = []
    if repository:
        release = f"https://github.com/{repository}/releases/download/{_release_tag(wheel)}/{wheel}"
        below_title.append(new_markdown_cell(_badge(repository, name), id="colab-badge"))
    first = FIRST_CELL.format(release=release, wheel=wheel)
    if language:
        first = f'import os\nos.environ["{words.VARIABLE}"] = "{language}"\n{first}'
    below_title.append(new_code_cell(first, id="colab-first", metadata={"tags": ["colab"]}))
    notebook.cells[1:1] = below_title
    notebook.metadata.pop("medlearn", None)  # the digest is of the cells without this one
    return notebook


def build_wheel(to: Path) -> Path:
    """Build the wheel of this checkout.

    Parameters
    ----------
    to : Path
        The folder for it.

    Returns
    -------
    Path
        The wheel.

    Raises
    ------
    RuntimeError
        If that fails; the message holds pip's last line.
    """
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--disable-pip-version-check"]
    process = subprocess.run(
        [*pip, "-w", str(to), str(lessons.ROOT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    wheels = sorted(to.glob("medlearn-*.whl"), key=lambda path: path.stat().st_mtime)
    if process.returncode or not wheels:
        last = (process.stdout.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(
            f"The wheel cannot be built (pip fetches hatchling, which needs a network): {last}"
        )
    return wheels[-1]


def _wheel() -> tuple[str, bytes]:
    """The name and the content of this checkout's wheel."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        return wheel.name, wheel.read_bytes()


def _readme(repository: str, paths: list[Path]) -> str:
    badges = [f"- {path.stem}: {_badge(repository, path.name)}" for path in paths]
    return "# The lessons in Google Colab\n\n" + "\n".join(badges) + "\n"


def _address(repository: str, name: str) -> str:
    """Where Colab opens a lesson of the repository's branch for Colab."""
    return f"{COLAB}/github/{repository}/blob/{BRANCH}/{name}"


def _badge(repository: str, name: str) -> str:
    return BADGE.format(_address(repository, name))


def _release_tag(wheel: str) -> str:
    """The release that holds a wheel: "v0.1.0" for medlearn-0.1.0-py3-none-any.whl."""
    return "v" + wheel.split("-")[1]


def _link(words: str, target: str, repository: str | None) -> str:
    """A relative link of a lesson as the copy has it."""
    if repository is None:
        return words
    if target.endswith(".ipynb"):
        return f"[{words}]({_address(repository, target)})"
    return f"[{words}](https://github.com/{repository}/blob/main/{target.removeprefix('../')})"
