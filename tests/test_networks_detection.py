"""The detector: its targets there and back, losses by hand, and that it learns to find squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import backbones, metrics, networks
from medlearn._keras import keras, tf
from medlearn.metrics import boxes
from medlearn.networks import detection

SHAPE = (64, 96)


@st.composite
def spread_boxes(draw):
    """Boxes with sides from 16 pixels, centres in cells of their own, and little overlap."""
    cell = st.tuples(st.integers(0, 7), st.integers(0, 11))
    offset, side = st.floats(0.1, 7.9), st.floats(16, 40)
    rows = []
    for row, column in draw(st.lists(cell, max_size=8, unique=True)):
        y, x = 8 * row + draw(offset), 8 * column + draw(offset)
        height, width = draw(side), draw(side)
        label = draw(st.integers(0, 1))
        rows.append((y - height / 2, x - width / 2, y + height / 2, x + width / 2, label))
    candidates = np.array(rows, float).reshape(-1, 5)
    inside = (candidates[:, :2] >= 0).all(1) & (candidates[:, 2:4] <= SHAPE).all(1)
    candidates = candidates[inside]
    crossing = boxes.pairwise_iou(candidates, candidates) > 0.4
    return candidates[~np.triu(crossing, 1).any(0)]


# ---- there and back ------------------------------------------------------------------------------


@given(spread_boxes())
def test_decoding_the_targets_gives_the_boxes_back(true_boxes):
    centres, sides = detection.assign(true_boxes, SHAPE, 2)
    decoded = detection.decode(centres, sides, SHAPE, score_threshold=1.0, iou_threshold=0.5)
    assert len(decoded) <= len(true_boxes) and (decoded[:, 5] == 1).all()
    difference = np.abs(decoded[:, None, :5] - true_boxes[None]).max(-1)
    same = difference < 1e-3  # the sides are float32
    assert same.any(axis=1).all()
    alone = (boxes.pairwise_iou(true_boxes, true_boxes) > 0).sum(1) == 1
    assert same.any(axis=0)[alone].all()


@given(spread_boxes())
def test_each_object_has_one_peak_and_a_weight_of_one(true_boxes):
    centres, sides = detection.assign(true_boxes, SHAPE, 2)
    assert centres.shape == (8, 12, 2) and sides.shape == (8, 12, 5)
    assert centres.dtype == sides.dtype == np.float32
    assert (centres == 1).sum() == len(true_boxes) and centres.min() >= 0
    y, x = np.nonzero(sides[..., 4])
    middles = np.column_stack([8 * y + 4, 8 * x + 4])
    drawn = np.concatenate([middles - sides[y, x, :2], middles + sides[y, x, 2:4]], axis=1)
    owners = boxes.pairwise_iou(drawn, true_boxes).argmax(1) if len(true_boxes) else []
    assert np.isclose(sides[..., 4].sum(), len(set(owners)), atol=1e-4)


def test_targets_by_hand():
    """A box of 32 x 16 pixels with its middle at (20, 44), which is the middle of cell (2, 5)."""
    centres, sides = detection.assign([[4, 36, 36, 52, 1]], SHAPE, 3)
    assert centres[2, 5].tolist() == [0, 1, 0] and (centres[..., 0] == 0).all()
    assert sides[2, 5, :4].tolist() == [16, 8, 16, 8]
    assert sides[3, 5, :4].tolist() == [24, 8, 8, 8]
    assert sides[2, 6, 4] == 0  # a cell aside is beyond the core
    assert np.isclose(centres[3, 5, 1], np.exp(-0.5 * (8 / 3.2) ** 2))
    assert np.isclose(sides[2, 5, 4], 1 / (1 + 2 * np.exp(-0.5 * (8 / 3.2) ** 2)))


def test_the_smaller_box_has_the_cell():
    large, small = [0, 0, 64, 64, 0], [24, 24, 40, 40, 0]
    for order in ([large, small], [small, large]):
        _, sides = detection.assign(order, SHAPE, 1)
        assert sides[4, 4, :4].tolist() == [12, 12, 4, 4]


def test_boxes_over_the_edge_are_clipped_and_no_box_is_no_target():
    _, sides = detection.assign([[-20, 0, 20, 16, 0]], SHAPE, 1)
    assert sides[1, 0, :4].tolist() == [12, 4, 8, 12]
    targets = detection.encode_targets([np.zeros((0, 5)), [[0, 0, 16, 16, 0]]], SHAPE, 1)
    assert targets["centres"].shape == (2, 8, 12, 1)
    assert targets["centres"][0].max() == targets["sides"][0].max() == 0
    assert targets["centres"][1].max() == 1


def test_decoding_by_hand_and_its_options():
    centres, sides = np.zeros((8, 12, 2), np.float32), np.full((8, 12, 4), 10, np.float32)
    centres[2, 5, 0], centres[2, 6, 0], centres[7, 11, 1] = 0.9, 0.8, 0.4

    def decoded(**options):
        return detection.decode(centres, sides, SHAPE, **options)

    expected = [[10, 34, 30, 54, 0, 0.9], [50, 82, 64, 96, 1, 0.4]]
    np.testing.assert_allclose(decoded(iou_threshold=0.4), expected, atol=1e-6)
    assert len(decoded(iou_threshold=0.5)) == 3
    assert len(decoded(score_threshold=0.5, iou_threshold=0.4)) == 1
    assert len(decoded(iou_threshold=0.5, max_detections=2)) == 2
    assert decoded(score_threshold=0.95).shape == (0, 6)


# ---- losses --------------------------------------------------------------------------------------


def test_heatmap_loss_by_hand():
    centres = np.array([1.0, 0.5, 0.0]).reshape(1, 1, 3, 1)
    logits = np.array([0.3, -0.2, 1.5]).reshape(1, 1, 3, 1)
    p = 1 / (1 + np.exp(-logits.ravel()))
    hit = (1 - p[0]) ** 2 * np.log(p[0])
    near = 0.5**4 * p[1] ** 2 * np.log(1 - p[1])
    background = p[2] ** 2 * np.log(1 - p[2])
    expected = -(hit + near + background)
    assert np.isclose(detection.heatmap_loss(centres, logits).numpy()[0], expected, rtol=1e-5)
    with_an_empty_image = detection.heatmap_loss(
        np.concatenate([centres, np.zeros_like(centres)]), np.concatenate([logits, logits - 99])
    )
    assert np.isclose(with_an_empty_image.numpy().mean(), expected, rtol=1e-5)
    extreme = detection.heatmap_loss(centres, np.array([-200.0, 200, 200]).reshape(1, 1, 3, 1))
    assert np.isfinite(extreme.numpy()).all()


@given(st.lists(st.floats(1, 50), min_size=8, max_size=8))
def test_box_loss_is_one_minus_giou_of_the_boxes(values):
    true_sides, sides = np.reshape(values, (2, 4))
    true_box, box = (
        [[100 - top, 100 - left, 100 + bottom, 100 + right]]
        for top, left, bottom, right in (true_sides, sides)
    )
    targets = np.append(true_sides, 1.0).reshape(1, 1, 1, 5)
    loss = detection.box_loss(targets, sides.reshape(1, 1, 1, 4)).numpy()[0]
    assert np.isclose(loss, 1 - boxes.pairwise_giou(true_box, box)[0, 0], atol=1e-5)


def test_losses_without_an_object_are_finite_and_weights_count():
    sides = np.full((1, 1, 2, 4), 5.0)
    assert detection.box_loss(np.zeros((1, 1, 2, 5)), sides).numpy()[0] == 0
    targets = np.full((1, 1, 2, 5), 5.0)
    targets[0, 0, :, 4] = 0.75, 0.25
    sides[0, 0, 1] = 10  # the second cell's box is twice as high and wide: 1 - GIoU is .75
    assert np.isclose(detection.box_loss(targets, sides).numpy()[0], 0.25 * 0.75)


# ---- the model -----------------------------------------------------------------------------------


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
    outputs = model(np.zeros((2, *SHAPE, 3), "float32"))
    assert outputs["centres"].shape == (2, 8, 12, 2) and outputs["sides"].shape == (2, 8, 12, 4)
    assert tf.reduce_min(outputs["sides"]) > 0
    inside = {id(weight) for weight in model.get_layer("tiny").weights}
    assert inside == {id(weight) for weight in encoder.weights}
    assert 0.005 < tf.sigmoid(outputs["centres"]).numpy().mean() < 0.02  # rare before training
    wider = networks.detector(encoder, 2, channels=16, layers=("block_2", "block_3"))
    assert wider.get_layer("mixed_conv").filters == 16


def test_the_last_map_of_each_size_is_taken_unless_named():
    lite = backbones.load("efficientnet_lite0", weights=None)

    def channels(**options):
        part = networks.detector(lite, 3, **options).get_layer("efficientnet_lite0")
        return [output.shape[-1] for output in part.outputs]

    assert channels() == [240, 672]
    assert channels(layers=("block_4", "block_10")) == [40, 112]


def test_the_seed_decides_the_decoder(encoder):
    first, again, other = (
        networks.detector(encoder, 2, channels=8, seed=seed).get_layer("mixed_conv").kernel.numpy()
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def squares(count, seed):
    """Dark and bright squares on grey, class 0 and 1, and their boxes."""
    rng = np.random.default_rng(seed)
    images, true_boxes = rng.normal(128, 5, (count, *SHAPE, 3)), []
    for image in images:
        rows = []
        for label, grey in enumerate((20, 240)):
            y, x = rng.integers(0, 40), rng.integers(48 * label, 48 * label + 24)
            side = rng.integers(16, 24)
            image[y : y + side, x : x + side] = grey
            rows.append([y, x, y + side, x + side, label])
        true_boxes.append(np.array(rows, float))
    return images.astype("float32"), true_boxes


@pytest.mark.slow
def test_it_learns_to_find_squares(encoder):
    keras.utils.set_random_seed(0)
    model = networks.detector(encoder, 2, channels=16)
    images, true_boxes = squares(64, seed=0)
    losses = {"centres": detection.heatmap_loss, "sides": detection.box_loss}
    model.compile(keras.optimizers.Adam(5e-3), losses, jit_compile=False)
    targets = detection.encode_targets(true_boxes, SHAPE, 2)
    model.fit(images, targets, batch_size=8, epochs=25, verbose=0)
    images, true_boxes = squares(16, seed=1)
    for flips in (False, True):
        detections = networks.detect(model, images, flips=flips)
        objects, matches = metrics.match_boxes(true_boxes, detections, 2)
        assert metrics.mean_average_precision(objects, matches) > 0.9


class Perfect:
    """A stand-in for a detector that sees the boxes of bright rectangles."""

    name, input_shape = "perfect", (None, None, None, 3)

    def predict(self, images, batch_size, verbose):
        true_boxes = [boxes.from_mask(image[..., 0] > 128) for image in images]
        rows = [np.pad(box, ((0, 0), (0, 1))) for box in true_boxes]
        targets = detection.encode_targets(rows, images.shape[1:3], 1)
        p = targets["centres"].clip(1e-6, 1 - 1e-6)
        return {"centres": np.log(p / (1 - p)), "sides": targets["sides"][..., :4]}


def test_flips_are_undone_before_the_answers_are_averaged():
    image = np.zeros((1, *SHAPE, 3), np.uint8)
    image[0, 9:33, 17:61] = 200
    for flips in (False, True):
        (found,) = networks.detect(Perfect(), image, flips=flips, score_threshold=0.9)
        np.testing.assert_allclose(found, [[9, 17, 33, 61, 0, 1]], atol=1e-4)


def test_detect_obeys_its_options(encoder):
    model = networks.detector(encoder, 2, channels=8)
    images, _ = squares(2, seed=3)

    def counts(**options):
        options = {"score_threshold": 0.001, "iou_threshold": 1.0} | options
        return np.array([len(found) for found in networks.detect(model, images, **options)])

    assert (counts(iou_threshold=0.3) < counts()).all()
    assert counts(max_detections=3).tolist() == [3, 3]
    assert counts(score_threshold=0.5).tolist() == [0, 0]


BOX = [0, 0, 9, 9, 0]
BAD_CALLS = {
    "classes must be": lambda e: networks.detector(e, 0),
    "encoder is str": lambda e: networks.detector("lite0", 3),
    "'block_1' is at 1/4 of tiny.*at 1/8": lambda e: networks.detector(
        e, 3, layers=("block_1", "block_3")
    ),
    "'blok' is not a layer with a map": lambda e: networks.detector(
        e, 3, layers=("blok", "block_3")
    ),
    "short has no map at 1/8": lambda e: networks.detector(
        keras.Model(e.input, e.get_layer("block_1").output, name="short"), 3
    ),
    "Image 1: Box 0 of 1.*unknown class": lambda e: detection.encode_targets(
        [[BOX], [[0, 0, 9, 9, 7]]], SHAPE, 3
    ),
    "boxes is an empty list": lambda e: detection.encode_targets([], SHAPE, 3),
    "outside its image of 64 x 96": lambda e: detection.assign([[70, 0, 80, 9, 0]], SHAPE, 3),
    r"shape=\(60, 96\)": lambda e: detection.assign([], (60, 96), 3),
    "same grid": lambda e: detection.decode(np.ones((8, 12, 1)), np.ones((8, 11, 4)), SHAPE),
    "sigmoid first": lambda e: detection.decode(
        np.full((8, 12, 1), -3.0), np.ones((8, 12, 4)), SHAPE
    ),
    "multiples of 16": lambda e: networks.detect(e, np.zeros((1, 60, 64, 3), np.uint8)),
    "run from 0.5 to 0.5, but 0 to 255": lambda e: networks.detect(e, np.full((1, 64, 64, 3), 0.5)),
    "networks.detector makes one": lambda e: networks.detect(e, np.zeros((1, *SHAPE, 3))),
}


@pytest.mark.parametrize("message", BAD_CALLS)
def test_bad_calls_are_refused(encoder, message):
    with pytest.raises(ValueError, match=message):
        BAD_CALLS[message](encoder)
