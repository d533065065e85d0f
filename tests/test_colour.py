"""Colours of one laboratory on images of another, held to scikit-image and to stains that the test mixed itself."""

import numpy as np
import pytest
from skimage import color, exposure

from medlearn.adaptation import colour
from medlearn.instruments import smear

ALL = [colour.reinhard, colour.match_histograms, colour.fourier, colour.macenko]


@pytest.fixture(scope="module")
def cells():
    return {
        name: smear.single_cells(name, 12, size=64, seed=0).images
        for name in ("lab-a", "lab-b", "lab-a-restained")
    }


def moments(images):
    lab = np.array([color.rgb2lab(image) for image in images])
    return lab.mean((0, 1, 2)), lab.std((1, 2)).mean(0)


@pytest.mark.parametrize("normalise", ALL)
def test_images_come_out_as_they_went_in_but_in_other_colours(cells, normalise):
    before = cells["lab-b"].copy()
    changed = normalise(cells["lab-b"], cells["lab-a"])
    np.testing.assert_array_equal(cells["lab-b"], before)
    assert (
        changed.dtype == np.uint8
        and changed.shape == before.shape
        and not np.array_equal(changed, before)
    )
    np.testing.assert_array_equal(changed, normalise(cells["lab-b"], cells["lab-a"]))


@pytest.mark.parametrize("normalise", [colour.reinhard, colour.match_histograms, colour.fourier])
def test_the_mean_colour_comes_nearer_to_the_reference(cells, normalise):
    wanted = cells["lab-a"].mean((0, 1, 2))
    before, after = (
        cells["lab-b"].mean((0, 1, 2)),
        normalise(cells["lab-b"], cells["lab-a"]).mean((0, 1, 2)),
    )
    assert np.linalg.norm(after - wanted) < 0.4 * np.linalg.norm(before - wanted)


def test_reinhard_gives_mean_and_deviation_in_lab(cells):
    grey = (
        np.random.default_rng(0).integers(90, 160, (3, 40, 40, 3)).astype(np.uint8)
    )  # nothing needs to be clipped
    reference = np.random.default_rng(1).integers(110, 150, (2, 40, 40, 3)).astype(np.uint8)
    for got, wanted in zip(moments(colour.reinhard(grey, reference)), moments(reference)):
        np.testing.assert_allclose(got, wanted, atol=0.3)


def test_one_reference_and_many_and_how_many(cells):
    image, one = cells["lab-b"][:1], cells["lab-a"][0]
    np.testing.assert_array_equal(
        colour.match_histograms(image, one)[0],
        np.round(exposure.match_histograms(image[0], one, channel_axis=-1)).astype(np.uint8),
    )
    few, all_, other = (
        colour.match_histograms(image, cells["lab-a"], **how)
        for how in ({"references": 2}, {"references": 12}, {"references": 2, "seed": 5})
    )
    assert not np.array_equal(few, all_) and not np.array_equal(few, other)


def test_fourier_takes_low_amplitudes_and_leaves_the_rest():
    random = np.random.default_rng(0)
    image, other = (random.integers(100, 156, (1, 32, 32, 3)).astype(np.uint8) for _ in range(2))
    changed = colour.fourier(image, other, band=2 / 32)[0].astype(float)
    spectra = [np.abs(np.fft.fft2(each, axes=(0, 1))) for each in (image[0], other[0], changed)]
    near = np.abs(np.fft.fftfreq(32)) <= 2 / 32
    low = near[:, None] & near[None]
    np.testing.assert_allclose(spectra[2][low], spectra[1][low], atol=40)  # rounding to whole greys
    np.testing.assert_allclose(spectra[2][~low], spectra[0][~low], atol=60)
    np.testing.assert_allclose(
        colour.fourier(image, other, band=0.0)[0].mean((0, 1)), other[0].mean((0, 1)), atol=0.5
    )
    assert not np.array_equal(colour.fourier(image, other, 0.1), colour.fourier(image, other, 0.3))
    many = random.integers(0, 256, (9, 32, 32, 3)).astype(np.uint8)
    assert not np.array_equal(
        colour.fourier(many, many, 0.1, seed=0), colour.fourier(many, many, 0.1, seed=3)
    )


def stained(vectors, strengths, seed=0, side=64):
    """A picture of two stains by Beer and Lambert; returns it with its amounts."""
    amounts = np.random.default_rng(seed).gamma(2.0, 0.4, (side, side, 2)) * strengths
    amounts[:, : side // 2, 0] *= 0.05
    amounts[:, side // 2 :, 1] *= 0.05
    return np.clip(256 * np.exp(-amounts @ vectors) - 1, 0, 255).astype(np.uint8)


HERE = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])
THERE = np.array([[0.55, 0.76, 0.35], [0.20, 0.90, 0.38]])
HERE, THERE = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (HERE, THERE))


def test_macenko_restains_a_two_stain_picture_as_the_truth_says():
    given, wanted = stained(HERE, 1.0), stained(THERE, 1.0)
    restained = colour.macenko(given[None], wanted)[0]
    before, after = (np.abs(each.astype(float) - wanted).mean() for each in (given, restained))
    assert after < 0.35 * before


def test_macenko_leaves_an_empty_picture_and_refuses_an_empty_reference():
    empty = np.full((1, 20, 20, 3), 250, np.uint8)
    np.testing.assert_array_equal(colour.macenko(empty, stained(HERE, 1.0)), empty)
    with pytest.raises(ValueError, match="reference holds no stained pixels"):
        colour.macenko(stained(HERE, 1.0)[None], empty)
    settings = [
        colour.macenko(stained(HERE, 1.0)[None], stained(THERE, 1.0), **how)
        for how in ({}, {"background": 0.5}, {"percentile": 10})
    ]
    assert not np.array_equal(settings[0], settings[1]) and not np.array_equal(
        settings[0], settings[2]
    )


@pytest.mark.parametrize("normalise", ALL)
@pytest.mark.parametrize(
    ("images", "reference", "message"),
    [
        (np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8, 3), np.uint8), "images should be uint8"),
        (
            np.zeros((2, 8, 8, 1), np.uint8),
            np.zeros((2, 8, 8, 3), np.uint8),
            "images should be uint8",
        ),
        (
            np.zeros((2, 8, 8, 3), np.uint8),
            np.zeros((0, 8, 8, 3), np.uint8),
            "at least one picture",
        ),
    ],
)
def test_what_is_no_picture_is_refused(normalise, images, reference, message):
    with pytest.raises(ValueError, match=message):
        normalise(images, reference)


@pytest.mark.parametrize(
    ("band", "shape", "message"),
    [(0.6, (1, 8, 8, 3), "band=0.6"), (0.1, (1, 9, 8, 3), "differ in size")],
)
def test_fourier_refuses(band, shape, message):
    with pytest.raises(ValueError, match=message):
        colour.fourier(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(shape, np.uint8), band)


def test_colours_that_no_screen_shows_are_clipped_without_a_word(recwarn):
    loud = np.zeros((1, 16, 16, 3), np.uint8)
    loud[0, :8] = (255, 0, 255)
    colour.reinhard(
        loud, np.array([[[0, 0, 255], [255, 255, 0]]], np.uint8).repeat(8, 0).repeat(4, 1)
    )
    assert not [each for each in recwarn if issubclass(each.category, UserWarning)]


def test_a_flat_picture_does_not_break_anything():
    flat = np.full((1, 16, 16, 3), 200, np.uint8)
    for normalise in ALL[:3]:
        assert normalise(flat, np.full((1, 16, 16, 3), 100, np.uint8)).dtype == np.uint8
