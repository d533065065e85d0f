"""A session in Google Colab: missing libraries, caches on Drive, figures in house style."""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def prepare(content: str = "/content") -> str:
    """Make the session ready and return a line that says what it has. It is safe to call again.

    Libraries that are there keep their versions: pip gets all of them as constraints and installs
    only what is missing. With Drive mounted below `content`, ``MEDLEARN_CACHE`` points there, so
    that downloads and features outlive the session. Figures get the course's style, which elsewhere
    a matplotlibrc beside the lessons gives them.
    """
    requirements = _missing()
    if requirements:
        _install(requirements)
    drive = Path(content, "drive", "MyDrive")
    if drive.is_dir():
        os.environ["MEDLEARN_CACHE"] = str(drive / "medlearn" / "cache")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # After the installation, because these need what may have been missing.
    import matplotlib

    from medlearn import _files, _keras
    from medlearn.teaching import budget

    matplotlib.rc_file(_files.folder("style") / "matplotlibrc")
    fate = "lost when the session ends (USE_DRIVE = True keeps them)"
    if drive.is_dir():
        fate = f"kept on Drive, {_files.cache()}"
    card = _keras.gpu_name() or "no GPU"
    return f"Ready: {card}, budget {budget.name()}; downloads and features are {fate}."


def _missing(package: str = "medlearn") -> list[str]:
    """What the package requires, extras aside, and is not installed, as pip expects it."""
    from packaging.requirements import Requirement  # lazy-loader brings it

    missing = []
    for text in importlib.metadata.requires(package) or []:
        requirement = Requirement(text)
        is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_needed and not _is_installed(requirement.name):
            missing.append(text)
    return missing


def _install(requirements: list[str]) -> None:
    """Install these while everything that is installed keeps its version.

    RuntimeError with pip's last line if that is impossible.
    """
    installed = [
        (item.metadata["Name"], item.version) for item in importlib.metadata.distributions()
    ]
    pins = {f"{name}=={version}" for name, version in installed if name}
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(sorted(pins)), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        result = subprocess.run(
            [*pip, "-c", str(constraints), *requirements],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    if result.returncode:
        last_line = (result.stdout.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(
            f"{', '.join(requirements)} cannot be installed beside what is here: {last_line}"
        )
    importlib.invalidate_caches()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
