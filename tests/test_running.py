"""Lessons played without a browser: on virtual or real data, to their result or their error."""

import io
import json
import re
import signal
import subprocess
import sys

import nbformat
import pytest
from commandline import FOLDER_NAME, notebook, wait_for, write

from tools import commands, lessons, position, running, twins

TWINS = {"smear": "wbc", "brain-mri": "hippocampus"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for lessons, which the commands take for the course's."""
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


# ---- virtual or real -----------------------------------------------------------------------------


def test_twins_lead_from_virtual_to_real_only():
    pairs = twins.twins()
    assert pairs["smear"] == "wbc"
    assert not set(pairs) & set(pairs.values())


def test_real_runs_assign_the_twin_after_the_parameters_cell_alone():
    parameters = 'DATASET = OTHER = "smear"\nREAL = "wbc"\nDOMAIN = "lab-a"\nCOUNT = 5'
    original = notebook("import os", parameters, 'NAME = "smear"', parameters=1)
    before = nbformat.writes(original)
    real, swapped = twins.with_twins(original, TWINS)
    assert nbformat.writes(original) == before
    added = "DATASET = 'wbc'\nOTHER = 'wbc'"
    sources = [cell.source for cell in real.cells]
    assert sources == ["# Title", "import os", parameters, added, 'NAME = "smear"']
    assert swapped == {"smear": "wbc"}
    assert twins.with_twins(notebook("x = 1", parameters=0), TWINS)[1] == {}


def test_a_lesson_may_name_twins_of_its_own():
    names = '{"brain-mri": "wbc", "tumour": "monocyte"}'
    own = f'DATASET = "brain-mri"\nCLASS = "tumour"\nREAL = {names}\nSMALL = {{}}'
    real, swapped = twins.with_twins(notebook(own, parameters=0), TWINS)
    assert real.cells[2].source == "DATASET = 'wbc'\nCLASS = 'monocyte'"
    assert swapped == {"brain-mri": "wbc", "tumour": "monocyte"}


@pytest.mark.slow
def test_a_real_run_computes_on_the_twin_and_says_so(folder):
    book = notebook('DATASET = "smear"', 'print("on", DATASET)', parameters=0, result=1)
    path = write(folder, "02_b.ipynb", book)
    assert "on smear" in "\n".join(running.run([path]))
    text = "\n".join(running.run([path], real=True))
    assert "on wbc" in text and "smear -> wbc" in text


# ---- running -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_run_prints_results_and_points_at_the_failing_cell(folder, capsys):
    noisy = "import sys; print('no', file=sys.stderr)\nprint('dice', x)\nx + 40"
    path = write(folder, "00_a.ipynb", notebook("x = 2", noisy, result=1))
    write(folder, "01_b.ipynb", notebook("x = 1", "", "y = x / 0\nprint(y)", result=2))
    before = path.read_bytes()
    assert commands.main(["run"]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"^00_a   \d+ s(, \d+\.\d GB)?\n    dice 2\n    42$", out, re.MULTILINE)
    assert "    FAILED in cell [2]: y = x / 0\n    ZeroDivisionError: division by zero\n" in out
    assert err == "Failed: 01 of 2 lesson(s).\n"
    assert path.read_bytes() == before, "without --save nothing is written"


@pytest.mark.slow
def test_the_number_of_a_failing_cell_does_not_count_what_a_real_run_adds(folder):
    path = write(folder, "02_b.ipynb", notebook('DATASET = "smear"', "1 / 0", parameters=0))
    lines = []
    with pytest.raises(RuntimeError, match="Failed: 02 of 1"):
        for line in running.run([path], real=True):
            lines.append(line)
    assert "    FAILED in cell [2]: 1 / 0" in lines


def test_the_kernel_is_this_python_whatever_the_machine_offers(folder, tmp_path, monkeypatch):
    registered = tmp_path / "kernels" / "python3"
    registered.mkdir(parents=True)
    kernel = {"argv": ["/nonexistent"], "display_name": "x", "language": "python"}
    (registered / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names = "sys.executable, os.getcwd(), matplotlib.get_backend()"
    book = notebook(f"import os, sys, matplotlib\nprint({names}, sep='\\n')", result=0)
    assert running.execute(book, folder) is None
    python, working_directory, backend = running.result(book).splitlines()
    assert (python, working_directory) == (sys.executable, str(folder)) and "inline" in backend


@pytest.mark.slow
def test_a_dead_kernel_is_a_sentence(folder):
    failure = running.execute(notebook("import os", "os._exit(9)"), folder)
    assert (failure.number, failure.first_line) == (2, "os._exit(9)")
    assert "The kernel died" in failure.error


@pytest.mark.slow
def test_ctrl_c_ends_a_run_quietly(folder):
    waiting = "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)"
    write(folder, "02_b.ipynb", notebook(waiting))
    code = (
        "import pathlib, runpy, sys\nfrom tools import lessons\n"
        f"lessons.FOLDER = pathlib.Path({str(folder)!r})\nsys.argv = ['course.py', 'run']\n"
        "runpy.run_module('tools', run_name='__main__')"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for((folder / "begun").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_shows_the_cell_and_is_left_clean(monkeypatch):
    monkeypatch.setattr(position, "REDRAWN", 0.01)
    stream = Terminal()
    line = position.Position("06", 3, stream)
    line.begin()
    line.begin()
    wait_for(lambda: "06 cell 2/3, 0 s" in stream.getvalue())
    line.close()
    shown = stream.getvalue()
    assert "\n" not in shown and shown.endswith(f"\r{'':{position.WIDTH}}\r")


def test_a_log_gets_whole_lines_twice_a_minute(monkeypatch):
    for seconds, lines in ((30.0, False), (0.01, True)):
        monkeypatch.setattr(position, "WRITTEN", seconds)
        stream = io.StringIO()
        line = position.Position("06", 48, stream)
        line.begin()
        if lines:
            wait_for(lambda stream=stream: "06 cell 1/48, 0 s\n" in stream.getvalue())
        line.close()
        assert bool(stream.getvalue()) == lines and "\r" not in stream.getvalue()


# ---- saving --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_lesson_is_saved_clean_as_jupyter_writes_it_and_only_if_it_ran_through(folder):
    path = write(folder, "02_b.ipynb", notebook("print('é')", "1", result=0))
    assert list(running.run([path], save=True))[1] == "    é"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    saved = nbformat.read(path, 4)
    assert saved.cells[1].outputs[0].text == "é\n" and saved.metadata["medlearn"]["executed"]
    failing = write(folder, "03_c.ipynb", notebook("print(1)", "1 / 0"))
    before = failing.read_bytes()
    with pytest.raises(RuntimeError):
        list(running.run([failing], save=True))
    assert failing.read_bytes() == before
