"""Pretraining without labels: the loss beside NumPy, what moves, collapses, and is refused."""

import inspect

import numpy as np
import pytest

from medlearn import transfer
from medlearn._keras import keras
from medlearn.transfer import pretraining

layers = keras.layers
SIDE = 16


@pytest.fixture
def encoder():
    """Two blocks, the second with a shortcut, named as those of the backbones."""
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 128, offset=-1)(image)
    x = layers.Conv2D(8, 3, 2, "same", name="block_0_conv", kernel_initializer=glorot(0))(x)
    start = layers.BatchNormalization(name="block_0")(x)
    x = layers.Conv2D(8, 3, 1, "same", name="block_1_conv", kernel_initializer=glorot(1))(start)
    x = layers.ReLU(name="block_1_relu")(layers.BatchNormalization(name="block_1_bn")(x))
    return keras.Model(image, layers.Add(name="block_1")([start, x]), name="small")


def glorot(seed):
    return keras.initializers.GlorotUniform(seed)


@pytest.fixture
def images():
    """Thirty-two images, each of one random colour."""
    colours = np.random.default_rng(0).integers(20, 236, (32, 1, 1, 3))
    return np.broadcast_to(colours, (32, SIDE, SIDE, 3)).astype(np.uint8)


def noisy(images, seed):
    noise = np.random.default_rng(seed).normal(scale=8, size=images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def maps(encoder, images):
    return pretraining.view_maps(encoder, images, noisy, from_="block_1", views=3)


def pretrain(encoder, maps, **options):
    options = {"epochs": 12, "batch_size": 16, "learning_rate": 3e-3, "width": 12} | options
    return pretraining.pretrain(encoder, maps, from_="block_1", **options)


# ---- the loss ------------------------------------------------------------------------------------


def test_the_loss_is_that_of_numpy():
    random = np.random.default_rng(3)
    first = random.normal(scale=0.2, size=(20, 5)) @ random.normal(size=(5, 5))
    second = first + random.normal(scale=0.1, size=(20, 5))
    variance = covariance = 0.0
    for embeddings in (first, second):
        matrix = np.cov(embeddings, rowvar=False)
        variance += np.maximum(0, 1 - np.sqrt(np.diag(matrix) + 1e-4)).mean()
        covariance += (matrix[~np.eye(5, dtype=bool)] ** 2).sum() / 5
    terms = pretraining.vicreg_loss(first, second)
    assert float(terms.invariance) == pytest.approx(((first - second) ** 2).mean())
    assert float(terms.variance) == pytest.approx(variance) and variance > 0
    assert float(terms.covariance) == pytest.approx(covariance)


def test_equal_views_that_fill_all_directions_cost_nothing():
    whitened = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")
    assert [float(term) for term in pretraining.vicreg_loss(whitened, whitened)] == [0, 0, 0]


def test_copies_of_one_dimension_cost_covariance_and_a_constant_costs_variance():
    column = np.array([[2.0], [-2.0], [2.0], [-2.0]])
    copies, constant = np.repeat(column, 2, axis=1), np.full((4, 2), 7.0)
    of_copies = pretraining.vicreg_loss(copies, copies)
    assert float(of_copies.covariance) == pytest.approx(2 * 2 * (16 / 3) ** 2 / 2)
    assert float(of_copies.variance) == 0
    of_constant = pretraining.vicreg_loss(constant, constant)
    assert [float(term) for term in of_constant] == pytest.approx([0, 2 * 0.99, 0])


@pytest.mark.parametrize(
    "shapes", [((4, 3), (4, 2)), ((4, 3), (5, 3)), ((1, 3), (1, 3)), ((4,),) * 2]
)
def test_the_loss_refuses_embeddings_that_are_no_pairs(shapes):
    with pytest.raises(ValueError, match="two arrays"):
        pretraining.vicreg_loss(*map(np.zeros, shapes))


# ---- maps of views -------------------------------------------------------------------------------


def test_maps_are_those_of_the_frozen_blocks_on_each_view(encoder, images, maps):
    frozen = keras.Model(encoder.input, encoder.get_layer("block_0").output)
    expected = [frozen.predict(noisy(images, seed), verbose=0) for seed in range(3)]
    assert maps.dtype == np.float16 and maps.shape == (3, 32, 8, 8, 8)
    np.testing.assert_allclose(maps, np.stack(expected), atol=2e-3)


def test_view_maps_refuses_what_is_no_view_and_one_view(encoder, images):
    def crops(images, seed):
        return images[:, 1:]

    def half(images, seed):
        return images[::2]

    with pytest.raises(ValueError, match="built for"):
        pretraining.view_maps(encoder, images, crops, from_="block_1")
    with pytest.raises(ValueError, match="16 views of 32 images"):
        pretraining.view_maps(encoder, images, half, from_="block_1")
    with pytest.raises(ValueError, match="views must be"):
        pretraining.view_maps(encoder, images, noisy, from_="block_1", views=1)
    with pytest.raises(ValueError, match="block_11"):
        pretraining.view_maps(encoder, images, noisy, from_="block_11")


# ---- training ------------------------------------------------------------------------------------


def test_no_argument_could_hand_over_labels():
    for function in (pretraining.view_maps, pretraining.pretrain):
        assert not [name for name in inspect.signature(function).parameters if "label" in name]


def test_only_the_last_block_of_the_copy_moves_and_batchnorm_stays(encoder, maps):
    before = transfer.snapshot(encoder)
    trained, history = pretrain(encoder, maps)
    transfer.assert_frozen(encoder, before)
    pairs = zip(encoder.weights, trained.weights, strict=True)
    moved = {old.path for old, new in pairs if not np.array_equal(old, new)}
    assert moved == {"block_1_conv/kernel", "block_1_conv/bias"}
    assert not trained.trainable_weights
    assert {len(values) for values in history.values()} == {12}
    assert history["loss"][-1] < history["loss"][0]


def test_the_weighted_terms_are_the_loss_and_a_seed_repeats_it(encoder, maps):
    runs = [pretrain(encoder, maps, epochs=2, weights=(3.0, 2.0, 1.0)) for _ in range(2)]
    history = runs[0][1]
    parts = [history[name][1] for name in ("invariance", "variance", "covariance")]
    assert history["loss"][1] == pytest.approx(np.dot([3, 2, 1], parts), rel=1e-5)
    assert history == runs[1][1]


def test_without_the_variance_term_the_embeddings_collapse_and_the_loss_looks_better(encoder, maps):
    options = {"epochs": 60, "learning_rate": 1e-2}
    sound = pretrain(encoder, maps, **options)[1]
    collapsed = pretrain(encoder, maps, **options, weights=(25.0, 0.0, 1.0))[1]
    assert collapsed["spread"][-1] < 0.15 < 0.5 < sound["spread"][-1]
    assert collapsed["loss"][-1] < sound["loss"][-1] / 10


def test_no_epoch_gives_an_equal_copy(encoder, maps):
    same, history = pretrain(encoder, maps, epochs=0)
    assert history["loss"] == []
    for old, new in zip(encoder.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 33}, "from 2 to 32"),
        ({"batch_size": 1}, "from 2 to 32"),
        ({"epochs": -1}, "epochs must be"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"weights": (25.0, 25.0)}, "three numbers"),
        ({"weights": (25.0, -1.0, 1.0)}, "three numbers"),
    ],
)
def test_pretrain_refuses_options_out_of_range(encoder, maps, options, message):
    with pytest.raises(ValueError, match=message):
        pretrain(encoder, maps, **options)


def test_pretrain_refuses_maps_of_another_block_or_of_one_view(encoder, maps):
    with pytest.raises(ValueError, match="same from_"):
        pretraining.pretrain(encoder, maps, from_="block_0")
    with pytest.raises(ValueError, match="at least 2 views"):
        pretraining.pretrain(encoder, maps[:1], from_="block_1")
