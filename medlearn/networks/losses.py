"""What a segmenter is punished for, from masks int (N, H, W) and probabilities (N, H, W, classes): one number.

    model.compile("adam", losses.Combined(losses.cross_entropy, losses.dice))

Those with options are classes, as in Keras, which does the computing where it can. Models compiled with them can be
saved and copied.
"""

from collections.abc import Callable

from medlearn._keras import keras

_registered = keras.saving.register_keras_serializable("medlearn")


@_registered
def cross_entropy(masks, probabilities):
    """Mean over the pixels of minus the logarithm of the probability of the true class; large classes rule.

    Raises ValueError, as all losses here do, if masks and probabilities do not belong to images of one size.
    """
    masks, probabilities = _checked(masks, probabilities)
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(masks, probabilities))


@_registered
def dice(masks, probabilities):
    """One minus the soft Dice of each class, over all pixels of the batch, mean over the classes that occur in its masks.

    Small classes count as much as large ones. The background is a class too; one that the batch lacks plays no part:
    it has no overlap to win. Source: Milletari, Navab & Ahmadi 2016 (arXiv:1606.04797), without the squares.
    """
    masks, probabilities = _checked(masks, probabilities)
    truth = _one_hot(masks, probabilities)
    return _over_present(truth, keras.losses.dice(truth, probabilities, axis=(0, 1, 2)))


@_registered
class Focal(keras.losses.Loss):
    """Cross-entropy that looks away from easy pixels: each is weighted by (1 - p) ** gamma, p the probability of its class.

    gamma=0 is cross-entropy. Raises ValueError for a negative one. Source: Lin et al. 2017 (arXiv:1708.02002), eq. 4.
    """

    def __init__(self, gamma: float = 2.0, name: str = "focal", **options):
        if gamma < 0:
            raise ValueError(
                f"gamma={gamma!r} is an exponent of at least 0; 0 is plain cross-entropy, 2 is usual."
            )
        super().__init__(name=name, **options)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        masks, probabilities = _checked(y_true, y_pred)
        truth = _one_hot(masks, probabilities)
        return keras.ops.mean(
            keras.losses.categorical_focal_crossentropy(
                truth, probabilities, alpha=1.0, gamma=self.gamma
            )
        )

    def get_config(self):
        return super().get_config() | {"gamma": self.gamma}


@_registered
class Tversky(keras.losses.Loss):
    """Dice with two prices: missed pixels weigh `misses`, falsely claimed ones `alarms`; 0.5 and 0.5 is Dice.

    Mean over the classes that occur in the batch. Raises ValueError for a negative price or two zeros. Not Keras' own:
    there, the argument for false positives multiplies the false negatives (seen in Keras 3.15).
    Source: Salehi, Erdogmus & Gholipour 2017 (arXiv:1706.05721), eq. 4.
    """

    def __init__(self, misses: float = 0.7, alarms: float = 0.3, name: str = "tversky", **options):
        if misses < 0 or alarms < 0 or misses + alarms == 0:
            raise ValueError(
                f"misses={misses!r} and alarms={alarms!r} are prices: 0 or more, and not both 0; try 0.7 and 0.3."
            )
        super().__init__(name=name, **options)
        self.misses, self.alarms = misses, alarms

    def call(self, y_true, y_pred):
        masks, probabilities = _checked(y_true, y_pred)
        truth = _one_hot(masks, probabilities)
        found = keras.ops.sum(truth * probabilities, axis=(0, 1, 2))
        missed = keras.ops.sum(truth * (1 - probabilities), axis=(0, 1, 2))
        claimed = keras.ops.sum((1 - truth) * probabilities, axis=(0, 1, 2))
        score = found / (
            found + self.misses * missed + self.alarms * claimed + keras.config.epsilon()
        )
        return _over_present(truth, 1 - score)

    def get_config(self):
        return super().get_config() | {"misses": self.misses, "alarms": self.alarms}


@_registered
class Combined(keras.losses.Loss):
    """The sum of several losses; most used is `Combined(cross_entropy, dice)`. Raises ValueError if there is none."""

    def __init__(self, *losses: Callable, name: str = "combined", **options):
        if not losses or not all(map(callable, losses)):
            raise ValueError(
                "Combined takes losses, at least one: Combined(losses.cross_entropy, losses.dice)."
            )
        super().__init__(name=name, **options)
        self.losses = losses

    def call(self, y_true, y_pred):
        return sum(loss(y_true, y_pred) for loss in self.losses)

    def get_config(self):
        return super().get_config() | {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        }

    @classmethod
    def from_config(cls, config):
        """The loss that `get_config` described."""
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config.pop("losses")]
        return cls(*losses, **config)


def _checked(masks, probabilities):
    """Masks without a last axis of one, which Keras may add, and the probabilities, as tensors."""
    masks, probabilities = (
        keras.ops.convert_to_tensor(masks),
        keras.ops.convert_to_tensor(probabilities),
    )
    if len(masks.shape) == 4 and masks.shape[-1] == 1:
        masks = keras.ops.squeeze(masks, -1)
    sides = list(zip(masks.shape, probabilities.shape[:3]))
    if (
        len(masks.shape) != 3
        or len(probabilities.shape) != 4
        or any(a != b for a, b in sides if None not in (a, b))
    ):
        raise ValueError(
            f"Masks {tuple(masks.shape)} and probabilities {tuple(probabilities.shape)} do not belong together: expected "
            "(N, H, W), a class number a pixel, and (N, H, W, classes)."
        )
    return masks, probabilities


def _one_hot(masks, probabilities):
    return keras.ops.one_hot(
        keras.ops.cast(masks, "int32"), probabilities.shape[-1], dtype=probabilities.dtype
    )


def _over_present(truth, values):
    """Mean of the values (classes,) over the classes that occur in the truth (N, H, W, classes)."""
    present = keras.ops.cast(keras.ops.any(truth > 0, axis=(0, 1, 2)), values.dtype)
    return keras.ops.sum(present * values) / keras.ops.maximum(keras.ops.sum(present), 1)
