"""Links to the previous and the next lesson, which `tools.navigation` writes."""

import lessons as course_lessons
import pytest
from lessons import miniature

from tools import lessons, navigation

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
    assert len(capsys.readouterr().out.splitlines()) == 3
    navigation.main(["1"])
    assert capsys.readouterr().out == ""
