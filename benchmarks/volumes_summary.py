"""How do the networks of volumes.py compare, over seeds and with intervals over patients?

    python benchmarks/volumes_summary.py

A few CPU-seconds; results/volumes.csv becomes results/volumes_summary.csv.

Scores are means over all seeds that a method has. `minus_scratch` is its Dice minus that of our
3-D network from scratch, on the same cases of the seeds that both have; a method that learned for
longer than the other ones has none. `hd95` (mm), steps and seconds are means over seeds.
"""

from common import table  # first: it sets the threads
from common import bootstrap
import numpy as np
import pandas as pd

REFERENCE = "3-D scratch"
LONG = ", long"
MEANS = {"hd95": 2, "steps": 0, "cpu_seconds": 1}  # digits


def cases(by_case: str) -> tuple[np.ndarray, np.ndarray]:
    """Return patients and Dice of the cases of a row.

    Parameters
    ----------
    by_case : str
        Such as "anna=0.871 anna=0.913 bert=0.853".
    """
    pairs = [case.rsplit("=", 1) for case in by_case.split()]
    return np.array([name for name, _ in pairs]), np.array([float(dice) for _, dice in pairs])


def dice_of(rows: pd.DataFrame, seeds) -> bootstrap.Scores:
    """Return the mean Dice of a method over these of its seeds.

    Parameters
    ----------
    rows : pandas.DataFrame
        Its rows of the table.
    seeds : iterable of int
        Seeds that it has.
    """
    by_seed = {row.seed: cases(row.by_case) for row in rows.itertuples() if row.seed in seeds}
    patients = bootstrap.Patients({seed: names for seed, (names, _) in by_seed.items()})
    return patients.mean({seed: dice for seed, (_, dice) in by_seed.items()})


def minus_scratch(rows: pd.DataFrame, scratch: pd.DataFrame) -> dict[str, float]:
    """Return the difference to the reference, in pairs, or nothing.

    Parameters
    ----------
    rows, scratch : pandas.DataFrame
        Rows of a method and of the reference.
    """
    seeds = bootstrap.common_seeds(rows.seed, scratch.seed)
    if not seeds or rows.method.iloc[0].endswith(LONG) or rows.equals(scratch):
        return {}
    pair = dice_of(rows, seeds), dice_of(scratch, seeds)
    return bootstrap.difference(*pair).columns("minus_scratch")


def line(data: str, method: str, rows: pd.DataFrame, scratch: pd.DataFrame) -> dict:
    """Return one line of the summary.

    Parameters
    ----------
    data, method : str
        Their names.
    rows, scratch : pandas.DataFrame
        Rows of the method and of the reference on these data.
    """
    means = {name: round(float(rows[name].mean()), digits) for name, digits in MEANS.items()}
    dice = dice_of(rows, set(rows.seed)).columns("dice")
    missing = dict.fromkeys([f"minus_scratch{end}" for end in ("", "_low", "_high")], np.nan)
    difference = missing | minus_scratch(rows, scratch)
    return {"data": data, "method": method, "seeds": len(rows), **dice, **difference, **means}


if __name__ == "__main__":
    measured = table.read("volumes")
    lines = []
    for data, of_data in measured.groupby("data", sort=False):
        reference = of_data[of_data.method == REFERENCE]
        lines += [
            line(data, method, rows, reference)
            for method, rows in of_data.groupby("method", sort=False)
        ]
    table.write("volumes_summary", lines)
