"""Figures of waiting and of scaling say what they were given."""

import numpy as np
import pytest
from figures import house_style  # noqa: F401

from medlearn import plots

SPANS = [(10.0, 11.0, 13.0), (13.0, 13.5, 14.0)]  # waits 1.5 of 4 seconds


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_a_lane_shows_the_share_of_computing():
    figure = plots.pipeline_timeline({"naive": SPANS, "other": SPANS})
    (ax,) = figure.axes
    assert texts(figure) == ["busy 62%", "busy 62%"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["naive", "other"]
    assert plots.pipeline_timeline({"naive": SPANS}, end=9).axes[0].get_xlim()[1] == 9


def test_scaling_shows_seconds_and_efficiency():
    figure = plots.scaling(
        [1, 2, 4], {"slow": [8, 8, 8], "ideal link": [8, 4, 2]}, chosen=(4, "slow"), title="a model"
    )
    left, right = figure.axes
    np.testing.assert_allclose(right.lines[0].get_ydata(), [1, 0.5, 0.25])
    assert texts(figure) == ["8.000 s", "25%"]
    assert figure.get_suptitle() == "a model"
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [8, 4, 2])  # dotted: the ideal


@pytest.mark.parametrize("chosen", [None, (2, "slow")])
def test_the_ring_is_drawn_only_where_something_is_chosen(chosen):
    figure = plots.scaling([1, 2], {"slow": [1, 1]}, chosen=chosen)
    assert len(texts(figure)) == (0 if chosen is None else 2)
