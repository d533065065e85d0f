"""Segmentation of volumes for equal CPU-seconds: slices, neighbours, or three dimensions?

    python benchmarks/volumes.py [--only TEXT] [--minutes 5]   # adds the missing rows
    python benchmarks/volumes.py --only MONAI                  # the rivals alone
    python benchmarks/volumes_summary.py                       # then: summarises the rows

About ten CPU-minutes for a seed of our four methods; fills results/volumes.csv. The rule stands in
PROTOCOL.md. A row is one seed: patients are drawn into training and test with it, the network
learns for its CPU-seconds, and the test cases are predicted whole. A busy machine takes fewer steps
in a CPU-second: where STEPS counts those of seed 0, they end the training. The first row
of a rival makes a virtual environment of peers/requirements_monai.txt in the cache folder.

Columns: `dice` is the mean over cases of the mean over the parts, with its interval over cases;
`one_view` the same without the mirror image; `hd95` the median over cases, in mm, of the mean over
the parts, and `missed` the share of cases in which a part was not found; `by_case` each case's
Dice, for comparisons in pairs. Of simulated heads the three tissues are scored, not the lesions.
"""

from functools import lru_cache, partial
from pathlib import Path
import subprocess
import tempfile
import time

from common import table  # first: it sets the threads
from common import peers
import numpy as np

from medlearn import backbones, datasets, metrics, networks, splits
from medlearn._keras import keras
from medlearn.networks import losses, volumes

KEY = ("data", "method", "seed")
SCORES = ("dice", "low", "high", "dice_per_class", "one_view", "hd95", "missed", "by_case")
COLUMNS = (*SCORES, "train_cases", "test_cases", "trainable", "steps", "cpu_seconds")
PATCH, WHOLE = (32, 48, 32), (40, 56, 40)  # slices, rows, columns: to learn from, to predict
LAYERS = ("block_0", "block_2", "block_4", "block_10")  # narrow maps of strides 2, 4, 8 and 16
BATCH, RATE, SECONDS, LONGER = 2, 3e-3, 90, 6
CHANNELS, CHANNELS_2D = 8, 16  # at full resolution
MONAI = "MONAI "  # begins the name of a rival
ROUNDS = 6  # patches of each case that a rival gets, more than it has time for
SIMULATED = {"domain": "3T-T1w", "count": 40}  # heads, in slices of 3 mm and pixels of 2 mm
# Steps that seed 0 took in its CPU-seconds; for `long` on heads, six times those of a short row.
STEPS = {
    ("hippocampus", "3-D scratch"): 1166,
    ("hippocampus", "3-D scratch, long"): 5298,
    ("hippocampus", "3-D decoder"): 601,
    ("hippocampus", "2-D"): 248,
    ("hippocampus", "2.5-D"): 184,
    ("hippocampus", "2-D decoder"): 715,
    ("hippocampus", "2.5-D decoder"): 571,
    ("brain-mri", "3-D scratch"): 783,
    ("brain-mri", "3-D scratch, long"): 4698,
}


@lru_cache(1)
def _load(data: str) -> datasets.Volumes:
    return datasets.load_volumes(data, **(SIMULATED if data == "brain-mri" else {}))


# ---- networks ------------------------------------------------------------------------------------


def _by_slice(size, classes: int, neighbours: bool, seed: int) -> keras.Model:
    sides = (2 * size[1], 2 * size[2])
    encoder = backbones.load("efficientnet_lite0")
    model = networks.segmenter(
        encoder, classes, layers=LAYERS, size=sides, channels=CHANNELS_2D, detail=False, seed=seed
    )
    model.get_layer(encoder.name).trainable = False
    return volumes.slice_by_slice(model, size[0], enlarge=2, neighbours=neighbours)


def _on_maps(size, classes: int, depth: int, neighbours: bool, seed: int) -> keras.Model:
    settings = {"size": size, "layers": LAYERS, "channels": CHANNELS, "seed": seed}
    encoder = backbones.load("efficientnet_lite0")
    return volumes.segmenter(encoder, classes, depth=depth, neighbours=neighbours, **settings)


def _scratch(size, classes: int, seed: int) -> keras.Model:
    return volumes.unet(classes, size=size, channels=CHANNELS, seed=seed)


BUILDERS = {
    "3-D scratch": _scratch,
    "3-D decoder": partial(_on_maps, depth=3, neighbours=False),
    "2-D": partial(_by_slice, neighbours=False),
    "2.5-D": partial(_by_slice, neighbours=True),
    "2-D decoder": partial(_on_maps, depth=1, neighbours=False),
    "2.5-D decoder": partial(_on_maps, depth=1, neighbours=True),
}
FIRST = tuple(BUILDERS)[:4]  # those of the protocol's first version


# ---- training ------------------------------------------------------------------------------------


class Clock(keras.callbacks.Callback):
    """Counts CPU-seconds or steps, lets the learning rate fall with them, and ends the training.

    The first two steps, in which the graph is traced, cost no seconds.
    """

    def __init__(self, seconds: float, limit: int | None):
        super().__init__()
        self.seconds, self.limit = seconds, limit
        self.spent, self.steps = 0.0, 0
        self._start = time.process_time()

    def on_train_batch_begin(self, batch, logs=None):
        self.steps += 1
        if self.steps <= 3:
            self._start = time.process_time()
        now = time.process_time()
        self.spent, self._start = self.spent + now - self._start, now
        part = self.steps / self.limit if self.limit else self.spent / self.seconds
        part, warm = min(1.0, part), min(1.0, self.steps / 30)
        rate = RATE * warm * (1e-3 + np.cos(np.pi / 2 * part) ** 2)
        self.model.optimizer.learning_rate.assign(rate)

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.is_over()

    def is_over(self) -> bool:
        """Return whether the steps are taken, or the seconds spent."""
        if self.limit:
            return self.steps >= self.limit
        if self.steps < 3:
            return False
        return self.spent + time.process_time() - self._start >= self.seconds


def _patches(data: datasets.Volumes, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One patch of each case, and its mask."""
    options = {"mirror": (2,), "contrast": 0.2, "seed": seed}
    return volumes.patches(data.images, data.masks, PATCH, len(data), **options)


def _fit(
    method: str, data: datasets.Volumes, seed: int, limit: int | None
) -> tuple[keras.Model, Clock]:
    name = method.removesuffix(", long")
    model = BUILDERS[name](PATCH, len(data.mask_classes), seed=seed)
    learner = model.get_layer("decoder") if name.endswith("decoder") else model
    learner.compile(
        keras.optimizers.Adam(RATE, global_clipnorm=1.0),
        losses.Combined(losses.cross_entropy, losses.dice),
        jit_compile=False,
    )
    keras.utils.set_random_seed(seed)  # the order of the batches
    clock = Clock(SECONDS * (1 if name == method else LONGER), limit)
    number, inputs, truth = 0, None, None
    while not clock.is_over():
        if inputs is None or learner is model:  # else the maps are computed once
            start = time.process_time()
            inputs, truth = _patches(data, 1000 * seed + number)
            if learner is not model:
                inputs = volumes.slice_maps(model, inputs)
            clock.spent += time.process_time() - start
        learner.fit(inputs, truth, batch_size=BATCH, verbose=0, callbacks=[clock])
        number += 1
    return model, clock


def _for_whole_volumes(method: str, model: keras.Model, classes: int) -> keras.Model:
    """The same network for larger patches, into which most cases fit."""
    larger = BUILDERS[method.removesuffix(", long")](WHOLE, classes, seed=0)
    larger.set_weights(model.get_weights())
    return larger


def _ours(
    method: str, taught: datasets.Volumes, images, seed: int, limit: int | None
) -> tuple[list, list, dict]:
    """Probabilities of the images, and of their mirror images, by one of our networks."""
    model, clock = _fit(method, taught, seed, limit)
    larger = _for_whole_volumes(method, model, len(taught.mask_classes))
    facts = {
        "trainable": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "steps": clock.steps,
        "cpu_seconds": round(clock.spent, 1),
    }
    return _predict(larger, images, ((),)), _predict(larger, images, ((2,),)), facts


def _of_monai(method: str, taught: datasets.Volumes, images, seed: int) -> tuple[list, list, dict]:
    """The same of a rival, which learns from the same patches in an environment of its own."""
    drawn = [_patches(taught, 1000 * seed + number) for number in range(ROUNDS)]
    patches, masks = map(np.concatenate, zip(*drawn))
    inputs = {f"image_{number}": image for number, image in enumerate(images)}
    inputs |= {"network": method.removeprefix(MONAI), "classes": len(taught.mask_classes)}
    inputs |= {"seconds": SECONDS, "batch": BATCH, "rate": RATE, "tile": WHOLE, "seed": seed}
    python = peers.python("peers_monai", "requirements_monai.txt")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "inputs.npz"), patches=patches, masks=masks, **inputs)
        subprocess.run([python, peers.PROGRAMS / "volumes_monai.py", folder], check=True)
        results = dict(np.load(Path(folder, "outputs.npz")))
    straight = [results[f"straight_{number}"] for number in range(len(images))]
    mirrored = [results[f"mirrored_{number}"] for number in range(len(images))]
    facts = {name: int(results[name]) for name in ("trainable", "steps")}
    return straight, mirrored, facts | {"cpu_seconds": round(float(results["cpu_seconds"]), 1)}


# ---- scores --------------------------------------------------------------------------------------


def _predict(model: keras.Model, images, flips) -> list[np.ndarray]:
    return [
        networks.predict_tiled(model, image, overlap=0.25, flips=flips, batch_size=1)
        for image in images
    ]


def _parts(data: datasets.Volumes) -> tuple[str, ...]:
    """Names of the classes that are scored."""
    return tuple(name for name in data.mask_classes[1:] if name != "lesion")


def _by_part(metric, data: datasets.Volumes, predictions) -> np.ndarray:
    """A score of each case and scored class (cases, classes)."""
    parts = range(1, 1 + len(_parts(data)))
    return np.stack([metric(data.masks, predictions, part) for part in parts], axis=1)


def _scores(data: datasets.Volumes, straight: list, mirrored: list) -> dict:
    one_view = [probabilities.argmax(-1).astype(np.uint8) for probabilities in straight]
    both = [(a + b).argmax(-1).astype(np.uint8) for a, b in zip(straight, mirrored)]
    dice = _by_part(metrics.dice, data, both)
    distance = _by_part(partial(metrics.hd95, spacing=data.spacing), data, both)
    mean = metrics.mean_score(dice.mean(1), data.patients)
    names = _parts(data)
    return {
        "dice": round(mean.value, 4),
        "low": round(mean.low, 4),
        "high": round(mean.high, 4),
        "dice_per_class": "; ".join(f"{n} {v:.4f}" for n, v in zip(names, dice.mean(0))),
        "one_view": round(float(_by_part(metrics.dice, data, one_view).mean()), 4),
        "hd95": round(float(np.median(distance.mean(1))), 3),
        "missed": round(float(np.isinf(distance).any(1).mean()), 4),
        "by_case": " ".join(f"{p}={v:.3f}" for p, v in zip(data.patients, dice.mean(1))),
    }


def measure(data: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : str
        Name of a set of volumes.
    method : str
        A name in `BUILDERS`, alone or with ", long", or a rival.
    seed : int
        Seed of the division and the network.
    """
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    everything = _load(data)
    train, test = splits.by_patient(everything.patients, test=0.25, seed=seed)
    tested = everything.take(test)
    limit = STEPS.get((data, method))
    predict = _of_monai if method.startswith(MONAI) else partial(_ours, limit=limit)
    straight, mirrored, facts = predict(method, everything.take(train), tested.images, seed)
    counts = {"train_cases": len(train), "test_cases": len(test)}
    return {**_scores(tested, straight, mirrored), **counts, **facts}


ROWS = [("hippocampus", method, seed) for seed in range(3) for method in FIRST]
ROWS += [("hippocampus", "3-D scratch, long", seed) for seed in range(3)]
ROWS += [
    ("brain-mri", method, seed)
    for method in ("3-D scratch", "3-D scratch, long")
    for seed in range(3)
]
ROWS += [("hippocampus", method, 0) for method in ("2-D decoder", "2.5-D decoder")]
ROWS += [("hippocampus", f"{MONAI}{name}", 0) for name in ("SegResNet", "DynUNet")]

if __name__ == "__main__":
    table.grow("volumes", __doc__, KEY, COLUMNS, ROWS, measure)
