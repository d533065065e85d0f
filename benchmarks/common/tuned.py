"""Cells, features and trainings of foundation.py: a vision transformer tuned in several ways.

A network is cut in two. The lower part never changes, so its outputs for all views are computed
once for all rows, outside their seconds, as the features of a probe are. The upper part learns,
beginning with a probe's head.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import _keras, backbones, datasets, features, networks, splits, transfer
from medlearn._keras import keras
from medlearn.networks import views

VIT, LITE0 = "dinov2_small", "efficientnet_lite0"
SIZE = 70  # pixels
CUTS = {VIT: "block_10", LITE0: "block_11"}  # where the lower part ends, unless all may learn
ENDS = {VIT: "norm", LITE0: "block_14"}
STRENGTH = 0.01  # C of the probes
CELLS_AT_HOME, CELLS_AWAY = 900, 300  # of smear; wbc has what it has
BATCH, PASSES = 16, 10
FLIPS = ((0, False), (0, True), (2, False), (2, True))  # quarter turns, and whether mirrored
UNEVEN = (60, 25, 10, 3, 2)  # as many labels as 20 per class of five


class Method(NamedTuple):
    """A way to tune a network."""

    network: str
    from_: str | None  # the first block that learns; None: adapters and the head
    steps: int  # that take about ten CPU-seconds
    rate: float  # at the start, falls as a cosine

    @property
    def cut(self) -> str | None:
        """The last layer of the lower part; None if the whole network may change."""
        return None if self.from_ in (None, "encoder") else CUTS[self.network]


METHODS = {
    "LoRA": Method(VIT, None, 20, 1e-3),
    "Lite0 fine-tuned": Method(LITE0, "block_12", 140, 1e-3),
    "last block": Method(VIT, "block_11", 140, 1e-4),
    "full": Method(VIT, "encoder", 14, 3e-5),
}
PROBES = {"probe Lite0": LITE0, "probe ViT": VIT}


# ---- images and what the lower parts make of them ------------------------------------------------


@lru_cache
def load(data: str, domain: str) -> datasets.Dataset:
    """Return the cells of a laboratory.

    The simulated patients of lab-b are other ones than those of lab-a.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    domain : {"lab-a", "lab-b"}
        The laboratory.
    """
    options = {"domain": domain, "size": SIZE}
    if data == "smear":
        is_home = domain == "lab-a"
        options |= {"count": CELLS_AT_HOME if is_home else CELLS_AWAY, "seed": int(not is_home)}
    return datasets.load(data, **options)


def classes_of(data: str) -> int:
    """Return the number of classes that occur."""
    return len(np.unique(load(data, "lab-a").labels))


def home_patients(data: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test patients at home.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    seed : int
        Seed of the row.
    """
    cells = load(data, "lab-a")
    return splits.by_patient(cells.patients, test=0.4, seed=seed, labels=cells.labels)


def draw_labelled(data: str, train: np.ndarray, labels_per_class: str, seed: int) -> np.ndarray:
    """Return the rows whose labels a method may see: so many of each class, or what there is.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    train : int array
        Rows to draw from.
    labels_per_class : str
        A number, or "uneven": which class is rare is drawn as well.
    seed : int
        Seed of the row.
    """
    random = np.random.default_rng([seed, 23])
    labels = load(data, "lab-a").labels[train]
    shuffled = [random.permutation(train[labels == value]) for value in np.unique(labels)]
    counts = random.permutation(UNEVEN).tolist()
    if labels_per_class != "uneven":
        counts = [int(labels_per_class)] * len(shuffled)
    return np.concatenate([rows[:count] for rows, count in zip(shuffled, counts)])


@lru_cache
def inputs(data: str, network: str, cut: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return what the upper part gets: all views at home, (N, 4, ...), and lab-b, (M, ...).

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    network : str
        Name of the network.
    cut : str or None
        The last layer of the lower part; None: there is none, and these are images.
    """
    home = _all_views(data)
    away = load(data, "lab-b").images
    if cut is None:
        return home, away
    whole = _encoder(network)
    lower = keras.Model(whole.input, whole.get_layer(cut).output)
    outputs = lower.predict(home.reshape(-1, *home.shape[2:]), verbose=0)
    outputs = outputs.reshape(-1, len(FLIPS), *outputs.shape[1:])
    return outputs, lower.predict(away, verbose=0)


def _all_views(data: str) -> np.ndarray:
    """Four views of each cell at home, (N, 4, side, side, 3); the first is the cell itself."""
    images = load(data, "lab-a").images
    return np.stack([views.turn(images, *flip) for flip in FLIPS], axis=1)


def _stacked(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All views as examples of their own, with a label each."""
    return values.reshape(-1, *values.shape[2:]), np.repeat(labels, len(FLIPS))


@lru_cache
def _encoder(network: str) -> keras.Model:
    return backbones.load(network, size=SIZE)


def _upper(network: str, cut: str | None) -> keras.Model:
    """A copy of the network behind a cut, named "encoder", with weights of its own."""
    whole = _encoder(network)
    start = whole.get_layer(cut).output if cut else whole.input
    return _keras.copied(keras.Model(start, whole.get_layer(ENDS[network]).output, name="encoder"))


def _pooled(network: str, upper: keras.Model) -> tuple:
    """Input of an upper part, and its vectors: of a transformer, the mean of the patches."""
    start = keras.Input(upper.input_shape[1:])
    if network == LITE0:
        return start, keras.layers.GlobalAveragePooling2D()(upper(start))
    patches = keras.layers.Cropping1D((1, 0))(upper(start))
    return start, keras.layers.GlobalAveragePooling1D()(patches)


@lru_cache
def vectors(data: str, network: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of all views at home, (N, 4, D), and of lab-b, (M, D).

    Of a transformer they are the mean of the patches.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    network : str
        Name of the network.
    """
    home = _all_views(data)
    images = home.reshape(-1, *home.shape[2:])
    outputs = features.extract(_encoder(network), images, ENDS[network])
    away = features.extract(_encoder(network), load(data, "lab-b").images, ENDS[network])
    return outputs.reshape(-1, len(FLIPS), outputs.shape[-1]), away


def fitted_probe(data: str, network: str, rows: np.ndarray) -> Pipeline:
    """Return a logistic regression of fixed strength that learned from all views.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    network : str
        Name of the network.
    rows : int array
        The labelled cells.
    """
    labels = load(data, "lab-a").labels[rows]
    regression = LogisticRegression(C=STRENGTH, max_iter=1000)
    probe = make_pipeline(StandardScaler(), regression)
    return probe.fit(*_stacked(vectors(data, network)[0][rows], labels))


# ---- trainings -----------------------------------------------------------------------------------


@lru_cache
def _compiled(data: str, method: Method) -> tuple:
    """A compiled model, and all of its variables with their first values."""
    start, pooled = _pooled(method.network, _upper(method.network, method.cut))
    head = keras.layers.Dense(classes_of(data), "softmax", name="head")
    model = keras.Model(start, head(pooled))
    if method.from_ is None:
        transfer.add_lora(model)
    else:
        if method.network == LITE0:
            transfer.l2_sp(model, alpha=0.01, beta=0.0)
        transfer.unfreeze(model, from_=method.from_)
    adam = keras.optimizers.Adam(method.rate)
    model.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
    adam.build(model.trainable_variables)
    variables = (*model.weights, *adam.variables)
    first_values = [(variable, variable.numpy()) for variable in variables]
    values = inputs(data, method.network, method.cut)[0][:BATCH, 0]
    model.train_on_batch(values, load(data, "lab-a").labels[:BATCH])  # is traced
    return model, first_values


def ready(data: str, method: Method, probe: Pipeline) -> keras.Model:
    """Return a compiled model with pretrained weights, and a probe as its head.

    Parameters
    ----------
    data : {"smear", "wbc"}
        Name of the cells.
    method : Method
        How it will be tuned.
    probe : Pipeline
        What `fitted_probe` returns for the same network.
    """
    model, first_values = _compiled(data, method)  # traced there, so outside a row's seconds
    for variable, value in first_values:
        variable.assign(value)
    networks.set_head(model, *networks.as_head(probe))
    return model


def train(
    model: keras.Model, method: Method, values: np.ndarray, labels: np.ndarray, seed: int
) -> int:
    """Train a model in batches of 16 from permuted examples; return the number of steps.

    Parameters
    ----------
    model : keras.Model
        What `ready` returns; it is changed.
    method : Method
        How it is tuned.
    values : array of shape (n, 4, ...)
        Inputs of all views.
    labels : int array of shape (n,)
        Their classes.
    seed : int
        Seed of the order.
    """
    examples, answers = _stacked(values, labels)
    random = np.random.default_rng(seed)
    steps = min(method.steps, PASSES * -(-len(examples) // BATCH))
    order = np.concatenate([random.permutation(len(examples)) for _ in range(steps)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        share = (1 + np.cos(np.pi * step / steps)) / 2
        model.optimizer.learning_rate.assign(method.rate * share)
        model.train_on_batch(examples[rows], answers[rows])
    return steps
