"""What the builders of this room ask of an encoder: images as input, maps, where to cut it."""

from collections.abc import Sequence

from medlearn import _files, _keras
from medlearn._keras import keras

PROBE_SIDE = 256  # pixels; at this side the shapes of an encoder for any size are worked out


def check_encoder(encoder: keras.Model) -> None:
    """Raise ValueError unless the encoder is a built model of images, (N, H, W, channels)."""
    if not isinstance(encoder, keras.Model):
        raise ValueError(
            f"The encoder is {type(encoder).__name__}, but a model of images is needed: "
            "backbones.load gives one."
        )
    inputs = getattr(encoder, "inputs", None)
    if not inputs:
        raise ValueError(
            f"{encoder.name} ({type(encoder).__name__}) does not say what goes in: build it from "
            "keras.Input((height, width, 3)), as a Functional or Sequential model."
        )
    if len(inputs) > 1 or len(inputs[0].shape) != 4:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs)
        raise ValueError(
            f"{encoder.name} takes {shapes}, but a model of images (N, height, width, channels) is "
            "needed: backbones.load gives one."
        )


def cut(encoder: keras.Model, names: Sequence[str]) -> keras.Model:
    """Return the encoder up to some of its layers, under its own name; the weights are shared.

    Parameters
    ----------
    encoder : keras.Model
        A model of images.
    names : sequence of str
        The layers whose outputs the result gives, as a list in this order.

    Raises
    ------
    ValueError
        For a name that is not one of the encoder's layers, or is a model inside it.
    """
    outputs = [_own_layer(encoder, name).output for name in names]
    return keras.Model(encoder.inputs[0], outputs, name=encoder.name)


def copy_up_to(encoder: keras.Model, layer: str) -> keras.Model:
    """Return a copy of an encoder that ends at a layer and has weights of its own.

    Training the copy leaves the encoder as it is. The copy has the encoder's name.

    Parameters
    ----------
    encoder : keras.Model
        A model of images, as `backbones.load` gives it.
    layer : str
        The last layer of the copy.

    Raises
    ------
    ValueError
        For a name that is not one of the encoder's layers.

    Examples
    --------
    >>> encoder = backbones.load("efficientnet_lite0")  # doctest: +SKIP
    >>> networks.copy_up_to(encoder, "block_14").output_shape  # doctest: +SKIP
    (None, 7, 7, 192)
    """
    check_encoder(encoder)
    part = cut(encoder, [layer])
    return _keras.copied(keras.Model(part.inputs[0], part.outputs[0], name=encoder.name))


def _own_layer(encoder: keras.Model, name: str):
    for layer in encoder.layers:
        if layer.name == name and not isinstance(layer, keras.Model):
            return layer
        names_inside = _names_inside(layer)
        if name in names_inside:
            raise ValueError(
                f"{name!r} belongs to the model {layer.name!r} inside {encoder.name}; give "
                f"{layer.name!r} itself as the encoder, and use its layers."
            )
    names = [layer.name for layer in encoder.layers]
    raise ValueError(_files.unknown("layer", name, names, encoder.name))


def _names_inside(layer) -> set[str]:
    """Return the names of a nested model and all its layers; of another layer, nothing."""
    if not isinstance(layer, keras.Model):
        return set()
    return {layer.name, *(leaf.name for leaf in _keras.leaves(layer))}


def map_shapes(encoder: keras.Model) -> dict[str, tuple[int, int, int]]:
    """Return height, width and channels of each layer's map, from input to output.

    For an encoder of any size they are those at `PROBE_SIDE` pixels.
    """
    check_encoder(encoder)
    outputs = {layer.name: layer.output for layer in encoder.layers if _gives_a_map(layer)}
    if None in encoder.input_shape[1:3] and outputs:
        probe = keras.KerasTensor((1, PROBE_SIDE, PROBE_SIDE, encoder.input_shape[3]))
        outputs = keras.Model(encoder.inputs[0], outputs).compute_output_spec(probe)
    return {name: tuple(output.shape[1:]) for name, output in outputs.items()}


def _gives_a_map(layer) -> bool:
    if isinstance(layer, keras.Model | keras.layers.InputLayer):
        return False
    return len(getattr(layer.output, "shape", ())) == 4


def skip_layers(encoder: keras.Model) -> tuple[str, ...]:
    """Return the last layer at each resolution of an encoder: where a U-Net takes its maps from.

    Maps that are only the image, rescaled or padded, do not count. Works on every model of
    `backbones` and `keras.applications`, with or without its head, and on a part of one.

    Parameters
    ----------
    encoder : keras.Model
        A model of images.

    Returns
    -------
    tuple of str
        Names of layers, from fine to coarse.

    Raises
    ------
    ValueError
        For a model without maps.
    """
    shapes = map_shapes(encoder)
    side = encoder.input_shape[1] or PROBE_SIDE
    names: dict[int, str] = {}
    finest = 0
    for name, (height, _, channels) in reversed(shapes.items()):
        level = _level(height, side)
        # Maps coarser than a later one are squeezed (1 x 1): they only weigh a finer map.
        if level is not None and channels > encoder.input_shape[3] and height >= finest:
            finest = height
            names.setdefault(level, name)
    if not names:
        raise ValueError(
            f"{encoder.name} has no layer that gives maps (N, h, w, channels) at a half, a quarter "
            "and so on of the image's side: load a convolutional backbone, without its head."
        )
    return tuple(names[level] for level in sorted(names))


def _level(height: int, side: int) -> int | None:
    """Return how often a side was halved; None for a padded map, a pixel or two larger."""
    for level in range(7):
        if height in (side >> level, -(-side >> level)):
            return level
    return None
