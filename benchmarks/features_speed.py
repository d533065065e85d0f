"""How much faster `features.extract` is than `model.predict`, on one thread, without the cache.

    python benchmarks/features_speed.py     # a minute; writes results/features_speed.csv anew

Both turn the same images into pooled vectors of EfficientNet-Lite0, in turns within one process; speeds are images
per second of processor time, ratios are taken turn by turn (median, lowest, highest). Compiling comes before the
clock starts. The last column compares with `predict` in a process of its own where TensorFlow chose its kernels by
itself, as for someone without medlearn: `medlearn.engine` switches the fast ones on for every processor.
"""
import argparse
import json
import os
from pathlib import Path
import statistics
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
if "--plain" in sys.argv:
    import tensorflow as tf              # before medlearn, so that its settings come too late

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.constant(1) + 1

import table
import numpy as np
import pandas as pd

from medlearn import backbones, features
from medlearn.engine import keras, tf

BATCH = 32


def speed(work, count: int) -> float:
    """Images per second of processor time."""
    start = time.process_time()
    work()
    return count / (time.process_time() - start)


def turns(size: int, count: int, repeats: int, plain: bool) -> list[tuple[float, ...]]:
    """Speeds of predict, and of extract unless `plain`, in each turn."""
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.uint8)
    encoder = backbones.load("efficientnet_lite0")
    pooled = keras.Model(encoder.input, keras.layers.GlobalAveragePooling2D()(encoder.output))
    works = [lambda: pooled.predict(images, batch_size=BATCH, verbose=0)]
    if not plain:
        works.append(lambda: features.extract(encoder, images, batch_size=BATCH, cache=False))
        np.testing.assert_allclose(works[1](), works[0](), atol=1e-3)
    for work in works:
        work()
    return [tuple(speed(work, count) for work in works) for _ in range(repeats)]


def row(size: int, count: int, repeats: int) -> dict:
    pairs = turns(size, count, repeats, plain=False)
    command = [sys.executable, __file__, "--plain", str(size), str(count), str(repeats)]
    unset = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    plain = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=unset).stdout)
    ratios = [extract / predict for predict, extract in pairs]
    predict, extract = (statistics.median(column) for column in zip(*pairs))
    return {
        "size": size, "images": count, "turns": repeats,
        "predict_per_s": round(predict, 1), "extract_per_s": round(extract, 1),
        "ratio": round(statistics.median(ratios), 2), "ratio_lowest": round(min(ratios), 2),
        "ratio_highest": round(max(ratios), 2),
        "predict_default_kernels_per_s": round(statistics.median(plain), 1),
        "ratio_to_default_kernels": round(extract / statistics.median(plain), 2),
        "processor": processor(), "tensorflow": tf.__version__, "keras": keras.__version__,
        "command": "python benchmarks/features_speed.py",
    }


def processor() -> str:
    """Its name and, where the system tells, its widest vector instructions."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    return f"{table.processor()} ({next((each for each in ('avx512_vnni', 'avx512f', 'avx2') if each in flags), 'no AVX2 known')})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plain", nargs=3, type=int, metavar=("SIZE", "COUNT", "TURNS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain:
        print(json.dumps([speeds[0] for speeds in turns(*arguments.plain, plain=True)]))
        return
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    measured = pd.DataFrame([row(128, 192, 5), row(224, 64, 5)])
    print(measured.T.to_string(header=False))
    measured.to_csv(table.path("features_speed"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
