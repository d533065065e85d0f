"""How fast do the virtual instruments make images on one core?

    python benchmarks/instrument_speed.py   # measures all rows anew

Two minutes; writes results/instrument_speed.csv.

Seconds are processor seconds of one thread. `yardsticks` is the time of one image in units of a
fixed piece of NumPy and SciPy work measured in the same run, which compares better between
machines, and on busy ones, than images per second.
"""

from collections.abc import Callable
from functools import partial
import platform
import time
from typing import NamedTuple

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd
import PIL
import scipy
from scipy.ndimage import gaussian_filter

from medlearn import _files
from medlearn.instruments import mri, smear


class Case(NamedTuple):
    """One measurement: the instrument, what it makes, how many images, the call that makes them."""

    instrument: str
    product: str
    images: int
    call: Callable[[], object]


def _cells(laboratory: str, count: int) -> Case:
    call = partial(smear.single_cells, laboratory, count, seed=1)
    return Case("smear", f"single cells, {laboratory}, 128 px", count, call)


def _slices(site: str, count: int) -> Case:
    return Case("mri", f"slices, {site}, 128 px", count, partial(mri.slices, site, count))


def _volumes(count: int, spacing: tuple[float, float, float], voxels: str) -> Case:
    call = partial(mri.volumes, "3T-T1w", count, spacing, seed=1)
    return Case("mri", f"volumes, 3T-T1w, {voxels} voxels", count, call)


def _cases() -> list[Case]:
    fields = partial(smear.fields, "field-lab", 20, seed=1)
    one_cell = partial(smear.one_cell, "lab-a", "monocyte", seed=1)
    all_sites = partial(mri.paired_slices, list(mri.SITES), 400)
    rescan = partial(mri.scan, mri.prepare("tumour"), "3T-FLAIR")
    return [
        _cells("lab-a", 2000),
        _cells("lab-b", 500),
        _cells("random", 500),
        Case("smear", "fields, field-lab, 480 x 640 px", 20, fields),
        Case("smear", "one cell (widget), lab-a, 128 px", 1, one_cell),
        _slices("3T-FLAIR", 2000),
        *(_slices(site, 400) for site in (*mri.SITES, "random") if site != "3T-FLAIR"),
        Case("mri", "the same slices at all sites, 128 px", 400 * len(mri.SITES), all_sites),
        Case("mri", "rescan of a prepared slice (widget), 3T-FLAIR", 1, rescan),
        _volumes(8, (3, 2, 2), "32 x 96 x 96"),
        _volumes(2, (1, 1.5, 1.5), "96 x 128 x 128"),
    ]


def _warm_up() -> None:
    smear.single_cells("lab-a", 5)
    smear.fields("field-lab", 1)
    mri.slices("PD", 4)
    mri.volumes("PD", 1, (12, 6, 6))


def _processor_seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _yardstick() -> float:
    """Processor seconds of a fixed piece of work, the middle of five."""
    image = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    seconds = [_processor_seconds(lambda: np.exp(gaussian_filter(image, 3.0))) for _ in range(5)]
    return float(np.median(seconds))


def measure() -> pd.DataFrame:
    """Return all rows."""
    _warm_up()
    versions = {
        "cpu": table.processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pillow": PIL.__version__,
    }
    rows = []
    for case in _cases():
        unit, seconds = _yardstick(), _processor_seconds(case.call)
        rows.append(
            {
                "instrument": case.instrument,
                "product": case.product,
                "images": case.images,
                "seconds": round(seconds, 3),
                "images_per_second": round(case.images / seconds, 1),
                "yardsticks": round(seconds / case.images / unit, 2),
                **versions,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(*table.machine(), sep="\n")
    measured = measure()
    print(
        measured.drop(columns=["cpu", "python", "numpy", "scipy", "pillow"]).to_string(index=False)
    )
    text = measured.to_csv(index=False, lineterminator="\n")
    _files.write_text(table.path("instrument_speed"), text)
