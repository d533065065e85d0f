"""Remove what running the course left in its folder."""

import os
import shutil
from pathlib import Path

from medlearn import _files
from medlearn.instruments.mri import _atlas
from tools import lessons

LEFTOVERS = {
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".mypy_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
}


MADE_IN_CACHE = {"datasets", "decoded", "features", "simulated", "site", "weights", _atlas.FILE}
_OF_THESE = (".lock", ".lock.holder")  # endings of what stands beside them


def clean(cache: bool = False, venv: bool = False) -> None:
    """Remove the leftovers in the course's folder.

    Parameters
    ----------
    cache : bool
        Also remove from the cache folder what can be made or fetched again. The progress of a
        learner, the secrets of pseudonyms and what a user put there stay.
    venv : bool
        Also remove the environment ``.venv``.

    Raises
    ------
    ValueError
        If medlearn made neither the cache folder nor the environment, or if the cache folder holds
        the user's home or the course. Then nothing is removed.
    """
    doomed = _leftovers(lessons.ROOT)
    environment = lessons.ROOT / ".venv"
    folder = _own_cache() if cache else None
    if venv:
        _check_environment(environment)
    if folder:
        doomed += sorted(path for path in folder.iterdir() if _is_made_here(path))
    if venv:
        (environment / "set-up.stamp").unlink(missing_ok=True)  # half of it must not be trusted
        doomed.append(environment)
    for path in doomed:
        _remove(path)
    print(f"Removed {len(doomed)} files and folders.")
    if folder:
        _remove_if_empty(folder)


def _own_cache() -> Path:
    """The cache folder, if medlearn made it or found it empty."""
    folder = _files.cache().resolve()
    for precious in (Path.home(), lessons.ROOT):
        if folder == precious or folder in precious.parents:
            raise ValueError(
                f"MEDLEARN_CACHE is {folder}, which holds more than a cache; remove by hand what "
                "you do not need."
            )
    if not _files.is_marked(folder):
        raise ValueError(
            f"MEDLEARN_CACHE is {folder}, which held other things before medlearn used it (it has "
            f"no {_files.MARK}); remove by hand what you do not need."
        )
    return folder


def _check_environment(environment: Path) -> None:
    signs = ("set-up.stamp", "setup.log")
    if not any((environment / name).is_file() for name in signs):
        raise ValueError(f"{environment} was not made by this course; remove it by hand.")


def _is_made_here(path: Path) -> bool:
    name = path.name
    for ending in _OF_THESE:
        name = name.removesuffix(ending)
    return name in MADE_IN_CACHE


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    """Remove a cache folder without content, and say what stays in another one."""
    remaining = sorted(path.name for path in folder.iterdir() if path.name != _files.MARK)
    if remaining:
        more = ", ..." if len(remaining) > 10 else ""
        print(f"Kept in {folder}: {', '.join(remaining[:10])}{more}")
        return
    (folder / _files.MARK).unlink(missing_ok=True)
    folder.rmdir()


def _leftovers(root: Path) -> list[Path]:
    """The folders of caches below `root`, except those of environments and of git."""
    leftovers = []
    for folder, names, _ in os.walk(root):
        leftovers += [Path(folder) / name for name in names if name in LEFTOVERS]
        names[:] = [name for name in names if _may_hold_leftovers(name)]
    return leftovers


def _may_hold_leftovers(name: str) -> bool:
    return name not in LEFTOVERS and not name.startswith((".venv", ".git"))
