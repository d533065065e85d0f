"""Which weights may learn: none, or those from a named block of the encoder to the head."""

from medlearn import _files, _keras
from medlearn._keras import keras


def freeze(model: keras.Model) -> keras.Model:
    """Freeze every weight of a model, nested layers and BatchNorm statistics included.

    Compile afterwards: Keras reads the flags then.

    Parameters
    ----------
    model : keras.Model
        A model, or a layer of one; it is changed.

    Returns
    -------
    keras.Model
        The same model.

    Raises
    ------
    ValueError
        For what is not a model.
    """
    check_model(model)
    _set_trainable(model, False)
    return model


def unfreeze(model: keras.Model, from_: str) -> keras.Model:
    """Let a model learn from a block of its encoder to the head, and freeze what is before.

    All BatchNorm layers of the encoder stay frozen: their statistics were learned from a million
    images and a batch of yours would spoil them; ``training=False`` in the call does not prevent
    it. Models inside models are followed to any depth. Compile afterwards, or nothing changes.

    Parameters
    ----------
    model : keras.Model
        A model with an encoder inside, or without one: then the model is its own encoder. It is
        changed.
    from_ : str
        The name of a layer, of a block (``"block_12"`` begins with its first convolution), or of
        the encoder, for all of it.

    Returns
    -------
    keras.Model
        The same model.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest ones, and for what is not a model.

    References
    ----------
    Howard & Ruder 2018 (arXiv:1801.06146), gradual unfreezing; keras-team/keras#20285 for
    BatchNorm.
    """
    check_model(model)
    encoder, first = find(model, from_)
    _set_trainable(model, True)
    for index, layer in enumerate(_keras.leaves(encoder)):
        _set_trainable(layer, index >= first)
    for norm in _keras.batchnorms(encoder):
        norm.trainable = False
    return model


def check_model(model) -> None:
    """Raise ValueError unless this is a network (or a layer of one)."""
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"model is {type(model).__name__}, but a Keras model is needed; networks.classifier "
            "and backbones.load give one."
        )


def encoders(model: keras.Model) -> list[keras.Model]:
    """Return the models right inside a model that hold weights, such as its encoder.

    A model inside a wrapper, such as keras.layers.TimeDistributed, counts too.
    """
    return [part for part in _keras.parts(model) if _keras.parts(part) and part.weights]


def _set_trainable(layer: keras.layers.Layer, value: bool) -> None:
    """Set `trainable` on a layer and all layers inside, one by one.

    ``model.trainable = True`` is not enough: an assignment that changes nothing is skipped, and
    then the layers inside keep what they had.
    """
    layer.trainable = value
    for part in _keras.parts(layer):
        _set_trainable(part, value)


def find(model: keras.Model, from_: str) -> tuple[keras.Model, int]:
    """Return the encoder that holds a name, and the index of the name's first leaf in it.

    Parameters
    ----------
    model : keras.Model
        With an encoder inside, or its own encoder.
    from_ : str
        As in `unfreeze`.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest ones.
    """
    candidates = encoders(model) or [model]
    for encoder in candidates:
        index = 0 if from_ == encoder.name else _leaves_before(encoder, from_)
        if index is not None:
            return encoder, index
    hint = ""
    if candidates == [model]:
        hint = " It holds no encoder either: networks.classifier puts one inside."
    names = [name for encoder in candidates for name in _names(encoder)]
    raise ValueError(_files.unknown("block or layer", from_, names, model.name) + hint)


def _leaves_before(model, from_: str) -> int | None:
    """Return how many leaves of a model come before a block or layer; None if it is not there."""
    count = 0
    for part in _keras.parts(model):
        if part.name == from_ or part.name.startswith(f"{from_}_"):
            return count
        inside = _leaves_before(part, from_)
        if inside is not None:
            return count + inside
        count += len(_keras.leaves(part)) if _keras.parts(part) else 1
    return None


def _names(layer) -> list[str]:
    """Return the names of all layers inside a model, at any depth."""
    names = []
    for part in _keras.parts(layer):
        names += [part.name, *_names(part)]
    return names
