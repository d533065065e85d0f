"""What the text of lesson 26 says of its committed run, held against the outputs."""

import re

import pytest
from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def row(name: str) -> list[float]:
    """Score, low, high, gain, low, high and regret of a row of the board."""
    line = re.search(rf"^  {re.escape(name)}.*$", printed("26"), re.MULTILINE)[0]
    return [float(number) for number in re.findall(r"-?\d*\.\d+", line)]


def test_lesson_26_falls_next_door_and_does_no_harm():
    text = printed("26")
    at_home = numbers_after("plain recipe at home:", text)
    plain, own, oracle = row("plain:"), row("standardised:"), row("oracle:")
    assert plain[2] < at_home[1]
    assert plain[:3] == row("source only:")[:3]
    assert own[0] > plain[0] and abs(own[4]) < 0.05
    assert row("course:")[4] > 0.05 and row("course:")[6] < 0.05
    assert "; harm" not in text
    assert abs(oracle[0] - row("course:")[0]) < 0.06
    assert numbers_after("share of the rarest predicted class, plain:", text)[0] < 0.03


def test_lesson_26_shows_that_a_board_used_twice_is_lucky():
    public, private = numbers_after("best of a hundred:", printed("26"))[:2]
    assert public > 0.04 and private < public / 2


def test_lesson_26_tells_what_the_sealed_laboratories_show():
    table = results.read("challenge_summary").set_index("choice")
    course, rows = table.loc["course"], results.read("challenge")
    assert len(rows) == course.laboratories == 20
    assert course.gain_low > 0 and course.harm == 0 and 1 / 7 < course.harm_high < 1 / 5
    assert 0.04 < course.regret < 0.07
    kept = rows[rows.course_choice == "source only"]
    missed = kept.best_candidate - kept.source_only
    assert len(kept) == 5 and missed.min() > 0 and 0.15 < missed.max() < 0.25
    assert rows.source_only.mean() == pytest.approx(table.loc["source only"].score, abs=1e-4)
    numbers = numbers_after("course, this hospital", printed("26"))
    assert numbers[1:] == [*row("course:")[:1], *row("course:")[3:7], 0]
