"""Lesson 25 as a template: it runs on other folders, and a wrong parameter ends in one sentence."""

import csv
import re
from copy import deepcopy
from dataclasses import dataclass

import lessons
import nibabel
import numpy as np
import pytest
import skimage.data
from lessons import code_cell
from PIL import Image

from medlearn import datasets
from tools import running

PATH = lessons.FOLDER / "25_bring_your_own_data.ipynb"
# One network alone; every other cell stays.
FEWER = 'CANDIDATES = {"efficientnet_lite0": ["block_14"]}'
SIDE = 96


@dataclass
class Play:
    """What a run of the lesson printed, its model card as text, and where it failed."""

    printed: str
    card: str
    result: str
    failure: running.Failure | None


@pytest.fixture(scope="module")
def notebook():
    return lessons.read(PATH).notebook


def play(notebook, folder, **parameters) -> Play:
    """Run the lesson in a folder with other parameters."""
    copy = deepcopy(notebook)
    changes = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    insert_after(copy, lessons.tagged(copy, "parameters")[0], changes)
    starts = [cell for cell in copy.cells if cell.source.startswith("CANDIDATES = ")]
    insert_after(copy, starts[0], FEWER)
    failure = running.execute(copy, folder)
    outputs = []
    for cell in lessons.code(copy):
        outputs += cell.get("outputs", [])
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    pages = [output.get("data", {}).get("text/html", "") for output in outputs]
    cards = [re.sub("<[^>]+>", " ", page) for page in pages if "model-card" in page]
    return Play(printed, "".join(cards[:1]), running.result(copy), failure)


def insert_after(notebook, cell, source):
    notebook.cells.insert(notebook.cells.index(cell) + 1, code_cell(source))


def textures(count=16):
    """Crops of three photographs that ship with scikit-image, each of its own brightness."""
    rng = np.random.default_rng(0)
    for name in ("brick", "grass", "gravel"):
        photograph = getattr(skimage.data, name)().astype(float)
        for number in range(count):
            y, x = SIDE * (number // 5), SIDE * (number % 5)
            crop = photograph[y : y + SIDE, x : x + SIDE] * rng.uniform(0.7, 1.2)
            noisy = crop + rng.normal(0, 6, (SIDE, SIDE))
            yield name, number, np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_a_folder_by_class_with_one_site_and_no_table(notebook, tmp_path):
    """No table, no patients, no second site; a text file and a broken picture among the files."""
    folder = tmp_path / "mine"
    for name, number, crop in textures():
        file = folder / name / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop).save(file)
    (folder / "notes.txt").write_text("see table 3")
    (folder / "brick" / "3.png").write_bytes(b"")
    lesson = play(
        notebook,
        tmp_path,
        FOLDER=str(folder),
        HOME=".",
        LAYOUT="class",
        RENAME={},
        FEWEST=4,
        SIZE=64,
        EPOCHS=2,
    )
    assert lesson.failure is None
    assert "classes: brick, grass, gravel; patients are NOT known" in lesson.printed
    assert "Skipped: no second site" in lesson.printed
    assert "Skipped: the second site has no labels yet" in lesson.printed
    assert "No second site was tested" in lesson.card and "patients not known" in lesson.card
    assert "2 files or rows could not be used" in lesson.card and "simulated" not in lesson.card
    assert "own folder: 47 images read" in lesson.result and "not tested" in lesson.result


def write_study(folder):
    """Slices of two scanners with one table, as German spreadsheets save it."""
    with open(folder / "studie.csv", "w", encoding="utf-16", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["Datei", "Alter", "Diagnose", "PatientenID", "Gerät"])
        for number, site in enumerate(["3T-FLAIR", "1.5T-FLAIR"]):
            data = datasets.load("brain-mri", domain=site, count=80, size=64, seed=number)
            for index, image in enumerate(data.images):
                name = f"{number}-{index:03d}.png"
                Image.fromarray(image).save(folder / name)
                diagnosis = f" {data.classes[data.labels[index]]}"
                table.writerow([f".\\{name}", "61,5", diagnosis, data.patients[index], site])


@pytest.mark.slow
def test_a_table_with_two_sites_and_columns_of_its_own(notebook, tmp_path):
    """The second scanner is kept apart, and its labels are opened at the end."""
    write_study(tmp_path)
    lesson = play(
        notebook,
        tmp_path,
        FOLDER=str(tmp_path),
        HOME="studie.csv",
        RENAME={"healthy": "no lesion"},
        FEWEST=3,
        SIZE=64,
        EPOCHS=2,
        COLUMNS={"file": "Datei", "label": "Diagnose", "patient": "PatientenID", "site": "Gerät"},
        SITE="1.5T-FLAIR",
        AWAY=None,
        LATER=None,
        LOOKS=("colour",),
    )
    assert lesson.failure is None
    assert "no lesion" in lesson.printed and "patients are known" in lesson.printed
    assert "80 images without labels, 0 problems" in lesson.printed
    assert re.search(r"\d+ images scored", lesson.printed)
    assert "In use from now on" in lesson.printed
    assert "site 3T-FLAIR" in lesson.card and "A third site is untested" in lesson.card
    assert "balanced accuracy, second site, model as it is" in lesson.card
    assert "own folder: 160 images read" in lesson.result
    for name in ("model as it is", "probe, as it is", "probe, colour"):
        assert re.search(rf"{name}: \S+ \[", lesson.result), name


def photographs(folder, count=24):
    """Crops of three colour photographs, at home by class and patient, away by patient alone."""
    rng = np.random.default_rng(0)
    for name in ("astronaut", "coffee", "chelsea"):
        photograph = getattr(skimage.data, name)()[..., :3].astype(float)
        for number in range(2 * count):
            y, x = (rng.integers(side - SIDE) for side in photograph.shape[:2])
            crop = photograph[y : y + SIDE, x : x + SIDE] + rng.normal(0, 6, (SIDE, SIDE, 3))
            is_away = number >= count
            tinted = crop * [0.7, 0.9, 1.0] if is_away else crop
            parts = (
                ("away", f"{name[:2]}{number}")
                if is_away
                else ("home", name, f"p{number // 2}{name[:2]}")
            )
            file = folder.joinpath(*parts, f"{number}.png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(tinted, 0, 255).astype(np.uint8)).save(file)
            if is_away:
                yield f"D:\\export\\{name[:2]}{number}\\{number}.PNG", name


@pytest.mark.slow
def test_folders_of_colour_photographs_and_labels_under_other_paths(notebook, tmp_path):
    """The table of labels comes from another computer, in another order, with a wrong row."""
    rows = [*reversed(list(photographs(tmp_path))), ("D:\\export\\99.PNG", "coffee")]
    lines = ["file,label", *(",".join(row) for row in rows)]
    (tmp_path / "later.csv").write_text("\n".join(lines), encoding="utf-8")
    lesson = play(
        notebook,
        tmp_path,
        FOLDER=str(tmp_path),
        HOME="home",
        RENAME={},
        AWAY="away",
        LATER="later.csv",
        LOOKS=("colour",),
        FEWEST=4,
        SIZE=64,
        EPOCHS=2,
    )
    assert lesson.failure is None
    assert "classes: astronaut, chelsea, coffee; patients are known" in lesson.printed
    assert "72 labels arrived, 0 of classes" in lesson.printed
    assert "1 rows of labels of the second site were not used" in lesson.card
    assert "probe, colour" in lesson.result and "my-model" not in lesson.result


def volumes(folder, count=14):
    """Volumes of noise with a bright ball, on the left or on the right, a file for each patient."""
    rng = np.random.default_rng(0)
    z, y, x = np.indices((40, 40, 12))
    for number in range(count):
        for name, middle in (("left", 12), ("right", 28)):
            ball = (z - middle) ** 2 + (y - 20) ** 2 + (2 * x - 12) ** 2 < 81
            volume = rng.normal(100, 15, ball.shape) + 120 * ball
            file = folder / name / f"s{number}{name[:2]}.nii.gz"
            file.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), np.eye(4)), file)


@pytest.mark.slow
def test_a_folder_of_volumes_gives_slices_and_keeps_each_volume_together(notebook, tmp_path):
    volumes(tmp_path)
    lesson = play(
        notebook,
        tmp_path,
        FOLDER=str(tmp_path),
        HOME=".",
        LAYOUT="class",
        RENAME={},
        AWAY=None,
        FEWEST=4,
        SIZE=64,
        EPOCHS=2,
    )
    assert lesson.failure is None
    assert "classes: left, right" in lesson.printed and "No second site" in lesson.card
    read = int(re.search(r"own folder: (\d+) images read", lesson.result)[1])
    assert read > 28  # several slices of each volume


# ---- wrong parameters ----


@pytest.fixture
def read_with(notebook, tmp_path):
    """The lesson's own reading function, with other parameters."""
    sources = [cell.source for cell in lessons.code(notebook)]
    (source,) = [text for text in sources if text.startswith("def bring_in")]
    Image.fromarray(next(textures())[2]).save(tmp_path / "a.png")
    (tmp_path / "cohort.csv").write_text("path,diagnosis,MRN\na.png,x,7\n")

    def read(path, labelled=True, **parameters):
        names = {
            "datasets": datasets,
            "root": tmp_path,
            "SIZE": 64,
            "LAYOUT": "class",
            "COLUMNS": {"file": "path", "label": "diagnosis", "patient": "MRN"},
        }
        names |= parameters
        exec(source, names)
        return names["bring_in"](path, labelled)

    return read


def test_columns_are_mapped_and_labels_can_be_left_unread(read_with):
    data = read_with("cohort.csv").dataset
    assert data.classes == ("x",) and data.patients_known
    assert read_with("cohort.csv", labelled=False).dataset.labels is None


WRONG_PARAMETERS = [
    ("home.csv", {}, r"There is no table 'home.csv' in .*; there are cohort.csv\.$"),
    ("cohort.csv", {"COLUMNS": {"file": "file"}}, "has no column 'file'; its columns are path"),
    (".", {"LAYOUT": "class/ward"}, r"layout must be words of site, class, patient"),
    ("scans", {}, r"There is no folder .*scans'; check the path\.$"),
]


def test_a_wrong_parameter_ends_in_one_sentence(read_with):
    for path, parameters, sentence in WRONG_PARAMETERS:
        with pytest.raises(ValueError, match=sentence) as raised:
            read_with(path, **parameters)
        assert "\n" not in str(raised.value)


def test_a_wrong_folder_names_its_neighbour(read_with, tmp_path):
    (tmp_path / "studies").mkdir()
    for path in (".", "home.csv"):
        with pytest.raises(ValueError, match="There is no folder .*; do you mean 'studies'"):
            read_with(path, root=tmp_path / "study")
