"""Which backbone, cut where? Real linear probes and real fine-tuning, to hold scores without training against.

    python benchmarks/backbone_choice.py [--only TEXT]     # adds the missing rows to results/backbone_choice.csv
    python benchmarks/backbone_choice.py --download        # also VGG16 and ResNet50, whose weights need a network

A candidate is a network cut at a layer. The patients of each data set are halved: `images` labelled images are drawn
from one half (stratified, anew for each seed), balanced accuracy is measured on the other. `probe` is a logistic
regression on frozen features; `fine-tune` starts from that probe, and all weights but BatchNorm's learn for EPOCHS.
`extract` only times frozen features. A row that is in the table is not run again: stop and start at will. `--only`
keeps the rows whose "network layer data method images seed" contains the text.
"""

from dataclasses import replace
from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, networks, splits, transfer
from medlearn.adaptation import statistics
from medlearn._keras import keras

KEY = ("network", "layer", "data", "method", "images", "seed")
COLUMNS = ("balanced_accuracy", "images_per_second", "cpu_seconds")
DOMAINS = {"smear": "lab-a", "brain-mri": "3T-FLAIR", "wbc": "lab-a"}
GRANULOCYTES = (0, 3, 4)  # classes of cells with granules; "DATA, granules" asks for no more
TASKS = (*DOMAINS, "smear, granules", "wbc, granules")
SIZES, PROBES, TUNES = (25, 50, 100, 200), 5, 2  # labelled images; repeats of each method
TUNED_AT, EPOCHS, BATCH, RATE = 100, 6, 16, 3e-4
CLASSES = 5  # outputs of every head, so that one graph serves all data
LAYERS = {
    "efficientnet_lite0": ("block_4", "block_7", "block_10", "block_14", "top_activation"),
    "efficientnet_lite1": ("block_6", "block_10", "block_14", "block_19", "top_activation"),
    "efficientnet_lite2": ("block_6", "block_10", "block_14", "block_19", "top_activation"),
    "random lite0": ("block_2", "block_4", "block_7", "block_14", "top_activation"),
}
DOWNLOADED = {
    "vgg16": ("block3_conv3", "block4_conv3", "block5_conv3"),
    "resnet50": ("conv3_block4_out", "conv4_block6_out", "conv5_block3_out"),
}
NOT_TUNED = {
    ("efficientnet_lite0", "block_7"),
    ("efficientnet_lite1", "block_6"),
    ("efficientnet_lite1", "block_10"),
    ("efficientnet_lite2", "block_6"),
    ("efficientnet_lite2", "block_10"),
    ("random lite0", "block_2"),
    ("random lite0", "block_7"),
    ("random lite0", "top_activation"),
}


def planned(layers: dict) -> list[tuple]:
    """Keys of all rows in the order of their use: cheap ones first, then fine-tuning candidate by candidate."""
    candidates = [(network, layer) for network in layers for layer in layers[network]]
    timings = [(*candidate, "smear", "extract", 96, 0) for candidate in candidates]
    probes = [
        (*candidate, data, "probe", images, seed)
        for data in TASKS
        for candidate in candidates
        for images in SIZES
        if images < 0.95 * len(halves(data)[0])
        for seed in range(PROBES)
    ]
    tunes = [
        (*candidate, data, "fine-tune", TUNED_AT, seed)
        for candidate in candidates
        if candidate not in NOT_TUNED
        for data in ("smear", "brain-mri")
        for seed in range(TUNES)
    ]
    return probes + timings + tunes


@lru_cache
def loaded(data: str) -> datasets.Dataset:
    if data != whole(data):
        return replace(
            loaded(whole(data)),
            labels=np.isin(loaded(whole(data)).labels, GRANULOCYTES).astype(int),
        )
    return datasets.load(data, domain=DOMAINS[data])


def whole(data: str) -> str:
    """The data set whose images a task uses."""
    return data.partition(", ")[0]


@lru_cache
def halves(data: str) -> tuple[np.ndarray, np.ndarray]:
    found = loaded(whole(data))
    return splits.by_patient(found.patients, test=0.5, seed=0, labels=found.labels)


def drawn(data: str, images: int, seed: int) -> np.ndarray:
    """Indices of the labelled images that a method may learn from."""
    pool, labels = halves(data)[0], loaded(data).labels
    return train_test_split(pool, train_size=images, stratify=labels[pool], random_state=seed)[0]


pretrained = lru_cache(backbones.load)


@lru_cache
def encoder(network: str, data: str) -> keras.Model:
    """The network; one of random weights gets the BatchNorm statistics of that data's first half."""
    if not network.startswith("random"):
        return pretrained(network)
    return statistics.reestimate_batchnorm(
        backbones.load("efficientnet_lite0", weights=None),
        loaded(data).images[halves(data)[0][:128]],
    )


@lru_cache
def vectors(network: str, data: str) -> dict[str, np.ndarray]:
    return features.extract(
        encoder(network, whole(data)), loaded(data).images, layer=(LAYERS | DOWNLOADED)[network]
    )


def score(data: str, predictions: np.ndarray) -> float:
    return metrics.balanced_accuracy(loaded(data).labels[halves(data)[1]], predictions)


def fitted_probe(network: str, layer: str, data: str, images: int, seed: int):
    train = drawn(data, images, seed)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return probe.fit(vectors(network, data)[layer][train], loaded(data).labels[train])


def probe(network: str, layer: str, data: str, images: int, seed: int) -> tuple[float, float]:
    fitted = fitted_probe(network, layer, data, images, seed)
    return score(data, fitted.predict(vectors(network, data)[layer][halves(data)[1]])), np.nan


def extract(network: str, layer: str, data: str, images: int, seed: int) -> tuple[float, float]:
    one, some = loaded(data).images[:1], loaded(data).images[:images]
    features.extract(encoder(network, data), one, layer, cache=False)  # compiles
    start = time.process_time()
    features.extract(encoder(network, data), some, layer, cache=False)
    return np.nan, images / (time.process_time() - start)


@lru_cache(maxsize=1)
def classifier(network: str, layer: str):
    """A compiled classifier and the weights that it and its optimiser start from; one graph for all data and seeds."""
    part = encoder(network, "smear")
    model = transfer.unfreeze(
        networks.classifier(part, CLASSES, layer=layer, dropout=0.0), from_=part.name
    )
    steps = EPOCHS * -(-TUNED_AT // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(),
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
    return model, [
        (variable, variable.numpy()) for variable in (*model.weights, *model.optimizer.variables)
    ]


def fine_tune(network: str, layer: str, data: str, images: int, seed: int) -> tuple[float, float]:
    fitted = fitted_probe(network, layer, data, images, seed)
    model, start = classifier(network, layer)
    if network.startswith("random"):  # the same kernels; BatchNorm knows these images
        own = encoder(network, data)
        statistics_here = keras.Model(own.input, own.get_layer(layer).output).get_weights()
        model.get_layer(own.name).set_weights(statistics_here)
    networks.set_head(model, *as_dense(fitted))
    train = drawn(data, images, seed)
    keras.utils.set_random_seed(seed)
    clock = time.process_time()
    model.fit(loaded(data).images[train], loaded(data).labels[train], BATCH, EPOCHS, verbose=0)
    speed = EPOCHS * images / (time.process_time() - clock)
    predictions = model.predict(loaded(data).images[halves(data)[1]], BATCH, verbose=0).argmax(1)
    for variable, value in start:  # the encoder's own weights, which the next row wants untouched
        variable.assign(value)
    return score(data, predictions), speed


def as_dense(fitted) -> tuple[np.ndarray, np.ndarray]:
    """A fitted probe, its standardisation included, as weights and bias of a dense layer; absent classes are unlikely."""
    scaler, regression = fitted
    kernel = regression.coef_ / scaler.scale_
    weights, bias = np.zeros((CLASSES, kernel.shape[1])), np.full(CLASSES, -10.0)
    weights[regression.classes_], bias[regression.classes_] = (
        kernel,
        regression.intercept_ - kernel @ scaler.mean_,
    )
    return weights, bias


METHODS = {"probe": probe, "extract": extract, "fine-tune": fine_tune}


def measure(network: str, layer: str, data: str, method: str, images: int, seed: int) -> dict:
    start = time.process_time()
    accuracy, speed = METHODS[method](network, layer, data, images, seed)
    values = (f"{accuracy:.4f}", f"{speed:.1f}", f"{time.process_time() - start:.1f}")
    return {column: "" if value == "nan" else value for column, value in zip(COLUMNS, values)}


if __name__ == "__main__":
    given = table.options(__doc__, download="also VGG16 and ResNet50")
    layers = LAYERS | DOWNLOADED if given.download else LAYERS
    table.grow("backbone_choice", given, KEY, COLUMNS, planned(layers), measure)
