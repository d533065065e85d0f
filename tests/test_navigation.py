"""Links to the previous and the next lesson, and the door, which `tools.navigation` writes."""

import re
import shutil

import lessons as course_lessons
import pytest
from lessons import miniature

from medlearn.teaching import _scores, exercises
from medlearn.teaching import door as teaching_door
from tools import door, lessons, navigation

MINUTES = {
    "half an hour": 30,
    "forty minutes": 40,
    "forty-five minutes": 45,
    "fifty minutes": 50,
    "an hour": 60,
}

LINE = "[Previous: 01 · One](01_one_thing.ipynb) · [Next: 03 · Three](03_three_things.ipynb)"


@course_lessons.for_every_lesson
def test_a_lesson_links_to_its_neighbours(path):
    lesson = course_lessons.Lesson(path.name, lessons.read(path))
    stale = navigation.write_links(lesson.notebook, navigation.links()[path.name])
    problems = ["run `python3 -m tools.navigation`"] if stale else []
    course_lessons.expect_none(course_lessons.unless_unfinished("navigation", lesson, problems))


def test_links_are_written_once_at_both_ends():
    notebook = miniature().notebook
    assert navigation.write_links(notebook, "[Next: 02 · Two](02_two_things.ipynb)")
    assert navigation.write_links(notebook, LINE)
    assert not navigation.write_links(notebook, LINE)
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    assert first.endswith(f"- mistrust numbers\n\n<small>{LINE}</small>")
    assert last.endswith(f"1786.\n\n{LINE}")
    assert first.count("Next:") == last.count("Next:") == 1


@pytest.mark.parametrize("written", ["**Next:** [03](03_x.ipynb)", "Next: [03](03_x.ipynb)."])
def test_a_line_written_by_hand_is_replaced(written):
    notebook = miniature().notebook
    notebook.cells[-1].source += f"\n\n{written}"
    navigation.write_links(notebook, LINE)
    assert notebook.cells[-1].source.endswith(f"1786.\n\n{LINE}")


def test_the_first_and_the_last_lesson_have_one_neighbour(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    shutil.copy(course_lessons.FOLDER / "lessons.toml", tmp_path)
    for name in ("01_one_thing.ipynb", "02_two_things.ipynb", "05_five_things.ipynb"):
        notebook = miniature().notebook
        notebook.cells[0].source = f"# {name[:2]} · A title\n\ntext"
        lessons.save(notebook, tmp_path / name)
    navigation.main([])
    assert navigation.links() == {
        "01_one_thing.ipynb": "[Next: 02 · A title](02_two_things.ipynb)",
        "02_two_things.ipynb": "[Previous: 01 · A title](01_one_thing.ipynb) · "
        "[Next: 05 · A title](05_five_things.ipynb)",
        "05_five_things.ipynb": "[Previous: 02 · A title](02_two_things.ipynb)",
    }
    assert len(capsys.readouterr().out.splitlines()) == 4  # the door as well
    navigation.main(["1"])
    assert capsys.readouterr().out == ""


# ---- the door ------------------------------------------------------------------------------------


def test_the_door_is_what_the_generator_writes():
    problems = []
    saved = lessons.read(door.path())
    if [cell.source for cell in saved.cells] != [cell.source for cell in door.notebook().cells]:
        problems.append("notebooks/index.ipynb is stale: run `python3 -m tools.navigation`")
    (output,) = saved.cells[1].outputs
    cards = output.data["text/html"]
    problems += [f"no card of {path.stem}" for path in lessons.find([]) if path.name not in cards]
    course_lessons.expect_none(problems)


def test_cards_hold_what_the_lessons_first_cells_say():
    for card in teaching_door.cards(lessons.FOLDER):
        first = lessons.read(lessons.FOLDER / card.file).cells[0].source
        assert card.title == first.split("\n")[0].lstrip("# ")
        said = re.search(r"(half an hour|an hour|[\w-]+ minutes) of (?:reading|trying)", first)[1]
        assert MINUTES[said] == card.minutes, card.file
        earlier = {number for number in card.needs if number < card.number}
        assert earlier == set(card.needs), f"{card.file} needs a later lesson"


def test_a_card_counts_the_exercises_that_are_solved():
    cards = teaching_door.cards(lessons.FOLDER)[:2]
    html = teaching_door.as_html(cards, {"00.1": True, "00.2": False, "01.1": True})
    assert html.count("□") == len(exercises.ids("00")) + len(exercises.ids("01")) - 2
    assert f"■□□ 1 of {len(exercises.ids('00'))} exercises solved" in html
    assert 'before: <a href="00_start_here.ipynb">00</a>' in html


def test_the_door_reads_the_progress_that_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    monkeypatch.delenv("MEDLEARN_PROGRESS", raising=False)
    before = teaching_door.show(lessons.FOLDER).data
    assert _scores.add("02.1", is_solved=True) == ""
    after = teaching_door.show(lessons.FOLDER).data
    assert after.count("■") == before.count("■") + 1


def test_a_lesson_without_facts_is_named(tmp_path):
    (tmp_path / "lessons.toml").write_text("[lessons.01]\nidea = 'x'\nminutes = 1\nneeds = []\n")
    lessons.save(miniature().notebook, tmp_path / "02_sum_numbers.ipynb")
    with pytest.raises(LookupError, match=r"nothing on 02_sum_numbers.ipynb; add \[lessons.02\]"):
        teaching_door.cards(tmp_path)


def test_routes_hold_lessons_in_order():
    routes = teaching_door.routes(lessons.FOLDER)
    assert len(routes) == 4
    assert any(len(route.cards) == len(lessons.find([])) for route in routes)
    for route in routes:
        assert route.cards and route.minutes >= 60
