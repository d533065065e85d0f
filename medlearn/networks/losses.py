"""Losses for segmentation.

    model.compile("adam", losses.Combined(losses.cross_entropy, losses.dice))

All take masks int (N, H, W) and probabilities (N, H, W, classes) and return one number, computed in
float32 under every precision. Those with options are classes, as in Keras. Models compiled with
them can be saved and copied.
"""

from collections.abc import Callable

from medlearn._keras import keras, tf

_registered = keras.saving.register_keras_serializable("medlearn")


@_registered
def cross_entropy(masks: "tf.Tensor", probabilities: "tf.Tensor") -> "tf.Tensor":
    """Cross-entropy: minus the logarithm of the true class's probability, mean over the pixels.

    Large classes dominate it.

    Parameters
    ----------
    masks : tensor, shape (N, H, W) or (N, H, W, 1)
        Class of each pixel.
    probabilities : tensor, shape (N, H, W, classes)
        Output of a segmenter.

    Returns
    -------
    tensor, shape ()
        The loss, float32.

    Raises
    ------
    ValueError
        If masks and probabilities do not belong to images of one size.
    """
    masks, probabilities = _checked(masks, probabilities)
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(masks, probabilities))


@_registered
def dice(masks: "tf.Tensor", probabilities: "tf.Tensor") -> "tf.Tensor":
    """Soft Dice loss: one minus the Dice of each class over the batch, mean over the classes.

    Small classes count as much as large ones. The background is a class too. A class that does not
    occur in the batch's masks plays no part: it has no overlap to win.

    Parameters
    ----------
    masks : tensor, shape (N, H, W) or (N, H, W, 1)
        Class of each pixel.
    probabilities : tensor, shape (N, H, W, classes)
        Output of a segmenter.

    Returns
    -------
    tensor, shape ()
        The loss, float32.

    Raises
    ------
    ValueError
        If masks and probabilities do not belong to images of one size.

    References
    ----------
    Milletari, Navab & Ahmadi 2016 (arXiv:1606.04797), without the squares.
    """
    masks, probabilities = _checked(masks, probabilities)
    truth = _one_hot(masks, probabilities)
    return _mean_over_present(truth, keras.losses.dice(truth, probabilities, axis=(0, 1, 2)))


@_registered
class Focal(keras.losses.Loss):
    """Focal loss: cross-entropy in which each pixel is weighted by (1 - p) ** gamma.

    p is the probability of the pixel's class, so easy pixels weigh little.

    Parameters
    ----------
    gamma : float
        Exponent, at least 0; 0 is cross-entropy.
    name : str
        Name of the loss in logs.
    **options
        As for any Keras loss.

    Raises
    ------
    ValueError
        For a negative exponent.

    References
    ----------
    Lin et al. 2017 (arXiv:1708.02002), eq. 4.
    """

    def __init__(self, gamma: float = 2.0, name: str = "focal", **options):
        if not gamma >= 0:
            raise ValueError(
                f"gamma={gamma!r} is an exponent of at least 0; 0 is cross-entropy, 2 is usual."
            )
        super().__init__(name=name, **options)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Return the loss of masks and probabilities.

        Parameters
        ----------
        y_true : tensor, shape (N, H, W)
            Class of each pixel.
        y_pred : tensor, shape (N, H, W, classes)
            Probabilities.
        """
        masks, probabilities = _checked(y_true, y_pred)
        truth = _one_hot(masks, probabilities)
        focal = keras.losses.categorical_focal_crossentropy
        return keras.ops.mean(focal(truth, probabilities, alpha=1.0, gamma=self.gamma))

    def get_config(self):
        """Return what a copy of the loss is made from."""
        return super().get_config() | {"gamma": self.gamma}


@_registered
class Tversky(keras.losses.Loss):
    """Tversky loss: Dice in which missed and falsely claimed pixels have weights of their own.

    Mean over the classes that occur in the batch. Keras' own loss is not used: there, the argument
    for false positives multiplies the false negatives (Keras 3.15).

    Parameters
    ----------
    false_negatives : float
        Weight of the pixels of a class that were missed, at least 0.
    false_positives : float
        Weight of the pixels that were falsely given to a class, at least 0; 0.5 and 0.5 is Dice.
    name : str
        Name of the loss in logs.
    **options
        As for any Keras loss.

    Raises
    ------
    ValueError
        For a negative weight or two zeros.

    References
    ----------
    Salehi, Erdogmus & Gholipour 2017 (arXiv:1706.05721), eq. 4.
    """

    def __init__(
        self,
        false_negatives: float = 0.7,
        false_positives: float = 0.3,
        name: str = "tversky",
        **options,
    ):
        if not (false_negatives >= 0 and false_positives >= 0):
            raise ValueError(
                f"false_negatives={false_negatives!r} and false_positives={false_positives!r} are "
                "weights of at least 0; try 0.7 and 0.3."
            )
        if false_negatives + false_positives == 0:
            raise ValueError("The weights of the Tversky loss are both 0; try 0.7 and 0.3.")
        super().__init__(name=name, **options)
        self.false_negatives = false_negatives
        self.false_positives = false_positives

    def call(self, y_true, y_pred):
        """Return the loss of masks and probabilities.

        Parameters
        ----------
        y_true : tensor, shape (N, H, W)
            Class of each pixel.
        y_pred : tensor, shape (N, H, W, classes)
            Probabilities.
        """
        masks, probabilities = _checked(y_true, y_pred)
        truth = _one_hot(masks, probabilities)
        hits = keras.ops.sum(truth * probabilities, axis=(0, 1, 2))
        missed = keras.ops.sum(truth * (1 - probabilities), axis=(0, 1, 2))
        claimed = keras.ops.sum((1 - truth) * probabilities, axis=(0, 1, 2))
        errors = self.false_negatives * missed + self.false_positives * claimed
        score = hits / (hits + errors + keras.config.epsilon())
        return _mean_over_present(truth, 1 - score)

    def get_config(self):
        """Return what a copy of the loss is made from."""
        weights = {"false_negatives": self.false_negatives, "false_positives": self.false_positives}
        return super().get_config() | weights


@_registered
class Combined(keras.losses.Loss):
    """Sum of several losses, such as ``Combined(cross_entropy, dice)``.

    Parameters
    ----------
    *losses : callable
        Losses of masks and probabilities, at least one.
    name : str
        Name of the loss in logs.
    **options
        As for any Keras loss.

    Raises
    ------
    ValueError
        If there is no loss.
    """

    def __init__(self, *losses: Callable, name: str = "combined", **options):
        if not losses or not all(map(callable, losses)):
            raise ValueError(
                "Combined takes losses, at least one: Combined(losses.cross_entropy, losses.dice)."
            )
        super().__init__(name=name, **options)
        self.losses = losses

    def call(self, y_true, y_pred):
        """Return the sum of the losses of masks and probabilities.

        Parameters
        ----------
        y_true : tensor, shape (N, H, W)
            Class of each pixel.
        y_pred : tensor, shape (N, H, W, classes)
            Probabilities.
        """
        return sum(loss(y_true, y_pred) for loss in self.losses)

    def get_config(self):
        """Return what a copy of the loss is made from."""
        losses = [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        return super().get_config() | {"losses": losses}

    @classmethod
    def from_config(cls, config: dict):
        """Return the loss that `get_config` described."""
        options = dict(config)
        losses = [keras.saving.deserialize_keras_object(loss) for loss in options.pop("losses")]
        return cls(*losses, **options)


def _checked(masks, probabilities):
    """Return masks without the last axis of one that Keras may add, and probabilities."""
    masks = keras.ops.convert_to_tensor(masks)
    probabilities = keras.ops.cast(keras.ops.convert_to_tensor(probabilities), "float32")
    if len(masks.shape) == 4 and masks.shape[-1] == 1:
        masks = keras.ops.squeeze(masks, -1)
    if len(masks.shape) != 3 or len(probabilities.shape) != 4 or _differ(masks, probabilities):
        raise ValueError(
            f"Masks {tuple(masks.shape)} and probabilities {tuple(probabilities.shape)} do not "
            "belong together: expected (N, H, W), the class of each pixel, and (N, H, W, classes)."
        )
    return masks, probabilities


def _differ(masks, probabilities) -> bool:
    """Whether a side that is known of both is not the same."""
    sides = zip(masks.shape, probabilities.shape[:3], strict=True)
    return any(a != b for a, b in sides if None not in (a, b))


def _one_hot(masks, probabilities):
    classes = probabilities.shape[-1]
    return keras.ops.one_hot(keras.ops.cast(masks, "int32"), classes, dtype="float32")


def _mean_over_present(truth, values):
    """Return the mean of values (classes,) over the classes that occur in the one-hot truth."""
    present = keras.ops.cast(keras.ops.any(truth > 0, axis=(0, 1, 2)), values.dtype)
    return keras.ops.sum(present * values) / keras.ops.maximum(keras.ops.sum(present), 1)
