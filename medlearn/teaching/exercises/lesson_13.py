"""Lesson 13: from distances to a box, average precision, and boxes of cells that overlap."""

from functools import lru_cache

import numpy as np

from medlearn.metrics import boxes as _boxes
from medlearn.teaching.exercises._forms import Condition, Function

_FIELDS, _ENOUGH = 40, 0.9  # share of the fields in which each object has one box
_LARGE, _SMALL, _APART = (56, 72), (12, 16), (13, 17)  # pixels
_REPEATS = 4


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


def _field(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True boxes, candidates and scores: large objects in pairs that overlap much, and small."""
    objects = []
    for row in range(2):
        for column in range(2):
            middle = 100 * np.array([row, column]) + generator.uniform(50, 60, 2)
            side, small = generator.uniform(*_LARGE), generator.uniform(*_SMALL)
            angle, apart = generator.uniform(0, 2 * np.pi), generator.uniform(*_APART)
            objects.append([*(middle - side / 2), *(middle + side / 2)])
            if generator.random() < 0.6:  # a neighbour of the same size
                shift = apart * np.array([np.sin(angle), np.cos(angle)])
                objects.append([*(middle + shift - side / 2), *(middle + shift + side / 2)])
            small_middle = middle + (46, 0)
            objects.append([*(small_middle - small / 2), *(small_middle + small / 2)])
    true = np.array(objects)
    jitter = generator.uniform(-3, 3, (len(true), _REPEATS, 2))
    jitter[:, 0] /= 4  # the surest box lies best
    candidates = true[:, None] + np.concatenate([jitter, jitter], axis=2)
    scores = np.sort(generator.uniform(0.3, 1, candidates.shape[:2]), axis=1)[:, ::-1]
    order = generator.permutation(scores.size)
    return true, candidates.reshape(-1, 4)[order], scores.reshape(-1)[order]


@lru_cache
def _fields() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(13)
    return [_field(generator) for _ in range(_FIELDS)]


def _kept(keep_boxes, candidates, scores) -> np.ndarray:
    return np.asarray(keep_boxes(candidates.copy(), scores.copy()))


def _surplus(keep_boxes) -> np.ndarray:
    """Boxes kept minus objects, in each field."""
    surplus = [
        len(_kept(keep_boxes, candidates, scores)) - len(true)
        for true, candidates, scores in _fields()
    ]
    return np.array(surplus)


def _are_no_indices(keep_boxes) -> bool:
    _, candidates, scores = _fields()[0]
    indices = _kept(keep_boxes, candidates, scores)
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        return True
    return len(set(indices.tolist())) < len(indices) or not set(indices) <= set(range(len(scores)))


def _merges(keep_boxes) -> bool:
    return bool(np.mean(_surplus(keep_boxes) < 0) > 0.1)


def _repeats_remain(keep_boxes) -> bool:
    return bool(np.mean(_surplus(keep_boxes) > 0) > 0.1)


def _right(keep_boxes, true, candidates, scores) -> bool:
    """Whether each object has one of the boxes, and each box another object."""
    remaining = candidates[_kept(keep_boxes, candidates, scores)]
    if len(remaining) != len(true):
        return False
    nearest = _boxes.pairwise_iou(remaining, true).argmax(axis=1)
    return len(set(nearest.tolist())) == len(true)


def _misses(keep_boxes) -> bool:
    return bool(np.mean([_right(keep_boxes, *field) for field in _fields()]) < _ENOUGH)


def _keeps_one_each(keep_boxes) -> bool | None:
    _, candidates, scores = _fields()[0]
    if keep_boxes(candidates.copy(), scores.copy()) is None:
        return None
    return not _are_no_indices(keep_boxes) and not _misses(keep_boxes)


def _all(candidates, scores):
    return np.arange(len(scores))


def _plain(candidates, scores):
    return _boxes.non_max_suppression(candidates, scores)


def _boxes_themselves(candidates, scores):
    return candidates[_plain(candidates, scores)]


def _any_so_many(candidates, scores):
    """The right number of boxes where it is known, but the surest ones."""
    object_counts = {len(field_scores): len(true) for true, _, field_scores in _fields()}
    return np.argsort(-scores)[: object_counts[len(scores)]]


EXERCISES = [
    Function(
        id="13.1",
        name="box_of",
        cases=[
            ((0, 0, [4, 4, 4, 4]), [0, 0, 8, 8]),
            ((2, 5, [16, 8, 10, 12]), [4, 36, 30, 56]),
            ((1, 0, [1, 2, 3, 4]), [11, 2, 15, 8]),
        ],
        wrong=[
            (
                _from_the_corner,
                "Distances start at the middle of the place, half a place further on.",
            ),
            (_in_cells, "Rows and columns count places; a place is 8 pixels wide."),
            (_all_added, "Top and left are smaller than the middle: which sign have they?"),
        ],
        hints=[
            "The middle of the place (0, 0) is at (4, 4).",
            "Where is the middle of the next place? Then go up, left, down and right from there.",
        ],
    ),
    Function(
        id="13.2",
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
    Condition(
        id="13.3",
        name="keep_boxes",
        test=_keeps_one_each,
        wrong=[
            (
                _boxes_themselves,
                _are_no_indices,
                "Return the indices of the candidates to keep, each once: a list or an array of "
                "whole numbers.",
            ),
            (
                _plain,
                _merges,
                "In some fields there are fewer boxes than objects: two overlapping cells became "
                "one.",
            ),
            (
                _all,
                _repeats_remain,
                "In some fields there are more boxes than objects: repeats remain.",
            ),
            (
                _any_so_many,
                _misses,
                "The numbers are right, but some objects have two boxes and others none.",
            ),
        ],
        hints=[
            "How far from each other are the middles of two repeats? And those of two cells that "
            "overlap much?",
            "Go through the boxes from the surest on, as `suppress` does. What could take the "
            "place of the IoU?",
        ],
    ),
]
