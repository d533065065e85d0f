"""Does a small network of one's own beat a borrowed encoder on FLAIR slices?

    python benchmarks/own_or_borrowed.py [--only TEXT]   # adds the missing rows

About ten CPU-minutes for all rows; fills results/own_or_borrowed.csv.

All methods see the same training slices with the same augmentation: shifts of up to 8 pixels, and
half of the slices mirrored. `frozen` is a logistic regression on the features of each slice and of
four augmented copies of it. `fine-tuned` starts there and lets all weights learn but those of batch
normalisation. `own network` is `networks.small_cnn` from random weights, with the schedule of
brain_mri_difficulty. The encoder and its cut, EfficientNet-Lite0 at block_14, are those of lesson
02, and the learning rate is that of backbone_choice: neither was chosen on these slices, while the
schedule of the own network was, on validation subjects. Training and test slices have seeds of
their own, so subjects of their own. Rows in the table are not run again: stop and start at will.
"""

from functools import cache
import time

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, networks, transfer
from medlearn._keras import keras

KEY = ("method", "images", "seed")
COLUMNS = ("balanced_accuracy", "low", "high", "cpu_seconds", "epochs")
SITE, SIZE, COPIES = "3T-FLAIR", 128, 4
NETWORK, LAYER = "efficientnet_lite0", "block_14"
TEST = {"seed": 202, "count": 640}
LARGEST = 1000  # slices of a seed; the first of them train
TUNE_EPOCHS, TUNE_BATCH, TUNE_RATE = {50: 20, 200: 10}, 16, 3e-4
OWN_EPOCHS, OWN_BATCH, OWN_RATE = {50: 100, 200: 60}, 32, 3e-3
ROWS = [
    (method, images, seed)
    for seed in range(3)
    for images in OWN_EPOCHS
    for method in ("frozen", "own network", "fine-tuned")
]


@cache
def _slices(seed: int, count: int) -> datasets.Dataset:
    return datasets.load("brain-mri", domain=SITE, count=count, seed=seed)


def _augmentation(seed: int) -> keras.Sequential:
    """Shifts of up to 8 pixels, and half of the slices mirrored."""
    shift = keras.layers.RandomTranslation(
        8 / SIZE, 8 / SIZE, fill_mode="nearest", interpolation="nearest", seed=seed
    )
    return keras.Sequential([shift, keras.layers.RandomFlip("horizontal", seed=seed)])


def _fitted_probe(encoder: keras.Model, train: datasets.Dataset, seed: int):
    """Logistic regression on the features of the slices and of augmented copies."""
    augment = _augmentation(seed)
    pictures = train.images.astype("float32")
    batches = [np.asarray(augment(pictures, training=True)) for _ in range(COPIES)]
    views = [pictures, *(np.clip(batch, 0, 255) for batch in batches)]
    vectors = [features.extract(encoder, view, LAYER, cache=False) for view in views]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return probe.fit(np.concatenate(vectors), np.tile(train.labels, 1 + COPIES))


def _frozen(train: datasets.Dataset, test: datasets.Dataset, seed: int):
    encoder = backbones.load(NETWORK, size=SIZE)
    probe = _fitted_probe(encoder, train, seed)
    return probe.predict(features.extract(encoder, test.images, LAYER, cache=False)), {}


def _compile(model: keras.Model, rate: float, steps: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    adam = keras.optimizers.AdamW(schedule, weight_decay=1e-2)
    model.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)


def _fine_tuned(train: datasets.Dataset, test: datasets.Dataset, seed: int):
    encoder, epochs = backbones.load(NETWORK, size=SIZE), TUNE_EPOCHS[len(train)]
    scaler, regression = _fitted_probe(encoder, train, seed)
    classes, augment = len(train.classes), _augmentation(seed)
    model = networks.classifier(
        encoder, classes, layer=LAYER, dropout=0.0, augment=augment, seed=seed
    )
    weights = regression.coef_ / scaler.scale_
    networks.set_head(model, weights, regression.intercept_ - weights @ scaler.mean_)
    transfer.unfreeze(model, from_=encoder.name)
    _compile(model, TUNE_RATE, epochs * -(-len(train) // TUNE_BATCH))
    model.fit(train.images, train.labels, TUNE_BATCH, epochs, verbose=0)
    return model.predict(test.images, verbose=0).argmax(1), {"epochs": epochs}


def _own(train: datasets.Dataset, test: datasets.Dataset, seed: int):
    shape, classes, epochs = (SIZE, SIZE, 1), len(train.classes), OWN_EPOCHS[len(train)]
    model = networks.small_cnn(shape, classes, augment=_augmentation(seed), seed=seed)
    _compile(model, OWN_RATE, epochs * -(-len(train) // OWN_BATCH))
    model.fit(train.images[..., :1], train.labels, OWN_BATCH, epochs, verbose=0)
    return model.predict(test.images[..., :1], verbose=0).argmax(1), {"epochs": epochs}


METHODS = {"frozen": _frozen, "fine-tuned": _fine_tuned, "own network": _own}


def measure(method: str, images: int, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    method : str
        Name in `METHODS`.
    images : int
        Number of training slices.
    seed : int
        Seed of the training subjects and of the training.
    """
    train = _slices(seed, LARGEST).take(slice(images))
    test = _slices(**TEST)
    assert not set(train.patients) & set(test.patients)
    keras.utils.set_random_seed(seed)
    start = time.process_time()
    predictions, facts = METHODS[method](train, test, seed)
    seconds = time.process_time() - start
    score = metrics.interval(metrics.balanced_accuracy, test.labels, predictions, test.patients)
    values = zip(("balanced_accuracy", "low", "high"), score, strict=True)
    written = {name: f"{value:.3f}" for name, value in values}
    return {**written, "cpu_seconds": round(seconds), **facts}


if __name__ == "__main__":
    table.grow("own_or_borrowed", __doc__, KEY, COLUMNS, ROWS, measure)
