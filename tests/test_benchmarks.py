"""What the benchmarks must keep apart, and the command that runs them. They need a process of their own: they hold TensorFlow to one thread."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bench, commands, lessons
from tools.site import results

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

STAGED_ROWS = """
import numpy as np
from common import cells, recipes
cells.class_count = lambda name: 5                     # no images are needed here
pretrained = cells.upper().get_weights()
first = recipes.ready(recipes.staged_model, "smear", "5", 25)
for weight in first.trainable_weights:
    weight.assign(weight + 1.0)                        # as a fit would
second = recipes.ready(recipes.staged_model, "smear", "20", 100)
for model in (cells.upper(), second.layers[1]):
    for now, was in zip(model.get_weights(), pretrained):
        np.testing.assert_array_equal(now, was)
"""


def test_a_fine_tuned_row_leaves_the_pretrained_weights_to_the_next():
    ran = subprocess.run(
        [sys.executable, "-c", STAGED_ROWS], cwd=BENCHMARKS, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


# ---- the command ---------------------------------------------------------------------------------

PROGRAM = '''"""Does {name} pay?

    python benchmarks/{name}.py [--only TEXT]     # adds rows
    python benchmarks/{name}.py --sideways        # something else
    python benchmarks/{name}_summary.py --short   # then: sums
"""
import os, pathlib, sys
folder = pathlib.Path(os.environ["MEDLEARN_RESULTS"])
with open(folder / "{name}.csv", "a") as stream:
    stream.write("# by hand\\nkey,cpu_seconds\\na,90\\nb,\\n")
print("asked", *sys.argv[1:], flush=True)
sys.exit("broken" in sys.argv)
'''
SUMMARY = '''"""The sum.

    python benchmarks/{name}_summary.py
"""
import os, pathlib, sys
folder = pathlib.Path(os.environ["MEDLEARN_RESULTS"])
(folder / "{name}_summary.csv").write_text("rows\\n" + str(len((folder / "{name}.csv").read_text().split())) + "\\n")
print("summed", *sys.argv[1:], flush=True)
'''


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A course with one benchmark and its summary, in a path as users have them; its results are the committed ones."""
    root = tmp_path / "un cours à part"
    (root / "benchmarks" / "results").mkdir(parents=True)
    for file, text in {
        "pay.py": PROGRAM,
        "pay_summary.py": SUMMARY,
        "helper.py": '"""No {name} of its own."""',
    }.items():
        (root / "benchmarks" / file).write_text(text.replace("{name}", "pay"), encoding="utf-8")
    monkeypatch.setattr(lessons, "ROOT", root)
    monkeypatch.setattr(bench._files, "folder", lambda name: root / "benchmarks" / name)
    return root


def test_a_benchmark_runs_with_what_follows_it_and_says_where_its_tables_are(checkout, capfd):
    assert commands.main(["bench", "pay", "--only", "smear", "--minutes", "5"]) == 0
    told = capfd.readouterr().out.strip().splitlines()
    assert told[:2] == ["asked --only smear --minutes 5.0", "summed --short"]
    assert told[-3:] == [
        f"In {checkout / 'benchmarks' / 'results'}:",
        "    pay.csv: 2 rows, 2 CPU-minutes",
        "    pay_summary.csv: 1 rows",
    ]


def test_all_rows_measured_anew_leave_the_committed_tables_alone(checkout, tmp_path, capfd):
    assert commands.main(["bench", "pay", "--to", str(tmp_path / "new" / "place")]) == 0
    assert sorted(path.name for path in (tmp_path / "new" / "place").iterdir()) == [
        "pay.csv",
        "pay_summary.csv",
    ]
    assert list((checkout / "benchmarks" / "results").iterdir()) == []


def test_the_list_names_benchmarks_their_question_and_their_tables(checkout, capfd):
    assert commands.main(["bench", "pay"]) == 0
    capfd.readouterr()
    assert commands.main(["bench"]) == 0
    told = capfd.readouterr().out
    assert told.splitlines()[2:] == [
        "pay",
        "    Does pay pay?",
        "    pay.csv: 2 rows, 2 CPU-minutes",
        "    pay_summary.csv: 1 rows",
    ]


def test_what_cannot_be_run_is_one_sentence(checkout, capfd):
    assert commands.main(["bench", "helper"]) == 1
    assert capfd.readouterr().err == "There is no benchmark helper; there are pay, pay_summary.\n"
    (checkout / "benchmarks" / "pay_summary.py").write_text(
        SUMMARY.replace("{name}", "pay") + "sys.exit(3)"
    )
    assert commands.main(["bench", "pay"]) == 1
    assert "benchmarks/pay_summary.py ended with an error" in capfd.readouterr().err
    for path in (checkout / "benchmarks").glob("*.py"):
        path.unlink()
    assert commands.main(["bench"]) == 1
    told = capfd.readouterr().err
    assert "Clone the course" in told and told.count("\n") == 1


def test_every_committed_table_is_made_by_a_benchmark_that_can_be_called():
    programs = bench.programs()
    tables = {path.stem for path in (BENCHMARKS / "results").glob("*.csv")}
    benchmarks = tables - set(results.NOT_BENCHMARKS)
    assert {name for name in benchmarks if bench.maker(name, programs) is None} == set()
    called = {name for program in programs.values() for name in program.makers}
    assert called == {
        path.stem for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text()
    }
    for program in programs.values():
        for command in program.commands:
            assert (BENCHMARKS.parent / command.words[0]).is_file()


def test_a_table_begins_with_the_machine_and_lies_where_it_is_asked_for(tmp_path):
    grow = "from common import table; table.grow('tiny', '', ('row',), ('score',), [(1,), (2,)], lambda row: {'score': row * 2})"
    ran = subprocess.run(
        [sys.executable, "-c", grow, "--only", "2"],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        env=dict(os.environ, MEDLEARN_RESULTS=str(tmp_path)),
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    processor, versions, row = ran.stdout.splitlines()
    assert processor.endswith("one thread") and "tensorflow" in versions and row == "2 4"
    assert (tmp_path / "tiny.csv").read_text().splitlines()[1:3] == [
        f"# {processor}",
        f"# {versions}",
    ]
