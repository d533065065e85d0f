"""Vision transformers: images become patches, patches become tokens, and tokens look at each other.

Dosovitskiy et al. 2021, arXiv:2010.11929; with the layer scale of DINOv2 (Oquab et al. 2024,
arXiv:2304.07193). The models are flat and functional: each step of a block is a layer that can be
used by its name, and `block_0`, `block_1`, ... are the tokens at the end of each block.
"""

from dataclasses import dataclass

from medlearn._keras import keras
from medlearn.backbones._models import preprocess
from medlearn.backbones._tokens import Attention, LayerScale, Patches, PatchMap, Tokens


@dataclass(frozen=True)
class Plan:
    """The numbers in which one vision transformer differs from another."""

    patch: int  # pixels, the side of a patch
    side: int  # patches, the side of the table of positions
    channels: int
    heads: int
    blocks: int


TRANSFORMERS = {"dinov2_small": Plan(patch=14, side=37, channels=384, heads=6, blocks=12)}
_NORM_EPSILON = 1e-6


def vision_transformer(
    name: str, plan: Plan, *, size: int | None = None, seed: int = 0
) -> keras.Model:
    """Return a vision transformer with random weights, which gives the map of its patches.

    Parameters
    ----------
    name : str
        Name of the model.
    plan : Plan
        Its numbers.
    size : int, optional
        Side of the square input in pixels, a multiple of the patch's; by default any.
    seed : int
        Random seed of the class token and the positions; the kernels are drawn by `randomise`.

    Returns
    -------
    keras.Model
        Takes RGB images (N, size, size, 3) of 0 to 255. Returns float32 (N, size / patch,
        size / patch, channels). The layer `norm` holds all tokens, (N, 1 + patches, channels), the
        class token first.
    """
    images = keras.Input((size, size, 3), name="image")
    patches = Patches(plan.channels, plan.patch, plan.patch, name="patches")
    patch_map = patches(preprocess(images, "torch"))
    x = Tokens(plan.side, seed=seed, name="tokens")(patch_map)
    for number in range(plan.blocks):
        x = _block(x, f"block_{number}", plan)
    x = keras.layers.LayerNormalization(epsilon=_NORM_EPSILON, name="norm")(x)
    return keras.Model(images, PatchMap(name="map")([x, patch_map]), name=name)


def _block(x, name: str, plan: Plan):
    """Attention between tokens, then two dense layers for each token; both are added to it."""
    layers = keras.layers
    y = layers.LayerNormalization(epsilon=_NORM_EPSILON, name=f"{name}_norm_1")(x)
    parts = ("query", "key", "value")
    vectors = [layers.Dense(plan.channels, name=f"{name}_{part}")(y) for part in parts]
    y = Attention(plan.heads, name=f"{name}_attention")(vectors)
    y = layers.Dense(plan.channels, name=f"{name}_project")(y)
    x = layers.Add(name=f"{name}_attended")([x, LayerScale(name=f"{name}_scale_1")(y)])
    y = layers.LayerNormalization(epsilon=_NORM_EPSILON, name=f"{name}_norm_2")(x)
    y = layers.Dense(4 * plan.channels, "gelu", name=f"{name}_expand")(y)
    y = layers.Dense(plan.channels, name=f"{name}_reduce")(y)
    return layers.Add(name=name)([x, LayerScale(name=f"{name}_scale_2")(y)])
