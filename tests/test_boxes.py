"""Boxes: overlap against counting pixels, suppression by definition, masks by scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import label, regionprops

from medlearn.metrics import boxes

WHOLE = st.integers(0, 20)


@st.composite
def pixel_boxes(draw, most=8, least=0):
    """Boxes whose edges lie between pixels of a 32 x 32 image."""
    rows = draw(
        st.lists(
            st.tuples(WHOLE, WHOLE, st.integers(1, 11), st.integers(1, 11)),
            min_size=least,
            max_size=most,
        )
    )
    return np.array([(y, x, y + height, x + width) for y, x, height, width in rows], float).reshape(
        -1, 4
    )


def filled(box):
    image = np.zeros((32, 32), bool)
    y0, x0, y1, x1 = box[:4].astype(int)
    image[y0:y1, x0:x1] = True
    return image


# ---- overlap -------------------------------------------------------------------------------------


@given(pixel_boxes(), pixel_boxes())
def test_iou_counts_pixels(one, other):
    counted = [
        [(filled(a) & filled(b)).sum() / (filled(a) | filled(b)).sum() for b in other] for a in one
    ]
    np.testing.assert_allclose(
        boxes.pairwise_iou(one, other), np.reshape(counted, (len(one), len(other))), atol=1e-12
    )


@given(pixel_boxes(), pixel_boxes())
def test_giou_takes_the_empty_share_of_the_frame_off(one, other):
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            frame = filled(
                np.array([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])])
            )
            union = filled(a) | filled(b)
            expected = (filled(a) & filled(b)).sum() / union.sum() - (
                frame.sum() - union.sum()
            ) / frame.sum()
            assert np.isclose(boxes.pairwise_giou(one, other)[i, j], expected)


def test_iou_and_giou_by_hand():
    one, other, far = [[0, 0, 10, 10]], [[0, 5, 10, 15]], [[0, 30, 10, 40]]
    assert np.isclose(boxes.pairwise_iou(one, other)[0, 0], 50 / 150)
    assert boxes.pairwise_iou(one, far)[0, 0] == 0
    assert np.isclose(boxes.pairwise_giou(one, far)[0, 0], -200 / 400)
    assert boxes.pairwise_giou(one, far)[0, 0] > boxes.pairwise_giou(one, [[0, 90, 10, 100]])[0, 0]


# ---- suppression ---------------------------------------------------------------------------------


@st.composite
def scored(draw):
    rows = draw(pixel_boxes(most=10))
    classes = draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows)))
    scores = draw(st.lists(st.integers(0, 5), min_size=len(rows), max_size=len(rows)))
    return np.column_stack([rows, np.array(classes, float)]).reshape(-1, 5), np.array(scores, float)


@given(scored(), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_suppression_keeps_exactly_what_no_kept_better_box_rules_out(case, overlap):
    rows, scores = case
    kept = boxes.non_max_suppression(rows, scores, overlap)
    suppresses = (boxes.pairwise_iou(rows, rows) > overlap) & (rows[:, 4][:, None] == rows[:, 4])
    np.fill_diagonal(suppresses, False)
    assert not suppresses[np.ix_(kept, kept)].any()
    assert (np.diff(scores[kept]) <= 0).all() and len(set(kept)) == len(kept)
    for lost in set(range(len(rows))) - set(kept.tolist()):
        assert any(suppresses[lost, better] and scores[better] >= scores[lost] for better in kept)


@given(scored())
def test_suppressing_twice_changes_nothing(case):
    rows, scores = case
    kept = boxes.non_max_suppression(rows, scores)
    np.testing.assert_array_equal(
        boxes.non_max_suppression(rows[kept], scores[kept]), np.arange(len(kept))
    )


def test_suppression_by_hand():
    rows = np.array([[0, 0, 10, 10], [0, 1, 10, 11], [0, 6, 10, 16], [30, 30, 40, 40]], float)
    scores = [0.8, 0.9, 0.7, 0.1]
    assert boxes.non_max_suppression(rows, scores).tolist() == [1, 2, 3]
    assert boxes.non_max_suppression(rows, scores, 0.2).tolist() == [1, 3]
    assert boxes.non_max_suppression(rows, scores, 0.9).tolist() == [1, 0, 2, 3]
    classes = np.column_stack([rows, [0, 1, 0, 0]])
    assert boxes.non_max_suppression(classes, scores).tolist() == [1, 0, 2, 3]
    assert boxes.non_max_suppression([], []).tolist() == []
    assert boxes.non_max_suppression(rows[[0, 0]], [0.5, 0.5]).tolist() == [0]


# ---- from masks, flips, sizes --------------------------------------------------------------------


@given(st.integers(0, 2**16), st.floats(0.05, 0.6), st.integers(1, 6))
def test_boxes_of_a_mask_are_those_of_scikit_image(seed, share, smallest):
    mask = np.random.default_rng(seed).random((12, 17)) < share
    expected = sorted(
        region.bbox
        for region in regionprops(label(mask, connectivity=2))
        if region.area >= smallest
    )
    assert sorted(map(tuple, boxes.from_mask(mask, smallest))) == expected


def test_an_empty_mask_has_no_box_and_two_touching_cells_have_one():
    assert boxes.from_mask(np.zeros((5, 5))).shape == (0, 4)
    touching = np.zeros((9, 9), int)
    touching[1:4, 1:4] = touching[4:8, 4:8] = 1
    assert boxes.from_mask(touching).tolist() == [[1, 1, 8, 8]]


@given(pixel_boxes(), st.sampled_from([1, 2]))
def test_a_flip_moves_box_and_image_alike_and_undoes_itself(rows, axis):
    image = np.zeros((1, 32, 40, 1))
    for box in rows:
        image[0, *(slice(int(a), int(b)) for a, b in zip(box[:2], box[2:]))] += 1
    turned, (moved,) = boxes.flip(image, [rows], axis)
    painted = np.zeros_like(image)
    for box in moved:
        painted[0, *(slice(int(a), int(b)) for a, b in zip(box[:2], box[2:]))] += 1
    np.testing.assert_array_equal(turned, painted)
    np.testing.assert_allclose(boxes.flip(turned, [moved], axis)[1][0], rows)


def test_images_of_several_sizes_fit_into_one():
    wide, tall = np.full((10, 40, 3), 200, np.uint8), np.full((30, 15, 3), 100, np.uint8)
    images, moved = boxes.resize_with_padding(
        [wide, tall], [np.array([[0, 0, 10, 40, 1.0]]), np.zeros((0, 5))], (32, 64)
    )
    assert images.shape == (2, 32, 64, 3) and images.dtype == np.uint8
    np.testing.assert_allclose(moved[0], [[0, 0, 16, 64, 1]])
    assert moved[1].shape == (0, 5)
    assert (images[0, :16] == 200).all() and (images[0, 16:] == 0).all()
    assert (images[1, :, :16] == 100).all() and (images[1, :, 16:] == 0).all()


# ---- bad input -----------------------------------------------------------------------------------

BOX = [0, 0, 4, 4, 1]
IMAGE = np.zeros((8, 8, 3), np.uint8)


def test_boxes_and_scores_are_checked():
    with pytest.raises(ValueError, match="no area"):
        boxes.pairwise_iou([[0, 0, 0, 0]], [BOX])
    for scores in ([0.5, 0.1], [np.nan]):
        with pytest.raises(ValueError, match="one score that is a number"):
            boxes.non_max_suppression([BOX], scores)
    with pytest.raises(ValueError, match="iou_threshold=50"):
        boxes.non_max_suppression([BOX], [0.5], 50)


def test_masks_and_axes_are_checked():
    with pytest.raises(ValueError, match=r"shape of this one is \(2, 3, 3\)"):
        boxes.from_mask(np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="axis=3"):
        boxes.flip(IMAGE[None], [[BOX]], 3)
    with pytest.raises(ValueError, match="2 images, 1 boxes"):
        boxes.flip(np.stack([IMAGE, IMAGE]), [[BOX]], 1)


@pytest.mark.parametrize(
    "images, image_boxes, sentence",
    [
        ([IMAGE], [], "1 images, 0 boxes"),
        ([IMAGE[..., 0]], [[]], r"uint8 of shape \(8, 8\); repeat a grey"),
        ([IMAGE.astype(float)], [[]], r"not float64.*do not divide by 255"),
    ],
)
def test_images_to_resize_are_checked(images, image_boxes, sentence):
    with pytest.raises(ValueError, match=sentence):
        boxes.resize_with_padding(images, image_boxes, (8, 8))
