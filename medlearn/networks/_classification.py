"""An image in, class probabilities out."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks._encoders import check_encoder, cut


def classifier(
    encoder: keras.Model,
    classes: int,
    *,
    layer: str | None = None,
    dropout: float = 0.2,
    augment: keras.layers.Layer | None = None,
    seed: int = 0,
) -> keras.Model:
    """Build F(x; W) = C(P(x; W)): an encoder, mean pooling, dropout, and a softmax over classes.

    The encoder is a layer of the model, under its own name, and shares its weights with the one
    given: fine-tuning changes both. The head computes in float32 under every precision.

    Parameters
    ----------
    encoder : keras.Model
        A model of images 0 to 255, (N, H, W, 3), as `backbones.load` gives it; Functional or
        Sequential.
    classes : int
        Number of classes, at least 2.
    layer : str, optional
        The layer after which the encoder is cut; None for its output.
    dropout : float
        Share of the pooled vector that is dropped in training, from 0 to below 1.
    augment : keras.layers.Layer, optional
        Acts on the images while training, before the encoder.
    seed : int
        Draws the head's weights and the dropout.

    Returns
    -------
    keras.Model
        Images in, probabilities float32 (N, classes) out.

    Raises
    ------
    ValueError
        For an unknown layer, one without a map, and arguments out of range.

    Examples
    --------
    >>> encoder = backbones.load("efficientnet_lite0")  # doctest: +SKIP
    >>> model = networks.classifier(encoder, classes=5)  # doctest: +SKIP
    >>> model.compile("adam", "sparse_categorical_crossentropy")  # doctest: +SKIP
    """
    _checks.whole_number("classes", classes, 2)
    _checks.fraction("dropout", dropout)
    _check_augment(augment)
    part = _up_to_a_map(encoder, layer)
    image = keras.Input(encoder.input_shape[1:], name="image")
    maps = part(augment(image) if augment is not None else image)
    pooling = keras.layers.GlobalAveragePooling2D(dtype="float32", name="mean_pooling")
    drop = keras.layers.Dropout(dropout, seed=seed, dtype="float32", name="dropout")
    return keras.Model(
        image, softmax_head(classes, seed)(drop(pooling(maps))), name=f"{encoder.name}_classifier"
    )


def softmax_head(classes: int, seed: int) -> keras.layers.Layer:
    """Return the last layer of every classifier here: class probabilities, in float32.

    Parameters
    ----------
    classes : int
        Number of units.
    seed : int
        Draws the weights.
    """
    glorot = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(
        int(classes), "softmax", kernel_initializer=glorot, dtype="float32", name="head"
    )


def set_head(model: keras.Model, weights: ArrayLike, bias: ArrayLike) -> None:
    """Give the last layer of a classifier the solution of a linear probe.

    Parameters
    ----------
    model : keras.Model
        A model that ends in a dense layer, as `classifier` builds it; it is changed.
    weights : array_like, shape (classes, D)
        As scikit-learn's ``coef_`` for vectors of the layer that the classifier is cut at. Of two
        classes scikit-learn keeps one row, (1, D).
    bias : array_like, shape (classes,)
        As scikit-learn's ``intercept_``.

    Raises
    ------
    ValueError
        If the shapes differ, for NaN, and for a model without such a layer.

    References
    ----------
    Kumar et al. 2022 (arXiv:2202.10054), linear probing before fine-tuning.
    """
    head = model.layers[-1]
    if not isinstance(head, keras.layers.Dense):
        raise ValueError(
            f"set_head needs a model that ends in a dense layer, but {model.name} ends in "
            f"{type(head).__name__}; networks.classifier builds one."
        )
    weights, bias = _checked_probe(weights, bias)
    if len(weights) == 1 and head.units == 2:  # the log-odds of the second class
        weights = np.concatenate([-weights, weights]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    if weights.T.shape != tuple(head.kernel.shape) or bias.shape != weights.shape[:1]:
        raise ValueError(
            f"The probe has weights {weights.shape} and bias {bias.shape}, but {model.name} ends "
            f"in a head of {head.units} classes on vectors of {head.kernel.shape[0]}; probe the "
            "layer it is cut at."
        )
    head.set_weights([weights.T, bias])


def as_head(probe: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a linear probe of scikit-learn as weights and bias for `set_head`.

    A scaler in front of the classifier becomes part of them: the head takes vectors as they are.

    Parameters
    ----------
    probe : sklearn.pipeline.Pipeline or estimator
        Fitted: a linear classifier with ``coef_`` and ``intercept_``, or a pipeline of a
        `StandardScaler` and one.

    Returns
    -------
    weights : numpy.ndarray, shape (classes, D)
        Of two classes one row, (1, D), as in scikit-learn.
    bias : numpy.ndarray, shape (classes,)

    Raises
    ------
    ValueError
        If the probe is not linear, not fitted, or does more than scale its vectors.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> weights, bias = as_head(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    >>> weights.shape, bias.shape
    ((1, 1), (1,))
    """
    *scalers, linear = getattr(probe, "named_steps", {"": probe}).values()
    if not hasattr(linear, "coef_") or not hasattr(linear, "intercept_"):
        raise ValueError(
            f"{type(linear).__name__} has no coef_ and intercept_: fit a linear classifier, such "
            "as LogisticRegression, first."
        )
    weights, bias = np.atleast_2d(linear.coef_), np.atleast_1d(linear.intercept_)
    for scaler in reversed(scalers):
        if not hasattr(scaler, "scale_") or not hasattr(scaler, "with_mean"):
            raise ValueError(
                f"The probe's step {type(scaler).__name__} cannot become part of a dense layer: "
                "only a fitted StandardScaler in front of the classifier can."
            )
        if scaler.scale_ is not None:
            weights = weights / scaler.scale_
        if scaler.with_mean:
            bias = bias - weights @ scaler.mean_
    return weights, bias


def _checked_probe(weights: ArrayLike, bias: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    if weights is None or bias is None:
        raise ValueError("weights or bias is None: give a fitted probe's coef_ and intercept_.")
    weights = np.atleast_2d(np.asarray(weights, np.float32))
    bias = np.atleast_1d(np.asarray(bias, np.float32))
    if not np.isfinite(weights).all() or not np.isfinite(bias).all():
        raise ValueError(
            "The probe holds NaN or infinite weights; was it fitted on vectors without NaN?"
        )
    return weights, bias


def _check_augment(augment) -> None:
    if augment is not None and not callable(augment):
        raise ValueError(
            f"augment={augment!r} is not a Keras layer; try keras.layers.RandomFlip()."
        )


def _up_to_a_map(encoder: keras.Model, layer: str | None) -> keras.Model:
    check_encoder(encoder)
    outputs = encoder.outputs if layer is None else cut(encoder, [layer]).outputs
    if len(outputs) != 1 or len(outputs[0].shape) != 4:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
        raise ValueError(
            f"{encoder.name} gives {shapes} there, but a map (N, h, w, channels) is needed: "
            "load the backbone without its head, or name an earlier layer."
        )
    return keras.Model(encoder.inputs[0], outputs[0], name=encoder.name)
