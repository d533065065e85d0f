"""Detection scores: cases by hand, and a slow second implementation of the definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlearn import metrics
from medlearn.metrics import boxes

FIRST, SECOND = [0, 0, 10, 10, 0], [20, 20, 30, 30, 0]


def predictions(*rows):
    return np.array(rows, float).reshape(-1, 6)


# ---- by hand -------------------------------------------------------------------------------------


def test_average_precision_by_hand():
    """Two cells; hit, false positive, hit: precision 1, 1/2, 2/3 at sensitivity 1/2, 1/2, 1."""
    predicted = predictions([*FIRST, 0.9], [50, 50, 60, 60, 0, 0.8], [*SECOND, 0.7])
    objects, matches = metrics.match_boxes([[FIRST, SECOND]], [predicted], 1)
    np.testing.assert_array_equal(matches[0], [[0, 0.9, 1], [0, 0.8, 0], [0, 0.7, 1]])
    assert np.isclose(metrics.mean_average_precision(objects, matches), (1 + 2 / 3) / 2)


def test_precision_is_raised_to_the_best_at_a_higher_sensitivity():
    """False alarm first, then two hits: precision 0, 1/2, 2/3, raised to 2/3 all along."""
    predicted = predictions([50, 50, 60, 60, 0, 0.9], [*FIRST, 0.8], [*SECOND, 0.7])
    assert np.isclose(
        metrics.mean_average_precision(*metrics.match_boxes([[FIRST, SECOND]], [predicted], 1)),
        2 / 3,
    )


def test_a_second_box_on_the_same_cell_is_a_false_alarm():
    predicted = predictions([*FIRST, 0.9], [*FIRST, 0.8])
    assert metrics.match_boxes([[FIRST, SECOND]], [predicted], 1)[1][0][:, 2].tolist() == [1, 0]


def test_a_taken_cell_is_passed_on_to_the_next_best():
    """The second box overlaps the first cell more, which is taken, and the second cell enough."""
    truth = [[0, 0, 10, 10, 0], [0, 2, 10, 12, 0]]
    predicted = predictions([0, 0, 10, 10, 0, 0.9], [0, 0.5, 10, 10.5, 0, 0.8])
    assert metrics.match_boxes([truth], [predicted], 1)[1][0][:, 2].tolist() == [1, 1]


def test_overlap_is_reached_at_the_threshold():
    half = predictions([0, 0, 10, 5, 0, 0.9])
    assert metrics.match_boxes([[FIRST]], [half], 1, (0.5, 0.51))[1][0][:, 2:].tolist() == [[1, 0]]


def test_map_at_50_to_95_by_hand():
    """IoU .8 is a hit at .50 to .80, seven of ten overlaps."""
    predicted = predictions([0, 0, 10, 8, 0, 0.9])
    assert np.isclose(
        metrics.mean_average_precision(
            *metrics.match_boxes([[FIRST]], [predicted], 1, metrics.IOU_THRESHOLDS)
        ),
        0.7,
    )


def test_classes_do_not_mix_and_an_absent_class_does_not_count():
    predicted = predictions([*FIRST[:4], 1, 0.9])
    objects, matches = metrics.match_boxes([[FIRST]], [predicted], 3)
    np.testing.assert_array_equal(
        metrics.average_precision_per_class(objects, matches), [0, np.nan, np.nan]
    )
    assert metrics.mean_average_precision(objects, matches) == 0


def test_images_without_objects_or_boxes():
    objects, matches = metrics.match_boxes(
        [np.zeros((0, 5)), [FIRST]], [predictions([*FIRST, 0.9]), predictions()], 1
    )
    assert objects.tolist() == [[0], [1]] and metrics.mean_average_precision(objects, matches) == 0
    with pytest.raises(ValueError, match="No image holds an object"):
        metrics.mean_average_precision(*metrics.match_boxes([[]], [predictions([*FIRST, 0.9])], 1))


def test_free_response_by_hand():
    """Two images, three cells: hits at .9 and .6, alarms at .8 and .6."""
    predicted = [
        predictions([*FIRST, 0.9], [50, 50, 60, 60, 0, 0.8]),
        predictions([*FIRST, 0.6], [50, 50, 60, 60, 0, 0.6]),
    ]
    objects, matches = metrics.match_boxes([[FIRST, SECOND], [FIRST]], predicted, 1)
    alarms, sensitivity, scores = metrics.froc_curve(objects, matches)
    np.testing.assert_allclose(alarms, [0, 0, 0.5, 1])
    np.testing.assert_allclose(sensitivity, [0, 1 / 3, 1 / 3, 2 / 3])
    np.testing.assert_allclose(scores, [np.inf, 0.9, 0.8, 0.6])
    assert np.isclose(metrics.sensitivity_at_false_positives(objects, matches, 0.99), 1 / 3)
    assert np.isclose(metrics.sensitivity_at_false_positives(objects, matches), 2 / 3)


def test_free_response_of_one_class():
    predicted = [predictions([*FIRST, 0.9], [20, 20, 30, 30, 1, 0.5])]
    objects, matches = metrics.match_boxes([[FIRST, [20, 20, 30, 30, 1]]], predicted, 3)
    assert metrics.froc_curve(objects, matches, positive=1)[2].tolist() == [np.inf, 0.5]
    assert metrics.sensitivity_at_false_positives(objects, matches, 0, positive=1) == 1
    with pytest.raises(ValueError, match="no object to find"):
        metrics.froc_curve(objects, matches, positive=2)


def test_counts_and_their_errors():
    predicted = [predictions([*FIRST, 0.9], [*SECOND, 0.3]), predictions([*FIRST[:4], 2, 0.5])]
    np.testing.assert_array_equal(metrics.count_boxes(predicted, 3), [[2, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(metrics.count_boxes(predicted, 3, 0.5), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(metrics.count_boxes([[FIRST], []], 1), [[1], [0]])
    assert metrics.mean_absolute_error([10, 10, 10], [12, 9, 10]) == 1.0
    assert np.isclose(metrics.mean_signed_error([10, 10, 10], [12, 9, 10]), 1 / 3)


# ---- a second implementation ---------------------------------------------------------------------


def slow_average_precision(truth, predicted, class_index, threshold):
    """One class, box by box, with precision taken at each object."""
    ranked = sorted(
        (
            (-row[5], image, number)
            for image, rows in enumerate(predicted)
            for number, row in enumerate(rows)
            if row[4] == class_index
        )
    )
    taken, outcome = set(), []
    for _, image, number in ranked:
        best, chosen = -1.0, None
        for index, true in enumerate(truth[image]):
            share = boxes.pairwise_iou([predicted[image][number]], [true])[0, 0]
            if true[4] == class_index and (image, index) not in taken and share > best:
                best, chosen = share, index
        outcome.append(best >= threshold)
        if best >= threshold:
            taken.add((image, chosen))
    total = sum(true[4] == class_index for rows in truth for true in rows)
    gained = 0.0
    precisions = [sum(outcome[:end]) / end for end in range(1, len(outcome) + 1)]
    for rank, hit in enumerate(outcome):
        if hit:
            gained += max(precisions[rank:])
    return gained / total if total else np.nan


@st.composite
def images(draw):
    """Truth, and noisy copies of it among false alarms, with scores that all differ."""
    random = np.random.default_rng(draw(st.integers(0, 2**20)))
    truth, predicted = [], []
    for _ in range(draw(st.integers(1, 4))):
        corner = random.uniform(0, 60, (random.integers(0, 6), 2))
        true = np.column_stack(
            [
                corner,
                corner + random.uniform(8, 25, corner.shape),
                random.integers(0, 2, len(corner)),
            ]
        )
        guess = np.concatenate(
            [true, true[: random.integers(0, 3)], true[: len(true) // 2, [1, 0, 3, 2, 4]]]
        )
        guess[:, :4] += random.normal(0, 1.5, (len(guess), 4))
        truth.append(true)
        predicted.append(np.column_stack([guess, random.random(len(guess))]))
    return truth, predicted


@given(images())
def test_average_precision_is_that_of_the_slow_way(case):
    truth, predicted = case
    slow = [
        [
            slow_average_precision(truth, predicted, class_index, threshold)
            for threshold in metrics.IOU_THRESHOLDS
        ]
        for class_index in range(2)
    ]
    fast = metrics.average_precision_per_class(
        *metrics.match_boxes(truth, predicted, 2, metrics.IOU_THRESHOLDS)
    )
    np.testing.assert_allclose(fast, np.mean(slow, axis=1), atol=1e-12)


@given(images())
def test_scores_do_not_depend_on_the_order_of_boxes_or_images(case):
    truth, predicted = case
    turned = [rows[::-1] for rows in truth[::-1]], [rows[::-1] for rows in predicted[::-1]]
    results = [
        metrics.average_precision_per_class(*metrics.match_boxes(*each, 2))
        for each in (case, turned)
    ]
    np.testing.assert_allclose(*results)


def test_perfect_boxes_score_one_and_intervals_resample_patients():
    truth = [np.array([FIRST, SECOND], float)] * 6
    predicted = [np.column_stack([rows, [0.9, 0.8]]) for rows in truth]
    predicted[4:] = [predictions(), predictions()]
    objects, matches = metrics.match_boxes(truth, predicted, 1)
    assert metrics.mean_average_precision(objects[:4], matches[:4]) == 1
    by_image = metrics.interval(
        metrics.mean_average_precision, objects, matches, np.arange(6), repeats=200
    )
    by_patient = metrics.interval(
        metrics.mean_average_precision, objects, matches, [0, 0, 0, 0, 1, 1], repeats=200
    )
    assert np.isclose(by_image.value, 2 / 3)
    assert by_patient.low < by_image.low < by_image.value
    difference = metrics.paired_difference(
        metrics.mean_average_precision, objects, matches, matches, np.arange(6), repeats=50
    )
    assert difference.value == 0 and -1 < difference.low < 0 < difference.high < 1


def test_boxes_are_checked_and_the_image_is_named():
    with pytest.raises(ValueError, match="1 arrays of true boxes, 0 of predicted"):
        metrics.match_boxes([[FIRST]], [], 1)
    with pytest.raises(ValueError, match=r"Image 1: .*score\]"):
        metrics.match_boxes([[], [FIRST]], [predictions(), [FIRST]], 1)
    with pytest.raises(ValueError, match=r"Image 0: Box 0 .* unknown class"):
        metrics.match_boxes([[[*FIRST[:4], 4]]], [predictions()], 3)
    with pytest.raises(ValueError, match="iou_thresholds="):
        metrics.match_boxes([[FIRST]], [predictions()], 1, (50,))


def test_matches_and_counts_are_checked():
    matches = metrics.match_boxes([[FIRST]], [predictions()], 1)
    with pytest.raises(ValueError, match=r"metrics.match_boxes; here \(2,\) and 2"):
        metrics.average_precision_per_class([1, 2], [predictions(), predictions()])
    with pytest.raises(ValueError, match="false_positives=-1"):
        metrics.sensitivity_at_false_positives(*matches, -1)
    with pytest.raises(ValueError, match="2 true_counts, 1 predicted_counts"):
        metrics.mean_absolute_error([1, 2], [1])
    with pytest.raises(ValueError, match="NaN"):
        metrics.mean_signed_error([1, np.nan], [1, 1])
