"""What a saved lesson may hold: clean outputs of its sources; each rule is also seen failing."""

import re

import lessons
import nbformat
from lessons import Lesson, code_cell
from nbformat.v4 import new_output

from tools.lessons import source_digest

PICTURES = {"image/png", "image/jpeg"}
WIDGET = "application/vnd.jupyter.widget-view+json"
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(home|work|root|tmp|Users|mnt|opt|var)/[\w.]|\b[A-Z]:\\\\?[A-Za-z]"
)
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
MOST_BYTES = 1_000_000
SHORTEST_ALT, LONGEST_ALT = 60, 400  # characters


def no_error_output(lesson: Lesson) -> list[str]:
    errors = [output for output in _outputs(lesson) if output.output_type == "error"]
    return [f"an error is saved: {output.ename}" for output in errors]


def no_stderr(lesson: Lesson) -> list[str]:
    outputs = [output for output in _outputs(lesson) if output.get("name") == "stderr"]
    return [f"stderr is saved: {output.text[:80]!r}" for output in outputs]


def no_memory_address(lesson: Lesson) -> list[str]:
    return _outputs_with(lesson, MEMORY_ADDRESS, "memory address")


def no_machine_path(lesson: Lesson) -> list[str]:
    return _outputs_with(lesson, MACHINE_PATH, "path of one machine")


def no_widget_state(lesson: Lesson) -> list[str]:
    views = [output for output in _outputs(lesson) if WIDGET in output.get("data", {})]
    problems = ["a widget view is saved" for _ in views]
    if "widgets" in lesson.notebook.metadata:
        problems.append("widget state is saved in the metadata")
    return problems


def outputs_present(lesson: Lesson) -> list[str]:
    cells = [cell for cell in lessons.code(lesson.notebook) if cell.source.strip()]
    problems = [
        f"a cell never ran: {cell.source[:60]!r}" for cell in cells if cell.execution_count is None
    ]
    results = lessons.tagged(lesson.notebook, "result") + lessons.tagged(lesson.notebook, "check")
    return problems + [
        f"no saved output: {cell.source[:60]!r}"
        for cell in results + _compared(lesson)
        if not cell.get("outputs")
    ]


def under_a_megabyte(lesson: Lesson) -> list[str]:
    size = len(nbformat.writes(lesson.notebook).encode())
    return [] if size < MOST_BYTES else [f"{size / 1e6:.1f} MB; at most 1"]


def not_stale(lesson: Lesson) -> list[str]:
    executed = lesson.notebook.metadata.get("medlearn", {}).get("executed")
    if executed == source_digest(lesson.notebook):
        return []
    return ["the outputs are of other sources; run `python3 course.py run NN --save`"]


def cell_ids_present_and_unique(lesson: Lesson) -> list[str]:
    notebook = lesson.notebook
    ids = [cell.get("id") for cell in notebook.cells]
    has_ids = (notebook.nbformat, notebook.nbformat_minor) >= (4, 5) and all(ids)
    if has_ids and len(set(ids)) == len(ids):
        return []
    return ["cell ids are missing or repeated; save as nbformat 4.5"]


def language_is_python(lesson: Lesson) -> list[str]:
    kernel = lesson.notebook.metadata.get("kernelspec", {}).get("name")
    language = lesson.notebook.metadata.get("language_info", {})
    problems = []
    if (kernel, language.get("name")) != ("python3", "python"):
        problems.append(f"kernel {kernel} and language {language}, not python3 and python")
    if "version" in language:
        problems.append("the Python version is saved; every other version would change the file")
    return problems


def some_outputs_are_compared(lesson: Lesson) -> list[str]:
    cells = _compared(lesson)
    problems = [
        f"NBVAL_CHECK_OUTPUT on what is not plain text: {cell.source[:60]!r}"
        for cell in cells
        if not all(map(_is_plain_text, cell.outputs))
    ]
    if len(cells) < 2:
        problems.append(f"{len(cells)} cells say NBVAL_CHECK_OUTPUT; at least two")
    return problems


def pictures_have_alt_texts(lesson: Lesson) -> list[str]:
    """By hand, in the cell's metadata: what the picture shows, and what it finds."""
    problems = []
    for cell in lessons.code(lesson.notebook):
        alt = cell.metadata.get("alt", "")
        has_picture = any(PICTURES & set(output.get("data", {})) for output in cell.outputs)
        if has_picture and not SHORTEST_ALT <= len(alt) <= LONGEST_ALT:
            problems.append(f"an alt text of {len(alt)} characters: {cell.source[:60]!r}")
        if '"' in alt:
            problems.append(f"quotation marks in an alt text: {alt[:60]}")
    return problems


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
    pictures_have_alt_texts,
]


def _outputs(lesson: Lesson) -> list:
    outputs = []
    for cell in lessons.code(lesson.notebook):
        outputs += cell.outputs
    return outputs


def _compared(lesson: Lesson) -> list:
    """Cells whose output nbval compares, marked by its comment or its tag."""
    marked = [cell for cell in lessons.code(lesson.notebook) if "NBVAL_CHECK_OUTPUT" in cell.source]
    return marked + lessons.tagged(lesson.notebook, "nbval-check-output")


def _is_plain_text(output) -> bool:
    return output.output_type == "stream" or set(output.get("data", {})) == {"text/plain"}


def _outputs_with(lesson: Lesson, pattern: re.Pattern, name: str) -> list[str]:
    """Problems for the texts of outputs in which a pattern occurs."""
    problems = []
    for output in _outputs(lesson):
        texts = [output.get("text", "")]
        texts += [text for key, text in output.get("data", {}).items() if key.startswith("text/")]
        match = pattern.search("\n".join(map(str, texts)))
        if match:
            problems.append(f"{name} in an output: {match.group()}")
    return problems


# ---- the rules on the lessons --------------------------------------------------------------------


@lessons.for_every_lesson
def test_a_saved_lesson_keeps_every_rule(path):
    lesson = lessons.read(path)
    problems = []
    for rule in RULES:
        problems += lessons.unless_unfinished(rule.__name__, lesson, rule(lesson))
    content = path.read_bytes()
    if len(content) >= MOST_BYTES or not content.endswith(b"}\n") or b"\r\n" in content:
        problems.append("the file is too large, or its line ends are not those of Jupyter")
    lessons.expect_none(problems)


# ---- the rules on their offenders ----------------------------------------------------------------


def sound() -> Lesson:
    """The miniature as a clean run saves it."""
    lesson = lessons.miniature()
    lesson.notebook.metadata.medlearn = {"executed": source_digest(lesson.notebook)}
    return lesson


def add(output):
    """An offender: one more output in the third code cell."""

    def spoil(lesson: Lesson) -> None:
        lessons.code(lesson.notebook)[2].outputs.append(output)

    return spoil


def printed(text: str):
    """An offender: one more printed text."""
    return add(new_output("stream", name="stdout", text=text))


def shown(mime_type: str, content):
    """An offender: one more displayed output."""
    return add(new_output("display_data", data={mime_type: content}))


def change_cell(index: int, **changes):
    """An offender: one code cell changed."""

    def spoil(lesson: Lesson) -> None:
        lessons.code(lesson.notebook)[index].update(changes)

    return spoil


def change_metadata(entry: str, **changes):
    """An offender: an entry of the notebook's metadata changed, or removed."""

    def spoil(lesson: Lesson) -> None:
        if changes:
            lesson.notebook.metadata.setdefault(entry, {}).update(changes)
        else:
            lesson.notebook.metadata.pop(entry)

    return spoil


def forget_outputs(tag: str):
    """An offender: the first cell of a tag without outputs."""

    def spoil(lesson: Lesson) -> None:
        lessons.tagged(lesson.notebook, tag)[0].outputs = []

    return spoil


def without_id(lesson: Lesson) -> None:
    lesson.notebook.cells[0].pop("id")


def with_repeated_id(lesson: Lesson) -> None:
    lesson.notebook.cells[0].id = lesson.notebook.cells[1].id


def of_an_old_format(lesson: Lesson) -> None:
    lesson.notebook.nbformat_minor = 4


def _path(*parts: str) -> str:
    """Put together here: no file of the repository names such a path (test_architecture.py)."""
    return "/" + "/".join(parts)


OFFENDERS = [
    (no_error_output, add(new_output("error", ename="ValueError", evalue="no", traceback=[]))),
    (no_stderr, add(new_output("stream", name="stderr", text="a warning"))),
    (no_memory_address, printed("<object at 0x7f0011223344>")),
    (no_memory_address, shown("text/html", "<b>0x7f0011223344</b>")),
    (no_machine_path, printed("saved to " + _path("home", "somebody", "file"))),
    (no_machine_path, printed(repr(_path("root", ".cache")))),
    (no_machine_path, printed(f"({_path('tmp', 'x1')})")),
    (no_machine_path, shown("text/plain", "C:" + r"\Users\somebody")),
    (no_machine_path, shown("text/html", "<i>" + _path("Users", "somebody", "course"))),
    (no_widget_state, change_metadata("widgets", state={})),
    (no_widget_state, shown(WIDGET, {"model_id": "1"})),
    (outputs_present, change_cell(0, execution_count=None)),
    (outputs_present, forget_outputs("result")),
    (outputs_present, forget_outputs("check")),
    (under_a_megabyte, shown("image/png", "A" * MOST_BYTES)),
    (not_stale, change_cell(1, source="import medlearn")),
    (not_stale, change_metadata("medlearn")),
    (cell_ids_present_and_unique, without_id),
    (cell_ids_present_and_unique, with_repeated_id),
    (cell_ids_present_and_unique, of_an_old_format),
    (language_is_python, change_metadata("kernelspec", name="my-venv")),
    (language_is_python, change_metadata("language_info")),
    (language_is_python, change_metadata("language_info", version="3.12.1")),
    (some_outputs_are_compared, change_cell(2, source="print(4)")),
    (some_outputs_are_compared, shown("image/png", "A")),
    (pictures_have_alt_texts, shown("image/png", "A")),
    (pictures_have_alt_texts, change_cell(2, metadata={"alt": 'It says "no".' * 9})),
]


def test_a_sound_lesson_passes_and_every_rule_has_an_offender():
    for rule in RULES:
        assert rule(sound()) == [], rule.__name__
    assert {rule for rule, _ in OFFENDERS} == set(RULES)


def test_every_offender_fails():
    passed = []
    for index, (rule, spoil) in enumerate(OFFENDERS):
        lesson = sound()
        spoil(lesson)
        if not rule(lesson):
            passed.append(f"offender {index} of {rule.__name__} passed")
    lessons.expect_none(passed)


def test_tags_of_nbval_count_like_its_comments():
    lesson = sound()
    for cell in _compared(lesson):
        cell.source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n")
        cell.metadata.tags = ["nbval-check-output"]
    assert some_outputs_are_compared(lesson) == []


def test_harmless_text_and_empty_cells_pass():
    lesson = sound()
    lesson.notebook.cells.insert(3, code_cell(""))
    for text in ("24 / 12", "https://example.org/home/page", "notebooks/data", "b/w", "0x1"):
        printed(text)(lesson)
    assert no_machine_path(lesson) == no_memory_address(lesson) == outputs_present(lesson) == []
