"""Which rule for `selection.choose` harms least on the development half of the arena?

    python benchmarks/arena_chooser.py [--freeze]   # after arena.py

A CPU-minute; fills results/arena_chooser.csv, and with --freeze also
medlearn/selection/_calibration.csv. Two regressions are compared with one pair left out at a time:
the gain of each candidate of that pair is predicted by a regression that was fitted to all others,
and the ranges are those of the others, too. `error` is the 90 % quantile of predicted minus true
gain of the candidate with the highest prediction, over the pairs inside the ranges. A row is one
regression and threshold of the lower bound. The one with the largest gain is frozen, of those that
harm in at most 5 % of the pairs. No row reads the test half.
"""

from dataclasses import replace
import math

from common import table  # first: it sets the threads
from common import arena_choices
import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.selection import _rule

THRESHOLDS = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04)
MOST_HARM = 0.05


def ridge() -> RegressorMixin:
    """Return a linear regression, unfitted."""
    return make_pipeline(StandardScaler(), Ridge(30.0))


REGRESSIONS = {"trees": _rule.trees, "ridge": ridge}


def error_of(rows: pd.DataFrame, rules: dict[int, _rule.Rule]) -> float:
    """Return the 90 % quantile of predicted minus true gain of the best candidate of each pair.

    Parameters
    ----------
    rows : DataFrame
        What `arena_choices.read` returns.
    rules : dict of int to Rule
        What `arena_choices.left_out_rules` returns.
    """
    choices = arena_choices.decisions(rules.get, rows)
    gains = rows.set_index(["pair", "method"]).score_gain
    errors = []
    for pair, choice in choices.items():
        if not choice.abstained:  # there is no threshold, so the pair is in the range
            errors.append(choice.gain.value - gains[pair, choice.best])
    return float(np.quantile(errors, 0.9))


def main() -> None:
    """Compare, print, and with --freeze write the calibration."""
    arguments = table.command_line(__doc__, freeze="write the calibration of the package")
    rows = arena_choices.read("development")
    calibration = arena_choices.calibration(rows)
    lines, errors = [], {}
    for name, regression in REGRESSIONS.items():
        blank = replace(_rule.load(), regression=regression(), error=0.0, threshold=-math.inf)
        rules = arena_choices.left_out_rules(calibration, blank)
        errors[name] = error_of(rows, rules)
        for threshold in THRESHOLDS:
            final = {}
            for pair, rule in rules.items():
                final[pair] = replace(rule, error=errors[name], threshold=threshold)
            choices = arena_choices.decisions(final.get, rows)
            names = {pair: choice.name for pair, choice in choices.items()}
            key = {"regression": name, "threshold": threshold, "error": errors[name]}
            lines.append(key | arena_choices.line(rows, names))
    table.write("arena_chooser", lines)
    harmless = [line for line in lines if line["harm"] <= MOST_HARM]
    chosen = max(harmless, key=lambda line: line["gain"])
    print("chosen:", chosen["regression"], chosen["threshold"])
    if arguments.freeze and chosen["regression"] == "trees":  # what the package can refit
        _rule.write(calibration, math.ceil(1000 * chosen["error"]) / 1000, chosen["threshold"])


if __name__ == "__main__":
    main()
