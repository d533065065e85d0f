"""Twenty thousand rows, labels or copies are read in seconds, and large pictures in little memory.

A step that grows with the square of the rows would take minutes to hours here: the limits are a
tenth of that, and leave room for a busy machine.
"""

import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from medlearn import datasets
from medlearn._dataset import Dataset
from medlearn.datasets.readers import _duplicates, _words
from medlearn.datasets.readers._problems import Problems

MANY = 20_000


@pytest.fixture
def quickly():
    """Fail if a test takes more than a minute of this process."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 60


def test_rows_that_name_the_wrong_ending(tmp_path, quickly):
    for number in range(MANY):
        (tmp_path / f"image_{number:05d}.png").touch()
    rows = "".join(f"image_{number:05d}.jpg,a\n" for number in range(MANY))
    (tmp_path / "table.csv").write_text("file,label\n" + rows)
    problems = datasets.from_table(tmp_path / "table.csv", cache=False).problems
    fixes = problems["how to fix"][problems["what"] == "there is no such file"]
    assert len(fixes) == MANY and fixes.iloc[123] == "correct the path, perhaps to image_00123.png"


def test_missing_files_of_a_large_folder_get_a_similar_name(tmp_path, quickly):
    for number in range(2_000):
        (tmp_path / f"image_{number:05d}.png").touch()
    rows = "".join(f"imagee_{number:05d}.png,a\n" for number in range(2_000))
    (tmp_path / "table.csv").write_text("file,label\n" + rows)
    problems = datasets.from_table(tmp_path / "table.csv", cache=False).problems
    fixes = problems["how to fix"][problems["what"] == "there is no such file"]
    assert fixes.iloc[7] == "correct the path, perhaps to image_00007.png"


def test_many_labels_and_two_spellings_among_them(quickly):
    labels = [f"finding number {number}" for number in range(MANY)]
    problems = Problems()
    _words.report_similar_labels([*labels, "Finding Number 7"], "table.csv", problems)
    [row] = problems.rows()
    assert "'Finding Number 7' (once) looks like 'finding number 7'" in row[2]


def test_many_identical_pictures(quickly):
    count = MANY // 4
    square = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    names = np.array([f"{number:05d}" for number in range(count)])
    images = np.broadcast_to(square, (count, 32, 32, 3)).copy()
    facts = {"file": names, "series": np.full(count, "")}
    dataset = Dataset(
        name="copies",
        licence="own",
        images=images,
        patients=names,
        patients_known=True,
        domains=np.full(count, "one"),
        spacing=np.full((count, 2), np.nan),
        facts=facts,
    )
    problems = Problems()
    _duplicates.report(dataset, problems)
    assert len(problems.rows()) == count - 1


READ = """
import resource, sys
from medlearn import datasets
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = datasets.from_folder(sys.argv[1], layout="", size=64, cache=False)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(result.dataset), (after - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux")
def test_large_pictures_are_held_one_at_a_time(tmp_path):
    """20 pictures of 2,000 x 2,000 pixels, 240 MB as they are read."""
    rng = np.random.default_rng(0)
    for number in range(20):
        small = Image.fromarray(rng.integers(0, 256, (50, 50, 3), dtype=np.uint8))
        small.resize((2000, 2000), Image.Resampling.NEAREST).save(tmp_path / f"{number}.png")
    command = [sys.executable, "-c", READ, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    count, megabytes = ended.stdout.split()
    assert int(count) == 20 and float(megabytes) < 170
