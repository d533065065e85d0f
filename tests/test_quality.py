"""The dials spoil what they say and nothing else; the measures notice, and agree with scikit-image, SciPy and Pillow."""

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
    """Two crops of photographs that ship with scikit-image, neither of them a microscope's."""
    return np.stack([data.astronaut()[:128, 100:228], data.chelsea()[40:168, 120:248]])


EACH = [("blur", 1.5), ("noise", 12.0), ("stain", 0.5), ("jpeg", 10)]
NEUTRAL = [("blur", 0), ("noise", 0), ("stain", 1)]


# ---- dials ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, amount", EACH)
def test_a_dial_returns_bytes_of_the_same_shape_and_leaves_its_input_alone(
    name, amount, photographs
):
    before = photographs.copy()
    spoiled = quality.DIALS[name](photographs, amount)
    assert spoiled.dtype == np.uint8 and spoiled.shape == photographs.shape
    assert (spoiled != photographs).mean() > 0.2
    np.testing.assert_array_equal(photographs, before)


@pytest.mark.parametrize("name, amount", EACH)
def test_a_batch_is_its_images_one_by_one(name, amount, photographs):
    dial = quality.DIALS[name]
    np.testing.assert_array_equal(dial(photographs, amount)[0], dial(photographs[0], amount))
    if name != "noise":  # which differs from image to image
        np.testing.assert_array_equal(dial(photographs, amount)[1], dial(photographs[1], amount))


@pytest.mark.parametrize("name, amount", NEUTRAL)
def test_a_dial_at_rest_changes_nothing(name, amount, photographs):
    np.testing.assert_array_equal(quality.DIALS[name](photographs, amount), photographs)


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
    spoiled = [quality.DIALS[name](cells, amount).astype(float) for amount in amounts]
    distances = [np.abs(each - cells).mean() for each in spoiled]
    assert all(one < other for one, other in itertools.pairwise(distances)), distances


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
    np.testing.assert_array_equal(noisy[:1], quality.noise(flat[:1], 10.0))


def test_stain_scales_the_optical_density_and_keeps_the_glass():
    """Beer-Lambert: of a slide with three depths of dye, the densities double, as in scikit-image's own stain space."""
    glass = np.array([240.0, 230.0, 220.0])
    depth = (
        np.repeat([0.0, 0.2, 0.5], (24, 4, 4))[:, None, None]
        * np.array([0.9, 1.2, 0.4])
        * np.ones((32, 32, 1))
    )
    slide = np.rint(glass * np.exp(-depth)).astype(np.uint8)
    twice = quality.stain(slide, 2.0)
    np.testing.assert_allclose(-np.log(twice / glass), 2 * depth, atol=0.02)
    np.testing.assert_array_equal(twice[:24], slide[:24])
    white = np.rint(255 * np.exp(-depth)).astype(np.uint8)
    hed, more = (color.rgb2hed(image)[24:] for image in (white, quality.stain(white, 1.5)))
    strongest = hed[..., 0].mean(), more[..., 0].mean()
    assert strongest[1] == pytest.approx(1.5 * strongest[0], rel=0.05)


def test_jpeg_is_pillows_with_half_the_colours(photographs):
    file = io.BytesIO()
    Image.fromarray(photographs[1]).save(file, "JPEG", quality=12, subsampling=2)
    np.testing.assert_array_equal(quality.jpeg(photographs[1], 12), np.asarray(Image.open(file)))


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda image: quality.blur(image, -1), "sigma_px=-1 is a width in pixels"),
        (lambda image: quality.blur(image, np.nan), "sigma_px=nan is a width"),
        (lambda image: quality.noise(image, -3), "sd_grey=-3 is a standard deviation"),
        (lambda image: quality.stain(image, 0), "strength=0 is a factor"),
        (lambda image: quality.stain(image, np.inf), "strength=inf is a factor"),
        (lambda image: quality.jpeg(image, 0), "quality=0 is JPEG's own whole number"),
        (lambda image: quality.jpeg(image, 96), "quality=96 is JPEG's"),
        (lambda image: quality.jpeg(image, 20.5), "quality=20.5 is JPEG's"),
        (lambda image: quality.blur(image / 255, 1), "not float64"),
        (lambda image: quality.jpeg(image[..., 0], 9), r"here the shape is \(32, 32\)"),
        (lambda image: quality.stain(image[..., :2], 2), r"here the shape is \(32, 32, 2\)"),
        (lambda image: quality.noise(image[:0], 2), r"here the shape is \(0, 32, 3\)"),
        (lambda image: quality.sharpness(image), r"goes in as image\[None\]"),
        (lambda image: quality.density(image), r"goes in as image\[None\]"),
        (lambda image: quality.blockiness(image[None, :15]), "15 x 32 pixels"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(np.full((32, 32, 3), 100, np.uint8))


# ---- measures --------------------------------------------------------------------------------------------------


def test_sharpness_is_the_variance_of_scikit_images_laplacian(photographs):
    grey = photographs @ [0.299, 0.587, 0.114]
    oracle = [
        filters.laplace(each / 255).var() * 255**2 for each in grey
    ]  # the same but for the rows at the rim
    assert quality.sharpness(photographs) == pytest.approx(oracle, rel=0.05)


@pytest.mark.parametrize("sd", [4.0, 9.0, 20.0])
def test_graininess_finds_the_noise_that_was_put_in(sd):
    slope = np.add.outer(np.arange(128), np.arange(128)) / 2 + 60
    image = np.repeat(slope.astype(np.uint8)[..., None], 3, -1)[None]
    grain = np.repeat(np.random.default_rng(0).normal(0, sd, (1, 128, 128, 1)), 3, -1)  # grey noise
    noisy = np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)
    assert quality.graininess(noisy) == pytest.approx(sd, rel=0.06)


def test_density_follows_the_dye(cells):
    plain, twice, half = (
        quality.density(images).mean()
        for images in (cells, quality.stain(cells, 2), quality.stain(cells, 0.5))
    )
    assert half / plain == pytest.approx(0.5, abs=0.05)
    assert 1.7 < twice / plain <= 2.05  # black is black: the darkest nuclei cannot double


def test_blockiness_needs_the_blocks_where_jpeg_put_them(photographs):
    saved = quality.jpeg(photographs, 10)
    assert (quality.blockiness(saved) > 1.3).all()
    assert (np.abs(quality.blockiness(photographs) - 1) < 0.15).all()
    assert (quality.blockiness(saved[:, 4:, 4:]) < quality.blockiness(saved) - 0.3).all()
    assert quality.blockiness(np.full((1, 32, 32, 3), 9, np.uint8)) == pytest.approx(1)


@pytest.mark.parametrize("axis", [1, 2])
def test_blockiness_sees_both_directions(axis):
    steps = np.random.default_rng(0).integers(0, 256, 16).repeat(8)
    image = np.broadcast_to(
        steps.reshape((-1, 1, 1) if axis == 1 else (1, -1, 1)), (128, 128, 3)
    ).astype(np.uint8)
    assert quality.blockiness(image[None])[0] > 5


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
    before, after = (
        quality.measure(images)[measure] for images in (cells, quality.DIALS[dial](cells, amount))
    )
    assert (np.sign(after - before) == sign).mean() > 0.95


# ---- what is normal ------------------------------------------------------------------------------------------------


def test_limits_leave_their_share_outside_half_on_each_side():
    values = {"a": np.arange(1001.0), "b": -np.arange(1001.0)}
    normal = quality.limits(values, outside=0.1)
    assert normal["a"] == pytest.approx((50, 950)) and normal["b"] == pytest.approx((-950, -50))
    alarms = quality.alarms(values, normal)
    assert alarms["a"].mean() == pytest.approx(0.1, abs=0.002)
    assert alarms["a"][:50].all() and alarms["a"][-50:].all() and not alarms["a"][50:951].any()


def test_a_blurred_batch_raises_the_alarm_for_sharpness(cells):
    normal = quality.limits(quality.measure(cells))
    alarms = quality.alarms(quality.measure(quality.blur(cells, 3)), normal)
    assert alarms.keys() == quality.MEASURES.keys()
    assert alarms["sharpness"].all() and not alarms["density"].mean() > 0.2


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: quality.limits({"a": np.zeros(30)}, outside=0), "outside=0 is the share"),
        (lambda: quality.limits({"a": np.zeros(30)}, outside=1.0), "outside=1.0 is the share"),
        (lambda: quality.limits({"a": np.zeros(19)}), "19 images do not tell"),
        (lambda: quality.limits({}), "0 images do not tell"),
        (
            lambda: quality.alarms({"a": np.zeros(3), "b": np.zeros(3)}, {"b": (0, 1)}),
            "no limits for a;",
        ),
    ],
)
def test_limits_that_cannot_be_are_said_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
