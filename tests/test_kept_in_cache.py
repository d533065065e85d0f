"""What a user keeps in the cache folder stays, whatever is loaded, repaired or removed there."""

import hashlib
from pathlib import Path

import made_archives as made
import pytest

from medlearn import _unpacked
from medlearn.datasets._store import sources, verified

FILES = {"images/one.bin": b"published", "labels.csv": b"1,2\n"}
CHECKSUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
ORIGIN = "https://host.invalid/a.zip"


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Where the files of the set lie in the cache; a mirror beside the cache holds the set."""
    archive = made.zipped({f"set-1/{path}": data for path, data in FILES.items()})
    made.mirrored(tmp_path / "mirror", ORIGIN, archive)
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets" / "toy"


def loaded():
    return dict(verified.files(made.toy_card(ORIGIN), CHECKSUMS))


def put(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "files", [{"scan.dcm": b"mine"}, {"images": b"a file"}, FILES | {"a": b""}]
)
def test_a_folder_of_the_users_is_never_removed(folder, files):
    put(folder, files)
    if files.items() >= FILES.items():  # as versions without a list unpacked it
        assert loaded() == FILES
        (folder / "labels.csv").write_bytes(b"altered")
        files = files | {"labels.csv": b"altered"}
    with pytest.raises(
        ValueError, match=r"no record that it made .*toy.*move that folder"
    ) as raised:
        loaded()
    assert "\n" not in str(raised.value) and content(folder) == files


def test_what_the_user_put_beside_unpacked_files_stays(folder, tmp_path):
    own = {"images/mine.png": b"mine", "notes.txt": b"mine"}
    beside = {"toy.unpacking/scan.dcm": b"mine", "toy.download": b"mine", "toy.1.bad/a": b"mine"}
    put(folder.parent, beside)
    loaded()
    put(folder, own)
    (folder / "labels.csv").unlink()
    with pytest.raises(ValueError, match="bad copy has been removed: move your own files"):
        loaded()
    assert content(folder) == own
    folder.rename(tmp_path / "moved away")
    assert loaded() == FILES
    assert content(folder.parent).items() >= beside.items()


def test_a_list_that_leads_outside_removes_nothing_there(folder, tmp_path):
    put(tmp_path / "mine", {"thesis.docx": b"mine", "scan.dcm": b"mine"})
    loaded()
    (folder / "link").symlink_to(tmp_path / "mine", target_is_directory=True)
    with (folder / _unpacked.MARK).open("a") as marked:
        marked.write(f"../../../mine/thesis.docx\n{tmp_path}/mine/thesis.docx\nlink/scan.dcm\n")
    _unpacked.remove(folder)
    assert set(content(tmp_path / "mine")) == {"thesis.docx", "scan.dcm"}
    assert [path.name for path in folder.iterdir()] == ["link"]


def test_a_kill_while_a_bad_copy_is_removed_is_gone_on_with(folder):
    loaded()
    bad = folder.rename(folder.with_name("toy.12345678.bad"))
    (bad / "labels.csv").unlink()
    sources.remove(folder)
    assert not bad.exists() and loaded() == FILES


@pytest.mark.parametrize("name", [".DS_Store", "images/Thumbs.db", "desktop.ini"])
def test_a_file_of_the_desktop_does_not_keep_a_bad_copy(folder, name):
    loaded()
    put(folder, {name: b"made where a folder is looked at", "labels.csv": b"altered"})
    with pytest.raises(ValueError, match="load again to fetch it anew"):
        loaded()
    assert not folder.exists() and loaded() == FILES


def test_one_goes_on_where_own_files_were_moved_out_of_the_folder(folder):
    loaded()
    put(folder, {"images/mine.png": b"mine", "images/.DS_Store": b"", "labels.csv": b"altered"})
    with pytest.raises(ValueError, match=r"such as .*mine\.png"):
        loaded()
    assert set(content(folder)) == {"images/mine.png", "images/.DS_Store"}
    (folder / "images" / "mine.png").unlink()
    with pytest.raises(ValueError, match="load again to fetch it anew"):
        loaded()
    assert loaded() == FILES


@pytest.mark.parametrize("refused", ["unlink", "replace"])
def test_a_file_in_use_is_one_sentence_and_the_next_repair_goes_on(folder, monkeypatch, refused):
    """As on Windows, where neither an open file nor the folder that it lies in can be moved."""
    loaded()
    put(folder, {"labels.csv": b"altered", "notes.txt": b"mine"})
    unlink = Path.unlink

    def refuse(path, *args, **options):
        if refused == "replace" or path.name == "one.bin":
            raise PermissionError(13, "in use", str(path))
        unlink(path, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(
            *((sources.os, "replace") if refused == "replace" else (Path, "unlink")), refuse
        )
        advice = sources.remove(folder)
    assert "in use" in advice and str(folder) in advice and "load again" in advice
    assert {"images/one.bin", "notes.txt", _unpacked.MARK} <= set(content(folder))
    assert [path.name for path in folder.parent.iterdir() if path.name.endswith(".bad")] == []
    (folder / "images" / "one.bin").write_bytes(b"altered")
    with pytest.raises(ValueError, match=r"such as .*notes\.txt"):
        loaded()
    assert content(folder) == {"notes.txt": b"mine"}


def test_drafts_of_a_set_go_whoever_left_them_when_it_is_unpacked_again(folder):
    """As of another container, in which a process was killed; drafts of other sets stay."""
    owner = "medlearn-01234567-1-01234567.partial"
    other = {f".toy_28.{owner}/a": b"at work", f".toy.{owner}.docx": b"mine"}
    put(folder.parent, {f".toy.{owner}/images/one.bin": b"half", **other})
    assert loaded() == FILES
    left = {name for name in content(folder.parent) if name.startswith(".")}
    assert left == set(other)


def test_own_files_beside_a_half_removed_copy_are_named(folder):
    """A kill came after the copy was set aside."""
    loaded()
    bad = folder.rename(folder.with_name("toy.12345678.bad"))
    put(bad, {"notes.txt": b"mine"})
    assert loaded() == FILES
    (folder / "labels.csv").write_bytes(b"altered")
    with pytest.raises(ValueError, match=r"files of yours .*toy\.12345678\.bad"):
        loaded()
    assert content(bad) == {"notes.txt": b"mine"} and loaded() == FILES
