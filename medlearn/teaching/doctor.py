"""What the course needs and finds here, and what to do about what is missing."""

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
_SECONDS = 3  # to wait for a server
_REINSTALL = "remove the folder .venv and run `python3 course.py setup`"
_JUPYTER = ("jupyterlab", "ipykernel", "ipywidgets", "nbclient", "nbval", "pytest")
_HERE = ("in the cache", "at the mirror")


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    state : {"ok", "note", "PROBLEM"}
        Only a problem keeps the course from running.
    text : str
        Further lines are indented in the report.
    """

    state: str
    text: str


def report() -> int:
    """Print a line for each check; return 0 if the course can run, else 1."""
    states = []
    for name, check in CHECKS.items():
        finding = examine(check)
        states.append(finding.state)
        first_line, *more_lines = finding.text.splitlines()
        print(f"{finding.state:8s} {name:12s} {first_line}", flush=True)
        for line in more_lines:
            print(f"{'':21s} {line}", flush=True)
    problems = states.count(PROBLEM)
    if problems:
        print(f"\nThe course cannot run: {problems} problem(s) above.")
        return 1
    print("\nThe course can run.")
    return 0


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def examine(check: Callable[[], Finding]) -> Finding:
    """Return a check's finding; a check that breaks is itself a problem, and the others go on."""
    try:
        return check()
    except Exception as error:  # whatever is broken here is what the report is for
        return Finding(PROBLEM, f"{type(error).__name__}: {error}")


def _python() -> Finding:
    """Whether this Python is one that the course runs on, and where it lies."""
    text = f"{platform.python_version()} in {sys.prefix}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding(PROBLEM, f"{text}: the course needs 3.11, 3.12 or 3.13")
    return Finding(OK, text)


def _tensorflow() -> Finding:
    """Whether exactly one TensorFlow is installed and starts."""
    names = [name for name in ("tensorflow-cpu", "tensorflow") if _version(name)]
    if len(names) > 1:
        return Finding(PROBLEM, f"{' and '.join(names)} overwrite each other's files: {_REINSTALL}")
    if not _keras.installed():
        return Finding(PROBLEM, _keras.MISSING)
    keras, tf = _keras.keras, _keras.tf
    return Finding(OK, f"{tf.__version__} with Keras {keras.__version__}")


def _gpu() -> Finding:
    """The graphics card, and with it the budget, that lessons will take."""
    name = _keras.gpu_name()
    if name:
        return Finding(OK, f"{name}; the lessons take the budget `gpu`")
    return Finding(
        NOTE, "none that TensorFlow can use; the lessons take the budget `cpu`, made for that"
    )


def _jupyter() -> Finding:
    """Whether all that displays, runs and tests notebooks is installed."""
    versions = {name: _version(name) for name in _JUPYTER}
    missing = [name for name, version in versions.items() if not version]
    if missing:
        return Finding(PROBLEM, f"not installed: {', '.join(missing)}; {_REINSTALL}")
    return Finding(OK, ", ".join(f"{name} {version}" for name, version in versions.items()))


def _lessons() -> Finding:
    """How many lessons there are, and where."""
    notebooks = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        return Finding(PROBLEM, f"none in {NOTEBOOKS}; the course runs from a git clone of it")
    return Finding(OK, f"{len(notebooks)} in {NOTEBOOKS}")


def _weights() -> Finding:
    """Whether the weights that ship as packages are here and unaltered."""
    from medlearn.backbones import _dinov2, _pretrained

    for name in _pretrained.PACKAGES:
        _pretrained.read_package(name)  # reads the file and checks its SHA-256
    names = ", ".join(_pretrained.PACKAGES)
    installed = f"{names}: installed and unaltered, no download needed"
    if _dinov2.read_cached() is not None:
        return Finding(OK, f"{installed}\n{_dinov2.NAME}: in the cache and unaltered")
    advice = "pip fetches it at its first use (90 MB), or `python3 course.py setup` now"
    return Finding(NOTE, f"{installed}\n{_dinov2.NAME}: not in the cache; {advice}")


def _cache() -> Finding:
    """Whether the cache folder can be written to, and how much room it has."""
    folder = _files.cache()
    with tempfile.TemporaryFile(dir=folder):
        pass
    free = shutil.disk_usage(folder).free / 1e9
    if free < 1:
        advice = "make room, or set MEDLEARN_CACHE to another folder"
        return Finding(NOTE, f"{folder}: only {free:.1f} GB free; {advice}")
    return Finding(OK, f"{folder}: {free:.0f} GB free (MEDLEARN_CACHE moves it)")


def _data() -> Finding:
    """Where each real data set is or would come from."""
    origins = {name: _origin(name) for name in _real_sets()}
    lines = ["simulated sets need no files; of the real ones:"]
    lines += [f"{name}: {origin}" for name, origin in origins.items()]
    all_here = all(origin in _HERE for origin in origins.values())
    return Finding(OK if all_here else NOTE, "\n".join(lines))


def _real_sets() -> list[str]:
    """The names of the real data sets."""
    from medlearn.datasets import _catalogue

    return [name for name in _catalogue.names() if _catalogue.card(name).kind == "real"]


def _origin(name: str) -> str:
    """Where a real set would come from if it were loaded now."""
    from medlearn.datasets import _catalogue, _real
    from medlearn.datasets._store import download, sources

    card = _catalogue.card(name)
    if any(folder.is_dir() for folder in _real.folders(card)):
        return "in the cache"
    try:
        mirror = sources.mirror()
    except ValueError as error:
        return f"cannot be had: {error}"
    if isinstance(mirror, str):
        return f"will be asked for at {download.without_login(mirror)}"
    if mirror and _is_at(mirror, _real.origins(card)):
        return "at the mirror"
    if card.supplied:
        return f"is yours to supply: see {card.origin}"
    return "will be downloaded at its first use (or take it from a folder: MEDLEARN_MIRROR)"


def _is_at(mirror: Path, addresses: list[str]) -> bool:
    """Whether a folder holds the archive of one of these addresses."""
    from medlearn.datasets._store import sources

    return any((mirror / sources.path_in_mirror(address)).exists() for address in addresses)


def _network() -> Finding:
    """Whether the hosts of the real data sets answer."""
    from medlearn.datasets import _catalogue

    origins = [_catalogue.card(name).origin for name in _real_sets()]
    hosts = sorted({urlsplit(origin).hostname or "" for origin in origins})
    silent = [host for host in hosts if not _answers(host)]
    if silent:
        names = ", ".join(silent)
        return Finding(
            NOTE, f"no answer from {names}; only real data that are not here yet need it"
        )
    return Finding(OK, f"{', '.join(hosts)} can be reached")


def _answers(host: str) -> bool:
    """Whether a server at this host takes connections within a few seconds."""
    try:
        socket.create_connection((host, 443), timeout=_SECONDS).close()
    except OSError:
        return False
    return True


def _version(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


CHECKS = {
    "Python": _python,
    "TensorFlow": _tensorflow,
    "GPU": _gpu,
    "Jupyter": _jupyter,
    "lessons": _lessons,
    "weights": _weights,
    "cache": _cache,
    "data": _data,
    "network": _network,
}
