"""Every exercise is proven: its stub, each typical wrong answer and its hint, its solution.

Here without its lesson; in its lesson while nbval plays that (`tools.proofs`).
"""

import contextlib
import io
import json
import subprocess
import sys
from types import SimpleNamespace

import exercises
import lessons
import nbformat
import numpy as np
import pandas as pd
import pytest
from lessons import code_cell, solution_cell, text_cell
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn import adaptation, keras, metrics, networks, splits, tf, transfer
from medlearn.curation import duplicates, labelling, quality
from medlearn.instruments import smear
from medlearn.teaching import _limits, _verdicts, challenge, check, envelope, practice
from medlearn.teaching import exercises as package
from tools import proofs, solutions, suite

FACTORS = [*smear.FACTORS, "all but stain", "everything"]
COSTS = {
    "images/s": [1, 2, 3, 4],
    "parameters (M)": [9, 1, 3, 4],
    "balanced accuracy": [9, 5, 7, 8],
}
CHEAP = {"images/s": [299.1, 775.5, 157.7], "parameters (M)": [0.7, 0.1, 3.7]}


def with_bright_discs():
    """Noise with a bright disc in each image, its outlines, and a map of bright spots."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (12, 112, 96, 3), dtype=np.uint8)
    y, x = np.indices((112, 96))
    centres = rng.integers(30, 60, (12, 2))
    masks = np.array([np.hypot(y - row, x - column) < 9 for row, column in centres])
    images[masks] += 90

    def bright_spots(images):
        return ndimage.gaussian_filter(images.mean(-1), (0, 3, 3))

    return {"images": images, "masks": masks, "winner": bright_spots}


def with_three_alarms():
    """Three suspicious slices of twelve: neighbours in the ill, scattered in the others."""
    rng = np.random.default_rng(0)
    suspicion = rng.uniform(0, 0.6, (200, 12))
    ill = np.arange(200) % 2 == 1
    for patient in range(200):
        neighbours = rng.integers(0, 10) + np.arange(3)
        scattered = rng.choice(np.arange(0, 12, 2), 3, replace=False)
        suspicion[patient, neighbours if ill[patient] else scattered] = rng.uniform(0.5, 1, 3)
    return {"suspicion": suspicion, "ill": ill}


def with_weeks():
    """Quiet weeks of normal numbers, later ones, and weeks in which the mean has moved."""
    rng = np.random.default_rng(0)
    quiet, later = rng.normal(5, 0.1, (300, 20)), rng.normal(5, 0.1, (300, 50))
    return {"streams": {"quiet": quiet, "later": later, "moved": rng.normal(5.4, 0.1, (300, 10))}}


# What a lesson hands over to a check, small enough to have no lesson.
def standardised(vectors, by=None):
    by = vectors if by is None else by
    return (vectors - by.mean(0)) / by.std(0)


def with_a_sealed_hospital():
    """A hospital whose features are shifted and of which half of the cells are of one class."""
    random = np.random.default_rng(0)
    middles = 3 * np.eye(5, 8)
    labels, truth = np.arange(300) % 5, np.where(np.arange(150) % 2, 1, np.arange(150) // 2 % 5)
    home = middles[labels] + random.normal(size=(300, 8))
    new = middles[truth] + random.normal(size=(150, 8)) + 2.0 * np.array([1, -1] * 4)
    probe = LogisticRegression().fit(standardised(home), labels)
    pooled = probe.score(standardised(new, by=home), truth)
    space = {"pooled_probe": probe, "each_probe": probe, "vectors": home}
    data = {"vectors": new, "truth": truth, "pooled": pooled}
    return SimpleNamespace(data=data, space=space | {"standardised": standardised})


def with_a_fresh_hospital():
    """Two hospitals whose features are shifted against each other; source only fails."""
    random = np.random.default_rng(0)
    middles = 3 * np.eye(5, 8)
    home, truth = np.arange(200) % 5, np.arange(100) % 5
    source = middles[home] + random.normal(size=(200, 8))
    target = middles[truth] + random.normal(size=(100, 8)) + 3.0 * np.array([1, -1] * 4)
    models = adaptation.candidates(source, home, target)
    hospital = SimpleNamespace(
        source_features=source,
        source_labels=home,
        target_features=target,
        target_images=np.zeros((100, 4, 4, 3), np.uint8),
    )
    table = np.array([models["source only"].predict(target), truth], np.uint8)
    lines = challenge.Lines(("source only", "good"), table, "good", "")
    patients = np.arange(100).astype(str)
    classes = tuple("abcde")
    seal = challenge.Seal("kinds", "", classes, challenge.Truth(truth, patients), lines)
    return {"fresh": hospital, "seal": seal}


HOSPITAL = with_a_sealed_hospital()
DATA = {
    "00.3": {"reads": lambda settings: 0.4 if settings["blur_um"] > 0.9 else 0.8},
    "02.1": {"classes": 8, "features": 384},
    "03.2": {"costs": pd.DataFrame(COSTS, index=list("abcd"))},
    "03.3": {
        "costs": pd.DataFrame(
            CHEAP, index=["lite0 block_10", "random lite0 block_2", "lite2 block_19"]
        ),
        "data": "smear",
    },
    "10.3": with_bright_discs(),
    "11.3": with_three_alarms(),
    "23.3": with_weeks(),
    "22.3": HOSPITAL.data,
    "16.3": {"sealed": envelope.Envelope([0, 1])},
    "26.3": with_a_fresh_hospital(),
    "17.3": {"sealed": envelope.Envelope([0, 1])},
    "20.3": {"sealed": envelope.Envelope([0, 1])},
    "21.3": {"sealed": envelope.Envelope([0, 1])},
    "19.3": {
        "candidates": {"source only": None, "coral": None},
        "sealed": envelope.Envelope([0, 1]),
    },
}
FILES, FILE_IMAGES = practice.leaky_files()
NAMES_OF_LESSONS = {
    "np": np,
    "metrics": metrics,
    "predictions_table": practice.predictions(),
    "files": FILES,
    "file_images": FILE_IMAGES,
    "splits": splits,
    "ndimage": ndimage,
    "duplicates": duplicates,
    "keras": keras,
    "tf": tf,
    "labelling": labelling,
    "networks": networks,
    "quality": quality,
    "transfer": transfer,
    "smear": smear,
    "classes": 8,
    "vectors": np.zeros((1, 384)),
    "make_pipeline": make_pipeline,
    "StandardScaler": StandardScaler,
    "LogisticRegression": LogisticRegression,
}
SPACES = {
    "22.3": HOSPITAL.space,
    "19.3": {"fresh_choice": SimpleNamespace(best="coral")},
    "03.2": DATA["03.2"],
    "03.3": {
        **DATA["03.3"],
        "DATASET": "smear",
        "names": ["lite0 block_10", "random lite0 block_2"],
        "candidates": [0, 1],
        "vectors": {"smear": [np.array([0.9]), np.array([0.5])]},
        "new_rows": [0],
        "new_labels": None,
        "new_patients": None,
        "inner_folds": lambda inputs, labels, patients: inputs[0],
    },
}


@lessons.for_every_lesson
def test_exercises_are_well_formed(path):
    lesson = lessons.read(path)
    lessons.expect_none(
        exercises.find(lesson.notebook)[1]
        + exercises.numbering(lesson)
        + exercises.agreement(lesson)
        + exercises.clashes(lesson.notebook)
        + exercises.signatures(lesson.notebook)
    )


# Those of these lessons train for many seconds; nbval proves them in every run of the tests.
TRAIN = ("02", "04", "05", "24")


def one_by_one():
    for path in lessons.PATHS:
        marks = [pytest.mark.slow] if path.stem.startswith(TRAIN) else []
        yield pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", one_by_one())
def test_exercises_are_proven_without_their_lesson(path, monkeypatch):
    monkeypatch.setattr(_verdicts, "records", {})
    monkeypatch.setattr(_limits, "SECONDS", 60)  # two trainings on a busy machine
    for id in package.ids(path.name[:2]):
        exercise, data = package.find(id), DATA.get(id, {})
        assert state_of(id, ..., data) == ("blank", "")
        for typical, *_, hint in exercise.wrong:
            is_of_data = isinstance(exercise, package.Value) and callable(typical)
            answer = typical(**data) if is_of_data else typical
            assert state_of(id, answer, data) == ("wrong", hint), (id, answer)
        space = NAMES_OF_LESSONS | SPACES.get(id, {})
        exec(solutions.read()[id].code, space)
        assert state_of(id, space[exercise.name], data)[0] == "solved", id


def state_of(id, answer, data):
    """The state and the hint of a check."""
    with contextlib.redirect_stdout(io.StringIO()):
        check.answer(id, answer, **data)
    message = check.last().message
    return check.last().state, message.partition(": not yet. Hint: ")[2]


def test_an_exercise_has_two_hints_that_hold_no_formula():
    for id in package.ids():
        exercise = package.find(id)
        assert len(exercise.hints) >= 2 and len(exercise.wrong) >= 1
        code = solutions.read()[id].code.splitlines()
        answers = [line.partition("return ")[2] or line.partition(" = ")[2] for line in code]
        for hint in exercise.hints:
            assert not [text for text in answers if len(text) > 8 and text in hint], id


@lessons.for_every_lesson
def test_no_lesson_shows_an_answer_or_a_hint(path):
    sources = "\n".join(cell.source for cell in lessons.read(path).notebook.cells)
    for id in package.ids(path.name[:2]):
        exercise = package.find(id)
        for text in [*exercise.hints, *(entry[-1] for entry in exercise.wrong)]:
            assert text not in sources, id
        code = solutions.read()[id].code
        assert code not in sources, id


# ---- seen failing on purpose ---------------------------------------------------------------------


PRECISION_STUB = "def {}(prevalence, sensitivity, specificity): ..."


def exercise(number: int, stub="{} = ..."):
    id = f"09.{number}"
    name = package.find(id).name
    return [
        text_cell(f"### Your turn: `{name}`"),
        code_cell(stub.format(name), "exercise"),
        code_cell(f'check.answer("{id}", {name})', "check"),
    ]


def notebook(*cells):
    first = code_cell("from medlearn.teaching import check")
    return nbformat.v4.new_notebook(cells=[first, *cells])


@pytest.mark.slow
def test_the_miniature_is_proven(tmp_path, monkeypatch):
    all_ids = package.ids  # the miniature has the first two exercises of lesson 02
    monkeypatch.setattr(package, "ids", lambda *lesson: all_ids(*lesson)[: 2 if lesson else None])
    lesson = lessons.miniature()
    assert exercises.find(lesson.notebook)[1] == exercises.numbering(lesson) == []
    assert exercises.agreement(lesson) == exercises.clashes(lesson.notebook) == []
    expected = (str(tmp_path), sys.executable)
    lesson.notebook.cells += [
        code_cell(f"import os, sys\nassert (os.getcwd(), sys.executable) == {expected!r}"),
        code_cell("assert n_parameters is ... and mean_pool(1) is None  # as a learner"),
    ]
    before = nbformat.writes(lesson.notebook)
    assert exercises.run(lesson.notebook, tmp_path) == []
    assert nbformat.writes(lesson.notebook) == before


@pytest.mark.slow
def test_every_kind_of_broken_exercise_is_named(tmp_path, monkeypatch):
    answers = solutions.read()
    answers["09.1"] = solutions.Solution("f1_by_hand = 0.5", "")
    answers["09.3"] = solutions.Solution("my_report = 1 / 0", "")
    monkeypatch.setattr(solutions, "read", lambda: answers)
    broken = notebook(*exercise(1), *exercise(2, "# ...\n{} = 1"), *exercise(3), code_cell("1 / 0"))
    problems = exercises.run(broken, tmp_path)
    for beginning in (
        "09.1: the solution is right: AssertionError",
        "09.2: the untouched stub is not an answer: AssertionError",
        "09.3: the solution is right: ZeroDivisionError",
    ):
        assert [problem for problem in problems if problem.startswith(beginning)], beginning
    assert problems[-1].startswith("cell ") and problems[-1].endswith("division by zero")


@pytest.mark.slow
def test_nbval_plays_the_proofs_of_each_exercise_and_fails_with_a_broken_one(tmp_path):
    broken = [*exercise(1), *exercise(2, "# ...\n{} = 1"), code_cell("assert f1_by_hand is ...")]
    nbformat.write(notebook(*broken), tmp_path / "09_b.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", *suite.NBVAL, *suite.TWO_AT_A_TIME, "."]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    verdicts = [line for line in ended.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))]
    names = [line.partition(f"::{proofs.PROOF}")[2] for line in verdicts]
    wrong = sum(len(package.find(id).wrong) for id in ("09.1", "09.2"))
    assert len([name for name in names if name]) == wrong + 6
    failed = [line for line in verdicts if line.startswith("FAILED")]
    assert len(failed) == 1 and f"::{proofs.PROOF}09.2: the untouched stub" in failed[0]


def test_a_malformed_exercise_is_named():
    offenders = [
        (0, {"source": "### A task"}, "Your turn"),
        (1, {"source": "f1_by_hand = 4"}, "leaves no `...`"),
        (1, {"source": "f1 = ..."}, "does not set f1_by_hand"),
        (2, {"metadata": {}}, "a cell tagged check"),
        (2, {"source": "print(f1_by_hand)"}, "not one short call"),
        (2, {"source": 'check.value("09.1", f1_by_hand, expected=1)'}, "not one short call"),
        (2, {"source": 'check.answer("09.1", 0.5)'}, "not one short call"),
        (2, {"source": 'x = 1\ncheck.answer("09.1", f1_by_hand)'}, "not one short call"),
    ]
    for index, changes, sentence in offenders:
        cells = exercise(1)
        cells[index].update(changes)
        well_formed, problems = exercises.find(notebook(*cells))
        assert not well_formed, sentence
        assert "exercise in cell 2" in problems[0] and sentence in problems[0]


def test_a_lonely_check_and_a_solution_in_a_lesson_are_named():
    extra = exercise(1)[2:]
    assert exercises.find(notebook(*exercise(1), *extra))[1] == [
        "1 more cells tagged check than exercises"
    ]
    answered = notebook(*exercise(1), solution_cell("f1_by_hand = 4"))
    assert "a solution stands in the lesson" in exercises.find(answered)[1][0]


def test_exercises_are_numbered_and_agree_with_the_package():
    def problems(*cells, name="09_sum_numbers.ipynb"):
        lesson = lessons.Lesson(name, notebook(*cells))
        return exercises.numbering(lesson) + exercises.agreement(lesson)

    three = [exercise(1), exercise(2, PRECISION_STUB), exercise(3)]
    assert problems(*three[0], *three[1], *three[2]) == []
    assert problems(*three[1], *three[0], *three[2])
    assert problems(*three[0], *three[1])
    assert problems(*three[0], *three[1], *three[2], name="03_sum_more.ipynb")
    renamed = json.loads(json.dumps(three[0]).replace("f1_by_hand", "f1"))
    cells = [nbformat.from_dict(cell) for cell in renamed]
    assert problems(*cells, *three[1], *three[2]) == [
        "the solution of 09.1 does not set f1",
        "the package calls the answer f1_by_hand",
    ]


def test_a_name_that_an_exercise_would_overwrite_is_named():
    def problems(source, *more):
        return exercises.clashes(notebook(code_cell(source), *exercise(1), *more))

    assert problems("f1 = 1\nlist(f1_by_hand for f1_by_hand in [1])") == []
    for source in ("f1_by_hand = 1", "import os as f1_by_hand", "for f1_by_hand in []: pass"):
        assert "which the lesson sets as well" in problems(source)[0]
    assert "of_the_ill" in problems("of_the_ill = 1")[0]  # the solution's own
    assert "as 09.1 does" in problems("", *exercise(1))[0]


def test_a_task_names_the_function_as_its_stub_does():
    task, stub, last = exercise(2, PRECISION_STUB)
    assert exercises.signatures(notebook(task, stub, last))
    task.source = f"### Your turn\n\nWrite `{PRECISION_STUB[4:-5].format('precision_at')}`."
    assert exercises.signatures(notebook(task, stub, last)) == []
