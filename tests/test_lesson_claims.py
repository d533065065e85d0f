"""What the texts of lessons say of their committed runs, held against the saved outputs."""

import re

import lessons

PATHS = {path.name[:2]: path for path in lessons.PATHS}


def printed(number: str) -> str:
    """All that the code cells of a lesson printed when it was saved."""
    cells = lessons.code(lessons.read(PATHS[number]).notebook)
    outputs = [output for cell in cells for output in cell.outputs]
    return "\n".join(output.text for output in outputs if output.output_type == "stream")


def numbers_after(beginning: str, text: str) -> list[float]:
    """The numbers of the line that begins so."""
    line = re.search(rf"^ *{re.escape(beginning)}(.*)$", text, re.MULTILINE)[1]
    return [float(number) for number in re.findall(r"-?\d*\.?\d+", line)]


def test_lesson_00_shows_what_it_says_of_the_network_next_door():
    text = printed("00")
    home = numbers_after("accuracy at lab-a", text.partition("always")[0])
    next_door = numbers_after("accuracy on smear: lab-a", text)[-3:]
    assert next_door[2] < home[1] and next_door[0] < home[0] / 2
    answers = re.findall(r"says: (\w+) \((\d+)%\)", text)
    right = [int(share) for name, share in answers if name == "neutrophil"]
    wrong = [int(share) for name, share in answers if name != "neutrophil"]
    assert max(wrong) > min(right)  # a probability that gives no warning


def test_lesson_01_shows_the_leaks_that_it_names():
    text = printed("01")
    by_patient = numbers_after("split by patient: accuracy", text)
    assert by_patient[1] < 0.5 < by_patient[2]
    assert numbers_after("accuracy on the coin, split by image:", text)[0] > 0.7
    for question in ("coin", "cerebrospinal fluid"):
        for model in ("nearest", "linear"):
            assert numbers_after(f"inflation, {question}, {model}:", text)[1] > 0
    assert numbers_after("inflation, copies, nearest:", text)[1] > 0
    assert "100% of 133 copies found, 0 other pairs" in text
    assert numbers_after("without ids:", text)[0] > 50
    assert numbers_after("with ids:", text)[0] == 0


def test_lesson_09_reports_what_its_run_shows():
    text = printed("09")
    by_image, by_patient, corrected = (
        numbers_after(f"specificity, {method}:", text)[0]
        for method in ("percentiles by image", "percentiles by patient", "metrics.interval")
    )
    assert by_image < by_patient < 92 < corrected
    value, low, high = numbers_after("accuracy: ", text.partition("minus")[2])[:3]
    assert low < 0 < value < high  # no difference is shown
    at_300 = numbers_after("300 images of", text)
    at_1000 = numbers_after("1000 images of", text)
    assert at_300[1] < 0.45 and at_1000[1] > 0.75
    assert at_300[1:] == sorted(at_300[1:], reverse=True)
    assert "groups with ten or more patients: 0;" in text
    kept_back = text.partition("as no study could:")[2]
    healthy = numbers_after("healthy: specificity", kept_back)
    tumour = numbers_after("tumour: specificity", kept_back)
    assert healthy[2] < tumour[1]
