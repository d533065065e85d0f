"""Duels: never more wrong verdicts than promised, by exact enumeration and by simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from common import duel_rivals
from medlearn import metrics, selection
from medlearn.selection._bets import Bets

SEEDS = st.integers(0, 10_000)
NO_DIFFERENCE = "no difference worth having"


def models(wins, losses, ties, agreements):
    """Predictions of two models and the truth, with so many images of each kind."""
    first = np.repeat([0, 1, 0, 1], [wins, losses, ties, agreements])
    second = np.repeat([1, 0, 2, 1], [wins, losses, ties, agreements])
    return first, second, np.ones(len(first), int)


# ---- the bets ------------------------------------------------------------------------------------


def mean_wealth(gains, limits, total):
    """Mean over all orders of the draw, weighted by their chance, of both final wealths."""
    mean, number = np.zeros(2), len(gains)
    totals = np.unique([-sum(limits), 0, total, sum(limits)])
    for order in itertools.permutations(range(number)):
        bets = Bets(totals, sum(limits), math.inf, 10, whole=False)
        bets.threshold = 1e12  # nothing ends early
        chance, left = 1.0, sum(limits)
        for unit in order[:-1]:
            chance *= limits[unit] / left
            left -= limits[unit]
            bets.settle(gains[unit], limits[unit])
        mean += chance * bets.wealth[:, np.searchsorted(totals, total)]
    return mean


@pytest.mark.parametrize(
    "gains, limits",
    [
        ([1, -1, 1, -1, 0], [1, 1, 1, 1, 1]),
        ([1, 1, 1, 1, -1], [1, 1, 1, 1, 1]),
        ([0.3, -0.1, 0.0, -0.2, 0.9], [0.4, 0.2, 0.5, 0.2, 1.0]),
        ([3, -4, 1, 0], [5, 4, 1, 2]),  # patients with several disagreements
    ],
)
def test_against_the_true_total_no_bettor_can_expect_a_profit(gains, limits):
    total = sum(gains)
    wealth = mean_wealth(gains, limits, total)
    assert wealth == pytest.approx([1, 1], abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_more_extreme_a_total_the_richer_the_bets_against_it(seed):
    random = np.random.default_rng(seed)
    limits = random.uniform(0.05, 1, 30)
    gains = limits * random.choice([-1, -0.3, 0, 0.5, 1], 30, p=random.dirichlet(np.ones(5)))
    bets = Bets(np.linspace(-30, 30, 301), limits.sum(), 40, 20, whole=False)
    for gain, limit in zip(gains, limits):
        bets.settle(gain, limit)
        is_possible = np.abs(bets.totals - bets.gain) < bets.left
        against_at_most, against_at_least = np.minimum(bets.wealth[:, is_possible], 40)
        assert (np.diff(against_at_most) <= 1e-9).all()
        assert (np.diff(against_at_least) >= -1e-9).all()


# ---- wrong verdicts ------------------------------------------------------------------------------

POPULATIONS = {  # wins, losses, both wrong, agreements
    "no gain": (30, 30, 0, 140),
    "no gain, both often wrong": (8, 8, 50, 34),
    "few disagreements": (4, 4, 1, 91),
    "one image of gain": (21, 20, 10, 49),
    "a loss that is hardly worth a word": (25, 28, 10, 137),
    "more than what is worth having": (14, 5, 3, 278),
}


def is_wrong(answer, gain, worth):
    return (
        (answer == "better" and gain <= 0)
        or (answer == "worse" and gain >= 0)
        or (answer == NO_DIFFERENCE and abs(gain) > worth)
    )


def count_wrong(population, duels, alpha, patients=None):
    first, second, truth = models(*POPULATIONS[population])
    gain = np.mean(second == truth) - np.mean(first == truth)
    wrong = misses = 0
    for seed in range(duels):
        verdict = selection.duel(first, second, truth, patients, alpha=alpha, seed=seed)
        wrong += is_wrong(verdict.answer, gain, worth=0.02)
        misses += not verdict.gain.low - 1e-9 <= gain <= verdict.gain.high + 1e-9
    return wrong, misses


def most_by_chance(duels, alpha):
    return alpha * duels + 3 * math.sqrt(duels * alpha * (1 - alpha))


@pytest.mark.parametrize("population", POPULATIONS)
def test_wrong_verdicts_and_missed_gains_stay_below_alpha(population):
    wrong, misses = count_wrong(population, duels=120, alpha=0.2)
    assert max(wrong, misses) <= most_by_chance(120, 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("population", POPULATIONS)
def test_wrong_verdicts_and_missed_gains_stay_below_alpha_in_many_duels(population):
    wrong, misses = count_wrong(population, duels=2000, alpha=0.05)
    assert max(wrong, misses) <= most_by_chance(2000, 0.05)


def test_patients_of_unequal_size_who_are_all_right_or_all_wrong():
    patients = np.repeat(np.arange(14), [12, 12, 1, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 5])
    patients = np.concatenate([patients, np.full(140, 99)])  # the agreements
    wrong, misses = count_wrong("no gain", duels=200, alpha=0.2, patients=patients)
    assert max(wrong, misses) <= most_by_chance(200, 0.2)


def test_scores_without_a_gain():
    random = np.random.default_rng(0)
    limits = np.tile(random.uniform(0, 0.6, 40) * (random.random(40) < 0.8), 2)
    gains = limits * np.repeat([1, -1], 40) * np.tile(random.choice([-1, 0.2, 0.5], 40), 2)
    scores = np.stack([0.5 - gains / 2, 0.5 + gains / 2], axis=1)
    wrong = 0
    for seed in range(80):
        verdict = selection.duel_scores(
            limits, lambda index: scores[index], worth=0.001, alpha=0.2, seed=seed
        )
        wrong += verdict.answer in ("better", "worse")
    assert wrong <= most_by_chance(80, 0.2)


# ---- verdicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "population, answer",
    [((9, 5, 3, 33), "better"), ((5, 9, 3, 33), "worse"), ((7, 7, 3, 33), NO_DIFFERENCE)],
)
def test_when_all_disagreements_are_labelled_the_answer_is_exact(population, answer):
    first, second, truth = models(*population)
    gain = np.mean(second == truth) - np.mean(first == truth)
    verdict = selection.duel(first, second, truth, worth=0, alpha=1e-9)
    assert verdict.answer == answer
    assert verdict.gain.low <= gain <= verdict.gain.high
    if answer == NO_DIFFERENCE:
        assert len(verdict.asked) == 17
        assert verdict.gain == pytest.approx((0, 0, 0))


def test_a_clear_gain_is_decided_soon_and_only_disagreements_are_labelled():
    first, second, truth = models(60, 10, 10, 220)
    labels = []
    for seed in range(20):
        verdict = selection.duel(first, second, truth, seed=seed)
        assert verdict.answer in ("better", "undecided")
        assert (first != second)[list(verdict.asked)].all()
        assert len(set(verdict.asked)) == len(verdict.asked) == len(verdict.evidence) <= 40
        labels.append(len(verdict.asked))
    assert np.median(labels) <= 20


def test_labels_that_were_not_asked_for_are_never_read():
    first, second, truth = models(40, 20, 20, 120)
    expected = selection.duel(first, second, truth, seed=3)
    shuffled = np.full(len(truth), -1)
    shuffled[list(expected.asked)] = truth[list(expected.asked)]
    opened = []

    def ask(index):
        opened.append(index)
        return truth[index]

    for labels in (shuffled, list(shuffled), ask):
        verdict = selection.duel(first, second, labels, seed=3)
        assert (verdict.answer, verdict.asked) == (expected.answer, expected.asked)
        assert verdict.gain == expected.gain
    assert tuple(opened) == expected.asked


def test_the_seed_decides_the_draw_and_exchanged_models_exchange_the_answer():
    first, second, truth = models(60, 10, 10, 220)
    verdict = selection.duel(first, second, truth, seed=1)
    assert selection.duel(first, second, truth, seed=1).asked == verdict.asked
    assert selection.duel(first, second, truth, seed=2).asked != verdict.asked
    exchanged = selection.duel(second, first, truth, seed=1)
    assert (verdict.answer, exchanged.answer) == ("better", "worse")
    assert exchanged.asked == verdict.asked
    assert exchanged.gain == pytest.approx((-verdict.gain[0], -verdict.gain[2], -verdict.gain[1]))
    np.testing.assert_allclose(exchanged.evidence, verdict.evidence[:, ::-1])


def test_probabilities_and_text_give_the_verdict_of_class_indices():
    first, second, truth = models(30, 10, 10, 50)
    expected = selection.duel(first, second, truth)
    names = np.array(["lymphocyte", "monocyte", "neutrophil"])
    for verdict in (
        selection.duel(np.eye(3)[first], np.eye(3)[second], truth),
        selection.duel(names[first], names[second], list(names[truth])),
    ):
        assert (verdict.answer, verdict.asked) == (expected.answer, expected.asked)


def test_few_disagreements_need_no_label():
    first, second, truth = models(2, 1, 1, 396)
    verdict = selection.duel(first, second, truth, worth=0.02)
    assert verdict.answer == NO_DIFFERENCE
    assert verdict.asked == ()
    assert selection.duel(truth, truth, truth).gain == (0, 0, 0)


def test_a_long_duel_that_goes_one_way_stays_finite():
    first, second, truth = models(0, 700, 0, 0)
    with np.errstate(all="raise"):
        verdict = selection.duel(first, second, truth, alpha=1e-50, most=700)
    assert verdict.answer == "worse"


def test_a_patient_is_labelled_as_a_whole_and_never_beyond_the_most():
    first, second, truth = models(30, 30, 20, 40)
    patients = np.arange(120) % 11
    for seed in range(5):
        verdict = selection.duel(first, second, truth, patients, seed=seed)
        asked = np.array(verdict.asked)
        assert len(asked) <= 40
        for patient in np.unique(patients[asked]):
            differing = np.flatnonzero((patients == patient) & (first != second))
            assert set(differing) <= set(asked)


def test_the_verdict_reads_well():
    first, second, truth = models(20, 0, 0, 20)
    verdict = selection.duel(first, second, truth)
    count = len(verdict.asked)
    assert repr(verdict).startswith(f"<Verdict: better; {count} labels; gain +0.500 [+0.0")
    assert str(verdict) == verdict.sentence
    assert f"{count} of 20 disagreements among 40 images were labelled" in verdict.sentence


def test_no_duel_beats_the_bound_of_the_benchmark():
    for draws in (10, 15):
        wins = np.arange(31)  # without ties, the best test counts wins: a binomial test, nearly
        power = duel_rivals.bound(30_000, 10_000, 0, draws, 0.025)
        tail = stats.binom.sf(wins, draws, 0.5)
        expected = stats.binom.sf(wins[tail <= 0.025][0], draws, 0.75)
        assert expected - 1e-3 <= power <= expected + 0.1
    first, second, truth = models(40, 12, 20, 100)
    verdicts = [selection.duel(first, second, truth, seed=seed, most=15) for seed in range(100)]
    decided = np.mean([verdict.answer == "better" for verdict in verdicts])
    assert decided <= duel_rivals.bound(40, 12, 20, 15, 0.025) + 0.1
    assert duel_rivals.bound(40, 12, 20, 72, 0.025) == 1


# ---- scores --------------------------------------------------------------------------------------


@given(SEEDS)
def test_dice_limits_hold_for_any_truth(seed):
    random = np.random.default_rng(seed)
    densities = random.uniform(0, 1, (3, 20, 1, 1))
    first, second, truth = (random.random((3, 20, 3, 3)) < densities).astype(int)
    limits = selection.dice_limits(first, second)
    scores = [metrics.dice(truth, masks, empty=1.0) for masks in (first, second)]
    assert (np.abs(scores[0] - scores[1]) <= limits + 1e-12).all()
    assert (limits[(first == second).all((1, 2))] == 0).all()


def test_outlines_are_compared_by_their_scores():
    random = np.random.default_rng(0)
    truth = np.zeros((60, 12, 12), int)
    truth[:, 3:9, 3:9] = 1
    first, second = truth * (random.random((2, 60, 12, 12)) < [[[[0.5]]], [[[0.95]]]])
    limits = selection.dice_limits(first, second)
    scores = np.stack([metrics.dice(truth, first), metrics.dice(truth, second)], axis=1)
    verdict = selection.duel_scores(limits, lambda index: scores[index])
    assert verdict.answer == "better"
    gain = np.diff(scores).mean()
    assert verdict.gain.low <= gain <= verdict.gain.high
    assert "images that differ" in verdict.sentence


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(second_probabilities=[0, 1, 1]), "Each image needs one of each"),
        (dict(second_probabilities=np.eye(2)), "give both as probabilities or both"),
        (dict(ask=[0, 1, 1]), "3 labels to ask for"),
        (dict(ask=["a", "b"] * 20), "', but a class as in the predictions"),
        (dict(ask=lambda index: None), "is None, but a class as in the predictions"),
        (dict(alpha=0), "accepted chance of a wrong answer"),
        (dict(worth=2), "worth is a share"),
        (dict(most=0), "most must be a whole number"),
        (dict(patients=[1, 2]), "Each image needs one of each"),
    ],
)
def test_wrong_input_is_explained(changes, words):
    first, second, truth = models(20, 0, 0, 20)
    arguments = dict(first_probabilities=first, second_probabilities=second, ask=truth)
    with pytest.raises(ValueError, match=words):
        selection.duel(**(arguments | changes))


def test_probabilities_and_labels_that_do_not_fit_are_explained():
    first, second = np.eye(2)[[0] * 40], np.eye(2)[[1] * 40]
    with pytest.raises(ValueError, match="a class index from 0 to 1 is expected"):
        selection.duel(first, second, lambda index: 2)
    with pytest.raises(ValueError, match="same classes of the same images"):
        selection.duel(first, second[:30], lambda index: 1)


@pytest.mark.parametrize(
    "limits, ask, words",
    [
        ([0.5, 1.5], lambda index: (0, 1), "limits run from"),
        ([0.5] * 9, [0.1] * 9, "a function is expected"),
        ([0.5] * 9, lambda index: 0.5, "two scores from 0 to 1"),
        ([0.5] * 9, lambda index: (0.1, 1.2), "two scores from 0 to 1"),
        ([0.5] * 9, lambda index: (0.1, 0.9), "more than its limit"),
    ],
)
def test_wrong_scores_are_explained(limits, ask, words):
    with pytest.raises(ValueError, match=words):
        selection.duel_scores(limits, ask)


def test_masks_of_several_classes_are_explained():
    with pytest.raises(ValueError, match="masks == class_index"):
        selection.dice_limits(np.full((1, 2, 2), 2), np.zeros((1, 2, 2), int))
