"""Shipped folders, the cache folder, atomic writes, and "do you mean" for misspelt names."""

import difflib
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import pooch

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {"datasets": "datasets", "results": "benchmarks/results", "style": "notebooks"}

_LONGEST_START = 40  # characters of a name that its temporary file begins with


def folder(name: str) -> Path:
    """Return the folder of the data cards, the benchmark tables or the figures' style.

    In a checkout these are the folders that a reader sees; in an installed wheel, their copies
    inside the package.

    Parameters
    ----------
    name : {"datasets", "results", "style"}
        Which folder.
    """
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[name]


def cache() -> Path:
    """Return the folder for downloads and features: ``MEDLEARN_CACHE``, or the user's cache folder.

    Raises
    ------
    OSError
        If the folder cannot be made; the message names it and the way out.
    """
    path = Path(os.environ.get("MEDLEARN_CACHE") or pooch.os_cache("medlearn")).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The cache folder {path} cannot be made ({error.strerror}); "
            "set MEDLEARN_CACHE to a folder that you may write to."
        ) from error
    return path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a temporary file in the same folder, then rename it.

    A reader finds the old file or the new one, never a part of it. After a failure or a kill the
    old file is still there.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    write : callable
        Called with the path of the temporary file, which it must write.
    """
    start = path.name[:_LONGEST_START]  # the whole name may be too long with more around it
    temporary = path.with_name(f".{start}.{secrets.token_hex(4)}.partial")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes as `write_atomically` does.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    data : bytes
        All of its content.
    """
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_atomically` does.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    text : str
        All of its content; line ends stay as they are.
    """
    write_bytes(path, text.encode("utf-8"))


def nearest(name: object, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the names that are spelt like a given one, the most alike first.

    Parameters
    ----------
    name : object
        The name that was given; compared as text, upper and lower case alike.
    names : iterable of str
        The names that exist.
    count : int
        At most so many.
    """
    by_lower_case = {str(candidate).casefold(): str(candidate) for candidate in names}
    close = difflib.get_close_matches(str(name).casefold(), by_lower_case, n=count, cutoff=0.4)
    return [by_lower_case[lower] for lower in close]


def unknown(noun: str, name: object, names: Iterable[str], owner: str = "") -> str:
    """Return the sentence for a name that does not exist, with those that may have been meant.

    Parameters
    ----------
    noun : str
        What the name should be a name of, such as ``"data set"``.
    name : object
        The name that was given.
    names : iterable of str
        The names that exist.
    owner : str
        The owner of these names, such as a model's name; then the sentence begins with it.

    Examples
    --------
    >>> unknown("layer", "blok_1", ["block_0", "block_1"], "encoder")
    "encoder has no layer 'blok_1'; do you mean 'block_1' or 'block_0'?"
    """
    names = [str(candidate) for candidate in names]
    problem = f"{owner} has no {noun} {name!r}" if owner else f"There is no {noun} {name!r}"
    near = nearest(name, names)
    if near:
        return f"{problem}; do you mean {' or '.join(map(repr, near))}?"
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{problem}; there are {listed}." if names else f"{problem}; there are none."
