"""Harm done on purpose: broken archives, killed processes, full and closed disks, servers that misbehave.

The same harm is counted at length by benchmarks/reliability.py.
"""

import hashlib
import os
import subprocess
import sys
import time
import tracemalloc

import made_archives as made
import numpy as np
import pytest

from common import faults, mutated_archives
from common.loopback import Server
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import download, sources, verified


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """An empty cache in a path with spaces and accents, no mirror, no proxy."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "un cache é"))
    monkeypatch.delenv("MEDLEARN_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "*")


# Broken files


@pytest.mark.parametrize("what", mutated_archives.MUTATIONS)
def test_broken_archives_are_refused_in_words_or_read_alike(what):
    tracemalloc.start()
    outcomes = [mutated_archives.MUTATIONS[what](seed) for seed in range(300)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcomes.count("refused") > 200 and peak < 5_000_000


def test_a_reader_that_believes_a_broken_file_is_found_out():
    with pytest.raises(AssertionError, match="something else"):
        for seed in range(20):
            mutated_archives.attempt(
                b"good" * 50, lambda path: path.read_bytes(), b"good" * 50, seed
            )
    with pytest.raises(IndexError):
        mutated_archives.attempt(b"good", lambda path: [][1], None, 0)


# Killed processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is a thing of POSIX systems")
@pytest.mark.parametrize("what", faults.KILLS)
def test_what_a_kill_leaves_is_never_read_and_the_next_call_repairs(what):
    found = faults.kills(what, range(12 if what == "extraction" else 6))
    assert found["killed"] >= 2 and found["repaired"] == found["killed"]


# Disks


def made_card(address, limit=10**7):
    return Card(
        name="toy",
        title="",
        kind="real",
        twin="smear",
        licence="",
        citation="",
        domains=("here",),
        origin=f"{address}/a.zip",
        folder="set-1",
        limit=limit,
    )


CONTENT = made.zipped({f"set-1/{path}": data for path, data in faults.FILES.items()})
LOAD = """
import subprocess, sys
sys.path[:0] = sys.argv[3:]
import test_faults
from common import faults
from medlearn.datasets._store import verified
def load():
    try:
        assert dict(verified.files(test_faults.made_card(sys.argv[1]), faults.SUMS)) == faults.FILES
        print("loaded")
    except (OSError, ValueError) as error:
        print(type(error).__name__, error)
load()
if sys.argv[2]:
    subprocess.run(sys.argv[2], shell=True, check=True)
    load()
"""


def on_a_disk_of_its_own(folder, options, later=""):
    """What two loads print whose cache is a small file system of its own, changed by `later` in between."""
    folder.mkdir()
    probe = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        'mount -t tmpfs -o "$1" none "$2"',
        "sh",
        options,
        str(folder),
    ]
    try:
        if subprocess.run(probe, capture_output=True, timeout=30).returncode:
            pytest.skip("this system does not let us mount a small disk")
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    with Server(CONTENT) as server:
        command = [
            *probe[:4],
            probe[4] + ' && exec "$3" -c "$4" "$5" "$6" "$7" "$8"',
            *probe[5:],
            sys.executable,
            LOAD,
            server.address,
            later,
            os.path.dirname(__file__),
            str(faults.BENCHMARKS),
        ]
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"MEDLEARN_CACHE": str(folder)},
        )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    "kilobytes", [500, 3000], ids=["full in the download", "full in the extraction"]
)
def test_a_full_disk_is_one_sentence_and_with_room_the_next_call_succeeds(tmp_path, kilobytes):
    folder = tmp_path / "full é"
    first, second = on_a_disk_of_its_own(
        folder, f"size={kilobytes}k", f"mount -o remount,size=50m '{folder}'"
    )
    assert (
        first.startswith("OSError The data set 'toy' cannot be kept") and "No space left" in first
    )
    assert second == "loaded"


def test_a_closed_disk_is_one_sentence_and_once_opened_the_next_call_succeeds(tmp_path):
    folder = tmp_path / "closed é"
    first, second = on_a_disk_of_its_own(folder, "size=50m,ro", f"mount -o remount,rw '{folder}'")
    assert first.startswith("OSError ") and "Read-only" in first and "MEDLEARN_CACHE" in first
    assert second == "loaded"


def test_a_cache_that_is_closed_later_is_still_read(tmp_path):
    folder = tmp_path / "closed later é"
    assert on_a_disk_of_its_own(folder, "size=50m", f"mount -o remount,ro '{folder}'") == [
        "loaded",
        "loaded",
    ]


# Servers


def fetched(server, path, limit=10**7):
    return download.fetch(f"{server.address}/a", path / "a", limit)


def test_a_server_that_falls_silent_is_left_in_time_and_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_SILENCE_SECONDS", 0.3)
    content = np.random.default_rng(0).bytes(300_000)
    with Server(content, stall=50_000) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="127.0.0.1:[0-9]+ broke off after"):
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
def test_a_length_that_is_a_lie_never_makes_a_good_file(tmp_path, claim):
    with Server(CONTENT[:100_000], claim=claim) as server:
        with pytest.raises((ConnectionError, ValueError), match="broke off|damaged"):
            verified.files(made_card(server.address), faults.SUMS)
    assert not sources.cache_folder("toy").exists()


def test_redirects_are_followed_and_a_ring_of_them_is_left(tmp_path):
    with Server(b"content") as there, Server(b"", redirect=f"{there.address}/here") as server:
        assert fetched(server, tmp_path).read_bytes() == b"content"
        server.redirect = f"{server.address}/again"
        with pytest.raises(ConnectionError, match="127.0.0.1"):
            fetched(server, tmp_path)
        server.redirect = "file:///etc/hostname"
        with pytest.raises(ConnectionError, match="127.0.0.1"):
            fetched(server, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a"]


def test_a_login_page_instead_of_data_is_refused(tmp_path):
    with Server(b"<html>Please log in to the clinic's network</html>") as server:
        with pytest.raises(ValueError, match="cannot be used.*load again") as raised:
            verified.files(made_card(server.address), {"x": hashlib.sha256(b"").hexdigest()})
    assert "\n" not in str(raised.value)
