"""A session in Google Colab: bring what medlearn needs and is not there, keep caches on Drive, draw in the house style."""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def prepare(content: str = "/content") -> str:
    """Make the session ready and return a line that says what it has. Safe to call again.

    Libraries that are there keep their versions: pip gets all of them as constraints and installs only what is missing.
    With Drive mounted below `content`, MEDLEARN_CACHE points there, so that downloads and features outlive the session.
    Figures get the course's style, which elsewhere a matplotlibrc beside the lessons gives them.
    """
    fetched = missing()
    if fetched:
        install(fetched)
    drive = Path(content, "drive", "MyDrive")
    if drive.is_dir():
        os.environ["MEDLEARN_CACHE"] = str(drive / "medlearn" / "cache")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import matplotlib

    from medlearn import _files, _keras
    from medlearn.teaching import budget

    matplotlib.rc_file(_files.folder("style") / "matplotlibrc")
    where = (
        f"kept on Drive, {_files.cache()}"
        if drive.is_dir()
        else "lost when the session ends (USE_DRIVE = True keeps them)"
    )
    return f"Ready: {_keras.gpu_name() or 'no GPU'}, budget {budget.name()}; downloads and features are {where}."


def missing(package: str = "medlearn") -> list[str]:
    """What the package requires, extras aside, and is not installed, as pip wants it said."""
    needed = [text for text in importlib.metadata.requires(package) or [] if "extra ==" not in text]
    return [text for text in needed if not _there(_name(text))]


def install(requirements: list[str]) -> None:
    """Install these while everything that is installed keeps its version; raises RuntimeError with pip's last line."""
    pins = {
        f"{each.metadata['Name']}=={each.version}"
        for each in importlib.metadata.distributions()
        if each.metadata["Name"]
    }
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder, "constraints.txt")
        keep.write_text("\n".join(sorted(pins)), encoding="utf-8")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-c",
            str(keep),
            *requirements,
        ]
        done = subprocess.run(
            pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(
            f"{', '.join(requirements)} cannot be installed beside what is here: {last}"
        )
    importlib.invalidate_caches()


def _there(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _name(requirement: str) -> str:
    letters = (
        each
        for each in range(len(requirement))
        if not (requirement[each].isalnum() or requirement[each] in "-_.")
    )
    return requirement[: next(letters, len(requirement))]
