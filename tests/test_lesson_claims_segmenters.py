"""What the texts of lessons 20 and 21 say of their committed runs and of their tables."""

import pytest
from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def test_lesson_20_shows_that_painting_helps_where_recipes_do_not():
    text = printed("20")
    assert "a brighter pixel never becomes the darker one: True" in text
    turns = [numbers_after(f"turn {turn}:", text) for turn in (0, 5)]
    assert turns[0][0] - turns[0][2] < 20 < turns[1][0] - turns[1][2]
    gain = numbers_after("committed choice (painted in found greys) minus source only:", text)
    assert gain[1] > 0.5
    assert numbers_after("certainty: chose", text)[-1] > 0.5  # its regret
    assert numbers_after("amounts: chose painted in found greys, regret", text)[0] == 0


def test_lesson_20_shows_where_its_validator_fails():
    text = printed("20")
    dices = {
        name: numbers_after(f"{name}: Dice of the nuclei", text)[0]
        for name in ("source only", "histograms", "negative", "painted in found greys")
    }
    assert max(dices["source only"], dices["histograms"]) < 0.1
    assert min(dices["negative"], dices["painted in found greys"]) > 0.6
    chosen = [
        text.partition(f"\n{validator} chose ")[2].split("\n")[0]
        for validator in ("certainty", "information", "amounts")
    ]
    assert min(dices[name] for name in chosen) < 0.1
    background, nucleus = numbers_after("found greys:", text)
    assert background - nucleus > 60


def test_lesson_20_agrees_with_its_tables():
    dense = results.read("adaptation_dense").groupby(["target", "method"]).tissues.mean()
    assert dense["1.5T-T1w"]["histograms"] > dense["1.5T-T1w"]["source only"] + 0.1
    there = dense["3T-T2w"]
    for method in ("histograms", "fourier", "adabn", "tent", "mean teacher"):
        assert there[method] < there["source only"] + 0.02, method
    for scanner in ("1.5T-T1w", "3T-T2w"):
        assert dense[scanner]["painted in found greys"] > dense[scanner]["oracle"] - 0.06
        assert dense[scanner]["painted blind"] < dense[scanner]["painted in found greys"] - 0.1
    nuclei = results.read("nuclei_summary").set_index(["pair", "choice"]).score
    assert nuclei.xs("chosen by amounts", level="choice").max() < 0.05
    certain = nuclei.xs("committed by certainty", level="choice")
    assert certain["fluorescence>stained"] > 0.6 and certain["stained>fluorescence"] < 0.1
    near = nuclei.xs("oracle", level="choice") - nuclei.xs("best candidate", level="choice")
    assert near.max() < 0.1


def test_lesson_21_shows_that_many_laboratories_teach_better_than_one():
    text = printed("21")
    at_a, at_b = (
        numbers_after(f"{lab}, many laboratories minus one:", text) for lab in ("lab-a", "lab-b")
    )
    assert at_a[1] > 0 and at_a[0] > at_b[0] + 0.05
    assert at_b[2] > 0  # its interval may hold zero, but "smaller" is no loss
    many = [
        numbers_after(f"smear {lab}, outlines from many laboratories: mean Dice", text)[0]
        for lab in ("lab-a", "lab-b")
    ]
    assert abs(many[0] - many[1]) < 0.08 and min(many) > 0.8


@pytest.mark.parametrize("lab", ["lab-a", "lab-b"])
def test_lesson_21_shows_that_standardised_features_help_a_probe(lab):
    text = printed("21")
    features, standardised = (
        numbers_after(f"{lab}, {recipe}: balanced accuracy", text)
        for recipe in ("as they are", "standardised")
    )
    assert features[1] > 0.2 and features[2] < standardised[1]


def test_lesson_21_agrees_with_its_table():
    table = results.read("sim_to_real_summary").set_index(["task", "pair", "choice"]).score
    outlines, cells = table["segmentation"], table["cells"]
    for lab, other in ("ab", "ba"):
        home = outlines[f"wbc {other}>{lab}", "oracle"]
        simulated = outlines[f"virtual>wbc {lab}", "source only"]
        as_many = outlines[f"virtual, as many>wbc {lab}", "source only"]
        elsewhere = outlines[f"wbc {other}>{lab}", "source only"]
        assert home - 0.03 < simulated < home and elsewhere < as_many < simulated, lab
        frames = cells[f"virtual>wbc {lab}", "as it is"]
        assert frames < cells[f"majority>wbc {lab}", "frame"] + 0.06, lab
        for choice in ("standardised", "cut out", "tuned"):
            assert cells[f"virtual>wbc {lab}", choice] > frames + 0.1, (lab, choice)
    looks = outlines.xs("random looks", level="choice")
    gained = looks - outlines.xs("source only", level="choice").reindex(looks.index)
    assert gained["wbc b>a"] > 0.25 and gained["wbc a>b"] < 0.06
    assert round(outlines["wbc b>a", "source only"], 1) == 0.6
