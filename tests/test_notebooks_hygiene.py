"""What a saved lesson may hold: clean outputs that belong to its sources; each rule is also seen failing."""

import re
from pathlib import Path

import lessons
import nbformat
import pytest
from lessons import Lesson, code_cell
from nbformat.v4 import new_output

from tools.lessons import source_digest

WIDGET = "application/vnd.jupyter.widget-view+json"
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(home|work|root|tmp|Users|mnt|opt|var)/[\w.]|\b[A-Z]:\\\\?[A-Za-z]"
)


def no_error_output(lesson: Lesson) -> list[str]:
    return [
        f"an error is saved: {output.ename}"
        for output in _outputs(lesson)
        if output.output_type == "error"
    ]


def no_stderr(lesson: Lesson) -> list[str]:
    return [
        f"stderr is saved: {output.text[:80]!r}"
        for output in _outputs(lesson)
        if output.get("name") == "stderr"
    ]


def no_memory_address(lesson: Lesson) -> list[str]:
    return _texts_with(lesson, re.compile(r"\b0x[0-9a-fA-F]{6,}"), "memory address")


def no_machine_path(lesson: Lesson) -> list[str]:
    return _texts_with(lesson, MACHINE_PATH, "path of one machine")


def no_widget_state(lesson: Lesson) -> list[str]:
    problems = (
        ["widget state is saved in the metadata"] if "widgets" in lesson.notebook.metadata else []
    )
    return problems + [
        "a widget view is saved" for output in _outputs(lesson) if WIDGET in output.get("data", {})
    ]


def outputs_present(lesson: Lesson) -> list[str]:
    cells = [cell for cell in lessons.code(lesson.notebook) if cell.source.strip()]
    idle = [cell for cell in cells if cell.execution_count is None]
    problems = (
        [f"{len(idle)} of {len(cells)} cells never ran, the first {idle[0].source[:60]!r}"]
        if idle
        else []
    )
    marked = [
        cell for tag in ("result", "check") for cell in lessons.tagged(lesson.notebook, tag)
    ] + _checked(lesson)
    return problems + [
        f"no saved output: {cell.source[:60]!r}" for cell in marked if not cell.get("outputs")
    ]


def under_a_megabyte(lesson: Lesson) -> list[str]:
    size = len(nbformat.writes(lesson.notebook).encode())
    return [] if size < 1_000_000 else [f"{size / 1e6:.1f} MB; at most 1"]


def not_stale(lesson: Lesson) -> list[str]:
    executed = lesson.notebook.metadata.get("medlearn", {}).get("executed")
    if executed == source_digest(lesson.notebook):
        return []
    return ["the outputs are of other sources; run `python3 course.py run NN --save`"]


def cell_ids_present_and_unique(lesson: Lesson) -> list[str]:
    ids = [cell.get("id") for cell in lesson.notebook.cells]
    good = lesson.notebook.nbformat == 4 and lesson.notebook.nbformat_minor >= 5 and all(ids)
    return (
        []
        if good and len(set(ids)) == len(ids)
        else ["cell ids are missing or repeated; save as nbformat 4.5"]
    )


def language_is_python(lesson: Lesson) -> list[str]:
    metadata = lesson.notebook.metadata
    names = (
        metadata.get("kernelspec", {}).get("name"),
        metadata.get("language_info", {}).get("name"),
    )
    problems = (
        []
        if names == ("python3", "python")
        else [f"kernel and language are {names}, not python3 and python"]
    )
    versioned = "version" in metadata.get("language_info", {})
    return problems + (
        ["the Python version is saved; every other version would change the file"]
        if versioned
        else []
    )


def some_outputs_are_compared(lesson: Lesson) -> list[str]:
    cells = _checked(lesson)
    problems = (
        [] if len(cells) >= 2 else [f"{len(cells)} cells say NBVAL_CHECK_OUTPUT; at least two"]
    )
    return problems + [
        f"NBVAL_CHECK_OUTPUT on what is not plain text: {cell.source[:60]!r}"
        for cell in cells
        if not all(_plain(output) for output in cell.outputs)
    ]


RULES = [
    no_error_output,
    no_stderr,
    no_memory_address,
    no_machine_path,
    no_widget_state,
    outputs_present,
    under_a_megabyte,
    not_stale,
    cell_ids_present_and_unique,
    language_is_python,
    some_outputs_are_compared,
]


def _outputs(lesson: Lesson) -> list:
    return [output for cell in lessons.code(lesson.notebook) for output in cell.outputs]


def _checked(lesson: Lesson) -> list:
    """Cells whose output nbval compares, marked by its comment or its tag."""
    marked = [cell for cell in lessons.code(lesson.notebook) if "NBVAL_CHECK_OUTPUT" in cell.source]
    return marked + lessons.tagged(lesson.notebook, "nbval-check-output")


def _plain(output) -> bool:
    return output.output_type == "stream" or set(output.get("data", {})) == {"text/plain"}


def _texts_with(lesson: Lesson, pattern: re.Pattern, what: str) -> list[str]:
    texts = [output.get("text", "") for output in _outputs(lesson)]
    for output in _outputs(lesson):
        texts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return [
        f"{what} in an output: {hit.group()}"
        for text in texts
        for hit in [pattern.search(str(text))]
        if hit
    ]


# ---- the rules on the lessons ------------------------------------------------------------------------------


@lessons.each_notebook
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_lesson(rule, path):
    lessons.expect_none(rule(lessons.read(path)))


@lessons.each_notebook
def test_file_on_disk(path: Path):
    assert path.stat().st_size < 1_000_000
    assert path.read_bytes().endswith(b"}\n") and b"\r\n" not in path.read_bytes()


# ---- the rules on their offenders --------------------------------------------------------------------------


def sound() -> Lesson:
    lesson = lessons.miniature()
    lesson.notebook.metadata.medlearn = {"executed": source_digest(lesson.notebook)}
    return lesson


def add(output):
    """An offender: one more output in the third code cell."""
    return lambda lesson: lessons.code(lesson.notebook)[2].outputs.append(output)


def printed(text: str):
    return add(new_output("stream", name="stdout", text=text))


def data(**kinds: str):
    return add(
        new_output(
            "display_data", data={kind.replace("_", "/", 1): text for kind, text in kinds.items()}
        )
    )


def change(what):
    """An offender: the notebook changed by a function of it."""
    return lambda lesson: what(lesson.notebook)


def _forget_outputs(tag: str):
    return lambda notebook: lessons.tagged(notebook, tag)[0].update(outputs=[])


def _path(*parts: str) -> str:
    """Put together here, because no file of the repository names such a path (tests/test_architecture.py)."""
    return "/" + "/".join(parts)


OFFENDERS = [
    (no_error_output, add(new_output("error", ename="ValueError", evalue="no", traceback=[]))),
    (no_stderr, add(new_output("stream", name="stderr", text="a warning"))),
    (no_memory_address, printed("<object at 0x7f0011223344>")),
    (no_memory_address, data(text_html="<b>0x7f0011223344</b>")),
    (no_machine_path, printed("saved to " + _path("home", "somebody", "file"))),
    (no_machine_path, printed(repr(_path("root", ".cache")))),
    (no_machine_path, printed(f"({_path('tmp', 'x1')})")),
    (no_machine_path, data(text_plain="C:" + r"\Users\somebody")),
    (no_machine_path, data(text_html="<i>" + _path("Users", "somebody", "course"))),
    (no_widget_state, change(lambda notebook: notebook.metadata.update(widgets={}))),
    (no_widget_state, add(new_output("display_data", data={WIDGET: {"model_id": "1"}}))),
    (
        outputs_present,
        change(lambda notebook: lessons.code(notebook)[0].update(execution_count=None)),
    ),
    (outputs_present, change(_forget_outputs("result"))),
    (outputs_present, change(_forget_outputs("check"))),
    (under_a_megabyte, data(image_png="A" * 1_000_000)),
    (
        not_stale,
        change(lambda notebook: lessons.code(notebook)[1].update(source="import medlearn")),
    ),
    (not_stale, change(lambda notebook: notebook.metadata.pop("medlearn"))),
    (cell_ids_present_and_unique, change(lambda notebook: notebook.cells[0].pop("id"))),
    (
        cell_ids_present_and_unique,
        change(lambda notebook: notebook.cells[0].update(id=notebook.cells[1].id)),
    ),
    (cell_ids_present_and_unique, change(lambda notebook: notebook.update(nbformat_minor=4))),
    (
        language_is_python,
        change(lambda notebook: notebook.metadata.kernelspec.update(name="my-venv")),
    ),
    (language_is_python, change(lambda notebook: notebook.metadata.pop("language_info"))),
    (
        language_is_python,
        change(lambda notebook: notebook.metadata.language_info.update(version="3.12.1")),
    ),
    (
        some_outputs_are_compared,
        change(lambda notebook: lessons.code(notebook)[2].update(source="print(4)")),
    ),
    (some_outputs_are_compared, data(image_png="A")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_lesson_passes(rule):
    assert rule(sound()) == []
    assert rule in [offended for offended, _ in OFFENDERS]


@pytest.mark.parametrize("rule, spoil", OFFENDERS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_offender_fails(rule, spoil):
    lesson = sound()
    spoil(lesson)
    assert rule(lesson)


def test_nbval_tags_count_too():
    lesson = sound()
    for cell in _checked(lesson):
        cell.source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n")
        cell.metadata.tags = ["nbval-check-output"]
    assert some_outputs_are_compared(lesson) == []


@pytest.mark.parametrize(
    "text", ["24 / 12", "https://example.org/home/page", "notebooks/data", "ratio: b/w", "0x1"]
)
def test_harmless_text_passes(text):
    lesson = sound()
    printed(text)(lesson)
    assert no_machine_path(lesson) == no_memory_address(lesson) == []


def test_prose_may_show_paths_and_code_cells_without_output_pass():
    lesson = sound()
    lesson.notebook.cells.insert(3, code_cell(""))
    assert outputs_present(lesson) == []
