"""The folder of a run: held by one training at a time, with its numbered checkpoints."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from medlearn import _files
from medlearn._keras import tf

LIST = "checkpoint"  # the file in which TensorFlow lists the checkpoints
_INDEX = re.compile(r"ckpt-[0-9]+\.index")  # and not a user's ckpt-best.index


@contextmanager
def alone(folder: Path, part: str) -> Iterator[None]:
    """Keep other trainings out of a folder; the system lets go of it for a process that dies.

    Where no lock can be kept, as on some shared disks or in a folder that one may only read,
    nobody is kept out.

    Parameters
    ----------
    folder : Path
        With the checkpoints of a run.
    part : str
        What this process writes there: each worker of one training has a part of its own.

    Raises
    ------
    OSError
        If another training holds it; the message says which one.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(_files.locked(folder / part, wait=False))
        except BlockingIOError as holder:
            raise OSError(
                f"Another training is at work in {folder} ({holder}): wait until it has ended, or "
                "choose a folder for each."
            ) from None
        except (OSError, NotImplementedError):
            pass
        yield


def number(path: str | Path) -> int:
    """Return the number at the end of a checkpoint's name."""
    return int(str(path).rpartition("-")[2])


def paths(folder: Path) -> list[str]:
    """Return the checkpoints that are there, the newest first."""
    found = folder.glob("ckpt-*.index")
    checkpoints = [path.with_suffix("") for path in found if _INDEX.fullmatch(path.name)]
    return [str(path) for path in sorted(checkpoints, key=number, reverse=True)]


def newest_name(folder: Path) -> str | None:
    """Return the newest checkpoint by TensorFlow's list, whether it is there or not.

    Returns
    -------
    str or None
        Its name; empty if the list cannot be read, None if there is no list.
    """
    try:
        listed = tf.train.get_checkpoint_state(str(folder))
    except ValueError:  # no text, or an empty one
        return ""
    if listed is None:
        return "" if (folder / LIST).exists() else None
    return Path(listed.model_checkpoint_path).name


def mend_list(folder: Path) -> None:
    """Write TensorFlow's list of checkpoints anew, if it cannot be read or is missing.

    Parameters
    ----------
    folder : Path
        There may be no checkpoint in it, and it may not exist.
    """
    if newest_name(folder):
        return
    names = [Path(path).name for path in reversed(paths(folder))]
    if not names:
        (folder / LIST).unlink(missing_ok=True)
        return
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    for name in names:
        saved = (folder / f"{name}.index").stat().st_mtime
        lines.append(f'all_model_checkpoint_paths: "{name}"')
        lines.append(f"all_model_checkpoint_timestamps: {saved}")
    _files.write_text(folder / LIST, "\n".join(lines) + "\n")
