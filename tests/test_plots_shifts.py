"""Figures of shifts show what they were given."""

import numpy as np
import pandas as pd
from figures import house_style  # noqa: F401

from medlearn import plots


def test_together_draws_one_curve_a_panel_with_its_interval():
    figure = plots.curve_panels(
        [0, 0.5, 1],
        {"score": [(0.9, 0.8, 1), (0.5, 0.4, 0.6), (0.3, 0.2, 0.4)], "distance": [0, 1, 2]},
        xlabel="severity",
    )
    first, second = figure.axes
    np.testing.assert_array_equal(first.lines[0].get_ydata(), [0.9, 0.5, 0.3])
    np.testing.assert_array_equal(second.lines[0].get_ydata(), [0, 1, 2])
    assert (first.get_title("left"), second.get_title("left"), first.get_xlabel()) == (
        "score",
        "distance",
        "severity",
    )
    assert first.collections[0].get_paths()[0].vertices[:, 1].min() == 0.2


def test_harm_puts_each_shift_at_its_distance_and_score():
    figure = plots.score_over_distance(
        {"stain": (1.2, (0.7, 0.6, 0.8)), "noise": (1.9, (0.9, 0.85, 0.95))},
        reference=(0.9, 0.86, 0.94),
        xlabel="d",
        ylabel="accuracy",
    )
    ax = figure.axes[0]
    points = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() in "osD^vP"]
    assert points == [(1.2, 0.7), (1.9, 0.9)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "at home (95 %)",
        "stain",
        "noise",
    ]


def test_shares_fill_each_row():
    figure = plots.class_proportions(
        {"home": [0.5, 0.3, 0.2], "away": [0.1, 0.1, 0.8]}, ("a", "b", "c")
    )
    bars = figure.axes[0].patches
    assert [round(bar.get_width(), 2) for bar in bars] == [0.5, 0.1, 0.3, 0.1, 0.2, 0.8]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["home", "away"]


def test_choices_ring_what_each_validator_chose():
    rows = [("a", 1), ("b", 2), ("c", 3)]
    scores = pd.DataFrame(
        {"sure": [0.1, 0.9, 0.5], "spread": [3.0, 1.0, 2.0]}, index=pd.MultiIndex.from_tuples(rows)
    )
    figure = plots.validator_choices(
        scores,
        pd.Series([0.2, 0.4, 0.6], index=scores.index),
        {"sure": rows[1], "spread": rows[0]},
        ylabel="accuracy",
    )
    for ax, place, title in zip(figure.axes, ((0.9, 0.4), (3.0, 0.2)), scores):
        dots, ring = ax.lines
        assert (
            len(dots.get_xdata()) == 3
            and tuple(ring.get_xydata()[0]) == place
            and ax.get_title("left") == title
        )


def test_gap_closed_marks_each_pair_by_its_kind_and_clips_what_is_far_below():
    shares = pd.DataFrame(
        [[0.8, -7.0, np.nan], [0.2, 0.5, 0.9]],
        index=["by sureness", "by vote"],
        columns=["p", "q", "r"],
    )
    ax = plots.gap_closed(shares, ["made", "made", "real"], floor=-1).axes[0]
    marks = {
        (line.get_marker(), tuple(map(tuple, line.get_xydata()[np.isfinite(line.get_xdata())])))
        for line in ax.lines
        if line.get_marker() in "os<|"
    }
    assert marks == {
        ("o", ((0.8, 0), (0.2, 1), (0.5, 1))),
        ("<", ((-1, 0),)),
        ("s", ((0.9, 1),)),
        ("<", ()),
        ("|", ((-1, 0), (0.5, 1))),
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["by sureness", "by vote"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["made", "real", "median"]
