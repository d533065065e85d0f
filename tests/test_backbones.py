"""Architectures and weights against independent computations; no network is used."""

import importlib.util
import itertools
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from medlearn import backbones
from medlearn._keras import keras, tf
from medlearn.backbones import _models, _pretrained

LITE, APPLICATIONS = tuple(_models.LITE), tuple(_models.APPLICATIONS)
SLOW = pytest.mark.slow


def square(image, size):
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    image = image[top : top + side, left : left + side]
    return resize(image, (size, size), anti_aliasing=True, preserve_range=True).astype(np.float32)


@pytest.fixture(scope="module")
def photographs():
    functions = data.chelsea, data.coffee, data.rocket, data.astronaut
    return np.stack([square(photograph(), 224) for photograph in functions])


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def lite0():
    return backbones.load("efficientnet_lite0", head=True)


def log_probabilities(model, images):
    return np.log(model(images, training=False).numpy())


def expect_equal(model, reference):
    for weight, expected in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


# --- the pretrained networks ----------------------------------------------------------------------

# Differences of logits (log-probabilities minus that of class 0) of classes 1, 282, ..., 967.
CLASSES = [1, 282, 450, 560, 657, 967]
STORED = [
    [2.085, 9.691, 0.513, 1.153, 0.565, 0.839],
    [0.052, 0.080, -0.396, 0.357, -0.433, 10.705],
    [-0.020, 0.724, -0.223, -1.574, 7.058, -0.950],
    [1.028, 1.197, 8.178, 7.794, 2.871, 2.454],
]


def test_four_photographs_are_recognised_with_the_logits_of_the_original(lite0, photographs):
    """ImageNet: 281, 282, 285 are cats; 967 espresso; 657 missile; 450, 560, 573 suits, helmets.

    Stored once from this architecture, when its logits agreed with the PyTorch original within
    1.1e-5.
    """
    values = log_probabilities(lite0, photographs)
    top5 = np.argsort(-values)[:, :5]
    assert set(top5[0, :3]) == {282, 285, 281}
    assert top5[1, 0] == 967 and top5[2, 0] == 657
    assert {560, 450, 573} <= set(top5[3])
    np.testing.assert_allclose(values[:, CLASSES] - values[:, :1], STORED, atol=2e-3)


@pytest.mark.parametrize(
    "name", [LITE[0], pytest.param(LITE[1], marks=SLOW), pytest.param(LITE[2], marks=SLOW)]
)
def test_a_plain_numpy_network_computes_the_same(name, noise):
    """The oracle shares no code with ours: it follows the arrays of the file by their names."""
    logits = numpy_lite(_pretrained.read_package(name), noise[0])
    values = log_probabilities(backbones.load(name, head=True), noise[:1])[0]
    np.testing.assert_allclose(values, logits - np.log(np.exp(logits).sum()), atol=2e-3)


def numpy_lite(arrays, image):
    """Logits of one image of 0-255."""

    def convolve(x, kernel, stride, depthwise=False):
        size = kernel.shape[-1]
        total = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in x.shape[:2]]
        x = np.pad(x, [(t // 2, t - t // 2) for t in total] + [(0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))
        windows = windows[::stride, ::stride]
        if depthwise:
            return np.einsum("hwcij,cij->hwc", windows, kernel[:, 0], optimize=True)
        return np.einsum("hwcij,ocij->hwo", windows, kernel, optimize=True)

    def norm(x, name):
        mean, variance = arrays[f"{name}.running_mean"], arrays[f"{name}.running_var"]
        scaled = (x - mean) / np.sqrt(variance + 1e-3)
        return scaled * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    def relu6(x):
        return np.clip(x, 0, 6)

    x = relu6(norm(convolve((image - 127.0) / 128, arrays["_conv_stem.weight"], 2), "_bn0"))
    widths, block = [], 0
    while (name := f"_blocks.{block}.") + "_project_conv.weight" in arrays:
        entry, depthwise = x, arrays[name + "_depthwise_conv.weight"]
        widths.append(arrays[name + "_project_conv.weight"].shape[0])
        stage = sum(a != b for a, b in itertools.pairwise(widths))
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


def test_taps_name_the_ends_of_the_blocks_and_the_final_map(lite0, noise):
    assert backbones.taps(lite0) == (*(f"block_{i}" for i in range(16)), "top_activation")
    assert lite0.get_layer("block_14").output.shape[-1] == 192
    encoder = backbones.load("efficientnet_lite0")
    assert encoder.output.shape == (None, None, None, 1280)
    part = keras.Model(lite0.input, lite0.get_layer("top_activation").output)
    np.testing.assert_array_equal(encoder(noise), part(noise))
    with pytest.raises(ValueError, match="no layers named like"):
        backbones.taps(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))


@pytest.mark.parametrize("name", APPLICATIONS)
def test_preprocessing_is_that_of_keras(name, noise):
    builder, convention = _models.APPLICATIONS[name]
    images = keras.Input((None, None, 3))
    outputs = keras.layers.Identity()(_models.preprocess(images, convention))
    preprocessed = keras.Model(images, outputs)(noise)
    module = sys.modules[getattr(keras.applications, builder).__module__]
    expected = module.preprocess_input(noise.astype(np.float32))
    np.testing.assert_allclose(preprocessed, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "vgg16" else SLOW) for name in APPLICATIONS]
)
def test_the_first_layer_sees_what_it_sees_in_keras(name, noise):
    builder = getattr(keras.applications, _models.APPLICATIONS[name][0])
    plain = builder(include_top=False, weights=None, input_shape=(64, 64, 3))
    encoder = backbones.load(name, weights=None, seed=3)
    first = next(layer.name for layer in encoder.layers if hasattr(layer, "kernel"))
    plain.get_layer(first).set_weights(encoder.get_layer(first).get_weights())
    to_first = keras.Model(encoder.input, encoder.get_layer(first).output)
    plain_to_first = keras.Model(plain.input, plain.get_layer(first).output)
    preprocess = sys.modules[builder.__module__].preprocess_input
    expected = plain_to_first(preprocess(noise.astype(np.float32)))
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(to_first(noise), expected, rtol=1e-4, atol=tolerance)
    np.testing.assert_array_equal(to_first(noise), to_first(noise.astype(np.float32)))


@SLOW
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


# --- other sources of weights ---------------------------------------------------------------------


def test_random_weights_depend_on_the_seed_alone():
    model = _models.efficientnet_lite("efficientnet_lite0")

    def drawn(global_seed, seed):
        keras.utils.set_random_seed(global_seed)
        _pretrained.randomise(model, seed)
        return [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]

    first, again, other = drawn(1, seed=5), drawn(2, seed=5), drawn(2, seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_without_network_one_sentence_names_the_ways_out(monkeypatch):
    patience = []

    def fail(*args, weights, **kwargs):
        patience.append(socket.getdefaulttimeout())
        raise Exception("URL fetch failure: Name or service not known")

    monkeypatch.setattr(keras.applications, "ResNet50", fail)
    before = socket.getdefaulttimeout()
    with pytest.raises(ConnectionError, match=r"resnet50 .*efficientnet_lite0, .*weights=None"):
        backbones.load("resnet50")
    assert patience == [5] and socket.getdefaulttimeout() == before


def test_the_file_that_keras_downloads_is_read(tmp_path):
    plain = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))
    plain.save(tmp_path / "downloaded.h5")
    expect_equal(backbones.load("vgg16", weights=tmp_path / "downloaded.h5"), plain)


def test_own_weights_are_saved_and_loaded_and_those_of_another_model_are_refused(tmp_path):
    fine_tuned = backbones.load("efficientnet_lite0", weights=None, seed=1)
    path = tmp_path / "mine.weights.h5"
    fine_tuned.save_weights(path)
    expect_equal(backbones.load("efficientnet_lite0", weights=str(path)), fine_tuned)
    other, damaged = tmp_path / "other.weights.h5", tmp_path / "damaged.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(other)
    damaged.write_bytes(b"not a file of weights")
    for file in (other, damaged):
        message = f"{file.name} does not hold the weights of efficientnet_lite0 without"
        with pytest.raises(ValueError, match=message):
            _pretrained.load_file(fine_tuned, file)
    with pytest.raises(FileNotFoundError, match="There is no weights file"):
        backbones.load("vgg16", weights=tmp_path / "nowhere.h5")


def test_a_torch_file_by_path(lite0):
    package, file, _ = _pretrained.PACKAGES["efficientnet_lite0"]
    path = Path(importlib.util.find_spec(package).origin).parent / file
    expect_equal(backbones.load("efficientnet_lite0", weights=path, head=True), lite0)
    message = "does not hold the weights of efficientnet_lite1 without its ImageNet head"
    with pytest.raises(ValueError, match=message):
        backbones.load("efficientnet_lite1", weights=path)


# --- the catalogue --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "efficientnet_lite0" else SLOW)
        for name in (*LITE, *APPLICATIONS)
    ],
)
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


@SLOW
def test_operations_are_counted_as_tensorflow_counts_them():
    model = backbones.load("efficientnet_lite0", weights=None, size=64)
    graph_of = tf.function(lambda images: model(images, training=False))
    graph = graph_of.get_concrete_function(tf.TensorSpec((1, 64, 64, 3))).graph
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    options = options.with_empty_output().build()
    count = profiler.profile(graph, options=options).total_float_ops
    # TensorFlow also counts what is not a product
    assert 1 <= count / backbones.flops(model) < 1.06


def test_the_published_multiply_adds_of_well_known_networks():
    """Without head: VGG16 15.3 G (Simonyan & Zisserman), ResNet50 3.8 G (He), MobileNetV2 0.3 G."""
    multiply_adds = backbones.table().gflops[["vgg16", "resnet50", "mobilenet_v2"]] / 2
    np.testing.assert_allclose(multiply_adds, [15.3, 3.8, 0.3], rtol=0.02)


def test_mistakes_are_answered_with_what_to_do():
    misspelt = "no backbone 'efficientnet-lite-0'; do you mean 'efficientnet_lite0'"
    with pytest.raises(ValueError, match=misspelt):
        backbones.load("efficientnet-lite-0")
    with pytest.raises(ValueError, match="do you mean 'vgg16'"):
        backbones.load("VGG")
    for size in (16, 64.0):
        with pytest.raises(ValueError, match="size must be a whole number of at least 32"):
            backbones.load("vgg16", size=size)
    with pytest.raises(ValueError, match="depend on the image size"):
        backbones.flops(_models.efficientnet_lite("efficientnet_lite0"))
