"""A frozen encoder of images with a decoder in three dimensions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks._encoders import check_encoder, cut, skip_layers
from medlearn.networks._segmentation import fine_to_coarse
from medlearn.networks.volumes._layers import ImagesAsSlices, convolve, probabilities
from medlearn.networks.volumes._slices import check_slices, to_images
from medlearn.networks.volumes._unet import check_channels

_LAYERS = 4  # finest resolutions that are joined unless layers are named: strides 2 to 16
_WIDEST = 64  # channels of the decoder


def segmenter(
    encoder: keras.Model,
    classes: int,
    *,
    size: int | tuple[int, int, int],
    layers: Sequence[str] | None = None,
    enlarge: int = 2,
    neighbours: bool = False,
    depth: int = 3,
    channels: int = 16,
    seed: int = 0,
) -> keras.Model:
    """Build a segmenter of volumes: an encoder looks at each slice, a 3-D decoder joins its maps.

    The encoder is a layer under its own name, shares its weights with the one given and is frozen.
    The decoder is the layer ``"decoder"``. It takes what `slice_maps` computes once, so it can
    learn alone, without a pass through the encoder at each step.

    Parameters
    ----------
    encoder : keras.Model
        A model of images of any size, 0 to 255, (N, H, W, 3), such as
        ``backbones.load("efficientnet_lite0")``.
    classes : int
        Number of classes, the background included, at least 2.
    size : int or tuple of int
        Slices, rows and columns of a patch; one number for all three. The stride of the coarsest
        map, counted in voxels, divides rows and columns.
    layers : sequence of str, optional
        Names of the encoder's layers to join, one for each resolution; None for the four finest of
        `skip_layers`.
    enlarge : int
        How many times larger the encoder is shown a slice. With 2, a map of stride two has one
        place for each voxel.
    neighbours : bool
        Whether the encoder sees the slices before and after as two of its three channels.
    depth : int
        Slices that a convolution of the decoder spans: 3, or 1 for a 2-D decoder, which draws each
        slice by itself.
    channels : int
        Channels of the decoder at full resolution, a multiple of 4; twice as many at each step
        down, but at most 64.
    seed : int
        Draws the decoder's weights.

    Returns
    -------
    keras.Model
        Volumes (N, Z, Y, X, 1), 0 to 255, in; probabilities float32 (N, Z, Y, X, classes) out.

    Raises
    ------
    ValueError
        For an unknown layer, two layers of one resolution, a size that does not fit, and arguments
        out of range.

    References
    ----------
    Çiçek et al. 2016 (arXiv:1606.06650), for the decoder.
    """
    classes = _checks.whole_number("classes", classes, 2)
    check_channels(channels)
    check_encoder(encoder)
    if depth not in (1, 3):
        raise ValueError(f"depth={depth!r} is not 3 (a 3-D decoder) or 1 (a 2-D decoder).")
    names = skip_layers(encoder)[:_LAYERS] if layers is None else fine_to_coarse(encoder, layers)
    sides = check_slices(size, enlarge)
    volume = keras.Input((*sides, 1), name="volume")
    part = cut(encoder, names)
    part.trainable = False
    images = part(to_images(volume, enlarge, neighbours))
    maps = {}
    for number, tensor in enumerate(keras.tree.flatten(images)):
        maps[f"maps_{number}"] = ImagesAsSlices(sides[0], name=f"maps_{number}")(tensor)
    if maps["maps_0"].shape[2] < sides[1]:
        maps = {"volume": volume, **maps}
    decoder = _decoder(maps, classes, channels, depth, seed)
    output = decoder(list(maps.values()))
    return keras.Model(volume, output, name=f"{encoder.name}_segmenter_3d")


def slice_maps(
    model: keras.Model, patches: ArrayLike, *, batch_size: int = 4, dtype: str = "float16"
) -> list[np.ndarray]:
    """Return what the decoder of a `segmenter` takes: the encoder's maps of the slices of patches.

        maps = slice_maps(model, patches)
        decoder = model.get_layer("decoder")
        decoder.fit(maps, masks)               # the model has learned, too

    Parameters
    ----------
    model : keras.Model
        A segmenter of volumes that `segmenter` built.
    patches : array_like, shape (N, Z, Y, X) or (N, Z, Y, X, 1)
        Patches of volumes, 0 to 255.
    batch_size : int
        Patches per step.
    dtype : str
        Type of the results; float16 halves the memory.

    Returns
    -------
    list of numpy.ndarray
        The maps from fine to coarse, (N, Z, y, x, channels); before them the patches themselves,
        if the finest maps are coarser than the voxels.
    """
    patches = np.asarray(patches, "float32").reshape(-1, *model.input_shape[1:])
    names = [tensor.name for tensor in model.get_layer("decoder").inputs]
    encode = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])
    results = [np.empty((len(patches), *maps.shape[1:]), dtype) for maps in encode.outputs]
    for start in range(0, len(patches), batch_size):
        rows = slice(start, start + batch_size)
        for result, maps in zip(results, encode.predict_on_batch(patches[rows]), strict=True):
            result[rows] = maps
    return results


def _decoder(maps, classes: int, channels: int, depth: int, seed: int) -> keras.Model:
    """From maps, fine to coarse, to probabilities; the finest may be the volume itself."""
    inputs = [keras.Input(tensor.shape[1:], name=name) for name, tensor in maps.items()]
    slices, kernel = inputs[0].shape[1], (depth, 3, 3)
    joined = inputs if depth > 1 else [_in_parts(tensor, 1) for tensor in inputs]
    skips = [_scaled(tensor) if tensor.shape[-1] == 1 else tensor for tensor in joined]
    widths = [min(_WIDEST, channels * 2**level) for level in range(len(skips))]
    x = convolve(skips[-1], widths[-1], kernel, "bottom", seed)
    for number in range(1, len(skips)):
        level = len(skips) - 1 - number
        step_seed, width = seed + 10 * number, widths[level]
        x = _step_up(x, skips[level], f"step_{number}", width, kernel, step_seed, norm=level > 0)
    output = probabilities(x, classes, seed)
    return keras.Model(inputs, _in_parts(output, slices) if depth == 1 else output, name="decoder")


def _in_parts(volumes, slices: int):
    """Volumes (N, Z, ...) as volumes of so many slices each; one slice is normalised by itself."""
    return keras.ops.reshape(volumes, (-1, slices, *volumes.shape[2:]))


def _scaled(volume):
    return keras.layers.Rescaling(1 / 64, offset=-2.0, name="scaling")(volume)


def _step_up(x, skip, name: str, channels: int, kernel, seed: int, norm: bool):
    """Squeeze, enlarge rows and columns, join the skip and convolve."""
    factors = _factors(skip, x)
    x = convolve(x, channels, 1, f"{name}_squeeze", seed + 1, norm=False)
    x = keras.layers.UpSampling3D((1, *factors), name=f"{name}_up")(x)
    if skip.shape[-1] > channels:
        skip = convolve(skip, channels, 1, f"{name}_skip", seed + 2, norm=False)
    x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
    return convolve(x, channels, kernel, f"{name}_decode", seed + 3, norm=norm)


def _factors(fine, coarse) -> tuple[int, int]:
    """By how much rows and columns of maps are multiplied to reach the finer ones."""
    (rows, columns), small = fine.shape[2:4], coarse.shape[2:4]
    factors = rows // small[0], columns // small[1]
    if (small[0] * factors[0], small[1] * factors[1]) != (rows, columns):
        raise ValueError(
            f"Maps of {rows} x {columns} places are followed by {small[0]} x {small[1]}: give rows "
            "and columns that the encoder can halve each time, such as multiples of 16."
        )
    return factors
