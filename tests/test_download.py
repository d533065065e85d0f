"""Downloads from local servers that cut, alter, ignore and stall; archives made to do harm."""

import contextlib
import dataclasses
import errno
import hashlib
import io
import socket
import stat
import subprocess
import sys
import time
import traceback
import tracemalloc
import zipfile
from pathlib import Path

import made_archives as made
import numpy as np
import pytest

from common.loopback import Server
from medlearn import _unpacked
from medlearn.datasets._store import archive, download, sources, verified
from medlearn.teaching import doctor

RNG = np.random.default_rng(0)
FILES = {"images/one.bin": RNG.bytes(200_000), "labels of it.csv": b"1,2\n"}
CHECKSUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """An empty cache, no mirror, no proxy."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MEDLEARN_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "*")


def zipped(files):
    """Files below `set-1`, or members as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, data in files.items():
            opened.writestr(f"set-1/{path}" if isinstance(path, str) else path, data)
    return buffer.getvalue()


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def loaded(origin):
    """The files of a set whose archive is at this address."""
    return dict(verified.files(made.toy_card(origin), CHECKSUMS))


def fetched(server, folder, limit=10**6):
    return download.fetch(f"{server.address}/a", folder / "a", limit)


# ---- sources -------------------------------------------------------------------------------------


def test_the_origin_is_asked_once_when_there_is_no_mirror():
    with Server(zipped(FILES)) as origin:
        assert loaded(f"{origin.address}/a/b.zip") == FILES
        assert loaded(f"{origin.address}/a/b.zip") == FILES
        assert origin.paths == ["/a/b.zip"]


def test_an_http_mirror_comes_first_and_holds_host_and_path(monkeypatch):
    with Server(zipped(FILES)) as mirror:
        monkeypatch.setenv("MEDLEARN_MIRROR", f"{mirror.address}/mirror/")
        assert loaded("https://host.invalid/a/b.zip") == FILES
        assert mirror.paths == ["/mirror/host.invalid/a/b.zip"]


def test_a_folder_can_be_the_mirror_and_keeps_its_archive(monkeypatch, tmp_path):
    copy = tmp_path / "stick" / "host.invalid" / "a" / "b.zip"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(zipped(FILES))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path / "stick"))
    assert loaded("https://host.invalid/a/b.zip") == FILES and copy.exists()


@pytest.mark.parametrize("mirror", ["an empty folder", "a server without it", "nobody"])
def test_the_origin_is_asked_when_the_mirror_does_not_have_it(monkeypatch, tmp_path, mirror):
    with Server(zipped(FILES)) as origin, Server(b"", status=404) as empty:
        addresses = {"an empty folder": str(tmp_path), "a server without it": empty.address}
        monkeypatch.setenv("MEDLEARN_MIRROR", addresses.get(mirror, closed_port()))
        assert loaded(f"{origin.address}/a.zip") == FILES


def test_without_network_one_sentence_names_the_twin_and_the_mirror(monkeypatch):
    monkeypatch.setenv("MEDLEARN_MIRROR", closed_port())
    with pytest.raises(ConnectionError) as raised:
        loaded(f"{closed_port()}/a.zip")
    sentence = str(raised.value)
    assert all(word in sentence for word in ("'smear'", "MEDLEARN_MIRROR", "a.zip"))
    assert "\n" not in sentence


def test_a_resolver_that_stalls_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: time.sleep(2) or ["an address, too late"])
    assert not download._resolves("http://host.invalid/a.zip", seconds=0.05)


def test_a_full_disk_is_named(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "unpack", full)
    with Server(GOOD) as origin, pytest.raises(OSError, match=r"No space left.*MEDLEARN_CACHE"):
        loaded(f"{origin.address}/a.zip")


# ---- broken connections --------------------------------------------------------------------------


def offset(header):
    return int(header.removeprefix("bytes=").removesuffix("-"))


def test_a_cut_connection_is_resumed_within_the_call(tmp_path):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[100_000]) as server:
        assert fetched(server, tmp_path).read_bytes() == content
        first, second = server.asked
        assert first is None and 0 < offset(second) <= 100_000


def test_a_cut_connection_is_resumed_at_the_next_call(tmp_path, capfd):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[120_000, 0]) as server:
        with pytest.raises(ConnectionError):
            fetched(server, tmp_path)
        assert not (tmp_path / "a").exists()
        assert fetched(server, tmp_path).read_bytes() == content
        assert 0 < offset(server.asked[-1]) <= 120_000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert capfd.readouterr() == ("", "")  # nobody watches, so nothing is printed


def test_a_server_that_cannot_resume_starts_over(tmp_path):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[100_000], ranges=False) as server:
        assert fetched(server, tmp_path).read_bytes() == content


def test_a_partial_file_that_fits_nothing_starts_over(tmp_path):
    with Server(RNG.bytes(300_000), cuts=[200_000, 0]) as server:
        with pytest.raises(ConnectionError):
            fetched(server, tmp_path)
        server.content = b"shorter now"
        assert fetched(server, tmp_path).read_bytes() == b"shorter now"


def test_two_addresses_do_not_continue_each_other(tmp_path):
    with Server(b"a" * 300_000, cuts=[100_000, 0]) as first, Server(b"b" * 300_000) as second:
        with pytest.raises(ConnectionError):
            fetched(first, tmp_path)
        assert set(fetched(second, tmp_path).read_bytes()) == {ord("b")}


def test_a_download_beyond_the_limit_is_given_up(tmp_path):
    with Server(bytes(40_000_000)) as server:
        with pytest.raises(ValueError, match="larger than the 1,000 bytes"):
            fetched(server, tmp_path, limit=1000)
        assert server.finished == 0  # far more than what the sockets hold
    assert list(tmp_path.iterdir()) == []


# ---- bad content ---------------------------------------------------------------------------------

GOOD = zipped(FILES)
BAD = {
    "an altered file": (zipped(FILES | {"images/one.bin": b"other"}), "images/one.bin.*altered"),
    "a missing file": (zipped({"labels of it.csv": b"1,2\n"}), "images/one.bin.*missing"),
    "half an archive": (GOOD[: len(GOOD) // 2], "truncated or damaged"),
    "a hole": (GOOD[:100] + bytes(90) + GOOD[190:], "truncated or damaged"),
    "no archive": (b"<html>Please log in</html>", "truncated or damaged"),
}


@pytest.mark.parametrize("harm", BAD)
def test_bad_copies_are_named_and_the_next_call_repairs(harm, tmp_path):
    content, sentence = BAD[harm]
    with Server(content) as origin:
        with pytest.raises(ValueError, match=f"toy.*{sentence}"):
            loaded(f"{origin.address}/a.zip")
        assert [path.name for path in (tmp_path / "cache" / "datasets").iterdir()] == ["toy.lock"]
        origin.content = GOOD
        assert loaded(f"{origin.address}/a.zip") == FILES


def test_a_damaged_mirror_gives_way_to_the_origin_and_is_named(monkeypatch):
    with Server(GOOD) as origin, Server(b"no zip") as mirror:
        monkeypatch.setenv("MEDLEARN_MIRROR", mirror.address)
        with pytest.warns(UserWarning, match=f"{mirror.address}.*damaged"):
            assert loaded(f"{origin.address}/a.zip") == FILES


def test_a_cached_file_that_goes_bad_is_named_and_the_next_call_repairs(tmp_path):
    path = tmp_path / "cache" / "datasets" / "toy" / "images" / "one.bin"
    with Server(GOOD) as origin:
        loaded(f"{origin.address}/a.zip")
        for harm in (lambda: path.write_bytes(b"other"), path.unlink):
            harm()
            with pytest.raises(ValueError, match=r"images/one.bin.*load again"):
                loaded(f"{origin.address}/a.zip")
            assert loaded(f"{origin.address}/a.zip") == FILES


def test_what_another_process_has_repaired_is_not_removed(monkeypatch, tmp_path):
    with Server(GOOD) as origin:
        files = verified.files(made.toy_card(f"{origin.address}/a.zip"), CHECKSUMS)
    path = tmp_path / "cache" / "datasets" / "toy" / "images" / "one.bin"
    path.unlink()

    @contextlib.contextmanager
    def lock_of_a_repairer(folder):
        path.write_bytes(FILES["images/one.bin"])
        yield

    monkeypatch.setattr(verified._files, "locked", lock_of_a_repairer)
    assert dict(files) == FILES


def test_an_archive_packed_otherwise_serves_as_well():
    more = {"elsewhere/more.txt": b"not listed"} | dict(reversed(FILES.items()))
    with Server(zipped(more)) as origin:
        assert loaded(f"{origin.address}/a.zip") == FILES


# ---- archives that mean harm ---------------------------------------------------------------------


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


ESCAPING = [
    *map(
        zipfile.ZipInfo,
        ["../escaped", "set-1/../../escaped", "/escaped", "C:/escaped", "c:escaped"],
    ),
    *map(zipfile.ZipInfo, ["..\\escaped", "\\\\host\\escaped"]),
    link("set-1/images"),
]


def test_archives_that_escape_are_refused(tmp_path):
    bad = tmp_path / "bad.zip"
    for member in ESCAPING:
        bad.write_bytes(zipped({member: b"../../escaped"} | FILES))
        with pytest.raises(ValueError, match=r"refused.*escape"):
            archive.unpack(bad, tmp_path / "in" / "out", "set-1", CHECKSUMS, 10**7)
        assert [path.name for path in tmp_path.rglob("*")] == ["bad.zip"]


def test_bombs_are_not_inflated(tmp_path):
    honest = zipped({"images/one.bin": bytes(50_000_000)})
    size, smaller = ((count).to_bytes(4, "little") for count in (50_000_000, 1000))
    assert honest.count(size) == 2
    tracemalloc.start()
    for content, sentence in [
        (honest, "refused.*1,000,000 bytes"),
        (honest.replace(size, smaller), "damaged|altered"),
    ]:
        (tmp_path / "bomb.zip").write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            archive.unpack(tmp_path / "bomb.zip", tmp_path / "out", "set-1", CHECKSUMS, 10**6)
        assert not (tmp_path / "out").exists()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


# ---- several processes ---------------------------------------------------------------------------

LOAD = """
import sys
sys.path[:0] = sys.argv[3:5]
import made_archives
from medlearn.datasets._store import verified
sums = dict(line.split("  ", 1)[::-1] for line in sys.argv[2].splitlines())
print("ready", flush=True)
sys.stdin.readline()
print(sum(map(len, verified.files(made_archives.toy_card(sys.argv[1]), sums).values())))
"""


def test_two_processes_at_once_both_succeed_with_one_download():
    sums = "\n".join(f"{digest}  {path}" for path, digest in CHECKSUMS.items())
    tests = Path(__file__).parent
    with Server(GOOD, delay=0.3) as origin:
        arguments = [f"{origin.address}/a.zip", sums, str(tests), str(tests.parent / "benchmarks")]
        command = [sys.executable, "-c", LOAD, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert answers == [str(sum(map(len, FILES.values())))] * 2
    assert len(origin.asked) == 1


# ---- addresses with a login, other kinds of mirrors, what a kill or a bad disk left --------------


def test_a_password_in_an_address_is_never_shown(monkeypatch):
    errors = []
    with Server(b"no archive") as server, Server(b"", status=404) as closed:
        for address in (server.address, closed.address, closed_port()):
            monkeypatch.setenv("MEDLEARN_MIRROR", address.replace("//", "//nurse:secret@"))
            with pytest.raises((ConnectionError, ValueError)) as raised:
                loaded("http://host.invalid/a.zip")
            errors.append(raised.value)
            assert "secret" not in doctor._origin("bccd")
    for error in errors:
        shown = "".join(traceback.format_exception(error))
        assert "secret" not in shown and "127.0.0.1" in shown


MISTYPED = """
http://nurse:sec/ret@h http://nurse:sec#ret@h http://nurse:sec?ret@h http://nurse:1/secret@h
http:/nurse:secret@h https:nurse:secret@h nurse:secret@h/data //nurse:secret@h sftp:nurse:secret@h
http://nurse:secret@h:9x/ http://nurse:secret@[::1/ http://nurse:secret@ http://h/?token=secret
ftp://nurse:secret@h \\\\nurse:secret@h http:\\\\nurse:secret@h
"""


@pytest.mark.parametrize("address", MISTYPED.split())
def test_a_password_in_a_mistyped_address_is_never_shown(monkeypatch, address):
    monkeypatch.setenv("MEDLEARN_MIRROR", address)
    with pytest.raises(ValueError, match=r"MEDLEARN_MIRROR is .*: expected a plain path") as raised:
        loaded("http://host.invalid/a.zip")
    shown = "".join(traceback.format_exception(raised.value))
    assert not any(word in shown for word in ("nurse", "sec/", "secret", "sec#", "sec?"))


def test_spaces_around_an_address_and_an_at_in_a_folder_do_no_harm(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDLEARN_MIRROR", " http://nurse:secret@h/data/ ")
    assert sources.mirror() == "http://nurse:secret@h/data"
    (tmp_path / "nurse@h").mkdir()
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path / "nurse@h"))
    assert sources.mirror() == tmp_path / "nurse@h"


@pytest.mark.parametrize("scheme", ["file", "ftp", "s3", "FILE"])
@pytest.mark.parametrize("slashes", ["//", ""])
def test_a_mirror_of_another_kind_is_refused_and_not_passed_over(
    monkeypatch, tmp_path, scheme, slashes
):
    monkeypatch.setenv("MEDLEARN_MIRROR", f"{scheme}:{slashes}{tmp_path.name}")
    with Server(zipped(FILES)) as server:
        with pytest.raises(ValueError, match=f"of the kind {scheme}:, but a folder"):
            loaded(f"{server.address}/a.zip")
        assert server.paths == []
    assert "of the kind" in doctor._origin("bccd")


def test_a_mirror_is_asked_however_its_scheme_is_written(monkeypatch):
    with Server(zipped(FILES)) as server:
        monkeypatch.setenv("MEDLEARN_MIRROR", server.address.replace("http", "HTTP"))
        assert loaded("http://host.invalid/a.zip") == FILES
    monkeypatch.setenv("MEDLEARN_MIRROR", "C:/mirror")
    assert sources.mirror() == Path("C:/mirror")


@pytest.mark.parametrize("record", [b"", b"no record", b"\xff\n", b"a" * 64 + b"  ../../x\n"])
def test_a_damaged_record_is_fetched_anew(record):
    card = dataclasses.replace(made.toy_card("http://host.invalid"), details={"pattern": ".*"})
    folder = sources.cache_folder(card.name)
    folder.mkdir(parents=True)
    (folder / archive.RECORD).write_bytes(record)
    (folder / _unpacked.MARK).write_text(f"\n{archive.RECORD}\n")
    with pytest.raises(ValueError, match="is lost or damaged.*load again"):
        verified.first_files(card)
    assert not folder.exists()
