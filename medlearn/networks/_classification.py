"""An image in, class probabilities out."""

from difflib import get_close_matches

import numpy as np

from medlearn._keras import keras


def classifier(
    encoder: keras.Model,
    classes: int,
    *,
    layer: str | None = None,
    dropout: float = 0.2,
    augment: keras.layers.Layer | None = None,
    seed: int = 0,
) -> keras.Model:
    """F(x; W) = C(P(x; W)): the encoder up to `layer`, mean pooling, dropout, and a softmax over `classes`.

    Images 0 to 255 (N, H, W, 3) go in, probabilities (N, classes) come out. The encoder is a layer of the model, under
    its own name, and shares its weights with the one given: fine-tuning changes both. `layer`: where to cut it, None
    for its output. `augment`: Keras layers that act on the images while training, before the encoder. `seed` draws the
    head's weights and the dropout. Raises ValueError for an unknown layer, one without a map, fewer than two classes
    or a dropout outside 0..1.
    """
    if not isinstance(classes, int | np.integer) or classes < 2:
        raise ValueError(
            f"classes={classes!r} is not a number of at least 2; len(np.unique(labels)) counts them."
        )
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout!r} is not a share, from 0 to below 1; try 0.2.")
    if augment is not None and not callable(augment):
        raise ValueError(
            f"augment={augment!r} is not a Keras layer; try keras.layers.RandomFlip()."
        )
    part = _up_to(encoder, layer)
    image = keras.Input(encoder.input_shape[1:], name="image")
    maps = part(augment(image) if augment is not None else image)
    vector = keras.layers.GlobalAveragePooling2D(name="mean_pooling")(maps)
    vector = keras.layers.Dropout(dropout, seed=seed, name="dropout")(vector)
    glorot = keras.initializers.GlorotUniform(seed)
    head = keras.layers.Dense(int(classes), "softmax", kernel_initializer=glorot, name="head")
    return keras.Model(image, head(vector), name=f"{encoder.name}_classifier")


def set_head(model: keras.Model, weights: np.ndarray, bias: np.ndarray) -> keras.Model:
    """Give the last layer of a classifier the solution of a linear probe; returns the model.

    weights: (classes, D) and bias: (classes,), as scikit-learn's `coef_` and `intercept_` for vectors of the layer that
    the classifier is cut at; of two classes, scikit-learn keeps only one row. Raises ValueError if the shapes differ, and
    for NaN or a model without such a layer.
    Source: Kumar et al. 2022 (arXiv:2202.10054), linear probing before fine-tuning.
    """
    if weights is None or bias is None or not isinstance(model.layers[-1], keras.layers.Dense):
        raise ValueError(
            f"set_head wants a model that ends in a dense layer, and a probe's coef_ and intercept_; {model.name} "
            f"ends in {type(model.layers[-1]).__name__}, and given were {type(weights).__name__} and {type(bias).__name__}."
        )
    weights, bias = (
        np.atleast_2d(np.asarray(weights, np.float32)),
        np.atleast_1d(np.asarray(bias, np.float32)),
    )
    if not np.isfinite(weights).all() or not np.isfinite(bias).all():
        raise ValueError(
            "The probe holds NaN or infinite weights; was it fitted on vectors without NaN?"
        )
    if len(weights) == 1:  # the log-odds of the second class
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    kernel = model.layers[-1].kernel
    if weights.T.shape != tuple(kernel.shape) or bias.shape != weights.shape[:1]:
        raise ValueError(
            f"The probe has weights {weights.shape} and bias {bias.shape}, but {model.name} ends in a head of "
            f"{kernel.shape[1]} classes on vectors of {kernel.shape[0]}; probe the layer it is cut at."
        )
    model.layers[-1].set_weights([weights.T, bias])
    return model


def _up_to(encoder: keras.Model, layer: str | None) -> keras.Model:
    if not isinstance(encoder, keras.Model) or len(encoder.input_shape or ()) != 4:
        raise ValueError(
            f"The encoder is {type(encoder).__name__}, but a model of images is needed: backbones.load gives one."
        )
    names = [each.name for each in encoder.layers]
    if layer is not None and layer not in names:
        near = get_close_matches(str(layer), names, n=3, cutoff=0.4) or names[-3:]
        raise ValueError(f"{encoder.name} has no layer {layer!r}; do you mean {' or '.join(near)}?")
    maps = encoder.output if layer is None else encoder.get_layer(layer).output
    if len(maps.shape) != 4:
        raise ValueError(
            f"{encoder.name} gives {tuple(maps.shape)} there, but a map (N, h, w, channels) is needed: "
            "load the backbone without its head, or name an earlier layer."
        )
    return keras.Model(encoder.input, maps, name=encoder.name)
