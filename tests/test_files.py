"""The cache's mark, locks that say who holds them, and folders that are replaced in one step."""

import contextlib
import os
import subprocess
import sys

import pytest

from medlearn import _files

HOLD = "import pathlib, sys, time; from medlearn import _files\n"
HOLD += "with _files.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "un cache é"))
    return tmp_path / "un cache é"


def test_a_cache_is_marked_where_it_was_made_or_found_empty(cache):
    assert _files.is_marked(_files.cache())
    (cache / _files.MARK).unlink()
    assert _files.is_marked(_files.cache())
    (cache / _files.MARK).unlink()
    (cache / "thesis.docx").write_text("years of work")
    assert not _files.is_marked(_files.cache()) and len(list(cache.iterdir())) == 1


@contextlib.contextmanager
def held_by_another_process(path):
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_waits_for_a_lock_says_for_whom_and_a_killed_holder_frees_it(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_SECONDS_OF_SILENCE", 0.1)
    path = tmp_path / "set"
    with held_by_another_process(path) as process:
        said = []

        def hear(message, *_, **__):
            said.append(str(message))
            process.kill()  # the wait would be long

        monkeypatch.setattr(_files.warnings, "warn", hear)
        with _files.locked(path):
            holder = (tmp_path / "set.lock.holder").read_text()
    assert f"process {process.pid} on " in said[0] and str(path) in said[0]
    assert f"process {os.getpid()} on " in holder
    assert not (tmp_path / "set.lock.holder").exists()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path, monkeypatch, can_exchange):
    if not can_exchange:
        monkeypatch.setattr(_files, "_exchanged", lambda *_: False)
    for number in range(3):
        draft = tmp_path / "draft"
        draft.mkdir()
        (draft / "file").write_text(str(number))
        _files.replace_folder(draft, tmp_path / "site")
        assert [path.name for path in tmp_path.iterdir()] == ["site"]
        assert (tmp_path / "site/file").read_text() == str(number)


REPLACE = """
import pathlib, sys
from medlearn import _files
parent = pathlib.Path(sys.argv[1])
print("begun", flush=True)
for number in range(10**9):
    draft = parent / f".{number}.partial"
    draft.mkdir()
    for name in "ab":
        (draft / name).write_text(str(number))
    _files.replace_folder(draft, parent / "site")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux exchanges folders")
def test_a_kill_leaves_the_old_folder_or_the_new_one_whole(tmp_path):
    for kill in range(4):
        command = [sys.executable, "-c", REPLACE, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            for _ in range(50):  # whoever looks meanwhile finds a whole folder, too
                if kill or (tmp_path / "site").exists():
                    assert (tmp_path / "site").is_dir()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05 + 0.037 * kill)
            process.kill()
        site = tmp_path / "site"
        assert (site / "a").read_text() == (site / "b").read_text()
        for left in tmp_path.glob(".*.partial"):
            left.rename(left.with_name(f"left {kill} {left.name}"))


def test_where_no_lock_can_be_kept_nobody_is_said_to_hold_one(tmp_path, monkeypatch):
    """As with an older filelock on a shared disk: it waits, though nobody holds anything."""

    class NeverFree:
        def __init__(self, path):
            pass

        def acquire(self, timeout):
            raise _files.Timeout("x.lock")

    monkeypatch.setattr(_files, "FileLock", NeverFree)
    with pytest.raises(OSError, match="no lock can be kept") as error:
        with _files.locked(tmp_path / "x", wait=False):
            pass
    assert not isinstance(error.value, BlockingIOError)
    (tmp_path / "x.lock.holder").write_text("process 12 on a since b")
    with pytest.raises(BlockingIOError, match="process 12"):
        with _files.locked(tmp_path / "x", wait=False):
            pass
