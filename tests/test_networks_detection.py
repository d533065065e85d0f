"""The detector: its targets there and back, its losses by hand, and that it learns to find squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import backbones, metrics, networks
from medlearn._keras import keras, tf
from medlearn.metrics import boxes

SHAPE = (64, 96)


@st.composite
def spread_boxes(draw):
    """Boxes with sides from 16 pixels, and centres in cells of their own."""
    cells = draw(
        st.lists(st.tuples(st.integers(0, 7), st.integers(0, 11)), max_size=8, unique=True)
    )
    part = st.floats(0.1, 7.9)
    rows = []
    for row, column in cells:
        y, x = 8 * row + draw(part), 8 * column + draw(part)
        height, width = (draw(st.floats(16, 40)) for _ in range(2))
        rows.append(
            (y - height / 2, x - width / 2, y + height / 2, x + width / 2, draw(st.integers(0, 1)))
        )
    found = np.array(rows, float).reshape(-1, 5)
    inside = (found[:, :2] >= 0).all(1) & (found[:, 2:4] <= SHAPE).all(1)
    found = found[inside]
    crossing = (
        boxes.pairwise_iou(found, found) > 0.4
    )  # others' cells would be taken by the smaller box, or be suppressed
    return found[~np.triu(crossing, 1).any(0)]


# ---- there and back --------------------------------------------------------------------------------------------


@given(spread_boxes())
def test_decoding_the_targets_gives_the_boxes_back(true):
    centres, sides = networks.detection.assign(true, SHAPE, 2)
    found = networks.detection.decode(centres, sides, SHAPE, score_threshold=1.0, iou_threshold=0.5)
    assert len(found) <= len(true) and (found[:, 5] == 1).all()
    same = (np.abs(found[:, None, :5] - true[None]) < 1e-3).all(-1)  # the sides are float32
    assert same.any(axis=1).all()
    lonely = (boxes.pairwise_iou(true, true) > 0).sum(1) == 1
    assert same.any(axis=0)[lonely].all()


@given(spread_boxes())
def test_each_object_has_one_peak_and_one_vote(true):
    centres, sides = networks.detection.assign(true, SHAPE, 2)
    assert centres.shape == (8, 12, 2) and sides.shape == (8, 12, 5)
    assert centres.dtype == sides.dtype == np.float32
    assert (centres == 1).sum() == len(true) and centres.min() >= 0
    y, x = np.nonzero(sides[..., 4])
    middles = np.column_stack([8 * y + 4, 8 * x + 4])
    drawn = np.concatenate([middles - sides[y, x, :2], middles + sides[y, x, 2:4]], axis=1)
    owners = set(boxes.pairwise_iou(drawn, true).argmax(1).tolist()) if len(true) else set()
    assert np.isclose(sides[..., 4].sum(), len(owners), atol=1e-4)


def test_targets_by_hand():
    """A box of 32 x 16 pixels with its middle at (20, 44): cell (2, 5), whose middle is (20, 44) as well."""
    centres, sides = networks.detection.assign([[4, 36, 36, 52, 1]], SHAPE, 3)
    assert centres[2, 5].tolist() == [0, 1, 0] and (centres[..., 0] == 0).all()
    assert sides[2, 5, :4].tolist() == [16, 8, 16, 8]
    assert sides[3, 5, :4].tolist() == [24, 8, 8, 8]
    assert sides[2, 6, 4] == 0  # a cell aside is beyond the core
    assert np.isclose(centres[3, 5, 1], np.exp(-0.5 * (8 / 3.2) ** 2))
    assert np.isclose(sides[2, 5, 4], 1 / (1 + 2 * np.exp(-0.5 * (8 / 3.2) ** 2)))


def test_the_smaller_box_has_the_cell():
    large, small = [0, 0, 64, 64, 0], [24, 24, 40, 40, 0]
    for order in ([large, small], [small, large]):
        _, sides = networks.detection.assign(order, SHAPE, 1)
        assert sides[4, 4, :4].tolist() == [12, 12, 4, 4]


def test_boxes_over_the_edge_are_clipped_and_no_box_is_no_target():
    _, sides = networks.detection.assign([[-20, 0, 20, 16, 0]], SHAPE, 1)
    assert sides[1, 0, :4].tolist() == [12, 4, 8, 12]
    out = networks.detection.encode_targets([np.zeros((0, 5)), [[0, 0, 16, 16, 0]]], SHAPE, 1)
    assert (
        out["centres"].shape == (2, 8, 12, 1)
        and out["centres"][0].max() == 0
        and out["sides"][0].max() == 0
    )
    assert out["centres"][1].max() == 1


def test_decoding_by_hand_and_its_options():
    heat, sides = np.zeros((8, 12, 2), np.float32), np.full((8, 12, 4), 10, np.float32)
    heat[2, 5, 0], heat[2, 6, 0], heat[7, 11, 1] = 0.9, 0.8, 0.4
    np.testing.assert_allclose(
        networks.detection.decode(heat, sides, SHAPE, iou_threshold=0.4),
        [[10, 34, 30, 54, 0, 0.9], [50, 82, 64, 96, 1, 0.4]],
        atol=1e-6,
    )
    assert len(networks.detection.decode(heat, sides, SHAPE, iou_threshold=0.5)) == 3
    assert len(networks.detection.decode(heat, sides, SHAPE, score_threshold=0.5, iou_threshold=0.4)) == 1
    assert len(networks.detection.decode(heat, sides, SHAPE, iou_threshold=0.5, max_detections=2)) == 2
    assert networks.detection.decode(np.zeros_like(heat), sides, SHAPE).shape == (0, 6)


# ---- losses ------------------------------------------------------------------------------------------------------


def test_centre_loss_by_hand():
    wanted, logits = (
        np.array([1.0, 0.5, 0.0]).reshape(1, 1, 3, 1),
        np.array([0.3, -0.2, 1.5]).reshape(1, 1, 3, 1),
    )
    p = 1 / (1 + np.exp(-logits.ravel()))
    expected = -(
        (1 - p[0]) ** 2 * np.log(p[0])
        + 0.5**4 * p[1] ** 2 * np.log(1 - p[1])
        + p[2] ** 2 * np.log(1 - p[2])
    )
    assert np.isclose(networks.detection.heatmap_loss(wanted, logits).numpy()[0], expected, rtol=1e-5)
    two = networks.detection.heatmap_loss(
        np.concatenate([wanted, np.zeros_like(wanted)]), np.concatenate([logits, logits - 99])
    )
    assert np.isclose(
        two.numpy().mean(), expected, rtol=1e-5
    )  # a sum over the batch for each of its objects
    extreme = networks.detection.heatmap_loss(wanted, np.array([-200.0, 200.0, 200.0]).reshape(1, 1, 3, 1))
    assert np.isfinite(extreme.numpy()).all()


@given(st.lists(st.floats(1, 50), min_size=8, max_size=8))
def test_sides_loss_is_one_minus_giou_of_the_boxes(values):
    true, told = np.reshape(values, (2, 4))
    as_boxes = [[[100 - t, 100 - left, 100 + b, 100 + r]] for t, left, b, r in (true, told)]
    wanted = np.append(true, 1.0).reshape(1, 1, 1, 5)
    loss = networks.detection.box_loss(wanted, told.reshape(1, 1, 1, 4)).numpy()[0]
    assert np.isclose(loss, 1 - boxes.pairwise_giou(*as_boxes)[0, 0], atol=1e-5)


def test_losses_without_an_object_are_finite_and_weights_count():
    sides = np.full((1, 2, 2, 4), 5.0)
    assert networks.detection.box_loss(np.zeros((1, 2, 2, 5)), sides).numpy()[0] == 0
    wanted = np.full((1, 1, 2, 5), 5.0)
    wanted[0, 0, :, 4] = 0.75, 0.25
    half_wrong = np.concatenate([sides[:, :1, :1], 2 * sides[:, :1, :1]], axis=2)
    assert np.isclose(networks.detection.box_loss(wanted, half_wrong).numpy()[0], 0.25 * 0.75)


# ---- the model ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoder():
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for number in range(4):
        x = keras.layers.Conv2D(
            8, 3, strides=2, padding="same", activation="relu", name=f"block_{number}"
        )(x)
    return keras.Model(image, x, name="tiny")


def test_shapes_layers_and_shared_weights(encoder):
    model = networks.detector(encoder, 2, channels=8)
    told = model(np.zeros((2, *SHAPE, 3), "float32"))
    assert told["centres"].shape == (2, 8, 12, 2) and told["sides"].shape == (2, 8, 12, 4)
    assert tf.reduce_min(told["sides"]) > 0
    assert {id(weight) for weight in model.get_layer("tiny").weights} == {
        id(weight) for weight in encoder.weights
    }
    chance = tf.sigmoid(told["centres"]).numpy().mean()
    assert 0.005 < chance < 0.02
    wider = networks.detector(encoder, 2, channels=16, layers=("block_2", "block_3"))
    assert wider.get_layer("mixed_conv").filters == 16


def test_the_last_map_of_each_size_is_taken_unless_named():
    lite = backbones.load("efficientnet_lite0", weights=None)

    def taken(**options):
        part = networks.detector(lite, 3, **options).get_layer("efficientnet_lite0")
        return [output.shape[-1] for output in part.outputs]

    assert taken() == [240, 672]
    assert taken(layers=("block_4", "block_10")) == [40, 112]


def test_the_seed_decides_the_decoder(encoder):
    kernels = [
        networks.detector(encoder, 2, channels=8, seed=seed).get_layer("mixed_conv").kernel.numpy()
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01


def squares(count, seed):
    """Bright or dark squares on grey: class 0 and 1."""
    random = np.random.default_rng(seed)
    images, truth = random.normal(128, 5, (count, *SHAPE, 3)), []
    for image in images:
        rows = []
        for kind in range(2):
            y, x, side = (
                random.integers(0, 40),
                random.integers(48 * kind, 48 * kind + 24),
                random.integers(16, 24),
            )
            image[y : y + side, x : x + side] = 240 if kind else 20
            rows.append([y, x, y + side, x + side, kind])
        truth.append(np.array(rows, float))
    return images.astype("float32"), truth


@pytest.fixture(scope="module")
def trained(encoder):
    keras.utils.set_random_seed(0)
    model = networks.detector(encoder, 2, channels=16)
    images, truth = squares(64, seed=0)
    model.compile(
        keras.optimizers.Adam(5e-3), {"centres": networks.detection.heatmap_loss, "sides": networks.detection.box_loss}
    )
    model.fit(images, networks.detection.encode_targets(truth, SHAPE, 2), batch_size=8, epochs=25, verbose=0)
    return model


def test_it_learns_to_find_squares(trained):
    images, truth = squares(16, seed=1)
    for flips in (False, True):
        objects, matches = metrics.match_boxes(
            truth, networks.detect(trained, images, flips=flips), 2
        )
        assert metrics.mean_average_precision(objects, matches) > 0.9


def test_flips_average_what_the_flipped_images_say(trained):
    """On a picture and its mirror image, detections with mirrored views mirror each other."""
    images, _ = squares(2, seed=2)
    both = [
        networks.detect(trained, np.ascontiguousarray(each), flips=True, score_threshold=0.3)
        for each in (images, images[:, :, ::-1])
    ]
    for one, other in zip(*both):
        mirrored = other.copy()
        mirrored[:, 1], mirrored[:, 3] = SHAPE[1] - other[:, 3], SHAPE[1] - other[:, 1]
        assert (
            len(one) and np.abs(one[0, :4] - mirrored[mirrored[:, 4] == one[0, 4]][0, :4]).max() < 6
        )
    plain = networks.detect(trained, images, score_threshold=0.3)
    assert any(np.abs(a[0] - b[0]).max() > 1e-4 for a, b in zip(plain, both[0]))


def test_detect_obeys_its_options(trained):
    images, _ = squares(2, seed=3)
    everything = networks.detect(trained, images, score_threshold=0.001, iou_threshold=1.0)
    assert all(
        len(some) < len(more)
        for some, more in zip(
            networks.detect(trained, images, score_threshold=0.001, iou_threshold=0.3), everything
        )
    )
    assert all((each[:, 5] >= 0.5).all() for each in networks.detect(trained, images, score_threshold=0.5))
    assert [
        len(each) for each in networks.detect(trained, images, score_threshold=0.001, iou_threshold=1.0, max_detections=3)
    ] == [3, 3]


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda e: networks.detector(e, 0), "classes=0"),
        (lambda e: networks.detector("lite0", 3), "encoder is str"),
        (
            lambda e: networks.detector(e, 3, layers=("block_1", "block_3")),
            "'block_1' is at 1/4 of tiny.*at 1/8",
        ),
        (
            lambda e: networks.detector(e, 3, layers=("blok", "block_3")),
            "'blok' is not a layer with a map",
        ),
        (
            lambda e: networks.detector(
                keras.Model(e.input, e.get_layer("block_1").output, name="short"), 3
            ),
            "short has no map at 1/8",
        ),
        (
            lambda e: networks.detection.encode_targets([[[0, 0, 9, 9, 0]], [[0, 0, 9, 9, 7]]], SHAPE, 3),
            "Image 1: Box 0 of 1.*unknown class",
        ),
        (lambda e: networks.detection.encode_targets([], SHAPE, 3), "no image"),
        (lambda e: networks.detection.assign([[70, 0, 80, 9, 0]], SHAPE, 3), "outside its image of 64 x 96"),
        (lambda e: networks.detection.assign([], (60, 96), 3), r"shape=\(60, 96\)"),
        (lambda e: networks.detection.decode(np.ones((8, 12, 1)), np.ones((8, 11, 4)), SHAPE), "same grid"),
        (
            lambda e: networks.detection.decode(np.full((8, 12, 1), -3.0), np.ones((8, 12, 4)), SHAPE),
            "sigmoid first",
        ),
        (
            lambda e: networks.detect(None, [np.zeros((64, 64, 3)), np.zeros((64, 96, 3))]),
            "several sizes.*resize_with_padding",
        ),
        (lambda e: networks.detect(None, np.zeros((1, 60, 64, 3))), "multiples of 16"),
        (lambda e: networks.detect(None, np.zeros((0, 64, 64, 3))), "at least one"),
        (
            lambda e: networks.detect(None, np.full((1, 64, 64, 3), 0.5)),
            "run from 0.5 to 0.5, but 0 to 255",
        ),
        (
            lambda e: networks.detect(e, np.zeros((1, *SHAPE, 3))),
            "centres and sides; networks.detector makes one",
        ),
        (
            lambda e: networks.detect(networks.detector(e, 2), np.zeros((1, 32, 32, 4))),
            "repeat a grey channel",
        ),
    ],
)
def test_bad_input_gets_one_sentence(encoder, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(encoder)
