"""Colours of one domain on images of another, beside scikit-image and stains mixed by the test."""

import numpy as np
import pytest
from skimage import color, exposure

from medlearn.adaptation import colour
from medlearn.instruments import smear

FUNCTIONS = [colour.reinhard, colour.match_histograms, colour.fourier, colour.macenko]
CLASSES = [colour.Reinhard, colour.HistogramMatching, colour.FourierAmplitude, colour.Macenko]


@pytest.fixture(scope="module")
def cells():
    names = ("lab-a", "lab-b")
    return {name: smear.single_cells(name, 12, size=64, seed=0).images for name in names}


def lab_moments(images):
    lab = np.array([color.rgb2lab(image) for image in images])
    return lab.mean((0, 1, 2)), lab.std((1, 2)).mean(0)


@pytest.mark.parametrize("function, normaliser", list(zip(FUNCTIONS, CLASSES, strict=True)))
def test_functions_are_their_classes_and_keep_shape_type_and_arguments(cells, function, normaliser):
    images, reference = cells["lab-b"], cells["lab-a"]
    before = images.copy()
    changed = function(images, reference)
    np.testing.assert_array_equal(images, before)
    assert changed.dtype == np.uint8 and changed.shape == before.shape
    assert not np.array_equal(changed, before)
    np.testing.assert_array_equal(changed, normaliser().fit(reference).transform(images))
    as_float = function(images.astype("float32"), reference)
    assert np.abs(as_float.astype(int) - changed).max() <= 1
    with pytest.raises(ValueError, match="call fit"):
        normaliser().transform(images)
    with pytest.raises(ValueError, match="reference images"):
        normaliser().fit(reference[:0])
    with pytest.raises(ValueError, match="images"):
        normaliser().fit(reference).transform(images[..., :1])


@pytest.mark.parametrize("function", FUNCTIONS[:3])
def test_the_mean_colour_comes_nearer_to_the_reference(cells, function):
    expected = cells["lab-a"].mean((0, 1, 2))
    before = cells["lab-b"].mean((0, 1, 2))
    after = function(cells["lab-b"], cells["lab-a"]).mean((0, 1, 2))
    assert np.linalg.norm(after - expected) < 0.4 * np.linalg.norm(before - expected)


def test_reinhard_gives_mean_and_deviation_in_lab():
    """Values are chosen so that nothing needs to be clipped."""
    grey = np.random.default_rng(0).integers(90, 160, (3, 40, 40, 3)).astype(np.uint8)
    reference = np.random.default_rng(1).integers(110, 150, (2, 40, 40, 3)).astype(np.uint8)
    mean, deviation = lab_moments(colour.reinhard(grey, reference))
    expected_mean, expected_deviation = lab_moments(reference)
    np.testing.assert_allclose(mean, expected_mean, atol=0.3)
    np.testing.assert_allclose(deviation, expected_deviation, atol=0.3)


def test_histograms_are_scikit_images_with_one_reference_or_a_drawn_few(cells):
    image, reference = cells["lab-b"][:1], cells["lab-a"]
    expected = np.round(exposure.match_histograms(image[0], reference[0], channel_axis=-1))
    matched = colour.match_histograms(image, reference[0])[0]
    np.testing.assert_array_equal(matched, expected.astype(np.uint8))
    few = colour.match_histograms(image, reference, references=2)
    every = colour.match_histograms(image, reference, references=12)
    redrawn = colour.match_histograms(image, reference, references=2, seed=5)
    assert not np.array_equal(few, every) and not np.array_equal(few, redrawn)


def test_fourier_takes_low_amplitudes_and_leaves_the_rest():
    random = np.random.default_rng(0)
    image = random.integers(100, 156, (1, 32, 32, 3)).astype(np.uint8)
    donor = random.integers(100, 156, (1, 32, 32, 3)).astype(np.uint8)
    changed = colour.fourier(image, donor, band=2 / 32)
    amplitudes = [np.abs(np.fft.fft2(x[0], axes=(0, 1))) for x in (image, donor, changed)]
    near = np.abs(np.fft.fftfreq(32)) <= 2 / 32
    low = near[:, None] & near[None]
    np.testing.assert_allclose(amplitudes[2][low], amplitudes[1][low], atol=40)  # rounded to uint8
    np.testing.assert_allclose(amplitudes[2][~low], amplitudes[0][~low], atol=60)
    only_mean = colour.fourier(image, donor, band=0.0)[0]
    np.testing.assert_allclose(only_mean.mean((0, 1)), donor[0].mean((0, 1)), atol=0.5)
    many = random.integers(0, 256, (9, 32, 32, 3)).astype(np.uint8)
    first, redrawn = (colour.fourier(many, many, 0.1, seed=seed) for seed in (0, 3))
    assert not np.array_equal(first, redrawn)


def stained(vectors, seed=0, side=64):
    """An image of two stains by the law of Beer and Lambert."""
    amounts = np.random.default_rng(seed).gamma(2.0, 0.4, (side, side, 2))
    amounts[:, : side // 2, 0] *= 0.05
    amounts[:, side // 2 :, 1] *= 0.05
    return np.clip(256 * np.exp(-amounts @ vectors) - 1, 0, 255).astype(np.uint8)


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


STAINS = unit_rows(np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]]))
REFERENCE_STAINS = unit_rows(np.array([[0.55, 0.76, 0.35], [0.20, 0.90, 0.38]]))


def test_macenko_restains_an_image_of_two_stains_as_the_truth_says():
    image, expected = stained(STAINS), stained(REFERENCE_STAINS)
    restained = colour.macenko(image[None], expected)[0]
    before = np.abs(image.astype(float) - expected).mean()
    after = np.abs(restained.astype(float) - expected).mean()
    assert after < 0.35 * before
    for option in ({"background": 0.5}, {"percentile": 10}):
        assert not np.array_equal(restained, colour.macenko(image[None], expected, **option)[0])


def test_macenko_leaves_an_empty_image_and_refuses_an_empty_reference():
    empty, image = np.full((1, 20, 20, 3), 250, np.uint8), stained(STAINS)
    np.testing.assert_array_equal(colour.macenko(empty, image), empty)
    one_dye = np.tile(np.array([60, 90, 200], np.uint8), (1, 20, 20, 1))
    np.testing.assert_array_equal(colour.macenko(one_dye, image), one_dye)
    with pytest.raises(ValueError, match="reference holds no stained pixels"):
        colour.macenko(image[None], empty)


@pytest.mark.parametrize(
    ("band", "shape", "message"),
    [(0.6, (1, 8, 8, 3), "band=0.6"), (0.1, (1, 9, 8, 3), "differ in size")],
)
def test_fourier_refuses(band, shape, message):
    with pytest.raises(ValueError, match=message):
        colour.fourier(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(shape, np.uint8), band)


def test_flat_images_and_colours_that_no_screen_shows_give_no_warning(recwarn):
    loud = np.zeros((1, 16, 16, 3), np.uint8)
    loud[0, :8] = (255, 0, 255)
    reference = np.array([[[0, 0, 255], [255, 255, 0]]], np.uint8).repeat(8, 0).repeat(4, 1)
    colour.reinhard(loud, reference)
    flat = np.full((1, 16, 16, 3), 200, np.uint8)
    for function in FUNCTIONS[:3]:
        changed = function(flat, np.full((1, 16, 16, 3), 100, np.uint8))
        assert np.abs(changed.astype(int) - 100).max() <= 1
    assert not [warning for warning in recwarn if issubclass(warning.category, UserWarning)]
