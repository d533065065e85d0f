"""Architectures: EfficientNet-Lite, and those of `keras.applications` with their preprocessing built in.

Every model is flat and Functional, takes RGB images of 0 to 255, and is made of public Keras layers only, so that
any layer can be tapped by name and a saved model opens without medlearn.
"""

import math
from dataclasses import dataclass

from medlearn._keras import keras


@dataclass(frozen=True)
class Scaling:
    """What tells one EfficientNet-Lite from another."""

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


def efficientnet_lite(
    name: str, *, head: bool = False, size: int | None = None, seed: int = 0
) -> keras.Model:
    """EfficientNet-Lite: EfficientNet without squeeze-and-excitation, with ReLU6, stem and top of fixed width.

    The blocks end in layers called `block_0`, `block_1`, ...; the other names are those of Keras' EfficientNet.
    Stochastic depth is left out: it changes training only. Weights are random until they are assigned.
    Source: Tan & Le 2019 (arXiv:1905.11946) and the "lite" configuration of its published code.
    """
    layers, scaling = keras.layers, LITE[name]
    images = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(images)
    x = _convolve(
        x,
        "stem",
        layers.Conv2D(
            32, 3, 2, "same", use_bias=False, name="stem_conv", kernel_initializer=_initializer()
        ),
    )
    for number, (kernel, stride, expansion, channels) in enumerate(_blocks(scaling)):
        x = _inverted_residual(x, f"block_{number}", kernel, stride, expansion, channels)
    x = _convolve(x, "top", _pointwise(1280, "top_conv"))
    if head:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(scaling.dropout, seed=seed, name="top_dropout")(x)
        x = layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(images, x, name=name)


def _blocks(scaling: Scaling):
    """Kernel, stride, expansion and channels of every block; the first and last stage are not deepened."""
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
        if 0 < stage < len(_STAGES) - 1:
            repeats = math.ceil(repeats * scaling.depth)
        for repeat in range(repeats):
            yield (
                kernel,
                stride if repeat == 0 else 1,
                expansion,
                _eightfold(channels * scaling.width),
            )


def _eightfold(channels: float) -> int:
    """The nearest multiple of eight that loses no more than a tenth of the channels."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def _inverted_residual(x, name: str, kernel: int, stride: int, expansion: int, channels: int):
    layers, entry, before = keras.layers, x, x.shape[-1]
    if expansion != 1:
        x = _convolve(x, f"{name}_expand", _pointwise(before * expansion, f"{name}_expand_conv"))
    x = _convolve(
        x,
        f"{name}_depthwise",
        layers.DepthwiseConv2D(
            kernel,
            stride,
            "same",
            use_bias=False,
            name=f"{name}_depthwise_conv",
            depthwise_initializer=_initializer(),
        ),
    )
    x = _pointwise(channels, f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_bn")(x)
    if stride == 1 and before == channels:
        return layers.Add(name=name)([entry, x])
    return layers.Identity(name=name)(x)


def _convolve(x, name: str, convolution):
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(convolution(x))
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(x)


def _pointwise(channels: int, name: str):
    return keras.layers.Conv2D(
        channels, 1, use_bias=False, name=name, kernel_initializer=_initializer()
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
    name: str, *, head: bool = False, size: int | None = None, weights=None
) -> keras.Model:
    """A model of `keras.applications` that takes images of 0 to 255; Keras' own layer names are kept.

    `weights` goes to Keras as it is: None for random ones, "imagenet" for the download.
    """
    builder, convention = APPLICATIONS[name]
    if name == "vgg16" and head and size is None:
        size = 224  # its dense layers fix the size; all other heads pool first
    images = keras.Input((size, size, 3), name="image")
    built = getattr(keras.applications, builder)(
        include_top=head, weights=weights, input_tensor=_preprocess(images, convention)
    )
    return keras.Model(images, built.output, name=name)


def _preprocess(images, convention: str):
    """What `preprocess_input` of each model does, as layers."""
    layers = keras.layers
    if convention == "tf":  # to -1 .. 1
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(images)
    if convention == "torch":  # the channels' mean and deviation over ImageNet
        mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        return layers.Normalization(
            mean=[255 * m for m in mean],
            variance=[(255 * d) ** 2 for d in deviation],
            name="normalization",
        )(images)
    if convention == "caffe":  # blue first, minus ImageNet's mean colour
        return layers.Normalization(
            mean=[103.939, 116.779, 123.68], variance=[1.0, 1.0, 1.0], name="normalization"
        )(keras.ops.flip(images, axis=-1))
    return images  # it has its own preprocessing layers
