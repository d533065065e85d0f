"""Lesson 16 as a template: it runs on folders that are not its own, and mistakes in its parameters end in one sentence."""

import csv
import re

import lessons
import numpy as np
import pytest
import skimage.data
from lessons import code_cell
from PIL import Image

from medlearn import datasets
from tools import running

PATH = lessons.FOLDER / "16_bring_your_own_data.ipynb"
SMALL = 'CANDIDATES = {"efficientnet_lite0": ["block_10", "block_14"]}'  # one network less; every other cell stays


@pytest.fixture(scope="module")
def notebook():
    if not PATH.exists():
        pytest.skip("the lesson is not there")
    return lessons.read(PATH).notebook


def played(notebook, tmp_path, **parameters):
    """Run the lesson with other parameters; returns all that it printed, its card, and what stopped it."""
    mine = notebook.copy()
    mine.cells = [cell.copy() for cell in notebook.cells]
    place = mine.cells.index(lessons.tagged(mine, "parameters")[0])
    mine.cells.insert(
        place + 1, code_cell("\n".join(f"{name} = {value!r}" for name, value in parameters.items()))
    )
    place = next(
        place for place, cell in enumerate(mine.cells) if cell.source.startswith("CANDIDATES = ")
    )
    mine.cells.insert(place + 1, code_cell(SMALL))
    stopped = running.execute(mine, tmp_path)
    outputs = [output for cell in lessons.code(mine) for output in cell.get("outputs", [])]
    said = "".join(output.text for output in outputs if output.get("name") == "stdout")
    card = next(
        (
            output.data["text/html"]
            for output in outputs
            if "model-card" in output.get("data", {}).get("text/html", "")
        ),
        "",
    )
    return said, re.sub("<[^>]+>", " ", card), stopped, running.result(mine)


def textures(each=16, side=96):
    """Crops of three photographs that ship with scikit-image, none overlapping another, each with its own brightness."""
    random = np.random.default_rng(0)
    for name in ("brick", "grass", "gravel"):
        picture = getattr(skimage.data, name)()
        for place in range(each):
            y, x = side * (place // 5), side * (place % 5)
            crop = picture[y : y + side, x : x + side].astype(float) * random.uniform(
                0.7, 1.2
            ) + random.normal(0, 6, (side, side))
            yield name, place, np.clip(crop, 0, 255).astype(np.uint8)


def test_a_folder_by_class_with_one_site_and_no_table(notebook, tmp_path):
    """From textures: no table, no patients, no second site; a text file and a broken picture among the files."""
    for name, place, crop in textures():
        file = tmp_path / "mine" / name / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop).save(file)
    (tmp_path / "mine" / "notes.txt").write_text("see table 3")
    (tmp_path / "mine" / "brick" / "3.png").write_bytes(b"")
    said, card, stopped, result = played(
        notebook,
        tmp_path,
        FOLDER=str(tmp_path / "mine"),
        HOME=".",
        LAYOUT="class",
        RENAME={},
        FEWEST=4,
        STAINED=False,
        SIZE=64,
        EPOCHS=2,
    )
    assert stopped is None
    assert "classes: brick, grass, gravel; patients are NOT known" in said
    assert (
        "Skipped: no second site" in said and "Skipped: the second site has no labels yet" in said
    )
    assert (
        "No second site was tested" in card
        and "2 files or rows could not be used" in card
        and "patients not known" in card
    )
    assert (
        "simulated" not in card
        and "own folder: 47 images read" in result
        and "not tested" in result
    )


def test_a_table_with_two_sites_and_columns_of_its_own(notebook, tmp_path):
    """Slices of two scanners in one table of German make; the second scanner is kept apart, with its labels in an envelope."""
    with open(tmp_path / "studie.csv", "w", encoding="utf-16", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["Datei", "Alter", "Diagnose", "PatientenID", "Gerät"])
        for number, site in enumerate(["3T-FLAIR", "1.5T-FLAIR"]):
            data = datasets.load("brain-mri", domain=site, count=80, size=64, seed=number)
            for place, picture in enumerate(data.images):
                name = f"{number}-{place:03d}.png"
                Image.fromarray(picture).save(tmp_path / name)
                table.writerow(
                    [
                        f".\\{name}",
                        "61,5",
                        f" {data.classes[data.labels[place]]}",
                        data.patients[place],
                        site,
                    ]
                )
    said, card, stopped, result = played(
        notebook,
        tmp_path,
        FOLDER=str(tmp_path),
        HOME="studie.csv",
        RENAME={"healthy": "no lesion"},
        FEWEST=3,
        STAINED=False,
        SIZE=64,
        EPOCHS=2,
        COLUMNS={"file": "Datei", "label": "Diagnose", "patient": "PatientenID", "site": "Gerät"},
        SITE="1.5T-FLAIR",
        AWAY=None,
        LATER=None,
    )
    assert stopped is None
    assert (
        "no lesion" in said
        and "patients are known" in said
        and "80 images without labels, 0 problems" in said
        and "80 images judged" in said
    )
    assert "home's scale" not in said and "home's colours" in said
    assert (
        "site 3T-FLAIR" in card
        and "balanced accuracy, second site, adapted" in card
        and "A third site is untested" in card
    )
    assert "own folder: 160 images read" in result and re.search(
        r"second site, balanced accuracy: model as it is \S+ \[", result
    )


# ---- mistakes in the parameters ----------------------------------------------------------------------------


@pytest.fixture
def bring_in(notebook, tmp_path):
    """The lesson's own reading function, with other parameters."""
    source = next(
        cell.source for cell in lessons.code(notebook) if cell.source.startswith("def bring_in")
    )
    Image.fromarray(next(textures())[2]).save(tmp_path / "a.png")
    (tmp_path / "cohort.csv").write_text("path,diagnosis,MRN\na.png,x,7\n")

    def with_parameters(what, labelled=True, **parameters):
        names = {
            "datasets": datasets,
            "root": tmp_path,
            "SIZE": 64,
            "LAYOUT": "class",
            "COLUMNS": {"file": "path", "label": "diagnosis", "patient": "MRN"},
        }
        exec(source, names := names | parameters)
        return names["bring_in"](what, labelled)

    return with_parameters


def test_columns_are_mapped_and_labels_can_be_left_unread(bring_in):
    assert (
        bring_in("cohort.csv").dataset.classes == ("x",)
        and bring_in("cohort.csv").dataset.patients_known
    )
    assert bring_in("cohort.csv", labelled=False).dataset.labels is None


@pytest.mark.parametrize(
    "what, parameters, sentence",
    [
        ("home.csv", {}, r"There is no table 'home.csv' in .*; there are cohort.csv\.$"),
        (
            "cohort.csv",
            {"COLUMNS": {"file": "file"}},
            r"has no column 'file'; its columns are path, diagnosis, MRN\.$",
        ),
        (
            "cohort.csv",
            {"COLUMNS": {"file": "Pfad"}},
            r"has no column 'Pfad'; its columns are path, diagnosis, MRN",
        ),
        (".", {"LAYOUT": "class/ward"}, r"layout must be words of site, class, patient"),
        ("scans", {}, r"There is no folder .*scans'; check the path\.$"),
    ],
)
def test_a_wrong_parameter_ends_in_one_sentence(bring_in, what, parameters, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        bring_in(what, **parameters)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("what", [".", "home.csv"])
def test_a_wrong_folder_names_its_neighbour(bring_in, tmp_path, what):
    (tmp_path / "studies").mkdir()
    with pytest.raises(ValueError, match="There is no folder .*; did you mean 'studies'"):
        bring_in(what, root=tmp_path / "study")
