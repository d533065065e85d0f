"""How fast frozen features come: `features.extract` against Keras `predict`, ONNX Runtime and torch on the same network.

    python benchmarks/features_speed.py [--only "128 px, one thread"]     # fifteen minutes; writes results/features_speed.csv anew

All turn the same uint8 images into pooled vectors of EfficientNet-Lite0, in 32-bit floats, and agree within 0.001; so does Keras
in a process where TensorFlow chose its kernels by itself, as for someone without medlearn. They take turns, each waiting for the
other; compiling and exporting come before. Seconds are of the processor with one thread, of the clock with two; images per second
are the median turn, `times_predict` and `times_onnxruntime` (at batches of 32) are ratios within a turn: median, and lowest and
highest. `gemm_share` is the speed against a product of two 2,048 x 2,048 matrices in the same turns. The first run makes an
environment of peers/requirements_speed.txt in the cache folder (6 GB, since torch brings what it needs for graphics cards).
Two threads want an idle machine: where others work on it as well, threads wait for each other, and lowest and highest lie far apart.
"""

import argparse
from collections.abc import Callable
from datetime import date
from functools import partial
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from common import table  # first: it sets the threads
import numpy as np
import pandas as pd
from common import peers

from medlearn import backbones, features
from medlearn._keras import keras, tf

IMAGES, THREADS, TURNS = {128: 256, 224: 96}, {1: "one thread", 2: "two threads"}, 5
GEMM, SIDE = "matrix product", 2048


def measure(size: int, threads: int) -> dict:
    """Rows of a size of image and a number of threads, and the peers' versions."""
    images = (
        np.random.default_rng(0).integers(0, 256, (IMAGES[size], size, size, 3)).astype(np.uint8)
    )
    encoder = backbones.load("efficientnet_lite0", size=size)
    pooled = keras.Model(encoder.input, keras.layers.GlobalAveragePooling2D()(encoder.output))
    works = {"predict, 32": partial(pooled.predict, images, batch_size=32, verbose=0)}
    works |= {
        f"extract, {batch}": partial(
            features.extract, encoder, images, batch_size=batch, cache=False
        )
        for batch in (8, 16, 32)
    }
    vectors = {name: work() for name, work in works.items()}
    asked = {name: partial(timed, work) for name, work in (works | {GEMM: product()}).items()}
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "images.npy"), images)
        others = [
            Elsewhere(python, program, folder, threads)
            for python, program in (
                (sys.executable, "plain.py"),
                (peers.python("peers_speed", "requirements_speed.txt"), "vectors.py"),
            )
        ]
        for other in others:
            vectors |= other.vectors
            asked |= {name: partial(other.ask, name) for name in other.vectors}
        turns = [
            {name: ask()[threads == 1] for name, ask in asked.items()} for _ in range(1 + TURNS)
        ]
        for other in others:
            other.end()
    for each in vectors.values():
        np.testing.assert_allclose(each, vectors["predict, 32"], rtol=0, atol=1e-3)
    seconds, work = pd.DataFrame(turns[1:]), backbones.flops(encoder) * len(images)
    rows = [
        dict(pixels=size, threads=threads, images=len(images), turns=TURNS)
        | row(seconds, name, len(images), work)
        | {"largest_difference": f"{np.abs(each - vectors['predict, 32']).max():.0e}"}
        for name, each in vectors.items()
    ]
    return {
        "rows": rows,
        "versions": others[-1].versions,
        "gemm": 2 * SIDE**3 / seconds[GEMM].median() / 1e9,
    }


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def product() -> Callable[[], object]:
    matrix = tf.constant(np.random.default_rng(0).standard_normal((SIDE, SIDE)), tf.float32)
    return lambda: tf.matmul(matrix, matrix).numpy()


class Elsewhere:
    """Works in a process of their own, asked for by name through a pipe."""

    def __init__(self, python: str | Path, program: str, folder: str, threads: int):
        environment = {
            name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"
        }
        self.process = subprocess.Popen(
            [python, peers.HERE / program, Path(folder, "images.npy"), str(threads), folder],
            text=True,
            env=environment | {"OMP_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.versions = self.process.stdout.readline().strip()
        with np.load(Path(folder, "vectors.npz")) as told:
            self.vectors = dict(told)
        Path(folder, "vectors.npz").unlink()

    def ask(self, name: str) -> tuple[float, float]:
        print(name, file=self.process.stdin, flush=True)
        return tuple(map(float, self.process.stdout.readline().split()))

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)


def row(seconds: pd.DataFrame, name: str, images: int, work: float) -> dict:
    engine, batch = name.rsplit(", ", 1)
    ratios, peers = (seconds[base] / seconds[name] for base in ("predict, 32", "ONNX Runtime, 32"))
    peak = 2 * SIDE**3 / seconds[GEMM]
    return {
        "engine": engine,
        "batch": batch,
        "images_per_s": round(images / seconds[name].median(), 1),
        "times_predict": round(ratios.median(), 2),
        "lowest": round(ratios.min(), 2),
        "highest": round(ratios.max(), 2),
        "times_onnxruntime": round(peers.median(), 2),
        "gemm_share": round((work / seconds[name] / peak).median(), 2),
    }


def processor() -> str:
    """Its name and, where the system tells, its widest vector instructions."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    return f"{table.processor()} ({next((each for each in ('avx512_vnni', 'avx512f', 'avx2') if each in flags), 'no AVX2 known')})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="", help='measure some, such as "224 px", and write nothing'
    )
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        tf.config.threading.set_intra_op_parallelism_threads(arguments.one[1])
        tf.config.threading.set_inter_op_parallelism_threads(arguments.one[1])
        print(json.dumps(measure(*arguments.one)))
        return
    load = [os.getloadavg()[0]] if hasattr(os, "getloadavg") else []
    asked = [
        (size, threads)
        for threads in THREADS
        for size in IMAGES
        if arguments.only in f"{size} px, {THREADS[threads]}"
    ]
    told = []
    for size, threads in asked:  # a process each, since threads are set once
        ran = subprocess.run(
            [sys.executable, __file__, "--one", str(size), str(threads)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        told.append(json.loads(ran.stdout.splitlines()[-1]))
        print(pd.DataFrame(told[-1]["rows"]).to_string(index=False), flush=True)
    load += [os.getloadavg()[0]] if load else []
    peaks = ", ".join(
        f"{each['gemm']:.0f} at {size} px with {THREADS[threads]}"
        for (size, threads), each in zip(asked, told)
    )
    head = (
        "python benchmarks/features_speed.py",
        processor(),
        f"{table.machine()[1]}, {told[0]['versions']}",
        f"{date.today()}; "
        f"load of the machine before and after: {', '.join(f'{each:.1f}' for each in load)}; matrix product, GFLOP/s: {peaks}",
    )
    print(*head, sep="\n")
    if not arguments.only:
        rows = pd.DataFrame([row for each in told for row in each["rows"]])
        table.path("features_speed").write_text(
            "".join(f"# {line}\n" for line in head) + rows.to_csv(index=False, lineterminator="\n")
        )


if __name__ == "__main__":
    main()
