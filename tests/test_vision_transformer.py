"""Vision transformers: a plain NumPy network and ONNX Runtime say what they must compute."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from medlearn import backbones, features, networks, transfer
from medlearn._keras import keras
from medlearn.backbones import _catalogue, _dinov2, _pretrained, _tokens
from medlearn.backbones._vision_transformer import TRANSFORMERS, Plan, vision_transformer

SMALL = Plan(patch=4, side=5, channels=12, heads=3, blocks=2)
REFERENCE = Path(__file__).with_name("dinov2_reference.npz")


@pytest.fixture(scope="module")
def small():
    model = vision_transformer("small", SMALL, seed=1)
    _pretrained.randomise(model, 1)
    rng = np.random.default_rng(2)
    for layer in model.layers:  # no scale of 1, no bias of 0
        for variable in layer.weights:
            if len(variable.shape) == 1:
                variable.assign(variable + rng.uniform(-0.5, 0.5, variable.shape))
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 20, 28, 3)).astype(np.uint8)


# --- the network ----------------------------------------------------------------------------------


def numpy_tokens(model, image, positions):
    """All tokens at the end of a vision transformer, which shares no code with ours."""
    weights = {
        f"{layer.name}/{weight.name}": weight.numpy().astype(float)
        for layer in model.layers
        for weight in layer.weights
    }

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
        return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    def attention(x, name):
        query, key, value = (dense(x, f"{name}_{part}") for part in ("query", "key", "value"))
        width = x.shape[1] // SMALL.heads
        means = []
        for start in range(0, x.shape[1], width):
            head = slice(start, start + width)
            scores = np.exp(query[:, head] @ key[:, head].T / width**0.5)
            means.append(scores / scores.sum(1, keepdims=True) @ value[:, head])
        return dense(np.concatenate(means, 1), f"{name}_project")

    def gelu(x):
        return x * (1 + np.vectorize(__import__("math").erf)(x / 2**0.5)) / 2

    x = (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    rows, columns, patch = image.shape[0] // SMALL.patch, image.shape[1] // SMALL.patch, SMALL.patch
    x = x.reshape(rows, patch, columns, patch, 3).transpose(0, 2, 1, 3, 4)
    kernel = weights["patches/kernel"].reshape(-1, SMALL.channels)
    x = x.reshape(rows * columns, -1) @ kernel + weights["patches/bias"]
    x = np.concatenate([weights["tokens/class_token"], x]) + positions
    for block in range(SMALL.blocks):
        name = f"block_{block}"
        x = x + attention(norm(x, f"{name}_norm_1"), name) * weights[f"{name}_scale_1/scale"]
        y = gelu(dense(norm(x, f"{name}_norm_2"), f"{name}_expand"))
        x = x + dense(y, f"{name}_reduce") * weights[f"{name}_scale_2/scale"]
    return norm(x, "norm")


def test_a_plain_numpy_network_computes_the_same(small):
    square = np.random.default_rng(3).integers(0, 256, (1, 20, 20, 3)).astype(np.uint8)
    positions = small.get_layer("tokens").positions.numpy()
    expected = numpy_tokens(small, square[0], positions)
    tokens = keras.Model(small.input, small.get_layer("norm").output)(square)
    np.testing.assert_allclose(tokens[0], expected, atol=1e-4)
    np.testing.assert_allclose(small(square)[0].numpy().reshape(25, 12), expected[1:], atol=1e-4)


def test_positions_are_resized_by_cubic_convolution():
    """By hand, with the slope -0.75: 0.9433 at the distance 1/6, 0.1609 at 5/6, -0.0868 at 7/6."""
    down = [[0.9433 - 0.0868, 0.1609, -0.0174, 0.0], [-0.0938, 0.5938, 0.5938, -0.0938]]
    np.testing.assert_allclose(_tokens._cubic_weights(4, 3)[:2], down, atol=1e-4)
    up = _tokens._cubic_weights(4, 6).numpy()
    np.testing.assert_allclose(up.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(up, up[::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(_tokens._cubic_weights(4, 4), np.eye(4), atol=1e-6)


def test_it_takes_any_size_that_patches_divide(small, images):
    maps = small.predict(images, verbose=0)
    assert maps.shape == (3, 5, 7, 12)
    turned = small.predict(images.transpose(0, 2, 1, 3), verbose=0)
    assert turned.shape == (3, 7, 5, 12)
    with pytest.raises(ValueError, match="side of 18 pixels cannot be cut .* 16 or 20 pixels"):
        small(images[:, :18])
    fixed = vision_transformer("fixed", SMALL, size=20)
    fixed.set_weights(small.get_weights())
    square = images[:, :, :20]
    np.testing.assert_allclose(fixed(square), small(square), atol=1e-5)


def test_half_precision_gives_about_the_same(small, images):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = vision_transformer("half", SMALL)
    finally:
        keras.config.set_dtype_policy(policy)
    half.set_weights(small.get_weights())
    maps = np.asarray(keras.ops.cast(half(images), "float32"))
    np.testing.assert_allclose(maps, small(images), atol=0.3)


def test_random_weights_depend_on_the_seed_alone():
    drawn = []
    for global_seed, seed in ((1, 5), (2, 5), (2, 6)):
        keras.utils.set_random_seed(global_seed)
        model = vision_transformer("small", SMALL, seed=seed)
        _pretrained.randomise(model, seed)
        drawn.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(drawn[0], drawn[1], strict=True))
    assert not np.array_equal(drawn[0][0], drawn[2][0])
    positions = [index for index, weight in enumerate(drawn[0]) if weight.shape == (26, 12)]
    assert not np.array_equal(drawn[0][positions[0]], drawn[2][positions[0]])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, request):
    if "dinov2" not in request.fixturenames:
        monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))


# --- in the house ---------------------------------------------------------------------------------


def test_blocks_are_taps_and_can_be_frozen_and_unfrozen(small):
    assert backbones.taps(small) == ("block_0", "block_1", "map")
    model = networks.classifier(small, 3)
    assert model.output_shape == (None, 3)
    transfer.freeze(model)
    transfer.unfreeze(model, "block_1")
    learning = {weight.path.split("/")[-2] for weight in model.trainable_weights}
    assert "norm" in learning and "block_1_query" in learning
    assert not any(name.startswith(("block_0", "tokens", "patches")) for name in learning)
    rates = transfer.layerwise_rates(model)
    assert list(rates) == ["head", "norm", "block_1"]
    transfer.unfreeze(model, "small")


@pytest.mark.parametrize("layer", ["block_0", "norm", None])
def test_features_are_the_class_token_the_mean_of_patches_or_both(small, images, layer):
    all_tokens = keras.Model(small.input, small.get_layer(layer or "norm").output)(images).numpy()
    expected = {"class": all_tokens[:, 0], "patches": all_tokens[:, 1:].mean(1)}
    expected["both"] = np.concatenate([expected["class"], expected["patches"]], 1)
    for tokens, vectors in expected.items():
        for _ in range(2):  # the second time out of the cache
            extracted = features.extract(small, images, layer, tokens=tokens)
            np.testing.assert_allclose(extracted, vectors, atol=1e-4)
    np.testing.assert_allclose(
        features.extract(small, images, layer), expected["patches"], atol=1e-4
    )
    batches = features.stream(small, images, np.asarray, layer, tokens="both", batch_size=2)
    streamed = np.concatenate([vectors for _, vectors in batches])
    np.testing.assert_allclose(streamed, expected["both"], atol=1e-4)


def test_features_that_cannot_be_had_are_answered_with_what_to_do(small, images):
    with pytest.raises(ValueError, match="side of 18 pixels cannot be cut"):
        features.extract(small, images[:, :18])
    with pytest.raises(ValueError, match=r"tokens='mean' is not one of 'patches', 'class', 'both'"):
        features.extract(small, images, tokens="mean")
    with pytest.raises(ValueError, match="The layer 'patches' of small has no class token"):
        features.extract(small, images, "patches", tokens="class")
    with pytest.raises(ValueError, match="convolutional has no class token: leave tokens"):
        layers = [keras.Input((20, 28, 3)), keras.layers.Conv2D(2, 3)]
        model = keras.Sequential(layers, name="convolutional")
        features.extract(model, images, tokens="both")


def test_lora_on_queries_and_values_learns_and_is_seen_by_the_features(images):
    model = vision_transformer("small", SMALL, seed=1)
    transfer.freeze(model)
    before = features.extract(model, images, cache=False)
    adapted = [
        model.get_layer(f"block_{block}_{part}") for block in (0, 1) for part in ("query", "value")
    ]
    for layer in adapted:
        layer.trainable = True
        layer.enable_lora(4)
    counts = {variable.shape for layer in adapted for variable in layer.trainable_weights}
    assert counts == {(12, 4), (4, 12), (12,)}
    np.testing.assert_allclose(features.extract(model, images, cache=False), before, atol=1e-5)
    adapted[-1].lora_kernel_b.assign(np.ones((4, 12)))
    after = features.extract(model, images, cache=False)
    assert not np.allclose(after, before, atol=1e-3)
    np.testing.assert_allclose(after, model(images).numpy().mean((1, 2)), atol=1e-4)


@pytest.mark.slow
def test_a_saved_model_opens_in_another_process(small, images, tmp_path):
    small.save(tmp_path / "small.keras")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import medlearn, keras, numpy\n"
        "model = keras.models.load_model('small.keras')\n"
        "numpy.save('maps.npy', model(numpy.load('images.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "maps.npy"), small(images), atol=1e-5)


def test_what_it_cannot_do_is_answered_with_what_to_do():
    with pytest.raises(ValueError, match="has no ImageNet head; leave head=False"):
        backbones.load("dinov2_small", head=True)
    with pytest.raises(ValueError, match="side of 128 pixels .* sides of 126 or 140 pixels"):
        backbones.load("dinov2_small", size=128)


def test_a_unet_on_it_is_refused_in_one_sentence():
    plan = Plan(patch=14, side=2, channels=12, heads=3, blocks=1)
    with pytest.raises(ValueError, match="a half, a quarter .* load a convolutional backbone"):
        networks.skip_layers(vision_transformer("coarse", plan, size=224))


# --- DINOv2 itself; its weights are fetched if they are not in the cache --------------------------


@pytest.fixture(scope="module")
def dinov2():
    try:
        return backbones.load("dinov2_small")
    except ConnectionError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_tokens_are_those_of_onnx_runtime(dinov2):
    """Computed once by ONNX Runtime 1.32 from the published file, cut after its last norm.

    The largest differences then were 2.3e-5 for the last norm, whose values reach 12.
    """
    names = ("norm", "block_5")
    tokens = keras.Model(dinov2.input, [dinov2.get_layer(name).output for name in names])
    with np.load(REFERENCE) as reference:
        for key, expected in reference.items():
            name, height, width = key.rsplit("-", 2)
            image = data.astronaut()[: int(height), 130 : 130 + int(width)]
            values = dict(zip(names, tokens(image[None], training=False)))[name][0].numpy()
            summary = np.stack([values[0], values[1:].mean(0), values[-1]])
            np.testing.assert_allclose(summary, expected, rtol=0, atol=2e-4)


@pytest.mark.slow
def test_the_table_says_what_is_built(dinov2):
    row = backbones.table().loc["dinov2_small"]
    assert row.parameters == round(dinov2.count_params() / 1e6, 2) and np.isnan(row.with_head)
    assert row.blocks == TRANSFORMERS["dinov2_small"].blocks and row.channels == 384
    fixed = backbones.load("dinov2_small", weights=None, size=224)
    assert row.gflops == round(_catalogue.flops(fixed) / 1e9, 2)
    assert fixed.output_shape == (None, 16, 16, 384)


@pytest.mark.slow
def test_its_own_saved_weights_are_read_and_a_foreign_file_is_refused(dinov2, tmp_path):
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(other)
    with pytest.raises(ValueError, match=r"does not hold the weights of dinov2_small: "):
        _pretrained.load_file(dinov2, other)
    assert _dinov2.read_cached() is not None
