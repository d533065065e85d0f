"""The committed tables of benchmarks, as lessons show them."""

from typing import Any

import pandas as pd

from medlearn import _files

_ORIGIN = ["command", "commit", "date", "processor", "versions", "code"]


def read(name: str, **options: Any) -> pd.DataFrame:
    """Return the table of one benchmark.

    Parameters
    ----------
    name : str
        Name of the table without its ending, such as ``"transfer_summary"``.
    **options
        Passed on to :func:`pandas.read_csv`.

    Returns
    -------
    pandas.DataFrame
        The rows as they were measured. Lines that begin with ``#``, and the columns that say where
        a row comes from (command, commit, date, processor, versions, code), are left out.

    Raises
    ------
    ValueError
        If there is no table of that name.
    """
    folder = _files.folder("results")
    names = sorted(path.stem for path in folder.glob("*.csv"))
    if name not in names:
        raise ValueError(_files.unknown("table of results", name, names))
    table = pd.read_csv(folder / f"{name}.csv", comment="#", **options)
    return table.drop(columns=_ORIGIN) if set(_ORIGIN) <= set(table.columns) else table
