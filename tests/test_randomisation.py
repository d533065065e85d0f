"""Randomised appearance beside the physics it claims, and images synthesised from masks."""

import numpy as np
import pytest
from scipy import ndimage

from medlearn.adaptation import randomisation

# ---- randomised appearance ---------------------------------------------------------------------

UNCHANGED = {"stain": 0.0, "mix": 0.0, "light": 0.0, "zoom": 1.0, "blur": 0.0, "noise": 0.0}


@pytest.fixture
def cells():
    """Eighty images of a dark disc with a darker core, and their masks."""
    radius = np.hypot(*(np.mgrid[:48, :48] - 23.5))
    mask = (radius < 14).astype(np.uint8) + (radius < 6)
    image = np.array([[230, 220, 210], [180, 120, 170], [90, 60, 140]], np.uint8)[mask]
    return np.repeat(image[None], 80, axis=0), np.repeat(mask[None], 80, axis=0)


def randomised(images, masks, **options):
    return randomisation.randomise_appearance(images, masks, **UNCHANGED | options)


def flat(value=(200, 120, 60), count=400):
    return np.full((count, 32, 32, 3), value, np.uint8), np.zeros((count, 32, 32), np.uint8)


def test_without_any_range_nothing_changes(cells):
    images, masks = randomised(*cells)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, cells[0])
    np.testing.assert_array_equal(masks, cells[1])


def test_stains_multiply_absorbance_within_their_range():
    images, masks = flat()
    stained, _ = randomised(images, masks, stain=0.4)
    factor = np.log(255 / stained[:, 0, 0]) / np.log(255 / images[:, 0, 0])
    assert 0.58 < factor.min() < 0.66 and 1.34 < factor.max() < 1.42
    assert abs(np.corrcoef(factor, rowvar=False)[0, 1]) < 0.15  # each channel on its own


def test_mixing_lets_one_channel_absorb_for_another():
    images, masks = flat((255, 60, 255))
    red = randomised(images, masks, mix=0.3)[0][:, 0, 0, 0]
    assert np.mean(red == 255) == pytest.approx(0.5, abs=0.1)  # negative absorbance stays white
    assert np.log(255 / red.min()) / np.log(255 / 60) == pytest.approx(0.3, abs=0.03)


def test_light_dims_empty_glass_within_its_range():
    glass, _ = randomised(*flat((255, 255, 255)), light=0.3)
    assert 0.69 < glass.min() / 255 < 0.72 and glass.max() > 250


def test_masks_follow_their_images_through_the_zoom(cells):
    images, masks = randomised(*cells, zoom=1.3)
    areas = (masks > 0).sum((1, 2)) / (cells[1][0] > 0).sum()
    assert 0.56 < areas.min() < 0.64 and 1.59 < areas.max() < 1.72  # lengths 1 / 1.3 to 1.3
    dark = images[..., 1] < 170
    assert np.mean(dark != (masks > 0), axis=(1, 2)).max() < 0.03  # only along the border
    assert set(np.unique(masks)) == {0, 1, 2}


def test_noise_and_blur_are_no_more_than_documented():
    grey = randomised(*flat((128, 128, 128)), noise=0.05)[0].astype(float)
    deviations = grey.std((1, 2, 3))
    assert 11.5 < deviations.max() < 13.5 and deviations.min() < 2
    edge, masks = np.zeros((200, 32, 32, 3), np.uint8), np.zeros((200, 32, 32), np.uint8)
    edge[:, :, 16:] = 255
    blurred = randomised(edge, masks, blur=2.0)[0][:, 0, 12, 0].astype(float)
    softest = ndimage.gaussian_filter1d(edge[0, 0, :, 0].astype(float), 2.0)[12]
    assert (blurred <= softest + 1).all() and blurred.max() > 0.8 * softest


def test_a_seed_repeats_and_the_images_given_stay(cells):
    before = [array.copy() for array in cells]
    first = randomisation.randomise_appearance(*cells, seed=3)
    again = randomisation.randomise_appearance(*cells, seed=3)
    different = randomisation.randomise_appearance(*cells, seed=4)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], different[0])
    np.testing.assert_array_equal(cells[0], before[0])
    np.testing.assert_array_equal(cells[1], before[1])


def test_appearance_refuses_what_does_not_fit(cells):
    cases = [
        (lambda i, m: (i / 255, m), {}, "without rescaling"),
        (lambda i, m: (i, m[:3]), {}, "do not belong together"),
        (lambda i, m: (i, m.astype(float)), {}, "whole numbers"),
        (lambda i, m: (i, m), {"stain": 1.0}, "stain=1.0"),
        (lambda i, m: (i, m), {"zoom": 0.9}, "zoom=0.9"),
    ]
    for spoil, options, message in cases:
        with pytest.raises(ValueError, match=message):
            randomisation.randomise_appearance(*spoil(*cells), **options)


# ---- images synthesised from masks -------------------------------------------------------------

PLAIN = {"blur": 0.0, "bias": 0.0, "noise": 0.0, "coarse": 1.0}


@pytest.fixture
def masks():
    """300 masks of three classes: a square in a square."""
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24], mask[12:20, 12:20] = 1, 2
    return np.repeat(mask[None], 300, axis=0)


def region_means(images, masks, class_index):
    rows = zip(images[..., 0], masks, strict=True)
    return np.array([image[mask == class_index].mean() for image, mask in rows])


def test_regions_get_grey_levels_from_the_whole_range_independently(masks):
    images = randomisation.synthesise_from_masks(masks, **PLAIN)
    assert images.shape == (*masks.shape, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    inner, outer = region_means(images, masks, 2), region_means(images, masks, 1)
    assert inner.min() < 25 and inner.max() > 230
    assert abs(np.corrcoef(inner, outer)[0, 1]) < 0.2  # so any order of the tissues occurs
    assert 0.4 < np.mean(inner > outer) < 0.6


def test_the_background_is_dark_in_its_share_of_images(masks):
    for share in (0.0, 0.5, 1.0):
        images = randomisation.synthesise_from_masks(masks, dark_background=share, **PLAIN)
        corners = images[:, :4, :4, 0].mean((1, 2))
        assert abs(np.mean(corners < 12) - share) < 0.12


def test_each_range_matters_a_seed_repeats_and_masks_stay(masks):
    before = masks.copy()
    reference = randomisation.synthesise_from_masks(masks[:9])
    np.testing.assert_array_equal(reference, randomisation.synthesise_from_masks(masks[:9]))
    np.testing.assert_array_equal(masks, before)
    for option in (
        {"blur": 3.0},
        {"bias": 0.8},
        {"noise": 0.3},
        {"coarse": 4.0},
        {"spread": 0.4},
        {"seed": 1},
    ):
        changed = randomisation.synthesise_from_masks(masks[:9], **option)
        assert not np.array_equal(reference, changed), option


def test_noise_has_the_documented_deviation():
    """Noise is the only difference: deviations from 0 to 0.04 x 255, 5.1 on average."""
    ones = np.ones((600, 16, 16), np.uint8)
    clean = randomisation.synthesise_from_masks(ones, **PLAIN)[..., 0].astype(float)
    options = PLAIN | {"noise": 0.04}
    noisy = randomisation.synthesise_from_masks(ones, **options)[..., 0].astype(float)
    means = clean.mean((1, 2))
    middle = (means > 90) & (means < 165)  # where clipping and gamma change a deviation little
    deviations = (noisy - clean)[middle].std((1, 2))
    assert middle.sum() > 100
    assert abs(deviations.mean() - 5.1) < 0.8 and deviations.max() < 0.04 * 255 * 1.7


def test_synthesis_refuses_what_does_not_fit():
    cases = [
        (np.zeros((2, 8)), {}, "source_masks"),
        (np.zeros((0, 8, 8), int), {}, "source_masks"),
        (np.full((1, 8, 8), -1), {}, "source_masks"),
        (np.zeros((1, 8, 8), int), {"bias": 1.0}, "bias"),
        (np.zeros((1, 8, 8), int), {"coarse": 0.5}, "coarse"),
        (np.full((1, 8, 8), 2), {"target_intensities": ([1, 2], [1, 2])}, "3 classes"),
    ]
    for source_masks, options, message in cases:
        with pytest.raises(ValueError, match=message):
            randomisation.synthesise_from_masks(source_masks, **options)


# ---- a class divided by brightness -------------------------------------------------------------


@pytest.fixture
def skulls(masks):
    """Around the classes 1 and 2: black air, a grey ring and a white ring that no mask names."""
    grey = np.where(masks == 0, 5, 120)
    grey[:, 2:4, :], grey[:, 5:7, :] = 90, 230
    return np.repeat(grey[..., None], 3, -1)[:6].astype(np.uint8), masks[:6]


def test_a_class_is_divided_by_brightness_and_the_others_stay(skulls):
    images, masks = skulls
    fine = randomisation.subdivide(images, masks)
    np.testing.assert_array_equal(fine[masks > 0], masks[masks > 0])
    assert (fine[:, 2:4] == 3).all() and (fine[:, 5:7] == 4).all()  # numbered from the highest on
    assert (fine[(masks == 0) & (images[..., 0] == 5)] == 0).all()  # the darkest keeps its index
    two = randomisation.subdivide(images, masks, parts=2)
    assert set(np.unique(two)) == {0, 1, 2, 3} and (two[:, 5:7] == 3).all()
    images = images.copy()
    images[:, 14:16, 14:16] = 30
    inner = randomisation.subdivide(images, masks, class_index=2, parts=2)
    np.testing.assert_array_equal(inner[masks != 2], masks[masks != 2])
    assert (inner[:, 14:16, 14:16] == 2).all() and (inner == 3).any()


def test_each_part_gets_grey_levels_of_its_own(skulls):
    fine = randomisation.subdivide(*skulls)
    images = randomisation.synthesise_from_masks(fine, dark_background=1.0, **PLAIN)[..., 0]
    assert (images[:, 0].mean(1) < 15).all() and images[:, 2:4].mean((1, 2)).std() > 20


def test_what_cannot_be_divided_is_refused(skulls):
    cases = [
        (lambda images, masks: (images[:2], masks), {}, "belong together"),
        (lambda images, masks: (images, masks), {"class_index": 7}, "too few"),
        (lambda images, masks: (images, masks), {"parts": 1}, "at least two"),
    ]
    for spoil, options, message in cases:
        with pytest.raises(ValueError, match=message):
            randomisation.subdivide(*spoil(*skulls), **options)


# ---- grey levels of the target -----------------------------------------------------------------


@pytest.fixture
def target(masks):
    """Images of the three classes in known grey levels, slightly moved, with noise."""
    random, means = np.random.default_rng(0), np.array([20.0, 200.0, 110.0])
    moved = np.stack([np.roll(mask, random.integers(-1, 2, 2), (0, 1)) for mask in masks[:8]])
    deviations = np.array([4.0, 15.0, 8.0])[moved]
    noisy = means[moved] + deviations * random.standard_normal(moved.shape)
    return np.repeat(np.clip(noisy, 0, 255).round()[..., None], 3, -1).astype(np.uint8)


def test_intensities_of_classes_are_found_without_their_masks(masks, target):
    means, deviations = randomisation.estimate_intensities(masks, target)
    np.testing.assert_allclose(means, [20, 200, 110], atol=3)
    np.testing.assert_allclose(deviations, [4, 15, 8], atol=2.5)
    rough, _ = randomisation.estimate_intensities(masks, target, iterations=1)
    assert np.abs(rough - [20, 200, 110]).max() > 3  # so iterations count, and the blur does:
    sharp, _ = randomisation.estimate_intensities(masks, target, iterations=1, smooth=0)
    assert not np.array_equal(rough, sharp)


def test_images_are_synthesised_near_the_intensities_given(masks):
    intensities = np.array([20.0, 200.0, 110.0]), np.array([4.0, 15.0, 8.0])
    images = randomisation.synthesise_from_masks(masks, target_intensities=intensities, **PLAIN)
    outer, inner = region_means(images, masks, 1), region_means(images, masks, 2)
    assert (outer > inner).mean() > 0.98
    assert abs(np.median(outer) - 200) < 8 and abs(np.median(inner) - 110) < 12


def test_estimation_refuses_what_does_not_fit(masks, target):
    cases = [
        (lambda images: images[:, :8], {}, "one size"),
        (lambda images: images[:0], {}, "at least one"),
        (lambda images: images, {"iterations": 0}, "iterations"),
        (lambda images: images, {"smooth": -1}, "smooth"),
    ]
    for spoil, options, message in cases:
        with pytest.raises(ValueError, match=message):
            randomisation.estimate_intensities(masks, spoil(target), **options)
