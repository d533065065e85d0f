"""Remove what running the course left in its folder."""

import os
import shutil
from pathlib import Path

from medlearn import _files
from medlearn.teaching import _scores
from tools import lessons

LEFTOVERS = {
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".mypy_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
}


def clean(cache: bool = False, venv: bool = False) -> None:
    """Remove the leftovers in the course's folder.

    Parameters
    ----------
    cache : bool
        Also remove the cache folder, except the progress that a learner made.
    venv : bool
        Also remove the environment ``.venv``.

    Raises
    ------
    ValueError
        If the cache folder holds more than a cache.
    """
    folders = _leftovers(lessons.ROOT)
    progress: dict[Path, bytes] = {}
    if cache:
        folders.append(_removable_cache())
        file = folders[-1] / _scores.NAME
        if file.is_file():
            progress[file] = file.read_bytes()
    if venv:
        environment = lessons.ROOT / ".venv"
        (environment / "set-up.stamp").unlink(missing_ok=True)  # half of it must not be trusted
        folders.append(environment)
    for folder in folders:
        shutil.rmtree(folder)
    for file, solved in progress.items():
        file.parent.mkdir(parents=True)
        file.write_bytes(solved)
    print(f"Removed {len(folders)} folder(s).")


def _removable_cache() -> Path:
    """The cache folder, unless it is or holds the user's home or the course."""
    folder = _files.cache().resolve()
    for precious in (Path.home(), lessons.ROOT):
        if folder == precious or folder in precious.parents:
            raise ValueError(
                f"MEDLEARN_CACHE is {folder}, which holds more than a cache; remove by hand what "
                "you do not need."
            )
    return folder


def _leftovers(root: Path) -> list[Path]:
    """The folders of caches below `root`, except those of environments and of git."""
    leftovers = []
    for folder, names, _ in os.walk(root):
        leftovers += [Path(folder) / name for name in names if name in LEFTOVERS]
        names[:] = [name for name in names if _may_hold_leftovers(name)]
    return leftovers


def _may_hold_leftovers(name: str) -> bool:
    return name not in LEFTOVERS and not name.startswith((".venv", ".git"))
