"""The figure of methods in another laboratory shows what it was given."""

import numpy as np
from figures import house_style, texts  # noqa: F401

from medlearn import plots

PANELS = {
    "to lab-a": {
        "source only": (0.5, 0.4, 0.6),
        "adapted": (0.7, 0.6, 0.8),
        "oracle": (0.9, 0.85, 0.95),
    },
    "to lab-b": {"source only": (0.3, 0.2, 0.4), "oracle": (0.8, 0.7, 0.85)},
}


def marks(ax, size):
    return {
        tuple(line.get_xydata()[0])
        for line in ax.lines
        if line.get_marker() == "o" and line.get_markersize() == size
    }


def test_rivals_draws_a_dot_and_its_interval_in_the_row_of_each_method():
    figure = plots.intervals_by_target(PANELS, label="Dice")
    first, second = figure.axes
    assert marks(first, 5) == {(0.5, 0), (0.7, 1), (0.9, 2)} and marks(second, 5) == {
        (0.3, 0),
        (0.8, 2),
    }
    assert {tuple(line.get_xdata()) for line in second.lines if line.get_linewidth() == 3} == {
        (0.2, 0.4),
        (0.7, 0.85),
    }
    assert [label.get_text() for label in first.get_yticklabels()] == [
        "source only",
        "adapted",
        "oracle",
    ]
    assert first.get_ylim() == (2.5, -0.5)
    assert {"to lab-a", "to lab-b", "Dice (bar: 95 % interval)"} <= set(texts(figure)) | {
        figure.get_supxlabel()
    }


def test_rivals_marks_bounds_and_choices_only_where_asked():
    def dashed(ax):
        return {line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"}

    plain = plots.intervals_by_target(PANELS, label="Dice")
    assert all(not dashed(ax) and not marks(ax, 12) for ax in plain.axes)
    figure = plots.intervals_by_target(
        PANELS, label="Dice", baseline="source only", oracle="oracle", chosen=("adapted",)
    )
    assert [dashed(ax) for ax in figure.axes] == [{0.5, 0.9}, {0.3, 0.8}]
    assert [marks(ax, 12) for ax in figure.axes] == [{(0.7, 1)}, set()]
    colours = [
        np.array([line.get_color() for line in figure.axes[0].lines if line.get_linewidth() == 3])
    ]
    assert len(np.unique(colours[0], axis=0)) == 2
