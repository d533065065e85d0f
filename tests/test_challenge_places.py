"""A kill between the envelope and the folder of a challenge: the next call goes on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sealed_hospitals as made

from medlearn.teaching import challenge
from medlearn.teaching.challenge import _folder, _places

KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
import test_challenge_places
from medlearn.teaching.challenge import _places

def kill_after(count, replace=os.replace):
    def replace_or_die(source, target):
        nonlocal count
        if not count:
            os.kill(os.getpid(), signal.SIGKILL)
        count -= 1
        replace(source, target)
    return replace_or_die

put = _places.put
def killed_put(*arguments):
    _places.os.replace = kill_after(int(sys.argv[3]))
    put(*arguments)

_places.put = killed_put
test_challenge_places.write(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[2]).name)
"""
MOVES = ["README.md", "home", "home.csv", "target", "template.csv"]


def write(folder, seed="a"):
    """Write a small challenge; another seed gives other images."""
    seal = made.kinds(12)
    images = np.random.default_rng(ord(seed[0])).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    patients = np.array([f"home-p{number:02d}" for number in range(12)])
    labels = seal.truth.labels
    hospital = challenge.Hospital("kinds", made.CLASSES, images, labels, patients, images[::-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_folder, "new_seed", lambda: seed * 64)
        patch.setattr(_folder, "draw", lambda *_: (hospital, seal.truth))
        patch.setattr(_folder, "course_lines", lambda *_: seal.lines)
        return challenge.write(folder)


def killed(folder, moves):
    """Kill a process that writes a challenge, with so many files and folders in their places."""
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(folder), str(moves)]
    assert subprocess.run(command).returncode == -9


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a thing of POSIX systems")
@pytest.mark.parametrize(("is_there", "moves"), [(False, 0), (False, 1), (True, 0), (True, 3)])
def test_the_next_call_goes_on_with_the_same_hospital(tmp_path, is_there, moves):
    """Killed before the folder has its name and after, and amid what goes into an empty folder."""
    folder = tmp_path / "a"
    if is_there:
        folder.mkdir()
    killed(folder, moves)
    envelope = challenge.envelope_of(folder)
    assert not envelope.exists()
    placed = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    assert placed == (MOVES[:moves] if is_there else MOVES * moves)
    drawn = challenge.open_envelope(_places.unfinished(envelope))
    seal = write(folder, "a")
    assert seal.commitment == drawn.commitment in (folder / "README.md").read_text("utf-8")
    assert challenge.open_envelope(envelope).commitment == drawn.commitment
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.envelope.npz"]
    assert sorted(path.name for path in folder.iterdir()) == MOVES
    with pytest.raises(FileExistsError, match="holds something"):
        write(folder)


def begun(tmp_path, monkeypatch):
    """A challenge whose process failed before the folder was put in its place."""
    with monkeypatch.context() as patch:
        patch.setattr(_places, "put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(tmp_path / "a")
    return tmp_path / "a"


def test_a_folder_with_other_things_is_not_touched(tmp_path, monkeypatch):
    folder = begun(tmp_path, monkeypatch)
    folder.mkdir()
    (folder / "README.md").write_text("my notes")
    with pytest.raises(FileExistsError, match="holds something"):
        write(folder)
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "my notes"
    (folder / "README.md").unlink()
    assert write(folder).seed == "a" * 64


def test_an_unfinished_challenge_of_another_task_or_version_says_so(tmp_path, monkeypatch):
    folder = begun(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match=r"A challenge of kinds was begun here.*or remove "):
        challenge.write(folder, "outlines")
    truth = challenge.Truth(np.zeros(12, int), np.array(["p"] * 12))
    monkeypatch.setattr(_folder, "draw", lambda *_: (None, truth))
    with pytest.raises(ValueError, match=r"Another version of the course.*remove "):
        challenge.write(folder)
    assert not folder.exists()


def test_two_calls_at_once_do_not_mix_two_hospitals(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    save = _places.save_first

    def save_later(seal, path):
        save(made.kinds(12), path)  # another process was quicker
        save(seal, path)

    monkeypatch.setattr(_places, "save_first", save_later)
    with pytest.raises(FileExistsError, match="Another process writes the same challenge"):
        write(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".a.envelope.npz.unfinished"]
