"""A dozen adapted classifiers on frozen features, each fitted in seconds and without target labels.

They are the candidates among which `selection.choose` chooses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import _checks
from medlearn.adaptation import _domains, prior, self_training
from medlearn.adaptation._matchers import (
    Coral,
    Identity,
    OptimalTransport,
    Standardise,
    SubspaceAlignment,
    _Matcher,
)

SOURCE_ONLY = "source only"
_FEWEST_IMAGES = 10  # of each domain
_MATCHERS: dict[str, type[_Matcher]] = {
    "": Identity,
    "standardise": Standardise,
    "coral": Coral,
    "subspace": SubspaceAlignment,
    "transport": OptimalTransport,
}
_CORRECTED = ("", "standardise")  # the matchers after which the class shares are corrected, too


@dataclass(frozen=True, eq=False)
class Candidate:
    """A classifier of frozen features that is adapted to one target.

    Attributes
    ----------
    name : str
        What was done, such as "coral, self-training".
    matcher : object
        The fitted matcher of `adaptation.matching`.
    classifier : scikit-learn classifier
        Fitted to matched features.
    classes : numpy.ndarray, shape (classes,)
        The labels that the columns of the probabilities stand for.
    weights : numpy.ndarray, shape (classes,)
        What the probabilities are multiplied by: 1, or the corrected over the old class shares.
    """

    name: str
    matcher: _Matcher
    classifier: ClassifierMixin
    classes: np.ndarray
    weights: np.ndarray

    def transform_target(self, features: ArrayLike) -> np.ndarray:
        """Return features of target images, (N, D), as the classifier takes them."""
        return self.matcher.transform_target(_checks.vectors(features))

    def predict_proba(self, features: ArrayLike) -> np.ndarray:
        """Return class probabilities (N, classes) of target images from their features (N, D)."""
        return self._weighted(self.classifier.predict_proba(self.transform_target(features)))

    def predict(self, features: ArrayLike) -> np.ndarray:
        """Return the predicted labels (N,) of target images from their features (N, D)."""
        return self.classes[self.predict_proba(features).argmax(1)]

    def predict_proba_source(self, features: ArrayLike) -> np.ndarray:
        """Return class probabilities (N, classes) of source images from their features (N, D)."""
        return self.classifier.predict_proba(self.matcher.transform_source(features))

    def _weighted(self, probabilities: np.ndarray) -> np.ndarray:
        weighted = probabilities * self.weights
        return weighted / np.maximum(weighted.sum(1, keepdims=True), 1e-300)


def candidates(
    source_features: ArrayLike,
    source_labels: ArrayLike,
    target_features: ArrayLike,
    *,
    seed: int = 0,
) -> dict[str, Candidate]:
    """Return adapted classifiers of frozen features by their names, "source only" first.

    The classifier is a logistic regression. It is trained on the source features as they are,
    standardised, or after CORAL, subspace alignment or optimal transport; each also with
    self-training on the target. For the first two, the class shares are corrected, too. None of
    them is always better than "source only"; `selection.choose` says whether one may be used.

    Parameters
    ----------
    source_features : array_like, shape (N, D)
        Features of labelled images, at least 10, by a frozen encoder.
    source_labels : array_like, shape (N,)
        Whole numbers, at least two classes.
    target_features : array_like, shape (M, D)
        Features of unlabelled images of the other domain, at least 10.
    seed : int
        Seed of the classifiers. The same arguments give the same candidates.

    Returns
    -------
    dict of str to Candidate
        Twelve candidates with `predict_proba`, `predict` and `transform_target`.

    Raises
    ------
    ValueError
        For features or labels that do not fit.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> labels = np.arange(60) % 2
    >>> source = random.normal(size=(60, 3)) + labels[:, None]
    >>> models = candidates(source, labels, source + 5)
    >>> list(models)[0], len(models)
    ('source only', 12)
    >>> bool((models["standardise"].predict(source + 5) == labels).mean() > 0.7)
    True
    """
    source, target = _checks.feature_pair(source_features, target_features, _FEWEST_IMAGES)
    labels = _domains.source_labels(source_labels, len(source))
    seed = _checks.whole_number("seed", seed, 0)
    models = {}
    for name in _MATCHERS:
        matcher = _MATCHERS[name]().fit(source, target)
        matched = matcher.transform_source(source), labels, matcher.transform_target(target)
        models[name] = _model(name, matcher, _probe(seed).fit(*matched[:2]))
        trained = self_training.self_train(_probe(seed), *matched)
        models[f"{name}, self-training"] = _model(f"{name}, self-training", matcher, trained)
    for name in _CORRECTED:
        models[f"{name}, prior"] = _with_prior(models[name], labels, target)
    return {model.name: model for model in models.values()}


def _probe(seed: int) -> Pipeline:
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=0.03, max_iter=2000, random_state=seed)
    )


def _model(name: str, matcher: _Matcher, classifier: ClassifierMixin) -> Candidate:
    classes = classifier.classes_
    name = name.removeprefix(", ") or SOURCE_ONLY
    return Candidate(name, matcher, classifier, classes, np.ones(len(classes)))


def _with_prior(model: Candidate, labels: np.ndarray, target: np.ndarray) -> Candidate:
    """The same classifier, with the class shares that it estimates for the target."""
    shares = np.array([(labels == label).mean() for label in model.classes])
    corrected = prior.correct(model.predict_proba(target), shares)
    name = "prior" if model.name == SOURCE_ONLY else f"{model.name}, prior"
    return Candidate(name, model.matcher, model.classifier, model.classes, corrected.prior / shares)
