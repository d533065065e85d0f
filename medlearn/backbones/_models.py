"""Architectures: EfficientNet-Lite, and those of `keras.applications` with preprocessing inside.

Every model is flat and functional, takes RGB images of 0 to 255, and is made of public Keras layers
only: any layer can be used by its name, and a saved model opens without medlearn.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from medlearn._keras import keras


@dataclass(frozen=True)
class Scaling:
    """The numbers in which one EfficientNet-Lite differs from another."""

    width: float
    depth: float
    size: int
    dropout: float


LITE = {
    "efficientnet_lite0": Scaling(1.0, 1.0, 224, 0.2),
    "efficientnet_lite1": Scaling(1.0, 1.1, 240, 0.2),
    "efficientnet_lite2": Scaling(1.1, 1.2, 260, 0.3),
}
# repeats, kernel, stride, expansion, channels: table 1 of Tan & Le 2019, arXiv:1905.11946
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class _Block:
    kernel: int
    stride: int
    expansion: int
    channels: int


def efficientnet_lite(
    name: str, *, head: bool = False, size: int | None = None, seed: int = 0
) -> keras.Model:
    """Return an EfficientNet-Lite with random weights.

    This is EfficientNet without squeeze-and-excitation, with ReLU6 and with stem and top of fixed
    width. Blocks end in layers called `block_0`, `block_1`, ...; the other names are those of
    Keras' EfficientNet. Stochastic depth is left out: it changes training only.

    Parameters
    ----------
    name : str
        A key of `LITE`.
    head : bool
        Whether to add the classifier of the 1,000 ImageNet classes.
    size : int, optional
        Side of the square input in pixels; by default any.
    seed : int
        Random seed of the dropout in the head.

    References
    ----------
    Tan & Le 2019, arXiv:1905.11946, and the "lite" configuration of its published code.
    """
    layers = keras.layers
    images = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(images)
    x = _normalised(x, "stem", _convolution(32, 3, 2, "stem_conv"))
    for number, block in enumerate(_blocks(LITE[name])):
        x = _inverted_residual(x, f"block_{number}", block)
    x = _normalised(x, "top", _convolution(1280, 1, 1, "top_conv"))
    if head:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(LITE[name].dropout, seed=seed, name="top_dropout")(x)
        x = layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(images, x, name=name)


def _blocks(scaling: Scaling) -> Iterator[_Block]:
    """All blocks in order; the first and the last stage are not made deeper."""
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
        if 0 < stage < len(_STAGES) - 1:
            repeats = math.ceil(repeats * scaling.depth)
        for repeat in range(repeats):
            first_stride = stride if repeat == 0 else 1
            yield _Block(kernel, first_stride, expansion, _eightfold(channels * scaling.width))


def _eightfold(channels: float) -> int:
    """The nearest multiple of eight that loses no more than a tenth of the channels."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def _inverted_residual(x, name: str, block: _Block):
    layers = keras.layers
    entry, channels = x, x.shape[-1]
    if block.expansion != 1:
        expand = _convolution(channels * block.expansion, 1, 1, f"{name}_expand_conv")
        x = _normalised(x, f"{name}_expand", expand)
    depthwise = layers.DepthwiseConv2D(
        block.kernel,
        block.stride,
        "same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
        depthwise_initializer=_initializer(),
    )
    x = _normalised(x, f"{name}_depthwise", depthwise)
    x = _convolution(block.channels, 1, 1, f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_bn")(x)
    if block.stride == 1 and channels == block.channels:
        return layers.Add(name=name)([entry, x])
    return layers.Identity(name=name)(x)


def _normalised(x, name: str, convolution):
    """A convolution, a BatchNormalization and a ReLU6."""
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(convolution(x))
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(x)


def _convolution(channels: int, kernel: int, stride: int, name: str):
    return keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        "same",
        use_bias=False,
        name=name,
        kernel_initializer=_initializer(),
    )


def _initializer():
    return keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


# name in keras.applications, and the convention of its `preprocess_input`
APPLICATIONS = {
    "vgg16": ("VGG16", "caffe"),
    "resnet50": ("ResNet50", "caffe"),
    "mobilenet_v2": ("MobileNetV2", "tf"),
    "efficientnet_v2_b0": ("EfficientNetV2B0", "inside"),
    "densenet121": ("DenseNet121", "torch"),
}


def application(
    name: str, *, head: bool = False, size: int | None = None, weights: str | None = None
) -> keras.Model:
    """Return a model of `keras.applications` that takes images of 0 to 255.

    Parameters
    ----------
    name : str
        A key of `APPLICATIONS`; the layers keep the names that Keras gives them.
    head : bool
        Whether to add the classifier of the 1,000 ImageNet classes.
    size : int, optional
        Side of the square input in pixels; by default any.
    weights : {"imagenet"}, optional
        Given to Keras: None for random weights, "imagenet" for its download.
    """
    builder, convention = APPLICATIONS[name]
    if name == "vgg16" and head and size is None:
        size = 224  # its dense layers fix the size; all other heads pool first
    images = keras.Input((size, size, 3), name="image")
    model = getattr(keras.applications, builder)(
        include_top=head, weights=weights, input_tensor=preprocess(images, convention)
    )
    return keras.Model(images, model.output, name=name)


def preprocess(images: keras.KerasTensor, convention: str) -> keras.KerasTensor:
    """Do as layers what `preprocess_input` does in each convention.

    Parameters
    ----------
    images : keras.KerasTensor, shape (N, H, W, 3)
        RGB of 0 to 255.
    convention : {"tf", "torch", "caffe", "inside"}
        As in `APPLICATIONS`.
    """
    layers = keras.layers
    if convention == "tf":  # to -1 .. 1
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(images)
    if convention == "torch":  # mean and standard deviation of the channels over ImageNet
        return layers.Normalization(
            mean=[255 * mean for mean in (0.485, 0.456, 0.406)],
            variance=[(255 * deviation) ** 2 for deviation in (0.229, 0.224, 0.225)],
            name="normalization",
        )(images)
    if convention == "caffe":  # blue first, minus ImageNet's mean colour
        return layers.Normalization(
            mean=[103.939, 116.779, 123.68], variance=[1.0, 1.0, 1.0], name="normalization"
        )(keras.ops.flip(images, axis=-1))
    return images  # it has its own preprocessing layers
