"""How fast the virtual instruments make images on one core.

    python benchmarks/instrument_speed.py     # half a minute; writes results/instrument_speed.csv anew

Seconds are processor seconds of one thread. `yardsticks` is the time of one image in units of a fixed piece
of NumPy and SciPy work measured in the same run, which compares better between machines, and on busy ones,
than images per second.
"""

from collections.abc import Callable
from functools import partial
import platform
import time

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd
import PIL
import scipy
from scipy.ndimage import gaussian_filter

from medlearn.instruments import mri, smear

# One line per measurement: instrument, what it makes, how many images, the call that makes them.
CASES: list[tuple[str, str, int, Callable[[], object]]] = [
    (
        "smear",
        "single cells, lab-a, 128 px",
        2000,
        partial(smear.single_cells, "lab-a", 2000, seed=1),
    ),
    (
        "smear",
        "single cells, lab-b, 128 px",
        500,
        partial(smear.single_cells, "lab-b", 500, seed=1),
    ),
    (
        "smear",
        "single cells, random, 128 px",
        500,
        partial(smear.single_cells, "random", 500, seed=1),
    ),
    (
        "smear",
        "fields, field-lab, 480 x 640 px",
        20,
        partial(smear.fields, "field-lab", 20, seed=1),
    ),
    (
        "smear",
        "one cell (widget), lab-a, 128 px",
        1,
        partial(smear.one_cell, "lab-a", "monocyte", seed=1),
    ),
    ("mri", "slices, 3T-FLAIR, 128 px", 2000, partial(mri.slices, "3T-FLAIR", 2000)),
    *(
        ("mri", f"slices, {site}, 128 px", 400, partial(mri.slices, site, 400))
        for site in (*mri.SITES, "random")
        if site != "3T-FLAIR"
    ),
    (
        "mri",
        "the same slices at all sites, 128 px",
        400 * len(mri.SITES),
        partial(mri.slices, list(mri.SITES), 400),
    ),
    (
        "mri",
        "rescan of a prepared slice (widget), 3T-FLAIR",
        1,
        partial(mri.scan, mri.prepare("tumour"), "3T-FLAIR"),
    ),
]
WARM_UP = (
    partial(smear.single_cells, "lab-a", 5),
    partial(smear.fields, "field-lab", 1),
    partial(mri.slices, "PD", 4),
)


def processor_seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def yardstick() -> float:
    """Processor seconds of a fixed piece of work, the middle of five."""
    image = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    return float(
        np.median(
            [processor_seconds(lambda: np.exp(gaussian_filter(image, 3.0))) for _ in range(5)]
        )
    )


def measure() -> pd.DataFrame:
    for call in WARM_UP:
        call()
    versions = dict(
        cpu=table.processor(),
        python=platform.python_version(),
        numpy=np.__version__,
        scipy=scipy.__version__,
        pillow=PIL.__version__,
    )
    rows = []
    for instrument, product, images, call in CASES:
        unit, seconds = yardstick(), processor_seconds(call)
        rows.append(
            dict(
                instrument=instrument,
                product=product,
                images=images,
                seconds=round(seconds, 3),
                images_per_second=round(images / seconds, 1),
                yardsticks=round(seconds / images / unit, 2),
                **versions,
            )
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(*table.machine(), sep="\n")
    measured = measure()
    print(
        measured.drop(columns=["cpu", "python", "numpy", "scipy", "pillow"]).to_string(index=False)
    )
    measured.to_csv(table.path("instrument_speed"), index=False, lineterminator="\n")
