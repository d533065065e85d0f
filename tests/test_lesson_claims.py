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


def test_lesson_02_reports_what_its_run_shows():
    text = printed("02")
    gain = numbers_after("features minus pixels:", text)
    assert gain[1] > 0
    assert numbers_after("nearer to another type than to themselves moved:", text) == [0]
    assert abs(numbers_after("chosen minus last layer:", text)[1]) < 0.02  # hardly a gain is shown
    _, low, high = numbers_after("probe minus large head:", text)
    assert low < 0 < high
    few = {
        name: numbers_after(f"{name}, [2, 5, 20] labels per class:", text)
        for name in ("ImageNet weights", "random weights", "raw pixels", "with the leak")
    }
    for name in ("random weights", "raw pixels"):
        assert min(few["ImageNet weights"]) > max(few[name])
    assert all(few["random weights"][i] <= few["raw pixels"][i] for i in range(3))
    leak = [few["with the leak"][i] - few["ImageNet weights"][i] for i in range(3)]
    assert 0 < min(leak[:2]) <= max(leak[:2]) < 0.06 and leak[2] <= 0.01


def test_lesson_03_reports_what_its_run_shows():
    text = printed("03").partition("smear: weighted tau with the probes")[2]
    cells, slices = text.split("brain-mri: weighted tau with the probes")
    for part in (cells, slices):
        logme, h_score, size = (
            named_numbers(name, part)[:3] for name in ("LogME", "H-score", "size")
        )
        assert logme[0] > size[0] and logme[0] > h_score[0]
    assert named_numbers("H-score", cells)[1] < 0 and named_numbers("LogME", cells)[1] < 0.8
    regrets = {
        rule: (regret(rule, cells), regret(rule, slices))
        for rule in ("biggest", "LogME", "inner folds")
    }
    assert regrets["inner folds"][0] < regrets["biggest"][0] < regrets["LogME"][0]
    assert regrets["LogME"][1] == 0 < regrets["inner folds"][1] < 0.1
    scores = {
        name: numbers_after(f"brain-mri: 100 slices, {name}", text)
        for name in ("frozen", "own network", "fine-tuned")
    }
    assert scores["fine-tuned"][0] > max(scores["frozen"][0], scores["own network"][0])
    assert scores["own network"][2] > scores["frozen"][1]  # not told apart
    for rival in ("own network", "frozen"):
        _, low, high = numbers_after(f"fine-tuned minus {rival}:", printed("03"))
        assert low < 0 < high  # ahead in other runs only


def named_numbers(name: str, text: str) -> list[float]:
    """The numbers that follow a name in a line of several."""
    return numbers_after("", text.partition(f"{name} ")[2].partition("]")[0])


def regret(rule: str, text: str) -> float:
    """The regret of a rule, from the line that lists them."""
    return named_numbers(rule, text.partition("regret:")[2].partition(";")[0] + "]")[0]


def test_lesson_07_claims_no_more_than_its_intervals():
    text = printed("07")
    value, low, high = numbers_after("100 labels, uncertainty minus by chance: macro-F1", text)
    assert 0 < low < value < high
    value, low, high = numbers_after("100 labels, diversity minus by chance: macro-F1", text)
    assert low < 0 < high  # no gain is shown
    promised_too_much = numbers_after("2 labels per class  ", text)[3:]
    assert promised_too_much[1] > 0
    assert numbers_after("2 labels per class: fine-tuned minus frozen", text)[1] < 0


def test_lesson_08_claims_no_more_than_its_intervals():
    text = printed("08")
    gains = text.partition("macro-F1 minus untreated")[2]
    for name in ("weights", "resampling", "moved threshold", "focal loss", "same head, log loss"):
        precision, _, low, high = numbers_after(f"{name}  ", gains)
        assert precision < 1 and low < 0 < high, name
    for name in ("weights", "moved threshold"):
        assert (
            numbers_after(f"eosinophil, {name}: sensitivity", text)[1]
            > (numbers_after("eosinophil, untreated: sensitivity", text)[2])
        ), name
    noise = numbers_after("noise  ", text.partition("on the fault:")[2])
    assert noise[1] > 0 > noise[5]  # foreseen it helps, unforeseen it harms
    assert numbers_after("suspicious labels dropped:", text)[1] > 0


def test_lesson_10_says_who_wins_which_game():
    text = printed("10")
    with_letter, *_ = numbers_after("archive: balanced accuracy", text)
    without_letter, *_ = numbers_after("nobody has an L: balanced accuracy", text)
    assert with_letter > 0.9 and abs(without_letter - 0.5) < 0.05
    own = numbers_after("pointing game, own network:", text)
    blurred = numbers_after("pointing game, brightest spot:", text)
    usual_place = numbers_after("pointing game, usual place:", text)
    assert own[0] < blurred[0] and own[3] > max(blurred[3], usual_place[3])
    for network in ("own network", "borrowed encoder"):
        assert numbers_after(f"pointing game, {network} minus brightest spot:", text)[2] < 0
    assert "to be broken: brightest_spot" in text


def test_lesson_11_says_how_the_number_of_slices_changes_who_wins():
    text = printed("11")
    majority, mean, suspicious, attention, recurrent = (
        numbers_after(f"{rule}:", text)
        for rule in (
            "majority, ties to class 0",
            "mean probability",
            "most suspicious slice",
            "learned: attention",
            "learned: recurrent",
        )
    )
    whole, flat = 0, 3
    assert attention[whole] > suspicious[whole] > max(majority[whole], mean[whole])
    assert max(majority[flat], mean[flat]) < 0.4 < suspicious[flat] - 0.2
    assert abs(suspicious[flat] - attention[flat]) < 0.1
    assert abs(attention[whole] - recurrent[whole]) < 0.15  # not told apart
    change = numbers_after("ties to the other class minus ties to class 0:", text)
    assert -0.005 < change[1] < 0.05 < change[0]
    points, even = numbers_after("top slice shows it, attention:", text), 0.4
    assert points[1] > even
