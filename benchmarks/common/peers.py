"""Peers: libraries that do not fit beside TensorFlow, their methods, and their own Python."""

from pathlib import Path
import subprocess
import sys
import venv

from medlearn import _files

PROGRAMS = Path(__file__).resolve().parents[1] / "peers"
METHODS = {
    "skada": ("SKADA CORAL", "SKADA subspace", "SKADA OT"),
    "pot": (
        "POT exact",
        "POT Sinkhorn",
        "POT Sinkhorn, group",
        "POT Sinkhorn, .02",
        "POT Sinkhorn, .05",
        "POT Sinkhorn, group, .05",
    ),
    "adapt": ("ADAPT DANN", "ADAPT DeepCORAL", "ADAPT CDAN", "ADAPT MCD"),
}
SCORERS = {  # a library's own label-free scores
    "skada": ("entropy", "neighbourhood", "embedded", "circular"),
    "adapt": ("covariance",),
}
ALL_METHODS = sum(METHODS.values(), ())
LATER = METHODS["pot"][3:]  # rows that a pair may still lack


def python(folder: str, requirements: str) -> Path:
    """Return the Python of an environment, which is made anew where its requirements have changed.

    Parameters
    ----------
    folder : str
        Name of the environment's folder in the cache.
    requirements : str
        Name of the file in benchmarks/peers/ that lists what is installed.
    """
    environment = _files.cache() / folder
    program = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    required, installed = PROGRAMS / requirements, environment / "installed.txt"
    if not installed.exists() or installed.read_text() != required.read_text():
        venv.create(environment, with_pip=True, clear=True)
        install = [environment / program, "-m", "pip", "install", "-q", "-r", required]
        subprocess.run(install, check=True)
        installed.write_text(required.read_text())
    return environment / program
