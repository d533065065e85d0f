"""What a learner solved is kept across sessions, merged, and never lost to a damaged file."""

import json
import subprocess
import sys

import pytest
from filelock import FileLock

from medlearn.teaching import _scores, _table, _verdicts, check

PRECISION = "lambda p, found, spared: p * found / (p * found + (1 - p) * (1 - spared))"
TWO_KERNELS = """
from medlearn.teaching import check
for number in range(20):
    check.answer("09.1", 0.5 + number)
check.answer("09.{solved}", {answer})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A learner's cache folder, and a kernel that has just begun."""
    monkeypatch.setenv("MEDLEARN_PROGRESS", "")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "un cache é"))
    begin_session(monkeypatch)
    return tmp_path / "un cache é"


def begin_session(monkeypatch):
    monkeypatch.setattr(_verdicts, "records", {})
    monkeypatch.setattr(_verdicts, "unkept", [])


def test_the_next_session_knows_what_was_solved(folder, monkeypatch):
    check.answer("09.1", 0.1)
    check.answer("09.1", 0.67)
    begin_session(monkeypatch)
    assert check.progress() == [("09.1", 2, True)]
    check.answer("09.1", 0.1)  # solved stays solved
    check.answer("17.1", (1, 1))
    check.answer("20.1", ...)  # looked at, not tried
    begin_session(monkeypatch)
    assert check.progress() == [("09.1", 2, True), ("17.1", 1, False)]
    assert json.loads((folder / "progress.json").read_text("utf-8"))["file"] == _scores.MARK


def test_two_kernels_at_once_lose_nothing(folder):
    sources = [TWO_KERNELS.format(solved=1, answer="0.67")]
    sources.append(TWO_KERNELS.format(solved=2, answer=PRECISION))
    running = [
        subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.DEVNULL)
        for source in sources
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    scores = _scores.read()
    assert scores["09.1"][1] and scores["09.2"] == (1, True)
    assert 21 <= scores["09.1"][0] <= 41  # attempts after it was solved do not count


def test_a_damaged_file_is_set_aside_with_a_sentence(folder, capsys):
    folder.mkdir()
    for text in ("{", "[]", '{"file": "other"}', json.dumps({"file": _scores.MARK})):
        (folder / "progress.json").write_text(text, encoding="utf-8")
        check.answer("09.1", 0.67)
        assert "holds no progress that can be read" in capsys.readouterr().out
        assert check.progress() == [("09.1", 1, True)]
        _verdicts.records.clear()
    damaged = sorted(path.name for path in folder.glob("progress.damaged*"))
    assert damaged == [f"progress.damaged-{number}.json" for number in range(1, 5)]
    assert (folder / damaged[0]).read_text() == "{"


def test_a_folder_that_cannot_be_written_is_one_sentence(folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "file" / "cache"))
    for answer in (0.1, 0.2, 0.67):
        check.answer("09.1", answer)
    assert capsys.readouterr().out.count("cannot be kept on disk") == 1
    assert check.progress() == [("09.1", 3, True)]


def test_a_lock_that_is_held_does_not_stop_the_lesson(folder, monkeypatch, capsys):
    monkeypatch.setattr(_scores, "LOCK_SECONDS", 0.05)
    check.answer("09.1", 0.1)
    with FileLock(folder / "progress.json.lock"):
        check.answer("09.1", 0.67)
        assert "another program holds the file" in capsys.readouterr().out
        assert check.progress() == [("09.1", 2, True)]


def test_nothing_is_kept_where_progress_is_off(folder, monkeypatch):
    monkeypatch.setenv("MEDLEARN_PROGRESS", "off")
    check.answer("09.1", 0.67)
    assert check.progress() == [("09.1", 1, True)] and not folder.exists()


def test_a_saved_table_is_merged_and_read_in_any_country(folder, tmp_path):
    table = tmp_path / "progress.csv"
    check.Progress([("09.1", 3, True), ("09.2", 1, False)]).save(table)
    table.write_text("\ufeff" + table.read_text().replace(",", ";").replace("True", "TRUE"))
    check.Progress([("09.1", 1, False), ("10.1", 2, True)]).save(table)
    expected = {"09.1": (3, True), "09.2": (1, False), "10.1": (2, True)}
    assert _table.read_table(table.read_text()) == expected


OTHERS = [
    b"my thesis",
    b"",
    b"id,solved,notes\nBilly,no,call his mother\n",
    b"id,attempts,solved,notes\n01.1,2,yes,very good\n",
    b"id,attempts,solved\n01.1,2,yes,very good\n",
    b"id,attempts,solved\n01.1,2,\xffyes\n",
]


@pytest.mark.parametrize("content", OTHERS)
def test_a_table_that_holds_more_than_progress_is_not_replaced(folder, tmp_path, content):
    table = tmp_path / "mine.csv"
    table.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine.csv is no table of progress.*choose another name"):
        check.Progress([("09.1", 1, True)]).save(table)
    assert table.read_bytes() == content
