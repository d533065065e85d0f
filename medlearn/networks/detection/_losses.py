"""The losses of a detector: one for the centres of objects, one for their boxes."""

from medlearn._keras import keras, tf

_registered = keras.saving.register_keras_serializable("medlearn")


@_registered
def heatmap_loss(centres: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
    """Focal loss of the heatmap of centres: near misses cost less, easy background next to nothing.

    Computed in float32 under every precision.

    Parameters
    ----------
    centres : tensor, shape (N, h, w, classes)
        Targets of `encode_targets`: 1 at a centre, falling around it.
    logits : tensor, shape (N, h, w, classes)
        The detector's output ``"centres"``.

    Returns
    -------
    tensor, shape (N,)
        float32; the mean over the batch is the sum over all cells divided by the number of objects.

    References
    ----------
    Law & Deng 2018 (arXiv:1808.01244), eq. 1.
    """
    centres = tf.cast(centres, tf.float32)
    logits = tf.cast(logits, tf.float32)
    is_centre = tf.cast(centres > 1 - 1e-4, tf.float32)
    p = tf.sigmoid(logits)
    at_centres = is_centre * (1 - p) ** 2 * tf.math.log_sigmoid(logits)
    elsewhere = (1 - is_centre) * (1 - centres) ** 4 * p**2 * tf.math.log_sigmoid(-logits)
    sums = tf.reduce_sum(at_centres + elsewhere, (1, 2, 3))
    return -_per_object(sums, tf.reduce_sum(is_centre))


@_registered
def box_loss(targets: "tf.Tensor", sides: "tf.Tensor") -> "tf.Tensor":
    """Return 1 - GIoU of each cell's box with the box of its object, each object weighted equally.

    Computed in float32 under every precision.

    Parameters
    ----------
    targets : tensor, shape (N, h, w, 5)
        Targets of `encode_targets`: four distances in pixels, and a weight that is 0 where the cell
        belongs to no object.
    sides : tensor, shape (N, h, w, 4)
        The detector's output ``"sides"``.

    Returns
    -------
    tensor, shape (N,)
        float32; the mean over the batch is the mean over the objects in it.

    References
    ----------
    Rezatofighi et al. 2019 (arXiv:1902.09630).
    """
    targets = tf.cast(targets, tf.float32)
    sides = tf.cast(sides, tf.float32)
    true_sides = targets[..., :4]
    weight = targets[..., 4]
    intersection = _area(tf.minimum(true_sides, sides))
    enclosing = _area(tf.maximum(true_sides, sides))
    union = _area(true_sides) + _area(sides) - intersection
    iou = intersection / tf.maximum(union, 1e-6)
    giou = iou - (enclosing - union) / tf.maximum(enclosing, 1e-6)
    return _per_object(tf.reduce_sum(weight * (1 - giou), (1, 2)), tf.reduce_sum(weight))


def _area(sides):
    return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])


def _per_object(sums, objects):
    """Scale the sums (N,) of the images so that their mean is the sum of all for each object."""
    return sums * tf.cast(tf.shape(sums)[0], tf.float32) / tf.maximum(objects, 1.0)
