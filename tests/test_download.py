"""Downloads against real loopback servers that cut, alter, ignore and stall; archives made to do harm."""

import contextlib
import errno
import hashlib
import io
import socket
import stat
import subprocess
import sys
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from common.loopback import Server
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import archive, download, sources, verified

RNG = np.random.default_rng(0)
FILES = {"images/one.bin": RNG.bytes(200_000), "labels of it.csv": b"1,2\n"}
CHECKSUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """An empty cache, no mirror, no proxy."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MEDLEARN_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "*")


def zipped(files, root="set-1"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, data in files.items():
            opened.writestr(f"{root}/{path}" if isinstance(path, str) else path, data)
    return buffer.getvalue()


def made_card(origin, limit=10_000_000):
    return Card(
        name="toy",
        title="",
        kind="real",
        twin="smear",
        licence="",
        citation="",
        domains=("here",),
        origin=origin,
        folder="set-1",
        limit=limit,
    )


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def held(card):
    return dict(verified.files(card, CHECKSUMS))


# Sources


def test_the_origin_is_asked_when_there_is_no_mirror():
    with Server(zipped(FILES)) as origin:
        assert held(made_card(f"{origin.address}/a/b.zip")) == FILES
        assert origin.paths == ["/a/b.zip"]


def test_what_is_cached_is_not_asked_for_again():
    with Server(zipped(FILES)) as origin:
        held(made_card(f"{origin.address}/a.zip"))
        held(made_card(f"{origin.address}/a.zip"))
        assert len(origin.asked) == 1


def test_an_http_mirror_comes_first_and_holds_host_and_path(monkeypatch):
    with Server(zipped(FILES)) as mirror:
        monkeypatch.setenv("MEDLEARN_MIRROR", f"{mirror.address}/mirror/")
        assert held(made_card("https://host.invalid/a/b.zip")) == FILES
        assert mirror.paths == ["/mirror/host.invalid/a/b.zip"]


def test_a_folder_can_be_the_mirror_and_keeps_its_archive(monkeypatch, tmp_path):
    copy = tmp_path / "stick" / "host.invalid" / "a" / "b.zip"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(zipped(FILES))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path / "stick"))
    assert held(made_card("https://host.invalid/a/b.zip")) == FILES
    assert copy.exists()


@pytest.mark.parametrize("what", ["an empty folder", "a server without it", "nobody"])
def test_the_origin_is_asked_when_the_mirror_does_not_have_it(monkeypatch, tmp_path, what):
    with Server(zipped(FILES)) as origin, Server(b"", status=404) as empty:
        mirrors = {
            "an empty folder": str(tmp_path),
            "a server without it": empty.address,
            "nobody": closed_port(),
        }
        monkeypatch.setenv("MEDLEARN_MIRROR", mirrors[what])
        assert held(made_card(f"{origin.address}/a.zip")) == FILES


def test_without_network_one_sentence_names_the_twin_and_the_mirror(monkeypatch):
    monkeypatch.setenv("MEDLEARN_MIRROR", closed_port())
    with pytest.raises(ConnectionError) as raised:
        held(made_card(f"{closed_port()}/a.zip"))
    assert (
        "'smear'" in str(raised.value)
        and "MEDLEARN_MIRROR" in str(raised.value)
        and "a.zip" in str(raised.value)
    )
    assert "\n" not in str(raised.value)


def test_a_resolver_that_stalls_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: time.sleep(2) or ["an address, too late"])
    assert not download._resolves("http://host.invalid/a.zip", seconds=0.05)


def test_a_full_disk_is_named(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "unpack", full)
    with (
        Server(zipped(FILES)) as origin,
        pytest.raises(OSError, match="No space left.*MEDLEARN_CACHE"),
    ):
        held(made_card(f"{origin.address}/a.zip"))


# Broken connections


def offset(header):
    return int(header.removeprefix("bytes=").removesuffix("-"))


def test_a_cut_connection_is_resumed_within_the_call(tmp_path):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[100_000]) as server:
        assert download.fetch(f"{server.address}/a", tmp_path / "a", 10**6).read_bytes() == content
        assert (
            server.asked[0] is None
            and 0 < offset(server.asked[1]) <= 100_000
            and len(server.asked) == 2
        )


def test_a_cut_connection_is_resumed_at_the_next_call(tmp_path):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[120_000, 0]) as server:
        with pytest.raises(ConnectionError):
            download.fetch(f"{server.address}/a", tmp_path / "a", 10**6)
        assert not (tmp_path / "a").exists()
        assert download.fetch(f"{server.address}/a", tmp_path / "a", 10**6).read_bytes() == content
        assert 0 < offset(server.asked[-1]) <= 120_000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_server_that_cannot_resume_starts_over(tmp_path):
    content = RNG.bytes(300_000)
    with Server(content, cuts=[100_000], ranges=False) as server:
        assert download.fetch(f"{server.address}/a", tmp_path / "a", 10**6).read_bytes() == content


def test_a_partial_file_that_fits_nothing_starts_over(tmp_path):
    with Server(RNG.bytes(300_000), cuts=[200_000, 0]) as server:
        with pytest.raises(ConnectionError):
            download.fetch(f"{server.address}/a", tmp_path / "a", 10**6)
        server.content = b"shorter now"
        assert (
            download.fetch(f"{server.address}/a", tmp_path / "a", 10**6).read_bytes()
            == b"shorter now"
        )


def test_two_addresses_do_not_continue_each_other(tmp_path):
    with Server(b"a" * 300_000, cuts=[100_000, 0]) as one, Server(b"b" * 300_000) as other:
        with pytest.raises(ConnectionError):
            download.fetch(f"{one.address}/a", tmp_path / "a", 10**6)
        assert set(download.fetch(f"{other.address}/a", tmp_path / "a", 10**6).read_bytes()) == {
            ord("b")
        }


def test_a_download_beyond_the_limit_is_given_up(tmp_path):
    with Server(bytes(40_000_000)) as server:
        with pytest.raises(ValueError, match="larger than the 1,000 bytes"):
            download.fetch(f"{server.address}/a", tmp_path / "a", 1000)
        assert server.finished == 0  # far more than what the sockets hold
    assert list(tmp_path.iterdir()) == []


# Bad content


@pytest.mark.parametrize(
    "harm, said",
    [
        (lambda good: zipped(FILES | {"images/one.bin": b"other"}), "images/one.bin.*altered"),
        (lambda good: zipped(FILES | {"labels of it.csv": b"2,1\n"}), "labels of it.csv.*altered"),
        (lambda good: zipped({"labels of it.csv": b"1,2\n"}), "images/one.bin.*missing"),
        (lambda good: good[: len(good) // 2], "truncated or damaged"),
        (lambda good: good[:100] + bytes(90) + good[190:], "truncated or damaged"),
        (lambda good: b"<html>Please log in</html>", "truncated or damaged"),
    ],
)
def test_bad_copies_are_named_and_the_next_call_repairs(harm, said, tmp_path):
    good = zipped(FILES)
    with Server(harm(good)) as origin:
        card = made_card(f"{origin.address}/a.zip")
        with pytest.raises(ValueError, match=f"toy.*{said}"):
            held(card)
        assert [path.name for path in (tmp_path / "cache" / "datasets").iterdir()] == ["toy.lock"]
        origin.content = good
        assert held(card) == FILES


def test_a_damaged_mirror_gives_way_to_the_origin_and_is_named(monkeypatch):
    with Server(zipped(FILES)) as origin, Server(b"no zip") as mirror:
        monkeypatch.setenv("MEDLEARN_MIRROR", mirror.address)
        with pytest.warns(UserWarning, match=f"{mirror.address}.*damaged"):
            assert held(made_card(f"{origin.address}/a.zip")) == FILES


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"other"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
)
def test_a_cached_file_that_goes_bad_is_named_and_the_next_call_repairs(harm, tmp_path):
    with Server(zipped(FILES)) as origin:
        card = made_card(f"{origin.address}/a.zip")
        held(card)
        harm(tmp_path / "cache" / "datasets" / "toy" / "images" / "one.bin")
        with pytest.raises(ValueError, match="images/one.bin.*load again"):
            held(card)
        assert held(card) == FILES


def test_what_another_process_has_repaired_is_not_removed(monkeypatch, tmp_path):
    with Server(zipped(FILES)) as origin:
        files = verified.files(made_card(f"{origin.address}/a.zip"), CHECKSUMS)
    path = tmp_path / "cache" / "datasets" / "toy" / "images" / "one.bin"
    path.unlink()

    @contextlib.contextmanager
    def held_by_a_repairer(folder):
        path.write_bytes(FILES["images/one.bin"])
        yield

    monkeypatch.setattr(sources, "lock", held_by_a_repairer)
    assert dict(files) == FILES


def test_an_archive_zipped_otherwise_serves_as_well():
    more = {"elsewhere/more.txt": b"not listed"} | dict(reversed(FILES.items()))
    with Server(zipped(more)) as origin:
        assert held(made_card(f"{origin.address}/a.zip")) == FILES


# Archives that mean harm


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "member",
    [
        zipfile.ZipInfo("../escaped"),
        zipfile.ZipInfo("set-1/../../escaped"),
        zipfile.ZipInfo("/escaped"),
        zipfile.ZipInfo("C:/escaped"),
        zipfile.ZipInfo("c:escaped"),
        zipfile.ZipInfo("..\\escaped"),
        zipfile.ZipInfo("\\\\host\\escaped"),
        link("set-1/images"),
    ],
    ids=lambda member: member.filename,
)
def test_archives_that_escape_are_refused(member, tmp_path):
    (tmp_path / "bad.zip").write_bytes(zipped({member: b"../../escaped"} | FILES))
    with pytest.raises(ValueError, match="refused.*escape"):
        archive.unpack(tmp_path / "bad.zip", tmp_path / "in" / "out", "set-1", CHECKSUMS, 10**7)
    assert [path.name for path in tmp_path.rglob("*")] == ["bad.zip"]


def test_a_size_bomb_is_refused(tmp_path):
    (tmp_path / "bomb.zip").write_bytes(zipped(FILES | {"images/one.bin": bytes(50_000_000)}))
    with pytest.raises(ValueError, match="refused.*1,000,000 bytes"):
        archive.unpack(tmp_path / "bomb.zip", tmp_path / "out", "set-1", CHECKSUMS, 1_000_000)
    assert not (tmp_path / "out").exists()


def test_a_bomb_that_lies_about_its_size_is_not_inflated(tmp_path):
    honest = zipped({"images/one.bin": bytes(100_000_000)})
    lying = honest.replace((100_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != honest
    (tmp_path / "bomb.zip").write_bytes(lying)
    tracemalloc.start()
    with pytest.raises(ValueError):
        archive.unpack(tmp_path / "bomb.zip", tmp_path / "out", "set-1", CHECKSUMS, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


# Several processes

LOAD = """
import sys
from medlearn.datasets._catalogue import Card
from medlearn.datasets._store import verified
sums = dict(line.split("  ", 1)[::-1] for line in sys.argv[2].splitlines())
card = Card(name="toy", title="", kind="real", twin="smear", licence="", citation="", domains=("here",),
            origin=sys.argv[1], folder="set-1", limit=10**7)
print("ready", flush=True)
sys.stdin.readline()
print(sum(map(len, verified.files(card, sums).values())))
"""


def test_two_processes_at_once_both_succeed_with_one_download():
    sums = "\n".join(f"{digest}  {path}" for path, digest in CHECKSUMS.items())
    with Server(zipped(FILES), delay=0.3) as origin:
        both = [
            subprocess.Popen(
                [sys.executable, "-c", LOAD, f"{origin.address}/a.zip", sums],
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout.readline() == "ready\n"
        for process in both:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0].strip() for process in both]
    assert answers == [str(sum(map(len, FILES.values())))] * 2
    assert len(origin.asked) == 1


def test_without_a_viewer_nothing_is_printed(tmp_path, capfd):
    with Server(b"x" * 300_000) as server:
        download.fetch(f"{server.address}/a", tmp_path / "a", 10**6)
    assert capfd.readouterr() == ("", "")
