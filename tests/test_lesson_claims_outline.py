"""What the texts of lessons 12 and 13 say of their committed runs, held against the outputs."""

import functools
import re

import numpy as np
from test_lesson_claims import numbers_after, printed

from medlearn.metrics import boxes
from medlearn.teaching.exercises import lesson_13


def test_lesson_12_pools_away_the_places():
    text = printed("12")
    from_vector = numbers_after("from the vector:", text)
    blindly = numbers_after("the usual mask, blindly:", text)
    moved = numbers_after("from the vector, camera moved:", text)
    assert from_vector[3] < blindly[5]  # the nucleus: no better than the usual mask
    assert moved[3] < from_vector[3] / 2
    u_net = numbers_after("frozen:", text)
    u_net_moved = numbers_after("frozen, camera moved:", text)
    assert u_net_moved[0] < u_net[1]  # some cytoplasm is lost
    assert u_net[3] - u_net_moved[3] < 0.02  # and no nucleus


def test_lesson_12_fine_tuning_gains_a_little_over_its_control():
    text = printed("12")
    for part in ("cytoplasm", "nucleus"):
        value, low, _ = numbers_after(f"Dice of {part}, fine-tuned minus frozen:", text)
        assert low > -0.001 and 0 < value < 0.01
    shares = numbers_after("pixels right without any lesion:", text)
    assert shares[0] > 0.98


def test_lesson_12_compares_borrowed_and_scratch_by_number_of_images():
    text = printed("12")
    leads = {
        count: numbers_after(f"{count} images, frozen minus scratch, by seed:", text)[:3]
        for count in (10, 40, 160)
    }
    assert max(leads[10]) < 0 and -0.03 < np.mean(leads[10]) < -0.01
    assert max(map(np.mean, leads.values())) < 0
    assert all(min(leads[count]) < 0 < max(leads[count]) for count in (40, 160))
    assert leads[40][0] > 0.005 and leads[160][0] > 0.005
    _, low, high = numbers_after("validation: +", text.partition("perfect mask")[0])[:3]
    assert abs(low) < 0.0005 < high < 0.005  # begins at about zero


def test_lesson_12_says_that_a_shift_of_one_pixel_costs_small_lesions_most():
    text = printed("12")
    smallest = numbers_after("Dice of the smallest quarter:", text)[0]
    largest = numbers_after("Dice of the largest quarter:", text)[0]
    assert smallest < largest - 0.1
    assert numbers_after("surface Dice, tolerance one pixel: from", text) == [1, 1]
    distances = [
        numbers_after(f"{part}: HD95, median over images", text)[:3]
        for part in ("cytoplasm", "nucleus")
    ]
    assert distances[0][1] < distances[1][2] and distances[1][1] < distances[0][2]
    assert max(value for value, _, _ in distances) < 1  # micrometres


def test_lesson_12_doubt_says_little_more_than_the_outline():
    text = printed("12")
    control = numbers_after("near the predicted outline: AUROC", text)[0]
    assert control > 0.9
    assert 0 <= numbers_after("doubt minus control:", text)[0] <= 0.02
    assert int(re.search(r"(\d+)% of the wrong pixels are more than 3", text)[1]) < 15
    assert 15 < int(re.search(r"(\d+)% of these are among the tenth", text)[1]) < 70


def test_lesson_13_finds_cells_and_fewer_platelets():
    text = printed("13")
    scores = {
        name: float(value)
        for name, value in re.findall(r"^ *(\w+ ?\w* ?\w*): (\d?\.\d+) \(\d+ cells\)", text, re.M)
    }
    assert min(scores["red blood cell"], scores["white blood cell"]) > 0.9
    assert scores["platelet"] < 0.8
    value, low, high = numbers_after("platelets found at one false alarm per field:", text)[:3]
    assert 0.65 < value < 0.8 and high - low > 0.15
    for name in ("red blood cell", "white blood cell", "platelet"):
        error, _, _, blind, *_ = numbers_after(f"{name}: off by", text)
        assert error < blind  # the count beats a blind guess


def test_lesson_13_mistrusts_the_truth():
    text = printed("13")
    honest, spoiled, _ = numbers_after("average precision of red cells:", text)
    assert spoiled < honest - 0.1
    of_40 = re.search(r"cells among the 40 surest false alarms: (\d+)", text)
    assert int(of_40[1]) >= 35
    line = re.search(r"careless minus careful: average precision of red cells (.*)", text)[1]
    change, _, _, count, _, high = [float(n) for n in re.findall(r"-?\d*\.\d+", line)]
    assert abs(change) < 0.03 and -3.5 < count < -0.5 and high < 0


def test_lesson_13_says_that_plain_suppression_fails_its_open_task():
    for threshold in np.arange(0.05, 1, 0.05):
        plain = functools.partial(_suppressed, threshold)
        right = [lesson_13._right(plain, *field) for field in lesson_13._fields()]
        assert np.mean(right) < 0.5, threshold


def _suppressed(threshold, candidates, scores):
    return boxes.non_max_suppression(candidates, scores, threshold)
