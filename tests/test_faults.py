"""Harm done on purpose: broken archives, killed processes, full and closed disks, odd servers.

The same harm is counted at length by benchmarks/reliability.py.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
import tracemalloc

import made_archives as made
import numpy as np
import pytest

from common import faults, mutated_archives, mutated_folders, trapped_formats
from common.loopback import Server
from medlearn import _drafts, datasets
from medlearn.datasets._store import download, sources, verified
from medlearn.datasets.readers import _paths

CONTENT = made.zipped({f"set-1/{path}": data for path, data in faults.FILES.items()})


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """An empty cache in a path with spaces and accents, no mirror, no proxy."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "un cache é"))
    monkeypatch.delenv("MEDLEARN_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "*")


# ---- broken files --------------------------------------------------------------------------------


def refused(what, seeds):
    """How many broken archives are refused; any other outcome than "read alike" raises."""
    tracemalloc.start()
    outcomes = [mutated_archives.MUTATIONS[what](seed) for seed in seeds]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    return outcomes.count("refused")


@pytest.mark.parametrize("what", mutated_archives.MUTATIONS)
def test_a_few_broken_archives_are_refused_in_words_or_read_alike(what):
    assert refused(what, range(25)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("what", mutated_archives.MUTATIONS)
def test_many_broken_archives_are_refused_in_words_or_read_alike(what):
    assert refused(what, range(300)) > 200


@pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices and forks of Linux")
@pytest.mark.parametrize("door", mutated_folders.MUTATIONS)
def test_traps_in_a_folder_are_rows_of_problems_and_let_nothing_in(door):
    outcomes = [mutated_folders.MUTATIONS[door](seed) for seed in range(4)]
    assert outcomes.count("problem") > 2


TRAPS_IN_FORMATS = {
    "many_pages": "the file has more than 100 pages",
    "behind_a_copy": "the header declares a picture of",
    "deflated": "its whole content is deflated",
}


@pytest.mark.parametrize("trap", TRAPS_IN_FORMATS)
def test_a_trap_in_a_format_is_a_row_soon(trap, tmp_path):
    began = time.process_time()
    for seed in range(3):
        getattr(trapped_formats, trap)(np.random.default_rng(seed), tmp_path, f"{seed}.bin")
    problems = datasets.from_folder(tmp_path, layout="", size=32, cache=False).problems
    assert problems["what"].str.startswith(TRAPS_IN_FORMATS[trap]).sum() == 3
    assert time.process_time() - began < 10


def test_what_a_trap_would_let_in_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setattr(_paths, "check_below", lambda *_: None)
    with pytest.raises(AssertionError, match="outside the folder came in"):
        for seed in range(3):
            mutated_folders.trapped("table", seed)


def test_a_reader_that_believes_a_broken_file_is_found_out():
    good = b"good" * 50
    with pytest.raises(AssertionError, match="something else"):
        for seed in range(20):
            mutated_archives.attempt(good, lambda path: path.read_bytes(), good, seed)
    with pytest.raises(IndexError):
        mutated_archives.attempt(b"good", lambda path: [][1], None, 0)


# ---- killed processes ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is a thing of POSIX systems")
@pytest.mark.parametrize("what, count", [("download", 6), ("extraction", 12), ("features", 6)])
def test_what_a_kill_leaves_is_never_read_and_the_next_call_repairs(what, count):
    result = faults.kills(what, range(count))
    assert result["killed"] >= 2 and result["repaired"] == result["killed"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is a thing of POSIX systems")
def test_a_kill_of_a_long_command_leaves_old_or_new_and_the_next_start_goes_on():
    """At two random moments each; benchmarks/reliability.py takes twenty."""
    program = os.path.join(TESTS, "killed_commands.py")
    ran = subprocess.run([sys.executable, program, "2"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    results = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert tuple(result["name"] for result in results) == faults.COMMANDS
    assert all(result["killed"] == 2 for result in results), results


def test_what_a_killed_process_leaves_behind_is_repaired(tmp_path):
    """What a kill can leave at the end of a download and in the middle of an extraction."""
    folder = sources.cache_folder("toy")
    folder.parent.mkdir(parents=True)
    unfinished = _drafts.beside(folder)
    unfinished = unfinished.with_name(unfinished.name.replace(f"-{os.getpid()}-", "-999999999-"))
    unfinished.mkdir()
    (unfinished / "half a file").write_bytes(b"ha")
    folder.with_name(".toy.medlearn-download").write_bytes(CONTENT)
    card = made.toy_card("http://host.invalid/a.zip")  # what is there is not asked for again
    assert dict(verified.files(card, faults.SUMS)) == faults.FILES
    folder.with_name(".toy.medlearn-download").write_bytes(b"left over")
    assert dict(verified.files(card, faults.SUMS)) == faults.FILES
    assert sorted(path.name for path in folder.parent.iterdir()) == ["toy", "toy.lock"]


# ---- disks ---------------------------------------------------------------------------------------

LOAD = """
import subprocess, sys
sys.path[:0] = sys.argv[3:5]
import made_archives
from common import faults
from medlearn.datasets._store import verified
def load():
    try:
        card = made_archives.toy_card(sys.argv[1] + "/a.zip")
        assert dict(verified.files(card, faults.SUMS)) == faults.FILES
        print("loaded")
    except (OSError, ValueError) as error:
        print(type(error).__name__, error)
load()
if sys.argv[2]:
    subprocess.run(sys.argv[2], shell=True, check=True)
    load()
"""
TESTS = os.path.dirname(__file__)
MOUNT = ["unshare", "-rm", "sh", "-c"]
AND_LOAD = ' && exec "$3" -c "$4" "$5" "$6" "$7" "$8"'


def on_a_disk_of_its_own(folder, options, later=""):
    """What two loads print whose cache is a small disk, changed by `later` in between."""
    folder.mkdir()
    mount = 'mount -t tmpfs -o "$1" none "$2"'
    arguments = ["sh", options, str(folder)]
    try:
        probe = subprocess.run([*MOUNT, mount, *arguments], capture_output=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    if probe.returncode:
        pytest.skip("this system does not let us mount a small disk")
    with Server(CONTENT) as server:
        arguments += [sys.executable, LOAD, server.address, later, TESTS, str(faults.BENCHMARKS)]
        ended = subprocess.run(
            [*MOUNT, mount + AND_LOAD, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"MEDLEARN_CACHE": str(folder)},
        )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.splitlines()


@pytest.mark.parametrize("kilobytes", [500, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_full_disk_is_one_sentence_and_with_room_the_next_call_succeeds(tmp_path, kilobytes):
    """Full in the download, and full in the extraction."""
    folder = tmp_path / "full é"
    more_room = f"mount -o remount,size=50m '{folder}'"
    first, second = on_a_disk_of_its_own(folder, f"size={kilobytes}k", more_room)
    assert first.startswith("OSError The data set 'toy' cannot be kept")
    assert "No space left" in first and second == "loaded"


@pytest.mark.slow
def test_a_closed_disk_is_one_sentence_and_once_opened_the_next_call_succeeds(tmp_path):
    folder = tmp_path / "closed é"
    first, second = on_a_disk_of_its_own(folder, "size=50m,ro", f"mount -o remount,rw '{folder}'")
    assert first.startswith("OSError ") and "Read-only" in first and "MEDLEARN_CACHE" in first
    assert second == "loaded"


@pytest.mark.slow
def test_a_cache_that_is_closed_later_is_still_read(tmp_path):
    folder = tmp_path / "closed later é"
    printed = on_a_disk_of_its_own(folder, "size=50m", f"mount -o remount,ro '{folder}'")
    assert printed == ["loaded", "loaded"]


# ---- servers -------------------------------------------------------------------------------------


def fetched(server, path, limit=10**7):
    return download.fetch(f"{server.address}/a", path / "a", limit)


def test_a_server_that_falls_silent_is_left_in_time_and_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_SILENCE_SECONDS", 0.3)
    content = np.random.default_rng(0).bytes(300_000)
    with Server(content, stall=50_000) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match=r"127.0.0.1:[0-9]+ broke off after"):
            fetched(server, tmp_path)
        assert time.monotonic() - began < 5
        server.stall = None
        assert fetched(server, tmp_path).read_bytes() == content
        assert server.asked[-1] and server.asked[-1] != "bytes=0-"


def test_a_server_that_trickles_is_left_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_WINDOW_SECONDS", 0.2)
    with Server(bytes(100_000), pace=10) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="broke off after"):
            fetched(server, tmp_path)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("claim", [200_000, 50_000], ids=["too long", "too short"])
def test_a_length_that_is_a_lie_never_makes_a_good_file(claim):
    errors = (ConnectionError, ValueError)
    with Server(CONTENT[:100_000], claim=claim) as server:
        card = made.toy_card(f"{server.address}/a.zip")
        with pytest.raises(errors, match=r"broke off|damaged"):
            verified.files(card, faults.SUMS)
    assert not sources.cache_folder("toy").exists()


def test_redirects_are_followed_and_a_ring_of_them_is_left(tmp_path):
    with Server(b"content") as there, Server(b"", redirect=f"{there.address}/here") as server:
        assert fetched(server, tmp_path).read_bytes() == b"content"
        for address in (f"{server.address}/again", "file:///etc/hostname"):
            server.redirect = address
            with pytest.raises(ConnectionError, match=r"127.0.0.1"):
                fetched(server, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a"]


def test_a_login_page_instead_of_data_is_refused():
    with Server(b"<html>Please log in to the clinic's network</html>") as server:
        card = made.toy_card(f"{server.address}/a.zip")
        with pytest.raises(ValueError, match=r"cannot be used.*load again") as raised:
            verified.files(card, {"x": hashlib.sha256(b"").hexdigest()})
    assert "\n" not in str(raised.value)
