"""Remove what running the course left in its folder."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from medlearn import _drafts, _files, _unpacked
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


_DIGEST = "[0-9a-f]{40}"
# The folders of the cache, and the names of the single files that medlearn writes into them.
MADE_IN_CACHE = {
    "": re.escape(_atlas.FILE),
    "datasets": r"\..+\.medlearn-download(\.[0-9a-f]{8}\.partial)?",
    "decoded": rf"{_DIGEST}\.decoded",
    "features": rf"{_DIGEST}-{_DIGEST}(-[a-z]+)?\.npy",
    "simulated": rf"{_DIGEST}\.simulated",
    "site": "",  # folders only
    "weights": r"dinov2_small\.npz",
}

FILLED_BY_OLDER = ("datasets/", "site/")
WITHOUT_LIST = (
    "What an older medlearn put into datasets and site has no list of its files, so it stays: "
    "remove it by hand if nothing in it is yours."
)


def clean(cache: bool = False, venv: bool = False) -> None:
    """Remove the leftovers in the course's folder.

    Parameters
    ----------
    cache : bool
        Also remove from the cache folder what can be made or fetched again: files whose names only
        medlearn gives, and unpacked folders with their list (see `_unpacked`). The progress of a
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
        doomed += _made_in(folder)
    if venv:
        (environment / "set-up.stamp").unlink(missing_ok=True)  # half of it must not be trusted
        doomed.append(environment)
    for path in doomed:
        _remove(path)
    print(f"Removed {len(doomed)} files and folders.")
    if folder:
        _remove_if_empty(folder)


def _made_in(cache: Path) -> list[Path]:
    """What medlearn wrote into its cache folder, and can write again."""
    made = []
    for name, pattern in MADE_IN_CACHE.items():
        _drafts.remove_dead(cache / name)
        paths = sorted((cache / name).iterdir()) if (cache / name).is_dir() else []
        made += [path for path in paths if re.fullmatch(pattern, path.name) and path.is_file()]
        if name:
            made += [path for path in paths if _is_ours(path)]
    return made


def _is_ours(path: Path) -> bool:
    """Whether a folder has its list, or this is a lock or a draft."""
    return _unpacked.is_marked(path) or _is_lock(path) or _drafts.is_draft(path.name)


def _is_lock(path: Path) -> bool:
    """Whether this is a lock, which is empty, or the note of who holds one."""
    if not path.is_file():
        return False
    if path.suffix == ".lock":
        return path.stat().st_size == 0
    return path.name.endswith(".lock.holder") and path.read_bytes().startswith(b"process ")


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


def _remove(path: Path) -> None:
    if _unpacked.is_marked(path):
        _unpacked.remove(path)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    """Remove a cache folder without content, and say what stays in another one."""
    for name in filter(None, MADE_IN_CACHE):
        with suppress(OSError):  # it is not empty, or not there
            (folder / name).rmdir()
    remaining = sorted(_remaining(folder))
    if remaining:
        more = ", ..." if len(remaining) > 10 else ""
        print(f"Kept in {folder}: {', '.join(remaining[:10])}{more}")
        if any(name.startswith(FILLED_BY_OLDER) for name in remaining):
            print(WITHOUT_LIST)
        return
    (folder / _files.MARK).unlink(missing_ok=True)
    folder.rmdir()


def _remaining(cache: Path) -> Iterator[str]:
    """The names of what stays; of medlearn's own folders, of what is in them."""
    for path in cache.iterdir():
        if path.name in MADE_IN_CACHE and path.is_dir():
            yield from (f"{path.name}/{kept.name}" for kept in path.iterdir())
        elif path.name != _files.MARK:
            yield path.name


def _leftovers(root: Path) -> list[Path]:
    """The folders of caches below `root`, except those of environments and of git."""
    leftovers = []
    for folder, names, _ in os.walk(root):
        leftovers += [Path(folder) / name for name in names if name in LEFTOVERS]
        names[:] = [name for name in names if _may_hold_leftovers(name)]
    return leftovers


def _may_hold_leftovers(name: str) -> bool:
    return name not in LEFTOVERS and not name.startswith((".venv", ".git"))
