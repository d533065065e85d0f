"""What the text of lesson 14 says of its committed run, held against the outputs."""

import re

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def difference(name: str) -> list[float]:
    """Value and ends of the interval of a difference in the table of numbers."""
    return numbers_after(f"{name}:", printed("14").partition("Dice ")[2])


def test_lesson_14_ranks_its_networks_as_the_intervals_do():
    assert difference("3-D decoder minus 2-D")[2] < 0
    assert difference("3-D scratch minus 2-D")[2] < 0
    assert difference("3-D scratch minus 3-D decoder")[0] < 0.02  # not ahead
    _, low, high = difference("2.5-D minus 2-D")
    assert low <= 0 <= high


def test_lesson_14_gains_by_overlap_mirror_and_largest_piece_of_the_brain():
    assert difference("overlap minus side by side")[1] > 0
    assert difference("mirror image too")[1] >= 0
    assert difference("largest piece, all parts together")[1] > 0
    true_mask = numbers_after("Dice of the true mask after the rule", printed("14"))
    assert true_mask[0] < 0.5


def test_lesson_14_resampling_is_no_free_gain():
    value, low, _ = difference("resampled minus as it comes, 3-D scratch")
    assert low > -0.01 and 0 <= value < 0.05
    assert difference("resampled minus as it comes, 2-D")[2] < 0


def test_lesson_14_shows_that_the_patch_bounds_the_memory_of_training():
    memory = results.read("volumes_memory")
    small, same_patch = memory.step_mb[:2]
    assert memory.volume[1] == 4 * memory.volume[0] and same_patch < 1.1 * small
    larger = memory[memory.volume < 100].step_mb
    assert larger.is_monotonic_increasing


def test_lesson_14_reads_its_table_of_minutes():
    table = results.read("volumes_summary").set_index(["data", "method"])
    hippocampus = table.loc["hippocampus"]
    in_each_step, once = (
        hippocampus.loc[["2-D", "2.5-D"]],
        hippocampus.loc[["2-D decoder", "2.5-D decoder"]],
    )
    assert in_each_step.dice_high.max() + 0.03 < once.dice_low.min()
    assert in_each_step.steps.max() < 300 < once.steps.min()
    assert hippocampus.loc["2-D"].dice_high + 0.05 < hippocampus.loc["3-D scratch"].dice_low


def test_lesson_14_holds_its_table_against_the_aims():
    words = "above|below|the interval contains the aim"
    lines = re.findall(rf"\[(\S+), (\S+)\], aim (\S+): ({words})$", printed("14"), re.M)
    assert [aim for _, _, aim, _ in lines] == ["0.88", "0.93"]
    for *numbers, word in lines:
        low, high, aim = map(float, numbers)
        assert (word == "above") == (low > aim) and (word == "below") == (high < aim)


def test_lesson_14_calls_a_network_ahead_or_behind_as_its_interval_does():
    lines = re.findall(
        r"minus 3-D scratch: (.*?), (ahead|behind|no difference.*)$", printed("14"), re.M
    )
    table = results.read("volumes_summary").dropna(subset="minus_scratch")
    assert len(lines) == len(table) >= 5
    for numbers, words in lines:
        _, low, high = map(float, re.findall(r"[-+]\d\.\d+", numbers))
        assert (words == "ahead") == (low > 0) and (words == "behind") == (high < 0)


def test_the_summary_of_volumes_holds_every_row_of_its_table():
    table = results.read("volumes").groupby(["data", "method"]).seed.count()
    summary = results.read("volumes_summary").set_index(["data", "method"]).seeds
    assert summary.to_dict() == table.to_dict()  # else run benchmarks/volumes_summary.py
