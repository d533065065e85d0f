"""An image in, boxes out: a one-stage detector without anchors on a borrowed encoder."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks._encoders import PROBE_SIDE, check_encoder, cut, map_shapes
from medlearn.networks.detection import STRIDE, decode

# Probability of an object in a cell before any training (Lin et al. 2017, arXiv:1708.02002).
_PRIOR = 0.01
_FINE, _COARSE = 8, 16  # pixels of the image per cell of the two maps
# Which of the four sides (top, left, bottom, right) is which after a flip of these axes.
_SIDES_AFTER_FLIP = {(): [0, 1, 2, 3], (1,): [2, 1, 0, 3], (2,): [0, 3, 2, 1]}


def detector(
    encoder: keras.Model,
    classes: int,
    *,
    layers: tuple[str, str] | None = None,
    channels: int = 96,
    seed: int = 0,
) -> keras.Model:
    """Build a detector of objects on an encoder's maps at 1/8 and 1/16 of the image's side.

    The encoder is a layer of the model, under its own name, and shares its weights with the one
    given. The outputs are computed in float32 under every precision.

    Parameters
    ----------
    encoder : keras.Model
        A model of images 0 to 255, (N, H, W, 3), as `backbones.load` gives it.
    classes : int
        Number of classes, at least 1; there is no background class.
    layers : tuple of str, optional
        Names of the fine and the coarse map; None for the last ones of their size.
    channels : int
        Channels of the decoder, at least 1.
    seed : int
        Draws the decoder's weights.

    Returns
    -------
    keras.Model
        Images in, H and W multiples of 16; a dict of two maps out. ``"centres"``, of shape (N,
        H/8, W/8, classes), holds logits. ``"sides"``, of shape (N, H/8, W/8, 4), holds distances
        in pixels from a cell's middle to the top, left, bottom and right of its object.
        `networks.detection` has the targets and losses.

    Raises
    ------
    ValueError
        For an encoder without such maps, and arguments out of range.
    """
    _checks.whole_number("classes", classes, 1)
    _checks.whole_number("channels", channels, 1)
    part = _two_maps(encoder, layers)
    first = 100 * seed
    image = keras.Input(encoder.input_shape[1:], name="image")
    fine, coarse = part(image)
    x = _convolve(coarse, channels, 1, "coarse", first)
    x = keras.layers.UpSampling2D(2, interpolation="bilinear", name="up")(x)
    x = keras.layers.Concatenate(name="both")([x, _convolve(fine, channels, 1, "fine", first + 1)])
    x = _convolve(x, channels, 3, "mixed", first + 2)
    where = _convolve(x, channels, 3, "where", first + 3)
    centres = _head(where, int(classes), -np.log(1 / _PRIOR - 1), "centres", first + 4)
    size = _convolve(x, channels, 3, "size", first + 5)
    sides = _head(size, 4, 1.0, "raw_sides", first + 6)
    sides = keras.layers.Activation("softplus", dtype="float32", name="above_zero")(sides)
    sides = keras.layers.Rescaling(2.0 * STRIDE, dtype="float32", name="sides")(sides)
    return keras.Model(image, {"centres": centres, "sides": sides}, name=f"{encoder.name}_detector")


def detect(
    model: keras.Model,
    images: ArrayLike,
    *,
    score_threshold: float = 0.05,
    iou_threshold: float = 0.5,
    max_detections: int = 100,
    flips: bool = False,
    batch_size: int = 16,
) -> list[np.ndarray]:
    """Return the boxes that a detector finds in each image, best first.

    Parameters
    ----------
    model : keras.Model
        A model that `detector` built.
    images : array_like, shape (N, H, W, 3)
        0 to 255, uint8 or float; H and W multiples of 16.
    score_threshold : float
        Lowest score that is reported, 0 to 1.
    iou_threshold : float
        Intersection over union, 0 to 1, above which the weaker of two boxes of a class goes.
    max_detections : int
        Boxes per image that are reported at most.
    flips : bool
        Average over the image, its mirror image and its upside-down image: thrice the time.
    batch_size : int
        Images per batch.

    Returns
    -------
    list of numpy.ndarray, N arrays of shape (k, 6)
        [y0, x0, y1, x1, class, score] in pixels.

    Raises
    ------
    ValueError
        For images of several sizes, of another shape, type or range, and a model that is no
        detector.
    """
    images = _checks.images(images, model)
    if images.shape[1] % _COARSE or images.shape[2] % _COARSE:
        raise ValueError(
            f"Images are (N, height, width, 3) with sides that are multiples of {_COARSE}, not "
            f"{images.shape}; boxes.resize_with_padding resizes them."
        )
    flipped_axes = [(), (2,), (1,)] if flips else [()]
    outputs = [_predict_flipped(model, images, axes, batch_size) for axes in flipped_axes]
    centres = np.mean([output["centres"] for output in outputs], axis=0)
    sides = np.mean([output["sides"] for output in outputs], axis=0)
    return [
        decode(
            centres[index],
            sides[index],
            images.shape[1:3],
            score_threshold=score_threshold,
            iou_threshold=iou_threshold,
            max_detections=max_detections,
        )
        for index in range(len(images))
    ]


def _predict_flipped(model, images: np.ndarray, axes: tuple[int, ...], batch_size: int) -> dict:
    """Return probabilities and sides for the flipped images, flipped back."""
    outputs = model.predict(np.flip(images, axes), batch_size=batch_size, verbose=0)
    if not isinstance(outputs, dict) or not {"centres", "sides"} <= set(outputs):
        raise ValueError(
            "This model does not give centres and sides; networks.detector makes one that does."
        )
    probabilities = 1 / (1 + np.exp(-outputs["centres"]))
    sides = np.flip(outputs["sides"], axes)[..., _SIDES_AFTER_FLIP[axes]]
    return {"centres": np.flip(probabilities, axes), "sides": sides}


def _convolve(x, channels: int, kernel: int, name: str, seed: int):
    he = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(
        channels, kernel, padding="same", use_bias=False, kernel_initializer=he, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=name)(x)


def _head(x, channels: int, bias: float, name: str, seed: int):
    return keras.layers.Conv2D(
        channels,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
        name=name,
    )(x)


def _two_maps(encoder: keras.Model, layers: Sequence[str] | None) -> keras.Model:
    """Return the encoder up to its maps at 1/8 and 1/16 of the image's side."""
    check_encoder(encoder)
    strides = _strides(encoder)
    if layers is None:
        layers = (_last(encoder, strides, _FINE), _last(encoder, strides, _COARSE))
    for name, stride in zip(layers, (_FINE, _COARSE), strict=True):
        if strides.get(name) != stride:
            held = f"is at 1/{strides[name]}" if name in strides else "is not a layer with a map"
            raise ValueError(
                f"{name!r} {held} of {encoder.name}, but the detector needs a map at 1/{stride}; "
                "layers=None finds one."
            )
    return cut(encoder, layers)


def _strides(encoder: keras.Model) -> dict[str, int]:
    """Return, for each layer with a map, how many pixels of the image a cell of it is wide."""
    shapes = map_shapes(encoder)
    side = encoder.input_shape[1] or PROBE_SIDE
    return {name: side // height for name, (height, _, _) in shapes.items() if height}


def _last(encoder: keras.Model, strides: dict[str, int], stride: int) -> str:
    names = [name for name in strides if strides[name] == stride]
    if not names:
        raise ValueError(
            f"{encoder.name} has no map at 1/{stride} of the image's side, which the detector "
            "needs; choose another backbone."
        )
    return names[-1]
