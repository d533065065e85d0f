"""Readers open regular files only, and only inside their folder; everything else is a row."""

import os
import signal
import socket

import pytest
from own_files import png, put, what

from common import mutations
from medlearn import datasets
from medlearn.datasets.readers import _paths
from medlearn.datasets.readers._problems import Unreadable
from medlearn.inference import _sources, load  # loads TensorFlow before a clock runs

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
SECONDS = 60  # a reader that opens a pipe would wait for ever


@pytest.fixture(autouse=True)
def bounded(tmp_path_factory, monkeypatch):
    """An own cache, and an error instead of a test that waits for ever."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))

    def too_long(number, frame):
        raise TimeoutError(f"the reader was not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def odd_things(folder, elsewhere):
    """Put a picture, a pipe, a socket, an empty folder and links to elsewhere into a folder."""
    put(folder, a_png=png())
    put(elsewhere, b_png=png(1))
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as end:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket is at most about 100 characters long
        end.bind("socket.png")
        os.chdir(here)
    (folder / "folder.png").mkdir()
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "link.png").symlink_to(elsewhere / "b.png")
    (folder / "linked.png").symlink_to(elsewhere)
    (folder / "same.png").symlink_to(folder / "a.png")
    return folder


ROWS = {
    "device.png": "it lies outside",
    "folder.png": "it is a folder",
    "link.png": "it lies outside",
    "linked.png": "it lies outside",
    "pipe.png": "it is a pipe",
    "socket.png": "it is a socket",
}


def assert_rows(result, expected):
    problems = dict(zip(result.problems["file"], result.problems["what"]))
    assert all(problems.get(file, "").startswith(text) for file, text in expected.items()), problems


@pytest.mark.parametrize("layout", ["", "class"])
def test_a_folder_with_odd_things_is_read_without_them(tmp_path, layout):
    folder = odd_things(tmp_path / "own" / "ill", tmp_path / "elsewhere")
    root = folder if layout == "" else folder.parent
    result = datasets.from_folder(root, layout=layout, size=32)
    prefix = "" if layout == "" else "ill/"
    assert_rows(result, {prefix + file: text for file, text in ROWS.items()})
    assert result.dataset.facts["file"].tolist() == [prefix + "a.png", prefix + "same.png"]


def test_a_table_with_odd_paths_is_read_without_them(tmp_path):
    folder = odd_things(tmp_path / "own", tmp_path / "elsewhere")
    outside = {"../elsewhere/b.png": "it lies outside", "/dev/zero": "it lies outside"}
    rows = ROWS | outside | {".": "it is a folder"}
    (folder / "t.csv").write_text("\n".join(["file", "a.png", *rows]))
    result = datasets.from_table(folder / "t.csv", label=None, patient=None, size=32)
    assert_rows(result, rows)
    assert result.dataset.facts["file"].tolist() == ["a.png"]
    path = str(tmp_path / "elsewhere" / "b.png")
    (folder / "t.csv").write_text(f"file\na.png\n{path}\n")
    assert "lies outside" in what(datasets.from_table(folder / "t.csv", label=None, patient=None))
    wide = datasets.from_table(folder / "t.csv", tmp_path, label=None, patient=None, size=32)
    assert path in wide.dataset.facts["file"]  # this root holds it


def test_a_table_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    os.mkfifo(tmp_path / "t.json")
    with pytest.raises(ValueError, match="'t.csv' cannot be read: it is a pipe"):
        datasets.from_table(tmp_path / "t.csv")
    with pytest.raises(ValueError, match="'t.json' cannot be read: it is a pipe"):
        datasets.from_boxes(tmp_path / "t.json")


def test_a_link_to_the_folder_itself_is_followed(tmp_path):
    put(tmp_path / "store", ill__a_png=png())
    (tmp_path / "link").symlink_to(tmp_path / "store")
    result = datasets.from_folder(tmp_path / "link", size=32)
    assert len(result.dataset) == 1 and not len(result.problems)


def test_masks_and_boxes_elsewhere_are_rows(tmp_path):
    pictures = put(tmp_path / "pictures", a_png=png(), b_png=png(1), c_png=png(2))
    masks = put(tmp_path / "masks", a_png=mutations.sound("mask_png"))
    os.mkfifo(masks / "b.png")
    (masks / "c.png").symlink_to(pictures / "c.png")
    result = datasets.from_masks(pictures, masks, size=32)
    assert_rows(result, {"b.png": "it is a pipe", "c.png": "it lies outside"})
    assert len(result.dataset) == 1

    annotations = put(tmp_path / "voc", a_xml=mutations.sound("voc"), a_png=png())
    os.mkfifo(annotations / "b.xml")
    (annotations / "c.xml").symlink_to(masks / "b.png")
    result = datasets.from_boxes(annotations, size=32)
    assert_rows(result, {"b.xml": "it is a pipe", "c.xml": "it lies outside"})

    yolo = put(tmp_path / "yolo", a_png=png(), a_txt=b"0 .5 .5 .2 .2", b_png=png(1), c_png=png(2))
    os.mkfifo(yolo / "b.txt")
    (yolo / "c.txt").symlink_to(annotations / "a.xml")
    (yolo / "classes.txt").symlink_to(annotations / "a.xml")
    result = datasets.from_boxes(yolo, size=32)
    assert_rows(result, {"b.txt": "it is a pipe", "c.txt": "it lies outside"})
    assert_rows(result, {"classes.txt": "it lies outside"})
    assert len(result.dataset) == 1


def test_a_predictor_reads_no_pipe_and_nothing_elsewhere(tmp_path):
    folder = odd_things(tmp_path / "own", tmp_path / "elsewhere")
    parts = list(_sources.parts(folder, 8, volumes=False))
    problems = dict(row for part in parts for row in part.unreadable)
    assert {file: text.startswith(ROWS[file]) for file, text in problems.items()} == dict.fromkeys(
        ROWS, True
    )
    assert sum(len(part.images) for part in parts) == 2
    named = list(_sources.parts([folder / "pipe.png", folder / "link.png"], 8, volumes=False))
    assert "it is a pipe" in named[0].unreadable[0][1] and len(named[1].images) == 1
    os.mkfifo(tmp_path / "predictor.json")
    with pytest.raises(FileNotFoundError, match="no predictor"):
        load(tmp_path)


def test_a_folder_that_may_not_be_opened_is_a_row(tmp_path, monkeypatch):
    put(tmp_path, ill__a_png=png(), shut__b_png=png(1))
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "shut" not in str(path) and allowed(path, mode)
    )
    result = datasets.from_folder(tmp_path, size=32)
    assert_rows(result, {"shut": "it is a folder that may not be opened"})


def test_what_is_no_file_is_named(tmp_path):
    for path, noun in ((tmp_path, "a folder"), ("/dev/zero", "a device")):
        with pytest.raises(Unreadable, match=f"it is {noun}, and no file"):
            _paths.contents(_paths.Path(path))
