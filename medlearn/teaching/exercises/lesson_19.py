"""Lesson 19: the gain of a duel, when the expert may go home, and a proposal before the reveal."""

from medlearn.teaching._sealed import Sealed
from medlearn.teaching.exercises._forms import Condition, Function, Value

_WINS, _EVEN = [1] * 10, [1, -1] * 20
_WITH_TIES = [1, 0, 1, 1, 0, 1, -1, 1, 1, 1, 1, 1, 1, 1]
_LATE_LOSSES = [1] * 8 + [-1] * 8


def _without_ties(outcomes, stake, threshold):
    return _played([outcome for outcome in outcomes if outcome], stake, threshold)


def _by_sum(outcomes, stake, threshold):
    wealth = 1.0
    for label, outcome in enumerate(outcomes, start=1):
        wealth += stake * outcome
        if wealth >= threshold:
            return label
    return None


def _only_at_the_end(outcomes, stake, threshold):
    wealth = 1.0
    for outcome in outcomes:
        wealth *= 1 + stake * outcome
    return len(outcomes) if wealth >= threshold else None


def _one_too_few(outcomes, stake, threshold):
    label = _played(outcomes, stake, threshold)
    return label and label - 1


def _played(outcomes, stake, threshold):
    wealth = 1.0
    for label, outcome in enumerate(outcomes, start=1):
        wealth *= 1 + stake * outcome
        if wealth >= threshold:
            return label
    return None


def _is_committed_blindly(proposal, candidates, sealed):
    is_candidate = proposal in list(candidates)[1:]
    has_seen = sealed.asked or sealed.opened
    return is_candidate and (not has_seen or sealed.committed.get("proposal") == proposal)


def _is_unknown(proposal, candidates, sealed):
    return proposal not in candidates


def _is_source_only(proposal, candidates, sealed):
    return proposal == next(iter(candidates))


EXERCISES = [
    Value(
        id="19.1",
        name="gain_of_second",
        expected=Sealed("19.1", "a number", ("ebae60a6",)),
        wrong=[
            (0.1, "These are its wins; what about the images on which the first alone is right?"),
            (14 / 30, "That is the gain on the disagreements; over all images it is smaller."),
            (0.05, "Where both are wrong, neither gains: these images count for nobody."),
            (7, "A share is asked for, not points."),
        ],
        hints=[
            "Which of the 30 images count for the second model, and which against it?",
            "Over how many images is the accuracy taken?",
        ],
    ),
    Function(
        id="19.2",
        name="labels_until",
        cases=[
            ((_WINS, 0.5, 3), 3),
            ((_EVEN, 0.5, 20), None),
            ((_WITH_TIES, 0.5, 20), _played(_WITH_TIES, 0.5, 20)),
            ((_LATE_LOSSES, 0.5, 20), 8),  # it had been reached: the expert was at home by then
            (([1, 1], 1.0, 4), 2),  # reaching it exactly is enough
        ],
        wrong=[
            (_without_ties, "A label on which both models are wrong was asked for as well."),
            (_by_sum, "Wealth is multiplied after each label: a part of all that is there is bet."),
            (_only_at_the_end, "It may have been reached before the last label, and lost again."),
            (_one_too_few, "Count labels from 1: after the first label one has been asked for."),
        ],
        hints=[
            "Keep one number, the wealth, and walk through the outcomes.",
            "When is the answer known? Then the loop can end.",
        ],
    ),
    Condition(
        id="19.3",
        name="my_proposal",
        test=_is_committed_blindly,
        wrong=[
            ("magic", _is_unknown, "Give the name of a candidate, as in the table's first column."),
            (
                "source only",
                _is_source_only,
                "Source only is in use already. Which other candidate would you propose?",
            ),
        ],
        hints=[
            "Which candidates are near the vote of all, and which differ much from source only?",
            "If labels of this laboratory have been seen, take another number and begin again.",
        ],
    ),
]
