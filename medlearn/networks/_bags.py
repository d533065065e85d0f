"""From slices to a patient: classifiers of bags, a bag being the feature vectors of one patient."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _files
from medlearn._keras import keras
from medlearn.networks._classification import softmax_head


def into_bags(vectors: ArrayLike, patients: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort feature vectors into one bag for each patient.

    Within a bag the slices keep their order.

    Parameters
    ----------
    vectors : array_like, shape (N, D)
        One feature vector for each slice.
    patients : array_like, shape (N,)
        The patient of each slice.

    Returns
    -------
    bags : numpy.ndarray, shape (P, K, D)
        float32; K is the size of the largest bag, smaller ones end in zeros.
    present : numpy.ndarray of bool, shape (P, K)
        False where a bag was filled up.
    patient_ids : numpy.ndarray, shape (P,)
        The patients, sorted.

    Raises
    ------
    ValueError
        For another shape or length.

    Examples
    --------
    >>> bags, present, patient_ids = into_bags([[1.0], [2.0], [3.0]], ["b", "a", "b"])
    >>> bags[:, :, 0].tolist(), present.tolist(), patient_ids.tolist()
    ([[2.0, 0.0], [1.0, 3.0]], [[True, False], [True, True]], ['a', 'b'])
    """
    if patients is None:
        raise ValueError("patients is missing: give each vector the id of its patient.")
    vectors, patients = np.asarray(vectors, np.float32), np.asarray(patients)
    if vectors.ndim != 2 or patients.shape != vectors.shape[:1] or not len(vectors):
        raise ValueError(
            "Vectors are (N, D) with one patient each, (N,); the shapes are "
            f"{vectors.shape} and {patients.shape}."
        )
    patient_ids, owner, sizes = np.unique(patients, return_inverse=True, return_counts=True)
    order = np.argsort(owner, kind="stable")
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    bags = np.zeros((len(patient_ids), sizes.max(), vectors.shape[1]), np.float32)
    bags[owner[order], np.arange(len(owner)) - first] = vectors[order]
    return bags, np.arange(sizes.max()) < sizes[:, None], patient_ids


def bag_classifier(
    channels: int,
    classes: int,
    pool: str = "attention",
    *,
    hidden: int = 32,
    dropout: float = 0.2,
    seed: int = 0,
) -> keras.Model:
    """Build a classifier of bags: a layer for each vector, pooling over the bag, and a softmax.

    It computes in float32 under every precision.

    Parameters
    ----------
    channels : int
        Length D of the feature vectors.
    classes : int
        Number of classes, at least 2.
    pool : {"attention", "mean", "max", "recurrent"}
        How one vector is made of a bag: its mean weighted by gated attention, its mean, its
        maximum, or the last state of a GRU that reads it in order. Only "recurrent" notices the
        order, and it needs the absent slices to come last.
    hidden : int
        Units of the layer for each vector, at least 1.
    dropout : float
        Share of the pooled vector that is dropped in training, from 0 to below 1.
    seed : int
        Draws the weights and the dropout.

    Returns
    -------
    keras.Model
        [bags (P, K, D), present (P, K)] of `into_bags` in, K may vary; probabilities float32
        (P, classes) out.

    Raises
    ------
    ValueError
        For another pool, and arguments out of range.

    References
    ----------
    Ilse et al. 2018 (arXiv:1802.04712), equations 7 to 9.
    Campanella et al. 2019 (doi:10.1038/s41591-019-0508-1), a recurrent reader.
    """
    if pool not in _POOLS:
        raise ValueError(_files.unknown("pool", pool, _POOLS))
    _checks.whole_number("channels", channels, 1)
    _checks.whole_number("classes", classes, 2)
    _checks.whole_number("hidden", hidden, 1)
    _checks.fraction("dropout", dropout)
    bags = keras.Input((None, channels), name="bags")
    present = keras.Input((None,), dtype="bool", name="present")
    x = _dense(hidden, "relu", seed, "embedding")(bags)
    x = _POOLS[pool](x, present, hidden, seed + 1)
    x = keras.layers.Dropout(dropout, seed=seed, dtype="float32", name="dropout")(x)
    probabilities = softmax_head(classes, seed)(x)
    return keras.Model([bags, present], probabilities, name=f"{pool}_of_bag")


def attention_weights(model: keras.Model, bags: ArrayLike, present: ArrayLike) -> np.ndarray:
    """Return how much each slice of each bag counted.

    A weight says that a slice was used, not that it spoke for the class.

    Parameters
    ----------
    model : keras.Model
        A `bag_classifier` with attention.
    bags : array_like, shape (P, K, D)
        As `into_bags` makes them.
    present : array_like of bool, shape (P, K)
        As `into_bags` makes it.

    Returns
    -------
    numpy.ndarray, shape (P, K)
        float32; rows sum to 1, absent slices have 0.

    Raises
    ------
    ValueError
        For a model without attention.
    """
    if "attention" not in [layer.name for layer in model.layers]:
        raise ValueError(
            f'{model.name} has no attention; build it with bag_classifier(..., pool="attention").'
        )
    reader = keras.Model(model.inputs, model.get_layer("attention").output)
    return reader([bags, present], training=False)[..., 0].numpy()


def _dense(units: int, activation: str | None, seed: int, name: str):
    glorot = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(
        units, activation, kernel_initializer=glorot, dtype="float32", name=name
    )


def _mean(x, present, hidden, seed):
    return keras.layers.GlobalAveragePooling1D(dtype="float32", name="mean")(x, mask=present)


def _maximum(x, present, hidden, seed):
    lowest = keras.ops.where(keras.ops.expand_dims(present, -1), x, -1e9)
    return keras.layers.GlobalMaxPooling1D(dtype="float32", name="max")(lowest)


def _attention(x, present, hidden, seed):
    """Eq. 9: w' (tanh(V h) * sigmoid(U h)), a softmax of it over the bag, and the weighted sum."""
    content = _dense(hidden, "tanh", seed, "attention_v")(x)
    gate = _dense(hidden, "sigmoid", seed + 1, "attention_u")(x)
    scores = _dense(1, None, seed + 2, "attention_w")(content * gate)
    softmax = keras.layers.Softmax(axis=1, dtype="float32", name="attention")
    weights = softmax(scores, mask=keras.ops.expand_dims(present, -1))
    return keras.ops.squeeze(keras.ops.matmul(keras.ops.transpose(weights, (0, 2, 1)), x), 1)


def _recurrent(x, present, hidden, seed):
    """The state after the last slice that is present; the absent ones after it do not count."""
    states = keras.layers.GRU(
        hidden,
        return_sequences=True,
        dtype="float32",
        name="recurrent",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seed + 1),
    )(x)
    presence = keras.ops.cast(present, "float32")
    none_after = keras.ops.zeros_like(presence[:, :1])
    next_presence = keras.ops.concatenate([presence[:, 1:], none_after], axis=1)
    is_last = presence - presence * next_presence
    return keras.ops.sum(states * keras.ops.expand_dims(is_last, -1), axis=1)


_POOLS = {"mean": _mean, "max": _maximum, "attention": _attention, "recurrent": _recurrent}
