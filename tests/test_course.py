"""The commands of the course: lessons found, tests run, JupyterLab opened, leftovers removed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from commandline import FOLDER_NAME, notebook, wait_for, write

from medlearn import _files, _unpacked
from medlearn.instruments.mri import _atlas
from tools import cleaning, commands, lab, lessons, linting, remaining, suite


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for lessons, which the commands take for the course's."""
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


# ---- the command line ----------------------------------------------------------------------------


def test_lessons_are_found_by_number_in_order(folder):
    names = ("02_b.ipynb", "00_a.ipynb", "11_c.ipynb", "notes.ipynb")
    paths = [write(folder, name, notebook("1")) for name in names]
    assert lessons.find([]) == [paths[1], paths[0], paths[2]]
    assert lessons.find(["2", "11", "02"]) == [paths[0], paths[2]]


def test_a_mistake_of_the_user_is_one_sentence(folder, capsys):
    assert commands.main(["run", "7"]) == 1
    assert "There are no lessons in" in capsys.readouterr().err
    write(folder, "02_b.ipynb", notebook("1"))
    assert commands.main(["run", "02", "7"]) == 1
    assert capsys.readouterr().err == "There is no lesson 7; there are 02.\n"
    assert commands.main(["run", "02", "--real", "--save"]) == 1
    assert re.fullmatch(r"--real and --save do not go together: .*\n", capsys.readouterr().err)
    for arguments in (["run", "--reel"], ["--no-brwoser"], ["tset"]):
        with pytest.raises(SystemExit) as ended:
            commands.main(arguments)
        assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["tset"], "do you mean test?"),
        (["run", "--reel"], "do you mean --real?"),
        (["--no-brwoser"], "do you mean --no-browser?"),
        (["data", "fetsh", "wbc"], "do you mean fetch?"),
        (["challenge", "new", "--to", "x", "--task", "outlnes"], "do you mean outlines?"),
        (["xyzzy"], "there are open, setup, test"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_was_meant(arguments, meant, capsys):
    with pytest.raises(SystemExit):
        commands.main(arguments)
    assert meant in capsys.readouterr().err


def test_a_lesson_may_be_asked_for_by_words(folder):
    write(folder, "04_fine_tune.ipynb", notebook("1"))
    with pytest.raises(LookupError, match=r"do you mean 04 \(04_fine_tune\)\?"):
        lessons.find(["notebooks/04_fine_tun.ipynb"])


def test_each_command_describes_itself(capsys):
    helped = [[name] for name in commands._COMMANDS]
    helped += [["data", "fetch"], ["data", "mirror"], ["challenge", "new"], ["challenge", "mark"]]
    for words in helped:
        with pytest.raises(SystemExit):
            commands.main([*words, "--help"])
        paragraphs = capsys.readouterr().out.split("\n\n")
        assert paragraphs[1][0].isupper() and paragraphs[1].endswith("."), words


# ---- the tests' command --------------------------------------------------------------------------


def test_a_run_without_tests_has_failed():
    passed, failed, no_test = 0, 1, 5
    assert suite.exit_code([passed, passed], selected=False) == 0
    assert suite.exit_code([passed, no_test], selected=True) == 0
    for codes in ([passed, failed], [passed, no_test]):
        assert suite.exit_code(codes, selected=False) == 1
    for codes in ([no_test, no_test], [no_test, failed], [], [passed, 2]):
        assert suite.exit_code(codes, selected=True) == 1


@pytest.fixture
def pytest_calls(folder, monkeypatch):
    """What pytest is asked to do, without doing it."""
    calls = []

    def call(command, cwd, env):
        assert command[3 : 3 + len(suite.PROGRESS)] == suite.PROGRESS
        two_at_a_time = "-n" in command
        assert ("TF_NUM_INTRAOP_THREADS" in env) == two_at_a_time
        calls.append(command[3 + len(suite.PROGRESS) :])
        return 0

    monkeypatch.setattr(lessons, "ROOT", folder.parent)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(suite.subprocess, "call", call)
    write(folder, "02_b.ipynb", notebook("1"))
    return calls


def test_test_runs_quick_units_and_every_notebook_and_hands_arguments_on(pytest_calls, capsys):
    mine = ["-k", "smear", "--maxfail=1"]
    assert commands.main(["test", *mine]) == 0
    everything = ["tests", "--ignore=tests/browser"]
    units = [*suite.TWO_AT_A_TIME, "-m", "not slow", *everything, *mine]
    notebooks = [*suite.NBVAL, *suite.TWO_AT_A_TIME, f"{FOLDER_NAME}/02_b.ipynb", *mine]
    browser = ["tests/browser", "-rs", "-m", "not slow", *mine]
    assert pytest_calls == [units, notebooks, browser]
    printed = capsys.readouterr().out
    for part in ("unit tests", "notebooks", "browser"):
        assert re.search(rf"^{part} +\d\.\d min +passed$", printed, re.MULTILINE)
    pytest_calls.clear()
    assert commands.main(["test", "--all"]) == 0
    assert pytest_calls[0] == [*suite.TWO_AT_A_TIME, *everything]


def test_test_takes_single_files_with_their_slow_tests(pytest_calls):
    assert commands.main(["test", "tests/test_splits.py::test_x", "-x"]) == 0
    assert commands.main(["test", "notebooks/02_b.ipynb"]) == 0
    one_test = [*suite.TWO_AT_A_TIME, "tests/test_splits.py::test_x", "-x"]
    one_notebook = [*suite.NBVAL, *suite.TWO_AT_A_TIME, "notebooks/02_b.ipynb"]
    assert pytest_calls == [one_test, one_notebook]


def test_the_notebook_that_takes_longest_comes_first(pytest_calls, folder):
    table = folder.parent / "benchmarks" / "results" / "lessons.csv"
    table.parent.mkdir(parents=True)
    table.write_text("lesson,seconds,cpu_seconds\n02_b,9,3\n03_c,8,20\n04_d,10,\n")
    for name in ("03_c", "04_d", "05_new"):
        write(folder, f"{name}.ipynb", notebook("1"))
    assert commands.main(["test"]) == 0
    played = [text for text in pytest_calls[1] if text.endswith(".ipynb")]
    assert [Path(text).stem for text in played] == ["03_c", "04_d", "02_b", "05_new"]


def test_times_go_to_the_notebooks_alone(pytest_calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert commands.main(["test", "--times", "times.csv"]) == 0
    table = str(tmp_path / "times.csv")
    assert [table in arguments for arguments in pytest_calls] == [False, True, False]


def test_a_run_says_at_its_first_result_what_remains(tmp_path):
    for number in range(2):
        (tmp_path / f"test_{number}.py").write_text("def test_a(): pass\ndef test_b(): pass")
    command = [sys.executable, "-m", "pytest", *suite.PROGRESS, "."]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins take seconds to start
    for more in ([], ["-p", "xdist", *suite.TWO_AT_A_TIME]):
        ended = subprocess.run(
            [*command, *more], cwd=tmp_path, env=bare, capture_output=True, text=True
        )
        assert re.search(r"\n  \d\.\d min: 1 of 4 tests", ended.stdout), ended.stdout
    assert remaining.sentence(4, 4, 60) == "  1.0 min: 4 of 4 tests"
    assert remaining.sentence(1, 4, 60) == "  1.0 min: 1 of 4 tests, about 3 min remain"
    assert remaining.sentence(1, 1700, 60) == "  1.0 min: 1 of 1700 tests"


def test_a_run_says_at_which_cell_a_lesson_is():
    written = []
    reporter = SimpleNamespace(write=written.append)
    manager = SimpleNamespace(get_plugin=lambda name: reporter)
    watching = remaining.Remaining(SimpleNamespace(pluginmanager=manager))
    cells = [f"notebooks/06_a.ipynb::ipynb::Cell {number}" for number in range(48)]
    watching.pytest_xdist_node_collection_finished(None, ["tests/test_a.py::test_a", *cells])
    report = SimpleNamespace(when="teardown", nodeid=cells[0], duration=8.0)
    watching.pytest_runtest_logreport(report)
    assert re.fullmatch(r"\n  0\.0 min: 1 of 49 tests; 06 cell 1/48, 8 s\n", written[0])
    watching.said = -1000.0
    for id in cells[1:]:
        watching.pytest_runtest_logreport(SimpleNamespace(when="teardown", nodeid=id, duration=0))
    watching.said = -1000.0
    unit = SimpleNamespace(when="teardown", nodeid="tests/test_a.py::test_a", duration=0)
    watching.pytest_runtest_logreport(unit)
    assert written[-1] == "\n  0.0 min: 49 of 49 tests\n", "a lesson that has ended is not named"


@pytest.mark.slow
def test_nbval_runs_a_notebook_and_fails_with_it(folder):
    path = write(folder, "02_b.ipynb", notebook("1 / 0"))
    command = [sys.executable, "-m", "pytest", *suite.NBVAL, path.name]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 1 and "ZeroDivisionError" in process.stdout


# ---- the linter's command ------------------------------------------------------------------------


def test_lint_fails_with_each_of_its_checks(monkeypatch, capsys):
    codes = {"check": 0, "format": 0, "mypy": 0}

    def call(command, cwd):
        return codes["mypy" if "mypy" in command else command[3]]

    monkeypatch.setattr(linting.importlib.util, "find_spec", lambda name: "installed")
    monkeypatch.setattr(linting.subprocess, "call", call)
    assert commands.main(["lint"]) == commands.main(["lint", "--fix"]) == 0
    for name in codes:
        codes[name] = 1
        assert commands.main(["lint"]) == 1
        codes[name] = 0
    monkeypatch.setattr(linting.importlib.util, "find_spec", lambda name: None)
    assert commands.main(["lint"]) == 1
    assert 'pip install -c constraints.txt -e ".[dev]"' in capsys.readouterr().err


# ---- opening -------------------------------------------------------------------------------------


def test_no_command_means_open(monkeypatch, folder):
    write(folder, "00_a.ipynb", notebook("1"))
    index = folder / "index.ipynb"
    calls = []

    def open_lab(path, port, browser):
        calls.append((path, port, browser))
        return 0

    monkeypatch.setattr(lab, "open_lab", open_lab)
    for arguments in ([], ["--no-browser", "--port", "9000"], ["open"]):
        assert commands.main(arguments) == 0
    assert calls == [(index, None, True), (index, 9000, False), (index, None, True)]


def test_a_taken_port_is_a_sentence_and_without_a_wish_another_is_found():
    with socket.socket() as taken:
        taken.bind((lab.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} is taken"):
            lab.free_port(port)
    assert lab.free_port(port) == port
    for port in (-1, 65536, 99999):
        with pytest.raises(ValueError, match="from 1 to 65535"):
            lab.free_port(port)
    assert 8888 <= lab.free_port() < 8988


def test_only_root_passes_allow_root(monkeypatch):
    path = lessons.ROOT / "README.md"
    for root in (True, False):
        monkeypatch.setattr(lab, "is_root", lambda root=root: root)
        assert ("--allow-root" in lab.command(path, 8888, browser=False)) == root


@pytest.mark.slow
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
        pattern = r"http://127\.0\.0\.1:\d+/lab/tree/README\.md\?token=\w{48}"
        address = re.search(pattern, "".join(lines))[0]
        assert urllib.request.urlopen(address, timeout=30).status == 200
        assert_asks_for_no_news(address)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.split("/lab")[0] + "/api/contents", timeout=30)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=40)
    finally:
        process.kill()
    reader.join(timeout=10)
    assert lines[-1] == "The course is closed.\n" and "Traceback" not in "".join(lines)


def assert_asks_for_no_news(address):
    """Without this setting, JupyterLab begins with a question about its news."""
    settings = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
    with urllib.request.urlopen(address.replace("/lab/tree/README.md", settings)) as answer:
        properties = json.load(answer)["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"


# ---- removing ------------------------------------------------------------------------------------


def test_leftovers_are_removed_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    _files.cache()
    kept = ["course/.venv/lib/__pycache__", "course/notebooks", "cache/features"]
    for name in ("course/a/__pycache__", "course/.pytest_cache", *kept):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "course/.venv/set-up.stamp").touch()
    assert commands.main(["clean"]) == 0
    assert all((tmp_path / name).is_dir() for name in [*kept, "course/a"])
    assert not (tmp_path / "course/a/__pycache__").exists()
    assert not (tmp_path / "course/.pytest_cache").exists()
    assert commands.main(["clean", "--cache", "--venv"]) == 0
    assert not (tmp_path / "cache").exists() and not (tmp_path / "course/.venv").exists()


def test_clean_keeps_what_nobody_can_make_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    cache = _files.cache()
    digest = "0123456789" * 4
    made = [f"decoded/{digest}.decoded", f"features/{digest}-{digest}-patches.npy", _atlas.FILE]
    made += [f"simulated/{digest}.simulated", "weights/dinov2_small.npz"]
    made += ["datasets/.bccd.medlearn-download.01234567.partial", "datasets/bccd.lock"]
    precious = ["progress.json", "patients.salt", "patients of a.salt", "supplied/drive/a.zip"]
    own = ["thesis.docx", "weights/my_model.keras", "datasets/my_scans/1.dcm", "site/index.html"]
    own += ["datasets/bccd/mine.png", "features/mine.npy", "datasets/mine.lock"]
    for folder in (cache / "datasets/bccd", cache / "site/mathjax@3.2.2"):
        folder.parent.mkdir()
        with _unpacked.whole_folder(folder) as draft:
            (draft / "es5").mkdir(parents=True)
            (draft / "es5" / "a.js").touch()
    made.append(f"datasets/.bccd.medlearn-{digest[:8]}-1-{digest[:8]}.partial/half")
    for name in [*made, *precious, *own]:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text(name if name != "datasets/bccd.lock" else "")
    assert commands.main(["clean", "--cache"]) == 0
    printed = capsys.readouterr().out
    assert all(kept in printed for kept in ("thesis.docx", "datasets/bccd", "site/index.html"))
    assert "What an older medlearn put into datasets" in printed
    left = [path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()]
    assert sorted(left) == sorted([*precious, *own, _files.MARK])
    assert not (cache / "simulated").exists()


@pytest.mark.parametrize("name", ["thesis.docx", "datasets/mine.csv", ".git/HEAD"])
def test_clean_removes_nothing_from_a_folder_that_was_there_before(tmp_path, monkeypatch, name):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "mine"))
    (tmp_path / "mine" / name).parent.mkdir(parents=True)
    (tmp_path / "mine" / name).write_text("years of work")
    (_files.cache() / "features").mkdir()
    with pytest.raises(ValueError, match="held other things before"):
        cleaning.clean(cache=True)
    assert (tmp_path / "mine" / name).read_text() == "years of work"
    (tmp_path / "course/.venv").mkdir(parents=True)
    with pytest.raises(ValueError, match="was not made by this course"):
        cleaning.clean(venv=True)
    assert (tmp_path / "course/.venv").is_dir()


def test_a_cache_folder_that_holds_the_course_is_not_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "ROOT", tmp_path / "course")
    (tmp_path / "course").mkdir()
    for folder in (tmp_path, tmp_path / "course"):
        monkeypatch.setenv("MEDLEARN_CACHE", str(folder))
        with pytest.raises(ValueError, match="holds more than a cache"):
            cleaning.clean(cache=True)
    assert (tmp_path / "course").is_dir()
