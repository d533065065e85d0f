"""Twenty thousand rows, labels or copies are read in seconds, and large pictures in little memory.

A step that grows with the square of the rows would take minutes to hours here: the limits are a
tenth of that, and leave room for a busy machine.
"""

import re
import subprocess
import sys
import time
import tracemalloc

import nibabel
import numpy as np
import pytest
from PIL import Image

from common import mutations
from medlearn import datasets
from medlearn._dataset import Dataset
from medlearn.datasets.readers import _duplicates, _identity, _words
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


def test_names_of_many_patients_are_hidden(tmp_path, monkeypatch):
    """A pattern compiled for each of them would take six seconds."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    pseudonym = _identity.pseudonym("patient 7")
    began = time.process_time()
    names = [f"patient {number}/{number}.png" for number in range(MANY)]
    hidden = [_identity.hidden(name, name.split("/")[0]) for name in names]
    assert time.process_time() - began < 3
    assert hidden[7] == f"{pseudonym}/7.png" and len(set(hidden)) == MANY


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


def coco(folder, annotations):
    head = '{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "c"}], '
    path = folder / "a.json"
    path.write_text(head + '"annotations": [' + ",".join(annotations) + "]}")
    return path


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        (["[]"] * 300_000, "none of its first 10,000 annotations is usable (the last one: it is"),
        (["{}"] * 100_000, "is usable (the last one: it has no bbox); export images, annot"),
        (["[[],[],[]]"] * 1_000_000, "it holds 4,000,006 lists and objects, and at most 3,000,000"),
    ],
)
def test_annotations_of_which_none_is_usable_are_refused_early(
    tmp_path, monkeypatch, annotations, sentence
):
    rows = []
    monkeypatch.setattr(Problems, "add", lambda *row: rows.append(row))
    with pytest.raises(ValueError, match=re.escape(sentence)):
        datasets.from_boxes(coco(tmp_path, annotations))
    assert len(rows) < 10_000


def test_many_problems_of_one_file_are_counted(tmp_path, quickly):
    """One box is good: the file is read, and 10,000 problems of it are listed."""
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "a.png")
    good = '{"image_id": 1, "category_id": 1, "bbox": [8, 8, 20, 20]}'
    bad = [f'{{"image_id": 1, "category_id": 1, "bbox": [{number}]}}' for number in range(100_000)]
    result = datasets.from_boxes(coco(tmp_path, [good, *bad]), size=64, cache=False)
    assert len(result.dataset.boxes[0]) == 1
    further = result.problems[result.problems["what"].str.contains("further problems")]
    assert further["what"].tolist() == ["90,000 further problems of this file are not listed"]
    assert "(10000 files" in result.problems["what"].iloc[0]


READ = """
import resource, sys
from medlearn import datasets
datasets.from_folder  # what is imported does not count
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = datasets.from_folder(sys.argv[1], layout="", size=128, cache=False)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(result.dataset), (after - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux")
@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_large_pictures_are_held_one_at_a_time(tmp_path, count):
    """Pictures of 2,000 x 2,000 pixels, 12 MB each as they are read.

    The memory of one is bounded, and grows with the result only: 1,000 of them raise it by 250 MB,
    50 of which are the result.
    """
    y, x = np.ogrid[:2000, :2000]
    rng = np.random.default_rng(0)
    for number in range(count):
        red, green, blue = rng.integers(0, 256, 3)
        shades = np.broadcast_arrays(red + y // 4, green + x // 3, blue + (x + y) // 16)
        picture = Image.fromarray(np.stack(shades, axis=-1).astype(np.uint8))
        if number % 4:
            picture.save(tmp_path / f"{number}.jpg", quality=80)
        else:
            picture.save(tmp_path / f"{number}.png", compress_level=1)
    command = [sys.executable, "-c", READ, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    read, megabytes = ended.stdout.split()
    assert int(read) == count and float(megabytes) < 190


def volume(kind):
    """A file of 200 slices or frames, about 13 MB as bytes and 40 MB as colours."""
    values = np.random.default_rng(0).integers(0, 255, (200, 256, 256), dtype=np.uint8)
    if kind == "nifti":
        return nibabel.Nifti1Image(values.transpose(2, 1, 0), np.eye(4)).to_bytes()
    bits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    return mutations.dicom(values.astype(np.uint16), PixelData=values.tobytes(), **bits)


@pytest.mark.parametrize(("kind", "copies"), [("nifti", 6), ("dicom", 3)])
def test_slices_and_frames_are_held_one_at_a_time(tmp_path, kind, copies):
    """A NIfTI file is held as float32 (four copies) for its percentiles, and nothing as colours."""
    (tmp_path / "a.bin").write_bytes(volume(kind))
    tracemalloc.start()
    try:
        result = datasets.from_folder(tmp_path, layout="", size=28, slices=200, cache=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(result.dataset) == 200
    assert peak < copies * 200 * 256 * 256
