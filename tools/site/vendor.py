"""The JavaScript that pages need and Python packages do not bring.

npm fetches it once; it is kept in the cache and served with the site. Lessons carry no state of
their widgets (a still picture stands beside each), so that no page needs the widget manager.
"""

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from medlearn import _files, _unpacked

# What is taken from each package: the paths of files and folders in it.
PACKAGES = {
    "mathjax@3.2.2": ("es5/tex-mml-chtml.js", "es5/output/chtml/fonts", "LICENSE"),
    "reveal.js@5.2.1": (
        "dist/reveal.js",
        "dist/reveal.css",
        "dist/reset.css",
        "dist/theme",
        "LICENSE",
    ),
}
WITHOUT = {
    "mathjax@3.2.2": "formulas stay in TeX",
    "reveal.js@5.2.1": "slides are shown one below the other",
}
NPM = ["pack", "--silent", "--fetch-retries=0"]
SECONDS = 120


def fetch(to: Path) -> list[str]:
    """Put the packages below the folder `to`.

    Returns
    -------
    list of str
        A sentence for each package that cannot be had here.
    """
    sentences = []
    for package, paths in PACKAGES.items():
        cached = _files.cache() / "site" / package
        if not cached.is_dir():
            problem = _download(package, paths, cached)
            if problem:
                sentences.append(
                    f"{package} is not in the cache and {problem}: {WITHOUT[package]}; all else "
                    "works."
                )
                continue
        without_list = shutil.ignore_patterns(_unpacked.MARK)
        shutil.copytree(cached, to / package.split("@")[0], ignore=without_list)
    return sentences


def _download(package: str, paths: tuple[str, ...], cached: Path) -> str:
    """Fetch and unpack one package; returns what was in the way, or an empty string."""
    npm = shutil.which("npm")
    if not npm:
        return "npm, which fetches it, is not installed"
    cached.parent.mkdir(parents=True, exist_ok=True)
    with _files.locked(cached), tempfile.TemporaryDirectory(dir=cached.parent) as scratch:
        if cached.is_dir():  # another build put it there meanwhile
            return ""
        try:
            command = [npm, *NPM, package]
            process = subprocess.run(command, cwd=scratch, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"npm did not fetch it within {SECONDS} s"
        archives = list(Path(scratch).glob("*.tgz"))
        if process.returncode or not archives:
            return "npm could not fetch it (no network?)"
        unpacked = Path(scratch, "unpacked")
        with tarfile.open(fileobj=io.BytesIO(archives[0].read_bytes())) as archive:
            archive.extractall(unpacked, filter="data")
        with _unpacked.whole_folder(cached) as draft:
            for name in paths:
                _copy(unpacked / "package" / name, draft / name)
    return ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
