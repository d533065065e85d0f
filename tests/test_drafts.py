"""What a kill leaves of a draft is removed by the next start; what is no such draft is not."""

import os
import subprocess
import sys

import pytest

from medlearn import _drafts, _files

posix = pytest.mark.skipif(os.name == "nt", reason="kill -9 is a thing of POSIX systems")
WRITE = """
import os, pathlib, signal, sys
from medlearn import _drafts, _files
folder = pathlib.Path(sys.argv[1])
(_drafts.beside(folder / "site") / "pages").mkdir(parents=True)
def write(temporary):
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL if sys.argv[2] == "kill" else signal.SIGSTOP)
_files.write_atomically(folder / "table.csv", write)
"""


def started(folder, what):
    return subprocess.Popen([sys.executable, "-c", WRITE, str(folder), what])


@posix
def test_the_next_write_removes_what_a_killed_process_left(tmp_path):
    folder = tmp_path / "un dossier é"
    folder.mkdir()
    _files.write_text(folder / "table.csv", "old")
    assert started(folder, "kill").wait() != 0
    left = [path for path in folder.iterdir() if path.name != "table.csv"]
    assert len(left) == 2 and all(path.name.startswith(".") for path in left)
    assert (folder / "table.csv").read_text() == "old"
    again = "import pathlib, sys; from medlearn import _files\n"
    again += "_files.write_text(pathlib.Path(sys.argv[1], 'table.csv'), 'new')"
    subprocess.run([sys.executable, "-c", again, str(folder)], check=True)
    assert [path.name for path in folder.iterdir()] == ["table.csv"]
    assert (folder / "table.csv").read_text() == "new"


@posix
def test_drafts_of_a_process_that_lives_stay(tmp_path):
    with started(tmp_path, "stop") as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        _drafts.remove_dead(tmp_path)
        assert len(list(tmp_path.glob(".*.partial"))) == 2
        process.kill()
    _drafts.remove_dead(tmp_path)
    assert not list(tmp_path.iterdir())


@posix
def test_what_is_no_draft_of_this_machine_stays(tmp_path, monkeypatch):
    """A user's own hidden files, older drafts without a mark, drafts of another machine, links."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    monkeypatch.setattr(_drafts.os, "getpid", lambda: dead.pid)
    name = _drafts.beside(tmp_path / "a.csv").name
    machine = name.split("medlearn-")[1][:8]
    kept = [
        ".a.csv.0123abcd.partial",
        name.replace(machine, "00000000"),
        name.removeprefix("."),
        name + ".docx",
        name.replace("medlearn", "mine"),
        "thesis.partial",
    ]
    for path in kept:
        (tmp_path / path).write_text("years of work")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "scan").write_text("a scan")
    _drafts.beside(tmp_path / "link").symlink_to(outside)
    _drafts.beside(tmp_path / "folder").mkdir()
    (tmp_path / name).write_text("half")
    _drafts.remove_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "outside"])
    assert (outside / "scan").exists()


def test_a_folder_that_cannot_be_listed_is_no_error(tmp_path):
    _drafts.remove_dead(tmp_path / "not there")
