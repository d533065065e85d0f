"""From slices to a patient: classifiers of bags, a bag being the feature vectors of all that one patient has."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn._keras import keras

POOLS = ("mean", "max", "attention", "recurrent")


def into_bags(
    vectors: np.ndarray, patients: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort feature vectors into bags: bags float32 (P, K, D), present bool (P, K) and the patients' names (P,).

    vectors: (N, D), one a slice. patients: (N,) ids. Within a bag the slices keep their order; K is the largest bag,
    smaller ones are filled up with zeros that `present` marks as absent. Names are sorted. Raises ValueError for
    another shape or length.
    """
    if patients is None:
        raise ValueError(
            "patients is missing: whose slice is which? Give each vector the id of its patient."
        )
    vectors, patients = np.asarray(vectors, np.float32), np.asarray(patients)
    if vectors.ndim != 2 or patients.shape != vectors.shape[:1] or not len(vectors):
        raise ValueError(
            f"Vectors are (N, D) with one patient each, (N,); the shapes are {vectors.shape} and {patients.shape}."
        )
    names, owner, sizes = np.unique(patients, return_inverse=True, return_counts=True)
    order = np.argsort(owner, kind="stable")
    place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    bags = np.zeros((len(names), sizes.max(), vectors.shape[1]), np.float32)
    bags[owner[order], place] = vectors[order]
    return bags, np.arange(sizes.max()) < sizes[:, None], names


def bag_classifier(
    width: int,
    classes: int,
    pool: str = "attention",
    *,
    hidden: int = 32,
    dropout: float = 0.2,
    seed: int = 0,
) -> keras.Model:
    """Probabilities (P, classes) from [bags (P, K, width), present (P, K)], as `into_bags` makes them; K may vary.

    Each vector goes through a layer of `hidden` units; then one vector is made of all: their mean, their maximum,
    their mean weighted by gated attention, or the last state of a GRU that reads them in order. Only "recurrent"
    notices the order, and needs the absent ones to come last. `seed` draws the weights and the dropout. Raises ValueError for another pool, fewer than two
    classes, a width or hidden below 1, or a dropout outside 0..1.
    Source: Ilse et al. 2018 (arXiv:1802.04712), equations 7 to 9; Campanella et al. 2019 for a recurrent reader.
    """
    if pool not in POOLS:
        raise ValueError(f"There is no pool {pool!r}; choose one of {', '.join(POOLS)}.")
    if classes < 2 or width < 1 or hidden < 1:
        raise ValueError(
            f"width={width!r} and hidden={hidden!r} are at least 1, classes={classes!r} at least 2."
        )
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout!r} is a share, from 0 to below 1; try 0.2.")
    layers, glorot = keras.layers, keras.initializers.GlorotUniform
    bags, present = (
        keras.Input((None, width), name="bags"),
        keras.Input((None,), dtype="bool", name="present"),
    )
    x = layers.Dense(hidden, "relu", kernel_initializer=glorot(seed), name="embedding")(bags)
    x = layers.Dropout(dropout, seed=seed, name="dropout")(
        _POOL[pool](x, present, hidden, seed + 1)
    )
    head = layers.Dense(int(classes), "softmax", kernel_initializer=glorot(seed), name="head")
    return keras.Model([bags, present], head(x), name=f"{pool}_of_bag")


def attention_weights(model: keras.Model, bags: np.ndarray, present: np.ndarray) -> np.ndarray:
    """How much each slice of each bag counted: float32 (P, K), rows sum to 1, absent ones are 0.

    model: a `bag_classifier` with attention; bags, present: as it takes them. A weight says that a slice was used, not
    that it spoke for the class. Raises ValueError for a model without attention.
    """
    if "attention" not in [layer.name for layer in model.layers]:
        raise ValueError(
            f'{model.name} has no attention; build it with bag_classifier(..., pool="attention").'
        )
    reader = keras.Model(model.inputs, model.get_layer("attention").output)
    return reader([bags, present], training=False)[..., 0].numpy()


def _mean(x, present, hidden, seed):
    return keras.layers.GlobalAveragePooling1D(name="mean")(x, mask=present)


def _maximum(x, present, hidden, seed):
    lowest = keras.ops.where(keras.ops.expand_dims(present, -1), x, -1e9)
    return keras.layers.GlobalMaxPooling1D(name="max")(lowest)


def _attention(x, present, hidden, seed):
    """Equation 9: w' (tanh(V h) * sigmoid(U h)), a softmax of it over the bag, and the weighted sum."""
    layers, glorot = keras.layers, keras.initializers.GlorotUniform
    content = layers.Dense(hidden, "tanh", kernel_initializer=glorot(seed), name="attention_v")(x)
    gate = layers.Dense(hidden, "sigmoid", kernel_initializer=glorot(seed + 1), name="attention_u")(
        x
    )
    scores = layers.Dense(1, kernel_initializer=glorot(seed + 2), name="attention_w")(
        content * gate
    )
    weights = layers.Softmax(axis=1, name="attention")(
        scores, mask=keras.ops.expand_dims(present, -1)
    )
    return keras.ops.squeeze(keras.ops.matmul(keras.ops.transpose(weights, (0, 2, 1)), x), 1)


def _recurrent(x, present, hidden, seed):
    """The state after the last slice that is present; those before it have been read, those after it do not count."""
    states = keras.layers.GRU(
        hidden,
        return_sequences=True,
        name="recurrent",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seed + 1),
    )(x)
    here = keras.ops.cast(present, "float32")
    last = here - here * keras.ops.concatenate(
        [here[:, 1:], keras.ops.zeros_like(here[:, :1])], axis=1
    )
    return keras.ops.sum(states * keras.ops.expand_dims(last, -1), axis=1)


_POOL = dict(zip(POOLS, (_mean, _maximum, _attention, _recurrent)))
