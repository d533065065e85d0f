"""How far two batches of features, source (N, D) and target (M, D), lie apart.

`coral_distance`, `mmd` and `class_confusion` work on NumPy arrays and on tensors, and can be
minimised: give one to `layers.AlignmentLoss`. `proxy_a_distance` is a measurement: it trains a
classifier to tell the two domains apart.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import _checks
from medlearn._keras import keras, tf

_BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # in units of the mean squared distance
_FOLDS = 5

_register = keras.saving.register_keras_serializable(package="medlearn")


@_register
def coral_distance(source: "tf.Tensor", target: "tf.Tensor") -> "tf.Tensor":
    """Return the CORAL distance: how much the covariances of two batches differ.

    It is the squared Frobenius norm of the difference, divided by 4 D^2.

    Parameters
    ----------
    source, target : tensor or array, shape (N, D) and (M, D)
        Features, at least two rows of each.

    Returns
    -------
    tensor
        A scalar, at least 0.

    References
    ----------
    Sun & Saenko 2016 (arXiv:1607.01719), eq. 1.
    """
    difference = _covariance(source) - _covariance(target)
    return keras.ops.sum(keras.ops.square(difference)) / (4.0 * source.shape[1] ** 2)


@_register
def mmd(source: "tf.Tensor", target: "tf.Tensor") -> "tf.Tensor":
    """Return the squared maximum mean discrepancy of two batches, biased, so at least 0.

    The kernel is the mean of five Gaussian kernels ``exp(-|x - y|^2 / (b s))``. The scale s is the
    mean squared distance of all pairs, through which no gradient flows; b is 1/4, 1/2, 1, 2 and 4.

    Parameters
    ----------
    source, target : tensor or array, shape (N, D) and (M, D)
        Features.

    Returns
    -------
    tensor
        A scalar, 0 to 2.

    References
    ----------
    Gretton et al. 2012, JMLR 13:723, eq. 5; several kernels as in Long et al. 2015
    (arXiv:1502.02791).
    """
    ops = keras.ops
    both = ops.concatenate([ops.convert_to_tensor(source), ops.convert_to_tensor(target)])
    count = ops.shape(source)[0]
    squares = ops.sum(both * both, axis=1)
    products = ops.matmul(both, ops.transpose(both))
    squared_distances = ops.maximum(squares[:, None] + squares[None] - 2 * products, 0.0)
    scale = ops.stop_gradient(ops.mean(squared_distances)) + 1e-12
    kernels = [ops.exp(-squared_distances / (width * scale)) for width in _BANDWIDTHS]
    kernel = sum(kernels) / len(_BANDWIDTHS)
    within = ops.mean(kernel[:count, :count]) + ops.mean(kernel[count:, count:])
    return ops.maximum(within - 2 * ops.mean(kernel[:count, count:]), 0.0)


@_register
def class_confusion(source: "tf.Tensor | None", target: "tf.Tensor") -> "tf.Tensor":
    """Return the class confusion of the target's predictions, to be minimised (MCC).

    With probabilities p_ij of image i and class j, the class confusion is

        C_jk = sum_i w_i p_ij p_ik,    loss = 1 - mean_j (C_jj / sum_k C_jk)

    The weight w_i = M (1 + exp(-H_i)) / sum_l (1 + exp(-H_l)), with H the entropy, lets certain
    images count more. As in the reference implementation, **no gradient flows through the
    weights**: they are constants of a step.

    Parameters
    ----------
    source : tensor or array
        Not used; it makes the signature that of a distance.
    target : tensor or array, shape (M, classes)
        Class probabilities. The temperature of the paper is left to the network.

    Returns
    -------
    tensor
        A scalar from 0 (no two classes are confused) to 1.

    References
    ----------
    Jin et al. 2020 (arXiv:1912.03699), eq. 3 to 6; `detach` in the authors' code.
    """
    ops = keras.ops
    probabilities = ops.convert_to_tensor(target)
    weights = ops.stop_gradient(_certainty_weights(probabilities))
    weighted = ops.transpose(probabilities * weights[:, None])
    confusion = ops.matmul(weighted, probabilities)
    confusion = confusion / ops.sum(confusion, axis=1, keepdims=True)
    return 1 - ops.mean(ops.diagonal(confusion))


def proxy_a_distance(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_patients: ArrayLike | None = None,
    target_patients: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    """Return the proxy A-distance: 0 for domains that are alike, 2 for domains that are separable.

    It is 2 (1 - 2 error) of a logistic regression that tells source from target. The error is
    balanced over the two domains and measured by cross-validation on five folds.

    Parameters
    ----------
    source, target : array_like, shape (N, D) and (M, D)
        Features, at least five images of each domain.
    source_patients, target_patients : array_like, shape (N,) and (M,), optional
        Patient ids, of both domains or of neither. With them, no patient is on both sides of a
        fold; that matters where the same patients were imaged in both domains.
    seed : int
        Draws the folds.

    Returns
    -------
    float
        At most 2. Below 0, the classifier did worse than guessing.

    Raises
    ------
    ValueError
        For features that do not fit, or patients of one domain only.

    References
    ----------
    Ben-David et al. 2007, NIPS, sec. 4; Ben-David et al. 2010, doi:10.1007/s10994-009-5152-4.
    """
    source, target = _checks.feature_pair(source, target, minimum=_FOLDS)
    if (source_patients is None) != (target_patients is None):
        raise ValueError("Give the patients of both domains, or of neither.")
    features = np.concatenate([source, target])
    domains = np.repeat([0, 1], [len(source), len(target)])
    if source_patients is None:
        patients = None
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    else:
        patient_lists = [np.asarray(source_patients), np.asarray(target_patients)]
        patients = np.concatenate([patient_list.astype(str) for patient_list in patient_lists])
        folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000)
    )
    predictions = cross_val_predict(classifier, features, domains, cv=folds, groups=patients)
    errors = [(predictions[domains == domain] != domain).mean() for domain in (0, 1)]
    return float(2 * (1 - 2 * np.mean(errors)))


def _covariance(features):
    features = keras.ops.convert_to_tensor(features)
    centred = features - keras.ops.mean(features, axis=0, keepdims=True)
    count = keras.ops.cast(keras.ops.shape(features)[0], features.dtype)
    return keras.ops.matmul(keras.ops.transpose(centred), centred) / (count - 1)


def _certainty_weights(probabilities):
    """Weights (M,) with the mean 1: the more certain a prediction, the larger."""
    ops = keras.ops
    entropy = -ops.sum(probabilities * ops.log(probabilities + 1e-7), axis=1)
    weights = 1 + ops.exp(-entropy)
    count = ops.cast(ops.shape(probabilities)[0], weights.dtype)
    return weights / ops.sum(weights) * count
