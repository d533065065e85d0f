"""Segmentation for equal CPU-seconds: is a U-Net's encoder best frozen, tuned, random, or plain?

    python benchmarks/dense_segmentation.py [--only TEXT] [--minutes 5]   # adds the missing rows

About a hundred CPU-minutes for all rows; fills results/dense_segmentation.csv.

A row is one seed: patients are drawn into training and test with it, the U-Net trains for the
CPU-seconds of its data set (one thread; the learning rate falls with them along a cosine, so that
faster networks take more steps), and the test images are predicted once, averaged over the views
that the network trained on. `random` has the same encoder with random weights, all of which learn,
its BatchNorm statistics estimated at the end; `scratch` a plain encoder of strided convolutions in
its place; `fine-tuned, long` takes three times the seconds, `very long` eight times.

Scores: `dice` is the mean over classes, then over images (hippocampus: over cases) that show them,
with an interval over patients; `dice_per_class` the same class by class; `pooled` over all test
pixels at once; `one_view` is that without averaging. `alarms`: of the images without a class, the
share that is given at least one pixel of it. `hd95` is the median over images, in pixels or, where
the spacing is known, in mm. Settings are defaults of the libraries and of lesson 12; one, the
highest rate, was tried on validation patients among the training patients of `wbc`. The seconds of
`hippocampus` were raised from 40 to 150 when its first row, with 173 steps, had learned only one of
the two classes.

Aims, and what the rows reach. `brain-mri`, each tissue .93 per slice: not reached, the best are
.912, .892 and .894, of `fine-tuned, very long` (ten CPU-minutes, one seed); lesion .85: .861 there,
.850 of `long`. `hippocampus`, .85 per case: `scratch` .851, mean of three seeds; `fine-tuned` .838
and `frozen` .834. `wbc`, pooled cytoplasm .957 and nucleus .972: .958 and .968, of `fine-tuned,
very long` (twelve CPU-minutes, one seed). Tried: freezing, fine-tuning, no encoder at all, three
and eight times the seconds.
"""

from dataclasses import dataclass
from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np

from medlearn import backbones, datasets, metrics, networks, splits, transfer
from medlearn._keras import keras
from medlearn.adaptation import statistics
from medlearn.networks import losses, views

KEY = ("task", "data", "method", "seed")
SCORES = ("dice", "low", "high", "dice_per_class", "pooled", "one_view", "hd95", "alarms")
COLUMNS = (*SCORES, "train_images", "test_images", "trainable", "steps", "cpu_seconds")
BATCH, RATE = 8, 3e-3
LONGER = {"fine-tuned, long": 3, "fine-tuned, very long": 8}  # times the seconds


@dataclass(frozen=True)
class Task:
    """How one data set is divided, shown and paid for."""

    domain: str
    count: int | None
    size: int
    encoder_size: int  # side at which the encoder sees the images
    views: tuple  # to train on and to average
    test: float  # share of the patients
    seconds: float


TASKS = {
    "wbc": Task("lab-a", None, 128, 128, views.DIHEDRAL, 0.2, 90),
    "brain-mri": Task("3T-FLAIR", 1000, 128, 128, views.MIRROR, 0.2, 75),
    "smear": Task("lab-a", 300, 96, 96, views.DIHEDRAL, 0.25, 25),
    "hippocampus": Task("vanderbilt", None, 64, 128, views.MIRROR, 0.25, 150),
}


@lru_cache(1)
def _load(data: str) -> datasets.Dataset:
    task = TASKS[data]
    return datasets.load(data, domain=task.domain, count=task.count, size=task.size)


# ---- networks ------------------------------------------------------------------------------------


def _plain_encoder(side: int, seed: int) -> keras.Model:
    """Strided convolutions to 1/16 of the side, as a U-Net from scratch has them."""
    image = keras.Input((side, side, 3), name="image")
    x = keras.layers.Rescaling(1 / 64, offset=-2)(image)
    for number, channels in enumerate((24, 48, 96, 160)):
        for part, stride in (("down", 2), ("look", 1)):
            he = keras.initializers.HeNormal(seed + 10 * number + stride)
            convolution = keras.layers.Conv2D(
                channels, 3, stride, "same", use_bias=False, kernel_initializer=he
            )
            x = keras.layers.GroupNormalization(8)(convolution(x))
            x = keras.layers.ReLU(name=f"block_{number}_{part}")(x)
    return keras.Model(image, x, name="plain")


def _unet(method: str, task: Task, classes: int, seed: int) -> keras.Model:
    if method == "scratch":
        return networks.segmenter(_plain_encoder(task.size, seed), classes, seed=seed)
    weights = None if method == "random" else "imagenet"
    encoder = backbones.load(
        "efficientnet_lite0", weights=weights, size=task.encoder_size, seed=seed
    )
    model = networks.segmenter(encoder, classes, size=task.size, seed=seed)
    if method == "frozen":
        transfer.freeze(model.get_layer(encoder.name))
    elif method != "random":
        transfer.unfreeze(model, from_=encoder.name)
    return model


class Clock(keras.callbacks.Callback):
    """Ends the training after so many CPU-seconds, and lets the learning rate fall with them.

    The first two steps, in which the graph is traced, are not counted.
    """

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds
        self.start: float | None = None
        self.steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.steps += 1
        if self.steps == 3:
            self.start = time.process_time()
        part = min(1.0, self.spent() / self.seconds)
        warm = min(1.0, self.steps / 30)
        rate = RATE * warm * (1e-3 + np.cos(np.pi / 2 * part) ** 2)
        self.model.optimizer.learning_rate.assign(rate)

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.spent() >= self.seconds

    def spent(self) -> float:
        """Return the CPU-seconds since the third step began."""
        return time.process_time() - self.start if self.start else 0.0


def _fit(method: str, task: Task, data: datasets.Dataset, seed: int) -> tuple[keras.Model, Clock]:
    classes = len(data.mask_classes)
    model = _unet(method, task, classes, seed)
    clock = Clock(task.seconds * LONGER.get(method, 1))
    transfer.check_masks(data.masks, classes, data.images)
    images = views.apply(data.images, task.views)
    masks = views.apply(data.masks, task.views)
    adam = keras.optimizers.Adam(RATE)
    if method.startswith("fine-tuned"):
        adam = transfer.layerwise_optimizer(adam, model, decay=0.95)
    model.compile(adam, losses.Combined(losses.cross_entropy, losses.dice), jit_compile=False)
    keras.utils.set_random_seed(seed)  # the order of the batches
    model.fit(images, masks, batch_size=BATCH, epochs=10_000, verbose=0, callbacks=[clock])
    if method == "random":  # its moving averages are slower than so few steps
        model = statistics.reestimate_batchnorm(model, images[:256])
    return model, clock


# ---- scores --------------------------------------------------------------------------------------


def _units(data: datasets.Dataset) -> np.ndarray:
    """Names of what is scored as one: the case, where a data set has cases, or the image."""
    return data.facts.get("case", np.arange(len(data)).astype(str))


def _dice_by_class(data: datasets.Dataset, predictions: np.ndarray) -> np.ndarray:
    """Dice (units, classes without the background) where the truth has the class, else NaN."""
    units, columns = _units(data), []
    for value in range(1, len(data.mask_classes)):
        absent = np.isnan(metrics.dice(data.masks, data.masks, value, patients=units))
        scores = metrics.dice(data.masks, predictions, value, patients=units)
        columns.append(np.where(absent, np.nan, scores))
    return np.stack(columns, axis=1)


def _pooled_dice(data: datasets.Dataset, predictions: np.ndarray) -> list[float]:
    """Dice of each class over all pixels at once."""
    one_unit = np.zeros(len(data), int)
    return [
        metrics.dice(data.masks, predictions, value, patients=one_unit)[0]
        for value in range(1, len(data.mask_classes))
    ]


def _false_alarms(data: datasets.Dataset, predictions: np.ndarray) -> list[float]:
    """Of the images without a class, the share that is given at least one pixel of it."""
    shares = []
    for value in range(1, len(data.mask_classes)):
        lacking = ~(data.masks == value).any((1, 2))
        alarms = (predictions[lacking] == value).any((1, 2))
        shares.append(alarms.mean() if lacking.any() else np.nan)
    return shares


def _median_hd95(data: datasets.Dataset, predictions: np.ndarray) -> list[float]:
    spacing = np.nan_to_num(data.spacing, nan=1.0)
    return [
        np.nanmedian(metrics.hd95(data.masks, predictions, value, spacing=spacing))
        for value in range(1, len(data.mask_classes))
    ]


def _with_names(data: datasets.Dataset, values) -> str:
    return "; ".join(f"{name} {value:.4f}" for name, value in zip(data.mask_classes[1:], values))


def _scores(data: datasets.Dataset, predictions: np.ndarray, one_view: np.ndarray) -> dict:
    dice = _dice_by_class(data, predictions)
    _, first = np.unique(_units(data), return_index=True)
    mean = metrics.mean_score(np.nanmean(dice, axis=1), data.patients[first])
    dice_of_one_view = np.nanmean(_dice_by_class(data, one_view), axis=0)
    return {
        "dice": round(mean.value, 4),
        "low": round(mean.low, 4),
        "high": round(mean.high, 4),
        "dice_per_class": _with_names(data, np.nanmean(dice, axis=0)),
        "pooled": _with_names(data, _pooled_dice(data, predictions)),
        "one_view": _with_names(data, dice_of_one_view),
        "hd95": _with_names(data, _median_hd95(data, predictions)),
        "alarms": _with_names(data, _false_alarms(data, predictions)),
    }


def measure(task: str, data: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    task : str
        Always "segmentation".
    data : str
        Name in `TASKS`.
    method : {"fine-tuned", "frozen", "random", "scratch"} or a name in `LONGER`
        What becomes of the encoder.
    seed : int
        Seed of the division and the network.
    """
    dataset, settings = _load(data), TASKS[data]
    train, test = splits.by_patient(dataset.patients, test=settings.test, seed=seed)
    model, clock = _fit(method, settings, dataset.take(train), seed)
    seconds, tested = clock.spent(), dataset.take(test)
    predictions = networks.segment(model, tested.images, settings.views).argmax(-1)
    one_view = networks.segment(model, tested.images, settings.views[:1]).argmax(-1)
    return {
        **_scores(tested, predictions, one_view),
        "train_images": len(train),
        "test_images": len(test),
        "trainable": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "steps": clock.steps,
        "cpu_seconds": round(seconds, 1),
    }


METHODS = (("fine-tuned", "random"), ("frozen", "scratch"))  # in the order of their use
ROWS = [
    ("segmentation", data, method, seed)
    for seed in range(3)
    for pair in METHODS
    for data in TASKS
    for method in pair
]
ROWS[16:16] = [
    ("segmentation", data, method, 0) for method in LONGER for data in ("wbc", "brain-mri")
]

if __name__ == "__main__":
    table.grow("dense_segmentation", __doc__, KEY, COLUMNS, ROWS, measure)
