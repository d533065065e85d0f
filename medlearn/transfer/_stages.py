"""Which weights may learn: none, or those from a named block of the encoder on."""

from difflib import get_close_matches

from medlearn._keras import keras


def freeze(model: keras.Model) -> keras.Model:
    """Hold every weight of a model still, nested layers and BatchNorm statistics included; returns the model.

    Compile afterwards: Keras reads the flags then.
    """
    check_model(model)
    _let_learn(model, False)
    return model


def unfreeze(model: keras.Model, from_: str) -> keras.Model:
    """Let everything from the encoder's block or layer `from_` on learn, the head included; returns the model.

    What lies before it is held still, whatever it was, and so are all BatchNorm layers of the encoder: their
    statistics were learned from a million images, a batch of yours would spoil them, and `training=False` in the
    call does not prevent it. `from_`: a layer's name, a block (`"block_12"` begins with its first convolution), or the
    encoder's own name for all of it. Compile afterwards, or nothing changes. Raises ValueError, with the nearest
    names, for one that is unknown.
    Source: Howard & Ruder 2018 (arXiv:1801.06146), gradual unfreezing; keras-team/keras#20285 for BatchNorm.
    """
    check_model(model)
    encoder, first = _find(model, from_)
    _let_learn(model, True)
    for index, layer in enumerate(encoder.layers):
        layer.trainable = index >= first and not isinstance(layer, keras.layers.BatchNormalization)
    return model


def _let_learn(layer: keras.layers.Layer, whether: bool) -> None:
    """Set `trainable` here and on all layers inside, one by one.

    `model.trainable = True` is not enough: TensorFlow skips an assignment that changes nothing, and then the layers
    inside keep what they had.
    """
    layer.trainable = whether
    for part in getattr(layer, "layers", ()):
        _let_learn(part, whether)


def check_model(model) -> None:
    """Raise ValueError unless this is a network (or a layer of one)."""
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"model is {type(model).__name__}, but a Keras model is needed; networks.classifier and backbones.load "
            "give one."
        )


def encoders(model: keras.Model) -> list[keras.Model]:
    """The models inside a model that hold weights: the encoder, in all networks of this course."""
    return [layer for layer in model.layers if isinstance(layer, keras.Model) and layer.weights]


def _find(model: keras.Model, from_: str) -> tuple[keras.Model, int]:
    """The encoder that holds `from_`, and the position there of its first layer; a flat model is its own encoder."""
    found = encoders(model) or [model]
    for encoder in found:
        if from_ == encoder.name:
            return encoder, 0
        for index, layer in enumerate(encoder.layers):
            if layer.name == from_ or layer.name.startswith(f"{from_}_"):
                return encoder, index
    names = [layer.name for encoder in found for layer in encoder.layers]
    near = get_close_matches(str(from_), names, n=3, cutoff=0.4) or names[-3:]
    hint = (
        ""
        if found != [model]
        else " It holds no encoder either: networks.classifier puts one inside."
    )
    raise ValueError(
        f"{model.name} has no block or layer {from_!r}; do you mean {' or '.join(near)}?{hint}"
    )
