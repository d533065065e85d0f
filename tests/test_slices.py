"""A part of a lesson is played with what it builds on, and without the rest."""

import ast

import slices


def kept(*sources):
    """Return those cells that the last one builds on."""
    trees = [ast.parse(source) for source in sources]
    indices = slices.needed(trees, lambda index: index == len(sources) - 1)
    assert indices[-1] == len(sources) - 1 and indices == sorted(indices)
    return [sources[index] for index in indices[:-1]]


def test_what_makes_or_may_change_an_object_is_kept():
    for source in [
        "b = 2",
        "b = c = 2",
        "c, b = 1, 2",
        "b[0] = 2",
        "b.size = 2",
        "b.append(2)",
        "fit(b)",
        "x = b.fit(2)",
        "def b():\n    return 2",
        "for b in (1, 2):\n    pass",
        "import numpy as b",
        "if c:\n    b = 2",
        "with c as b:\n    pass",
        "b += 1",
        "[b.append(c) for c in (1, 2)]",
    ]:
        assert kept(source, "print(b)") == [source]


def test_what_only_looks_or_has_a_name_of_its_own_is_not():
    for source in [
        "print(b)",
        "plots.images(b)",
        "z = b + 2",
        "np.sum(z)",
        "assert b",
        "x = b.mean()",
        "z = [b for b in (1, 2)]",
        "z = lambda b: b",
        "def f(b):\n    b.append(2)",
        "def f():\n    b = 2",
        "z[b] = 2",
        "b(1).fit(2)",
    ]:
        assert kept("b = 1", source, "print(b)") == ["b = 1"], source


def test_what_the_needed_need_is_needed_too():
    assert kept("a = 1", "slow = 1", "b = a", "print(b)") == ["a = 1", "b = a"]
    loop = "for step in range(2):\n    b += a"
    assert kept("a = 1", "b = 0", loop, "print(b)") == ["a = 1", "b = 0", loop]


def test_a_name_bound_anew_is_another_object():
    assert kept("b = slow()", "b = 2", "print(b)") == ["b = 2"]
    perhaps = "if a:\n    b = 2"
    assert kept("b = 1", perhaps, "print(b)") == ["b = 1", perhaps]
    loop = "for name in (1, 2):\n    c = name"
    assert kept("name = 1", loop, "print(c)") == [loop]
    assert kept("b = 1", "b = b + 1\nc = b", "print(c)") == ["b = 1", "b = b + 1\nc = b"]


def test_a_function_brings_what_it_reads_and_changes():
    define = "def f(x):\n    y = x + a\n    return y"
    assert kept("y = slow()", "a = 1", define, "f(2)") == ["a = 1", define]
    assert kept(define, "a = 1", "f(2)") == [define, "a = 1"]  # bound before the call
    grow = "def grow():\n    b.append(1)"
    assert kept("b = []", grow, "z = 2", "n = grow()", "print(b)") == ["b = []", grow, "n = grow()"]


def test_a_module_is_not_changed_by_its_functions_nor_a_constant_by_any():
    assert kept("SEED = 0", "fit(SEED)", "print(SEED)") == ["SEED = 0"]
    numpy = "import numpy as np"
    assert kept(numpy, "np.seterr(all='raise')", "np.sum([1])") == [numpy]
