"""The decoder of a segmenter by itself, so that it learns from stored maps of a frozen encoder."""

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._keras import keras


def decoder(model: keras.Model) -> keras.Model:
    """Return the decoder of a segmenter, with the weights that the segmenter uses.

    While the encoder is frozen its maps of an image do not change. So compute them once, and let
    the decoder learn from them: a step of training is quicker, and the segmenter has learned, too.

        maps = networks.encoder_maps(model, images)
        decoder = networks.decoder(model)
        decoder.compile("adam", networks.losses.cross_entropy)
        decoder.fit(maps, masks)
        probabilities = networks.segment(model, new_images)

    Parameters
    ----------
    model : keras.Model
        A segmenter of images that `segmenter` built.

    Returns
    -------
    keras.Model
        The images, 0 to 255, and the encoder's maps of them in, as a list; probabilities float32
        (N, H, W, classes) out.

    Raises
    ------
    ValueError
        For a model that does not hold one encoder.
    """
    return keras.Model([model.inputs[0], *_maps(model)], model.outputs[0], name="decoder")


def encoder_maps(
    model: keras.Model, images: ArrayLike, *, batch_size: int = 32, dtype: str = "float32"
) -> list[np.ndarray]:
    """Return what the decoder of a segmenter takes: images, and the encoder's maps of them.

    Parameters
    ----------
    model : keras.Model
        A segmenter of images that `segmenter` built.
    images : array_like, shape (N, H, W, 3)
        0 to 255, uint8 or float, in the size that the model takes.
    batch_size : int
        Images per step, at least 1.
    dtype : str
        Type of the results; float16 halves the memory.

    Returns
    -------
    list of numpy.ndarray
        The images (N, H, W, 3), then maps (N, h, w, channels) from fine to coarse.

    Raises
    ------
    ValueError
        For images of another size, type or range, and a model that does not hold one encoder.
    """
    checked = _checks.images(images, model)
    _checks.whole_number("batch_size", batch_size, 1)
    encode = keras.Model(model.inputs[0], _maps(model))
    results = [checked.astype(dtype)]
    results += [np.empty((len(checked), *maps.shape[1:]), dtype) for maps in encode.outputs]
    for start in range(0, len(checked), batch_size):
        rows = slice(start, start + batch_size)
        outputs = keras.tree.flatten(encode(checked[rows], training=False))
        for result, maps in zip(results[1:], outputs, strict=True):
            result[rows] = keras.ops.convert_to_numpy(maps)
    return results


def _maps(model: keras.Model) -> list:
    """Return the tensors that leave the encoder inside a segmenter."""
    encoders = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if len(encoders) != 1:
        raise ValueError(
            f"{model.name} holds {len(encoders)} encoders, but networks.segmenter puts exactly one "
            "into a model: give such a model, and for volumes use volumes.slice_maps."
        )
    return keras.tree.flatten(encoders[0]._inbound_nodes[0].output_tensors)
