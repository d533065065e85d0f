"""What the texts of lessons 17 to 19 say of their committed runs and of the tables they show."""

import pandas as pd
from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def regrets(text: str) -> dict[str, float]:
    entries = text.partition("  regret: ")[2].split("\n")[0].split(", ")
    return {name: float(value) for name, value in (entry.rsplit(" ", 1) for entry in entries)}


def of_arena() -> pd.DataFrame:
    arena = results.read("arena_summary")
    arena = arena[(arena.half == "test") & (arena.group == "all")]
    return arena.set_index("choice")


def of_start(method: str) -> str:
    return f"scale+reinhard, kept, standardise, {method}"


def test_lesson_17_shows_that_no_training_is_clearly_better_than_the_closed_form():
    text = printed("17")
    differences = [
        numbers_after(f"{name} minus closed form:", text)
        for name in ("distance", "reversed gradient", "class confusion", "self-training")
    ]
    assert all(low <= 0 <= high for _, low, high in differences)
    assert max(differences) == differences[3] and min(differences) == differences[1]
    by_run = text.partition("no label of it used:")[2]
    source_only, _, high = numbers_after("source only", by_run)[:3]
    closed_form, low = numbers_after("closed form (lesson 16)", by_run)[:2]
    assert high < low - 0.1 and source_only < closed_form
    sharp = numbers_after("temperature 1.0: accuracy", text)
    soft = numbers_after("temperature 2.5: accuracy", text)
    assert sharp[0] < soft[0] and soft[1] < sharp[2]
    left = text.partition("no distance: distance that is left ")[2].split(",")[0]
    assert numbers_after("distance: distance that is left", text)[0] < float(left) / 2


def test_lesson_17_shows_what_labels_by_chance_do():
    text = printed("17")
    five, ten, twenty, forty = numbers_after("labels drawn by chance:", text)[1::2]
    self_training = numbers_after("self-training", text.partition("no label of it used:")[2])[0]
    assert abs(five - self_training) < 0.03 and twenty > self_training + 0.03
    assert five <= ten < twenty < forty


def test_lesson_17_says_what_the_table_of_five_seeds_shows():
    rows = results.read("adaptation")
    means = rows.groupby(["method", "pair"]).macro_f1.mean().unstack()
    source, closed = means.loc["source only"], means.loc[of_start("probe")]
    names = ["deep coral", "mmd", "dann", "cdan", "class confusion", "self-training"]
    trained = means.loc[[of_start(name) for name in names]].set_axis(names)
    assert 0.08 < trained.smear["self-training"] - closed.smear < 0.13
    assert trained.smear.idxmax() == "self-training"
    assert (trained.drop(columns="smear").idxmax() != "self-training").sum() >= 5
    below = trained < source - 0.02
    assert set(names) - set(below.index[below.any(axis=1)]) == {"deep coral", "mmd", "cdan"}
    assert set(below.index[below["brain-mri flair"]]) == {"class confusion", "self-training"}
    assert set(below.index[below["wbc granules b>a"]]) == {"class confusion", "dann"}
    for pair in ("wbc a>b", "wbc granules a>b"):
        assert (trained[pair] > closed[pair]).all()
    assert trained["wbc a>b"].nlargest(3).index.isin(["deep coral", "mmd", "dann"]).all()
    assert (trained["wbc b>a"] - closed["wbc b>a"]).abs().max() < 0.04


def test_lesson_18_shows_what_each_choice_cost():
    text = printed("18")
    assert numbers_after("choose minus source only:", text)[1] > 0.2
    regret = regrets(text)
    assert regret["source validation"] > 0.3 and regret["neighbourhood"] > 0.3
    of_run = text.partition("balanced accuracy: ")[2]
    source_only, _, _, best = numbers_after("source only", of_run)[:4]
    assert abs(best - source_only - regret["source validation"]) < 0.02  # it kept source only
    assert "harmful: self-training; prior" in text
    assert "self-training (harmful): no alarm" in text
    assert (
        "prior (harmful): The predictions tell less" in text and "standardise, prior (not" in text
    )


def test_lesson_18_says_what_the_arena_shows():
    arena = of_arena()
    validators = ["source validation", "weighted", "certainty", "information", "neighbourhood"]
    assert arena.gain["consensus"] > arena.gain[validators].max()
    assert arena.harm["certainty"] >= 0.5 and arena.harm["neighbourhood"] > 0.5
    assert arena.gain_high["neighbourhood"] < 0 and arena.gain_low["certainty"] < 0
    assert 0.25 < arena.harm["information"] < 1 / 3 and arena.gain_low["information"] > 0
    assert 1 / 7 < arena.harm["consensus"] < 1 / 5
    assert arena.kept_source_only["source validation"] > 0.5
    assert round(arena.harm["choose"] * 56) == 1 and 0.4 < arena.kept_source_only["choose"] < 0.6
    assert 0.6 < arena.share_of_best["choose"] < 0.72
    fixed = arena.loc["always coral, self-training"]
    assert fixed.gain >= arena.gain["choose"] and fixed.harm == 1 / 8


def test_lesson_18_says_what_the_alarm_misses():
    caught, in_vain = numbers_after("alarm in the arena: caught", printed("18"))[:2]
    assert caught < 0.5 and in_vain < 0.2


def test_lesson_18_says_what_happened_on_real_cells_and_nuclei():
    real = results.read("arena_real")
    assert real.abstained.sum() == 19 and len(real) == 20
    acted = real[~real.abstained]
    assert (acted.gain < -0.02).all() and (acted.lower_bound > 0).all()
    harm = (real[["information", "certainty", "consensus"]] < -0.02).sum()
    assert harm["information"] > 10 and harm["certainty"] > 10 and harm["consensus"] == 6
    nuclei = results.read("nuclei_summary").pivot(index="choice", columns="pair", values="score")
    one_way, back = nuclei["fluorescence>stained"], nuclei["stained>fluorescence"]
    assert one_way["committed by certainty"] == one_way["best candidate"]
    assert back["committed by certainty"] < 0.05 < 0.8 < back["best candidate"]


def test_lesson_19_shows_the_duel_and_who_pays():
    text = printed("19")
    assert "<Verdict: better" in text
    estimate, low, _ = numbers_after("gain", text.partition("labels; ")[2])[:3]
    assert 0 < low < 0.05 and estimate > 0.2
    assert numbers_after("all labels: accuracy", text)[0] > 0.2
    changes = numbers_after("change of sensitivity:", text)
    assert changes[1] < -0.3 and min(changes[:1] + changes[2:]) > 0  # only lymphocytes lose
    assert "Nothing is committed, so the envelope stays closed." in text
    by_p_value, by_wealth = numbers_after("fooled without a gain: p values", text)[:2]
    assert by_wealth < 0.05 < 0.1 < by_p_value
    at_2, at_5, at_10 = numbers_after("found at 2, 5, 10 points:", text)[:3]
    assert at_2 <= 0.2 and at_2 <= at_5 < 0.5 < 0.7 < at_10


def test_lesson_19_says_what_the_table_of_duels_shows():
    duels = results.read("duels_summary")
    duels = duels[duels.half == "test"].set_index(["design", "difference"])
    duel, random = duels.loc["duel"], duels.loc["labels at random"]
    assert duel.within_40["10 points or more"] > 0.8
    assert duel.median_labels["10 points or more"] == 18
    assert 0.4 < duel.within_40["2 to 5 points"] < 0.6
    assert pd.isna(duel.median_labels["2 to 5 points"])
    assert duel.within_40["below 2 points"] < 0.5 and (duel.wrong < 0.01).all()
    assert (random.within_40[["below 2 points", "2 to 5 points", "5 to 10 points"]] < 0.05).all()


def test_lesson_19_says_which_use_of_labels_gained_more():
    text = printed("19")
    assert numbers_after("training minus duel, 40 labels:", text)[1] > 0.05
    trained = numbers_after("train on 15 labels as well:", text)[0]
    duel, low, high = numbers_after("adopt it if the duel says better:", text)[:3]
    assert (
        trained > duel
        and low < numbers_after("adopt every adapted model, no label:", text)[0] < high
    )
