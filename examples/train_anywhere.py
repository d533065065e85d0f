"""Train a small network on simulated blood cells: on one machine, two workers, or a cluster.

    python train_anywhere.py                     # this machine, with all its graphics cards
    python train_anywhere.py --local-workers 2   # two processes here, as if they were two machines
    TF_CONFIG='{"cluster": ...}' python train_anywhere.py    # on each machine of a cluster

In a cluster each machine has its own task in TF_CONFIG. Kill a run and start it again with the
same command: it goes on where it was (--folder, on a disk that all workers see).
"""

import argparse
import json
import os
import socket
import subprocess
import sys

INTEGERS = {"images": 600, "size": 64, "batch-size": 32, "epochs": 5, "every": 20}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in INTEGERS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--local-workers", type=int, default=1)
    parser.add_argument("--folder", default="trained", help="for checkpoints and the model")
    return parser.parse_args()


def start_workers(count):
    """Start this command `count` times as the workers of one cluster, and wait for them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    cluster = {"worker": [f"127.0.0.1:{free.getsockname()[1]}" for free in sockets]}
    for free in sockets:
        free.close()
    workers = []
    for index in range(count):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(task)}
        workers.append(subprocess.Popen([sys.executable, *sys.argv], env=environment))
    return max(abs(worker.wait()) for worker in workers)


def build(size, classes):
    keras.utils.set_random_seed(0)  # every worker begins with the same weights
    image = x = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, strides=2, use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(synchronized=True)(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(classes, "softmax")(x))
    adam = keras.optimizers.Adam(2e-3, epsilon=1e-4)  # a tiny epsilon would follow rounding errors
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


options = arguments()
if options.local_workers > 1 and "TF_CONFIG" not in os.environ:
    sys.exit(start_workers(options.local_workers))

# Only now: a process that merely starts workers needs no TensorFlow.
from medlearn import datasets, keras, training  # noqa: E402

strategy = training.strategy()  # before anything else of TensorFlow
cells = datasets.load("smear", domain="lab-a", count=options.images, size=options.size, seed=0)
with strategy.scope():
    model = build(options.size, len(cells.classes))
data = training.batches(cells.images, cells.labels, batch_size=options.batch_size, seed=0)
history = training.fit(model, data, options.epochs, folder=options.folder, every=options.every)
if training.is_chief(strategy):
    model.save(f"{options.folder}/model.keras")
    last = {name: round(values[-1], 4) for name, values in history.items()}
    print(f"{strategy.num_replicas_in_sync} replica(s)", last)
