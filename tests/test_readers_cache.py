"""Decoded sets in the cache: equal to what was decoded, never stale, and without readable names."""

import dataclasses
import os
import stat
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from own_files import png, put

from common import mutations
from medlearn import _files, datasets
from medlearn.datasets.readers import _cache, _formats, _gather, _sealed


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pictures of two patients with speaking names, and a file that is none."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_cache, "_TICK", -(10**12))  # files may be as young as these
    monkeypatch.setattr(_cache, "_COARSE_TICK", -(10**12))
    root = tmp_path / "own"
    put(root, ill__Mueller__a_png=png(1), ill__Schmidt__Schmidt_1_png=png(2))
    put(root, well__Schmidt__b_dcm=mutations.sound("dicom"), well__Schmidt__notes_png=b"hello")
    put(root, a_txt=b"", t_csv=TABLE)
    return root


TABLE = b"""file,label,patient,mass,effusion
ill/Mueller/a.png,x|y,Mueller,1,0
ill/Schmidt/Schmidt_1.png,y,Schmidt,0,
well/Schmidt/notes.png,y,Schmidt,0,1
"""


@pytest.fixture
def count(monkeypatch):
    """The files that were decoded, in a list."""
    decoded = []
    read = _formats.read

    def counted(path, *arguments):
        decoded.append(path.name)
        return read(path, *arguments)

    monkeypatch.setattr(_gather._formats, "read", counted)
    return decoded


def assert_equal(first, second):
    for column in dataclasses.fields(first.dataset):
        a, b = getattr(first.dataset, column.name), getattr(second.dataset, column.name)
        assert type(a) is type(b), column.name
        if column.name == "facts":
            assert a.keys() == b.keys()
            pairs = [(a[name], b[name]) for name in a]
        elif column.name == "boxes" and a is not None:
            pairs = list(zip(a, b, strict=True))
        else:
            pairs = [(a, b)]
        for left, right in pairs:
            np.testing.assert_array_equal(left, right)
            assert getattr(left, "dtype", None) == getattr(right, "dtype", None), column.name
    pd.testing.assert_frame_equal(first.problems, second.problems)
    assert first.paths == second.paths


def read_folder(folder, **options):
    return datasets.from_folder(folder, layout="class/patient", size=32, **options)


READERS = {
    "folder": read_folder,
    "table": lambda root: datasets.from_table(root / "t.csv", size=32),
    "labels": lambda root: datasets.from_table(root / "t.csv", label=["mass", "effusion"], size=32),
    "names": lambda root: datasets.from_table(root / "t.csv", label_separator="|", size=32),
    "masks": lambda root: datasets.from_masks(root / "ill", root.parent / "masks", size=32),
    "boxes": lambda root: datasets.from_boxes(root / "ill" / "Mueller", size=32),
}


@pytest.mark.parametrize("reader", READERS)
def test_the_second_call_decodes_nothing_and_is_equal(folder, count, reader):
    put(folder.parent, masks__Mueller__a_png=mutations.sound("mask_png"))
    put(folder, ill__Mueller__a_txt=b"0 .5 .5 .2 .2", ill__Mueller__classes_txt=b"cell")
    first = READERS[reader](folder)
    assert count
    count.clear()
    second = READERS[reader](folder)
    assert not count
    assert_equal(first, second)
    second.dataset.images[:] = 0  # arrays of one's own, as those of the first call
    assert_equal(first, READERS[reader](folder))


def test_no_readable_name_is_kept(folder):
    result = read_folder(folder)
    kept = [path for path in (folder.parent / "cache").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in kept)
    names = " ".join(map(str, kept))
    file = next(path for path in kept if path.suffix == ".decoded")
    assert file.read_bytes().startswith(_sealed.MARK)
    for word in ("Mueller", "Schmidt", "notes", "well"):
        assert word.encode() not in content
        assert word not in names.replace(str(folder.parent), "")
    assert set(result.dataset.patients) and result.dataset.images[0].tobytes() in content


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_only_the_owner_may_read_it(folder):
    read_folder(folder)
    (file,) = (folder.parent / "cache" / "decoded").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def change_content(folder):
    path = folder / "ill" / "Mueller" / "a.png"
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # of the same size, and with the old time stamp
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "content": change_content,
    "new file": lambda folder: put(folder, ill__Mueller__c_png=png(7)),
    "less": lambda folder: (folder / "ill" / "Mueller" / "a.png").unlink(),
    "name": lambda folder: (folder / "ill" / "Mueller").rename(folder / "ill" / "Meier"),
    "table": lambda folder: put(folder, t_csv=TABLE.replace(b"Mueller,1", b"Meier,1")),
    "secret": lambda folder: (folder.parent / "cache" / "patients.salt").write_bytes(
        bytes(range(32))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_decoded_anew(folder, count, change, monkeypatch):
    reader = READERS["table"] if change == "table" else read_folder
    reader(folder)
    CHANGES[change](folder)
    _gather._identity._secret.cache_clear()
    count.clear()
    again = reader(folder)
    assert count
    assert_equal(again, reader(folder))
    monkeypatch.setattr(_cache, "result", lambda source, problems, decode, is_used: decode())
    assert_equal(again, reader(folder))
    _gather._identity._secret.cache_clear()


def test_other_options_and_other_readers_are_other_sets(folder, count, monkeypatch):
    first = read_folder(folder)
    for options in ({"fit": "letterbox"}, {"window": (100, 50)}, {"slices": 2}):
        count.clear()
        read_folder(folder, **options)
        assert count, options
    count.clear()
    assert len(read_folder(folder, study="other").dataset) == len(first.dataset) and count
    monkeypatch.setattr(_cache, "_version", lambda: "another version")
    count.clear()
    read_folder(folder)
    assert count


def test_a_set_that_should_not_be_kept_is_not(folder, count):
    read_folder(folder, cache=False)
    assert not (folder.parent / "cache" / "decoded").exists()
    count.clear()
    read_folder(folder, cache=False)
    assert count


def test_files_of_this_moment_are_not_kept(folder, count, monkeypatch):
    """A change within one tick of the clock could not be seen later."""
    monkeypatch.setattr(_cache, "_TICK", 10**12)
    read_folder(folder)
    count.clear()
    read_folder(folder)
    assert count


def test_a_damaged_set_is_decoded_again(folder, count):
    first = read_folder(folder)
    (file,) = (folder.parent / "cache" / "decoded").iterdir()
    sound = file.read_bytes()
    for seed in range(60):
        broken = mutations.mutated(sound, seed)
        file.write_bytes(broken)
        count.clear()
        assert_equal(first, read_folder(folder))
        assert count or broken == sound, seed
    count.clear()
    file.unlink()
    file.mkdir()  # cannot be read nor replaced
    with pytest.warns(UserWarning, match="cache=False does not try"):
        assert_equal(first, read_folder(folder))


def test_a_full_or_closed_cache_is_a_warning(folder, monkeypatch):
    expected = read_folder(folder, cache=False)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files, "write_atomically", full)
    with pytest.warns(UserWarning, match=r"No space left.*cache=False"):
        assert_equal(expected, read_folder(folder))


def test_a_large_set_does_not_fill_the_disk(folder, count, monkeypatch):
    monkeypatch.setattr(_cache, "_LARGEST_SHARE", 0)
    with pytest.warns(UserWarning, match=r"too little space.*cache=False"):
        read_folder(folder)
    assert not list((folder.parent / "cache" / "decoded").iterdir())


def test_sets_that_nobody_reads_are_removed(folder):
    read_folder(folder)
    (old,) = (folder.parent / "cache" / "decoded").iterdir()
    long_ago = time.time() - 100 * 86_400
    os.utime(old, (long_ago, long_ago))
    read_folder(folder)  # which counts as a use
    assert old.stat().st_mtime > long_ago + 1
    own = old.with_name("own.decoded")
    own.touch()
    for path in (old, own):
        os.utime(path, (long_ago, long_ago))
    read_folder(folder, fit="letterbox")
    assert not old.exists() and own.exists()
    assert len(list(Path(old.parent).iterdir())) == 1 + 1
