"""What can be measured about adapted models without target labels: the evidence of `choose`.

Every quantity is scaled so that tasks of different numbers of classes and images compare.
"""

from collections.abc import Mapping

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.selection import validators

OF_PAIR = ("classes", "source_images", "target_images", "home", "gap", "spread", "overlap")
OF_CANDIDATE = (
    "certainty",
    "information",
    "neighbourhood",
    "consensus",
    "reverse",
    "structure",
    "imbalance",
    "agreement",
)
_FOLDS = 3


def of_pair(
    source: np.ndarray, source_classes: np.ndarray, target: np.ndarray, seed: int
) -> dict[str, float]:
    """Return what is measured about two domains, by the names in `OF_PAIR`.

    Parameters
    ----------
    source, target : float array of shape (N, D) and (M, D)
        Features of both domains.
    source_classes : int array of shape (N,)
        Class indices of the source images, 0 to classes - 1, all of which occur.
    seed : int
        Seed of the folds.
    """
    domains = np.repeat([0, 1], [len(source), len(target)])
    told_apart = _cross_validated(np.concatenate([source, target]), domains, seed)
    mean, deviation = source.mean(0), source.std(0) + 1e-9
    shift = (target.mean(0) - mean) / deviation
    spread = np.log((target.std(0) + 1e-9) / deviation)
    values = (
        source_classes.max() + 1,
        np.log10(len(source)),
        np.log10(len(target)),
        _cross_validated(source, source_classes, seed),
        np.sqrt(np.mean(np.minimum(shift**2, 100))),
        np.median(spread),
        1 - told_apart,
    )
    return dict(zip(OF_PAIR, map(float, values)))


def of_candidates(
    probabilities: Mapping[str, np.ndarray],
    source: np.ndarray,
    source_classes: np.ndarray,
    target: np.ndarray,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Return what is measured about each candidate, by the names in `OF_CANDIDATE`.

    Parameters
    ----------
    probabilities : mapping of str to float array of shape (M, classes)
        Class probabilities of the target images by each candidate, "source only" first.
    source, source_classes, target, seed
        As in `of_pair`.
    """
    predictions = np.stack([table.argmax(1) for table in probabilities.values()])
    votes = validators.consensus(predictions) if len(predictions) > 1 else [1.0]
    standardised = _standardised(source), _standardised(target)
    result = {}
    for index, (name, table) in enumerate(probabilities.items()):
        most = np.log(table.shape[1])
        predicted = predictions[index]
        values = (
            1 + validators.certainty(table) / most,
            validators.mutual_information(table) / most,
            validators.soft_neighbourhood_density(table) / np.log(len(table) - 1),
            votes[index],
            _reverse(*standardised, source_classes, predicted),
            _cross_validated(standardised[1], predicted, seed),
            _imbalance(predicted, source_classes),
            np.mean(predicted == predictions[0]),
        )
        result[name] = dict(zip(OF_CANDIDATE, map(float, values)))
    return result


def _probe() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))


def _cross_validated(features: np.ndarray, classes: np.ndarray, seed: int) -> float:
    """Balanced accuracy above chance, 0 to 1, of a probe on images that it did not learn from."""
    values, counts = np.unique(classes, return_counts=True)
    frequent = np.isin(classes, values[counts >= _FOLDS])
    if len(np.unique(classes[frequent])) < 2:
        return 0.0
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(_probe(), features[frequent], classes[frequent], cv=folds)
    return _above_chance(classes[frequent], predicted)


def _reverse(
    source: np.ndarray, target: np.ndarray, source_classes: np.ndarray, predicted: np.ndarray
) -> float:
    """Reverse validation: do pseudo-labels of the target teach the labels of the source?

    Zhong et al. 2010, ECML PKDD, doi:10.1007/978-3-642-15939-8_35, sec. 3.
    """
    if len(np.unique(predicted)) < 2:
        return 0.0
    return _above_chance(source_classes, _probe().fit(target, predicted).predict(source))


def _above_chance(classes: np.ndarray, predicted: np.ndarray) -> float:
    """Balanced accuracy, so scaled that chance is 0; not below 0."""
    recalls = [np.mean(predicted[classes == index] == index) for index in np.unique(classes)]
    chance = 1 / len(recalls)
    return max(0.0, (np.mean(recalls) - chance) / (1 - chance))


def _imbalance(predicted: np.ndarray, source_classes: np.ndarray) -> float:
    """Total variation between predicted class shares and those of the source, 0 to 1."""
    count = source_classes.max() + 1
    shares = np.bincount(predicted, minlength=count) / len(predicted)
    expected = np.bincount(source_classes, minlength=count) / len(source_classes)
    return np.abs(shares - expected).sum() / 2


def _standardised(features: np.ndarray) -> np.ndarray:
    return (features - features.mean(0)) / (features.std(0) + 1e-9)
