"""Lesson 07: the smallest margin, labels that are enough, and a query strategy of one's own."""

import numpy as np

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_SIZES = [2, 5, 10, 20]
_SCORES = np.array([[0.50, 0.72, 0.70, 0.90], [0.60, 0.74, 0.66, 0.88]])
_THREE_DRAWS = np.array([[0.25, 0.50], [0.50, 0.50], [0.75, 0.875]])  # means .5, .625


def _first_above(sizes, scores, score_needed):
    means = np.mean(scores, axis=0)
    above = [size for size, mean in zip(sizes, means, strict=True) if mean >= score_needed]
    return above[0] if above else None


def _never_below(scores_at_size, score_needed):
    return all(score >= score_needed for score in scores_at_size)


def _of_the_worst_draw(sizes, scores, score_needed):
    lowest = np.min(scores, axis=0)
    for index, size in enumerate(sizes):
        if _never_below(lowest[index:], score_needed):
            return size
    return None


def _largest_mean(sizes, scores, score_needed):
    return sizes[int(np.argmax(np.mean(scores, axis=0)))]


# Candidates of the open task: 20 copies of one difficult cell, 20 difficult cells that differ, and
# 20 cells that are easy and far away.
COUNT = 6
_RANDOM = np.random.default_rng(7)
_COPIES = np.zeros((20, 2)) + 0.001 * _RANDOM.normal(size=(20, 2))
_DIFFICULT = 3 * _RANDOM.uniform(-1, 1, (20, 2))
_EASY = 12 + 2 * _RANDOM.uniform(-1, 1, (20, 2))
_CANDIDATES = np.concatenate([_COPIES, _DIFFICULT, _EASY])
_MARGINS = np.concatenate([np.full(20, 0.01), np.linspace(0.02, 0.2, 20), np.full(20, 0.95)])
_PROBABILITIES = np.stack([0.5 + _MARGINS / 2, 0.5 - _MARGINS / 2], axis=1)
_LABELLED = np.array([[-3.0, -3.0], [3.0, 3.0]])


def _answers(rule):
    """The indices that a learner's rule asks for, or None if it returns nothing yet."""
    arrays = _PROBABILITIES.copy(), _CANDIDATES.copy(), _LABELLED.copy()
    indices = rule(*arrays, COUNT)
    return None if indices is None or indices is ... else [int(index) for index in indices]


def _are_different_candidates(indices):
    return len(indices) == len(set(indices)) == COUNT and all(0 <= index < 60 for index in indices)


def _asks_well(rule):
    indices = _answers(rule)
    if indices is None:
        return None
    copies = sum(index < 20 for index in indices)
    easy = sum(index >= 40 for index in indices)
    return _are_different_candidates(indices) and copies <= 2 and easy == 0


def _repeats_itself(rule):
    return not _are_different_candidates(_answers(rule))


def _asks_for_copies(rule):
    return sum(index < 20 for index in _answers(rule)) > 2


def _asks_for_easy_cells(rule):
    return any(index >= 40 for index in _answers(rule))


def _by_uncertainty(probabilities, candidates, labelled, count):
    return np.argsort(np.abs(probabilities[:, 0] - probabilities[:, 1]), kind="stable")[:count]


def _by_distance(probabilities, candidates, labelled, count):
    nearest = np.linalg.norm(candidates[:, None] - labelled[None], axis=-1).min(axis=1)
    return np.argsort(-nearest)[:count]


def _one_cell(probabilities, candidates, labelled, count):
    return [30] * count


EXERCISES = [
    Value(
        id="07.1",
        name="cell_to_label",
        expected=Sealed("07.1", "a number", ("f06f375a",)),
        wrong=[
            (1, "Its two most probable classes are .10 apart; another cell's are closer."),
            (
                3,
                "Its largest probability is the smallest of the three: that is *least confidence*, "
                "another rule. Margin sampling looks at the distance to the second class.",
            ),
        ],
        hints=[
            "For each cell take the two largest probabilities. How far apart are they?",
            "Two of the four columns decide; the other two do not matter.",
        ],
    ),
    Function(
        id="07.2",
        name="labels_needed",
        cases=[
            ((_SIZES, _SCORES, 0.70), 20),
            ((_SIZES, _SCORES, 0.67), 5),
            ((_SIZES, _SCORES, 0.50), 2),
            ((_SIZES, _SCORES, 0.95), None),
            (([5, 10], _THREE_DRAWS, 0.50), 5),  # as high as needed is high enough
            (([5, 10], _THREE_DRAWS, 0.60), 10),  # the median is lower than the mean
        ],
        wrong=[
            (_first_above, "The mean falls below the wanted score again at a later size."),
            (_of_the_worst_draw, "That asks the worst draw; the mean over draws is asked for."),
            (_largest_mean, "That is the best size; the first one that is good enough is asked."),
        ],
        hints=[
            "`np.mean(scores, axis=0)` is the learning curve. Which sizes lie below the line?",
            "Begin at the right end of the curve and walk to the left. Where do you have to stop?",
        ],
    ),
    Condition(
        id="07.3",
        name="next_to_label",
        test=_asks_well,
        wrong=[
            (_one_cell, _repeats_itself, "Return `count` different indices of the candidates."),
            (
                _by_uncertainty,
                _asks_for_copies,
                "Most of these are copies of one difficult cell. After the first copy, what does "
                "the next one teach?",
            ),
            (
                _by_distance,
                _asks_for_easy_cells,
                "Some of these are cells that the model reads well: they are far away, and easy.",
            ),
        ],
        hints=[
            "One rule can make a short list, and the other can choose from it.",
            "How long must the short list be, so that copies alone cannot fill it?",
        ],
    ),
]
