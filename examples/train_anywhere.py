"""Train a small network on simulated blood cells: on one machine, two workers of it, or a cluster; the same file for all.

    python train_anywhere.py                     # this machine, with all its graphics cards
    python train_anywhere.py --local-workers 2   # two processes here, as if they were two machines
    TF_CONFIG='{"cluster": ...}' python train_anywhere.py    # on every machine of a cluster, each with its own task

Kill it and start it again with the same command: it goes on where it was (--folder, on a disk that all workers see).
"""

import argparse
import json
import os
import socket
import subprocess
import sys


def build(size, classes):
    keras.utils.set_random_seed(0)  # every worker begins with the same weights
    image = x = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, strides=2, use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(synchronized=True)(x))
    model = keras.Model(
        image, keras.layers.Dense(classes, "softmax")(keras.layers.GlobalAveragePooling2D()(x))
    )
    adam = keras.optimizers.Adam(
        2e-3, epsilon=1e-4
    )  # a tiny epsilon would make steps of mere rounding errors
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def local_workers(number):
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]  # free ports
    cluster = {"worker": [f"127.0.0.1:{door.getsockname()[1]}" for door in doors]}
    [door.close() for door in doors]
    tasks = [
        {"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(number)
    ]
    workers = [
        subprocess.Popen(
            [sys.executable, *sys.argv], env=os.environ | {"TF_CONFIG": json.dumps(task)}
        )
        for task in tasks
    ]
    sys.exit(max(abs(worker.wait()) for worker in workers))


parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
for option, default in {
    "images": 600,
    "size": 64,
    "batch": 32,
    "epochs": 5,
    "every": 20,
    "local-workers": 1,
}.items():
    parser.add_argument(f"--{option}", type=int, default=default)
parser.add_argument("--folder", default="trained", help="for checkpoints and the trained model")
given = parser.parse_args()
if given.local_workers > 1 and "TF_CONFIG" not in os.environ:
    local_workers(given.local_workers)

from medlearn import datasets, training  # noqa: E402, only now: a mere starter of workers needs no TensorFlow
from medlearn._keras import keras  # noqa: E402

strategy = training.strategy()  # before anything else of TensorFlow
cells = datasets.load("smear", domain="lab-a", count=given.images, size=given.size, seed=0)
with strategy.scope():
    model = build(given.size, len(cells.classes))
data = training.batches(cells.images, cells.labels, batch_size=given.batch, seed=0)
history = training.fit(model, data, given.epochs, folder=given.folder, every=given.every)
if training.is_chief(strategy):
    model.save(f"{given.folder}/model.keras")
    print(
        f"{strategy.num_replicas_in_sync} replica(s)",
        {name: round(values[-1], 4) for name, values in history.items()},
    )
