"""Mean teacher and randomised contrasts, beside independent computations."""

import numpy as np
import pytest

from medlearn._keras import keras
from medlearn.adaptation import consistency, randomisation


def tiny(size=8, classes=2):
    image = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="frozen")(
        keras.layers.Rescaling(1 / 255)(image)
    )
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(classes, 1, activation="softmax", name="head")(x)
    return keras.Model(image, x)


@pytest.fixture
def given():
    random = np.random.default_rng(0)
    masks = random.integers(0, 2, (6, 8, 8)).astype(np.uint8)
    images = np.repeat(60 + 120 * masks[..., None], 3, -1).astype(np.uint8)
    return images, masks, 255 - images[:4]


def teach(model, source_images, source_labels, target_images, **options):
    settings = {
        "loss": keras.losses.SparseCategoricalCrossentropy(),
        "steps": 3,
        "batch_size": 2,
    } | options
    return consistency.mean_teacher(model, source_images, source_labels, target_images, **settings)


def apart(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one.get_weights(), other.get_weights()))


def test_the_teacher_is_the_average_that_was_written_down(given):
    """Without spoiling and agreement a student is plain training; its weights are averaged here by hand."""
    images, masks, target = given
    model = tiny()
    model.get_layer("norm").trainable = False
    student = keras.models.clone_model(model)
    student.set_weights(model.get_weights())
    student.get_layer("norm").trainable = False
    student.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    random, mean = np.random.default_rng(5), model.get_weights()
    order = random.permutation(len(images))
    for start in (0, 2, 4):
        student.train_on_batch(images[order[start : start + 2]], masks[order[start : start + 2]])
        mean = [0.7 * old + 0.3 * new for old, new in zip(mean, student.get_weights())]
    taught = teach(
        model, images, masks, target, weight=0.0, spoil=0.0, decay=0.7, rate=0.01, seed=5
    )
    for found, wanted in zip(taught.get_weights(), mean):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_given_model_its_frozen_layers_and_its_statistics_stay(given):
    model = tiny()
    model.get_layer("frozen").trainable = False
    before = model.get_weights()
    taught = teach(model, *given)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert np.array_equal(taught.get_layer("frozen").kernel, model.get_layer("frozen").kernel)
    assert np.array_equal(taught.get_layer("norm").moving_mean, model.get_layer("norm").moving_mean)
    assert not np.array_equal(taught.get_layer("head").kernel, model.get_layer("head").kernel)


def test_a_frozen_encoder_inside_the_model_stays_and_the_rest_learns(given):
    """As networks.segmenter nests them."""
    inner = tiny()
    inner.trainable = False
    image = keras.Input((8, 8, 3))
    model = keras.Model(
        image, keras.layers.Conv2D(2, 1, activation="softmax", name="own")(inner(image))
    )
    before = model.get_weights()
    taught = teach(model, *given, rate=0.1)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert apart(taught.get_layer(inner.name), inner) == 0
    assert np.abs(taught.get_layer("own").kernel - model.get_layer("own").kernel).max() > 1e-3


@pytest.mark.parametrize(
    "option",
    [
        {"weight": 50.0},
        {"decay": 0.1},
        {"spoil": 0.9},
        {"rate": 0.1},
        {"steps": 6},
        {"batch_size": 3},
        {"seed": 7},
        {"loss": keras.losses.SparseCategoricalCrossentropy(ignore_class=0)},
    ],
)
def test_each_option_matters(given, option):
    model = tiny()
    assert apart(teach(model, *given), teach(model, *given, **option)) > 1e-7


def test_the_target_matters_and_one_image_is_enough(given):
    images, masks, target = given
    model = tiny()
    assert (
        apart(
            teach(model, images, masks, target[:1], weight=20.0),
            teach(model, images, masks, images[:1], weight=20.0),
        )
        > 1e-7
    )


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda i, m, t: (i, m, t[:, :4]), "load both with one size"),
        (lambda i, m, t: (i, m, t[..., :1]), "channels"),
        (lambda i, m, t: (i, m, t[:0]), "target images should be .* at least one picture"),
        (lambda i, m, t: (i[:0], m, t), "source images should be .* at least one picture"),
        (lambda i, m, t: (i, m, np.full(t.shape, np.nan)), "finite"),
        (lambda i, m, t: (i, m[:3], t), "source_labels should be whole numbers"),
        (lambda i, m, t: (i, m.astype(float), t), "source_labels should be whole numbers"),
    ],
)
def test_bad_domains_get_one_sentence(given, spoil, message):
    with pytest.raises(ValueError, match=message):
        teach(tiny(), *spoil(*given))


@pytest.mark.parametrize(
    "option", [{"steps": 0}, {"decay": 1.0}, {"spoil": 2.0}, {"batch_size": 0}]
)
def test_bad_options_get_one_sentence(given, option):
    with pytest.raises(ValueError, match=str(next(iter(option)))):
        teach(tiny(), *given, **option)


# ---- randomised contrasts ----------------------------------------------------------------------------------

PLAIN = {"blur": 0.0, "bias": 0.0, "noise": 0.0, "coarse": 1.0}


@pytest.fixture
def masks():
    one = np.zeros((32, 32), np.uint8)
    one[8:24, 8:24], one[12:20, 12:20] = 1, 2
    return np.repeat(one[None], 300, axis=0)


def test_regions_get_greys_from_the_whole_range_independently(masks):
    painted = randomisation.synthesise_from_masks(masks, **PLAIN)
    assert painted.shape == (*masks.shape, 3) and painted.dtype == np.uint8
    assert (painted[..., 0] == painted[..., 2]).all()
    inner, outer = (
        np.array([image[..., 0][mask == value].mean() for image, mask in zip(painted, masks)])
        for value in (2, 1)
    )
    assert inner.min() < 25 and inner.max() > 230
    assert abs(np.corrcoef(inner, outer)[0, 1]) < 0.2  # so any order of the tissues occurs
    assert 0.4 < np.mean(inner > outer) < 0.6


def test_the_background_is_dark_in_its_share_of_images(masks):
    for share in (0.0, 0.5, 1.0):
        corners = randomisation.synthesise_from_masks(masks, dark_background=share, **PLAIN)[:, :4, :4, 0].mean(
            (1, 2)
        )
        assert abs(np.mean(corners < 12) - share) < 0.12


@pytest.mark.parametrize(
    "option",
    [
        {"blur": 3.0},
        {"bias": 0.8},
        {"noise": 0.3},
        {"coarse": 4.0},
        {"dark_background": 0.0},
        {"spread": 0.4},
        {"seed": 1},
    ],
)
def test_each_range_matters(masks, option):
    assert np.any(
        randomisation.synthesise_from_masks(masks[:9]) != randomisation.synthesise_from_masks(masks[:9], **option)
    )


def test_same_seed_same_pictures_and_masks_stay(masks):
    before = masks.copy()
    assert np.array_equal(
        randomisation.synthesise_from_masks(masks[:5], seed=3), randomisation.synthesise_from_masks(masks[:5], seed=3)
    )
    assert np.array_equal(masks, before)


def test_noise_has_the_spread_it_says():
    """Noise alone differs between the two, so their difference is it: standard deviations from 0 to .04 x 255, 5.1 on average."""
    flat, rough = (
        randomisation.synthesise_from_masks(np.ones((600, 16, 16), np.uint8), **PLAIN | {"noise": noise})[
            ..., 0
        ].astype(float)
        for noise in (0.0, 0.04)
    )
    grey = (flat.mean((1, 2)) > 90) & (
        flat.mean((1, 2)) < 165
    )  # where clipping and gamma change a spread little
    spread = (rough - flat)[grey].std((1, 2))
    assert grey.sum() > 100 and abs(spread.mean() - 5.1) < 0.8 and spread.max() < 0.04 * 255 * 1.7


@pytest.mark.parametrize(
    "given, option, message",
    [
        (np.zeros((2, 8)), {}, "source_masks"),
        (np.zeros((0, 8, 8), int), {}, "source_masks"),
        (np.full((1, 8, 8), np.nan), {}, "source_masks"),
        (np.full((1, 8, 8), -1), {}, "source_masks"),
        (np.zeros((1, 8, 8), int), {"bias": 1.0}, "bias"),
        (np.zeros((1, 8, 8), int), {"spread": -0.1}, "spread"),
        (np.zeros((1, 8, 8), int), {"coarse": 0.5}, "coarse"),
    ],
)
def test_bad_masks_and_ranges_get_one_sentence(given, option, message):
    with pytest.raises(ValueError, match=message):
        randomisation.synthesise_from_masks(given, **option)


@pytest.fixture
def skulls(masks):
    """Around the brain, regions 1 and 2: black air, and a ring of grey and one of white that no mask names."""
    grey = np.where(masks == 0, 5, 120)
    grey[:, 2:4, :], grey[:, 5:7, :] = 90, 230
    return np.repeat(grey[..., None], 3, -1)[:6].astype(np.uint8), masks[:6]


def test_a_region_is_cut_by_brightness_and_the_others_stay(skulls):
    images, masks = skulls
    fine = randomisation.subdivide(images, masks)
    assert np.array_equal(fine[masks > 0], masks[masks > 0])
    assert (fine[:, 2:4] == 3).all() and (fine[:, 5:7] == 4).all()  # numbered on from the highest
    assert (
        fine[(masks == 0) & (images[..., 0] == 5)] == 0
    ).all()  # the darkest part keeps its number
    two = randomisation.subdivide(images, masks, into=2)
    assert set(np.unique(two)) == {0, 1, 2, 3} and (two[:, 5:7] == 3).all()
    inside = images.copy()
    inside[:, 14:16, 14:16] = 30
    cut = randomisation.subdivide(inside, masks, region=2, into=2)
    assert (
        np.array_equal(cut[masks != 2], masks[masks != 2])
        and (cut[:, 14:16, 14:16] == 2).all()
        and (cut == 3).any()
    )


def test_what_was_cut_gets_greys_of_its_own(skulls):
    painted = randomisation.synthesise_from_masks(
        randomisation.subdivide(*skulls), dark_background=1.0, **PLAIN
    )[..., 0]
    assert (painted[:, 0].mean(1) < 15).all() and painted[:, 2:4].mean((1, 2)).std() > 20


@pytest.mark.parametrize(
    "spoil, options, message",
    [
        (lambda images, masks: (images[:2], masks), {}, "belong together"),
        (lambda images, masks: (images[..., 0], masks), {}, "belong together"),
        (lambda images, masks: (images, masks - 1.5), {}, "source_masks"),
        (lambda images, masks: (images, masks), {"region": 7}, "too few"),
        (lambda images, masks: (images, masks), {"into": 1}, "at least two"),
        (lambda images, masks: (0 * images, masks), {}, "too few"),
    ],
)
def test_what_cannot_be_cut_gets_one_sentence(skulls, spoil, options, message):
    with pytest.raises(ValueError, match=message):
        randomisation.subdivide(*spoil(*skulls), **options)


@pytest.fixture
def elsewhere(masks):
    """Three regions in other greys and in slightly other places, with noise."""
    random, greys = np.random.default_rng(0), np.array([20.0, 200.0, 110.0])
    moved = np.stack([np.roll(mask, random.integers(-1, 2, 2), (0, 1)) for mask in masks[:8]])
    noisy = greys[moved] + np.array([4.0, 15.0, 8.0])[moved] * random.standard_normal(moved.shape)
    return np.repeat(np.clip(noisy, 0, 255).round()[..., None], 3, -1).astype(np.uint8)


def test_greys_of_regions_are_found_without_their_masks(masks, elsewhere):
    means, spreads = randomisation.estimate_intensities(masks, elsewhere)
    np.testing.assert_allclose(means, [20, 200, 110], atol=3)
    np.testing.assert_allclose(spreads, [4, 15, 8], atol=2.5)
    rough, _ = randomisation.estimate_intensities(masks, elsewhere, rounds=1)
    assert np.abs(rough - [20, 200, 110]).max() > 3  # so each round counts, and so does the blur:
    assert not np.array_equal(rough, randomisation.estimate_intensities(masks, elsewhere, rounds=1, smooth=0)[0])


def test_pictures_are_painted_in_the_greys_that_were_found(masks):
    found = np.array([20.0, 200.0, 110.0]), np.array([4.0, 15.0, 8.0])
    painted = randomisation.synthesise_from_masks(masks, target_intensities=found, **PLAIN)[..., 0].astype(float)
    outer = np.array([np.median(image[mask == 1]) for image, mask in zip(painted, masks)])
    inner = np.array([np.median(image[mask == 2]) for image, mask in zip(painted, masks)])
    assert (
        (outer > inner).mean() > 0.98
        and abs(np.median(outer) - 200) < 8
        and abs(np.median(inner) - 110) < 12
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda masks, images: randomisation.estimate_intensities(masks, images[:, :8]), "one size"),
        (lambda masks, images: randomisation.estimate_intensities(masks, images[:0]), "at least one"),
        (lambda masks, images: randomisation.estimate_intensities(masks, images, rounds=0), "rounds"),
        (lambda masks, images: randomisation.estimate_intensities(masks, images, smooth=-1), "smooth"),
        (
            lambda masks, images: randomisation.synthesise_from_masks(masks, target_intensities=([1, 2], [1, 2])),
            "3 regions",
        ),
        (
            lambda masks, images: randomisation.synthesise_from_masks(
                masks, target_intensities=([1, 2, np.nan], [1, 2, 3])
            ),
            "target_intensities",
        ),
    ],
)
def test_greys_that_cannot_be_get_one_sentence(masks, elsewhere, call, message):
    with pytest.raises(ValueError, match=message):
        call(masks, elsewhere)
