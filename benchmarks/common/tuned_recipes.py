"""Recipes of transfer.py, compared on equal terms: same draws, views and tuning.

A recipe has three settings. Each learns from one half of the labelled images, divided by patient;
the one with the lowest log loss of the other half learns from all of them. All recipes learn from
the eight flips and quarter turns of each image, and average their probabilities over the same eight
views of each test image.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
import warnings

import numpy as np

from common import cells, recipe_networks
from common.cells import BATCH, VIEWS
from common.recipe_networks import PASSES, predictor, size_of
from common.recipes import regression
from medlearn import networks, splits, transfer
from medlearn._keras import keras

FEWEST_STEPS = 20  # a pass over two labels per class is two steps
STRENGTHS = (0.001, 0.01, 0.1)
START_STRENGTH = 0.01  # of the probe that fine-tuning in stages starts from


class Learner(NamedTuple):
    """What a recipe learns from: rows of labelled images, and where chance comes from."""

    data: str  # name of the cells
    labels_per_class: str
    rows: np.ndarray
    seed: int

    @property
    def labels(self) -> np.ndarray:
        return cells.load(self.data).labels[self.rows]

    def views(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all views of its images as examples of their own, and their labels.

        Parameters
        ----------
        inputs : array of shape (N, 8, ...)
            Images, maps or vectors of all cells.
        """
        return cells.stacked(inputs[self.rows], self.labels)


class Recipe(NamedTuple):
    """How to learn, from what, and the three settings to choose from."""

    inputs: Callable[[str], np.ndarray]
    settings: tuple[float, ...]
    fit: Callable[[Learner, float], tuple[Callable, int]]  # predictor, trainable parameters


def tuned(recipe: Recipe, learner: Learner, test: np.ndarray) -> tuple[np.ndarray, float, int]:
    """Return probabilities (n, classes) of test rows, the chosen setting, and the size.

    Parameters
    ----------
    recipe : Recipe
        One of `RECIPES`.
    learner : Learner
        The labelled images.
    test : int array
        Rows to predict.
    """
    losses = [_held_out_loss(recipe, learner, setting) for setting in recipe.settings]
    setting = recipe.settings[int(np.argmin(losses))]
    predict, size = recipe.fit(learner, setting)
    return _averaged(predict, recipe.inputs(learner.data), test), setting, size


def _held_out_loss(recipe: Recipe, learner: Learner, setting: float) -> float:
    """Mean log loss of one half of the labelled images, learned from the other."""
    patients = cells.load(learner.data).patients[learner.rows]
    with warnings.catch_warnings():  # of two labels per class one patient may have both
        warnings.simplefilter("ignore", UserWarning)
        learn, held = next(splits.folds(patients, learner.labels, k=2, seed=learner.seed))
    predict, _ = recipe.fit(learner._replace(rows=learner.rows[learn]), setting)
    probabilities = _averaged(predict, recipe.inputs(learner.data), learner.rows[held])
    of_truth = probabilities[np.arange(len(held)), learner.labels[held]]
    return -np.log(np.clip(of_truth, 1e-6, 1)).mean()


def _averaged(predict: Callable, inputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean probabilities over the eight views."""
    values = inputs[rows].reshape(-1, *inputs.shape[2:])
    return np.asarray(predict(values)).reshape(len(rows), VIEWS, -1).mean(axis=1)


# ---- probes --------------------------------------------------------------------------------------


def _probe_on(inputs: Callable[[str], np.ndarray]) -> Recipe:
    """A logistic regression on vectors of all views."""

    def fit(learner: Learner, strength: float) -> tuple[Callable, int]:
        vectors, labels = learner.views(inputs(learner.data))
        classes = cells.class_count(learner.data)
        fitted = regression(strength).fit(vectors, labels)

        def predict(values):
            probabilities = np.zeros((len(values), classes))
            probabilities[:, fitted.classes_] = fitted.predict_proba(values)
            return probabilities

        return predict, classes * (vectors.shape[1] + 1)

    return Recipe(inputs, STRENGTHS, fit)


# ---- networks ------------------------------------------------------------------------------------


def _staged(learner: Learner, rate: float) -> tuple[Callable, int]:
    """Ours: a probe becomes the head, then blocks 12 to 14 learn too, held by L2-SP."""
    model = _ready(recipe_networks.staged_model, learner)
    scaler, head = regression(START_STRENGTH).fit(*learner.views(cells.vectors(learner.data)))
    kernel, bias = (np.zeros(weight.shape) for weight in model.layers[-1].get_weights())
    kernel[:, head.classes_] = (head.coef_ / scaler.scale_).T
    bias[head.classes_] = head.intercept_ - kernel[:, head.classes_].T @ scaler.mean_
    networks.set_head(model, kernel.T, bias)
    before = transfer.snapshot(model)
    _learn(model, cells.maps(learner.data), learner, rate)
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    return predictor(model), size_of(model)


def _plain(learner: Learner, rate: float) -> tuple[Callable, int]:
    """Blocks 12 to 14 and a random head learn at one rate, batch normalisation too."""
    model = _ready(recipe_networks.plain_model, learner)
    _learn(model, cells.maps(learner.data), learner, rate)
    return predictor(model), size_of(model)


def _large_head(learner: Learner, rate: float) -> tuple[Callable, int]:
    """Two dense layers of 1024 units on frozen vectors of block 14."""
    model = _ready(recipe_networks.large_head_model, learner)
    vectors = cells.vectors(learner.data)
    flat, _ = learner.views(vectors)
    mean, scale = flat.mean(0), flat.std(0) + 1e-6
    _learn(model, (vectors - mean) / scale, learner, rate)
    predict = predictor(model)

    def scaled(values):
        return predict((values - mean) / scale)

    return scaled, size_of(model)


def _scratch(learner: Learner, rate: float) -> tuple[Callable, int]:
    """Four convolutions with batch normalisation, on images of half the side."""
    model = _ready(recipe_networks.scratch_model, learner)
    _learn(model, cells.shrunk(learner.data), learner, rate, longer=3)
    return predictor(model), size_of(model)


def _learn(model, inputs: np.ndarray, learner: Learner, rate: float, longer: int = 1) -> None:
    """Passes over all views in batches of 32; the rate falls like a cosine."""
    values, labels = learner.views(inputs)
    passes = PASSES[learner.labels_per_class]
    steps = longer * max(FEWEST_STEPS, passes * len(values) // BATCH)
    generator = np.random.default_rng(learner.seed)
    repeats = -(-steps * BATCH // len(values))
    order = np.concatenate([generator.permutation(len(values)) for _ in range(repeats)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        model.optimizer.learning_rate.assign(rate * (1 + np.cos(np.pi * step / steps)) / 2)
        model.train_on_batch(values[rows], labels[rows])


@lru_cache
def _compiled(build: recipe_networks.Build, data: str) -> tuple:
    """A compiled model, and its variables and its optimiser's with their first values."""
    keras.utils.set_random_seed(0)  # of the dropout
    model, rate = build(data)
    adam = keras.optimizers.Adam(rate)
    if build is recipe_networks.staged_model:
        adam = transfer.layerwise_optimizer(adam, model, decay=0.5)
    model.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
    adam.build(model.trainable_variables)
    variables = (*model.variables, *adam.variables)
    return model, [(variable, np.array(variable)) for variable in variables]


def _ready(build: recipe_networks.Build, learner: Learner):
    """The compiled model at its start; what is not pretrained is drawn by the learner's seed."""
    model, start = _compiled(build, learner.data)
    for variable, value in start:
        variable.assign(value)
    for number, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
            draw = keras.initializers.GlorotUniform(seed=100 * learner.seed + number)
            layer.kernel.assign(draw(layer.kernel.shape))
    return model


RECIPES = {
    "tuned probe": _probe_on(cells.vectors),
    "staged fine-tuning": Recipe(cells.maps, (3e-4, 1e-3, 3e-3), _staged),
    "scratch": Recipe(cells.shrunk, (1e-3, 3e-3, 1e-2), _scratch),
    "large head": Recipe(cells.vectors, (3e-5, 1e-4, 3e-4), _large_head),
    "tuned probe, ViT": _probe_on(cells.transformer_vectors),
    "plain fine-tuning": Recipe(cells.maps, (3e-4, 1e-3, 3e-3), _plain),
}
