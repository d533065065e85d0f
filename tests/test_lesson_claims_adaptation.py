"""What the texts of lessons 12 to 16 and 20 say of their committed runs, held to the outputs."""

from test_lesson_claims import numbers_after, printed


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


def test_lesson_16_shows_when_matching_helps_and_when_it_hurts():
    text = printed("16")
    source_only, _, _, reinhard, _, _, both = numbers_after("smear, lab-a -> lab-b:", text)[:7]
    assert reinhard < source_only + 0.06 < both
    assert numbers_after("scale, Reinhard and CORAL against source only:", text)[1] > 0
    adabn = text.partition("AdaBN at both ")[2]
    assert float(adabn.split()[0]) > source_only
    stain, _, _, stain_reinhard, _, _, macenko = numbers_after(
        "stain only (simulated): source only", text
    )[:7]
    assert stain_reinhard > stain - 0.05 and macenko < stain - 0.05
    for ward in ("all classes", "others thinned", "two classes only"):
        assert numbers_after(f"{ward}:", text)[2] < 0  # the correction harms
    none, _, _, transport = numbers_after("two classes only: none", text)[:4]
    assert transport < none


def test_lesson_20_shows_that_painting_helps_where_recipes_do_not():
    text = printed("20")
    assert numbers_after("committed minus source only:", text)[1] > 0.5
    certainty = text.partition("regret: certainty ")[2]
    assert float(certainty.split()[0]) > 0.5
    assert "chose painted in found greys" in text
    turns = [numbers_after(f"turn {turn}:", text) for turn in (0, 5)]
    assert turns[0][0] - turns[0][2] < 20 < turns[1][0] - turns[1][2]
