"""Extraction against the plain model; the cache against everything that should and should not disturb it."""

import gc
import os
import time
import weakref

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medlearn import backbones, features
from medlearn._keras import keras
from medlearn.backbones import _frozen

layers = keras.layers


def build(seed=0, activation="relu", prefix=""):
    """A small encoder with what folding has to cope with: biases, depthwise, a norm that follows no convolution."""
    given = keras.Input((None, None, 3), name=f"{prefix}image")
    x = layers.Rescaling(1 / 128, offset=-1.0, name=f"{prefix}rescaling")(given)
    x = layers.Conv2D(6, 3, 2, name=f"{prefix}stem")(x)
    x = layers.BatchNormalization(name=f"{prefix}stem_bn")(x)
    x = layers.Activation(activation, name=f"{prefix}block_0")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, name=f"{prefix}depthwise")(x)
    y = layers.ReLU(6.0, name=f"{prefix}relu6")(
        layers.BatchNormalization(scale=False, name=f"{prefix}bn")(y)
    )
    x = layers.Add(name=f"{prefix}block_1")([x, y])
    x = layers.BatchNormalization(name=f"{prefix}late_bn")(x)
    z = layers.Conv2D(4, 1, activation="relu", name=f"{prefix}active")(x)
    x = layers.BatchNormalization(name=f"{prefix}after_active")(z)
    model = keras.Model(
        given, layers.Concatenate(name=f"{prefix}top")([x, z]), name=f"{prefix}small"
    )
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.2, 1.0, weight.shape)
            * rng.choice([-1, 1] if weight.ndim > 1 else [1], weight.shape)
            for weight in model.get_weights()
        ]
    )
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
    output = encoder.output if layer is None else encoder.get_layer(layer).output
    return (
        keras.Model(encoder.inputs[0], output)(images.astype(np.float32), training=False)
        .numpy()
        .mean((1, 2))
    )


def close(got, expected):
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


# --- what is computed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer", [None, "stem", "stem_bn", "block_0", "relu6", "block_1", "late_bn", "active", "top"]
)
def test_every_layer_is_the_mean_of_its_map(encoder, images, layer):
    close(features.extract(encoder, images, layer, batch_size=3), plainly(encoder, images, layer))


def test_a_real_backbone_is_left_exact_by_the_folding(images):
    lite0 = backbones.load("efficientnet_lite0")
    before = lite0.get_weights()
    vectors = features.extract(lite0, images, ["block_14", "top_activation"])
    for layer, got in vectors.items():
        np.testing.assert_allclose(got, plainly(lite0, images, layer), rtol=0, atol=1e-4)
    assert vectors["block_14"].shape == (7, 192)
    assert all(np.array_equal(a, b) for a, b in zip(before, lite0.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("convolution", "norm", "twice", "left"),
    [
        (layers.Conv2D(6, 3, 2, "same", use_bias=False), {}, False, 0),
        (layers.Conv2D(6, 3, groups=3, dilation_rate=2), {"center": False}, False, 0),
        (layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2), {"scale": False}, False, 0),
        (
            layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            {"scale": False, "center": False, "epsilon": 0.5},
            False,
            0,
        ),
        (layers.Conv2D(6, 3, activation="relu"), {}, False, 1),
        (layers.SeparableConv2D(6, 3), {}, False, 1),
        (layers.Conv2D(6, 3), {}, True, 1),  # the convolution's own map is needed as well
    ],
)
def test_a_norm_moves_into_every_convolution_that_it_can(images, convolution, norm, twice, left):
    given = keras.Input((None, None, 3))
    before = convolution(layers.Rescaling(1 / 255)(given))
    after = layers.BatchNormalization(**norm)(before)
    encoder = keras.Model(
        given, layers.Concatenate()([before, after]) if twice else layers.ReLU(0.6)(after)
    )
    rng = np.random.default_rng(2)
    encoder.set_weights([rng.uniform(0.2, 1.0, weight.shape) for weight in encoder.get_weights()])
    close(features.extract(encoder, images), plainly(encoder, images))
    assert (
        sum(
            isinstance(layer, layers.BatchNormalization)
            for layer in _frozen._fold_batchnorm(encoder).layers
        )
        == left
    )


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch_size=st.integers(1, 40), count=st.integers(1, 7))
def test_batches_of_any_size_give_the_same(encoder, images, batch_size, count):
    got = features.extract(encoder, images[:count], "block_1", batch_size=batch_size, cache=False)
    close(got, plainly(encoder, images[:count], "block_1"))


def test_several_layers_come_out_of_one_pass(encoder, images, compilations):
    vectors = features.extract(encoder, images, ["top", "block_0"])
    assert list(vectors) == ["top", "block_0"] and len(compilations) == 1
    for layer, got in vectors.items():
        close(got, plainly(encoder, images, layer))


def test_vectors_pass_as_they_are_and_floats_equal_whole_numbers(images):
    pooled = keras.Sequential(
        [keras.Input((20, 24, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    close(features.extract(pooled, images), pooled(images.astype(np.float32)))
    close(features.extract(pooled, images.astype(np.float64)), pooled(images.astype(np.float32)))


def test_a_layer_that_cannot_be_copied_costs_speed_only(images, monkeypatch):
    monkeypatch.setattr(keras.models, "clone_model", lambda model, **how: 1 / 0)
    encoder = build(seed=3)
    close(features.extract(encoder, images), plainly(encoder, images))


def test_dropout_is_off(images):
    noisy = keras.Sequential([keras.Input((20, 24, 3)), layers.Dropout(0.5), layers.Conv2D(2, 1)])
    close(
        features.extract(noisy, images, cache=False),
        noisy(images.astype(np.float32), training=False).numpy().mean((1, 2)),
    )


# --- compiled once, never stale ----------------------------------------------------------------------------


def test_a_second_call_and_an_odd_last_batch_compile_nothing(images, compilations):
    encoder = build(seed=4)
    for count, batch_size in ((7, 3), (5, 2), (7, 4)):
        features.extract(encoder, images[:count], "block_1", batch_size=batch_size, cache=False)
    assert len(compilations) == 1


@pytest.mark.parametrize("cached", [True, False])
def test_changed_weights_are_noticed(images, cached):
    encoder = build(seed=5)
    first = features.extract(encoder, images, cache=cached)
    kept = encoder.get_weights()
    encoder.get_layer("late_bn").moving_mean.assign_add([1.0] * 6)
    changed = features.extract(encoder, images, cache=cached)
    assert not np.allclose(first, changed)
    close(changed, plainly(encoder, images))
    encoder.set_weights(kept)
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
    mapped, batches, real = np.load(tmp_path / "images.npy", mmap_mode="r"), [], _frozen.function

    def spy(*args):
        function = real(*args)
        return lambda batch: batches.append(len(batch)) or function(batch)

    monkeypatch.setattr(_frozen, "function", spy)
    close(features.extract(encoder, mapped, batch_size=3), plainly(encoder, images))
    assert batches == [3, 3, 1]


# --- the cache ---------------------------------------------------------------------------------------------


@pytest.fixture
def no_computing(monkeypatch):
    def forbid():
        monkeypatch.setattr(
            _frozen, "function", lambda *args: pytest.fail("computed what the cache holds")
        )

    return forbid


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
    assert [taps for _, taps, *_ in compilations][-1] == ["relu6"]


def test_without_cache_nothing_is_written(encoder, images, cache):
    features.extract(encoder, images, cache=False)
    assert not cache.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[:200],
        lambda content: content[:150] + bytes([content[150] ^ 1]) + content[151:],
    ],
)
def test_a_damaged_file_is_computed_again(encoder, images, cache, damage):
    first = features.extract(encoder, images)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    np.testing.assert_array_equal(features.extract(encoder, images), first)
    assert [path.read_bytes() for path in cache.iterdir()] == [whole]


def test_no_place_to_keep_them_is_a_warning(encoder, images, tmp_path, monkeypatch):
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


# --- manners -----------------------------------------------------------------------------------------------


def test_nothing_is_printed_and_no_argument_changed(encoder, images, capfd):
    before = images.copy()
    features.extract(encoder, images, cache=False)
    np.testing.assert_array_equal(images, before)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[0], r"a single image goes in as images\[None\]"),
        (lambda x: x[..., 0], "grey images go in as np.repeat"),
        (lambda x: x[..., :2], r"shape \(7, 20, 24, 2\), but small takes \(N, any, any, 3\)"),
        (lambda x: x[:0], "no image to extract"),
        (lambda x: [x[0], x[1][:10]], "several sizes.*resize them to one"),
        (lambda x: x.astype(np.int16), "int16, but uint8 or float"),
        (lambda x: x / 255, "run from 0 to 1, but 0 to 255"),
        (lambda x: x / 127.5 - 1, "run from -1 to 1, but 0 to 255"),
        (lambda x: x * 257.0, "0 to 65535, but 0 to 255"),
        (lambda x: np.where(x > 250, np.nan, x), "not finite"),
    ],
)
def test_images_that_do_not_fit_are_refused(encoder, images, change, message):
    with pytest.raises(ValueError, match=message):
        features.extract(encoder, change(images))


def test_an_encoder_of_fixed_size_says_so(images):
    fixed = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(2, 3)], name="fixed")
    with pytest.raises(ValueError, match=r"fixed was built for \(N, 32, 32, 3\)"):
        features.extract(fixed, images)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("block_00", "do you mean block_0"),
        ("nonsense", "has no layer"),
        ([], "Name at least one layer"),
    ],
)
def test_an_unknown_layer_is_answered_with_near_names(encoder, images, layer, message):
    with pytest.raises(ValueError, match=message):
        features.extract(encoder, images, layer)


def test_a_batch_holds_at_least_one_image(encoder, images):
    with pytest.raises(ValueError, match="batch_size=0"):
        features.extract(encoder, images, batch_size=0)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_two_batches_at_once_come_back_in_their_order(encoder, images, batch_size, monkeypatch):
    alone, together = [], []
    for at_once, told in ((1, alone), (2, together)):
        monkeypatch.setattr(features, "_batches_at_once", lambda: at_once)
        told.append(
            features.extract(encoder, images, "block_1", batch_size=batch_size, cache=False)
        )
    np.testing.assert_array_equal(*alone, *together)


def test_after_an_error_no_further_batch_is_begun(encoder, images, monkeypatch):
    begun = []

    def fails(batch):
        begun.append(len(batch))
        if len(begun) == 2:
            raise MemoryError("no room")
        time.sleep(0.05)
        return [np.zeros((len(batch), 6), np.float32)]

    monkeypatch.setattr(_frozen, "function", lambda *args: fails)
    with pytest.raises(MemoryError, match="no room"):
        features.extract(
            encoder, np.repeat(images, 10, axis=0), "block_1", batch_size=1, cache=False
        )
    assert len(begun) < 8
