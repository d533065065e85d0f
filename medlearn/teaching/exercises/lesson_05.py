"""Lesson 05: counting adapters, the robustness index, and a training of adapters to be mended."""

from medlearn.teaching.exercises import _practice_adapters as practice
from medlearn.teaching.exercises._forms import Condition, Function


def _one_matrix(width, rank, blocks):
    return 2 * blocks * width * rank


def _whole_kernels(width, rank, blocks):
    return 2 * blocks * width * width


def _index(label, domain, labels, domains):
    pairs = list(zip(labels, domains))
    agreeing = sum(a == label and b != domain for a, b in pairs)
    confounded = sum(a != label and b == domain for a, b in pairs)
    return agreeing / (agreeing + confounded)


def _of_all(label, domain, labels, domains):
    pairs = zip(labels, domains)
    return sum(a == label and b != domain for a, b in pairs) / len(labels)


def _any_domain(label, domain, labels, domains):
    return sum(a == label for a in labels) / len(labels)


def _turned_round(label, domain, labels, domains):
    return 1 - _index(label, domain, labels, domains)


EXERCISES = [
    Function(
        id="05.1",
        name="adapter_values",
        cases=[
            ((384, 4, 12), 73_728),
            ((384, 8, 12), 147_456),
            ((768, 4, 12), 147_456),
            ((6, 2, 1), 48),
        ],
        wrong=[
            (
                _one_matrix,
                "That is half of it: is it one matrix for each kernel or two, and how many kernels "
                "of a block get adapters?",
            ),
            (_whole_kernels, "That many values have the kernels themselves, which stay frozen."),
            (
                lambda width, rank, blocks: 4 * width * rank,
                "That is one block: how many are there?",
            ),
        ],
        hints=[
            "Draw A and B for one kernel, and write their sides beside them.",
            "Queries and values of each block get an A and a B.",
        ],
    ),
    Function(
        id="05.2",
        name="index_of",
        cases=[
            (("n", "a", ["n", "n", "m", "m"], ["b", "a", "a", "b"]), 0.5),
            (("n", "a", ["n", "n", "n", "m"], ["b", "b", "b", "a"]), 0.75),
            (("n", "b", ["n", "m", "m"], ["a", "a", "a"]), 1.0),
            (("n", "b", ["n", "m", "e", "e"], ["a", "b", "b", "b"]), 0.25),
        ],
        wrong=[
            (
                _of_all,
                "Neighbours that share both the class and the laboratory, or neither, do not "
                "count: divide by those that do.",
            ),
            (
                _any_domain,
                "Neighbours of the same class and the same laboratory say nothing about which of "
                "the two brought them near: leave them out.",
            ),
            (_turned_round, "The other way round: 1 is an index at which only the class counts."),
        ],
        hints=[
            "Sort the neighbours into a table of two by two: same class or not, same laboratory "
            "or not. Which two fields does the index use?",
            "The same class elsewhere, divided by itself plus the other class at home.",
        ],
    ),
    Condition(
        id="05.3",
        name="mended_lora",
        test=practice.is_sound,
        wrong=[
            (
                practice.with_fault("form"),
                practice.has_another_form,
                "Return two things: the model, and the snapshot that was taken before `fit`.",
            ),
            (
                practice.with_fault("early"),
                practice.snapshot_is_early,
                "The snapshot knows no adapters: add them first, take it then, and fit at last.",
            ),
            (
                practice.with_fault("thawed"),
                practice.kernels_move,
                "A pretrained weight moved. Setting `trainable` on a layer with adapters wakes its "
                "kernel and bias as well: in which order do freezing and adding go?",
            ),
            (
                practice.with_fault("frozen"),
                practice.adapters_are_still,
                "No adapter moved: only the head learned. What froze them?",
            ),
            (
                practice.with_fault("keys"),
                practice.other_layers_learn,
                "Other adapters learned than those of the queries and values of all blocks.",
            ),
            (
                practice.with_fault("head"),
                practice.head_is_still,
                "The head did not move: its classes are new, so it has to learn.",
            ),
        ],
        hints=[
            "After the training, print what moved since the snapshot. What is missing?",
            "Freeze first. Then, for the queries and values: let the layer learn, add its "
            "adapters, and hold its bias still.",
        ],
    ),
]
