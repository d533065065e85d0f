"""The doctor's report: what is there, and what to do about what is not."""

import re

import pytest
from commandline import FOLDER_NAME, notebook, write

from medlearn.backbones import _dinov2
from medlearn.datasets import _catalogue, _real
from medlearn.datasets._store import sources
from medlearn.teaching import doctor
from tools import lessons

TOPICS = (
    "Python",
    "TensorFlow",
    "GPU",
    "Jupyter",
    "lessons",
    "weights",
    "cache",
    "data",
    "network",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for lessons, which the commands take for the course's."""
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


def test_the_doctor_finds_the_course_fit_here(folder, monkeypatch, capsys):
    write(folder, "00_a.ipynb", notebook("1"))
    monkeypatch.setattr(doctor, "_answers", lambda host: False)
    assert doctor.report() == 0
    out = capsys.readouterr().out
    for topic in TOPICS:
        assert re.search(rf"^(ok|note) +{topic} ", out, re.MULTILINE), topic
    assert "no answer from" in out and out.endswith("The course can run.\n")


def test_the_doctor_says_whether_the_vision_transformer_is_here(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    finding = doctor._weights()
    assert finding.state == doctor.NOTE and "dinov2_small: not in the cache; pip" in finding.text
    monkeypatch.setattr(_dinov2, "read_cached", dict)
    finding = doctor._weights()
    assert finding.state == doctor.OK and "dinov2_small: in the cache" in finding.text


def test_what_keeps_the_course_from_running_is_a_problem(monkeypatch, folder, capsys):
    monkeypatch.setattr(doctor, "NOTEBOOKS", folder / "none")
    monkeypatch.setattr(doctor, "_version", lambda name: "1" if "tensorflow" in name else None)
    assert "overwrite each other" in doctor._tensorflow().text
    assert doctor._jupyter().state == doctor.PROBLEM and "jupyterlab" in doctor._jupyter().text
    assert doctor.examine(doctor._lessons).state == doctor.PROBLEM
    monkeypatch.setattr(doctor, "CHECKS", {"lessons": doctor._lessons})
    assert doctor.report() == 1
    assert "PROBLEM" in capsys.readouterr().out


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """An empty mirror beside an empty cache."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def put(mirror, origin):
    archive = mirror / sources.path_in_mirror(origin)
    archive.parent.mkdir(parents=True)
    archive.touch()


def test_the_doctor_knows_where_data_would_come_from(mirror, tmp_path, monkeypatch):
    assert "downloaded" in doctor._origin("wbc")
    put(mirror, _catalogue.card("wbc").origin)
    assert doctor._origin("wbc") == "at the mirror"
    monkeypatch.delenv("MEDLEARN_MIRROR")
    assert "downloaded" in doctor._origin("wbc")
    assert "supply" in doctor._origin("drive")
    (tmp_path / "cache" / "datasets" / "wbc").mkdir(parents=True)
    assert doctor._origin("wbc") == "in the cache"


def test_the_doctor_tells_sets_of_one_origin_apart(mirror):
    put(mirror, _real.origins(_catalogue.card("breast"))[0])
    assert doctor._origin("breast") == "at the mirror" and "downloaded" in doctor._origin("blood")
    _real.folders(_catalogue.card("blood"))[0].mkdir(parents=True)
    assert doctor._origin("blood") == "in the cache"
