"""How hard the virtual brain slices are: a small network from scratch, and probes on frozen features.

    python benchmarks/brain_mri_difficulty.py [--only TEXT]    # runs the rows that the table lacks
    python benchmarks/brain_mri_difficulty.py --validate       # the same fits, scored on the validation subjects

Training, validation and test slices have seeds of their own, so subjects of their own. The network and its epochs were
chosen by `--validate` on 3T-FLAIR with training seed 0; then each row was run once, on the test subjects. At the other
sites each image is cropped and mirrored at random, or not at all: only without that are the training slices fitted in
48 or 32 epochs (except at 1.5T-T1w), and the test subjects are read worse. Both rows are kept. Rows in the table are not
run again: stop and start at will. `--only` keeps the rows whose "site method images seed" holds TEXT.
"""
from functools import cache, partial
import time

import table                               # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, splits
from medlearn.adaptation.statistics import reestimate_batchnorm
from medlearn.engine import keras

KEY = ("site", "method", "images", "seed")
COLUMNS = ("train_accuracy", "test_accuracy", "low", "high", "macro_f1",
           "cpu_seconds", "epochs", "layer")
VALIDATION, TEST = dict(seed=101, count=320), dict(seed=202, count=640)      # four slices of each subject
FLAIR, OTHERS = "3T-FLAIR", ("3T-T1w", "1.5T-T1w", "3T-T2w", "PD")
EPOCHS = {50: 100, 200: 60, 1000: 24}       # by number of training images, on 3T-FLAIR


@cache
def slices(site: str, seed: int, count: int) -> datasets.Dataset:
    return datasets.load("brain-mri", domain=site, count=count, seed=seed)


def scratch(train: datasets.Dataset, seed: int, augment: bool = True):
    """A small network trained from random weights: a function from data to classes, and what to note down."""
    keras.utils.set_random_seed(seed)
    chance = np.random.default_rng(seed)
    images, flair = standardised(train.images), train.domains[0] == FLAIR
    epochs, batch = (EPOCHS[len(train)], 32) if flair else (48 if augment else 32, 16)      # slower to fit
    network = small_network()
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(images) // batch))
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-2),
                    keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    for _ in range(epochs):
        network.fit(augmented(images, chance) if augment else cropped(images), train.labels, batch, verbose=0)
    return (lambda data: network.predict(cropped(standardised(data.images)), verbose=0).argmax(axis=1),
            {"epochs": epochs})


def standardised(images: np.ndarray) -> np.ndarray:
    """One grey channel, each image with mean 0 and standard deviation 1."""
    grey = images[..., :1].astype(np.float32)
    return (grey - grey.mean((1, 2, 3), keepdims=True)) / grey.std((1, 2, 3), keepdims=True)


def cropped(images: np.ndarray, down: int = 8, right: int = 16) -> np.ndarray:
    """A window of 112 x 96 pixels, by default the central one, which holds every head."""
    return images[..., down:down + 112, right:right + 96, :]


def augmented(images: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Windows up to 8 pixels off the centre, half of them mirrored."""
    places = chance.integers((0, 8), (17, 25), (len(images), 2))
    return np.stack([cropped(image, *place)[:, ::chance.choice((-1, 1))] for image, place in zip(images, places)])


def small_network() -> keras.Model:
    """Four convolutions, each halving the side; mean and maximum of the last maps; 0.06 million weights."""
    layers = keras.layers

    def convolve(x, channels, kernel=3, stride=1):
        x = layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    image = keras.Input((112, 96, 1))
    x = convolve(image, 16, kernel=5, stride=2)
    for channels in (24, 48, 96):
        x = layers.MaxPooling2D()(convolve(x, channels))
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(image, layers.Dense(4)(layers.Dropout(0.3)(pooled)))


def probe(train: datasets.Dataset, seed: int, weights: str | None):
    """Logistic regression on frozen features, of the layer that is best on inner folds of the training subjects."""
    encoder = backbones.load("efficientnet_lite0", weights=weights, size=128, seed=seed)
    if weights is None:                     # random features are of no use before this
        encoder = reestimate_batchnorm(encoder, train.images[:200])
    layers = backbones.taps(encoder)
    vectors = features.extract(encoder, train.images, layers, cache=False)
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    inner = list(splits.folds(train.patients, train.labels, k=3))
    layer = max(layers, key=lambda name: cross_val_score(regression, vectors[name], train.labels, cv=inner).mean())
    regression.fit(vectors[layer], train.labels)
    return (lambda data: regression.predict(features.extract(encoder, data.images, layers, cache=False)[layer]),
            {"layer": layer})


METHODS = {"scratch": scratch, "scratch, not augmented": partial(scratch, augment=False),
           "ImageNet features": partial(probe, weights="imagenet"), "random features": partial(probe, weights=None)}
ON_FLAIR, ELSEWHERE = ("scratch", "ImageNet features", "random features"), ("scratch", "scratch, not augmented")
ROWS = [(FLAIR, method, images, seed) for seed in range(3) for images in EPOCHS for method in ON_FLAIR]
ROWS += [(site, method, 1000, 0) for method in ELSEWHERE for site in OTHERS]


def measure(site: str, method: str, images: int, seed: int, held_out: dict = TEST) -> dict:
    train, test = slices(site, seed, max(EPOCHS)).take(slice(images)), slices(site, **held_out)
    assert not set(train.patients) & set(test.patients)
    start = time.process_time()
    predict, facts = METHODS[method](train, seed)
    seconds = time.process_time() - start
    guess = predict(test)
    share = metrics.interval(metrics.accuracy, test.labels, guess, test.patients)
    scores = (metrics.accuracy(train.labels, predict(train)), *share, metrics.macro_f1(test.labels, guess))
    values = (*(f"{score:.3f}" for score in scores), round(seconds))
    return dict(zip(COLUMNS, values)) | facts


if __name__ == "__main__":
    given = table.options(__doc__, validate="score on the validation subjects, and write nothing")
    if given.validate:
        for row in (row for row in ROWS if given.only in " ".join(map(str, row))):
            print(*row, *measure(*row, VALIDATION).values(), flush=True)
    else:
        table.grow("brain_mri_difficulty", given, KEY, COLUMNS, ROWS, measure)
