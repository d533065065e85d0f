"""What the texts of lessons 15 to 17 say of their committed runs, held to the outputs."""

import re

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def test_lesson_15_shows_which_cause_does_the_harm():
    text = printed("15")
    at_home, _, _, next_door = numbers_after("smear, lab-a -> lab-b: accuracy", text)[:4]
    assert next_door < 0.5 * at_home
    stain, _, _, all_but_stain, _, _, everything = numbers_after("simulated: stain alone", text)[:7]
    assert stain > at_home - 0.2 and all_but_stain < everything + 0.1
    assert numbers_after("rank correlation of distance and loss", text)[-1] < 0.3
    lost, low, _ = numbers_after("lost at 1.5T-FLAIR:", text)[:3]
    assert low < 0 < lost < 0.1
    assert numbers_after("prior shift corrected, not calibrated: accuracy gained", text)[2] < 0
    assert numbers_after("prior shift corrected, calibrated: accuracy gained", text)[1] > 0.01
    assert numbers_after("temperature", text)[0] < 0.8
    assert "the invisible shift: concept" in text


def test_lesson_16_shows_when_recipes_of_images_and_adabn_help():
    text = printed("16")
    source_only, _, _ = numbers_after("accuracy, source only:", text)[:3]
    both = numbers_after("accuracy, scale, then Reinhard:", text)[0]
    for name in ("Reinhard", "scale"):
        assert numbers_after(f"accuracy, {name}:", text)[0] < both
        assert numbers_after(f"accuracy, {name}:", text)[0] < source_only + 0.1
    assert source_only < both
    assert numbers_after("accuracy, AdaBN, target only:", text)[0] < source_only
    assert abs(numbers_after("accuracy, AdaBN, both:", text)[0] - source_only) < 0.1
    true_factor = numbers_after("true factor of the simulated laboratories:", text)[0]
    assert abs(numbers_after("measured from lab-a to lab-b:", text)[0] / true_factor - 1) < 0.1
    stain = {
        name: numbers_after(f"stain only (simulated): {name}", text)[:3]
        for name in ("source only", "Reinhard", "histograms", "Fourier", "Macenko")
    }
    assert abs(stain["Reinhard"][0] - stain["source only"][0]) < 0.05
    for name in ("histograms", "Fourier", "Macenko"):
        assert stain[name][0] < stain["source only"][0]


def test_lesson_16_shows_when_matching_helps_and_when_it_hurts():
    text = printed("16")
    assert numbers_after("gain of scale, Reinhard and CORAL:", text)[1] > 0
    wards = {
        name: numbers_after(f"two classes only: {name}", text)[0]
        for name in ("none", "standardise", "coral", "subspace", "transport")
    }
    assert all(wards[name] < wards["none"] for name in list(wards)[1:])


def test_lesson_16_says_what_the_arena_says_of_harm():
    arena = results.read("arena")
    methods = ["standardise", "coral", "subspace", "transport", "prior"]
    before = arena[arena.method == "source only"].set_index("pair").score
    rows = arena[arena.method.isin(methods)]
    is_harmful = rows.score - rows.pair.map(before) < -0.02
    harm = is_harmful.groupby([rows.kind, rows.method]).mean().unstack()
    assert (rows.groupby("kind").pair.nunique() == 14).all()
    assert (harm.loc["missing"] >= 0.5).all() and (harm.loc["subtypes"] >= 0.2).all()
    assert (harm.loc["none", ["subspace", "transport"]] > 0.8).all()
    seldom = harm.loc[["none", "shares", "background", "inverted"], ["standardise", "coral"]]
    assert (seldom <= 0.1).all(axis=None)
    assert is_harmful[rows.method == "prior"].mean() > 0.5


def test_lesson_17_says_what_a_reversed_gradient_did_to_the_encoder():
    table = results.read("adversarial_summary")
    table = table[(table["pair"] == "smear a>b") & (table["images"] == "as they are")]
    table = table.set_index("method")
    for method in ("DANN, frozen encoder", "DANN through the encoder"):
        _, _, high = map(float, re.findall(r"-?[\d.]+", table.minus_fine_tuned[method]))
        assert high < 0 and table.verdict[method] == "worse"
    assert (table.domain_auroc > 0.99).all()
    rows = results.read("adversarial")
    rows = rows[(rows["pair"] == "smear a>b") & (rows["images"] == "as they are")]
    by_seed = rows.set_index("method").accuracy
    assert (by_seed["DANN through the encoder"] == 0.2).all() and len(by_seed) == 12
