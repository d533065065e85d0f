"""Lesson 03: regret, the network for a workstation, and a choice within a budget."""

import numpy as np

from medlearn.teaching import results
from medlearn.teaching.exercises._forms import Condition, Function, Value

_SCORES, _PERFORMANCE = np.array([0.3, 2.0, 1.1]), np.array([0.7, 0.8, 0.9])


def _best_allowed(costs):
    is_fast = costs["images/s"] >= costs["images/s"].median()
    is_lean = costs["parameters (M)"] <= costs["parameters (M)"].median()
    return costs[is_fast & is_lean]["balanced accuracy"].idxmax()


def _least_accurate(costs):
    return costs["balanced accuracy"].idxmin()


def _different_units(scores, performance):
    return scores.max() - performance.max()


def _of_the_chosen(scores, performance):
    return performance[scores.argmax()]


def _negative(scores, performance):
    return performance[scores.argmax()] - performance.max()


# ---- the budget of the open task -----------------------------------------------------------------

_MILLIONS, _IMAGES_PER_SECOND, _LABELS, _TOLERANCE = 1.5, 250, 100, 0.03


def _fits(costs):
    is_small = costs["parameters (M)"] <= _MILLIONS
    return is_small & (costs["images/s"] >= _IMAGES_PER_SECOND)


def _truth(costs, data):
    """Accuracy of each candidate on the test patients, in the order of the costs."""
    table = results.read("backbone_choice")
    is_row = (table.data == f"{data}, granules") & (table.images == _LABELS)
    rows = table[is_row & (table.method == "probe")]
    short = rows.network.str.split("_").str[-1] + " " + rows.layer.str.replace("_activation", "")
    return rows.groupby(short).balanced_accuracy.mean().reindex(costs.index)


def _is_good(answer, costs, data):
    if not _is_candidate(answer, costs) or not _fits(costs)[answer]:
        return False
    truth = _truth(costs, data)
    return truth[answer] >= truth[_fits(costs)].max() - _TOLERANCE


def _is_candidate(answer, costs):
    return isinstance(answer, str) and answer in costs.index


def _is_unknown(answer, costs, data):
    return not _is_candidate(answer, costs)


def _is_beyond(answer, costs, data):
    return not _is_unknown(answer, costs, data) and not _fits(costs)[answer]


def _loses_too_much(answer, costs, data):
    return not _is_unknown(answer, costs, data) and not _is_good(answer, costs, data)


EXERCISES = [
    Function(
        id="03.1",
        name="regret",
        cases=[
            ((_SCORES, _PERFORMANCE), 0.1),
            ((-_SCORES, _PERFORMANCE), 0.2),
            ((_PERFORMANCE, _PERFORMANCE), 0.0),
            ((np.array([5.0, 1.0]), np.array([0.25, 0.75])), 0.5),
        ],
        wrong=[
            (_different_units, "A score has no unit of accuracy; compare performances."),
            (_of_the_chosen, "That is what the chosen one does; how far is it from the best?"),
            (_negative, "The other way round: a loss is counted as positive."),
        ],
        hints=[
            "Which candidate is chosen? `np.argmax(scores)` is its index.",
            "Two performances are compared: that of the chosen one, and which other?",
        ],
    ),
    Value(
        id="03.2",
        name="chosen_name",
        expected=_best_allowed,
        wrong=[(_least_accurate, "That is the least accurate of all; sort the other way.")],
        hints=[
            "Filter the rows of `costs` by two conditions joined with `&`.",
            "Of the rows that are left, `idxmax()` names the best.",
        ],
    ),
    Condition(
        id="03.3",
        name="committed",
        test=_is_good,
        wrong=[
            ("lite3", _is_unknown, "Give a name as in the index of `costs`."),
            (
                "lite2 block_19",
                _is_beyond,
                "It does not fit: look at its parameters and its images per second.",
            ),
            (
                "random lite0 block_2",
                _loses_too_much,
                "It fits, but another one that fits is more than three points better.",
            ),
        ],
        hints=[
            "First the budget: which rows of `costs` obey both limits?",
            "Then rank these few with the new labels. Which rule lost least in section 4?",
        ],
    ),
]
