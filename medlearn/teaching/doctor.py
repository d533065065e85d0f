"""What the course needs and finds here, and what to do about what is not there."""

import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from medlearn import _files, _keras

OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"
NOTEBOOKS = Path(_files.__file__).resolve().parents[1] / "notebooks"
SECONDS = 3  # to wait for a server
AGAIN = "remove the folder .venv and run `python3 course.py setup`"


@dataclass(frozen=True)
class Finding:
    """One line of the report; only a PROBLEM keeps the course from running."""

    state: str
    text: str


def report() -> int:
    """Print a line for each check; returns 0 if the course can run, else 1."""
    states = []
    for name, check in CHECKS.items():
        finding = examine(check)
        states.append(finding.state)
        first, *more = finding.text.splitlines()
        print(
            f"{finding.state:8s} {name:12s} {first}",
            *(f"{'':21s} {line}" for line in more),
            sep="\n",
            flush=True,
        )
    problems = states.count(PROBLEM)
    print(
        f"\nThe course cannot run: {problems} problem(s) above."
        if problems
        else "\nThe course can run."
    )
    return 1 if problems else 0


def examine(check: Callable[[], Finding]) -> Finding:
    """The check's finding; a check that breaks is itself a problem, and no reason to leave the others out."""
    try:
        return check()
    except Exception as error:  # whatever is broken here is what the report is for
        return Finding(PROBLEM, f"{type(error).__name__}: {error}")


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def python() -> Finding:
    """Whether this Python is one that the course runs on, and where it lies."""
    text = f"{platform.python_version()} in {sys.prefix}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding(PROBLEM, f"{text}: the course needs 3.11, 3.12 or 3.13")
    return Finding(OK, text)


def tensorflow() -> Finding:
    """Whether exactly one TensorFlow is installed and starts."""
    names = [name for name in ("tensorflow-cpu", "tensorflow") if version(name)]
    if len(names) > 1:
        return Finding(PROBLEM, f"{' and '.join(names)} overwrite each other's files: {AGAIN}")
    if not _keras.installed():
        return Finding(PROBLEM, _keras.MISSING)
    keras, tf = _keras.keras, _keras.tf
    return Finding(OK, f"{tf.__version__} with Keras {keras.__version__}")


def gpu() -> Finding:
    """The graphics card, and with it the budget, that lessons will take."""
    name = _keras.gpu_name()
    return (
        Finding(OK, f"{name}; the lessons take the budget `gpu`")
        if name
        else Finding(
            NOTE, "none that TensorFlow can use; the lessons take the budget `cpu`, made for that"
        )
    )


def jupyter() -> Finding:
    """Whether all that shows, runs and tests notebooks is installed."""
    found = {
        name: version(name)
        for name in ("jupyterlab", "ipykernel", "ipywidgets", "nbclient", "nbval", "pytest")
    }
    missing = [name for name, number in found.items() if not number]
    if missing:
        return Finding(PROBLEM, f"not installed: {', '.join(missing)}; {AGAIN}")
    return Finding(OK, ", ".join(f"{name} {number}" for name, number in found.items()))


def lessons_here() -> Finding:
    """How many lessons there are, and where."""
    notebooks = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        return Finding(PROBLEM, f"none in {NOTEBOOKS}; the course runs from a git clone of it")
    return Finding(OK, f"{len(notebooks)} in {NOTEBOOKS}")


def weights() -> Finding:
    """Whether the weights that ship as packages are installed and unaltered."""
    from medlearn.backbones import _pretrained

    for name in _pretrained.PACKAGES:
        _pretrained.read_package(name)  # reads the file and checks its SHA-256
    return Finding(
        OK, f"{', '.join(_pretrained.PACKAGES)}: installed and unaltered, no download needed"
    )


def cache() -> Finding:
    """Whether the cache folder can be written to, and how much room it has."""
    folder = _files.cache()
    with tempfile.TemporaryFile(dir=folder):
        pass
    free = shutil.disk_usage(folder).free / 1e9
    if free < 1:
        return Finding(
            NOTE,
            f"{folder}: only {free:.1f} GB free; make room, or set MEDLEARN_CACHE to another folder",
        )
    return Finding(OK, f"{folder}: {free:.0f} GB free (MEDLEARN_CACHE moves it)")


def data() -> Finding:
    """Where each real data set is or would come from."""
    real = {name: where(name) for name in real_sets()}
    lines = [
        "simulated sets need no files; of the real ones:",
        *(f"{name}: {place}" for name, place in real.items()),
    ]
    return Finding(
        OK if all(place in ("in the cache", "at the mirror") for place in real.values()) else NOTE,
        "\n".join(lines),
    )


def real_sets() -> list[str]:
    """The names of the real data sets."""
    from medlearn.datasets import _catalogue

    return [name for name in _catalogue.names() if _catalogue.card(name).kind == "real"]


def where(name: str) -> str:
    """Where a real set would come from if it were loaded now."""
    from medlearn.datasets import _catalogue, _real
    from medlearn.datasets._store import sources

    card, mirror = _catalogue.card(name), os.environ.get("MEDLEARN_MIRROR", "")
    if any(folder.is_dir() for folder in _real.folders(card)):
        return "in the cache"
    if mirror.startswith(("http://", "https://")):
        return f"will be asked for at {mirror}"
    if mirror and any(
        (Path(mirror).expanduser() / sources.path_in_mirror(origin)).exists()
        for origin in _real.origins(card)
    ):
        return "at the mirror"
    if card.supplied:
        return f"is yours to supply: see {card.origin}"
    return "will be downloaded at its first use (or take it from a folder: MEDLEARN_MIRROR)"


def network() -> Finding:
    """Whether the hosts of the real data sets answer."""
    from medlearn.datasets import _catalogue

    hosts = sorted({urlsplit(_catalogue.card(name).origin).hostname for name in real_sets()})
    silent = [host for host in hosts if not answers(host)]
    if silent:
        return Finding(
            NOTE,
            f"no answer from {', '.join(silent)}; only real data that are not here yet need it",
        )
    return Finding(OK, f"{', '.join(hosts)} can be reached")


def answers(host: str) -> bool:
    """Whether a server at this host takes connections within a few seconds."""
    try:
        socket.create_connection((host, 443), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def version(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


CHECKS = {
    "Python": python,
    "TensorFlow": tensorflow,
    "GPU": gpu,
    "Jupyter": jupyter,
    "lessons": lessons_here,
    "weights": weights,
    "cache": cache,
    "data": data,
    "network": network,
}
