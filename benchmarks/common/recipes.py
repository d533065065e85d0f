"""Recipes of transfer learning for learning.py; those of transfer.py are in tuned_recipes.py.

A recipe is a function of a `Task`; it returns predicted classes of the test images and its number
of trainable parameters.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from common import cells
from common.cells import BATCH, VIEWS
from common.recipe_networks import PASSES, predictor, ready, scratch_model, size_of, staged_model
from medlearn import networks, transfer
from medlearn._keras import keras

Result = tuple[np.ndarray, int]


class Task(NamedTuple):
    """What to learn from and what to predict."""

    data: str  # name of the cells
    labels_per_class: str
    train: np.ndarray
    test: np.ndarray
    seed: int

    @property
    def labels(self) -> np.ndarray:
        return cells.load(self.data).labels[self.train]


# ---- probes --------------------------------------------------------------------------------------


def probe_on_views(task: Task) -> Result:
    """A probe of fixed strength that learns from all views and averages over them."""
    return _predict_with_probe(fitted_on_views(task), task), _probe_size(task)


def fitted_on_views(task: Task) -> Pipeline:
    """Return a probe of fixed strength that learned from all views."""
    vectors = cells.vectors(task.data)[task.train]
    return regression(0.001).fit(*cells.stacked(vectors, task.labels))


def regression(strength: float) -> Pipeline:
    """Return a logistic regression on scaled vectors, not fitted.

    Parameters
    ----------
    strength : float
        C: the larger, the less it is held back.
    """
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def _predict_with_probe(fitted: Pipeline, task: Task) -> np.ndarray:
    return averaged(fitted.predict_proba, cells.vectors(task.data), task.test)


def _probe_size(task: Task) -> int:
    return cells.class_count(task.data) * (cells.vectors(task.data).shape[-1] + 1)


def averaged(predict: Callable, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return classes by the mean of the probabilities over the eight views.

    Parameters
    ----------
    predict : callable
        A function from values of one view to probabilities.
    values : array of shape (N, 8, ...)
        Images, maps or vectors of all views.
    rows : int array
        Rows to predict.
    """
    probabilities = [predict(values[rows, view]) for view in range(VIEWS)]
    return np.mean(probabilities, axis=0).argmax(1)


# ---- networks that learn -------------------------------------------------------------------------


def fitted_scratch(task: Task) -> keras.Model:
    """Return the network from scratch after it learned from all views."""
    model = ready(scratch_model, task.data, task.labels_per_class, len(task.train))
    images, labels = cells.stacked(cells.shrunk(task.data)[task.train], task.labels)
    model.fit(images, labels, BATCH, 3 * PASSES[task.labels_per_class], verbose=0)
    return model


def staged(task: Task, start: Pipeline) -> Result:
    """Ours: a probe on views becomes the head, then blocks 12 to 14 learn too, held by L2-SP.

    Parameters
    ----------
    task : Task
        What to learn from and what to predict.
    start : Pipeline
        The probe to start from.
    """
    model = ready(staged_model, task.data, task.labels_per_class, len(task.train))
    scaler, head = start
    weights = head.coef_ / scaler.scale_
    networks.set_head(model, weights, head.intercept_ - weights @ scaler.mean_)
    before = transfer.snapshot(model)
    maps, labels = cells.stacked(cells.maps(task.data)[task.train], task.labels)
    model.fit(maps, labels, BATCH, epochs=PASSES[task.labels_per_class], verbose=0)
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    return averaged(predictor(model), cells.maps(task.data), task.test), size_of(model)
