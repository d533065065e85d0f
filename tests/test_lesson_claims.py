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
