"""Where the things that travel with the package lie, and where the things it makes are kept."""

import os
from pathlib import Path

import pooch

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {"datasets": "datasets", "results": "benchmarks/results", "style": "notebooks"}


def folder(name: str) -> Path:
    """The folder of the data cards (`"datasets"`), the benchmark tables (`"results"`) or the figures' matplotlibrc (`"style"`).

    In a checkout these are the folders a reader sees; in an installed wheel, their copies inside the package.
    """
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[name]


def cache() -> Path:
    """The folder for downloads and computed features: `MEDLEARN_CACHE`, or the user's cache folder.

    Raises OSError with the path and the way out if the folder cannot be made.
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
