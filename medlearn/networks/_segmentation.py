"""An image in, a class for every pixel out: a U-Net on a borrowed encoder, and its predictions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _files
from medlearn._keras import keras
from medlearn.networks import views as _views
from medlearn.networks._encoders import PROBE_SIDE, cut, map_shapes, skip_layers
from medlearn.networks._normalisation import GroupNormalization
from medlearn.networks._resizing import ResizeLike


def segmenter(
    encoder: keras.Model,
    classes: int,
    *,
    layers: Sequence[str] | None = None,
    size: int | tuple[int, int] | None = None,
    channels: int = 16,
    detail: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Build a U-Net: down through the encoder and up in steps, each joined by the encoder's map.

    The encoder is a layer of the model, under its own name, and shares its weights with the one
    given. The decoder has group instead of batch normalisation, so small batches do no harm and no
    statistics drift. The probabilities are computed in float32 under every precision.

    Parameters
    ----------
    encoder : keras.Model
        A model of images 0 to 255, (N, H, W, 3), as `backbones.load` gives it. Its stride need not
        divide the sides of the images.
    classes : int
        Number of classes, the background included, at least 2.
    layers : sequence of str, optional
        Names of the encoder's layers to join, one for each resolution; None for `skip_layers`.
    size : int or tuple of int, optional
        Side of the images or (height, width) in pixels, at least 32; None for the encoder's. If the
        encoder takes images of any size, so does the segmenter then; sides that are multiples of
        the encoder's stride, 32 as a rule, suit it best. Weights fit models of all sizes. To an
        encoder built for a larger size the images are shown enlarged: slower, and often better.
    channels : int
        Channels of the decoder at full resolution, at least 4; half as many again at each step
        down.
    detail : bool
        Also join the image itself at full resolution, which thin structures need. Without effect
        if the encoder has a map of that resolution.
    seed : int
        Draws the decoder's weights.

    Returns
    -------
    keras.Model
        Images in, probabilities float32 (N, H, W, classes) out.

    Raises
    ------
    ValueError
        For an unknown layer, two layers of one resolution, a size that is too small, and arguments
        out of range.

    References
    ----------
    Ronneberger, Fischer & Brox 2015 (arXiv:1505.04597), U-Net.
    Wu & He 2018 (arXiv:1803.08494), group normalisation.
    """
    _checks.whole_number("classes", classes, 2)
    _checks.whole_number("channels", channels, 4)
    names = skip_layers(encoder) if layers is None else fine_to_coarse(encoder, layers)
    sides, encoder_sides = _sides(encoder, size)
    image = keras.Input((*sides, encoder.input_shape[3]), name="image")
    enlarged = image
    if sides != encoder_sides:
        enlarged = keras.layers.Resizing(*encoder_sides, name="enlarge")(image)
    *maps, x = keras.tree.flatten(cut(encoder, names)(enlarged))
    ratios = _ratios(encoder, names, [*maps, x], sides)
    strides = ratios if sides != encoder_sides else _powers_of_two(ratios)
    targets = list(maps)
    if detail and (not maps or ratios[0] > 1):
        scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="detail_scaling")(image)
        maps = [_convolve(scaled, channels, 3, "detail", seed), *maps]
        targets = [image, *targets]
        strides = [1.0, *strides]
    for number in range(1, len(maps) + 1):
        skip, target = maps[-number], targets[-number]
        step_channels = _step_channels(channels, strides[-1 - number])
        x = _step_up(x, skip, target, f"step_{number}", step_channels, seed + 10 * number)
    return keras.Model(
        image, _probabilities(x, classes, image, seed), name=f"{encoder.name}_segmenter"
    )


def segment(
    model: keras.Model,
    images: ArrayLike,
    views: Sequence[tuple[int, bool]] = _views.DIHEDRAL[:1],
    batch_size: int = 32,
) -> np.ndarray:
    """Return a segmenter's class probabilities for each pixel, averaged over views of the images.

    Parameters
    ----------
    model : keras.Model
        A segmenter.
    images : array_like, shape (N, H, W, 3)
        0 to 255, uint8 or float, in the size that the model takes.
    views : sequence of (int, bool)
        Quarter turns and whether left and right are swapped first, of each view; by default the
        image alone. `views.DIHEDRAL` averages all eight (test-time augmentation).
    batch_size : int
        Images per batch, at least 1.

    Returns
    -------
    numpy.ndarray, shape (N, H, W, classes)
        Probabilities, float32; each view's answer was turned back before the mean.

    Raises
    ------
    ValueError
        For images of another size, type or range, and quarter turns of images that are not square.
    """
    checked = _checks.images(images, model)
    _checks.whole_number("batch_size", batch_size, 1)
    _views.check_views(checked, views)
    total = np.zeros((), np.float32)
    for view in views:
        probabilities = _predict(model, _views.turn(checked, *view), batch_size)
        total = total + _views.turn_back(probabilities, *view)
    return total / np.float32(len(views))


def _predict(model, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Predict in batches of one size: TensorFlow would compile anew for a smaller last one."""
    batches = -(-len(images) // batch_size)
    batch_size = -(-len(images) // batches)
    padding = images[:1].repeat(batches * batch_size - len(images), axis=0)
    padded = np.concatenate([images, padding])
    return model.predict(padded, batch_size=batch_size, verbose=0)[: len(images)]


def _step_up(x, skip, target, name: str, channels: int, seed: int):
    """Squeeze, enlarge to the target's size, which is the skip's, join the skip and convolve.

    Where the skip is made of the image, the image is the target: so models of all sizes have their
    layers in one order, by which Keras stores weights.
    """
    x = _convolve(x, channels, 1, f"{name}_squeeze", seed + 1)
    x = _resized(x, target, f"{name}_up")
    if skip.shape[-1] > channels:
        skip = _convolve(skip, channels, 1, f"{name}_skip", seed + 2)
    x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
    return _convolve(x, channels, 3, f"{name}_decode", seed + 3)


def _resized(x, target, name: str, dtype=None):
    """Resize maps to the height and width of others, which may be unknown before the images."""
    sides = target.shape[1:3]
    if None in sides:
        return ResizeLike(dtype=dtype, name=name)([x, target])
    return keras.layers.Resizing(*sides, dtype=dtype, name=name)(x)


def _ratios(encoder, names, maps, sides) -> list[float]:
    """Return how many pixels of the image a step in each map is, from the height of both."""
    if None not in sides:
        return [sides[0] / tensor.shape[1] for tensor in maps]
    shapes = map_shapes(encoder)
    return [PROBE_SIDE / shapes[name][0] for name in names]


def _powers_of_two(ratios: list[float]) -> list[float]:
    """Return strides that are the same for all sizes: the encoder rounds odd sides up."""
    return [float(2 ** round(np.log2(ratio))) for ratio in ratios]


def _step_channels(channels: int, stride: float) -> int:
    """Return a multiple of four, the size of a group."""
    return 4 * round(channels * 1.5 ** max(np.log2(stride), 0) / 4)


def _convolve(x, channels: int, kernel: int, name: str, seed: int):
    he = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(
        channels, kernel, padding="same", use_bias=False, kernel_initializer=he, name=f"{name}_conv"
    )(x)
    x = GroupNormalization(channels // 4, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _probabilities(x, classes: int, image, seed: int):
    """Class scores, enlarged to the image, and their softmax, all in float32."""
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv2D(
        int(classes), 1, kernel_initializer=glorot, dtype="float32", name="head"
    )(x)
    if None in image.shape[1:3] or x.shape[1:3] != image.shape[1:3]:
        x = _resized(x, image, "resize", "float32")
    return keras.layers.Softmax(dtype="float32", name="probabilities")(x)


def fine_to_coarse(encoder: keras.Model, layers: Sequence[str]) -> list[str]:
    """Return the named layers from fine to coarse.

    Parameters
    ----------
    encoder : keras.Model
        A model of images.
    layers : sequence of str
        One layer for each resolution.

    Raises
    ------
    ValueError
        For an unknown layer, and two of one resolution.
    """
    shapes = map_shapes(encoder)
    for name in layers:
        if name not in shapes:
            raise ValueError(_files.unknown("map", name, shapes, encoder.name))
    heights = {name: shapes[name][0] for name in layers}
    if not heights or len(set(heights.values())) < len(layers):
        rows = ", ".join(map(str, heights.values()))
        raise ValueError(
            f"layers={list(layers)!r} have maps of {rows} rows; name one layer for each resolution."
        )
    return sorted(heights, key=heights.__getitem__, reverse=True)


def _sides(encoder: keras.Model, size) -> tuple[tuple, tuple]:
    """Return (height, width) of the images, None for any, and as the encoder is shown them."""
    built = tuple(encoder.input_shape[1:3])
    sides = _height_and_width(size) if size is not None else built
    if size is None and None in sides:
        return (None, None), (None, None)
    if len(sides) != 2 or min(sides) < 32:
        raise ValueError(
            f"size={size!r} is not a side in pixels, at least 32, nor a (height, width) of such."
        )
    encoder_sides = sides if None in built else built
    if encoder_sides[0] < sides[0] or encoder_sides[1] < sides[1]:
        raise ValueError(
            f"{encoder.name} was built for {' x '.join(map(str, built))} pixels, fewer than "
            f"size={size!r}: load it with size={max(sides)}."
        )
    return sides, encoder_sides


def _height_and_width(size) -> tuple[int, ...]:
    if isinstance(size, int | np.integer):
        return (int(size), int(size))
    return tuple(map(int, size))
