"""What the text of lesson 23 says of its committed run, held against the outputs."""

import re

from test_lesson_claims import numbers_after, printed


def interval_after(name: str, text: str) -> list[float]:
    """The value and its interval that follow a name anywhere in a text."""
    return [float(number) for number in re.findall(r"\d*\.\d+", text.partition(name)[2])[:3]]


def test_lesson_23_shows_which_promises_break():
    text = printed("23")
    numbers = {
        name: numbers_after(f"{name}: coverage", text)
        for name in (
            "at home",
            "next door",
            "temperature",
            "standardised",
            "calibrated there",
            "both",
        )
    }
    assert numbers["at home"][1] < 0.9 < numbers["at home"][2]
    assert 0.4 < numbers["next door"][0] < 0.6
    assert numbers["standardised"][2] < 0.7
    assert abs(numbers["temperature"][0] - numbers["next door"][0]) < 0.05
    assert numbers["calibrated there"][2] > 0.9 and numbers["calibrated there"][3] > 4
    assert numbers["both"][1] < 0.9 < numbers["both"][2]
    assert numbers["both"][3] < numbers["calibrated there"][3] - 0.5
    assert numbers["next door"][3] < numbers["at home"][3] + 0.5
    mean = numbers_after("coverage at home: mean", text)[0]
    assert abs(mean - 0.9) < 0.015
    at_home, next_door = (
        numbers_after(f"{name}:", text.partition("temperature 0")[2])[:2]
        for name in (" at home", "next door")
    )
    assert at_home[1] < at_home[0] / 2 and next_door[1] > next_door[0]


def test_lesson_23_shows_what_estimates_promise():
    text = printed("23").partition("accuracy next door, features as they are:")[2]
    raw, _, standardised = text.partition("accuracy next door, standardised:")
    for name in ("difference of confidences", "thresholded confidence", "confusion matrix"):
        assert interval_after(name, raw)[1] > interval_after("truth", raw)[2]
    truth = interval_after("truth", standardised)[0]
    _, low, high = interval_after("thresholded confidence", standardised)
    assert low < truth < high and high - low > 0.2
    assert interval_after("difference of confidences", standardised)[1] > truth
    assert interval_after("confusion matrix", standardised)[0] > truth + 0.25
    assert interval_after("truth", raw)[0] > truth - 0.1


def test_lesson_23_shows_what_scores_and_charts_notice():
    text = printed("23")
    foreign = text.partition("foreign cell? maximum")[2].partition("\n")[0]
    wrong = text.partition("wrong prediction? maximum")[2].partition("\n")[0]
    names = ("probability", "energy", "Mahalanobis distance")
    foreign_scores = [interval_after(name, foreign)[0] for name in names]
    assert foreign_scores[2] > 0.95 > 0.8 > max(foreign_scores[:2])
    intervals = [interval_after(name, wrong) for name in names]
    assert intervals[0][1] > 0.5 and intervals[1][1] > 0.5
    assert intervals[2][1] < 0.5 < intervals[2][2]
    for dial in ("stain", "preparation"):
        chart = numbers_after(f"confidence chart, {dial}: caught in", text)
        assert chart[2] < 0.7 and chart[5] < 0  # the accuracy fell
    assert numbers_after("confidence chart, stain: caught in", text)[0] < 0.5
    for dial in ("stain", "optics", "preparation"):
        assert numbers_after(f"distance chart, {dial}: caught in", text)[0] > 0.97
    optics = numbers_after("distance chart, optics: caught in", text)
    assert optics[4] < 0 < optics[5]
    for number in ("confidence", "distance"):
        assert 0.5 < numbers_after(f"{number} chart:", text)[0] < 1.3
    plain = interval_after("plain sets: mean coverage", text)[0]
    weighted = interval_after("weighted sets: mean coverage", text)[0]
    assert plain < 0.88 and abs(weighted - 0.9) < 0.025


def test_lesson_23_standardisation_raises_the_coverage_and_does_not_mend_it():
    text = printed("23")
    assert numbers_after("coverage, standardised minus next door:", text)[1] > 0
    assert numbers_after("standardised: coverage", text)[2] < 0.8
    low, high = numbers_after("coverage, temperature minus next door:", text)[1:3]
    assert low < 0.05 and high < 0.05
