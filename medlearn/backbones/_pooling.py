"""From what a layer gives to one vector per image: a mean, or the class token of a transformer."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from medlearn._keras import keras, tf
from medlearn.backbones._tokens import PatchMap, Tokens

TOKENS = ("patches", "class", "both")


class Pooled(NamedTuple):
    """A layer, None for the encoder's output, and how its output becomes a vector."""

    layer: str | None
    how: str  # a key of POOLINGS


def _mean(maps):
    return tf.reduce_mean(maps, range(1, len(maps.shape) - 1))


def _patches(tokens):
    return tf.reduce_mean(tokens[:, 1:], 1)


def _class(tokens):
    return tokens[:, 0]


def _both(tokens):
    return tf.concat([_class(tokens), _patches(tokens)], 1)


POOLINGS: dict[str, Callable] = {"mean": _mean, "patches": _patches, "class": _class, "both": _both}


def pooled(encoder: keras.Model, taps: Sequence[str | None], tokens: str) -> list[Pooled]:
    """Return how each layer's output becomes one vector per image.

    Parameters
    ----------
    encoder : keras.Model
        A functional model.
    taps : sequence of str or None
        Names of its layers; None is its output.
    tokens : {"patches", "class", "both"}
        What becomes the vector of a layer that gives tokens.

    Raises
    ------
    ValueError
        For another word, and for a class token of a layer that has none.
    """
    if tokens not in TOKENS:
        raise ValueError(f"tokens={tokens!r} is not one of {', '.join(map(repr, TOKENS))}.")
    return [_pooled(encoder, tap, tokens) for tap in taps]


def _pooled(encoder: keras.Model, tap: str | None, tokens: str) -> Pooled:
    if _gives_tokens(encoder, tap):
        return Pooled(tap, tokens)
    if tokens == "patches":
        return Pooled(tap, "mean")
    layer = _layer(encoder, tap)
    if isinstance(layer, PatchMap):  # the tokens that it makes a map of
        return Pooled(layer.input[0]._keras_history.operation.name, tokens)
    name = encoder.name if tap is None else f"The layer {tap!r} of {encoder.name}"
    raise ValueError(f"{name} has no class token: leave tokens='patches', the mean over its map.")


def _gives_tokens(encoder: keras.Model, tap: str | None) -> bool:
    is_transformer = any(isinstance(layer, Tokens) for layer in encoder.layers)
    output = encoder.outputs[0] if tap is None else encoder.get_layer(tap).output
    return is_transformer and len(getattr(output, "shape", ())) == 3


def _layer(encoder: keras.Model, tap: str | None):
    if tap is not None:
        return encoder.get_layer(tap)
    return encoder.outputs[0]._keras_history.operation
