"""Extraction against the plain model; the cache against all that may disturb it or must not."""

import gc
import os
import weakref

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medlearn import _folding, _keras, backbones, features
from medlearn._keras import keras
from medlearn.backbones import _frozen

layers = keras.layers


def build(seed=0, activation="relu", prefix=""):
    """A small encoder with biases, depthwise kernels, and a norm that follows no convolution."""
    image = keras.Input((None, None, 3), name=f"{prefix}image")
    x = layers.Rescaling(1 / 128, offset=-1.0, name=f"{prefix}rescaling")(image)
    x = layers.Conv2D(6, 3, 2, name=f"{prefix}stem")(x)
    x = layers.BatchNormalization(name=f"{prefix}stem_bn")(x)
    x = layers.Activation(activation, name=f"{prefix}block_0")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, name=f"{prefix}depthwise")(x)
    y = layers.BatchNormalization(scale=False, name=f"{prefix}bn")(y)
    y = layers.ReLU(6.0, name=f"{prefix}relu6")(y)
    x = layers.Add(name=f"{prefix}block_1")([x, y])
    x = layers.BatchNormalization(name=f"{prefix}late_bn")(x)
    z = layers.Conv2D(4, 1, activation="relu", name=f"{prefix}active")(x)
    x = layers.BatchNormalization(name=f"{prefix}after_active")(z)
    output = layers.Concatenate(name=f"{prefix}top")([x, z])
    model = keras.Model(image, output, name=f"{prefix}small")
    rng = np.random.default_rng(seed)
    weights = []
    for weight in model.get_weights():
        sizes = rng.uniform(0.2, 1.0, weight.shape)
        weights.append(sizes * rng.choice([-1, 1] if weight.ndim > 1 else [1], weight.shape))
    model.set_weights(weights)
    return model


@pytest.fixture(scope="module")
def encoder():
    return build()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (7, 20, 24, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


@pytest.fixture
def compilations(monkeypatch):
    """The calls that compiled something."""
    calls, compile_ = [], _frozen._compile
    monkeypatch.setattr(_frozen, "_compile", lambda *args: calls.append(args) or compile_(*args))
    return calls


def plainly(encoder, images, layer=None):
    """The mean over each map, computed by Keras."""
    output = encoder.outputs[0] if layer is None else encoder.get_layer(layer).output
    part = keras.Model(encoder.inputs[0], output)
    return part(images.astype(np.float32), training=False).numpy().mean((1, 2))


def close(vectors, expected):
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-5)


# --- what is computed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer", [None, "stem", "stem_bn", "block_0", "relu6", "block_1", "late_bn", "active"]
)
def test_every_layer_is_the_mean_of_its_map(encoder, images, layer):
    close(features.extract(encoder, images, layer, batch_size=3), plainly(encoder, images, layer))


def test_a_real_backbone_is_left_exact_by_the_folding(images):
    lite0 = backbones.load("efficientnet_lite0")
    before = lite0.get_weights()
    vectors = features.extract(lite0, images, ["block_14", "top_activation"])
    for layer, values in vectors.items():
        np.testing.assert_allclose(values, plainly(lite0, images, layer), rtol=0, atol=1e-4)
    assert vectors["block_14"].shape == (7, 192)
    assert all(np.array_equal(a, b) for a, b in zip(before, lite0.get_weights(), strict=True))


@pytest.mark.parametrize(
    "convolution, norm",
    [
        (layers.Conv2D(6, 3, 2, "same", use_bias=False), {}),
        (layers.Conv2D(6, 3, groups=3, dilation_rate=2), {"center": False}),
        (layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2), {"scale": False}),
        (
            layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            {"scale": False, "center": False, "epsilon": 0.5},
        ),
    ],
)
def test_a_norm_moves_into_the_convolution_before_it(images, convolution, norm):
    check_folding(images, convolution, layers.BatchNormalization(**norm), norms_left=0)


def test_a_layer_that_was_called_for_training_is_at_rest(images):
    image = keras.Input((20, 24, 3))
    x = layers.Conv2D(4, 3)(layers.Conv2D(4, 3)(image))
    encoder = keras.Model(image, layers.Dropout(0.5)(layers.BatchNormalization()(x), training=True))
    close(features.extract(encoder, images, cache=False), plainly(encoder, images))


def test_a_norm_stays_where_it_cannot_move(images):
    active, separable = layers.Conv2D(6, 3, activation="relu"), layers.SeparableConv2D(6, 3)
    check_folding(images, active, layers.BatchNormalization(), norms_left=1)
    check_folding(images, separable, layers.BatchNormalization(), norms_left=1)
    # the convolution's own map is an output as well
    check_folding(images, layers.Conv2D(6, 3), layers.BatchNormalization(), norms_left=1, both=True)


def check_folding(images, convolution, norm, norms_left, both=False):
    image = keras.Input((None, None, 3))
    plain = layers.Conv2D(3, 1)(layers.Conv2D(3, 1)(layers.Rescaling(1 / 255)(image)))
    before = convolution(plain)
    after = norm(before)
    output = layers.Concatenate()([before, after]) if both else layers.ReLU(0.6)(after)
    encoder = keras.Model(image, output)
    rng = np.random.default_rng(2)
    encoder.set_weights([rng.uniform(0.2, 1.0, weight.shape) for weight in encoder.get_weights()])
    close(features.extract(encoder, images), plainly(encoder, images))
    assert "operation_fn" in _folding.folded(encoder).keywords  # else it ran as it is
    assert len(_keras.batchnorms(encoder)) - len(_folding._norms_after_convolutions(encoder)) == (
        norms_left
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch_size=st.integers(1, 40), count=st.integers(1, 7))
def test_batches_of_any_size_give_the_same(encoder, images, batch_size, count):
    options = {"batch_size": batch_size, "cache": False}
    vectors = features.extract(encoder, images[:count], "block_1", **options)
    close(vectors, plainly(encoder, images[:count], "block_1"))


def test_several_layers_come_out_of_one_pass(encoder, images, compilations):
    vectors = features.extract(encoder, images, ["top", "block_0"])
    assert list(vectors) == ["top", "block_0"] and len(compilations) == 1
    for layer, values in vectors.items():
        close(values, plainly(encoder, images, layer))


def test_vectors_pass_as_they_are_and_floats_equal_whole_numbers(images):
    pooled = keras.Sequential(
        [keras.Input((20, 24, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    close(features.extract(pooled, images), pooled(images.astype(np.float32)))
    close(features.extract(pooled, images.astype(np.float64)), pooled(images.astype(np.float32)))


def test_a_model_that_cannot_be_folded_costs_speed_only(images, monkeypatch):
    monkeypatch.setattr(_folding, "_folded_steps", lambda model: 1 / 0)
    encoder = build(seed=3)
    close(features.extract(encoder, images), plainly(encoder, images))


def test_dropout_is_off(images):
    noisy = keras.Sequential([keras.Input((20, 24, 3)), layers.Dropout(0.5), layers.Conv2D(2, 1)])
    close(features.extract(noisy, images, cache=False), plainly(noisy, images))


# --- compiled once, never stale -------------------------------------------------------------------


def test_a_second_call_and_an_odd_last_batch_compile_nothing(images, compilations):
    encoder = build(seed=4)
    for count, batch_size in ((7, 3), (5, 2), (7, 4)):
        features.extract(encoder, images[:count], "block_1", batch_size=batch_size, cache=False)
    assert len(compilations) == 1


@pytest.mark.parametrize("cached", [True, False])
def test_changed_weights_are_noticed(images, cached):
    encoder = build(seed=5)
    first = features.extract(encoder, images, cache=cached)
    weights = encoder.get_weights()
    encoder.get_layer("late_bn").moving_mean.assign_add([1.0] * 6)
    changed = features.extract(encoder, images, cache=cached)
    assert not np.allclose(first, changed)
    close(changed, plainly(encoder, images))
    encoder.set_weights(weights)
    close(features.extract(encoder, images, cache=cached), first)


def test_weights_above_the_layer_do_not_matter(images, compilations):
    encoder = build(seed=6)
    features.extract(encoder, images, "block_0")
    encoder.get_layer("active").kernel.assign_add(encoder.get_layer("active").kernel)
    features.extract(encoder, images, "block_0")
    features.extract(encoder, images, "block_0", cache=False)
    assert len(compilations) == 1


def test_an_encoder_is_freed_when_its_owner_lets_go(images):
    encoder = build(seed=7)
    features.extract(encoder, images)
    gone = weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None


def test_images_are_read_in_batches(encoder, images, tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    batches, compiled = [], _frozen.compiled

    def spy(*args):
        function = compiled(*args)
        return lambda batch: batches.append(len(batch)) or function(batch)

    monkeypatch.setattr(_frozen, "compiled", spy)
    close(features.extract(encoder, mapped, batch_size=3), plainly(encoder, images))
    assert batches == [3, 3, 1]


# --- the cache ------------------------------------------------------------------------------------


@pytest.fixture
def no_computing(monkeypatch):
    def fail(*args):
        pytest.fail("computed what the cache holds")

    return lambda: monkeypatch.setattr(_frozen, "compiled", fail)


def test_the_second_call_reads(encoder, images, cache, no_computing):
    first = features.extract(encoder, images, ["block_0", "top"])
    assert len(list(cache.iterdir())) == 2
    no_computing()
    np.testing.assert_array_equal(features.extract(encoder, images, "top"), first["top"])
    np.testing.assert_array_equal(features.extract(encoder, images), first["top"])


def test_the_key_is_the_content_not_the_object_its_names_or_its_freezing(images, no_computing):
    first = features.extract(build(seed=8), images)
    no_computing()
    twin = build(seed=8, prefix="other_")
    twin.trainable = False
    np.testing.assert_array_equal(features.extract(twin, images.copy()), first)


def test_equal_weights_in_another_architecture_are_another_key(images):
    relu, tanh = build(seed=9), build(seed=9, activation="tanh")
    features.extract(relu, images)
    close(features.extract(tanh, images), plainly(tanh, images))


def test_one_changed_pixel_is_another_key(encoder, images):
    features.extract(encoder, images)
    changed = images.copy()
    changed[6, 3, 3] ^= 255
    close(features.extract(encoder, changed), plainly(encoder, changed))


def test_only_missing_layers_are_computed(images, compilations):
    encoder = build(seed=10)
    features.extract(encoder, images, "stem")
    features.extract(encoder, images, ["stem", "relu6"])
    assert [tap.layer for tap in compilations[-1][1]] == ["relu6"]


def test_without_cache_nothing_is_written(encoder, images, cache):
    features.extract(encoder, images, cache=False)
    assert not cache.exists()


DAMAGES = {
    "one byte short": lambda content: content[:-1],
    "empty": lambda content: b"",
    "begin only": lambda content: content[:200],
    "one bit": lambda content: content[:150] + bytes([content[150] ^ 1]) + content[151:],
}


def test_a_damaged_file_is_computed_again(encoder, images, cache):
    first = features.extract(encoder, images)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    for damage in DAMAGES.values():
        file.write_bytes(damage(whole))
        np.testing.assert_array_equal(features.extract(encoder, images), first)
        assert [path.read_bytes() for path in cache.iterdir()] == [whole]


def test_no_folder_for_the_cache_is_a_warning(encoder, images, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept: .*MEDLEARN_CACHE"):
        close(features.extract(encoder, images), plainly(encoder, images))


def test_a_full_disk_is_a_warning_and_leaves_nothing_behind(encoder, images, cache, monkeypatch):
    def full(source, target):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(UserWarning, match="No space left"):
        close(features.extract(encoder, images), plainly(encoder, images))
    assert not list(cache.iterdir())


# --- manners --------------------------------------------------------------------------------------


def test_nothing_is_printed_and_no_argument_changed(encoder, images, capfd):
    before = images.copy()
    features.extract(encoder, images, cache=False)
    np.testing.assert_array_equal(images, before)
    assert capfd.readouterr() == ("", "")


def test_images_that_do_not_fit_are_refused(encoder, images):
    fixed = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(2, 3)], name="fixed")
    with pytest.raises(ValueError, match="run from 0 to 1, but 0 to 255"):
        features.extract(encoder, images / 255)
    with pytest.raises(ValueError, match=r"shape \(7, 20, 24, 2\), but small takes \(N, H, W, 3\)"):
        features.extract(encoder, images[..., :2])
    with pytest.raises(ValueError, match=r"fixed was built for \(N, 32, 32, 3\)"):
        features.extract(fixed, images)


def test_unknown_layers_and_empty_batches_are_answered_with_what_to_do(encoder, images):
    for layer, message in [
        ("block_00", "small has no layer 'block_00'; do you mean 'block_0'"),
        ("?", "has no layer"),
        ([], "Name at least one layer"),
    ]:
        with pytest.raises(ValueError, match=message):
            features.extract(encoder, images, layer)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
        features.extract(encoder, images, batch_size=0)
