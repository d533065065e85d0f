"""The commands of the course: notebooks found, run, swapped, cleaned; JupyterLab opened; the doctor's report."""

import base64
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from medlearn.teaching import doctor
from tools import cleaning, commands, lab, lessons, running, suite

BIG_RED_BOX = "a warning"


def notebook(*sources, **tags):
    """A notebook of a title and these code cells; `tags` maps a tag to the number of the cell, from 0, that carries it."""
    cells = [new_code_cell(source) for source in sources]
    for tag, number in tags.items():
        cells[number].metadata["tags"] = [tag]
    return new_notebook(cells=[new_markdown_cell("# Title"), *cells])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for lessons in a path as users have them, which the commands take for the course's."""
    folder = tmp_path / "un chemin é à"
    folder.mkdir()
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


def write(folder, name, book):
    path = folder / name
    nbformat.write(book, path)
    return path


# ---- finding ---------------------------------------------------------------------------------------------------------


def test_lessons_are_found_by_number_in_order(folder):
    paths = [
        write(folder, name, notebook("1"))
        for name in ("02_b.ipynb", "00_a.ipynb", "11_c.ipynb", "notes.ipynb")
    ]
    assert lessons.find([]) == [paths[1], paths[0], paths[2]]
    assert lessons.find(["2", "11", "02"]) == [paths[0], paths[2]]


def test_a_number_without_a_lesson_is_one_sentence_with_those_that_exist(folder, capsys):
    assert commands.main(["run", "7"]) == 1
    assert "There are no lessons in" in capsys.readouterr().err
    write(folder, "02_b.ipynb", notebook("1"))
    assert commands.main(["run", "02", "7"]) == 1
    assert capsys.readouterr().err == "There is no lesson 7; there are 02.\n"


# ---- virtual or real -------------------------------------------------------------------------------------------------


def test_twins_lead_from_virtual_to_real_only():
    twins = lessons.twins()
    assert twins["smear"] == "wbc"
    assert not set(twins) & set(twins.values())


def test_real_runs_assign_the_twin_after_the_parameters_cell():
    original = notebook(
        "import os",
        'DATASET = OTHER = "smear"\nREAL = "wbc"\nDOMAIN = "lab-a"\nCOUNT = 5',
        "print(DATASET)",
        parameters=1,
    )
    before = nbformat.writes(original)
    book, swapped = lessons.with_twins(original, {"smear": "wbc", "brain-mri": "hippocampus"})
    assert nbformat.writes(original) == before
    assert [cell.source for cell in book.cells] == [
        "# Title",
        "import os",
        original.cells[2].source,
        "DATASET = 'wbc'\nOTHER = 'wbc'",
        "print(DATASET)",
    ]
    assert swapped == {"smear": "wbc"}


def test_only_the_tagged_cell_is_swapped():
    original = notebook('DATASET = "smear"', 'NAME = "smear"', parameters=1)
    book, _ = lessons.with_twins(original, {"smear": "wbc"})
    assert book.cells[3].source == "NAME = 'wbc'" and len(book.cells) == 4
    assert lessons.with_twins(notebook("x = 1", parameters=0), {"smear": "wbc"})[1] == {}


def test_a_lesson_may_name_twins_of_its_own():
    own = 'DATASET = "brain-mri"\nCLASS = "tumour"\nREAL = {"brain-mri": "wbc", "tumour": "monocyte"}\nSMALL = {}'
    book, swapped = lessons.with_twins(
        notebook(own, parameters=0), {"smear": "wbc", "brain-mri": "hippocampus"}
    )
    assert book.cells[2].source == "DATASET = 'wbc'\nCLASS = 'monocyte'"
    assert swapped == {"brain-mri": "wbc", "tumour": "monocyte"}


def test_a_real_run_computes_on_the_twin_and_says_so(folder):
    path = write(
        folder,
        "02_b.ipynb",
        notebook('DATASET = "smear"', 'print("on", DATASET)', parameters=0, result=1),
    )
    assert "on smear" in "\n".join(running.run([path]))
    text = "\n".join(running.run([path], real=True))
    assert "on wbc" in text and "smear -> wbc" in text


def test_real_pictures_are_not_saved(folder, capsys):
    write(folder, "02_b.ipynb", notebook("1"))
    assert commands.main(["run", "02", "--real", "--save"]) == 1
    assert re.fullmatch(r"--real and --save do not go together: .*\n", capsys.readouterr().err)


# ---- running ---------------------------------------------------------------------------------------------------------


def test_run_prints_results_and_points_at_the_failing_cell(folder, capsys):
    write(
        folder,
        "00_a.ipynb",
        notebook(
            "x = 2", "import sys; print('no', file=sys.stderr)\nprint('dice', x)\nx + 40", result=1
        ),
    )
    write(folder, "01_b.ipynb", notebook("x = 1", "", "y = x / 0\nprint(y)", result=2))
    assert commands.main(["run"]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"^00_a   \d+ s(, \d+\.\d GB)?\n    dice 2\n    42$", out, re.MULTILINE)
    assert "    FAILED in cell [2]: y = x / 0\n    ZeroDivisionError: division by zero\n" in out
    assert err == "Failed: 01 of 2 lesson(s).\n"
    assert commands.main(["run", "0"]) == 0
    assert (
        nbformat.read(folder / "00_a.ipynb", 4).cells[1].execution_count is None
    )  # without --save nothing is written


def test_the_number_of_a_failing_cell_does_not_count_what_a_real_run_adds(folder):
    path = write(folder, "02_b.ipynb", notebook('DATASET = "smear"', "1 / 0", parameters=0))
    with pytest.raises(RuntimeError, match="Failed: 02 of 1"):
        for line in running.run([path], real=True):
            last = line
    assert "cell [2]: 1 / 0" in last


def test_the_kernel_is_this_python_in_the_notebooks_folder_whatever_the_machine_offers(
    folder, tmp_path, monkeypatch
):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        json.dumps({"argv": ["/nonexistent"], "display_name": "x", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    book = notebook(
        "import os, sys, matplotlib\nprint(sys.executable, os.getcwd(), matplotlib.get_backend(), sep='\\n')",
        result=0,
    )
    assert running.execute(book, folder) is None
    python, where, backend = running.result(book).splitlines()
    assert (python, where) == (sys.executable, str(folder)) and "inline" in backend


def test_a_dead_kernel_is_a_sentence(folder):
    failure = running.execute(notebook("import os", "os._exit(9)"), folder)
    assert (failure.number, failure.first_line) == (2, "os._exit(9)")
    assert "The kernel died" in failure.error


def test_ctrl_c_ends_a_run_quietly(folder):
    path = write(
        folder,
        "02_b.ipynb",
        notebook("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)"),
    )
    code = f"import pathlib; from tools import lessons; lessons.FOLDER = pathlib.Path({str(path.parent)!r})\n"
    code += "import runpy, sys; sys.argv = ['course.py', 'run']; runpy.run_module('tools', run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: (folder / "begun").exists())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == ("", "")


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


# ---- cleaning and saving ---------------------------------------------------------------------------------------------


def png(pixels):
    memory = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(memory, "PNG")
    return base64.b64encode(memory.getvalue()).decode()


def dirty():
    widget = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "text/plain": "IntSlider()",
    }
    book = notebook("import a", "b", "", "c", parameters=0)
    book.cells[1].execution_count = 7
    book.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    book.cells[2].outputs = [
        new_output("stream", name="stdout", text="10%\r100%\nkept "),
        new_output("stream", name="stderr", text=BIG_RED_BOX),
        new_output("stream", name="stdout", text=f"{lessons.ROOT}/notebooks\n"),
        new_output("display_data", data=widget),
        new_output(
            "display_data",
            data={
                "image/png": png(np.zeros((2, 2, 3))),
                "text/plain": "<Figure size 640x320 with 1 Axes>",
            },
        ),
    ]
    book.cells[4].outputs = [
        new_output(
            "execute_result",
            data={"text/plain": "<Thing at 0x7f00deadbeef>", "text/html": f"<b>{sys.prefix}/x</b>"},
            execution_count=9,
        )
    ]
    book.metadata.update(
        widgets={"application/vnd.jupyter.widget-state+json": {}},
        language_info={"name": "python", "version": "3.11.7"},
        kernelspec={"name": "other", "display_name": "Mine"},
    )
    return book


def test_cleaning_keeps_pictures_and_text_and_nothing_of_this_machine():
    book = dirty()
    before = nbformat.writes(book)
    cleaned = lessons.clean(book)
    assert nbformat.writes(book) == before, "the argument was edited"
    text = nbformat.writes(cleaned)
    for gone in (
        BIG_RED_BOX,
        "stderr",
        "widget",
        "0x7f",
        str(lessons.ROOT),
        sys.prefix,
        "3.11.7",
        "iopub",
        "Mine",
        "10%",
    ):
        assert gone not in text, gone
    stream, picture = cleaned.cells[2].outputs
    assert stream.text == "100%\nkept COURSE/notebooks\n"
    assert picture.data == book.cells[2].outputs[4].data
    assert cleaned.cells[4].outputs[0].data["text/plain"] == "<Thing>"
    counts = [cell.get("execution_count") for cell in cleaned.cells]
    assert counts == [None, 1, 2, None, 3] and cleaned.cells[4].outputs[0].execution_count == 3
    assert [cell.id for cell in cleaned.cells] == [cell.id for cell in book.cells]
    assert cleaned.cells[1].metadata == {"tags": ["parameters"]}
    assert lessons.clean(cleaned) == cleaned
    nbformat.validate(cleaned)


def test_cleaning_makes_photographs_lighter_and_leaves_them_alike():
    shades = np.linspace(40, 200, 256)[None, :, None] * np.array([1, 0.8, 0.9])
    photograph = shades + np.random.default_rng(0).normal(0, 8, (256, 256, 3))
    book = notebook("a")
    book.cells[-1].outputs = [new_output("display_data", data={"image/png": png(photograph)})]
    cleaned = lessons.clean(book).cells[-1].outputs[0].data["image/png"]
    assert len(cleaned) < 0.75 * len(png(photograph))
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(cleaned))).convert("RGB"), float)
    assert np.abs(after - photograph).mean() < 8


def test_the_patches_of_a_legend_keep_their_colours_beside_photographs():
    shades = np.linspace(40, 200, 256)[None, :, None] * np.array([1, 0.8, 0.9])
    photograph = shades + np.random.default_rng(0).normal(0, 8, (256, 256, 3))
    legend = {0: (0, 158, 115), 20: (86, 180, 233), 40: (213, 94, 0)}
    for column, colour in legend.items():
        photograph[:6, column : column + 12] = colour
    book = notebook("a")
    book.cells[-1].outputs = [new_output("display_data", data={"image/png": png(photograph)})]
    cleaned = lessons.clean(book).cells[-1].outputs[0].data["image/png"]
    assert len(cleaned) < 0.75 * len(png(photograph))
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(cleaned))).convert("RGB"))
    for column, colour in legend.items():
        assert (after[:6, column : column + 12] == colour).all()


def test_the_digest_tells_stale_outputs():
    cleaned = lessons.clean(notebook("a", "b"))
    assert cleaned.metadata["medlearn"]["executed"] == lessons.source_digest(cleaned)
    cleaned.cells[0].source = "# Another title"
    assert cleaned.metadata["medlearn"]["executed"] == lessons.source_digest(cleaned)
    for changed in (
        notebook("a", "b2"),
        notebook("a\nb"),
        notebook("ab", ""),
        notebook("b", "a"),
        notebook("a", "b", ""),
    ):
        assert lessons.source_digest(changed) != lessons.source_digest(cleaned)


def test_saving_replaces_the_file_at_once_and_as_jupyter_writes_it(folder, monkeypatch):
    path = write(folder, "02_b.ipynb", notebook("print('é')", "1", result=0))
    assert list(running.run([path], save=True))[1] == "    é"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    saved = nbformat.read(path, 4)
    assert saved.cells[1].outputs[0].text == "é\n" and saved.metadata["medlearn"]["executed"]
    saved.cells[0].source = "# New"

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        lessons.save(saved, path)
    assert path.read_text(encoding="utf-8") == text


def test_a_lesson_that_failed_is_not_saved(folder):
    path = write(folder, "02_b.ipynb", notebook("print(1)", "1 / 0"))
    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        list(running.run([path], save=True))
    assert path.read_bytes() == before


def test_leftovers_are_removed_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    for name in (
        "course/a/__pycache__",
        "course/.pytest_cache",
        "course/.venv/lib/__pycache__",
        "course/notebooks",
        "cache/x",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "course/.venv/set-up.stamp").touch()
    assert commands.main(["clean"]) == 0
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_dir()}
    assert left == {
        "course",
        "course/a",
        "course/.venv",
        "course/.venv/lib",
        "course/.venv/lib/__pycache__",
        "course/notebooks",
        "cache",
        "cache/x",
    }
    assert commands.main(["clean", "--cache", "--venv"]) == 0
    assert not (tmp_path / "cache").exists() and not (tmp_path / "course/.venv").exists()


def test_a_cache_folder_that_holds_the_course_is_not_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    (tmp_path / "course").mkdir()
    for folder in (tmp_path, tmp_path / "course"):
        monkeypatch.setenv("MEDLEARN_CACHE", str(folder))
        with pytest.raises(ValueError, match="holds more than a cache"):
            cleaning.clean(cache=True)
    assert (tmp_path / "course").is_dir()


# ---- the tests' command ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codes, selected, expected",
    [
        ([0, 0], False, 0),
        ([0, 1], False, 1),
        ([0, 5], False, 1),
        ([0, 5], True, 0),
        ([5, 5], True, 1),
        ([5, 1], True, 1),
        ([], True, 1),
        ([0, 2], True, 1),
    ],
)
def test_a_run_without_tests_has_failed(codes, selected, expected):
    assert suite.exit_code(codes, selected) == expected


@pytest.fixture
def asked(folder, monkeypatch):
    """What pytest is asked to do, without doing it."""
    calls = []
    monkeypatch.setattr(lessons, "ROOT", folder.parent)
    monkeypatch.setattr(
        suite.subprocess, "call", lambda command, cwd: calls.append(command[3:]) or 0
    )
    write(folder, "02_b.ipynb", notebook("1"))
    return calls


def test_test_runs_units_and_every_notebook_and_hands_arguments_on(asked, capsys):
    assert commands.main(["test", "-k", "smear", "--maxfail=1"]) == 0
    units, books, browser = asked
    assert units == [
        *suite.TWO_AT_A_TIME,
        "tests",
        "--ignore=tests/browser",
        "-k",
        "smear",
        "--maxfail=1",
    ]
    assert books == [
        *suite.NBVAL,
        *suite.TWO_AT_A_TIME,
        "un chemin é à/02_b.ipynb",
        "-k",
        "smear",
        "--maxfail=1",
    ]
    assert browser == ["tests/browser", "-rs", "-k", "smear", "--maxfail=1"]
    assert re.search(
        r"unit tests +\d\.\d min +passed\nnotebooks +\d\.\d min +passed\nbrowser +\d\.\d min +passed\n",
        capsys.readouterr().out,
    )


def test_test_takes_single_files(asked):
    assert commands.main(["test", "tests/test_splits.py::test_x", "-x"]) == 0
    assert commands.main(["test", "notebooks/02_b.ipynb"]) == 0
    one_test = [*suite.TWO_AT_A_TIME, "tests/test_splits.py::test_x", "-x"]
    assert asked == [one_test, [*suite.NBVAL, *suite.TWO_AT_A_TIME, "notebooks/02_b.ipynb"]]


def test_nbval_runs_a_notebook_and_fails_with_it(folder):
    path = write(folder, "02_b.ipynb", notebook("1 / 0"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *suite.NBVAL, path.name],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1 and "ZeroDivisionError" in ended.stdout


# ---- opening ---------------------------------------------------------------------------------------------------------


def test_no_command_means_open(monkeypatch, folder):
    first = write(folder, "00_a.ipynb", notebook("1"))
    write(folder, "01_b.ipynb", notebook("1"))
    calls = []
    monkeypatch.setattr(
        lab, "open_lab", lambda *args, **options: calls.append((*args, options)) or 0
    )
    for arguments in ([], ["--no-browser", "--port", "9000"], ["open"]):
        assert commands.main(arguments) == 0
    assert calls == [
        (first, None, {"browser": True}),
        (first, 9000, {"browser": False}),
        (first, None, {"browser": True}),
    ]


def test_a_mistyped_option_is_refused(capsys):
    for arguments in (["run", "--reel"], ["--no-brwoser"], ["tset"]):
        with pytest.raises(SystemExit) as ended:
            commands.main(arguments)
        assert ended.value.code == 2


def test_a_taken_port_is_a_sentence_and_without_a_wish_another_is_found():
    with socket.socket() as taken:
        taken.bind((lab.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} is taken"):
            lab.free_port(port)
    assert lab.free_port(port) == port
    assert 8888 <= lab.free_port(None) < 8988


def test_only_root_passes_allow_root(monkeypatch):
    path = lessons.ROOT / "README.md"
    for root in (True, False):
        monkeypatch.setattr(lab, "is_root", lambda root=root: root)
        assert ("--allow-root" in lab.command(path, 8888, browser=False)) == root


def test_jupyterlab_opens_behind_its_token_and_ends_at_ctrl_c():
    code = "from tools import lab, lessons; lab.open_lab(lessons.ROOT / 'README.md', browser=False)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    try:
        wait_for(lambda: any("Stop it" in line for line in lines))
        address = re.search(
            r"http://127\.0\.0\.1:\d+/lab/tree/README\.md\?token=\w{48}", "".join(lines)
        )[0]
        assert urllib.request.urlopen(address, timeout=30).status == 200
        news = address.replace(
            "/lab/tree/README.md", "/lab/api/settings/@jupyterlab/apputils-extension:notification"
        )
        settings = json.load(urllib.request.urlopen(news, timeout=30))["schema"]["properties"]
        assert (
            settings["fetchNews"]["default"] == "false"
        )  # else JupyterLab begins with a question about its news
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.split("/lab")[0] + "/api/contents", timeout=30)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=40)
    finally:
        process.kill()
    reader.join(timeout=10)
    assert lines[-1] == "The course is closed.\n" and "Traceback" not in "".join(lines)


# ---- the doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_the_course_fit_here(folder, monkeypatch, capsys):
    write(folder, "00_a.ipynb", notebook("1"))
    monkeypatch.setattr(doctor, "answers", lambda host: False)
    assert doctor.report() == 0
    out = capsys.readouterr().out
    for name in (
        "Python",
        "TensorFlow",
        "GPU",
        "Jupyter",
        "lessons",
        "weights",
        "cache",
        "data",
        "network",
    ):
        assert re.search(rf"^(ok|note) +{name} ", out, re.MULTILINE), name
    assert "no answer from" in out and out.endswith("The course can run.\n")


def test_what_keeps_the_course_from_running_is_a_problem(monkeypatch, folder, capsys):
    monkeypatch.setattr(doctor, "NOTEBOOKS", folder / "none")
    monkeypatch.setattr(doctor, "version", lambda name: "1" if "tensorflow" in name else None)
    assert "overwrite each other" in doctor.tensorflow().text
    assert doctor.jupyter().state == doctor.PROBLEM and "jupyterlab" in doctor.jupyter().text
    assert doctor.examine(doctor.lessons_here).state == doctor.PROBLEM
    monkeypatch.setattr(doctor, "CHECKS", {"lessons": doctor.lessons_here})
    assert doctor.report() == 1
    assert "PROBLEM" in capsys.readouterr().out


def test_the_doctor_knows_where_data_would_come_from(tmp_path, monkeypatch):
    from medlearn.datasets import _catalogue
    from medlearn.datasets._store import sources

    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MEDLEARN_MIRROR", raising=False)
    assert "downloaded" in doctor.where("wbc")
    assert "supply" in doctor.where("drive")
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path))
    assert "downloaded" in doctor.where("wbc")
    archive = tmp_path / sources.path_in_mirror(_catalogue.card("wbc").origin)
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert doctor.where("wbc") == "at the mirror"
    (tmp_path / "cache" / "datasets" / "wbc").mkdir(parents=True)
    assert doctor.where("wbc") == "in the cache"


def test_the_doctor_tells_sets_of_one_origin_apart(tmp_path, monkeypatch):
    from medlearn.datasets import _catalogue, _real
    from medlearn.datasets._store import sources

    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path))
    archive = tmp_path / sources.path_in_mirror(_real.origins(_catalogue.card("breast"))[0])
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert doctor.where("breast") == "at the mirror" and "downloaded" in doctor.where("blood")
    _real.folders(_catalogue.card("blood"))[0].mkdir(parents=True)
    assert doctor.where("blood") == "in the cache"
