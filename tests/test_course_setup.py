"""course.py as its users start it: from another folder, in a path with spaces and accents.

The project beside it is a stand-in whose package builds without the network, so that the
environments are real and quick.
"""

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "medlearn"
version = "0.1.0"
[project.optional-dependencies]
cpu = []
lab = []
test = []
docs = []
"""
BACKEND = """
import os, zipfile
INFO = "medlearn-0.1.0.dist-info"
METADATA = "Metadata-Version: 2.1\\nName: medlearn\\nVersion: 0.1.0\\n"
EXTRAS = "".join(f"Provides-Extra: {extra}\\n" for extra in ("cpu", "lab", "test", "docs"))
WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
def build_editable(folder, *_):
    name = "medlearn-0.1.0-py3-none-any.whl"
    depends = os.environ.get("STAND_IN_DEPENDS", "")
    needs = f"Requires-Dist: {depends}\\n" if depends else ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("medlearn.pth", os.getcwd())
        wheel.writestr(f"{INFO}/METADATA", METADATA + EXTRAS + needs)
        wheel.writestr(f"{INFO}/WHEEL", WHEEL)
        wheel.writestr(f"{INFO}/RECORD", "")
    return name
build_wheel = build_editable
"""
WEIGHTS = """
import os, sys
sys.exit(os.environ.get("STAND_IN_WEIGHTS"))
"""
CLOSED = "http://127.0.0.1:9/"  # nothing listens on the discard port
NOWHERE = {"STAND_IN_DEPENDS": "nothing-of-that-name"}  # a library that no index here has


def stand_in(folder):
    """A copy of course.py beside a project that is as small as can be."""
    for name in ("medlearn", "tools"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()
    shutil.copy(ROOT / "course.py", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "constraints.txt").write_text("")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "medlearn" / "_keras.py").write_text("tf = None\n")
    (folder / "tools" / "weights.py").write_text(WEIGHTS)
    (folder / "tools" / "__main__.py").write_text(
        "import os, sys; print('COURSE', sys.argv[1:], os.getcwd())\n"
    )
    return folder


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def first_start(tmp_path_factory, outside):
    """A stand-in, and what setting it up printed."""
    folder = stand_in(tmp_path_factory.mktemp("home") / "un chemin é à")
    return folder, start(folder, outside, "setup")


@pytest.fixture
def ready(first_start):
    """The stand-in, set up; what a test does to it is undone."""
    folder, _ = first_start
    kept = {
        name: (folder / name).read_bytes()
        for name in ("constraints.txt", ".venv/set-up.stamp", ".venv/setup.log")
    }
    yield folder
    for name, content in kept.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)


def environment(**changes):
    quiet = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": CLOSED,
        "PIP_RETRIES": "1",
        "PIP_FIND_LINKS": "",
    }
    return {**os.environ, **quiet, **changes}


def start(folder, cwd, *arguments, python=(sys.executable,), **changes):
    return subprocess.run(
        [*python, str(folder / "course.py"), *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_mistyped_command_sets_nothing_up(tmp_path):
    folder = stand_in(tmp_path / "course")
    assert "do you mean test?" in sentence(start(folder, tmp_path, "tset"))
    assert "there are open, test, run" in sentence(start(folder, tmp_path, "xyzzy"))
    assert not (folder / ".venv").exists()


def sentence(ended):
    """The one sentence that a start which failed left on stderr."""
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (line,) = ended.stderr.strip().splitlines()
    return line


def course_script():
    """course.py as a module."""
    spec = importlib.util.spec_from_file_location("course_script", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- what goes well ------------------------------------------------------------------------------


def test_the_first_start_sets_up_a_line_per_step_and_hands_over(first_start, outside):
    folder, ended = first_start
    assert ended.returncode == 0, ended.stdout + ended.stderr
    first, *steps, last, course = ended.stdout.splitlines()
    assert str(folder / ".venv") in first and "needs no network" in last
    assert [step.split()[0] for step in steps] == ["Making", "Installing", "Starting", "Fetching"]
    assert course == f"COURSE ['setup'] {outside}"
    assert "Successfully installed medlearn" in (folder / ".venv" / "setup.log").read_text(
        encoding="utf-8"
    )


def test_without_the_weights_of_one_network_the_course_goes_on(ready, outside):
    ended = start(ready, outside, "setup", STAND_IN_WEIGHTS="ERROR: no network")
    assert ended.returncode == 0 and "only dinov2_small needs them: the course goes" in ended.stdout
    assert ended.stdout.splitlines()[-1] == f"COURSE ['setup'] {outside}"
    assert "no network" in (ready / ".venv" / "setup.log").read_text(encoding="utf-8")
    again = start(ready, outside, "setup")
    assert "could not be fetched" not in again.stdout


def test_a_second_start_only_hands_over(ready, outside):
    ended = start(ready, outside, "run", "02", "--real")
    assert (ended.stdout, ended.stderr) == (f"COURSE ['run', '02', '--real'] {outside}\n", "")


def test_any_python_can_start_what_is_set_up(ready, outside):
    ended = start(
        ready, outside, python=pretending("sys.version_info = (3, 8, 0, 'final', 0)"), PATH=""
    )
    assert ended.stdout == f"COURSE [] {outside}\n"


def test_other_dependencies_bring_the_environment_up_to_date(ready, outside):
    before = (ready / ".venv" / "pyvenv.cfg").stat()
    (ready / "constraints.txt").write_text("numpy==1.0\n")
    updated, again = start(ready, outside), start(ready, outside)
    assert "asks for other libraries" in updated.stdout and "COURSE" in updated.stdout
    assert again.stdout == f"COURSE [] {outside}\n"
    assert (ready / ".venv" / "pyvenv.cfg").stat().st_mtime == before.st_mtime, "made anew"


def test_without_network_an_update_waits_and_the_course_goes_on(ready, outside):
    stamp = (ready / ".venv" / "set-up.stamp").read_text(encoding="utf-8")
    (ready / "constraints.txt").write_text("numpy==1.1\n")
    ended = start(ready, outside, **NOWHERE)
    assert "No network, so the libraries stay as they were" in ended.stdout
    assert ended.stdout.splitlines()[-1] == f"COURSE [] {outside}"
    assert (ready / ".venv" / "set-up.stamp").read_text(encoding="utf-8") == stamp


@pytest.mark.slow
def test_a_moved_folder_is_set_up_anew(ready, outside):
    moved = ready.with_name("ailleurs")
    shutil.copytree(ready, moved, symlinks=True)
    ended = start(moved, outside)
    assert "Setting up the course" in ended.stdout and "COURSE" in ended.stdout
    assert str(moved) in next((moved / ".venv").rglob("medlearn.pth")).read_text(encoding="utf-8")


def test_help_needs_no_set_up(tmp_path, outside):
    ended = start(stand_in(tmp_path / "new"), outside, "--help")
    assert ended.returncode == 0 and "python3 course.py test" in ended.stdout
    assert not (tmp_path / "new" / ".venv").exists()


# ---- which Python --------------------------------------------------------------------------------


def pretending(statement):
    """A Python in which the statement has been run before course.py starts."""
    run = "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    code = f"import sys, runpy; {statement}; {run}"
    return sys.executable, "-c", code


def executable(path, text):
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_an_unfit_python_finds_a_fit_one_on_path(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    executable(tmp_path / "python3.13", "exit 127")  # a shim that starts nothing
    executable(tmp_path / "python3.12", "echo 3 10")  # not what its name says
    executable(
        tmp_path / "python3.11", 'if [ "$1" = -c ]; then echo 3 11; else echo "FOUND $0 $@"; fi'
    )
    for old in ("(3, 8, 0, 'final', 0)", "(3, 14, 0, 'final', 0)"):
        ended = start(
            folder,
            outside,
            "run",
            "02",
            python=pretending(f"sys.version_info = {old}"),
            PATH=str(tmp_path),
        )
        assert ended.stdout == f"FOUND {tmp_path}/python3.11 {folder}/course.py run 02\n"


def test_no_fit_python_is_a_sentence(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    ended = start(
        folder,
        outside,
        python=pretending("sys.version_info = (3, 9, 2, 'final', 0)"),
        PATH=str(tmp_path),
    )
    assert sentence(ended).startswith(
        f"The course needs Python 3.11, 3.12 or 3.13; this is Python 3.9 ({sys.executable})"
    )
    assert not (folder / ".venv").exists()


def test_the_script_is_written_in_the_syntax_of_old_pythons():
    import ast

    ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 6))


# ---- what goes wrong -----------------------------------------------------------------------------


def test_a_python_without_venv_is_a_sentence(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    for module in ("venv", "ensurepip"):
        python = pretending(f"sys.modules['{module}'] = None")
        assert f"sudo apt install {package}" in sentence(start(folder, outside, python=python))
        assert not (folder / ".venv").exists()


@pytest.mark.slow
def test_no_network_at_the_first_start_is_a_sentence_and_leaves_nothing_to_trust(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    line = sentence(start(folder, outside, **NOWHERE))
    assert line.startswith("No network: ") and str(folder / ".venv" / "setup.log") in line
    (folder / ".venv" / "half-made").touch()
    ended = start(folder, outside)
    assert "Setting up the course" in ended.stdout and "COURSE" in ended.stdout
    assert not (folder / ".venv" / "half-made").exists()


def test_a_failed_pip_says_why_and_where_its_log_is(ready, outside):
    (ready / "constraints.txt").write_text("not a constraint at all\n")
    line = sentence(start(ready, outside))
    assert line.startswith("Setting up failed: ERROR: Invalid requirement") and "setup.log" in line
    assert not (ready / ".venv" / "set-up.stamp").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_a_sentence(ready, outside):
    log = ready / ".venv" / "setup.log"
    log.unlink()
    log.symlink_to("/dev/full")
    (ready / "constraints.txt").write_text("numpy==1.2\n")
    line = sentence(start(ready, outside))
    assert line.startswith("The disk is full: the course needs about 3 GB in ")
    assert not (ready / ".venv" / "set-up.stamp").exists()


def test_an_environment_of_the_user_is_left_alone(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "pyvenv.cfg").touch()
    assert "was not made by this command" in sentence(start(folder, outside))
    assert (folder / ".venv" / "pyvenv.cfg").exists()


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    folder.chmod(0o555)
    line = sentence(start(folder, outside))
    folder.chmod(0o755)
    assert line.startswith("The course cannot be set up here: ") and "Permission denied" in line


def test_what_pip_prints_is_understood():
    lines = {
        "ERROR: Could not install packages due to an OSError: No space left on device": "The disk",
        "OSError: [WinError 112] There is not enough space on the disk": "The disk is full",
        "WARNING: connection broken by 'NewConnectionError('<...>: Failed": "No network",
        "WARNING: ... [Errno -3] Temporary failure in name resolution": "No network",
        "socket.gaierror: [Errno 11001] getaddrinfo failed": "No network",
        "ERROR: No matching distribution found for tensorflow>=2.19": "TensorFlow has no build",
        "ERROR: No such option": "Setting up failed: ERROR: No such option.",
    }
    for line, expected in lines.items():
        printed = ["Collecting numpy", line, "a last line of no interest"]
        assert course_script().explain(printed).startswith(expected)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C in another way")
def test_ctrl_c_is_quiet_and_leaves_nothing_to_trust(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    with socket.socket() as silent:  # an index that takes the call and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = subprocess.Popen(
            [sys.executable, str(folder / "course.py")],
            cwd=outside,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment(PIP_INDEX_URL=index, **NOWHERE),
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 1
    assert (
        err == "\nStopped. Run the same command again to go on; nothing half-made will be used.\n"
    )
    assert "Installing" in out and not (folder / ".venv" / "set-up.stamp").exists()


def begun(folder, outside, **changes):
    return subprocess.Popen(
        [sys.executable, str(folder / "course.py"), "setup"],
        cwd=outside,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_of_two_set_ups_at_once_one_waits_and_says_for_whom(tmp_path, outside):
    folder = stand_in(tmp_path / "new é")
    first = begun(folder, outside)
    for line in first.stdout:
        if "Making an environment" in line:
            break
    second = begun(folder, outside)
    printed = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], printed
    assert f"Process {first.pid} is setting up the course here" in printed[1]
    assert "Making an environment" not in printed[1] and "COURSE" in printed[1]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a thing of POSIX systems")
def test_after_a_kill_at_any_moment_the_next_start_goes_on(tmp_path, outside):
    folder = stand_in(tmp_path / "new é")
    kills = int(os.environ.get("MEDLEARN_KILLS", "4"))
    random = np.random.default_rng(kills)
    for seconds in random.uniform(0.05, 5, kills):
        process = begun(folder, outside)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()  # what it started may live on for a while
            process.wait()
        process.stdout.close()
        (folder / ".venv/set-up.stamp").unlink(missing_ok=True)
    ended = start(folder, outside, "setup")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "COURSE" in ended.stdout and not list(folder.glob(".venv-replaced-*"))


def test_libraries_for_another_python_do_not_hide_those_of_the_course(ready, outside, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong library')")
    ended = start(ready, outside, PYTHONPATH=str(tmp_path))
    assert ended.returncode == 0 and "COURSE" in ended.stdout


# ---- a folder of wheels --------------------------------------------------------------------------


def a_library(folder):
    """A folder that serves one library, as an index would while there is a network."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "a_library-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a_library.py", "")
        info = "a_library-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: a-library\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.mark.slow
def test_a_stick_is_filled_once_and_then_serves_machines_without_a_network(tmp_path, outside):
    stick = tmp_path / "clé usb" / "wheels"
    with_a_network = {
        "STAND_IN_DEPENDS": "a-library",
        "PIP_FIND_LINKS": str(a_library(tmp_path / "index")),
    }
    ended = start(
        stand_in(tmp_path / "mine"), outside, "setup", "--wheels", str(stick), **with_a_network
    )
    assert ended.returncode == 0 and "Fetching wheels" in ended.stdout
    assert [path.name for path in stick.parent.iterdir()] == ["wheels"]
    assert [path.name for path in stick.iterdir()] == ["a_library-1.0-py3-none-any.whl"]
    yours = stand_in(tmp_path / "un élève")
    ended = start(yours, outside, "setup", f"--wheels={stick}", STAND_IN_DEPENDS="a-library")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Fetching wheels" not in ended.stdout
    assert list((yours / ".venv").rglob("a_library.py"))


@pytest.mark.slow
def test_a_machine_that_is_set_up_fills_a_stick_and_stays_as_it_is(ready, outside, tmp_path):
    links = a_library(tmp_path / "index")
    ended = start(
        ready,
        outside,
        "setup",
        "--wheels",
        "relative",
        STAND_IN_DEPENDS="a-library",
        PIP_FIND_LINKS=str(links),
    )
    assert ended.returncode == 0 and "Installing" not in ended.stdout
    assert list((outside / "relative").glob("*.whl"))
    shutil.rmtree(outside / "relative")


@pytest.mark.slow
def test_wheels_of_another_machine_are_one_sentence(tmp_path, outside):
    stick = a_library(tmp_path / "stick")
    folder = stand_in(tmp_path / "new")
    command = ("setup", "--wheels", str(stick))
    line = sentence(start(folder, outside, *command, STAND_IN_DEPENDS="another"))
    assert line.startswith(f"The wheels in {stick} are not those of this machine (Python 3.")
    assert "setup.log" in line


@pytest.mark.slow
def test_a_stick_that_cannot_be_filled_without_a_network_is_one_sentence(tmp_path, outside):
    folder = stand_in(tmp_path / "new")
    command = ("setup", "--wheels", str(tmp_path / "stick"))
    line = sentence(start(folder, outside, *command, **NOWHERE))
    assert line.startswith("No network: ") and not (tmp_path / "stick").exists()


def test_a_folder_that_is_none_is_refused_before_anything_is_made(tmp_path):
    folder = stand_in(tmp_path / "new")
    assert "needs the name" in sentence(start(folder, folder, "setup", "--wheels"))
    taken = start(folder, folder, "setup", "--wheels", ".")
    assert "neither a folder of wheels" in sentence(taken)
    assert not (folder / ".venv").exists()


def test_the_wheel_of_weights_is_the_one_that_the_package_reads():
    from medlearn.backbones import _dinov2

    assert (ROOT / course_script().WEIGHTS).samefile(_dinov2.REQUIREMENT)


def test_the_wheels_hold_what_builds_the_course():
    script = course_script()
    assert script.build_requirements() == ["hatchling>=1.26", "editables"]
    assert script.wheels_folder(["test", "--wheels", "x"]) is None
