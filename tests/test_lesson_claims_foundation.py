"""What the text of lesson 05 says of its committed run and table, held against them."""

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def test_lesson_05_tunes_adapters_and_compares_them_with_their_probe():
    text = printed("05")
    assert "73,728 values in adapters: 0.3% of the network's weights" in text
    assert "48 adapter arrays moved, and: ['head/bias', 'head/kernel']" in text
    for place in ("lab-a", "lab-b"):
        _, low, high = numbers_after(f"probe ViT minus probe Lite0, {place}:", text)
        assert low <= 0 <= high
        _, low, high = numbers_after(f"LoRA minus its probe, {place}:", text)
        assert low <= 0 <= high


def test_lesson_05_shows_that_imbalance_hurts_both_alike():
    text = printed("05")
    for name in ("probe ViT", "LoRA"):
        assert numbers_after(f"{name}, uneven minus even labels: macro-F1", text)[2] < 0
    _, low, high = numbers_after("LoRA minus probe, both on uneven labels:", text)
    assert low <= 0 <= high


def test_lesson_05_finds_the_laboratory_in_the_features():
    text = printed("05")
    lite0, pixels, vit = (
        numbers_after(f"robustness index of {name}:", text)[-1]
        for name in ("Lite0", "the pixels", "the ViT")
    )
    assert lite0 < pixels < vit < 0.5
    _, lite0_read, vit_read = numbers_after("laboratory read: Lite", text)
    assert min(lite0_read, vit_read) > 0.7
    moved = numbers_after("moved, ViT:", text)
    assert max(moved) > 1 and numbers_after("moved, Lite0:", text)[1] > moved[0]


def test_the_table_of_lesson_05_says_what_the_text_says():
    table = results.read("foundation_summary", dtype={"labels": str})
    rows = table[(table.data == "wbc") & (table.labels == "20")].set_index("method")
    assert (rows.seeds == 5).all() and len(rows) == 6
    tuned = rows.loc[["LoRA", "last block", "full", "Lite0 fine-tuned"]]
    assert (tuned.minus_probe_low < 0).all() and (tuned.minus_probe_high > 0).all()
    small = rows.loc[["LoRA", "last block"]]
    assert (small.minus_probe_away_low > 0).all() and (small.minus_lite0_away_low > 0).all()
    large = rows.loc[["full", "Lite0 fine-tuned"]]
    assert (large.minus_probe_away_low < 0).all() and (large.minus_probe_away_high > 0).all()
    seconds = tuned.cpu_seconds
    assert seconds.idxmax() == "full" and seconds.min() >= 9 and seconds.max() < 19.5


def test_the_table_of_lesson_05_hints_at_a_gain_of_lora_with_five_labels():
    table = results.read("foundation_summary", dtype={"labels": str})
    rows = table[(table.data == "wbc") & (table.labels == "5")].set_index("method")
    lora = rows.loc["LoRA"]
    assert lora.seeds == 5 and 0 < lora.minus_probe_low < 0.02
