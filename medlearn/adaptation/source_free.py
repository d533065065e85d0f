"""Source-free adaptation: the model travels, the source images stay at home (SHOT)."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import copied, keras, leaves, tf
from medlearn.adaptation import self_training
from medlearn.adaptation.entropy import mean_entropy


def shot(
    model: keras.Model,
    target: ArrayLike,
    *,
    epochs: int = 5,
    learning_rate: float = 1e-3,
    pseudo_weight: float = 0.3,
    batch_size: int = 32,
    seed: int = 0,
) -> keras.Model:
    """Return a copy of a model, adapted to a target without source images and labels (SHOT).

    The last layer, which holds what the source said of the classes, stays. The layers before it
    learn, with Adam, so that each target image gets a certain prediction, the predictions are
    spread over the classes, and each image agrees with the nearest prototype of the target. These
    pseudo-labels are computed anew before each epoch. Statistics of BatchNormalization stay.

    The predictions are spread evenly: where the target has other class shares, this pulls them
    away from the truth.

    Parameters
    ----------
    model : keras.Model
        From inputs to class probabilities; its last layer is a Dense layer. It stays as it is. What
        is trainable of the layers before it learns.
    target : array_like, shape (M, ...)
        Images or features of the target, as the model takes them, without labels.
    epochs : int
        How often all of them are seen, at least 1.
    learning_rate : float
        Of Adam, above 0.
    pseudo_weight : float
        Weight of the pseudo-labels in the loss, at least 0.
    batch_size : int
        Images per step. The spread over classes is that of a batch: not fewer than the classes.
    seed : int
        Shuffles the images.

    Returns
    -------
    keras.Model
        The adapted copy.

    Raises
    ------
    ValueError
        For a model that does not end in a Dense layer or of which nothing else learns, and for
        options out of range.

    References
    ----------
    Liang, Hu & Feng 2020 (arXiv:2002.08546), eq. 2 to 7.
    """
    target = _checks.one_array(target, "target")
    _checks.whole_number("epochs", epochs, 1)
    _checks.whole_number("batch_size", batch_size, 1)
    if not learning_rate > 0 or not pseudo_weight >= 0:
        raise ValueError(
            f"learning_rate={learning_rate!r} should be above 0 and "
            f"pseudo_weight={pseudo_weight!r} at least 0; try 0.001 and 0.3."
        )
    adapted, head = _with_fixed_head(model)
    both = keras.Model(adapted.inputs[0], [head.input, adapted.outputs[0]])
    optimizer = keras.optimizers.Adam(learning_rate)
    step = _step(both, optimizer, pseudo_weight, tf.as_dtype(target.dtype))
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        features, probabilities = _outputs(both, target, batch_size)
        pseudo_labels = self_training.prototypes(features, probabilities).argmax(1)
        order = random.permutation(len(target))
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            step(tf.constant(target[batch]), tf.constant(pseudo_labels[batch]))
    return adapted


def _outputs(both: keras.Model, target: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """What enters the last layer and what leaves it; `predict` would cost more than it computes."""
    starts = range(0, len(target), batch_size)
    batches = [both(target[start : start + batch_size], training=False) for start in starts]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _with_fixed_head(model: keras.Model) -> tuple[keras.Model, keras.layers.Layer]:
    """A copy whose last layer does not learn, and that layer."""
    adapted = copied(model)
    head = adapted.layers[-1]
    if not isinstance(head, keras.layers.Dense):
        raise ValueError(
            f"The last layer of {model.name!r} is {head.name!r}, a {type(head).__name__}; SHOT "
            "needs a Dense layer there, which holds what the source said of the classes."
        )
    for layer, original in zip(leaves(adapted), leaves(model), strict=True):
        layer.trainable = original.trainable
    head.trainable = False
    if not adapted.trainable_weights:
        raise ValueError(
            f"Nothing but the last layer of {model.name!r} can learn: make layers before it "
            "trainable, such as the last blocks of the encoder."
        )
    return adapted, head


def _step(
    both: keras.Model, optimizer: keras.optimizers.Optimizer, pseudo_weight: float, dtype: tf.DType
):
    """A function that does one step on a batch and its pseudo-labels."""
    variables = both.trainable_variables
    optimizer.build(variables)
    batch_shape = (None, *both.input_shape[1:])  # one graph for whole batches and the last one
    signature = [tf.TensorSpec(batch_shape, dtype), tf.TensorSpec((None,), tf.int64)]

    @tf.function(input_signature=signature)
    def step(inputs, pseudo_labels):
        with tf.GradientTape() as tape:
            _, probabilities = both(inputs, training=False)
            loss = mean_entropy(probabilities) - _entropy_of_shares(probabilities)
            agreement = keras.losses.sparse_categorical_crossentropy(pseudo_labels, probabilities)
            loss += pseudo_weight * tf.reduce_mean(agreement)
        optimizer.apply(tape.gradient(loss, variables), variables)

    return step


def _entropy_of_shares(probabilities: tf.Tensor) -> tf.Tensor:
    """The entropy of the predicted class shares: highest if they are equal."""
    return mean_entropy(tf.reduce_mean(probabilities, axis=0, keepdims=True))
