"""Adaptation as a term of the loss: layers, and a network of two inputs that Keras' `fit` trains.

    model = layers.alignment_model(encoder, head, distances.coral_distance)         # Deep CORAL
    model = layers.alignment_model(encoder, head, layers.DomainDiscriminator())     # DANN
    model.compile("adam", "sparse_categorical_crossentropy")
    batches = layers.paired_batches(source_images, source_labels, target_images)
    model.fit(batches, steps_per_epoch=50, epochs=5)
    classifier = keras.Model(encoder.input, head(encoder.output))     # shares the weights

With `on="products"` and a discriminator, the model is a CDAN; with `on="predictions"` and
`distances.class_confusion`, it minimises class confusion (MCC).
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras, tf

_register = keras.saving.register_keras_serializable(package="medlearn")
_COMPARED = ("features", "predictions", "products")


@_register
class AlignmentLoss(keras.layers.Layer):
    """Pass the inputs through, and add the distance between the first two to the loss.

    The first input is the source's batch, the second the target's. Under a `tf.distribute` strategy
    each replica compares its own part of the batch, and `fit` averages over the replicas.

    Parameters
    ----------
    distance : callable
        From two batches to a scalar: a function such as those of `distances`, or a layer such as
        `DomainDiscriminator`.
    weight : float
        Multiplies the distance, at least 0.

    Raises
    ------
    ValueError
        For a negative weight.
    """

    def __init__(self, distance: Callable, weight: float = 1.0, **options):
        super().__init__(**options)
        if weight < 0:
            raise ValueError(
                f"weight={weight!r} multiplies a distance, so it is 0 or more: "
                "a negative weight drives the domains apart."
            )
        self.distance, self.weight = distance, weight

    def build(self, shapes):
        """Build the distance, where it is a layer."""
        if isinstance(self.distance, keras.layers.Layer) and not self.distance.built:
            self.distance.build(shapes[0])

    def call(self, tensors):
        """Return the tensors, after the weighted distance of the first two was added as a loss."""
        self.add_loss(self.weight * self.distance(tensors[0], tensors[1]))
        return list(tensors)

    def compute_output_shape(self, shapes):
        """Return the shapes of the inputs."""
        return list(shapes)

    def get_config(self):
        """Return what `from_config` needs."""
        distance = keras.saving.serialize_keras_object(self.distance)
        return super().get_config() | {"distance": distance, "weight": self.weight}

    @classmethod
    def from_config(cls, config):
        """Return a layer of this configuration."""
        distance = keras.saving.deserialize_keras_object(config["distance"])
        return cls(**config | {"distance": distance})


@_register
class GradientReversal(keras.layers.Layer):
    """The identity, whose gradient is multiplied by minus `weight`.

    The layers after it learn to minimise a loss, and the layers before it learn to maximise it.
    The factor is a variable, `strength`, which `reversal_schedule` lets grow up to `weight`.

    Parameters
    ----------
    weight : float
        Factor of the reversed gradient.

    References
    ----------
    Ganin & Lempitsky 2015 (arXiv:1409.7495), eq. 7 and 8.
    """

    def __init__(self, weight: float = 1.0, **options):
        super().__init__(**options)
        self.weight = weight

    def build(self, shape):
        """Create the variable `strength`."""
        initializer = keras.initializers.Constant(self.weight)
        self.strength = self.add_weight(
            name="strength", shape=(), initializer=initializer, trainable=False
        )

    def call(self, inputs):
        """Return the inputs; their gradient is reversed."""
        strength = keras.ops.cast(self.strength, inputs.dtype)
        return keras.ops.stop_gradient((1 + strength) * inputs) - strength * inputs

    def get_config(self):
        """Return what `from_config` needs."""
        return super().get_config() | {"weight": self.weight}


@_register
class DomainDiscriminator(keras.layers.Layer):
    """A learned distance: how well a small network tells source from target.

    Called with source (N, D) and target (M, D), it returns the binary cross-entropy of its
    predictions, which is log 2 where it can only guess. The discriminator minimises it; behind a
    gradient reversal, the encoder maximises it.

    Parameters
    ----------
    weight : float
        Factor of the reversed gradient.
    units : int
        Size of the hidden layer.
    seed : int
        Draws the initial weights.

    References
    ----------
    DANN: Ganin et al. 2016 (arXiv:1505.07818), eq. 10.
    """

    def __init__(self, weight: float = 1.0, units: int = 64, seed: int = 0, **options):
        super().__init__(**options)
        glorot = keras.initializers.GlorotUniform
        self.units, self.seed = units, seed
        self.reversal = GradientReversal(weight)
        self.hidden = keras.layers.Dense(units, "relu", kernel_initializer=glorot(seed))
        self.logit = keras.layers.Dense(1, kernel_initializer=glorot(seed + 1))

    def build(self, shape):
        """Build the three layers for vectors of this shape."""
        self.reversal.build(shape)
        self.hidden.build(shape)
        self.logit.build((None, self.units))

    def call(self, source, target):
        """Return the binary cross-entropy of telling source from target, a scalar.

        Parameters
        ----------
        source, target : tensor, shape (N, D) and (M, D)
            Features of the two domains.
        """
        ops = keras.ops
        source_logits = self.logit(self.hidden(self.reversal(source)))
        target_logits = self.logit(self.hidden(self.reversal(target)))
        return (ops.mean(ops.softplus(-source_logits)) + ops.mean(ops.softplus(target_logits))) / 2

    def compute_output_shape(self, *shapes):
        """Return the shape of a scalar."""
        return ()

    def get_config(self):
        """Return what `from_config` needs."""
        options = {"weight": self.reversal.weight, "units": self.units, "seed": self.seed}
        return super().get_config() | options


def alignment_model(
    encoder: keras.Model,
    head: Callable,
    distance: Callable,
    weight: float = 1.0,
    *,
    on: str = "features",
) -> keras.Model:
    """Return a model of two inputs whose loss holds the distance between the domains.

    Its inputs are "source" and "target", its output the class probabilities of the source.

    Parameters
    ----------
    encoder : keras.Model
        From images or vectors to features (N, D). Shared with the model, not copied.
    head : keras.layers.Layer or keras.Model
        From features to class probabilities. Shared with the model, not copied.
    distance : callable
        See `AlignmentLoss`.
    weight : float
        Multiplies the distance, at least 0.
    on : {"features", "predictions", "products"}
        What is compared: the features; the class probabilities, as `distances.class_confusion`
        needs; or the outer product of both, so that the domains are aligned class by class (CDAN).

    Returns
    -------
    keras.Model
        Not compiled.

    Raises
    ------
    ValueError
        For another `on`, or a negative weight.

    References
    ----------
    CDAN: Long et al. 2018 (arXiv:1705.10667), eq. 6.
    """
    if on not in _COMPARED:
        raise ValueError(f"on={on!r} should be one of {', '.join(_COMPARED)}.")
    source = keras.Input(encoder.input_shape[1:], name="source")
    target = keras.Input(encoder.input_shape[1:], name="target")
    features = [encoder(source), encoder(target)]
    predictions = [head(features[0]), head(features[1])]
    if on == "features":
        compared = features
    elif on == "predictions":
        compared = predictions
    else:
        compared = [_product(*pair) for pair in zip(features, predictions, strict=True)]
    outputs = AlignmentLoss(distance, weight, name="alignment")([*compared, predictions[0]])
    return keras.Model({"source": source, "target": target}, outputs[-1], name="alignment_model")


def reversal_schedule(discriminator: DomainDiscriminator, epochs: int) -> keras.callbacks.Callback:
    """Return a callback that lets the reversed gradient grow from 0 to its weight.

    Parameters
    ----------
    discriminator : DomainDiscriminator
        Its `reversal.strength` is set at the beginning of each epoch.
    epochs : int
        After how many epochs the weight is reached.

    References
    ----------
    Ganin et al. 2016 (arXiv:1505.07818), sec. 5.2.2.
    """

    def _set_strength(epoch: int, logs: Mapping | None = None) -> None:
        progress = epoch / max(1, epochs - 1)
        share = 2 / (1 + math.exp(-10 * progress)) - 1
        discriminator.reversal.strength.assign(discriminator.reversal.weight * share)

    return keras.callbacks.LambdaCallback(on_epoch_begin=_set_strength)


def paired_batches(
    source: ArrayLike,
    source_labels: ArrayLike,
    target: ArrayLike,
    *,
    batch_size: int = 32,
    seed: int = 0,
) -> "tf.data.Dataset":
    """Return an endless stream of batches of both domains, for `fit` with `steps_per_epoch`.

    Each domain is shuffled independently and repeated, so the smaller domain is repeated more
    often.

    Parameters
    ----------
    source, target : array_like, shape (N, ...) and (M, ...)
        Images or features of one size.
    source_labels : array_like, shape (N,)
        Labels of the source.
    batch_size : int
        Images of each domain per batch.
    seed : int
        Shuffles both domains.

    Returns
    -------
    tf.data.Dataset
        Of ({"source": ..., "target": ...}, source labels).

    Raises
    ------
    ValueError
        For lengths that differ, an empty domain, or images of different size or channels.
    """
    source, labels, target = np.asarray(source), np.asarray(source_labels), np.asarray(target)
    _checks.same_length(source_images=source, source_labels=labels)
    if source.shape[1:] != target.shape[1:] or not len(source) or not len(target):
        raise ValueError(
            f"Source {source.shape} and target {target.shape} should hold at least one image each, "
            "all of one size and with the same channels."
        )
    source_batches = _shuffled((source, labels), len(source), batch_size, seed)
    target_batches = _shuffled(target, len(target), batch_size, seed + 1)
    return tf.data.Dataset.zip(source_batches, target_batches).map(_as_inputs).prefetch(2)


def _shuffled(arrays, count: int, batch_size: int, seed: int) -> "tf.data.Dataset":
    rows = tf.data.Dataset.from_tensor_slices(arrays)
    return rows.shuffle(count, seed=seed).repeat().batch(batch_size)


def _as_inputs(labelled_source, target):
    source, labels = labelled_source
    return {"source": source, "target": target}, labels


def _product(features, probabilities):
    """The outer product of features (N, D) and probabilities (N, C), flattened to (N, D C)."""
    product = keras.layers.Reshape((-1, 1))(features) * keras.layers.Reshape((1, -1))(probabilities)
    return keras.layers.Flatten()(product)
