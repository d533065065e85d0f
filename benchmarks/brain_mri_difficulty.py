"""How hard are the virtual brain slices, for a small network from scratch and for frozen features?

    python benchmarks/brain_mri_difficulty.py [--only TEXT]   # adds the missing rows
    python benchmarks/brain_mri_difficulty.py --validate      # on the validation subjects

About ten CPU-minutes for all rows; fills results/brain_mri_difficulty.csv.

Training, validation and test slices have seeds of their own, so subjects of their own. The network
and its epochs were chosen by `--validate` on 3T-FLAIR with training seed 0; then each row was run
once, on the test subjects. At the other sites each image is cropped and mirrored at random, or not
at all: only without that are the training slices fitted in 48 or 32 epochs (except at 1.5T-T1w),
and the test subjects are read worse. Both rows are kept. Rows in the table are not run again: stop
and start at will. `--only` keeps the rows whose "site method images seed" holds TEXT.
"""

from functools import cache, partial
import time

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, networks, splits
from medlearn._keras import keras
from medlearn.adaptation.statistics import reestimate_batchnorm

KEY = ("site", "method", "images", "seed")
SCORES = ("train_accuracy", "test_accuracy", "low", "high", "macro_f1")
COLUMNS = (*SCORES, "cpu_seconds", "epochs", "layer")
VALIDATION = {"seed": 101, "count": 320}  # four slices of each subject
TEST = {"seed": 202, "count": 640}
FLAIR, OTHERS = "3T-FLAIR", ("3T-T1w", "1.5T-T1w", "3T-T2w", "PD")
WINDOW = 112, 96  # pixels; every head fits in
EPOCHS = {50: 100, 200: 60, 1000: 24}  # by number of training images, on 3T-FLAIR


@cache
def _slices(site: str, seed: int, count: int) -> datasets.Dataset:
    return datasets.load("brain-mri", domain=site, count=count, seed=seed)


class Scratch:
    """A small network trained from random weights."""

    def __init__(self, train: datasets.Dataset, seed: int, augment: bool = True):
        keras.utils.set_random_seed(seed)
        epochs, batch_size = _schedule(train, augment)
        window = _cropped_at_random(seed) if augment else keras.layers.CenterCrop(*WINDOW)
        classes = len(train.classes)
        self.network = networks.small_cnn((128, 128, 1), classes, augment=window, seed=seed)
        steps = epochs * -(-len(train) // batch_size)
        rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
        adam = keras.optimizers.AdamW(rate, weight_decay=1e-2)
        self.network.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
        images = train.images[..., :1]
        self.network.fit(images, train.labels, batch_size, epochs, verbose=0)
        self.facts = {"epochs": epochs}

    def predict(self, data: datasets.Dataset) -> np.ndarray:
        """Return the predicted classes."""
        return self.network.predict(data.images[..., :1], verbose=0).argmax(axis=1)


def _schedule(train: datasets.Dataset, augment: bool) -> tuple[int, int]:
    """Epochs and batch size; the other contrasts are slower to fit than FLAIR."""
    if train.domains[0] == FLAIR:
        return EPOCHS[len(train)], 32
    return (48, 16) if augment else (32, 16)


def _cropped_at_random(seed: int) -> keras.Sequential:
    """Windows up to 8 pixels off the centre, half of them mirrored; the centre in prediction."""
    height, width = WINDOW
    return keras.Sequential(
        [
            keras.layers.CenterCrop(height + 16, width + 16),
            keras.layers.RandomCrop(height, width, seed=seed),
            keras.layers.RandomFlip("horizontal", seed=seed),
        ]
    )


class Probe:
    """Logistic regression on frozen features, of the layer that is best on inner folds."""

    def __init__(self, train: datasets.Dataset, seed: int, weights: str | None):
        self.encoder = backbones.load("efficientnet_lite0", weights=weights, size=128, seed=seed)
        if weights is None:  # random features are of no use before this
            self.encoder = reestimate_batchnorm(self.encoder, train.images[:200])
        self.layers = backbones.taps(self.encoder)
        vectors = features.extract(self.encoder, train.images, self.layers, cache=False)
        self.regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        inner = list(splits.folds(train.patients, train.labels, k=3))
        accuracy = {
            layer: cross_val_score(self.regression, vectors[layer], train.labels, cv=inner).mean()
            for layer in self.layers
        }
        self.layer = max(accuracy, key=accuracy.get)
        self.regression.fit(vectors[self.layer], train.labels)
        self.facts = {"layer": self.layer}

    def predict(self, data: datasets.Dataset) -> np.ndarray:
        """Return the predicted classes."""
        vectors = features.extract(self.encoder, data.images, self.layers, cache=False)
        return self.regression.predict(vectors[self.layer])


METHODS = {
    "scratch": Scratch,
    "scratch, not augmented": partial(Scratch, augment=False),
    "ImageNet features": partial(Probe, weights="imagenet"),
    "random features": partial(Probe, weights=None),
}
ON_FLAIR = ("scratch", "ImageNet features", "random features")
ELSEWHERE = ("scratch", "scratch, not augmented")
ROWS = [
    (FLAIR, method, images, seed) for seed in range(3) for images in EPOCHS for method in ON_FLAIR
]
ROWS += [(site, method, 1000, 0) for method in ELSEWHERE for site in OTHERS]


def measure(site: str, method: str, images: int, seed: int, held_out: dict | None = None) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    site, method : str
        Name of a scanner, and a name in `METHODS`.
    images : int
        Number of training slices.
    seed : int
        Seed of the training subjects and the network.
    held_out : dict, optional
        Seed and count of the slices to score on; the test subjects if not given.
    """
    train = _slices(site, seed, max(EPOCHS)).take(slice(images))
    test = _slices(site, **(held_out or TEST))
    assert not set(train.patients) & set(test.patients)
    start = time.process_time()
    model = METHODS[method](train, seed)
    seconds = time.process_time() - start
    predictions = model.predict(test)
    accuracy = metrics.interval(metrics.accuracy, test.labels, predictions, test.patients)
    scores = {
        "train_accuracy": metrics.accuracy(train.labels, model.predict(train)),
        "test_accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "macro_f1": metrics.macro_f1(test.labels, predictions),
    }
    written = {name: f"{value:.3f}" for name, value in scores.items()}
    return {**written, "cpu_seconds": round(seconds), **model.facts}


def _validate(text: str) -> None:
    """Print the rows that contain a text, scored on the validation subjects."""
    for row in ROWS:
        if text in " ".join(map(str, row)):
            print(*row, *measure(*row, VALIDATION).values(), flush=True)


if __name__ == "__main__":
    arguments = table.command_line(
        __doc__, validate="score on the validation subjects, and write nothing"
    )
    if arguments.validate:
        _validate(arguments.only)
    else:
        table.grow("brain_mri_difficulty", arguments, KEY, COLUMNS, ROWS, measure)
