"""The rivals of our candidates: equal grids, failures, and choices without target labels."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common import rivals

WORKER = Path(__file__).parent.parent / "benchmarks" / "peers" / "grids.py"
LABELS = np.repeat([0, 1], 10)
SURE = np.eye(2)[LABELS]


def candidates(**columns):
    """Rows of one pair and library."""
    count = len(columns["method"])
    return pd.DataFrame({"failed": [""] * count, "own": [""] * count} | columns)


def test_the_grids_are_of_equal_size_and_hold_source_only():
    for library, names in rivals.GRIDS.items():
        in_grid = [name for name in names if not name.endswith(rivals.BESIDE)]
        assert len(set(in_grid)) == len(rivals.METHODS[rivals.OURS]) == 12, library
        assert in_grid[0] == rivals.SOURCE_ONLY


def test_the_worker_knows_the_names_of_the_grids():
    nodes = ast.walk(ast.parse(WORKER.read_text(encoding="utf-8")))
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = {name for grid in rivals.GRIDS.values() for name in grid}
    assert {name for name in names - constants if not name.startswith("Sinkhorn, ")} == set()


def test_a_candidate_fails_where_it_can_be_seen_without_target_labels():
    assert rivals.failure(SURE, SURE, LABELS) == ""
    assert rivals.failure(SURE * np.nan, SURE, LABELS) == "not finite"
    assert rivals.failure(SURE[:10], SURE, LABELS) == "one class"
    assert rivals.failure(SURE, SURE[::-1], LABELS) == "source validation at chance"
    assert rivals.failure(SURE, SURE, LABELS, "ValueError: no\nplan") == "ValueError: no plan"


def test_the_vote_leaves_out_what_failed_and_what_stands_beside_the_grid():
    wrong = 1 - SURE
    names = ["source only", "one", "two", f"three {rivals.BESIDE}", "four"]
    probabilities = np.stack([SURE, SURE, wrong, wrong, wrong])
    votes = rivals.consensus(names, probabilities, ["", "", "", "", "one class"])
    np.testing.assert_array_equal(votes, [1, 1, 0, np.nan, np.nan])


def test_a_choice_is_the_highest_value_of_those_that_have_not_failed():
    rows = candidates(
        method=["source only", "one", "two", f"three {rivals.BESIDE}"],
        own=["circular=0.5", "circular=0.7", "circular=nan", "circular=0.9"],
    )

    def circular(rows):
        return [rivals.own_score(text, "circular") for text in rows.own]

    assert rivals.choose(rows, circular) == "one"
    assert rivals.choose(rows.assign(failed=["", "one class", "", ""]), circular) == "source only"
    assert rivals.choose(rows.assign(failed="one class"), circular) == "source only"
    assert np.isnan(rivals.own_score("", "circular"))


def test_failed_pairs_are_counted_and_not_compared():
    ours = pd.Series([0.1, 0.2, 0.3], index=[0, 1, 2])
    line = rivals.line(pd.Series([-0.1, 0.3], index=[0, 2]), ours)
    assert (line["count"], line["failed"]) == (3, 1)
    assert (line["gain"], line["harm"]) == pytest.approx((0.1, 0.5))
    assert line["depth"] == pytest.approx(-0.1)
    assert line["ahead"] == pytest.approx(0.1) and line["ahead_low"] <= 0.1 <= line["ahead_high"]
    assert rivals.line(pd.Series(dtype=float), ours) == {"count": 3, "failed": 3}
