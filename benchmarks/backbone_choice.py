"""Which backbone, cut where? Real probes and fine-tuning, to hold scores without training against.

    python benchmarks/backbone_choice.py [--only TEXT]   # adds the missing rows
    python benchmarks/backbone_choice.py --download      # also VGG16 and ResNet50, from the network

About twenty CPU-minutes for all rows; fills results/backbone_choice.csv.

A candidate is a network cut at a layer. The patients of each data set are halved: `images` labelled
images are drawn from one half (stratified, anew for each seed), balanced accuracy is measured on
the other. `probe` is a logistic regression on frozen features; `fine-tune` starts from that probe,
and all weights but BatchNorm's learn for EPOCHS. `extract` only times frozen features. A row that
is in the table is not run again: stop and start at will. `--only` keeps the rows whose "network
layer data method images seed" contains the text.
"""

from dataclasses import replace
from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import backbones, datasets, features, metrics, networks, splits, transfer
from medlearn._keras import keras
from medlearn.adaptation import statistics

KEY = ("network", "layer", "data", "method", "images", "seed")
COLUMNS = ("balanced_accuracy", "images_per_second", "cpu_seconds")
DOMAINS = {"smear": "lab-a", "brain-mri": "3T-FLAIR", "wbc": "lab-a"}
GRANULOCYTES = (0, 3, 4)  # classes of cells with granules; "DATA, granules" asks for no more
TASKS = (*DOMAINS, "smear, granules", "wbc, granules")
SIZES, PROBES, TUNES = (25, 50, 100, 200), 5, 2  # labelled images; repeats of each method
TUNED_AT, EPOCHS, BATCH, RATE = 100, 6, 16, 3e-4
TIMED_IMAGES = 96
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


def _rows(layers: dict[str, tuple[str, ...]]) -> list[tuple]:
    """Keys of all rows in the order of their use: cheap ones first, then fine-tuning."""
    candidates = [(network, layer) for network in layers for layer in layers[network]]
    tuned = [candidate for candidate in candidates if candidate not in NOT_TUNED]
    probes = [
        (*candidate, data, "probe", images, seed)
        for data in TASKS
        for candidate in candidates
        for images in _sizes(data)
        for seed in range(PROBES)
    ]
    timings = [(*candidate, "smear", "extract", TIMED_IMAGES, 0) for candidate in candidates]
    tunes = [
        (*candidate, data, "fine-tune", TUNED_AT, seed)
        for candidate in tuned
        for data in ("smear", "brain-mri")
        for seed in range(TUNES)
    ]
    return probes + timings + tunes


def _sizes(task: str) -> list[int]:
    """Numbers of labelled images for which a half is large enough."""
    return [images for images in SIZES if images < 0.95 * len(_halves(task)[0])]


# ---- data ----------------------------------------------------------------------------------------


def _data_set(task: str) -> str:
    """The data set whose images a task uses."""
    return task.partition(", ")[0]


@lru_cache
def _load(task: str) -> datasets.Dataset:
    if task == _data_set(task):
        return datasets.load(task, domain=DOMAINS[task])
    dataset = _load(_data_set(task))
    return replace(dataset, labels=np.isin(dataset.labels, GRANULOCYTES).astype(int))


@lru_cache
def _halves(task: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the patients to learn from, and of those to score on."""
    dataset = _load(_data_set(task))
    return splits.by_patient(dataset.patients, test=0.5, seed=0, labels=dataset.labels)


def _draw(task: str, images: int, seed: int) -> np.ndarray:
    """Rows of the labelled images that a method may learn from."""
    pool, labels = _halves(task)[0], _load(task).labels
    return train_test_split(pool, train_size=images, stratify=labels[pool], random_state=seed)[0]


_pretrained = lru_cache(backbones.load)


@lru_cache
def _encoder(network: str, task: str) -> keras.Model:
    """The network; one of random weights gets the BatchNorm statistics of the data's first half."""
    if not network.startswith("random"):
        return _pretrained(network)
    random = backbones.load("efficientnet_lite0", weights=None)
    return statistics.reestimate_batchnorm(random, _load(task).images[_halves(task)[0][:128]])


@lru_cache
def _vectors(network: str, task: str) -> dict[str, np.ndarray]:
    encoder = _encoder(network, _data_set(task))
    return features.extract(encoder, _load(task).images, layer=(LAYERS | DOWNLOADED)[network])


# ---- the methods: each returns balanced accuracy and images per second ---------------------------


def _score(task: str, predictions: np.ndarray) -> float:
    return metrics.balanced_accuracy(_load(task).labels[_halves(task)[1]], predictions)


def _fitted_probe(network: str, layer: str, task: str, images: int, seed: int) -> Pipeline:
    train = _draw(task, images, seed)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return probe.fit(_vectors(network, task)[layer][train], _load(task).labels[train])


def _probe(network: str, layer: str, task: str, images: int, seed: int) -> tuple[float, float]:
    fitted = _fitted_probe(network, layer, task, images, seed)
    test = _vectors(network, task)[layer][_halves(task)[1]]
    return _score(task, fitted.predict(test)), np.nan


def _extract(network: str, layer: str, task: str, images: int, seed: int) -> tuple[float, float]:
    encoder, pictures = _encoder(network, task), _load(task).images[:images]
    features.extract(encoder, pictures[:1], layer, cache=False)  # compiles
    start = time.process_time()
    features.extract(encoder, pictures, layer, cache=False)
    return np.nan, images / (time.process_time() - start)


@lru_cache(maxsize=1)
def _classifier(network: str, layer: str) -> tuple[keras.Model, list[tuple]]:
    """A compiled classifier, and its variables and its optimiser's with their first values.

    One graph serves all data and seeds.
    """
    encoder = _encoder(network, "smear")
    model = networks.classifier(encoder, CLASSES, layer=layer, dropout=0.0)
    transfer.unfreeze(model, from_=encoder.name)
    steps = EPOCHS * -(-TUNED_AT // BATCH)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))
    model.compile(adam, keras.losses.SparseCategoricalCrossentropy(), jit_compile=False)
    adam.build(model.trainable_variables)
    variables = (*model.weights, *adam.variables)
    return model, [(variable, variable.numpy()) for variable in variables]


def _fine_tune(network: str, layer: str, task: str, images: int, seed: int) -> tuple[float, float]:
    fitted = _fitted_probe(network, layer, task, images, seed)
    model, start = _classifier(network, layer)
    if network.startswith("random"):  # the same kernels, with BatchNorm statistics of these images
        own = _encoder(network, task)
        part = keras.Model(own.input, own.get_layer(layer).output)
        model.get_layer(own.name).set_weights(part.get_weights())
    networks.set_head(model, *_as_dense(fitted))
    train, test = _draw(task, images, seed), _halves(task)[1]
    dataset = _load(task)
    keras.utils.set_random_seed(seed)
    clock = time.process_time()
    model.fit(dataset.images[train], dataset.labels[train], BATCH, EPOCHS, verbose=0)
    speed = EPOCHS * images / (time.process_time() - clock)
    predictions = model.predict(dataset.images[test], BATCH, verbose=0).argmax(1)
    for variable, value in start:  # the encoder's own weights, which the next row wants untouched
        variable.assign(value)
    return _score(task, predictions), speed


def _as_dense(fitted: Pipeline) -> tuple[np.ndarray, np.ndarray]:
    """A fitted probe, its standardisation included, as weights and bias of a dense layer.

    Classes that the probe has not seen are made unlikely.
    """
    scaler, regression = fitted
    kernel = regression.coef_ / scaler.scale_
    weights, bias = np.zeros((CLASSES, kernel.shape[1])), np.full(CLASSES, -10.0)
    weights[regression.classes_] = kernel
    bias[regression.classes_] = regression.intercept_ - kernel @ scaler.mean_
    return weights, bias


METHODS = {"probe": _probe, "extract": _extract, "fine-tune": _fine_tune}


def measure(network: str, layer: str, data: str, method: str, images: int, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    network, layer : str
        The candidate, one of `LAYERS` or `DOWNLOADED`.
    data : str
        Name in `TASKS`.
    method : {"probe", "extract", "fine-tune"}
        What is measured.
    images : int
        Number of labelled images, or of timed ones.
    seed : int
        Seed of the draw and the training.
    """
    start = time.process_time()
    accuracy, speed = METHODS[method](network, layer, data, images, seed)
    seconds = time.process_time() - start
    return {
        "balanced_accuracy": "" if np.isnan(accuracy) else f"{accuracy:.4f}",
        "images_per_second": "" if np.isnan(speed) else f"{speed:.1f}",
        "cpu_seconds": f"{seconds:.1f}",
    }


if __name__ == "__main__":
    arguments = table.command_line(__doc__, download="also VGG16 and ResNet50")
    layers = LAYERS | DOWNLOADED if arguments.download else LAYERS
    table.grow("backbone_choice", arguments, KEY, COLUMNS, _rows(layers), measure)
