"""The page of questions: every answer has a number and a lesson; the numbers are the tables."""

import re

import pytest
from lessons import ROOT
from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results

PAGE = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
ANSWERS = dict(re.findall(r"^## (.+?)\n\n(.+?)(?=\n## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def answer(beginning: str) -> str:
    (text,) = [text for question, text in ANSWERS.items() if question.startswith(beginning)]
    return text


def in_brackets(value: float, low: float, high: float) -> str:
    """As the page writes a score or a difference with its interval."""
    value, low, high = (
        re.sub(r"^(-?)0\.", r"\1.", f"{number:.2f}") for number in (value, low, high)
    )
    return f"{value.replace('-.00', '.00')} [{low}, {high}]"


@pytest.mark.parametrize("question", ANSWERS)
def test_every_answer_has_a_number_and_a_lesson(question):
    text = ANSWERS[question]
    assert "../notebooks/" in text and len(text.split()) < 130
    assert (
        re.search(r"\d", re.sub(r"\]\([^)]*\)|\[\d\d\]|`[^`]*`", "", text)) or "one minute" in text
    )


def test_the_numbers_of_fine_tuning_and_of_image_recipes_are_the_tables():
    rows = results.read("transfer_summary", dtype={"labels": str})
    rows = rows[(rows.data == "wbc") & (rows.labels == "20")].set_index("method")
    probe, staged = rows.loc["tuned probe"], rows.loc["staged fine-tuning"]
    scores = probe[["macro_f1", "macro_f1_low", "macro_f1_high"]]
    difference = staged[["minus_probe", "minus_probe_low", "minus_probe_high"]]
    assert in_brackets(*scores) in answer("I have 200")
    assert in_brackets(*difference) in answer("I have 200")
    behind = numbers_after("fine-tuned minus fine-tuned, random head: macro-F1", printed("04"))
    assert behind[5] < 0 and "a random head ended with the highest loss" in answer("My fine-tuned")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert ".01 [-.02, .04]" in answer("Do I need stain")
    assert "What our image recipes add is not shown: .01 [-.02, .04]" in readme


def test_the_numbers_of_many_hospitals_are_those_of_the_table_and_of_lesson_22():
    rows = results.read("many_hospitals_summary").set_index(["method", "hospitals"])
    for method in ("pooled", "each standardised"):
        score = rows.balanced_accuracy[method, 8].replace("0.", ".")
        assert score in answer("It works here"), method
    before, after = numbers_after("accuracy on noise", printed("22"))[:2]
    assert f"from {before:.2f} to {after:.2f}".replace("0.", ".") in answer("ComBat")
    streams = printed("22")
    fixed, moving = (
        numbers_after(f"random order, {name}:", streams)[0] for name in ("fixed", "fast (0.5)")
    )
    by_class = numbers_after("sorted by class, fast (0.5):", streams)[0]
    said = f"from {fixed:.2f} to {moving:.2f}; with the same cells sorted by class it fell to"
    assert f"{said} {by_class:.2f}".replace("0.", ".") in answer("Does test-time")


def test_the_numbers_of_other_lessons_are_those_of_their_runs():
    text = printed("01")
    assert f"{numbers_after('accuracy on the coin, split by image:', text)[0]:.2f}"[1:] in PAGE
    assert in_brackets(*numbers_after("split by patient: accuracy", text)[:3]) in PAGE
    real = (ROOT / "benchmarks" / "results" / "real_runs.txt").read_text(encoding="utf-8")
    assert "accuracy on wbc: lab-a .92 [.86, .96], lab-b .42 [.33, .52]" in real
    seconds = results.read("lessons").seconds
    assert seconds.median() < 90
