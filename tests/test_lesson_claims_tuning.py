"""What the text of lesson 04 says of its committed run, held against the outputs."""

import re

from test_lesson_claims import numbers_after, printed

EPOCHS = 6


def losses(name: str) -> list[float]:
    """The validation losses of a training, that of its start first."""
    return numbers_after(f"{name}:", printed("04").partition("validation log loss by epoch:")[2])


def test_lesson_04_compares_fine_tuning_with_its_start_and_with_probes():
    text = printed("04")
    for rival in ("probe on flips", "probe"):
        _, low, high, _, loss_low, loss_high = numbers_after(
            f"fine-tuned minus {rival}: macro-F1", text
        )
        assert low <= 0 <= high and loss_low <= 0 <= loss_high
    log_loss_high = numbers_after("fine-tuned minus fine-tuned, random head: macro-F1", text)[5]
    assert log_loss_high < 0


def test_lesson_04_shows_that_the_start_of_the_head_decides():
    random, by_fit, probe = losses("random head"), losses("fine-tuned"), losses("probe as head")
    assert random[0] > by_fit[0] > probe[0]
    assert min(random) > min(by_fit) > min(probe)
    assert min(losses("head alone")) < 1.2 and min(by_fit) < by_fit[0] and min(probe) == probe[0]


def test_lesson_04_says_how_many_epochs_early_stopping_left():
    epochs = re.findall(r"^rate .*trained for (\d) of (\d) epochs$", printed("04"), re.MULTILINE)
    assert len(epochs) == 3
    assert all(3 <= int(taken) <= int(most) == EPOCHS for taken, most in epochs)
