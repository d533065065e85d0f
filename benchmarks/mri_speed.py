"""How fast the virtual MRI scanner is, on one core: `OMP_NUM_THREADS=1 python benchmarks/mri_speed.py [slices]`.

Writes `benchmarks/results/mri_speed.csv`: CPU milliseconds a slice, and the same as a multiple of a 128 x 128 FFT timed
in the same run, which travels better between machines. Aims: 2,000 slices at 128 px in 25 CPU-seconds, a further site
of the same subjects in at most half of that, a prepared slice rescanned in well under 100 ms.
"""

import csv
import sys
import time

import numpy as np
from scipy import fft

from medlearn import shipped
from medlearn.instruments import mri

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 400


def cpu_ms(work, repeats: int) -> float:
    """CPU milliseconds of one of `repeats` pieces of work that `work()` does."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000 / repeats


def main() -> None:
    image = np.random.default_rng(0).random((128, 128), np.float32)
    mri.slices("PD", 4, seed=99)                           # the atlas is read or built outside the timing
    fft_ms = cpu_ms(lambda: [fft.fft2(image) for _ in range(2000)], 2000)
    rows = {f"slices, {name}": cpu_ms(lambda: mri.slices(name, COUNT), COUNT) for name in (*mri.SITES, "random")}
    every = cpu_ms(lambda: mri.slices(list(mri.SITES), COUNT), COUNT)
    rows["each further site, same subjects"] = (every - rows["slices, 3T-FLAIR"]) / (len(mri.SITES) - 1)
    ready = mri.prepare("tumour")
    rows["rescan of a prepared slice"] = cpu_ms(lambda: [mri.scan(ready, "3T-FLAIR") for _ in range(100)], 100)
    with open(shipped.folder("results") / "mri_speed.csv", "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["what", "cpu_ms", "in_ffts"])
        for what, cost in rows.items():
            table.writerow([what, f"{cost:.2f}", f"{cost / fft_ms:.0f}"])
            print(f"{what:36}{cost:8.2f} ms  = {cost / fft_ms:5.0f} FFTs")


if __name__ == "__main__":
    main()
