"""Dials degrade one property; measures notice it and agree with scikit-image, SciPy and Pillow."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image
from skimage import color, data, filters

from medlearn.curation import quality
from medlearn.instruments import smear


@pytest.fixture(scope="module")
def cells():
    return smear.single_cells("lab-a", 24, size=128, seed=3).images


@pytest.fixture(scope="module")
def photographs():
    """Two crops of photographs that ship with scikit-image."""
    return np.stack([data.astronaut()[:128, 100:228], data.chelsea()[40:168, 120:248]])


# ---- dials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, amount, neutral",
    [("blur", 1.5, 0), ("noise", 12, 0), ("stain", 0.5, 1), ("jpeg", 10, None)],
)
def test_a_dial_returns_new_bytes_of_the_same_shape(name, amount, neutral, photographs):
    dial, before = quality.DIALS[name], photographs.copy()
    degraded = dial(photographs, amount)
    assert degraded.dtype == np.uint8 and degraded.shape == photographs.shape
    assert (degraded != photographs).mean() > 0.2
    np.testing.assert_array_equal(photographs, before)
    np.testing.assert_array_equal(degraded[0], dial(photographs[0], amount))
    np.testing.assert_array_equal(degraded, dial(photographs.astype(np.float32), amount))
    if name != "noise":  # which differs from image to image
        np.testing.assert_array_equal(degraded[1], dial(photographs[1], amount))
    if neutral is not None:
        np.testing.assert_array_equal(dial(photographs, neutral), photographs)


@pytest.mark.parametrize(
    "name, amounts",
    [
        ("blur", (0.5, 1, 2, 4)),
        ("noise", (2, 8, 20, 40)),
        ("stain", (1.2, 1.6, 2.2)),
        ("stain", (0.9, 0.6, 0.3)),
        ("jpeg", (80, 40, 15, 5)),
    ],
)
def test_further_is_worse(name, amounts, cells):
    degraded = [quality.DIALS[name](cells, amount).astype(float) for amount in amounts]
    distances = [np.abs(images - cells).mean() for images in degraded]
    assert all(less < more for less, more in itertools.pairwise(distances)), distances


def test_blur_is_that_of_scikit_image(photographs):
    oracle = filters.gaussian(
        photographs[0], 2.0, mode="nearest", preserve_range=True, channel_axis=-1
    )
    assert np.abs(quality.blur(photographs[0], 2.0) - oracle).max() <= 0.51


def test_noise_has_its_standard_deviation_in_each_colour_and_its_seed():
    flat = np.full((2, 64, 64, 3), 128, np.uint8)
    noisy = quality.noise(flat, 10.0)
    assert noisy.std((0, 1, 2)) == pytest.approx([10, 10, 10], rel=0.05)
    assert noisy.mean() == pytest.approx(128, abs=0.3)
    np.testing.assert_array_equal(noisy, quality.noise(flat, 10.0, seed=0))
    assert (noisy != quality.noise(flat, 10.0, seed=1)).mean() > 0.9


def test_stain_scales_the_optical_density_and_keeps_the_glass():
    """Beer-Lambert: three densities of dye double, also in the stain space of scikit-image."""
    glass = np.array([240.0, 230.0, 220.0])
    depth = np.repeat([0.0, 0.2, 0.5], (24, 4, 4))[:, None, None] * np.array([0.9, 1.2, 0.4])
    depth = depth * np.ones((32, 32, 1))
    slide = np.rint(glass * np.exp(-depth)).astype(np.uint8)
    twice = quality.stain(slide, 2.0)
    np.testing.assert_allclose(-np.log(twice / glass), 2 * depth, atol=0.02)
    np.testing.assert_array_equal(twice[:24], slide[:24])
    white = np.rint(255 * np.exp(-depth)).astype(np.uint8)
    before = color.rgb2hed(white)[24:, :, 0].mean()
    after = color.rgb2hed(quality.stain(white, 1.5))[24:, :, 0].mean()
    assert after == pytest.approx(1.5 * before, rel=0.05)


def test_jpeg_is_that_of_pillow_with_half_the_colours(photographs):
    file = io.BytesIO()
    Image.fromarray(photographs[1]).save(file, "JPEG", quality=12, subsampling=2)
    np.testing.assert_array_equal(quality.jpeg(photographs[1], 12), np.asarray(Image.open(file)))


@pytest.mark.parametrize(
    "function, arguments, sentence",
    [
        (quality.blur, (-1,), "sigma_px=-1 is a width in pixels"),
        (quality.noise, (np.nan,), "sd_grey=nan is a standard deviation"),
        (quality.stain, (0,), "strength=0 is a factor"),
        (quality.jpeg, (96,), "quality must be a whole number from 1 to 95; it was 96"),
        (quality.sharpness, (), r"a single image goes in as images\[None\]"),
    ],
)
def test_what_cannot_be_is_answered_in_one_sentence(function, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        function(np.full((32, 32, 3), 100, np.uint8), *arguments)


def test_images_are_checked_as_everywhere():
    with pytest.raises(ValueError, match="run from 0 to 1, but 0 to 255"):
        quality.blur(np.linspace(0, 1, 300).reshape(10, 10, 3), 1)
    with pytest.raises(ValueError, match="of type int16"):
        quality.density(np.full((1, 9, 9, 3), 100, np.int16))
    with pytest.raises(ValueError, match="15 x 32 pixels"):
        quality.blockiness(np.full((1, 15, 32, 3), 100, np.uint8))


# ---- measures ------------------------------------------------------------------------------------


def test_sharpness_is_the_variance_of_the_laplacian_of_scikit_image(photographs):
    greys = photographs @ [0.299, 0.587, 0.114]
    oracle = [filters.laplace(grey / 255).var() * 255**2 for grey in greys]  # but for the rim
    assert quality.sharpness(photographs) == pytest.approx(oracle, rel=0.05)


@pytest.mark.parametrize("sd", [4.0, 20.0])
def test_graininess_finds_the_noise_that_was_put_in(sd):
    slope = np.add.outer(np.arange(128), np.arange(128)) / 2 + 60
    image = np.repeat(slope.astype(np.uint8)[..., None], 3, -1)[None]
    grain = np.repeat(np.random.default_rng(0).normal(0, sd, (1, 128, 128, 1)), 3, -1)  # grey noise
    noisy = np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)
    assert quality.graininess(noisy) == pytest.approx(sd, rel=0.06)


def test_density_follows_the_dye(cells):
    plain = quality.density(cells).mean()
    assert quality.density(quality.stain(cells, 0.5)).mean() / plain == pytest.approx(0.5, abs=0.05)
    # Black is black: the darkest nuclei cannot double.
    assert 1.7 < quality.density(quality.stain(cells, 2)).mean() / plain <= 2.05


def test_blockiness_needs_the_blocks_where_jpeg_put_them(photographs):
    saved = quality.jpeg(photographs, 10)
    assert (quality.blockiness(saved) > 1.3).all()
    assert (np.abs(quality.blockiness(photographs) - 1) < 0.15).all()
    assert (quality.blockiness(saved[:, 4:, 4:]) < quality.blockiness(saved) - 0.3).all()
    assert quality.blockiness(np.full((1, 32, 32, 3), 9, np.uint8)) == pytest.approx(1)


def test_blockiness_sees_both_directions():
    steps = np.random.default_rng(0).integers(0, 256, 16).repeat(8)
    across = np.repeat(np.tile(steps, (128, 1))[..., None], 3, axis=-1).astype(np.uint8)
    images = np.stack([across, across.swapaxes(0, 1)])
    assert (quality.blockiness(images) > 5).all()


@pytest.mark.parametrize(
    "dial, amount, measure, sign",
    [
        ("blur", 2.0, "sharpness", -1),
        ("noise", 12.0, "graininess", 1),
        ("stain", 0.4, "density", -1),
        ("stain", 2.0, "density", 1),
        ("jpeg", 8, "blockiness", 1),
    ],
)
def test_each_dial_moves_its_measure(dial, amount, measure, sign, cells):
    before = quality.MEASURES[measure](cells)
    after = quality.MEASURES[measure](quality.DIALS[dial](cells, amount))
    assert (np.sign(after - before) == sign).mean() > 0.95


# ---- what is normal ------------------------------------------------------------------------------


def test_the_normal_range_leaves_its_share_outside_half_on_each_side():
    values = {"a": np.arange(1001.0), "b": -np.arange(1001.0)}
    normal = quality.normal_range(values, outside=0.1)
    assert normal["a"] == pytest.approx((50, 950)) and normal["b"] == pytest.approx((-950, -50))
    outside = quality.out_of_range(values, normal)["a"]
    assert outside.mean() == pytest.approx(0.1, abs=0.002)
    assert outside[:50].all() and outside[-50:].all() and not outside[50:951].any()


def test_a_blurred_batch_is_out_of_range_in_sharpness(cells):
    normal = quality.normal_range(quality.measure(cells))
    alarms = quality.out_of_range(quality.measure(quality.blur(cells, 3)), normal)
    assert alarms.keys() == quality.MEASURES.keys()
    assert alarms["sharpness"].all() and not alarms["density"].mean() > 0.2


def test_a_range_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="is the share of good images"):
        quality.normal_range({"a": np.zeros(30)}, outside=1.0)
    with pytest.raises(ValueError, match="19 images do not show"):
        quality.normal_range({"a": np.zeros(19)})
    with pytest.raises(ValueError, match="no range for a;"):
        quality.out_of_range({"a": np.zeros(3), "b": np.zeros(3)}, {"b": (0, 1)})
