"""Images as another laboratory might have taken them, beside the physics that they claim."""

import numpy as np
import pytest
from scipy import ndimage

from medlearn.adaptation import randomisation

PLAIN = {"stain": 0.0, "mix": 0.0, "light": 0.0, "zoom": 1.0, "blur": 0.0, "noise": 0.0}


@pytest.fixture
def cells():
    """Eighty frames of a dark disc with a darker core, and their masks."""
    far = np.hypot(*(np.mgrid[:48, :48] - 23.5))
    mask = (far < 14).astype(np.uint8) + (far < 6)
    image = np.array([[230, 220, 210], [180, 120, 170], [90, 60, 140]], np.uint8)[mask]
    return np.repeat(image[None], 80, axis=0), np.repeat(mask[None], 80, axis=0)


def flat(value=(200, 120, 60), count=400):
    return np.full((count, 32, 32, 3), value, np.uint8), np.zeros((count, 32, 32), np.uint8)


def test_without_any_range_nothing_changes(cells):
    images, masks = randomisation.randomise_appearance(*cells, **PLAIN)
    assert (
        images.dtype == np.uint8
        and np.array_equal(images, cells[0])
        and np.array_equal(masks, cells[1])
    )


def test_stains_multiply_absorbance_within_their_range():
    images, masks = flat()
    seen, _ = randomisation.randomise_appearance(images, masks, **PLAIN | {"stain": 0.4})
    factor = np.log(255 / seen[:, 0, 0]) / np.log(255 / images[:, 0, 0])
    assert 0.58 < factor.min() < 0.66 and 1.34 < factor.max() < 1.42
    assert abs(np.corrcoef(factor, rowvar=False)[0, 1]) < 0.15  # each channel for itself


def test_mixing_lets_one_channel_absorb_for_another():
    images, masks = flat((255, 60, 255))
    red = randomisation.randomise_appearance(images, masks, **PLAIN | {"mix": 0.3})[0][:, 0, 0, 0]
    assert np.mean(red == 255) == pytest.approx(0.5, abs=0.1)  # what would shine stays white
    assert np.log(255 / red.min()) / np.log(255 / 60) == pytest.approx(0.3, abs=0.03)


def test_light_dims_empty_glass_within_its_range():
    glass, _ = randomisation.randomise_appearance(*flat((255, 255, 255)), **PLAIN | {"light": 0.3})
    assert 0.69 < glass.min() / 255 < 0.72 and glass.max() > 250


def test_masks_follow_their_images_through_the_zoom(cells):
    images, masks = randomisation.randomise_appearance(*cells, **PLAIN | {"zoom": 1.3})
    areas = (masks > 0).sum((1, 2)) / (cells[1][0] > 0).sum()
    assert 0.56 < areas.min() < 0.64 and 1.59 < areas.max() < 1.72  # lengths 1 / 1.3 to 1.3
    darker = images[..., 1] < 170
    assert np.mean(darker != (masks > 0), axis=(1, 2)).max() < 0.03  # only along the border
    assert set(np.unique(masks)) == {0, 1, 2}


def test_noise_and_blur_are_no_more_than_they_say():
    grey = randomisation.randomise_appearance(*flat((128, 128, 128)), **PLAIN | {"noise": 0.05})[0].astype(float)
    spreads = grey.std((1, 2, 3))
    assert 11.5 < spreads.max() < 13.5 and spreads.min() < 2
    edge = np.zeros((200, 32, 32, 3), np.uint8)
    edge[:, :, 16:] = 255
    seen = randomisation.randomise_appearance(edge, np.zeros((200, 32, 32), np.uint8), **PLAIN | {"blur": 2.0})[
        0
    ].astype(float)
    softest = ndimage.gaussian_filter1d(edge[0, 0, :, 0].astype(float), 2.0)
    assert (seen[:, 0, 12, 0] <= softest[12] + 1).all() and seen[:, 0, 12, 0].max() > 0.8 * softest[
        12
    ]


@pytest.mark.parametrize(
    "option",
    [
        {"stain": 0.9},
        {"mix": 0.6},
        {"light": 0.6},
        {"zoom": 2.0},
        {"blur": 3.0},
        {"noise": 0.2},
        {"seed": 1},
    ],
)
def test_each_range_matters(cells, option):
    assert np.any(randomisation.randomise_appearance(*cells)[0] != randomisation.randomise_appearance(*cells, **option)[0])


def test_same_seed_same_looks_and_the_given_stays(cells):
    before = [each.copy() for each in cells]
    first, again = (randomisation.randomise_appearance(*cells, seed=3) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert all(np.array_equal(a, b) for a, b in zip(before, cells))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda i, m: (i / 255, m), "uint8"),
        (lambda i, m: (i[..., :1], m), "RGB|3"),
        (lambda i, m: (i[:0], m[:0]), "at least one|empty"),
        (lambda i, m: (i, m[:3]), "do not belong together"),
        (lambda i, m: (i, m.astype(float)), "whole numbers"),
    ],
)
def test_bad_images_and_masks_get_one_sentence(cells, spoil, message):
    with pytest.raises(ValueError, match=message):
        randomisation.randomise_appearance(*spoil(*cells))


@pytest.mark.parametrize(
    "option",
    [{"stain": 1.0}, {"light": 1.0}, {"mix": -0.1}, {"blur": -1.0}, {"noise": -0.1}, {"zoom": 0.9}],
)
def test_bad_ranges_get_one_sentence(cells, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        randomisation.randomise_appearance(*cells, **option)
