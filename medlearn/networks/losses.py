"""Losses for segmentation.

    model.compile("adam", losses.Combined(losses.cross_entropy, losses.dice))

All take masks int (N, H, W) and probabilities (N, H, W, classes), or those of volumes,
(N, Z, H, W) and (N, Z, H, W, classes). If pixels do not count alike,
``model.fit(images, masks, sample_weight=weights)`` passes on weights float (N, H, W). All losses
are one number, computed in float32 under every precision. Cross-entropy and focal loss are the
mean over all pixels of weight times loss, as in Keras; Dice and Tversky weigh each pixel within
their sums. A weight of 0 leaves a pixel out. One weight per image, (N,), holds for all its pixels.

`cross_entropy` and `dice` are losses without options. Models compiled with these losses can be
saved and copied.
"""

from collections.abc import Callable

from medlearn._keras import keras
from medlearn.networks import _pixels

_registered = keras.saving.register_keras_serializable("medlearn")


class _PixelLoss(keras.losses.Loss):
    """A loss of one number that reads the weights of the pixels itself; `_loss` computes it."""

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the loss, a float32 of shape ()."""
        with keras.name_scope(self.name):
            return self.call(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred, sample_weight=None):
        """Return the loss of masks and probabilities.

        Parameters
        ----------
        y_true : tensor, shape (N, [Z,] H, W) or (N, [Z,] H, W, 1)
            Class of each pixel.
        y_pred : tensor, shape (N, [Z,] H, W, classes)
            Probabilities.
        sample_weight : tensor, optional, shape (N, [Z,] H, W) or (N,)
            Weights of pixels or images.
        """
        return self._loss(y_true, y_pred, sample_weight)


@_registered
class CrossEntropy(_PixelLoss):
    """Cross-entropy: minus the logarithm of the true class's probability, mean over the pixels.

    Large classes dominate it. `cross_entropy` is one.

    Parameters
    ----------
    name : str
        Name of the loss in logs.
    **options
        As for any Keras loss.
    """

    def __init__(self, name: str = "cross_entropy", **options):
        super().__init__(name=name, **options)

    def _loss(self, y_true, y_pred, sample_weight=None):
        masks, probabilities = _pixels.masks_and_probabilities(y_true, y_pred)
        values = keras.losses.sparse_categorical_crossentropy(masks, probabilities)
        return _weighted_mean(values, masks, sample_weight)


@_registered
class Dice(_PixelLoss):
    """Soft Dice loss: one minus the Dice of each class over the batch, mean over the classes.

    Small classes count as much as large ones. The background is a class too. A class that does not
    occur in the batch's masks plays no part: it has no overlap to win. `dice` is one.

    Parameters
    ----------
    name : str
        Name of the loss in logs.
    **options
        As for any Keras loss.

    References
    ----------
    Milletari, Navab & Ahmadi 2016 (arXiv:1606.04797), without the squares.
    """

    def __init__(self, name: str = "dice", **options):
        super().__init__(name=name, **options)

    def _loss(self, y_true, y_pred, sample_weight=None):
        truth, probabilities, weights = _one_hot_and_weights(y_true, y_pred, sample_weight)
        if weights is None:
            values = keras.losses.dice(truth, probabilities, axis=_pixels.all_but_last(truth))
            return _pixels.mean_over_present(truth, values)
        truth = truth * weights
        axes = _pixels.all_but_last(truth)
        hits = keras.ops.sum(truth * probabilities, axis=axes)
        sizes = keras.ops.sum(truth + probabilities * weights, axis=axes)
        return _pixels.mean_over_present(truth, 1 - 2 * hits / (sizes + keras.config.epsilon()))


@_registered
class Focal(_PixelLoss):
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

    def _loss(self, y_true, y_pred, sample_weight=None):
        masks, probabilities = _pixels.masks_and_probabilities(y_true, y_pred)
        truth = _pixels.one_hot(masks, probabilities)
        focal = keras.losses.categorical_focal_crossentropy
        values = focal(truth, probabilities, alpha=1.0, gamma=self.gamma)
        return _weighted_mean(values, masks, sample_weight)

    def get_config(self):
        """Return what a copy of the loss is made from."""
        return super().get_config() | {"gamma": self.gamma}


@_registered
class Tversky(_PixelLoss):
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

    def _loss(self, y_true, y_pred, sample_weight=None):
        truth, probabilities, weights = _one_hot_and_weights(y_true, y_pred, sample_weight)
        outside = 1 - truth
        if weights is not None:
            truth = truth * weights
            outside = outside * weights
        axes = _pixels.all_but_last(truth)
        hits = keras.ops.sum(truth * probabilities, axis=axes)
        missed = keras.ops.sum(truth * (1 - probabilities), axis=axes)
        claimed = keras.ops.sum(outside * probabilities, axis=axes)
        errors = self.false_negatives * missed + self.false_positives * claimed
        score = hits / (hits + errors + keras.config.epsilon())
        return _pixels.mean_over_present(truth, 1 - score)

    def get_config(self):
        """Return what a copy of the loss is made from."""
        weights = {"false_negatives": self.false_negatives, "false_positives": self.false_positives}
        return super().get_config() | weights


@_registered
class Combined(_PixelLoss):
    """Sum of several losses, such as ``Combined(cross_entropy, dice)``.

    Parameters
    ----------
    *losses : callable
        Losses of masks and probabilities, at least one. Functions, and losses of Keras, may be
        among them; a function that returns one number cannot weigh pixels.
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

    def _loss(self, y_true, y_pred, sample_weight=None):
        values = [_value(loss, y_true, y_pred, sample_weight) for loss in self.losses]
        return sum(values)

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


#: Cross-entropy, for ``model.compile("adam", losses.cross_entropy)``.
cross_entropy = CrossEntropy()

#: Soft Dice loss, for ``losses.Combined(losses.cross_entropy, losses.dice)``.
dice = Dice()

# Models saved by 0.1 name them as functions.
for _loss in (cross_entropy, dice):
    keras.saving.get_custom_objects()[f"medlearn>{_loss.name}"] = _loss


def _weighted_mean(values, masks, sample_weight):
    """Return the mean over all pixels of weight times value."""
    if sample_weight is not None:
        values = values * _pixels.pixel_weights(sample_weight, masks)
    return keras.ops.mean(values)


def _one_hot_and_weights(y_true, y_pred, sample_weight):
    """Return one-hot masks, probabilities, and weights (N, H, W, 1) or None."""
    masks, probabilities = _pixels.masks_and_probabilities(y_true, y_pred)
    truth = _pixels.one_hot(masks, probabilities)
    if sample_weight is None:
        return truth, probabilities, None
    return truth, probabilities, _pixels.pixel_weights(sample_weight, masks)[..., None]


def _value(loss, y_true, y_pred, sample_weight):
    """Return one of several losses as one number."""
    if sample_weight is None:
        return keras.ops.mean(loss(y_true, y_pred))
    if isinstance(loss, _PixelLoss):
        return loss(y_true, y_pred, sample_weight)
    masks, probabilities = _pixels.masks_and_probabilities(y_true, y_pred)
    weights = _pixels.pixel_weights(sample_weight, masks)
    if isinstance(loss, keras.losses.Loss):
        return keras.ops.mean(loss(masks, probabilities, weights))
    values = keras.ops.convert_to_tensor(loss(masks, probabilities))
    if len(values.shape) != len(masks.shape):
        name = getattr(loss, "__name__", type(loss).__name__)
        raise ValueError(
            f"{name} returns the shape {tuple(values.shape)}, so its pixels cannot be weighted: "
            "let it return one value per pixel, in the masks' shape, or leave sample_weight out."
        )
    return keras.ops.mean(values * weights)
