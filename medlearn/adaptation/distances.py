"""How far two batches of vectors, source (N, D) and target (M, D), lie apart.

`coral`, `mmd` and `class_confusion` work on NumPy arrays and on tensors, and can be minimised: give one to
`layers.Align`. `proxy_a_distance` is for people: it trains a classifier to tell the domains apart.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn._keras import keras
from medlearn.adaptation import _inputs

_BANDWIDTHS = (
    0.25,
    0.5,
    1.0,
    2.0,
    4.0,
)  # of the mean squared distance, as usual for a family of kernels


@keras.saving.register_keras_serializable(package="medlearn")
def coral(source, target):
    """Squared Frobenius distance of the covariances, divided by 4 D^2; a scalar, at least 0.

    source: (N, D), target: (M, D), at least two rows each. Source: Sun & Saenko 2016 (arXiv:1607.01719), eq. 1.
    """
    gap = _covariance(source) - _covariance(target)
    return keras.ops.sum(keras.ops.square(gap)) / (4.0 * source.shape[1] ** 2)


@keras.saving.register_keras_serializable(package="medlearn")
def mmd(source, target):
    """Squared maximum mean discrepancy (biased, so at least 0) under a sum of five Gaussian kernels; a scalar.

    source: (N, D), target: (M, D). exp(-|x - y|^2 / (b s)) with s the mean squared distance over all pairs of the two
    batches, which is not differentiated, and b = 1/4, 1/2, 1, 2, 4, averaged: from 0 to 2.
    Source: Gretton et al. 2012, JMLR 13:723, eq. 5; the family of kernels as in Long et al. 2015 (arXiv:1502.02791).
    """
    ops = keras.ops
    both = ops.concatenate([ops.convert_to_tensor(source), ops.convert_to_tensor(target)])
    count = ops.shape(source)[0]
    squares = ops.sum(both * both, axis=1)
    squared = ops.maximum(
        squares[:, None] + squares[None] - 2 * ops.matmul(both, ops.transpose(both)), 0.0
    )
    scale = ops.stop_gradient(ops.mean(squared)) + 1e-12
    kernel = sum(ops.exp(-squared / (width * scale)) for width in _BANDWIDTHS) / len(_BANDWIDTHS)
    within = ops.mean(kernel[:count, :count]) + ops.mean(kernel[count:, count:])
    return ops.maximum(within - 2 * ops.mean(kernel[:count, count:]), 0.0)


@keras.saving.register_keras_serializable(package="medlearn")
def class_confusion(source, target):
    """Minimum class confusion of the target's predictions; a scalar from 0 (no two classes are confused) to 1.

    source: not looked at. target: (M, classes) probabilities. Certain images weigh more than doubtful ones; the
    temperature of the paper is left to the network that gives the probabilities.
    Source: Jin et al. 2020 (arXiv:1912.03699), eq. 3 to 6.
    """
    ops = keras.ops
    target = ops.convert_to_tensor(target)
    entropy = -ops.sum(target * ops.log(target + 1e-7), axis=1)
    weight = 1 + ops.exp(-entropy)
    weight = weight / ops.sum(weight) * ops.cast(ops.shape(target)[0], weight.dtype)
    confused = ops.matmul(ops.transpose(target * weight[:, None]), target)
    confused = confused / ops.sum(confused, axis=1, keepdims=True)
    return 1 - ops.mean(ops.diagonal(confused))


def proxy_a_distance(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_patients: ArrayLike | None = None,
    target_patients: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    """2 (1 - 2 error) of a logistic regression that tells source from target: 0 alike, 2 told apart without a fault.

    source: (N, D), target: (M, D), at least five of each. The error is balanced over the two domains and measured on
    five folds drawn from `seed`; with patients, ids (N,) and (M,), no patient is on both sides of a fold, which matters
    where the same people were imaged at both. Below 0 means that it did worse than guessing.
    Raises ValueError as all of `adaptation`. Source: Ben-David et al. 2007, NIPS, sec. 4; 2010, doi:10.1007/s10994-009-5152-4.
    """
    source, target = _inputs.vector_pair(source, target, least=5)
    vectors, domain = (
        np.concatenate([source, target]),
        np.repeat([0, 1], [len(source), len(target)]),
    )
    critic = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000)
    )
    if (source_patients is None) != (target_patients is None):
        raise ValueError("Give the patients of both domains, or of neither.")
    if source_patients is None:
        folds, groups = StratifiedKFold(5, shuffle=True, random_state=seed), None
    else:
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        groups = np.concatenate(
            [np.asarray(source_patients).astype(str), np.asarray(target_patients).astype(str)]
        )
    told = cross_val_predict(critic, vectors, domain, cv=folds, groups=groups)
    error = np.mean([(told[domain == each] != each).mean() for each in (0, 1)])
    return float(2 * (1 - 2 * error))


def _covariance(vectors):
    vectors = keras.ops.convert_to_tensor(vectors)
    centred = vectors - keras.ops.mean(vectors, axis=0, keepdims=True)
    count = keras.ops.cast(keras.ops.shape(vectors)[0], vectors.dtype)
    return keras.ops.matmul(keras.ops.transpose(centred), centred) / (count - 1)
