"""An image in, a class for every pixel out: a U-Net on a borrowed encoder."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from medlearn._keras import keras

_IMAGE_CHANNELS = 3


def segmenter(
    encoder: keras.Model,
    classes: int,
    *,
    layers: Sequence[str] | None = None,
    size: int | tuple[int, int] | None = None,
    width: int = 16,
    detail: bool = True,
    seed: int = 0,
) -> keras.Model:
    """A U-Net: down through the encoder, up again in steps, and at each step the encoder's map of that resolution.

    Images 0 to 255 (N, H, W, 3) go in, the probabilities of `classes` for each pixel (N, H, W, classes) come out. The
    encoder is a layer of the model, under its own name, and shares its weights with the one given. `layers`: names of
    the encoder's layers to take, one a resolution; None for those of `skips`. `size`: side of the images or (height,
    width), None for the encoder's; an encoder built for a larger size is shown enlarged images, which costs time and
    sees more. The encoder's stride need not divide the sides. `width`: channels at full resolution, half as much again
    at each step down. `detail`: also look at the image itself in full resolution, which thin structures need; idle if
    the encoder has a map of it. `seed` draws the decoder's weights. The decoder has group instead of batch
    normalisation, so small batches do no harm and no statistics drift. Raises ValueError for an unknown layer, two of
    one resolution, a size that is missing or too small, fewer than two classes, or a width below 4.
    Source: Ronneberger, Fischer & Brox 2015 (arXiv:1505.04597); Wu & He 2018 (arXiv:1803.08494).
    """
    _check(classes, width)
    names = skips(encoder) if layers is None else _by_resolution(encoder, layers)
    sides, seen = _sides(encoder, size)
    image = keras.Input((*sides, _IMAGE_CHANNELS), name="image")
    part = keras.Model(
        encoder.input, [encoder.get_layer(name).output for name in names], name=encoder.name
    )
    *maps, x = keras.tree.flatten(
        part(image if sides == seen else keras.layers.Resizing(*seen, name="enlarge")(image))
    )
    if detail and (not maps or maps[0].shape[1] < sides[0]):
        scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="detail_scaling")(image)
        maps = [_convolve(scaled, width, 3, "detail", seed), *maps]
    for number, skip in enumerate(reversed(maps), start=1):
        x = _step_up(
            x,
            skip,
            f"step_{number}",
            _channels(width, sides[0] / skip.shape[1]),
            seed + 10 * number,
        )
    glorot = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Conv2D(int(classes), 1, kernel_initializer=glorot, name="head")(x)
    x = x if x.shape[1:3] == sides else keras.layers.Resizing(*sides, name="resize")(x)
    return keras.Model(
        image, keras.layers.Softmax(name="probabilities")(x), name=f"{encoder.name}_segmenter"
    )


def _step_up(x, skip, name: str, channels: int, seed: int):
    """Squeeze, enlarge to the size of the encoder's map, join it, and look at both."""
    x = _convolve(x, channels, 1, f"{name}_squeeze", seed + 1)
    x = keras.layers.Resizing(*skip.shape[1:3], name=f"{name}_up")(x)
    if skip.shape[-1] > channels:
        skip = _convolve(skip, channels, 1, f"{name}_skip", seed + 2)
    x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
    return _convolve(x, channels, 3, f"{name}_decode", seed + 3)


def _channels(width: int, stride: float) -> int:
    """A multiple of four, the size of a group."""
    return 4 * round(width * 1.5 ** max(np.log2(stride), 0) / 4)


def _convolve(x, channels: int, kernel: int, name: str, seed: int):
    he = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(
        channels, kernel, padding="same", use_bias=False, kernel_initializer=he, name=f"{name}_conv"
    )(x)
    x = keras.layers.GroupNormalization(channels // 4, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def skips(encoder: keras.Model) -> tuple[str, ...]:
    """The last layer at each resolution of an encoder, from fine to coarse: where a U-Net takes its maps from.

    Maps that are just the image, rescaled or padded, do not count. Works on every model of `backbones` and
    `keras.applications`, with or without its head, and on a part of one. Raises ValueError for a model without maps.
    """
    shapes, found, finest = _map_shapes(encoder), {}, 0
    side = encoder.input_shape[1] or _PROBE
    for name, (height, _, channels) in reversed(shapes.items()):
        level = next((k for k in range(7) if height in (side >> k, -(-side >> k))), None)
        # Not padded maps, which are a pixel or two larger, nor squeezed ones (1 x 1) that are used to weigh finer ones.
        if level is not None and channels > _IMAGE_CHANNELS and height >= finest:
            finest = height
            found.setdefault(level, name)
    if not found:
        raise ValueError(
            f"{encoder.name} has no layer that gives maps (N, h, w, channels): load a backbone, not its head."
        )
    return tuple(found[level] for level in sorted(found))


_PROBE = 256  # a side at which the shapes of an encoder for any size are worked out


def _map_shapes(encoder: keras.Model) -> dict[str, tuple[int, int, int]]:
    """Height, width and channels of each layer's map, in order."""
    if not isinstance(encoder, keras.Model) or len(encoder.input_shape or ()) != 4:
        raise ValueError(
            f"The encoder is {type(encoder).__name__}, but a model of images is needed: backbones.load gives one."
        )
    mapping = {
        layer.name: layer.output
        for layer in encoder.layers
        if len(getattr(layer.output, "shape", ())) == 4
    }
    if None in encoder.input_shape[1:3]:
        probe = keras.KerasTensor((1, _PROBE, _PROBE, encoder.input_shape[3]))
        mapping = keras.Model(encoder.input, mapping).compute_output_spec(probe)
    return {name: tuple(output.shape[1:]) for name, output in mapping.items()}


def _by_resolution(encoder: keras.Model, layers: Sequence[str]) -> list[str]:
    """The named layers from fine to coarse."""
    shapes = _map_shapes(encoder)
    for name in layers:
        if name not in shapes:
            near = get_close_matches(str(name), shapes, n=3, cutoff=0.4) or list(shapes)[-3:]
            raise ValueError(
                f"{encoder.name} has no map {name!r}; do you mean {' or '.join(near)}?"
            )
    heights = [shapes[name][0] for name in layers]
    if not heights or len(set(heights)) < len(heights):
        raise ValueError(
            f"layers={list(layers)!r} have maps of {', '.join(map(str, heights))} rows; name one layer a resolution."
        )
    return [name for _, name in sorted(zip(heights, layers), reverse=True)]


def _sides(encoder: keras.Model, size) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) of the images, and as the encoder sees them."""
    built = tuple(encoder.input_shape[1:3])
    sides = (
        built
        if size is None
        else (size, size)
        if isinstance(size, int | np.integer)
        else tuple(size)
    )
    if None in sides:
        raise ValueError(
            f"{encoder.name} takes images of any size, but a U-Net has to know: say size=128, or load the encoder with a size."
        )
    if len(sides) != 2 or min(sides) < 32:
        raise ValueError(
            f"size={size!r} is not a side in pixels, at least 32, nor a (height, width) of such."
        )
    seen = sides if None in built else built
    if seen[0] < sides[0] or seen[1] < sides[1]:
        raise ValueError(
            f"{encoder.name} was built for {' x '.join(map(str, built))} pixels, fewer than size={size!r}: load it with size={max(sides)}."
        )
    return tuple(map(int, sides)), seen


def _check(classes: int, width: int) -> None:
    if not isinstance(classes, int | np.integer) or classes < 2:
        raise ValueError(
            f"classes={classes!r} is not a number of at least 2, the background included; len(data.mask_classes) counts them."
        )
    if not isinstance(width, int | np.integer) or width < 4:
        raise ValueError(
            f"width={width!r} is the number of channels at full resolution, at least 4; try 16."
        )


def checked_masks(images, masks, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, 3) and masks uint8 (N, H, W) fit to train on: values 0 to classes - 1, sizes equal.

    Look once before training: inside a loss, an unknown value would silently belong to no class. Raises ValueError, one
    sentence that names the first image at fault.
    """
    images, masks = _of_one_size("images", images), _of_one_size("masks", masks)
    if not len(images):
        raise ValueError("There is no image, and so nothing to learn from: the array is empty.")
    if images.ndim != 4 or images.shape[-1] != _IMAGE_CHANNELS:
        raise ValueError(
            f"The images have the shape {images.shape}, but (N, H, W, 3) is expected: repeat a grey channel three times."
        )
    if images.shape[:3] != masks.shape:
        raise ValueError(
            f"The images have the shape {images.shape} and the masks {masks.shape}: give one mask an image, of the same size."
        )
    if masks.dtype.kind not in "biu":
        raise ValueError(
            f"The masks are {masks.dtype}, but whole numbers are expected, one class a pixel; round them knowingly."
        )
    unknown = (masks < 0) | (masks >= classes)
    if unknown.any():
        first = np.argwhere(unknown)[0]
        raise ValueError(
            f"Mask {first[0]} holds the value {masks[tuple(first)]} where classes 0 to {classes - 1} are known, in "
            f"{unknown.any((1, 2)).sum()} of {len(masks)} masks: map or drop such values first."
        )
    return images, masks.astype(np.uint8)


def _of_one_size(name: str, values) -> np.ndarray:
    if values is None:
        raise ValueError(
            f"There are no {name} (None): not every data set has them, its card says which do."
        )
    shapes = {np.shape(value)[:2] for value in values}
    if len(shapes) > 1:
        shown = " and ".join(" x ".join(map(str, shape)) for shape in sorted(shapes)[:2])
        raise ValueError(
            f"The {name} have different sizes, {shown} among them: crop or resize them to one size first."
        )
    return np.asarray(values)
