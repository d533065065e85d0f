"""Choices among the candidates of the arena, and how they score over pairs."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import beta
from sklearn.base import clone

from common import table
from medlearn.selection import _choose, _evidence, _rule

HARM = -0.02  # a gain below it is harm
SOURCE_ONLY, ORACLE = "source only", "oracle"
VALIDATORS = {  # columns of arena.csv and their names in summaries
    "source_accuracy": "source validation",
    "weighted": "weighted",
    "certainty": "certainty",
    "information": "information",
    "neighbourhood": "neighbourhood",
    "consensus": "consensus",
    "reverse": "reverse validation",
    "structure": "structure",
}
_REPEATS = 2000


def read(half: str) -> pd.DataFrame:
    """Return the candidates of the complete pairs of one half, with their gains.

    Parameters
    ----------
    half : {"development", "test"}
        Half of the arena.
    """
    rows = table.read("arena")
    rows = rows[rows.half == half]
    sizes = rows.groupby("pair").method.transform("size")
    rows = rows[sizes == sizes.max()]
    of_oracle = rows[rows.method == ORACLE].set_index("pair").score
    rows = rows[rows.method != ORACLE].reset_index(drop=True)
    source_only = rows[rows.method == SOURCE_ONLY].set_index("pair")
    for name in ("score", "auroc", "transductive"):
        rows[f"{name}_gain"] = rows[name] - rows.pair.map(source_only[name])
    rows["oracle_gain"] = rows.pair.map(of_oracle) - rows.pair.map(source_only.score)
    return rows


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what `_rule.fit` takes; a gain is the mean of the inductive and transductive one.

    Parameters
    ----------
    rows : DataFrame
        What `read` returns.
    """
    columns = rows[["pair", "method", *_evidence.OF_PAIR, *_evidence.OF_CANDIDATE]]
    gain = ((rows.score_gain + rows.transductive_gain) / 2).round(4)
    return columns.rename(columns={"method": "candidate"}).assign(gain=gain)


def left_out_rules(rows: pd.DataFrame, rule: _rule.Rule) -> dict[int, _rule.Rule]:
    """Return for each pair the rule that is fitted to all other pairs.

    Parameters
    ----------
    rows : DataFrame
        What `calibration` returns.
    rule : Rule
        Its kind of regression, error and threshold are kept.
    """
    rules = {}
    for pair in rows.pair.unique():
        other_pairs = rows[rows.pair != pair]
        rules[pair] = _rule.fit(other_pairs, rule.error, rule.threshold, clone(rule.regression))
    return rules


def decisions(rules: Callable[[int], _rule.Rule], rows: pd.DataFrame) -> dict[int, _choose.Choice]:
    """Return for each pair what `selection.choose` decides.

    Parameters
    ----------
    rules : callable
        From the number of a pair to the rule that may be applied to it.
    rows : DataFrame
        What `read` returns.
    """
    choices = {}
    for pair, group in rows.groupby("pair", sort=False):
        of_pair = group.iloc[0][list(_evidence.OF_PAIR)].astype(float)
        evidence = group.set_index("method")[list(_evidence.OF_CANDIDATE)].astype(float)
        choices[pair] = _choose.decide(rules(pair), of_pair, evidence)
    return choices


def chosen_rows(rows: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Return the row of the candidate that was chosen for each pair.

    Parameters
    ----------
    rows : DataFrame
        What `read` returns.
    names : mapping of int to str
        The candidate of each pair.
    """
    return rows[rows.method == rows.pair.map(names)]


def highest(rows: pd.DataFrame, column: str) -> dict[int, str]:
    """Return for each pair the candidate with the highest value; the first of equal ones.

    Parameters
    ----------
    rows : DataFrame
        What `read` returns.
    column : str
        A validator, or a gain.
    """
    top = rows.loc[rows.groupby("pair")[column].idxmax()]
    return dict(zip(top.pair, top.method))


def line(rows: pd.DataFrame, names: Mapping[int, str]) -> dict[str, object]:
    """Return gain, share, harm and regret of a choice, with intervals over pairs.

    Parameters
    ----------
    rows : DataFrame
        What `read` returns, or the rows of some of its pairs.
    names : mapping of int to str
        The candidate of each pair.
    """
    choices = chosen_rows(rows, names)
    best = chosen_rows(rows, highest(rows, "score_gain")).score_gain.to_numpy()
    gain = choices.score_gain.to_numpy()
    draws = np.random.default_rng(0).integers(len(gain), size=(_REPEATS, len(gain)))
    means = gain[draws].mean(1)
    shares = means / np.maximum(best[draws].mean(1), 1e-9)
    harmed = gain < HARM
    low, high = clopper_pearson(int(harmed.sum()), len(gain))
    return {
        "pairs": len(gain),
        "gain": gain.mean(),
        "gain_low": np.quantile(means, 0.025),
        "gain_high": np.quantile(means, 0.975),
        "share_of_best": gain.mean() / best.mean() if best.mean() > 0 else np.nan,
        "share_low": np.quantile(shares, 0.025),
        "share_high": np.quantile(shares, 0.975),
        "harm": harmed.mean(),
        "harm_low": low,
        "harm_high": high,
        "depth_of_harm": gain[harmed].mean() if harmed.any() else 0.0,
        "regret": (best - gain).mean(),
        "kept_source_only": (choices.method == SOURCE_ONLY).mean(),
        "transductive_gain": choices.transductive_gain.mean(),
        "auroc_gain": choices.auroc_gain.mean(),
        "auroc_harm": (choices.auroc_gain < HARM).mean(),
        "oracle_gain": choices.oracle_gain.mean(),
    }


def clopper_pearson(count: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share.

    Parameters
    ----------
    count, total : int
        So many of so many.
    level : float
        Coverage.
    """
    tail = (1 - level) / 2
    low = beta.ppf(tail, count, total - count + 1) if count else 0.0
    high = beta.ppf(1 - tail, count + 1, total - count) if count < total else 1.0
    return float(low), float(high)
