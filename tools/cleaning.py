"""Remove what running the course left in its folder."""

import os
import shutil
from pathlib import Path

from medlearn import _files
from tools import lessons

LEFTOVERS = {"__pycache__", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints"}


def clean(cache: bool = False, venv: bool = False) -> None:
    """Remove leftovers from the course's folder and, if asked, the cache folder and the environment `.venv`.

    Raises ValueError if the cache folder holds more than a cache.
    """
    folders = leftovers(lessons.ROOT)
    if cache:
        folder = _files.cache().resolve()
        if folder in (Path.home(), lessons.ROOT) or {folder} & {
            *Path.home().parents,
            *lessons.ROOT.parents,
        }:
            raise ValueError(
                f"MEDLEARN_CACHE is {folder}, which holds more than a cache; remove what you wish by hand."
            )
        folders.append(folder)
    if venv:
        (lessons.ROOT / ".venv" / "set-up.stamp").unlink(
            missing_ok=True
        )  # half-removed, it must not be trusted
        folders.append(lessons.ROOT / ".venv")
    for folder in folders:
        shutil.rmtree(folder)
    print(f"Removed {len(folders)} folder(s).")


def leftovers(root: Path) -> list[Path]:
    """The folders below `root` that only caches live in, except those of environments and of git."""
    found = []
    for here, folders, _ in os.walk(root):
        found += [Path(here) / name for name in folders if name in LEFTOVERS]
        folders[:] = [
            name
            for name in folders
            if name not in LEFTOVERS and not name.startswith((".venv", ".git"))
        ]
    return found
