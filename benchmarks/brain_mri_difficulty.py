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

from common import table  # first: it sets the threads
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, networks, splits
from medlearn.adaptation.statistics import reestimate_batchnorm
from medlearn._keras import keras

KEY = ("site", "method", "images", "seed")
COLUMNS = (
    "train_accuracy",
    "test_accuracy",
    "low",
    "high",
    "macro_f1",
    "cpu_seconds",
    "epochs",
    "layer",
)
VALIDATION, TEST = (
    dict(seed=101, count=320),
    dict(seed=202, count=640),
)  # four slices of each subject
FLAIR, OTHERS = "3T-FLAIR", ("3T-T1w", "1.5T-T1w", "3T-T2w", "PD")
WINDOW = 112, 96  # pixels; every head fits in
EPOCHS = {50: 100, 200: 60, 1000: 24}  # by number of training images, on 3T-FLAIR


@cache
def slices(site: str, seed: int, count: int) -> datasets.Dataset:
    return datasets.load("brain-mri", domain=site, count=count, seed=seed)


def scratch(train: datasets.Dataset, seed: int, augment: bool = True):
    """A small network trained from random weights: a function from data to classes, and what to note down."""
    keras.utils.set_random_seed(seed)
    epochs, batch = schedule(train, augment)
    window = cropped_at_random(seed) if augment else keras.layers.CenterCrop(*WINDOW)
    network = networks.small((128, 128, 1), len(train.classes), augment=window, seed=seed)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(train) // batch))
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-2),
        "sparse_categorical_crossentropy",
        jit_compile=False,
    )
    network.fit(train.images[..., :1], train.labels, batch, epochs, verbose=0)
    return lambda data: network.predict(data.images[..., :1], verbose=0).argmax(axis=1), {
        "epochs": epochs
    }


def schedule(train: datasets.Dataset, augment: bool) -> tuple[int, int]:
    """Epochs and batch size; the other contrasts are slower to fit than FLAIR."""
    if train.domains[0] == FLAIR:
        return EPOCHS[len(train)], 32
    return (48, 16) if augment else (32, 16)


def cropped_at_random(seed: int) -> keras.Sequential:
    """Windows up to 8 pixels off the centre, half of them mirrored; the central window when predicting."""
    return keras.Sequential(
        [
            keras.layers.CenterCrop(WINDOW[0] + 16, WINDOW[1] + 16),
            keras.layers.RandomCrop(*WINDOW, seed=seed),
            keras.layers.RandomFlip("horizontal", seed=seed),
        ]
    )


def probe(train: datasets.Dataset, seed: int, weights: str | None):
    """Logistic regression on frozen features, of the layer that is best on inner folds of the training subjects."""
    encoder = backbones.load("efficientnet_lite0", weights=weights, size=128, seed=seed)
    if weights is None:  # random features are of no use before this
        encoder = reestimate_batchnorm(encoder, train.images[:200])
    layers = backbones.taps(encoder)
    vectors = features.extract(encoder, train.images, layers, cache=False)
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    inner = list(splits.folds(train.patients, train.labels, k=3))
    layer = max(
        layers,
        key=lambda name: cross_val_score(regression, vectors[name], train.labels, cv=inner).mean(),
    )
    regression.fit(vectors[layer], train.labels)
    return (
        lambda data: regression.predict(
            features.extract(encoder, data.images, layers, cache=False)[layer]
        ),
        {"layer": layer},
    )


METHODS = {
    "scratch": scratch,
    "scratch, not augmented": partial(scratch, augment=False),
    "ImageNet features": partial(probe, weights="imagenet"),
    "random features": partial(probe, weights=None),
}
ON_FLAIR, ELSEWHERE = (
    ("scratch", "ImageNet features", "random features"),
    ("scratch", "scratch, not augmented"),
)
ROWS = [
    (FLAIR, method, images, seed) for seed in range(3) for images in EPOCHS for method in ON_FLAIR
]
ROWS += [(site, method, 1000, 0) for method in ELSEWHERE for site in OTHERS]


def measure(site: str, method: str, images: int, seed: int, held_out: dict = TEST) -> dict:
    train, test = slices(site, seed, max(EPOCHS)).take(slice(images)), slices(site, **held_out)
    assert not set(train.patients) & set(test.patients)
    start = time.process_time()
    predict, facts = METHODS[method](train, seed)
    seconds = time.process_time() - start
    guess = predict(test)
    share = metrics.interval(metrics.accuracy, test.labels, guess, test.patients)
    scores = (
        metrics.accuracy(train.labels, predict(train)),
        *share,
        metrics.macro_f1(test.labels, guess),
    )
    values = (*(f"{score:.3f}" for score in scores), round(seconds))
    return dict(zip(COLUMNS, values)) | facts


if __name__ == "__main__":
    given = table.options(__doc__, validate="score on the validation subjects, and write nothing")
    if given.validate:
        for row in (row for row in ROWS if given.only in " ".join(map(str, row))):
            print(*row, *measure(*row, VALIDATION).values(), flush=True)
    else:
        table.grow("brain_mri_difficulty", given, KEY, COLUMNS, ROWS, measure)
