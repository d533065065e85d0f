"""Lesson 13: overlap of two boxes, from distances to a box, and average precision."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Function, Value


def _from_the_corner(row, column, distances):
    return _around(8 * row, 8 * column, distances)


def _in_cells(row, column, distances):
    return _around(row + 0.5, column + 0.5, distances)


def _all_added(row, column, distances):
    top, left, bottom, right = distances
    y, x = 8 * row + 4, 8 * column + 4
    return [y + top, x + left, y + bottom, x + right]


def _around(y, x, distances):
    top, left, bottom, right = distances
    return [y - top, x - left, y + bottom, x + right]


def _precision(hits):
    return np.cumsum(hits) / np.arange(1, len(hits) + 1)


def _precision_there(hits, total):
    return np.sum(np.array(hits) * _precision(hits)) / total


def _of_those_found(hits, total):
    from_here = np.maximum.accumulate(_precision(hits)[::-1])[::-1]
    return np.sum(np.array(hits) * from_here) / np.sum(hits)


def _best_before(hits, total):
    return np.sum(np.array(hits) * np.maximum.accumulate(_precision(hits))) / total


EXERCISES = [
    Value(
        id="13.1",
        name="overlap_of_a_speck",
        expected=Sealed("13.1", "a number", ("4207ca61 67b46697 8e7522fb af7a9fc4",)),
        wrong=[
            (36 / 64, "That is the share of one box; divide by the area that both cover together."),
            (36 / 128, "The shared area is in both boxes: count it once."),
            (0.75, "That is the overlap along one side; areas, please."),
        ],
        hints=[
            "They share the rows from 12 to 18 and the columns from 12 to 18.",
            "How large is each box, and how large is the area that the two cover together?",
        ],
    ),
    Function(
        id="13.2",
        name="box_of",
        cases=[
            ((0, 0, [4, 4, 4, 4]), [0, 0, 8, 8]),
            ((2, 5, [16, 8, 10, 12]), [4, 36, 30, 56]),
            ((1, 0, [1, 2, 3, 4]), [11, 2, 15, 8]),
        ],
        wrong=[
            (
                _from_the_corner,
                "Distances start at the middle of the cell, half a cell further on.",
            ),
            (_in_cells, "Rows and columns count cells; a cell is 8 pixels wide."),
            (_all_added, "Top and left are smaller than the middle: which sign have they?"),
        ],
        hints=[
            "The middle of the cell (0, 0) is at (4, 4).",
            "Where is the middle of the next cell? Then go up, left, down and right from there.",
        ],
    ),
    Function(
        id="13.3",
        name="precision_area",
        cases=[
            (([1, 1, 0, 1, 0], 4), 2.75 / 4),
            (([0, 1, 1], 2), 2 / 3),
            (([1, 0, 0], 5), 0.2),
            (([0, 1, 0, 1, 1, 0], 6), 0.3),
        ],
        wrong=[
            (
                _precision_there,
                "Nearly: at each hit, a better precision further down the list counts instead.",
            ),
            (_of_those_found, "Divide by all cells, not by those that were found."),
            (_best_before, "The best precision there or *later* counts, not the best before."),
        ],
        hints=[
            "After each box, which share of the boxes so far is a hit? `np.cumsum` counts them.",
            "`np.maximum.accumulate` goes from the left and keeps the largest so far; you need it "
            "from the right.",
        ],
    ),
]
