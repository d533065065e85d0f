"""Student copies, and the table of what a class has solved."""

import csv
import errno
import json
import unicodedata
from pathlib import Path

import pytest
from lessons import code, miniature, tagged

from medlearn.teaching import check
from tools import collect, commands, lessons, solutions, student

PAGE = lessons.ROOT / solutions.PAGE  # the course's own, before a test moves the root


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson in a folder of its own."""
    root = tmp_path / "un cours é"
    for name in ("notebooks", "docs"):
        (root / name).mkdir(parents=True)
    for name in student.BESIDE:
        (root / name).write_text("text")
    lessons.save(miniature().notebook, root / "notebooks" / miniature().name)
    monkeypatch.setattr(lessons, "ROOT", root)
    monkeypatch.setattr(lessons, "FOLDER", root / "notebooks")
    return root


def test_student_copies_hold_stubs_and_checks_that_printed_nothing(course, tmp_path):
    list(student.write(tmp_path / "class"))
    copied = lessons.read(tmp_path / "class" / "notebooks" / miniature().name)
    whole = miniature().notebook
    for tag in ("exercise", "check"):
        assert sources(tagged(copied, tag)) == sources(tagged(whole, tag))
        assert not any(cell.outputs for cell in tagged(copied, tag))
    assert solutions.read(PAGE)["02.2"].code not in json.dumps(copied)
    assert len(code(copied)) == len(code(whole)) and any(cell.outputs for cell in code(copied))
    # The links of the copies lead somewhere.
    assert (tmp_path / "class" / "docs" / "glossary.md").read_text() == "text"
    assert (tmp_path / "class" / "notebooks" / "matplotlibrc").exists()


def test_copies_for_teachers_are_filled_in(course, tmp_path):
    page = course / solutions.PAGE
    page.parent.mkdir()
    page.write_bytes(PAGE.read_bytes())
    assert commands.main(["student", "--solutions", "--to", str(tmp_path / "kit")]) == 0
    copied = lessons.read(tmp_path / "kit" / "notebooks" / miniature().name)
    answers = solutions.read(PAGE)
    stubs = sources(tagged(copied, "exercise"))
    assert stubs == [answers["02.1"].code, answers["02.2"].code]
    assert sources(tagged(copied, "solution")) == [answers["02.1"].text, answers["02.2"].text]
    assert not tagged(miniature().notebook, "solution")


def test_copies_inside_the_course_are_refused(course, tmp_path, capsys):
    before = sorted(course.rglob("*"))
    for folder in (course, course / "notebooks", course / "notebooks" / ".." / "class"):
        assert commands.main(["student", "--to", str(folder)]) == 1
        error = capsys.readouterr().err.strip()
        assert "inside the course's folder" in error and "\n" not in error
    assert sorted(course.rglob("*")) == before


def test_a_solution_that_is_missing_or_malformed_is_named(tmp_path):
    with pytest.raises(KeyError, match=r"exercise 02\.1 has no solution"):
        solutions.filled_in(miniature().notebook, {})
    page = tmp_path / "solutions.md"
    page.write_text("### 02.1 · A probe\n\nfour\n\n### 02.2 · A mean\n")
    with pytest.raises(ValueError, match=r"solution of 02\.1 .* holds no block"):
        solutions.read(page)


def sources(cells):
    return [cell.source for cell in cells]


def test_untouched_copies_may_be_written_again_but_a_students_work_stays(course, tmp_path, capsys):
    to = tmp_path / "class"
    list(student.write(to))
    list(student.write(to))
    path = to / "notebooks" / miniature().name
    solved = path.read_text(encoding="utf-8").replace("n_parameters = ...", "n_parameters = 20")
    path.write_text(solved, encoding="utf-8")
    assert commands.main(["student", "--to", str(to)]) == 1
    error = capsys.readouterr().err.strip()
    assert "may hold a student's work" in error and "\n" not in error
    assert path.read_text(encoding="utf-8") == solved


def handed_in(*printed):
    """A notebook (JSON) below whose cell this was printed."""
    output = {"output_type": "stream", "name": "stdout", "text": list(printed)}
    return json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}]})


def test_verdicts_count_with_their_sign_and_colour():
    right = f"\x1b[1;32m✓ 02.1: {check.RIGHT}\x1b[0m\n"
    wrong = "\x1b[1;33m✗ 02.2: not yet.\x1b[0m Hint: Sum.\n"
    text = handed_in(right, wrong, f"✓ 02.3: {check.RIGHT}\n", f"! 02.4: {check.RIGHT} not\n")
    assert collect.in_notebook(text) == {"02.1": True, "02.2": False, "02.3": True, "02.4": False}


def table(folder, to):
    lines = list(collect.write(folder, to))
    with to.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), lines


def test_a_class_is_collected_from_notebooks_and_progress_files(tmp_path):
    folder = tmp_path / "class"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "02.ipynb").write_text(
        handed_in(f"02.1: {check.RIGHT}\n", "02.2: not yet. Hint: Sum.\n")
    )
    (folder / "ada" / "03.ipynb").write_text(handed_in(f"03.1: {check.RIGHT}\n"))
    check.Progress([("02.1", 3, True), ("02.2", 1, False)]).save(folder / "ben.csv")
    rows, _ = table(folder, tmp_path / "class.csv")
    assert rows == [
        {"student": "ada", "solved": "2", "02.1": "1", "02.2": "0", "03.1": "1"},
        {"student": "ben", "solved": "1", "02.1": "1", "02.2": "0", "03.1": ""},
    ]


def test_what_a_check_prints_is_what_is_collected(capsys):
    check.value("25.1", "a", expected="a", hints=["Count."])
    check.value("25.2", 5, expected=4, hints=["Count."])
    check.value("25.3", ..., expected=4, hints=["Count."])
    check.value("97.1", 4, expected=4, hints=["No exercise of the course."])
    printed = handed_in(capsys.readouterr().out)
    met = {"25.1": True, "25.2": False, "25.3": False}
    assert collect.in_notebook(printed) == met | {"97.1": True}


def test_tables_of_any_country_are_collected_and_invented_ids_are_named(tmp_path):
    text = "id;attempts;solved\r\n02.1;3;True\r\n99.1;1;True\r\n"
    assert collect.in_table(text) == {"02.1": True, "99.1": True}
    (tmp_path / "ada.csv").write_text(text)
    students, unread = collect.read(tmp_path)
    assert students == {"ada": {"02.1": True}}
    assert unread == [("ada.csv", "1 ids of no exercise: 99.1")]
    assert collect.in_table("\ufeffid\tattempts\tsolved\n02.1\t\tFALSE\n") == {"02.1": False}


def test_hostile_files_are_left_out_with_a_sentence(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    folder.mkdir()
    monkeypatch.setattr(collect, "LARGEST_FILE", 300_000)
    hostile = {
        "deep.ipynb": "[" * 100_000,
        "list.ipynb": "[1]",
        "no.ipynb": "\0\xff",
        "none.ipynb": '{"cells": [null]}',
        "text.ipynb": handed_in().replace('"text": []', '"text": 7'),
        "vast.ipynb": " " * 300_001,
        "empty.csv": "x,y\n1,2\n",
    }
    for name, text in hostile.items():
        (folder / name).write_text(text)
    (folder / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (folder / "good.ipynb").write_text(handed_in(f"02.1: {check.RIGHT}\n"))
    rows, lines = table(folder, tmp_path / "class.csv")
    assert [row["student"] for row in rows] == ["good"]
    assert sum(line.startswith("Left out") for line in lines) == len(hostile)


def test_a_file_that_may_not_be_read_is_left_out_with_a_sentence(tmp_path, monkeypatch):
    def refused(path, *arguments, **options):
        if path.name == "bob.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    for name in ("ann.csv", "bob.csv"):
        (tmp_path / name).write_text("id,attempts,solved\n02.1,1,True\n")
    opened = Path.open
    monkeypatch.setattr(Path, "open", refused)
    students, unread = collect.read(tmp_path)
    assert students == {"ann": {"02.1": True}} and unread == [("bob.csv", "Permission denied")]


def test_no_name_is_a_formula(tmp_path):
    folder = tmp_path / "class"
    names = ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1", "＝1"]
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "a.ipynb").write_text(handed_in(f"02.1: {check.RIGHT}\n"))
    rows, _ = table(folder, tmp_path / "class.csv")
    assert sorted(row["student"] for row in rows) == sorted(f"'{name}" for name in names)


def test_no_name_holds_a_formula_behind_a_separator():
    assert collect.harmless("a;=1+1") == "a;'=1+1"
    assert collect.harmless('a"; @SUM(A1)') == "a\"; '@SUM(A1)"
    assert collect.harmless("Doe; Jane") == "Doe; Jane"


def test_one_person_whose_accents_two_systems_write_differently_is_one_row(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    for form, id in (("NFC", "02.1"), ("NFD", "02.2")):
        name = unicodedata.normalize(form, "Zoé")
        (folder / f"{name}.ipynb").write_text(handed_in(f"{id}: {check.RIGHT}\n"))
    rows, _ = table(folder, tmp_path / "class.csv")
    assert [(row["student"], row["solved"]) for row in rows] == [("Zoé", "2")]


def test_control_characters_and_long_names_are_cut():
    assert collect.harmless("a\x1b[31mb\n=c") == "a?[31mb?=c"
    assert len(collect.harmless("x" * 500)) == 80


def test_the_table_replaces_only_a_table_and_is_not_read_itself(tmp_path, capsys):
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.ipynb").write_text(handed_in(f"02.1: {check.RIGHT}\n"))
    rows, _ = table(folder, folder / "class.csv")
    assert table(folder, folder / "class.csv")[0] == rows
    assert not list(folder.glob("*older*"))
    (folder / "bob.ipynb").write_text(handed_in(f"02.1: {check.RIGHT}\n"))
    later, said = table(folder, folder / "class.csv")
    assert len(later) == 2 and "The older table is kept as" in str(said)
    older = (folder / "class.older-1.csv").read_text()
    assert "ada" in older and "bob" not in older
    assert [row["student"] for row in table(folder, folder / "class.csv")[0]] == ["ada", "bob"]
    (tmp_path / "thesis.csv").write_text("mine")
    assert commands.main(["collect", str(folder), "--to", str(tmp_path / "thesis.csv")]) == 1
    assert "not a table of this command" in capsys.readouterr().err
    assert (tmp_path / "thesis.csv").read_text() == "mine"


def test_nothing_to_collect_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="holds no notebook and no progress file"):
        list(collect.write(tmp_path, tmp_path / "class.csv"))
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        list(collect.write(tmp_path / "none", tmp_path / "class.csv"))
