"""Drafts: files and folders that have a hidden name of their own until they are whole.

The name of a draft says which process of which machine is at work on it. So what a kill left behind
can be told from what somebody still writes, and from everything that is not a draft.
"""

import hashlib
import os
import re
import secrets
import shutil
import socket
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_MARK = "medlearn"
_NAME = re.compile(rf"\..*\.{_MARK}-([0-9a-f]{{8}})-([0-9]+)-[0-9a-f]{{8}}\.partial", re.DOTALL)
_LONGEST_START = 40  # characters of a name that its draft begins with: the whole may be too long


def beside(path: Path) -> Path:
    """Return a new hidden name for a draft, in the folder of what it will become.

    Parameters
    ----------
    path : Path
        The file or folder that the draft will become.
    """
    start = path.name[:_LONGEST_START]
    owner = f"{_MARK}-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{start}.{owner}.partial")


def remove_dead(folder: Path) -> None:
    """Remove the drafts in a folder whose process has ended, as after a kill.

    Drafts of other machines stay, and so does everything that does not bear the name of a draft.
    On Windows all stay: there one cannot ask for a process without harm to it.

    Parameters
    ----------
    folder : Path
        The folder; those in it are not searched.
    """
    with suppress(OSError):  # one may be allowed to write to a folder, and not to list it
        for name in os.listdir(folder):
            if _is_dead(name):
                _remove(folder / name)


def is_draft(name: str) -> bool:
    """Return whether a file or folder has the name of a draft, of whatever process.

    Parameters
    ----------
    name : str
        The last part of its path.
    """
    return _NAME.fullmatch(name) is not None


def remove_all(path: Path) -> None:
    """Remove all drafts of a file or folder, also those of other machines; hold its lock.

    Parameters
    ----------
    path : Path
        What they would have become; it need not exist. If its name is so long that drafts of
        others may begin like it, all stay.
    """
    if len(path.name) > _LONGEST_START:
        return
    start = f".{path.name}.{_MARK}-"
    with suppress(OSError):
        for name in os.listdir(path.parent):
            if name.startswith(start) and is_draft(name):
                _remove(path.parent / name)


def _is_dead(name: str) -> bool:
    """Say whether this is the draft of a process of this machine that has ended."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] != _machine() or os.name == "nt":
        return False
    try:
        os.kill(int(match[2]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it lives, and is somebody else's
        return False
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return 8 digits for this machine, or container: its processes have numbers of their own."""
    facts = [socket.gethostname()]
    with suppress(OSError):
        facts.append(Path("/etc/machine-id").read_text(encoding="utf-8", errors="replace"))
    with suppress(OSError):
        facts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(facts).encode("utf-8", "replace")).hexdigest()[:8]
