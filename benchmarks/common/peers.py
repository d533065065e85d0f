"""Python of another environment, for libraries that the course itself does not want beside TensorFlow."""

from pathlib import Path
import subprocess
import sys
import venv

from medlearn import _files

HERE = Path(__file__).resolve().parents[1] / "peers"


def python(folder: str, requirements: str) -> Path:
    """The Python of a folder in the cache, which is made anew where the requirements have changed or were never installed."""
    place, wanted = _files.cache() / folder, (HERE / requirements).read_text()
    done, found = (
        place / "installed.txt",
        place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"),
    )
    if not done.exists() or done.read_text() != wanted:
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([found, "-m", "pip", "install", "-q", "-r", HERE / requirements], check=True)
        done.write_text(wanted)
    return found
