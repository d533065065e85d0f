"""What the text of lesson 06 says of its committed run, held against the outputs."""

import re

from test_lesson_claims import numbers_after, printed

METHODS = ("pretrained at home", "pretrained at both")


def test_lesson_06_gains_at_home_with_five_labels_and_hardly_next_door():
    text = printed("06")
    for method in METHODS:
        line = f"{method}, home minus frozen, 5 labels per class: macro-F1"
        assert numbers_after(line, text)[1] > 0, method
    line = "{}, next door minus frozen, 5 labels per class: macro-F1"
    value, low, high = numbers_after(line.format(METHODS[0]), text)
    assert low < 0 < high
    value, low, high = numbers_after(line.format(METHODS[1]), text)
    assert low < 0.02 and value < 0.08  # a little ahead at most


def test_lesson_06_shows_that_size_tells_two_classes_and_zoom_hides_it():
    by_size, zoomed = numbers_after("AUROC by size:", printed("06"))
    assert by_size > 0.95 > 0.9 > zoomed


def test_lesson_06_shows_a_collapse_with_a_lower_loss():
    text = printed("06")
    loss, spread = numbers_after("all three terms: loss", text.partition("AUROC by size: ")[2])
    collapsed_loss, collapsed_spread = numbers_after(
        "without variance: loss", text.split("AUROC by size: ")[1]
    )
    assert collapsed_loss < loss / 10 and collapsed_spread < 0.2 < 0.5 < spread
    assert "without variance: COLLAPSED" in text and "all three terms: the embeddings" in text


def intervals(line: str, text: str) -> dict[int, list[float]]:
    """Value, low and high by the number of labels, of a line of the table."""
    numbers = numbers_after(line, text)
    return {int(numbers[i]): numbers[i + 1 : i + 4] for i in range(0, len(numbers), 4)}


def test_lesson_06_reads_its_table_as_the_intervals_allow():
    text = printed("06")
    for method in METHODS:
        home = intervals(f"{method} minus frozen, home:", text)
        assert home[5][1] > 0
        against_looks = intervals(f"{method} minus random_looks, home:", text)
        for _, low, high in [home[20], home[100], *against_looks.values()]:
            assert low <= 0 <= high


def test_lesson_06_puts_each_interval_into_a_word():
    lines = re.findall(
        r"^.* minus (?:frozen|random_looks), .*: 5: .*$", printed("06"), re.MULTILINE
    )
    assert len(lines) >= 8
    for line in lines:
        words = re.findall(r"(\S+), (\S+)\] (ahead|behind|not shown)", line.replace("[", ""))
        assert len(words) == 3, line
        for low, high, word in words:
            low, high = float(low), float(high)
            assert (word == "ahead") <= (low >= 0) and (word == "behind") <= (high <= 0)
            assert (word == "not shown") <= (low <= 0 <= high)
