"""Mean teacher, beside an average of weights that is computed by hand."""

import numpy as np
import pytest

from medlearn._keras import keras
from medlearn.adaptation import consistency


def tiny(size=8, classes=2):
    keras.utils.set_random_seed(0)
    image = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, padding="same", name="frozen")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(classes, 1, activation="softmax", name="head")(x)
    return keras.Model(image, x)


@pytest.fixture
def domains():
    """Source images, their masks, and target images."""
    random = np.random.default_rng(0)
    masks = random.integers(0, 2, (6, 8, 8)).astype(np.uint8)
    images = np.repeat(60 + 120 * masks[..., None], 3, -1).astype(np.uint8)
    return images, masks, 255 - images[:4]


def teach(model, source_images, source_labels, target_images, **options):
    loss = keras.losses.SparseCategoricalCrossentropy()
    options = {"loss": loss, "steps": 3, "batch_size": 2} | options
    return consistency.mean_teacher(model, source_images, source_labels, target_images, **options)


def largest_difference(first, second):
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


def test_the_teacher_is_the_moving_average_of_plain_training(domains):
    """Without perturbation and agreement the student trains as `train_on_batch` does."""
    images, masks, target = domains
    model = tiny()
    model.get_layer("norm").trainable = False
    student = keras.models.clone_model(model)
    student.set_weights(model.get_weights())
    student.get_layer("norm").trainable = False
    student.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    average = model.get_weights()
    order = np.random.default_rng(5).permutation(len(images))
    for start in (0, 2, 4):
        rows = order[start : start + 2]
        student.train_on_batch(images[rows], masks[rows])
        pairs = zip(average, student.get_weights(), strict=True)
        average = [0.7 * old + 0.3 * new for old, new in pairs]
    options = {"weight": 0.0, "perturb": 0.0, "decay": 0.7, "learning_rate": 0.01, "seed": 5}
    taught = teach(model, images, masks, target, **options)
    for weight, expected in zip(taught.get_weights(), average, strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)


def test_the_given_model_its_frozen_encoder_and_its_statistics_stay_and_the_rest_learns(domains):
    """The encoder is nested, as networks.segmenter does it."""
    encoder = tiny()
    encoder.trainable = False
    image = keras.Input((8, 8, 3))
    norm = keras.layers.BatchNormalization(name="outer_norm")
    head = keras.layers.Conv2D(2, 1, activation="softmax", name="outer_head")
    model = keras.Model(image, head(norm(encoder(image))))
    before = model.get_weights()
    taught = teach(model, *domains, learning_rate=0.1)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert largest_difference(taught.get_layer(encoder.name), encoder) == 0
    assert np.array_equal(taught.get_layer("outer_norm").moving_mean, norm.moving_mean)
    assert np.abs(taught.get_layer("outer_head").kernel - head.kernel).max() > 1e-3


@pytest.mark.slow
def test_each_option_and_the_target_matter(domains):
    images, masks, target = domains
    model = tiny()
    reference = teach(model, *domains)
    ignoring = keras.losses.SparseCategoricalCrossentropy(ignore_class=0)
    for option in (
        {"weight": 50.0},
        {"decay": 0.1},
        {"perturb": 0.9},
        {"learning_rate": 0.1},
        {"steps": 6},
        {"batch_size": 3},
        {"seed": 7},
        {"loss": ignoring},
        {"target_images": images[:1]},
    ):
        options = {"target_images": target} | option
        changed = teach(model, images, masks, **options)
        assert largest_difference(reference, changed) > 1e-7, option


def test_what_does_not_fit_is_refused(domains):
    cases = [
        (lambda i, m, t: (i, m, t[:, :4]), {}, "target images have the shape"),
        (lambda i, m, t: (i, m, t[:0]), {}, "target images is empty"),
        (lambda i, m, t: (i, m[:3], t), {}, "source_labels should be whole numbers"),
        (lambda i, m, t: (i, m.astype(float), t), {}, "source_labels should be whole numbers"),
        (lambda *domains: domains, {"steps": 0}, "steps"),
        (lambda *domains: domains, {"decay": 1.0}, "decay=1.0"),
        (lambda *domains: domains, {"perturb": 2.0}, "perturb=2.0"),
    ]
    for spoil, options, message in cases:
        with pytest.raises(ValueError, match=message):
            teach(tiny(), *spoil(*domains), **options)


def test_domains_of_different_size_are_refused_where_the_model_takes_any(domains):
    images, masks, target = domains
    with pytest.raises(ValueError, match="load both with one size"):
        teach(tiny(size=None), images, masks, target[:, :4, :4])
