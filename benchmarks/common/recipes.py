"""Recipes of transfer learning for transfer.py and learning.py.

A recipe is a function of a `Task`; it returns predicted classes of the test images and its number
of trainable parameters.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from common import cells
from common.cells import BATCH, VIEWS
from common.recipe_networks import (
    PASSES,
    classic_model,
    naive_model,
    predictor,
    ready,
    scratch_model,
    size_of,
    staged_model,
)
from medlearn import networks, splits, transfer
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


def probe(task: Task) -> Result:
    """A logistic regression on block 14, its strength chosen on inner folds of the patients."""
    vectors = cells.vectors(task.data)[:, 0]
    patients = cells.load(task.data).patients[task.train]
    inner = list(splits.folds(patients, task.labels, k=3, seed=task.seed))
    search = _search([0.01, 0.1, 1.0], inner).fit(vectors[task.train], task.labels)
    return search.predict(vectors[task.test]), _probe_size(task)


def probe_on_views(task: Task) -> Result:
    """A probe of fixed strength that learns from all views and averages over them."""
    return _predict_with_probe(fitted_on_views(task), task), _probe_size(task)


def tuned_probe_on_views(task: Task) -> Result:
    """The probe that fine-tuning starts from, and has to beat."""
    return _predict_with_probe(_tuned_on_views(task), task), _probe_size(task)


def fitted_on_views(task: Task) -> Pipeline:
    """Return a probe of fixed strength that learned from all views."""
    vectors = cells.vectors(task.data)[task.train]
    return _regression(0.001).fit(*cells.stacked(vectors, task.labels))


def _tuned_on_views(task: Task) -> Pipeline:
    """A probe on views, its strength chosen on inner folds of the training patients."""
    vectors, labels = cells.stacked(cells.vectors(task.data)[task.train], task.labels)
    patients = np.repeat(cells.load(task.data).patients[task.train], VIEWS)
    inner = list(splits.folds(patients, labels, k=3, seed=task.seed))
    return _search([0.001, 0.01, 0.1], inner).fit(vectors, labels).best_estimator_


def _regression(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def _search(strengths: list[float], folds: list) -> GridSearchCV:
    grid = {"logisticregression__C": strengths}
    return GridSearchCV(_regression(1.0), grid, scoring="f1_macro", cv=folds)


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


def classic(task: Task) -> Result:
    """The same pooled layer, and two dense layers of 4096 units on it."""
    model = ready(classic_model, task.data, task.labels_per_class, len(task.train))
    vectors = cells.vectors(task.data)
    scaler = StandardScaler().fit(vectors[task.train, 0])
    learned, labels = cells.stacked(vectors[task.train], task.labels)
    passes = PASSES[task.labels_per_class]
    model.fit(scaler.transform(learned), labels, BATCH, epochs=passes, verbose=0)
    probabilities = model.predict(scaler.transform(vectors[task.test, 0]), verbose=0)
    return probabilities.argmax(1), size_of(model)


def scratch(task: Task) -> Result:
    """Four convolutions with batch normalisation, on images of half the side."""
    model = fitted_scratch(task)
    probabilities = model.predict(cells.shrunk(task.data)[task.test, 0], verbose=0)
    return probabilities.argmax(1), size_of(model)


def fitted_scratch(task: Task) -> keras.Model:
    """Return the network from scratch after it learned from all views."""
    model = ready(scratch_model, task.data, task.labels_per_class, len(task.train))
    images, labels = cells.stacked(cells.shrunk(task.data)[task.train], task.labels)
    model.fit(images, labels, BATCH, 3 * PASSES[task.labels_per_class], verbose=0)
    return model


def staged(task: Task, start: Pipeline | None = None) -> Result:
    """Ours: a probe on views becomes the head, then blocks 12 to 14 learn too, held by L2-SP.

    Parameters
    ----------
    task : Task
        What to learn from and what to predict.
    start : Pipeline, optional
        The probe to start from; without it, one whose strength is chosen on inner folds.
    """
    model = ready(staged_model, task.data, task.labels_per_class, len(task.train))
    scaler, head = start or _tuned_on_views(task)
    weights = head.coef_ / scaler.scale_
    networks.set_head(model, weights, head.intercept_ - weights @ scaler.mean_)
    before = transfer.snapshot(model)
    maps, labels = cells.stacked(cells.maps(task.data)[task.train], task.labels)
    model.fit(maps, labels, BATCH, epochs=PASSES[task.labels_per_class], verbose=0)
    transfer.assert_moved(model, before)
    transfer.assert_bn_still(model, before)
    return averaged(predictor(model), cells.maps(task.data), task.test), size_of(model)


def naive(task: Task) -> Result:
    """All layers at once at one rate, under a random head, batch normalisation too."""
    model = ready(naive_model, task.data, task.labels_per_class, len(task.train))
    dataset = cells.load(task.data)
    images, labels = cells.stacked(cells.views(dataset.images[task.train]), task.labels)
    model.fit(images, labels, BATCH, epochs=PASSES[task.labels_per_class], verbose=0)
    probabilities = model.predict(dataset.images[task.test], verbose=0)
    return probabilities.argmax(1), size_of(model)
