"""One training, by one process or by several workers: a program that lesson 24 reads and starts.

``python -m medlearn.teaching.workers cells.npz FOLDER`` trains a small network. With the variable
``TF_CONFIG`` in its environment, which `start` sets, the process is one worker of several. A run
that was killed may go on with another number of workers.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from medlearn import _files, training
from medlearn._keras import keras, tf

BATCH_SIZE = 16  # images of all workers together
_MEGABYTES = (0.2, 2.0, 8.0)  # of zeros that the workers add up
_LONGEST_RUN = 200  # seconds until a worker is given up
_FAREWELL = "A worker went away"  # begins the last sentence of one whose neighbour died


# ---- what each worker does -----------------------------------------------------------------------


def build(side: int, classes: int) -> keras.Model:
    """Return a small network whose result hardly depends on the order of sums.

    Parameters
    ----------
    side : int
        Pixels of an image.
    classes : int
        Number of classes.
    """
    start = keras.initializers.GlorotUniform(seed=0)  # every worker begins with the same weights
    image = maps = keras.Input((side, side, 3))
    maps = keras.layers.Rescaling(1 / 64, offset=-2.5)(maps)
    for filters in (16, 32):
        maps = keras.layers.Conv2D(filters, 3, 2, use_bias=False, kernel_initializer=start)(maps)
        maps = keras.layers.BatchNormalization(synchronized=True)(maps)
        maps = keras.layers.Activation("swish")(maps)
    vector = keras.layers.GlobalAveragePooling2D()(maps)
    head = keras.layers.Dense(classes, "softmax", kernel_initializer=start)
    model = keras.Model(image, head(vector))
    optimizer = keras.optimizers.SGD(0.02)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(data: str | Path, folder: str | Path, epochs: int = 4, every: int | None = None) -> None:
    """Train, and leave weights and a report in the folder: all that a worker does.

    Parameters
    ----------
    data : str or Path
        A file .npz with images, labels and the number of classes.
    folder : str or Path
        All workers see it. It is made; checkpoints go there, and a killed run goes on from them.
    epochs : int
        In all, those before a crash included.
    every : int, optional
        Steps between two checkpoints within an epoch.
    """
    strategy = training.strategy()  # one device, or all workers that TF_CONFIG names
    Path(folder).mkdir(parents=True, exist_ok=True)
    is_new = not (Path(folder) / "checkpoint").exists()
    stored = np.load(data)
    with strategy.scope():
        model = build(stored["images"].shape[1], int(stored["classes"]))
    ordered = training.batches(stored["images"], stored["labels"], batch_size=BATCH_SIZE, seed=0)
    report = {"replicas": strategy.num_replicas_in_sync, "sums": all_reduce_seconds(strategy)}
    begun = {}

    def dated(epoch):
        begun[epoch] = time.perf_counter()
        if is_new and epoch > 1 and training.is_chief(strategy):  # not of the first: it warms up
            seconds = (begun[epoch] - begun[epoch - 1]) / len(ordered(epoch))
            _write_report(folder, report | {"seconds": seconds})
        return ordered(epoch)

    training.fit(model, dated, epochs, folder=folder, every=every)
    if training.is_chief(strategy):
        np.savez(f"{folder}/weights.npz", *model.get_weights())


def _write_report(folder: str | Path, report: dict) -> None:
    _files.write_text(Path(folder) / "report.json", json.dumps(report))


def all_reduce_seconds(strategy: "tf.distribute.Strategy") -> dict[float, float]:
    """Return how long the replicas take to add up so many megabytes, the quickest of five times.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
        From `training.strategy`.
    """

    def summed(values):
        return tf.distribute.get_replica_context().all_reduce("SUM", values + 1)

    add = tf.function(lambda values: strategy.run(summed, args=(values,)))
    best = {}
    for megabytes in _MEGABYTES:
        values = tf.zeros([int(megabytes * 1e6 / 4)])  # of four bytes each
        times = []
        for _ in range(6):
            began = time.perf_counter()
            results = strategy.experimental_local_results(add(values))
            tf.nest.map_structure(lambda result: float(result[0]), results)
            times.append(time.perf_counter() - began)
        best[megabytes] = min(times[1:])  # the first one only warms up
    return best


# ---- what starts, watches and ends them ----------------------------------------------------------


def start(
    data: str | Path, folder: str | Path, workers: int = 1, epochs: int = 4, every: int = 0
) -> list[subprocess.Popen]:
    """Start `train` as so many processes on the CPU of this machine.

    Parameters
    ----------
    data, folder : str or Path
        As in `train`.
    workers : int
        Processes; more than one are the workers of one cluster.
    epochs, every : int
        As in `train`; 0 writes a checkpoint at the end of each epoch only.

    Returns
    -------
    list of subprocess.Popen
        Give them to `finish`.
    """
    module = [sys.executable, "-m", "medlearn.teaching.workers", str(data), str(folder)]
    command = [*module, f"--epochs={epochs}", f"--every={every}"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    cluster = {"worker": _free_addresses(workers)}
    processes = []
    for index in range(workers):
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
        if workers > 1:
            task = {"type": "worker", "index": index}
            environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
        processes.append(subprocess.Popen(command, env=environment, **pipes))
    return processes


def finish(processes: list[subprocess.Popen]) -> None:
    """Wait for all processes; none is left behind.

    Parameters
    ----------
    processes : list of subprocess.Popen
        From `start`.

    Raises
    ------
    RuntimeError
        If a process failed; with the sentence of a survivor, or else the end of its complaint.
    """
    try:
        outputs = [process.communicate(timeout=_LONGEST_RUN) for process in processes]
    finally:
        for process in processes:
            process.kill()
    if all(process.returncode == 0 for process in processes):
        return
    lines = "\n".join(complaint for _, complaint in outputs).splitlines()
    farewells = [line for line in lines if _FAREWELL in line]
    raise RuntimeError((farewells or lines or ["a process failed without a word"])[-1])


def kill_after_checkpoint(
    processes: list[subprocess.Popen], folder: str | Path, number: int = 1
) -> None:
    """Kill the last process, as a power cut would, as soon as there is a checkpoint.

    Parameters
    ----------
    processes : list of subprocess.Popen
        From `start`, with `every` above 0.
    folder : str or Path
        Where the checkpoint will be.
    number : int
        Of the checkpoint, from 1.
    """
    until, checkpoint = time.monotonic() + _LONGEST_RUN, Path(folder) / f"ckpt-{number}.index"
    while not checkpoint.exists() and time.monotonic() < until:
        if processes[0].poll() is not None:
            break
        time.sleep(0.005)
    processes[-1].kill()


def weights(folder: str | Path) -> list[np.ndarray]:
    """Return the weights that a training has left in a folder.

    Parameters
    ----------
    folder : str or Path
        As in `train`.
    """
    with np.load(Path(folder) / "weights.npz") as file:
        return [file[name] for name in file.files]


def report(folder: str | Path) -> dict:
    """Return what a training has measured, as soon as two epochs were done.

    A run that goes on after a crash leaves it as it was.

    Parameters
    ----------
    folder : str or Path
        As in `train`.

    Returns
    -------
    dict
        `replicas`, `seconds` of a step, with its checkpoints, in the newest epoch that was done,
        and `sums` (megabytes to seconds of an all-reduce).
    """
    return json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))


def _free_addresses(number: int) -> list[str]:
    """Return addresses of this machine that no program listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    addresses = [f"127.0.0.1:{free.getsockname()[1]}" for free in sockets]
    for free in sockets:
        free.close()
    return addresses


def _main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description="Train a small network as one worker of several.")
    parser.add_argument("data", help="a file .npz with images, labels and classes")
    parser.add_argument("folder", help="for checkpoints and weights")
    parser.add_argument("--epochs", type=int, default=4, help="in all")
    parser.add_argument("--every", type=int, default=0, help="steps between checkpoints; 0: none")
    options = parser.parse_args()
    try:
        train(options.data, options.folder, options.epochs, options.every or None)
    except RuntimeError as error:
        if _FAREWELL not in str(error):
            raise
        print(f"RuntimeError: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # at once: TensorFlow would wait for seconds to say goodbye to the dead


if __name__ == "__main__":
    _main()
