"""`course.py colab`: the lessons as Google Colab opens them, and the wheel that their first cell installs."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools import lessons

BRANCH = "colab"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({})"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")

FIRST_CELL = """\
# Run this cell first, and again after Colab has disconnected: what was computed is then read from Drive.
USE_DRIVE = False                      # True asks for your Google Drive and keeps downloads and features there
CONTENT = "/content"
RELEASE = "{release}"
import subprocess, sys, urllib.request
from pathlib import Path
if USE_DRIVE:
    from google.colab import drive
    drive.mount(CONTENT + "/drive")
places = [Path(CONTENT), Path(CONTENT, "drive", "MyDrive"), Path(CONTENT, "drive", "MyDrive", "medlearn")]
wheel = next((place / "{wheel}" for place in places if (place / "{wheel}").exists()), None)
if wheel is None and RELEASE:
    wheel = Path(CONTENT, "{wheel}")
    urllib.request.urlretrieve(RELEASE, wheel)
if wheel is None:
    raise SystemExit("Upload {wheel} (folder symbol on the left, or your Drive), then run this cell again.")
subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--force-reinstall", str(wheel)], check=True)
from medlearn.teaching import session
print(session.prepare(CONTENT))"""


def write(to: Path, repository: str | None = None) -> Iterator[str]:
    """Write the wheel and a copy of each lesson into the folder `to`; yields what to print.

    With `repository` ("owner/name" on GitHub) the wheel comes from its release, links and badges lead there; raises
    ValueError for anything else, RuntimeError if the wheel cannot be built.
    """
    if repository is not None and not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"--repository is {repository!r}; expected OWNER/NAME as on GitHub.")
    to.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(to)
    paths = lessons.find([])
    for path in paths:
        lessons.save(
            for_colab(nbformat.read(path, as_version=4), path.name, wheel.name, repository),
            to / path.name,
        )
    yield f"{len(paths)} lessons for Colab and {wheel.name} are in {to}."
    if repository:
        badges = [
            f"- {path.stem}: {BADGE.format(address(repository, path.name))}" for path in paths
        ]
        (to / "README.md").write_text(
            "# The lessons in Google Colab\n\n" + "\n".join(badges) + "\n", encoding="utf-8"
        )
        yield (
            f"Push the folder as the branch {BRANCH!r} of {repository}, and attach the wheel to its release "
            f"{tag(wheel.name)}; the badges are in README.md."
        )
    else:
        yield "Open a lesson in Colab (File, Upload notebook) and upload the wheel there or to your Drive."


def for_colab(
    notebook: NotebookNode, name: str, wheel: str, repository: str | None
) -> NotebookNode:
    """A copy that begins with the cell that installs the wheel; relative links lead to the repository or become words."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(lambda link: _link(*link.groups(), repository), cell.source)
    release = (
        f"https://github.com/{repository}/releases/download/{tag(wheel)}/{wheel}"
        if repository
        else ""
    )
    first = new_code_cell(
        FIRST_CELL.format(release=release, wheel=wheel),
        id="colab-first",
        metadata={"tags": ["colab"]},
    )
    badge = (
        [new_markdown_cell(BADGE.format(address(repository, name)), id="colab-badge")]
        if repository
        else []
    )
    notebook.cells[1:1] = [*badge, first]  # below the title
    # The committed outputs are this cell's neighbours still; what was executed has one cell more now.
    notebook.metadata.pop("medlearn", None)
    return notebook


def address(repository: str, name: str) -> str:
    """Where Colab opens a lesson of the repository's branch for Colab."""
    return f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{name}"


def tag(wheel: str) -> str:
    """The release that holds a wheel: "v0.1.0" for medlearn-0.1.0-py3-none-any.whl."""
    return "v" + wheel.split("-")[1]


def build_wheel(to: Path) -> Path:
    """Build the wheel of this checkout into `to`; raises RuntimeError with pip's last line if that fails."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--disable-pip-version-check",
        "-w",
        str(to),
        str(lessons.ROOT),
    ]
    done = subprocess.run(
        pip,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    wheels = sorted(to.glob("medlearn-*.whl"), key=lambda path: path.stat().st_mtime)
    if done.returncode or not wheels:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(
            f"The wheel cannot be built (pip fetches hatchling for that, which needs a network): {last}"
        )
    return wheels[-1]


def _link(words: str, target: str, repository: str | None) -> str:
    if repository is None:
        return words
    if target.endswith(".ipynb"):
        return f"[{words}]({address(repository, target)})"
    return f"[{words}](https://github.com/{repository}/blob/main/{target.removeprefix('../')})"
