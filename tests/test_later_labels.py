"""Labels that come after the images: names as other people write them, and loud rows."""

import pytest
from own_files import png, put

from medlearn import datasets


@pytest.fixture
def images(tmp_path):
    files = {
        f"away__p{patient}__0{number}_png": png(patient + number)
        for patient in (1, 3)
        for number in (0, 1)
    }
    folder = put(tmp_path, **files)
    return datasets.from_folder(folder / "away", layout="patient", size=48)


def labels_from(images, folder, rows, heading="file,label", **options):
    table = folder / "later.csv"
    table.write_text("\n".join([heading, *rows]), encoding="utf-8")
    labels, problems = datasets.later_labels(images, table, **options)
    where = [
        images.paths[name].relative_to(folder / "away").as_posix()
        for name in images.dataset.facts["file"]
    ]
    return dict(zip(where, labels.tolist())), problems


@pytest.mark.parametrize(
    "name",
    [
        "away/p1/00.png",
        "p1/00.png",
        r"p1\00.PNG",
        "D:/study/away/p1/00.png",
        "./p1/00",
        "P1/00.png",
    ],
)
def test_a_name_is_matched_however_it_is_written(images, tmp_path, name):
    labels, problems = labels_from(images, tmp_path, [f"{name},ill"])
    assert labels == {"p1/00.png": "ill", "p1/01.png": "", "p3/00.png": "", "p3/01.png": ""}
    assert len(problems) == 0


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("00.png", "2 images have this name"),
        ("p9/00.png", "no image that was read"),
        ("x", "no image"),
    ],
)
def test_a_name_that_fits_none_or_several_is_a_row(images, tmp_path, name, sentence):
    labels, problems = labels_from(images, tmp_path, ["p1/00.png,ill", f"{name},well"])
    assert sorted(labels.values()) == ["", "", "", "ill"]
    assert problems["what"].str.contains(sentence).tolist() == [True]
    assert problems["row"].tolist() == [3] and name not in str(problems.values)


def test_if_no_label_arrives_the_first_row_says_so_loudly(images, tmp_path):
    labels, problems = labels_from(images, tmp_path, ["a.png,ill", "b.png,well"])
    assert set(labels.values()) == {""} and len(problems) == 3
    assert "NO LABEL ARRIVED: none of the 2 rows names one of the 4 images" in problems["what"][0]


def test_two_labels_for_one_image_count_as_none(images, tmp_path):
    rows = ["p1/00.png,ill", "p1/01.png,well", "p1/00.png,well", "p1/00.png,ill", "p3/01.png,"]
    labels, problems = labels_from(images, tmp_path, rows)
    assert labels["p1/00.png"] == "" and labels["p1/01.png"] == "well"
    assert problems["what"].str.contains("another label").tolist() == [True, True, False]
    assert "no label" in problems["what"][2]


def test_other_columns_and_new_names_of_labels(images, tmp_path):
    options = {"file": "Datei", "label": "Befund", "rename": {"ILL": "ill"}}
    labels, problems = labels_from(images, tmp_path, ["p3/01.png;ILL"], "Datei;Befund", **options)
    assert labels["p3/01.png"] == "ill" and len(problems) == 0
    with pytest.raises(ValueError, match="no column 'Datum'"):
        labels_from(
            images, tmp_path, ["p3/01.png;ILL"], "Datei;Befund", file="Datum", label="Befund"
        )
