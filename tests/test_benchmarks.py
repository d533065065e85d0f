"""What the benchmarks must keep apart, their bootstrap, and the command that runs them.

Programs that import `common.table` need a process of their own: it holds TensorFlow to one thread.
"""

import ast
import contextlib
import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stale

from common import bootstrap, origin
from medlearn import metrics
from medlearn.metrics import _resamples
from tools import bench, claims, commands, lessons
from tools.site import evidence, results

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


TUNED_ON_LABELLED_IMAGES = """
from types import SimpleNamespace
import numpy as np
from common import cells, tuned_recipes
dataset = SimpleNamespace(labels=np.arange(40) % 2, patients=np.arange(40))
cells.load = lambda name: dataset
values = np.repeat(dataset.labels[:, None], 8, axis=1)
values[30:, 1::2] = 1 - values[30:, 1::2]              # half of the test views say the opposite
fits = []
def fit(learner, sure):                                # a predictor that is as sure as its setting
    fits.append((sure, learner.rows))
    return lambda views: np.where(np.eye(2)[views] == 1, sure, 1 - sure), 3
recipe = tuned_recipes.Recipe(lambda data: values, (0.5, 0.9, 0.1), fit)
learner = tuned_recipes.Learner("cells", "5", np.arange(20), 0)
def outcome():
    fits.clear()
    return tuned_recipes.tuned(recipe, learner, np.arange(20, 40))
probabilities, setting, size = outcome()
assert (setting, size, fits[-1][0]) == (0.9, 3, 0.9)
np.testing.assert_array_equal(fits[-1][1], learner.rows)
assert [sure for sure, _ in fits[:3]] == [0.5, 0.9, 0.1]
assert all(len(rows) == 10 and rows.max() < 20 for _, rows in fits[:3])
np.testing.assert_allclose(probabilities[:10].max(1), 0.9)
np.testing.assert_allclose(probabilities[10:], 0.5)
dataset.labels = np.concatenate([dataset.labels[:20], 1 - dataset.labels[20:]])
np.testing.assert_array_equal(outcome()[0], probabilities)
"""


@pytest.mark.slow
def test_a_setting_is_chosen_on_labelled_images_and_views_are_averaged():
    run_in_a_process(TUNED_ON_LABELLED_IMAGES)


OWN_ORACLES = """
from functools import partial
import pandas as pd
import adaptation_summary
from common import candidates, choices
assert candidates.oracle_of("source only") == "oracle"
methods = ["source only", "scale, kept, coral, probe", "oracle", "oracle, scale, kept"]
assert candidates.oracle_of(methods[1]) == methods[3] in candidates.oracles("wbc a>b")
assert "oracle, macenko, kept" not in candidates.oracles("brain-mri flair")
rows = pd.DataFrame({"method": methods, "predictions": ["000", "011", "111", "110"], "seed": 0})
scaled = partial(choices.named, method=methods[1])
assert choices.own_oracle(rows, 0, scaled) == "110"
assert choices.own_oracle(rows, 0, partial(choices.named, method="source only")) == "111"
assert choices.consensus(rows, 0) == "000"             # no oracle votes
assert adaptation_summary._own_oracles("wbc a>b", rows) == {}
assert set(adaptation_summary._to_own_oracle("oracle", {}).values()) == {None}
"""


@pytest.mark.slow
def test_a_choice_has_an_oracle_on_its_own_representation():
    run_in_a_process(OWN_ORACLES)


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
        columns = next(line for line in lines if not line.startswith("#"))
        own = header.split(",")
        added = [column for column in origin.COLUMNS if column not in own]
        assert columns in (header, ",".join((*own, *added))), name


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
    lines = (tmp_path / "tiny.csv").read_text().splitlines()
    assert lines[1:3] == [f"# {processor}", f"# {versions}"]
    measured = dict(zip(lines[-2].split(","), next(csv.reader(lines[-1:]))))
    assert measured["processor"] == processor and measured["versions"] == versions
    assert measured["command"] == "python benchmarks/tiny.py --only 2" and measured["date"] > "2026"


GROW = """
import time
from common import table
def measure(row):
    time.sleep(0.05)
    return {'score': row * 2}
table.grow('tiny', '', ('row',), ('score',), [(row,) for row in range(12)], measure)
"""


BREAKS_OFF = """
from common import table
class Unwritable:
    def __str__(self):
        raise RuntimeError("breaks off")
try:
    table.write("tiny", [{"row": 0, "score": Unwritable()}])
except RuntimeError as error:
    print(error)
"""


def test_a_summary_that_breaks_off_leaves_the_old_one(tmp_path):
    (tmp_path / "tiny.csv").write_text("the old one")
    assert run_in_a_process(BREAKS_OFF, MEDLEARN_RESULTS=str(tmp_path)) == "breaks off\n"
    assert (tmp_path / "tiny.csv").read_text() == "the old one"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a thing of POSIX systems")
def test_a_kill_at_any_moment_leaves_whole_rows_and_the_next_run_goes_on(tmp_path):
    environment = os.environ | {"MEDLEARN_RESULTS": str(tmp_path), "PYTHONPATH": str(BENCHMARKS)}
    kills = int(os.environ.get("MEDLEARN_KILLS", "3"))
    before = b""
    for seconds in np.random.default_rng(kills).uniform(0, 0.5, kills):
        command = [sys.executable, "-c", GROW]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # the table is begun
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        after = (tmp_path / "tiny.csv").read_bytes()
        assert after.startswith(before) and after.endswith(b"\n")
        before = after
    run_in_a_process(GROW, MEDLEARN_RESULTS=str(tmp_path))
    lines = (tmp_path / "tiny.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [int(row["row"]) for row in rows] == list(range(12))


@pytest.mark.slow
def test_half_a_row_is_measured_again_and_two_programs_fill_one_table(tmp_path):
    run_in_a_process(GROW, "--only", "7", MEDLEARN_RESULTS=str(tmp_path))
    table = tmp_path / "tiny.csv"
    whole = table.read_bytes()
    table.write_bytes(whole + b"8,1")  # as a kill leaves it
    environment = os.environ | {"MEDLEARN_RESULTS": str(tmp_path), "PYTHONPATH": str(BENCHMARKS)}
    command = [sys.executable, "-c", GROW]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in "ab"]
    assert [process.wait(120) for process in both] == [0, 0]
    assert table.read_bytes().startswith(whole)
    lines = table.read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    scores = {int(row["row"]): int(row["score"]) for row in rows}
    assert len(rows) == 12 and scores == {row: row * 2 for row in range(12)}


# ---- where a row comes from ----------------------------------------------------------------------


def test_the_code_of_a_benchmark_is_what_it_imports():
    paths = {path.relative_to(BENCHMARKS.parent).as_posix() for path in origin.files("learning")}
    assert {"benchmarks/learning.py", "benchmarks/common/recipes.py"} <= paths
    assert {"medlearn/metrics/_scores.py", "medlearn/instruments/smear/_scene.py"} <= paths
    assert not {path for path in paths if "plots" in path or "adaptation" in path}


def test_a_digest_changes_with_the_code_and_not_with_comments(tmp_path):
    folder = tmp_path / "benchmarks" / "common"
    folder.mkdir(parents=True)
    program = folder.parent / "pay.py"
    program.write_text("from common import prices\nprint(prices.BEST)")
    prices = folder / "prices.py"

    def digest(text):
        prices.write_text(text)
        for kept in (origin.digest, origin._code, origin._imported):
            kept.cache_clear()
        return origin.digest("pay", tmp_path)

    first = digest('"""Prices."""\nBEST = 1')
    assert first == digest("BEST   = 1  # the lowest")
    assert first != digest("BEST = 2")


def test_rows_by_other_code_are_listed_and_forbid_nothing():
    now = {"code": origin.digest("learning")}
    rows = [now, {"code": "0123456789"}, {"code": origin.UNKNOWN}, {"code": origin.UNKNOWN}]
    counts = {name: len(part) for name, part in stale.states("learning", rows).items()}
    assert counts == {"by the code of today": 1, "by other code": 1, "unknown": 2}
    lines = list(stale.report())
    assert any(line.startswith("transfer: ") for line in lines)


def test_rows_that_say_where_they_come_from_leave_nothing_out():
    for path in (BENCHMARKS / "results").glob("*.csv"):
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
        if rows and set(origin.COLUMNS) <= set(rows[0]):
            assert all(row[column] for row in rows for column in origin.COLUMNS), path.name


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


def made_by_seeds(seeds, patients=20, images=4, spread=0.0, seed=0):
    """Labels, predictions by seed and patients; seeds differ in how often they are right."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(patients).astype(str), images)
    labels = random.integers(3, size=len(ids))
    predictions = {}
    for number in seeds:
        is_right = random.random(len(ids)) < 0.7 + spread * random.normal()
        predictions[number] = np.where(is_right, labels, (labels + 1) % 3)
    return dict.fromkeys(predictions, labels), predictions, dict.fromkeys(predictions, ids)


def test_scores_of_one_seed_are_those_of_the_package():
    labels, predictions, patients = made_by_seeds([3])
    draws = bootstrap.Patients(patients, repeats=100)
    score = draws.score(metrics.macro_f1, labels, predictions)
    patient = np.unique(patients[3], return_inverse=True)[1]
    everything = (labels[3], predictions[3], patient, draws.counts[1:])
    expected = _resamples.resampled_scores(metrics.macro_f1, *everything)
    assert score.draws == pytest.approx(expected)
    assert score.value == pytest.approx(metrics.macro_f1(labels[3], predictions[3]))
    correct = (predictions[3] == labels[3]).astype(float)
    correct[labels[3] == 2] = np.nan  # left out of the mean
    assert draws.mean({3: correct}).value == pytest.approx(np.nanmean(correct))


def test_intervals_over_seeds_hold_the_spread_of_seeds_and_of_patients():
    """Five seeds that differ: the variance is that of the mean over seeds plus that of patients."""
    labels, predictions, patients = made_by_seeds(range(5), patients=200, spread=0.06)
    draws = bootstrap.Patients(patients, repeats=4000)
    score = draws.score(metrics.accuracy, labels, predictions)
    by_seed = [metrics.accuracy(labels[seed], predictions[seed]) for seed in predictions]
    assert score.value == pytest.approx(np.mean(by_seed))
    of_patients = np.mean(
        [draws.score(metrics.accuracy, labels, {s: predictions[s]}).draws for s in range(5)], axis=0
    ).var()
    assert score.draws.var() == pytest.approx(of_patients + np.var(by_seed, ddof=1) / 5, rel=0.1)


def test_what_seeds_have_in_common_cancels_out_in_a_difference():
    labels, predictions, patients = made_by_seeds(range(4), spread=0.1)
    draws = bootstrap.Patients(patients)
    shuffled = dict(sorted(predictions.items(), reverse=True))
    first, second = (
        draws.score(metrics.accuracy, labels, part) for part in (predictions, shuffled)
    )
    assert not bootstrap.difference(first, second).draws.any()
    columns = first.columns("accuracy")
    assert columns["accuracy_low"] < columns["accuracy"] < columns["accuracy_high"]


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


# ---- what we know --------------------------------------------------------------------------------


def test_the_page_of_evidence_says_what_the_tables_hold():
    page = (lessons.ROOT / evidence.WHERE).read_text(encoding="utf-8")
    assert page == evidence.text(), "write it anew: python -m tools.site.evidence"
    assert "exploratory" in page and "Real pairs that the project had never seen" in page
    of_real_cells = [
        claim
        for section in claims.SECTIONS.values()
        for claim in section
        if "wbc" in "".join(claim.row.values())
    ]
    assert of_real_cells
    for claim in of_real_cells:
        assert claim.status == claims.EXPLORATORY and claims.BY_IMAGE in claim.limits


def test_the_readme_says_what_the_page_says():
    page = (lessons.ROOT / evidence.WHERE).read_text(encoding="utf-8")
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.search(r"nothing is shown: share (-?\.\d\d \[-?\.\d\d, \.\d\d\])", readme)
    assert f"| real cells, b to a | {quoted.group(1)} | 5 seeds |" in page
    below = re.search(r"mean Dice (\.\d\d) and (\.\d\d) below a segmenter", readme)
    for laboratory, value in zip("ab", below.groups()):
        assert f"| real laboratory {laboratory} | {value} [" in page


def test_a_claim_without_its_row_is_an_error():
    claim = claims.Claim("none", "transfer_summary", {"data": "nowhere"}, "macro_f1")
    with pytest.raises(LookupError, match="transfer_summary has 0 rows of"):
        evidence._record(claim)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """The committed simulation: scores of 20 and more patients, and what is missed."""
    path = BENCHMARKS / "results" / "interval_coverage.csv"
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    enough = [row for row in rows if int(row["patients"]) >= 20]
    coverage = np.array([float(row["coverage"]) for row in enough])
    before = np.array([float(row["percentile_coverage"]) for row in enough])
    assert np.mean(coverage >= 0.92) >= 0.85 and coverage.mean() > before.mean() + 0.03
