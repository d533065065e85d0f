"""A table of results that grows a row at a time, so that a benchmark can be stopped and started at will.

Import it first: it holds NumPy and TensorFlow to one thread, which is what a CPU-second means in our tables. Then

    table.grow("transfer", __doc__, key=("data", "seed"), columns=("score",), rows=[("smear", 0)], measure=measure)

reads the command line (`--only TEXT`, `--minutes M`), calls `measure(*row) -> dict` for every row that
results/transfer.csv lacks, and appends what it returns. The first lines of the file say command, processor and versions;
the last two are printed first as well. MEDLEARN_RESULTS names another folder for the tables.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy starts its threads: on small matrices they only cost

import argparse
from collections.abc import Callable, Iterable, Sequence
import csv
from datetime import date
import importlib.metadata
from pathlib import Path
import platform
import time

import pandas as pd

from medlearn import _files
from medlearn._keras import tf
from medlearn.teaching.doctor import processor

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn")


def options(doc: str, **flags: str) -> argparse.Namespace:
    """The command line of a benchmark: `only`, `minutes`, and a yes-or-no flag of each name in `flags` (name=help)."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="keep the rows whose key contains this text")
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="begin no further row after that"
    )
    for name, text in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    return parser.parse_args()


def path(name: str) -> Path:
    return Path(os.environ.get("MEDLEARN_RESULTS") or _files.folder("results")) / f"{name}.csv"


def read(name: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """The rows there are; the columns in `text` are kept as they are written."""
    return pd.read_csv(
        path(name), comment="#", dtype=dict.fromkeys(text, str), keep_default_na=not text
    )


def grow(
    name: str,
    given: str | argparse.Namespace,
    key: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[tuple],
    measure: Callable[..., dict],
) -> None:
    """Measure the rows that the table lacks, one after the other; each is written before the next begins.

    given: the benchmark's docstring, or its command line if it has flags of its own. key: names of the values in a
    row, which `measure` is called with; columns: names of what it returns, rounded as it should be written.
    """
    wanted = options(given) if isinstance(given, str) else given
    present = begun(name, key, columns)
    print(*machine(), sep="\n", flush=True)
    end = time.monotonic() + 60 * wanted.minutes
    for row in rows:
        if tuple(map(str, row)) in present or wanted.only not in " ".join(map(str, row)):
            continue
        if time.monotonic() > end:
            break
        result = dict(zip(key, row)) | measure(*row)
        with open(path(name), "a", newline="") as stream:
            csv.DictWriter(stream, (*key, *columns), lineterminator="\n").writerow(result)
        print(*(value for value in result.values() if len(str(value)) < 80), flush=True)


def begun(name: str, key: Sequence[str], columns: Sequence[str]) -> set[tuple[str, ...]]:
    """Keys of the rows in the table; it is begun if there is none."""
    if not path(name).exists():
        head = (f"python benchmarks/{name}.py", *machine(), f"begun {date.today()}")
        path(name).write_text(
            "".join(f"# {line}\n" for line in head) + ",".join((*key, *columns)) + "\n"
        )
    with open(path(name), newline="") as stream:
        found = csv.DictReader(line for line in stream if not line.startswith("#"))
        return {tuple(each[column] for column in key) for each in found}


def machine() -> tuple[str, str]:
    """The processor, and the versions of what computes."""
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    return f"{processor()}, one thread", f"Python {platform.python_version()}, {versions}"


def version(library: str) -> str:
    """Version of an installed library; TensorFlow may be installed under the name of its smaller edition."""
    names = (library, f"{library}-cpu")
    return next(
        found.version for name in names for found in importlib.metadata.distributions(name=name)
    )
