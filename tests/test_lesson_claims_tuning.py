"""What the text of lesson 04 says of its committed run, held against the outputs."""

from test_lesson_claims import numbers_after, printed

EPOCHS = 3


def test_lesson_04_compares_fine_tuning_with_its_start_and_with_probes():
    text = printed("04")
    for rival in ("probe on flips", "probe"):
        _, low, high, _, loss_low, loss_high = numbers_after(
            f"fine-tuned minus {rival}: macro-F1", text
        )
        assert low <= 0 <= high and loss_low <= 0 <= loss_high
    assert numbers_after("fine-tuned minus fine-tuned, random head: macro-F1", text)[1] > 0.2
    curves = text.partition("validation log loss by epoch:")[2]
    random = numbers_after("random head:", curves)[: EPOCHS + 1]
    by_fit = numbers_after(" fine-tuned:", curves)[: EPOCHS + 1]
    probe = numbers_after("probe as head:", curves)[: EPOCHS + 1]
    assert min(random) > max(by_fit) and min(by_fit) > max(probe)
    assert by_fit == sorted(by_fit, reverse=True) and probe[0] == min(probe)
