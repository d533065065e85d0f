"""What the text of lesson 14 says of its committed run, held against the outputs."""

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def difference(name: str) -> list[float]:
    """Value and ends of the interval of a difference in the table of numbers."""
    return numbers_after(f"{name}:", printed("14").partition("Dice ")[2])


def test_lesson_14_ranks_its_networks_as_the_intervals_do():
    assert difference("3-D decoder minus 2-D")[2] < 0.01  # it is not ahead
    assert difference("3-D scratch minus 2-D")[2] < 0
    assert difference("3-D scratch minus 3-D decoder")[2] < 0
    _, low, high = difference("2.5-D minus 2-D")
    assert low <= 0 <= high


def test_lesson_14_gains_by_overlap_mirror_and_largest_piece_of_the_brain():
    assert difference("overlap minus side by side")[1] > 0
    assert difference("mirror image too")[1] >= 0
    assert difference("largest piece, all parts together")[1] > 0
    true_mask = numbers_after("Dice of the true mask after the rule", printed("14"))
    assert true_mask[0] < 0.5


def test_lesson_14_resampling_helps_the_network_that_looks_along_z_alone():
    assert difference("resampled minus as it comes, 3-D scratch")[1] > 0
    assert difference("resampled minus as it comes, 2-D")[2] < 0


def test_lesson_14_reads_its_table_of_minutes():
    table = results.read("volumes").set_index(["data", "method", "seed"])
    hippocampus, heads = table.loc["hippocampus"], table.loc[("brain-mri", "3-D scratch", 0)]
    scratch, long = hippocampus.loc[("3-D scratch", 0)], hippocampus.loc[("3-D scratch, long", 0)]
    assert round(scratch.dice, 2) == 0.86 and round(long.dice, 2) == 0.88
    assert long.low < 0.88 < long.high
    assert 0 < scratch.dice - hippocampus.loc[("3-D decoder", 0)].dice < 0.02
    encoder_in_each_step = hippocampus.loc[["2-D", "2.5-D"]]
    assert encoder_in_each_step.dice.max() < 0.8 and encoder_in_each_step.steps.max() < 300
    assert hippocampus.loc[("2-D decoder", 0)].dice > 0.82
    fluid, *others = [float(part.split()[-1]) for part in heads.dice_per_class.split(";")]
    assert round(heads.dice, 2) == 0.92 and fluid < 0.93 < min(others)
