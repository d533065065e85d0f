"""How much memory does training on volumes take, and what bounds it?

    python benchmarks/volumes_memory.py [--only TEXT] [--minutes 5]   # adds the missing rows

About two CPU-minutes for all rows; fills results/volumes_memory.csv.

Each row is a process of its own: it builds the 3-D U-Net from scratch of volumes.py, draws 16
patches from simulated noise, takes a first step and five more on batches of two, and ends. `volume`
is the side of the cubes from which the patches are cut. `peak_mb` is the largest memory of the
process, `before_mb` its largest before the network was built (libraries and volumes), and
`step_mb` the difference: what the network, its gradients and the batch took.
"""

import json
import resource
import subprocess
import sys

from common import table  # first: it sets the threads
import numpy as np

KEY = ("slices", "rows", "columns", "volume")
COLUMNS = ("voxels", "before_mb", "peak_mb", "step_mb")
BATCH, PATCHES, STEPS, CHANNELS = 2, 16, 5, 8
ROWS = [(16, 32, 32, 64), (16, 32, 32, 256), (32, 48, 32, 64), (32, 64, 64, 64)]
ROWS += [(64, 64, 64, 64), (64, 96, 96, 96)]


def _peak_mb() -> int:
    """Largest memory of this process so far."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(size / (1e6 if sys.platform == "darwin" else 1e3))


def steps(sides: tuple[int, int, int], volume: int) -> dict:
    """Train for some steps in this process and return its memory in MB.

    Parameters
    ----------
    sides : tuple of int
        Slices, rows and columns of a patch.
    volume : int
        Side of the cubes.
    """
    from medlearn._keras import keras
    from medlearn.networks import losses, volumes

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, volume, volume, volume), np.uint8)
    masks = (images > 127).astype(np.uint8)
    before = _peak_mb()
    model = volumes.unet(3, size=sides, channels=CHANNELS, seed=0)
    loss = losses.Combined(losses.cross_entropy, losses.dice)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    patches, truth = volumes.patches(images, masks, sides, PATCHES, seed=0)
    for _ in range(1 + STEPS):
        model.train_on_batch(patches[:BATCH], truth[:BATCH])
    peak = _peak_mb()
    return {"before_mb": before, "peak_mb": peak, "step_mb": peak - before}


def measure(slices: int, rows: int, columns: int, volume: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    slices, rows, columns : int
        Sides of a patch.
    volume : int
        Side of the cubes.
    """
    sides = list(map(str, (slices, rows, columns, volume)))
    process = subprocess.run(
        [sys.executable, __file__, "--alone", *sides], capture_output=True, text=True, check=True
    )
    return {"voxels": BATCH * slices * rows * columns} | json.loads(process.stdout.split("\n")[-2])


if __name__ == "__main__":
    if "--alone" in sys.argv:
        *patch, cube = map(int, sys.argv[-4:])
        print(json.dumps(steps(tuple(patch), cube)))
    else:
        table.grow("volumes_memory", __doc__, KEY, COLUMNS, ROWS, measure)
