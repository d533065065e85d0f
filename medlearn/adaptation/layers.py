"""Adaptation as a term of the loss: layers, and the network of two inputs that they make; plain Keras `fit` trains it.

model = layers.aligned(encoder, head, distances.coral, weight=1.0)                # DeepCORAL
model = layers.aligned(encoder, head, layers.Critic())                            # DANN
model = layers.aligned(encoder, head, layers.Critic(), on="products")             # CDAN
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(layers.batches(source, source_labels, target, batch_size=32), steps_per_epoch=50, epochs=5)
classifier = keras.Model(encoder.input, head(encoder.output))                     # shares the weights; for target images
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from medlearn._keras import keras, tf

_register = keras.saving.register_keras_serializable(package="medlearn")


@_register
class Align(keras.layers.Layer):
    """Passes its inputs through and adds `weight` times the distance of the first two, source and target, to the loss.

    distance: a function of two batches to a scalar, such as those of `distances`, or a layer that is one, such as
    `Critic`. weight: at least 0. Under a tf.distribute strategy each replica compares its own part of the batch, and `fit`
    averages over the replicas. Raises ValueError for a negative weight.
    """

    def __init__(self, distance: Callable, weight: float = 1.0, **options):
        super().__init__(**options)
        if weight < 0:
            raise ValueError(
                f"weight={weight!r} multiplies a distance: 0 or more; below it the domains are driven apart."
            )
        self.distance, self.weight = distance, weight

    def build(self, shapes):
        if isinstance(self.distance, keras.layers.Layer) and not self.distance.built:
            self.distance.build(shapes[0])

    def call(self, tensors):
        self.add_loss(self.weight * self.distance(tensors[0], tensors[1]))
        return list(tensors)

    def compute_output_shape(self, shapes):
        return list(shapes)

    def get_config(self):
        return super().get_config() | {
            "distance": keras.saving.serialize_keras_object(self.distance),
            "weight": self.weight,
        }

    @classmethod
    def from_config(cls, config):
        return cls(
            **config | {"distance": keras.saving.deserialize_keras_object(config["distance"])}
        )


@_register
class ReverseGradient(keras.layers.Layer):
    """The identity whose gradient is multiplied by minus `weight`: what follows learns, what precedes unlearns.

    The weight is a variable, `strength`, so that `ramp` can let it grow.
    Source: Ganin & Lempitsky 2015 (arXiv:1409.7495), eq. 7 and 8.
    """

    def __init__(self, weight: float = 1.0, **options):
        super().__init__(**options)
        self.weight = weight

    def build(self, shape):
        start = keras.initializers.Constant(self.weight)
        self.strength = self.add_weight(
            name="strength", shape=(), initializer=start, trainable=False
        )

    def call(self, inputs):
        strength = keras.ops.cast(self.strength, inputs.dtype)
        return keras.ops.stop_gradient((1 + strength) * inputs) - strength * inputs

    def get_config(self):
        return super().get_config() | {"weight": self.weight}


@_register
class Critic(keras.layers.Layer):
    """A distance that learns: how well a small network tells source from target, behind a reversed gradient.

    Called with source (N, D) and target (M, D) it gives the binary cross-entropy of its guesses, log 2 where it can only
    guess. It minimises that, and whatever made the vectors maximises it. weight: of the reversed gradient; units: of
    its hidden layer; seed: draws its weights. Source: Ganin et al. 2016 (arXiv:1505.07818), eq. 10.
    """

    def __init__(self, weight: float = 1.0, units: int = 64, seed: int = 0, **options):
        super().__init__(**options)
        self.units, self.seed = units, seed
        self.reverse = ReverseGradient(weight)
        self.hidden = keras.layers.Dense(
            units, "relu", kernel_initializer=keras.initializers.GlorotUniform(seed)
        )
        self.guess = keras.layers.Dense(
            1, kernel_initializer=keras.initializers.GlorotUniform(seed + 1)
        )

    def build(self, shape):
        self.reverse.build(shape)
        self.hidden.build(shape)
        self.guess.build((None, self.units))

    def call(self, source, target):
        ops, (known, other) = (
            keras.ops,
            (self.guess(self.hidden(self.reverse(each))) for each in (source, target)),
        )
        return (ops.mean(ops.softplus(-known)) + ops.mean(ops.softplus(other))) / 2

    def compute_output_shape(self, *shapes):
        return ()

    def get_config(self):
        return super().get_config() | {
            "weight": self.reverse.weight,
            "units": self.units,
            "seed": self.seed,
        }


def aligned(
    encoder: keras.Model,
    head: Callable,
    distance: Callable,
    weight: float = 1.0,
    *,
    on: str = "features",
) -> keras.Model:
    """Inputs "source" and "target", output the source's class probabilities; `weight` times the distance joins the loss.

    encoder: images or vectors to vectors (N, D). head: a layer or model, vectors to probabilities. Both are shared with
    the model, not copied. distance: see `Align`. on: what is compared, the "features", the "predictions"
    (`distances.class_confusion` wants those), or with "products" the outer product of the two, so that the domains mix
    class by class (CDAN: Long et al. 2018, arXiv:1705.10667, eq. 6). Raises ValueError for another `on`.
    """
    source, target = (
        keras.Input(encoder.input_shape[1:], name=name) for name in ("source", "target")
    )
    features = encoder(source), encoder(target)
    predictions = head(features[0]), head(features[1])
    compared = {
        "features": features,
        "predictions": predictions,
        "products": tuple(map(_product, features, predictions)),
    }
    if on not in compared:
        raise ValueError(f"on={on!r} should be one of {', '.join(compared)}.")
    _, _, told = Align(distance, weight, name="align")([*compared[on], predictions[0]])
    return keras.Model({"source": source, "target": target}, told, name="aligned")


def ramp(critic: Critic, epochs: int) -> keras.callbacks.Callback:
    """A callback for `fit`: the critic's reversed gradient grows from 0 to its weight while `epochs` pass.

    Source: Ganin et al. 2016 (arXiv:1505.07818), sec. 5.2.2.
    """

    def begin(epoch, logs=None):
        grown = 2 / (1 + math.exp(-10 * epoch / max(1, epochs - 1))) - 1
        critic.reverse.strength.assign(critic.reverse.weight * grown)

    return keras.callbacks.LambdaCallback(on_epoch_begin=begin)


def batches(
    source: ArrayLike,
    source_labels: ArrayLike,
    target: ArrayLike,
    *,
    batch_size: int = 32,
    seed: int = 0,
) -> "tf.data.Dataset":
    """An endless stream of ({"source": ..., "target": ...}, source labels) for `fit`, which needs steps_per_epoch.

    source: (N, ...), source_labels: (N,), target: (M, ...). Each domain is shuffled on its own, again and again, so the
    smaller one comes round more often. Raises ValueError for lengths that differ, an empty domain, or images of
    different size or channels.
    """
    source, labels, target = np.asarray(source), np.asarray(source_labels), np.asarray(target)
    if len(source) != len(labels):
        raise ValueError(
            f"Each source image needs its label: {len(source)} images, {len(labels)} labels."
        )
    if source.shape[1:] != target.shape[1:] or not len(source) or not len(target):
        raise ValueError(
            f"Source {source.shape} and target {target.shape} should hold at least one image each, "
            "all of one size and with the same channels."
        )
    data = tf.data.Dataset
    known = (
        data.from_tensor_slices((source, labels))
        .shuffle(len(source), seed=seed)
        .repeat()
        .batch(batch_size)
    )
    other = (
        data.from_tensor_slices(target)
        .shuffle(len(target), seed=seed + 1)
        .repeat()
        .batch(batch_size)
    )
    return (
        data.zip(known, other)
        .map(lambda one, two: ({"source": one[0], "target": two}, one[1]))
        .prefetch(2)
    )


def _product(vectors, probabilities):
    product = keras.layers.Reshape((-1, 1))(vectors) * keras.layers.Reshape((1, -1))(probabilities)
    return keras.layers.Flatten()(product)
