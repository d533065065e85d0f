"""What each lesson costs: measured by `run` and by the tests, and the committed table within its bounds."""

import csv
import os
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from medlearn import _files
from tools import commands, costs, lessons, suite

LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what another process used"
)
BUSY = "import time\nblock = bytearray(300_000_000)\ndel block\nwhile time.process_time() < 3: pass"  # 300 MB, then 3 s of work


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two lessons: one that works and one that waits."""
    folder = tmp_path / "un chemin é à"
    folder.mkdir()
    for name, source in {"01_work": BUSY, "02_wait": "import time\ntime.sleep(2)"}.items():
        nbformat.write(
            new_notebook(cells=[new_code_cell(source), new_code_cell("print('done')")]),
            folder / f"{name}.ipynb",
        )
    monkeypatch.setattr(lessons, "FOLDER", folder)
    return folder


def read(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return {row["lesson"]: row for row in csv.DictReader(stream)}


def expect_what_they_cost(rows):
    work, wait = rows["01_work"], rows["02_wait"]
    assert list(rows) == ["01_work", "02_wait"]
    assert 3 <= int(work["cpu_seconds"]) <= 8 and int(work["peak_mb"]) > 300
    assert int(wait["cpu_seconds"]) < 3 and int(wait["peak_mb"]) < 300 and int(wait["seconds"]) >= 2
    assert work["processor"] and int(work["cores"]) == os.cpu_count() and work["date"]


@LINUX
def test_run_keeps_what_each_lesson_cost(folder, tmp_path, capsys):
    table = tmp_path / "times.csv"
    for number in ("2", "1"):
        assert commands.main(["run", number, "--times", str(table)]) == 0
    expect_what_they_cost(read(table))
    assert " GB\n" in capsys.readouterr().out


@LINUX
def test_nbval_tells_what_each_lesson_cost(folder):
    command = [
        sys.executable,
        "-m",
        "pytest",
        *suite.NBVAL,
        "--times",
        "times.csv",
        *suite.TWO_AT_A_TIME,
        ".",
    ]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    expect_what_they_cost(read(folder / "times.csv"))
    told = ended.stdout[ended.stdout.index("what each lesson cost") :]
    assert "01_work" in told and "02_wait" in told and "together" in told


def test_test_hands_the_table_to_the_notebooks_alone(monkeypatch, tmp_path, folder):
    asked = []
    monkeypatch.setattr(lessons, "ROOT", folder)
    monkeypatch.setattr(
        suite.subprocess, "call", lambda command, cwd: asked.append(command[3:]) or 0
    )
    monkeypatch.chdir(tmp_path)
    assert commands.main(["test", "--times", "times.csv"]) == 0
    assert [str(tmp_path / "times.csv") in command for command in asked] == [False, True, False]


def test_a_row_replaces_the_old_one_of_its_lesson_and_leaves_the_others(tmp_path):
    table = tmp_path / "times.csv"
    costs.write({"01_a": costs.Cost(10, 15.4, 2000.0), "02_b": costs.Cost(20)}, table)
    costs.write({"01_a": costs.Cost(11)}, table)
    rows = read(table)
    assert {
        name: (row["seconds"], row["cpu_seconds"], row["peak_mb"]) for name, row in rows.items()
    } == {"01_a": ("11", "", ""), "02_b": ("20", "", "")}
    assert [
        line.split()
        for line in costs.lines({"01_a": costs.Cost(10.2, 15.4, 2000.0), "02_b": costs.Cost(20)})[
            1:
        ]
    ] == [["01_a", "10", "15", "2000"], ["02_b", "20"], ["together", "30", "15"]]


@LINUX
def test_a_process_is_asked_what_it_used_and_one_that_is_gone_has_no_answer():
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time\nwhile time.process_time() < 1: pass\nprint(flush=True)\ntime.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        child.stdout.readline()
        seconds, peak = costs.of_process(child.pid)
        assert 0.9 < seconds < 3 and 3 < peak < 200
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert costs.of_process(child.pid) is None and costs.of_process(None) is None
    assert costs.of_process(os.getpid())[0] == pytest.approx(
        sum(os.times()[:4]), abs=0.1 + time.get_clock_info("process_time").resolution
    )


def test_every_lesson_keeps_within_two_minutes_and_three_gigabytes_and_all_of_them_within_a_quarter_of_an_hour():
    """Made by `python3 course.py run --times benchmarks/results/lessons.csv` on two quiet cores."""
    rows = read(_files.folder("results") / "lessons.csv")
    assert list(rows) == [path.stem for path in lessons.find([])], (
        "run the new lessons with --times (see above)"
    )
    for row in rows.values():
        assert int(row["seconds"]) <= 120 and int(row["peak_mb"]) <= 3 * 1024, row
    assert sum(int(row["seconds"]) for row in rows.values()) <= 15 * 60
