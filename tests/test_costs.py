"""What each lesson costs: measured by `run` and by the tests, kept in a table."""

import collections
import csv
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from commandline import FOLDER_NAME, notebook, write

from tools import commands, costs, lessons, suite, timing

LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what another process used"
)
# 300 MB, then 3 s of work.
BUSY = "import time\nblock = bytearray(300_000_000)\ndel block\nwhile time.process_time() < 3: pass"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two lessons: one that works and one that waits."""
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    write(folder, "01_work.ipynb", notebook(BUSY, "print('done')"))
    write(folder, "02_wait.ipynb", notebook("import time\ntime.sleep(2)", "print('done')"))
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


def read(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return {row["lesson"]: row for row in csv.DictReader(stream)}


def assert_what_they_cost(rows):
    work, wait = rows["01_work"], rows["02_wait"]
    assert list(rows) == ["01_work", "02_wait"]
    assert 3 <= int(work["cpu_seconds"]) <= 8 and int(work["peak_mb"]) > 300
    assert int(wait["cpu_seconds"]) < 3 and int(wait["peak_mb"]) < 300 and int(wait["seconds"]) >= 2
    assert work["processor"] and int(work["cores"]) == os.cpu_count() and work["date"]


@LINUX
@pytest.mark.slow
def test_run_keeps_what_each_lesson_cost(folder, tmp_path, capsys):
    table = tmp_path / "times.csv"
    for number in ("2", "1"):
        assert commands.main(["run", number, "--times", str(table)]) == 0
    assert_what_they_cost(read(table))
    assert " GB\n" in capsys.readouterr().out


@LINUX
@pytest.mark.slow
def test_nbval_tells_what_each_lesson_cost(folder):
    options = [*suite.NBVAL, "--times", "times.csv", *suite.TWO_AT_A_TIME, "."]
    command = [sys.executable, "-m", "pytest", *options]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout
    assert_what_they_cost(read(folder / "times.csv"))
    summary = process.stdout[process.stdout.index("what each lesson cost") :]
    assert "01_work" in summary and "02_wait" in summary and "together" in summary


def test_proofs_of_exercises_are_no_cost_of_their_lesson(monkeypatch):
    for name in ("_seconds", "_proofs"):
        monkeypatch.setattr(timing, name, collections.defaultdict(float))
    monkeypatch.setattr(timing, "_kernel", {})
    used = {"Cell 0": 5.0, "proof of 02.1: a": 9.0, "proof of 02.1: b": 10.0, "Cell 1": 12.0}
    for name, cpu_seconds in used.items():
        report = SimpleNamespace(
            nodeid=f"notebooks/02_b.ipynb::{name}",
            duration=1.5,
            user_properties=[(timing.KERNEL, (cpu_seconds, 300))],
        )
        timing.pytest_runtest_logreport(report)
    assert timing._cost("02_b") == costs.Cost(3.0, 7.0, 300)


def test_a_row_replaces_the_old_one_of_its_lesson_and_leaves_the_others(tmp_path):
    table = tmp_path / "times.csv"
    costs.write({"01_a": costs.Cost(10, 15.4, 2000.0), "02_b": costs.Cost(20)}, table)
    costs.write({"01_a": costs.Cost(11)}, table)
    columns = ("seconds", "cpu_seconds", "peak_mb")
    rows = {name: tuple(row[column] for column in columns) for name, row in read(table).items()}
    assert rows == {"01_a": ("11", "", ""), "02_b": ("20", "", "")}
    lines = costs.lines({"01_a": costs.Cost(10.2, 15.4, 2000.0), "02_b": costs.Cost(20)})
    words = [line.split() for line in lines[1:]]
    assert words == [["01_a", "10", "15", "2000"], ["02_b", "20"], ["together", "30", "15"]]


def test_a_table_of_costs_that_breaks_off_leaves_the_old_one(tmp_path, monkeypatch):
    def breaks_off(old, new):
        raise OSError("breaks off")

    table = tmp_path / "times.csv"
    costs.write({"01_a": costs.Cost(10)}, table)
    before = table.read_bytes()
    monkeypatch.setattr(os, "replace", breaks_off)
    with pytest.raises(OSError, match="breaks off"):
        costs.write({"02_b": costs.Cost(20)}, table)
    assert table.read_bytes() == before


@LINUX
def test_a_process_is_asked_what_it_used_and_one_that_is_gone_has_no_answer():
    code = "import time\nwhile time.process_time() < 1: pass\nprint(flush=True)\ntime.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        seconds, peak = costs.of_process(child.pid)
        assert 0.9 < seconds < 3 and 3 < peak < 200
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert costs.of_process(child.pid) is None and costs.of_process(None) is None
    tolerance = 0.1 + time.get_clock_info("process_time").resolution
    mine = costs.of_process(os.getpid())[0]
    assert mine == pytest.approx(sum(os.times()[:4]), abs=tolerance)
