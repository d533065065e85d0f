"""What the benchmarks must keep apart, their bootstrap, and the command that runs them.

Programs that import `common.table` need a process of their own: it holds TensorFlow to one thread.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common import bootstrap
from medlearn import metrics
from tools import bench, commands, lessons
from tools.site import results

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
OWN_ENVIRONMENT = "peers"  # a folder of programs that run elsewhere


def run_in_a_process(code, *arguments, **environment):
    """What a piece of code prints in the folder of the benchmarks."""
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def imported_modules(path):
    """The first part of the name of every module that a file imports, anywhere in it."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module.split(".")[0])
    return modules


def test_benchmarks_do_not_import_each_other_nor_tests_nor_tools():
    programs = {path.stem for path in BENCHMARKS.glob("*.py")}
    tests = {path.stem for path in (BENCHMARKS.parent / "tests").glob("*.py")}
    forbidden = programs | tests | {"tests", "tools", OWN_ENVIRONMENT}
    paths = [*BENCHMARKS.glob("*.py"), *(BENCHMARKS / "common").glob("*.py")]
    assert {path.name: imported_modules(path) & forbidden for path in paths} == {
        path.name: set() for path in paths
    }
    assert programs and "medlearn" in imported_modules(BENCHMARKS / "transfer.py")


STAGED_ROWS = """
import numpy as np
from common import cells, recipe_networks
cells.class_count = lambda name: 5                     # no images are needed here
pretrained = cells.upper().get_weights()
first = recipe_networks.ready(recipe_networks.staged_model, "smear", "5", 25)
for weight in first.trainable_weights:
    weight.assign(weight + 1.0)                        # as a fit would
second = recipe_networks.ready(recipe_networks.staged_model, "smear", "20", 100)
for model in (cells.upper(), second.layers[1]):
    for now, before in zip(model.get_weights(), pretrained):
        np.testing.assert_array_equal(now, before)
"""


@pytest.mark.slow
def test_a_fine_tuned_row_leaves_the_pretrained_weights_to_the_next():
    run_in_a_process(STAGED_ROWS)


HEADERS = """
import importlib, pathlib
for path in sorted(pathlib.Path(".").glob("*.py")):
    program = importlib.import_module(path.stem)
    if hasattr(program, "KEY"):
        print(path.stem, ",".join((*program.KEY, *program.COLUMNS)))
"""


@pytest.mark.slow
def test_committed_tables_have_the_columns_that_their_programs_write():
    headers = dict(line.split(" ", 1) for line in run_in_a_process(HEADERS).splitlines())
    assert {"adaptation", "dense_detection_ceiling", "sim_to_real", "transfer"} <= set(headers)
    for name, header in headers.items():
        lines = (BENCHMARKS / "results" / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert next(line for line in lines if not line.startswith("#")) == header, name


@pytest.mark.slow
def test_a_table_begins_with_the_machine_and_lies_in_the_folder_of_the_environment(tmp_path):
    grow = (
        "from common import table\n"
        "def measure(row): return {'score': row * 2}\n"
        "table.grow('tiny', '', ('row',), ('score',), [(1,), (2,)], measure)"
    )
    output = run_in_a_process(grow, "--only", "2", MEDLEARN_RESULTS=str(tmp_path))
    processor, versions, row = output.splitlines()
    assert processor.endswith("one thread") and "tensorflow" in versions and row == "2 4"
    head = (tmp_path / "tiny.csv").read_text().splitlines()[1:3]
    assert head == [f"# {processor}", f"# {versions}"]


# ---- the bootstrap -------------------------------------------------------------------------------


def scored(seeds, value=0.5):
    return bootstrap.Scores(seeds, value, value + np.linspace(-0.01, 0.01, 50))


def test_scores_of_unequal_seeds_are_not_subtracted():
    with pytest.raises(ValueError, match=r"the same seeds on both sides, not \[0, 1\] and \[0\]"):
        bootstrap.difference(scored((0, 1)), scored((0,)))
    with pytest.raises(ValueError, match="the same seeds"):
        bootstrap.share_of_gap(scored((0,)), scored((0,), 0.2), scored((0, 1), 0.9))
    assert bootstrap.common_seeds([2, 0, 1], {1: "a", 2: "b"}) == [1, 2]


def test_a_share_is_given_where_there_is_a_gap():
    share = bootstrap.share_of_gap(scored((0,), 0.6), scored((0,), 0.2), scored((0,), 1.0))
    assert share.value == pytest.approx(0.5)
    level = bootstrap.Scores((0,), 0.201, np.linspace(0.1, 0.3, 50))
    assert bootstrap.share_of_gap(scored((0,)), scored((0,), 0.2), level) is None


def test_scores_over_seeds_agree_with_the_intervals_of_the_package():
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(20).astype(str), 4)
    labels = random.integers(3, size=80)
    predictions = {seed: np.where(random.random(80) < 0.7, labels, 0) for seed in (0, 1)}
    draws = bootstrap.Patients(dict.fromkeys(predictions, patients), repeats=100)
    score = draws.score(metrics.macro_f1, dict.fromkeys(predictions, labels), predictions)

    def mean_over_seeds(labels, columns):
        return float(np.mean([metrics.macro_f1(labels, column) for column in columns.T]))

    both = np.column_stack(list(predictions.values()))
    expected = metrics.interval(mean_over_seeds, labels, both, patients, repeats=100)
    assert list(score.columns("f1").values()) == pytest.approx(list(expected))
    correct = {seed: (values == labels).astype(float) for seed, values in predictions.items()}
    correct[0][labels == 2] = np.nan  # left out of the mean
    mean = draws.mean({0: correct[0]})
    assert mean.value == pytest.approx(np.nanmean(correct[0]))


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
print("called with", *sys.argv[1:], flush=True)
'''
SUMMARY = '''"""The sum.

    python benchmarks/{name}_summary.py
"""
import os, pathlib, sys
folder = pathlib.Path(os.environ["MEDLEARN_RESULTS"])
count = len((folder / "{name}.csv").read_text().split())
(folder / "{name}_summary.csv").write_text(f"rows\\n{count}\\n")
print("summed", *sys.argv[1:], flush=True)
'''


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A course with one benchmark and its summary, in a path as users have them."""
    root = tmp_path / "un cours à part"
    (root / "benchmarks" / "results").mkdir(parents=True)
    texts = {
        "pay.py": PROGRAM,
        "pay_summary.py": SUMMARY,
        "helper.py": '"""No {name} of its own."""',
    }
    for file, text in texts.items():
        path = root / "benchmarks" / file
        path.write_text(text.replace("{name}", "pay"), encoding="utf-8")
    monkeypatch.setattr(lessons, "ROOT", root)
    monkeypatch.setattr(bench._files, "folder", lambda name: root / "benchmarks" / name)
    return root


def test_a_benchmark_runs_with_what_follows_it_and_is_listed_with_its_tables(checkout, capfd):
    assert commands.main(["bench", "pay", "--only", "smear", "--minutes", "5"]) == 0
    output = capfd.readouterr().out.strip().splitlines()
    assert output[:2] == ["called with --only smear --minutes 5.0", "summed --short"]
    tables = ["    pay.csv: 2 rows, 2 CPU-minutes", "    pay_summary.csv: 1 rows"]
    assert output[-3:] == [f"In {checkout / 'benchmarks' / 'results'}:", *tables]
    assert commands.main(["bench"]) == 0
    listed = capfd.readouterr().out.splitlines()[2:]
    assert listed == ["pay", "    Does pay pay?", *tables]


def test_all_rows_measured_anew_leave_the_committed_tables_alone(checkout, tmp_path):
    folder = tmp_path / "new" / "results"
    assert commands.main(["bench", "pay", "--to", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["pay.csv", "pay_summary.csv"]
    assert list((checkout / "benchmarks" / "results").iterdir()) == []


def test_a_benchmark_that_cannot_run_is_one_sentence(checkout, capfd):
    assert commands.main(["bench", "helper"]) == 1
    assert capfd.readouterr().err == "There is no benchmark helper; there are pay, pay_summary.\n"
    summary = checkout / "benchmarks" / "pay_summary.py"
    summary.write_text(SUMMARY.replace("{name}", "pay") + "sys.exit(3)")
    assert commands.main(["bench", "pay"]) == 1
    assert "benchmarks/pay_summary.py ended with an error" in capfd.readouterr().err
    for path in (checkout / "benchmarks").glob("*.py"):
        path.unlink()
    assert commands.main(["bench"]) == 1
    error = capfd.readouterr().err
    assert "Clone the course" in error and error.count("\n") == 1


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
        assert "?" in program.question, program.name
        for command in program.commands:
            assert (BENCHMARKS.parent / command.words[0]).is_file()
