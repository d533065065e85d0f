"""Overlap and distances of outlines, against definitions typed out in loops; empty regions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import f1_score, jaccard_score

from medlearn import metrics

CHANCE = np.random.default_rng(0)


def blobs(count, side=(20, 26), seed=0):
    noise = ndimage.gaussian_filter(
        np.random.default_rng(seed).normal(size=(count, *side)), (0, 2, 2)
    )
    return np.digitize(noise, [0.03, 0.12]).astype(np.uint8)


MASKS, PREDICTIONS = blobs(8), np.where(blobs(8, seed=1) == 2, 2, blobs(8))


# ---- overlap -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 2])
def test_dice_and_iou_are_those_of_scikit_learn(value):
    pairs = [
        ((mask == value).ravel(), (prediction == value).ravel())
        for mask, prediction in zip(MASKS, PREDICTIONS)
    ]
    np.testing.assert_allclose(
        metrics.dice(MASKS, PREDICTIONS, value), [f1_score(*pair) for pair in pairs]
    )
    np.testing.assert_allclose(
        metrics.iou(MASKS, PREDICTIONS, value), [jaccard_score(*pair) for pair in pairs]
    )


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_properties_of_overlap(seed):
    masks, predictions = np.random.default_rng(seed).integers(0, 3, (2, 3, 6, 5))
    dice, iou = metrics.dice(masks, predictions), metrics.iou(masks, predictions)
    np.testing.assert_allclose(dice, metrics.dice(predictions, masks))
    np.testing.assert_allclose(iou, dice / (2 - dice))
    assert (metrics.dice(masks, masks, empty=1) == 1).all() and (
        (iou >= 0) & (iou <= dice)
    ).sum() == 3 - np.isnan(dice).sum()


def test_with_patients_areas_are_summed_first():
    patients = np.array(list("bbaaabbc"))
    whole = metrics.dice(MASKS, PREDICTIONS, 2, patients=patients)
    by_hand = [
        f1_score((MASKS[rows] == 2).ravel(), (PREDICTIONS[rows] == 2).ravel())
        for rows in (patients == name for name in "abc")
    ]
    np.testing.assert_allclose(whole, by_hand)
    assert metrics.iou(MASKS, PREDICTIONS, 2, patients=patients)[0] == pytest.approx(
        by_hand[0] / (2 - by_hand[0])
    )


def test_empty_regions():
    masks, predictions = np.zeros((4, 5, 5), int), np.zeros((4, 5, 5), int)
    masks[2:, 1:3], predictions[1::2, 1:3] = 1, 1  # neither, false positive, missed, found
    for score in (metrics.dice, metrics.iou):
        np.testing.assert_array_equal(score(masks, predictions), [np.nan, 0, 0, 1])
        np.testing.assert_array_equal(score(masks, predictions, empty=1), [1, 0, 0, 1])
        assert np.isnan(score(masks, predictions, 2)).all()
    np.testing.assert_array_equal(metrics.hd95(masks, predictions), [np.nan, np.inf, np.inf, 0])
    np.testing.assert_array_equal(
        metrics.hd95(masks, predictions, missed=7.5), [np.nan, 7.5, 7.5, 0]
    )
    np.testing.assert_array_equal(
        metrics.surface_dice(masks, predictions, tolerance=1), [np.nan, 0, 0, 1]
    )


def test_a_patient_without_the_region_is_not_a_success():
    masks, predictions = np.zeros((2, 4, 4), int), np.zeros((2, 4, 4), int)
    masks[1, 0], predictions[1, 0] = 1, 1
    np.testing.assert_array_equal(
        metrics.dice(masks, predictions, patients=["a", "b"]), [np.nan, 1]
    )
    np.testing.assert_array_equal(metrics.dice(masks, predictions, patients=["a", "a"]), [1])


# ---- outlines ------------------------------------------------------------------------------------


def outline(mask, spacing):
    """Points of the outline and their lengths, corner by corner, by a table of the cases."""
    inside, (height, width) = np.pad(mask, 1).astype(int), spacing
    slant = (height**2 + width**2) ** 0.5 / 2
    cases = {
        1: slant,
        2: slant,
        4: slant,
        8: slant,
        14: slant,
        13: slant,
        11: slant,
        7: slant,
        3: width,
        12: width,
        5: height,
        10: height,
        6: 2 * slant,
        9: 2 * slant,
    }
    points = {}
    for row, column in product(range(inside.shape[0] - 1), range(inside.shape[1] - 1)):
        a, b, c, d = inside[row : row + 2, column : column + 2].ravel()
        if (code := 8 * a + 4 * b + 2 * c + d) in cases:
            points[row * height, column * width] = cases[code]
    return np.array(list(points)), np.array(list(points.values()))


def distances(mask, prediction, spacing):
    points, lengths = outline(mask, spacing)
    predicted_points, predicted_lengths = outline(prediction, spacing)
    table = np.sqrt(((points[:, None] - predicted_points[None]) ** 2).sum(-1))
    return table.min(1), lengths, table.min(0), predicted_lengths


def percentile(away, lengths):
    reached = 0
    for distance, length in sorted(zip(away, lengths)):
        reached += length
        if reached >= 0.95 * lengths.sum() - 1e-9:
            return distance


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.3)])
@pytest.mark.parametrize("value", [1, 2])
def test_distances_are_those_of_all_pairs_of_points(spacing, value):
    far = metrics.hd95(MASKS, PREDICTIONS, value, spacing=spacing)
    near = metrics.surface_dice(MASKS, PREDICTIONS, value, spacing=spacing, tolerance=0.9)
    for index, (mask, prediction) in enumerate(zip(value == MASKS, value == PREDICTIONS)):
        out, length_out, back, length_back = distances(mask, prediction, spacing)
        assert far[index] == pytest.approx(
            max(percentile(out, length_out), percentile(back, length_back))
        )
        share = (length_out[out <= 0.9].sum() + length_back[back <= 0.9].sum()) / (
            length_out.sum() + length_back.sum()
        )
        assert near[index] == pytest.approx(share)


@pytest.mark.parametrize(
    "spacing, far, near",
    [((1.0, 1.0), 13.416408, (0.327132, 0.538566)), ((0.5, 1.3), 13.634148, (0.370425, 0.774857))],
)
def test_distances_are_those_of_surface_distance(spacing, far, near):
    """The numbers are those of the package surface-distance 0.1, by surface Dice's authors."""
    y, x = np.indices((40, 50))
    disc, lobed = (
        (y - 18) ** 2 + (x - 20) ** 2 <= 144,
        (2 * (y - 20) ** 2 + (x - 24) ** 2 <= 200) | ((y - 30) ** 2 + (x - 40) ** 2 <= 9),
    )
    assert metrics.hd95([disc], [lobed], spacing=spacing) == pytest.approx(far, abs=1e-6)
    shares = [
        metrics.surface_dice([disc], [lobed], spacing=spacing, tolerance=tolerance)[0]
        for tolerance in (1, 3)
    ]
    assert shares == pytest.approx(near, abs=1e-6)


def test_a_square_moved_by_three_pixels_is_three_pixels_away():
    masks, predictions = np.zeros((2, 1, 30, 30), int)
    masks[0, 5:15, 5:15], predictions[0, 5:15, 8:18] = 1, 1
    assert metrics.hd95(masks, predictions)[0] == 3
    assert metrics.hd95(masks, predictions, spacing=(9, 0.5))[0] == 1.5
    assert metrics.surface_dice(masks, predictions, tolerance=3)[0] == 1
    assert (
        0.3
        < metrics.surface_dice(masks, predictions, tolerance=0)[0]
        < metrics.surface_dice(masks, predictions, tolerance=2)[0]
        < 1
    )


def test_each_image_has_its_own_spacing_and_a_stray_pixel_hardly_moves_the_95th_percentile():
    two = np.stack([MASKS[0], MASKS[0]]), np.stack([PREDICTIONS[0], PREDICTIONS[0]])
    first, second = metrics.hd95(*two, 2, spacing=[[1, 1], [2, 2]])
    assert second == pytest.approx(2 * first) and first > 0
    masks = np.zeros((1, 60, 60), int)
    masks[0, 5:45, 5:45] = 1
    predictions = masks.copy()
    predictions[0, 58, 58] = 1
    assert (
        metrics.hd95(masks, predictions)[0] == 0
        and metrics.surface_dice(masks, predictions, tolerance=1)[0] > 0.95
    )


def test_a_region_at_the_edge_has_an_outline_there():
    whole = np.ones((1, 6, 6), int)
    part = whole.copy()
    part[0, :, 4:] = 0
    assert metrics.hd95(whole, part)[0] == 2


# ---- means and intervals -------------------------------------------------------------------------


SCORES, PATIENTS = (
    np.where(np.arange(60) % 9 == 4, np.nan, CHANCE.random(60)),
    np.repeat(np.arange(30), 2),
)


def test_the_mean_over_images_resamples_patients_and_leaves_nan_out():
    interval = metrics.mean_score(SCORES, PATIENTS, seed=1)
    plain = metrics.interval(
        lambda _, scores: float(np.nanmean(scores)), SCORES, SCORES, PATIENTS, seed=1
    )
    assert interval.value == plain.value == pytest.approx(np.nanmean(SCORES))
    assert interval[1:] == pytest.approx(plain[1:], abs=0.02)  # another shape of the ends
    assert metrics.mean_score(SCORES * 100, PATIENTS).high > 1  # millimetres have no upper end
    perfect = metrics.mean_score(np.ones(60), PATIENTS)
    assert perfect.low < 1 == perfect.high
    assert metrics.mean_score(SCORES, np.arange(60), seed=1) != interval  # patients are used
    assert metrics.mean_score(SCORES, PATIENTS, seed=2) != interval
    narrow = metrics.mean_score(SCORES, PATIENTS, level=0.5, seed=1)
    assert narrow.low > interval.low and narrow.high < interval.high
    assert metrics.mean_score(SCORES, PATIENTS, repeats=10, seed=1) != interval


def test_a_difference_is_paired_and_each_side_leaves_out_its_own_nan():
    better = metrics.mean_difference(SCORES + 0.1, SCORES, PATIENTS)
    assert better.low < 0.1 < better.high  # as no patient differs from the others here
    in_mm = metrics.mean_difference(SCORES * 100 + 10, SCORES * 100, PATIENTS)
    assert in_mm[1:] == pytest.approx((10, 10))  # without a largest difference, no width either
    a, b = (
        np.array([0.5, 0.5, np.nan, 0.5]),
        np.array([0.5, 0.5, 0.0, 0.5]),
    )  # b raises a false alarm
    assert metrics.mean_difference(a, b, list("abcd")).value == pytest.approx(0.125)
    interval = metrics.mean_difference(SCORES, SCORES[::-1], PATIENTS, seed=3)
    for option in ({"seed": 4}, {"seed": 3, "level": 0.6}, {"seed": 3, "repeats": 50}):
        assert metrics.mean_difference(SCORES, SCORES[::-1], PATIENTS, **option) != interval


# ---- bad input -----------------------------------------------------------------------------------


def surface_dice_within_a_pixel(*arguments):
    return metrics.surface_dice(*arguments, tolerance=1)


def test_masks_are_checked():
    for score in (metrics.dice, metrics.iou, metrics.hd95, surface_dice_within_a_pixel):
        with pytest.raises(ValueError, match="resize the prediction to the mask"):
            score(MASKS, PREDICTIONS[:, :10], 1)
        for positive in (0, 1.5):
            with pytest.raises(ValueError, match=rf"positive={positive} is not a class of the"):
                score(MASKS, PREDICTIONS, positive)


def test_a_spacing_is_a_positive_length():
    for spacing, sentence in [
        (np.nan, "unknown"),
        (0, "positive"),
        ((1, 1, 1), "shape"),
        (np.ones((3, 2)), "shape"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            metrics.hd95(MASKS, PREDICTIONS, spacing=spacing)


def test_patients_and_tolerance_are_checked():
    with pytest.raises(ValueError, match="8 masks, 1 patients"):
        metrics.dice(MASKS, PREDICTIONS, patients=["a"])
    for tolerance in (-1, np.nan):
        with pytest.raises(ValueError, match="tolerance"):
            metrics.surface_dice(MASKS, PREDICTIONS, tolerance=tolerance)


def test_a_mean_is_of_finite_scores():
    with pytest.raises(ValueError, match="infinite"):
        metrics.mean_score([1.0, np.inf], ["a", "b"])
    with pytest.raises(ValueError, match="infinite"):
        metrics.mean_difference([1.0, 2.0], [1.0, np.inf], ["a", "b"])
    with pytest.raises(ValueError, match="undefined"):
        metrics.mean_score([np.nan, np.nan], ["a", "b"])
