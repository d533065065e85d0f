"""How much faster `features.extract` is than `model.predict`, on one thread, without the cache.

    python benchmarks/features_speed.py              # prints a table
    python benchmarks/features_speed.py --save       # also writes benchmarks/results/features_speed.csv

Both turn the same images into pooled vectors of EfficientNet-Lite0, in turns within one process; speeds are images
per second of processor time, ratios are taken turn by turn (median, lowest, highest). Compiling comes before the
clock starts. The last column compares with `predict` in a process of its own where TensorFlow chose its kernels by
itself, as for someone without medlearn: `medlearn.engine` switches the fast ones on for every processor.
"""
import argparse
import json
import os
from pathlib import Path
import platform
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

import numpy as np
import pandas as pd

from medlearn import backbones, features
from medlearn.engine import keras, tf

RESULT = Path(__file__).parent / "results" / "features_speed.csv"
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
        "command": "python benchmarks/features_speed.py --save",
    }


def processor() -> str:
    """Its name and widest vector instructions."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = next(line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name"))
    return f"{name} ({next((i for i in ('avx512_vnni', 'avx512f', 'avx2') if i in info), 'no AVX2')})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--plain", nargs=3, type=int, metavar=("SIZE", "COUNT", "TURNS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain:
        print(json.dumps([speeds[0] for speeds in turns(*arguments.plain, plain=True)]))
        return
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    table = pd.DataFrame([row(128, 192, 5), row(224, 64, 5)])
    print(table.T.to_string(header=False))
    if arguments.save:
        table.to_csv(RESULT, index=False)


if __name__ == "__main__":
    main()
