"""`course.py predict`: a table for spreadsheets, nothing overwritten, errors of one sentence."""

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medlearn import inference
from medlearn._keras import keras
from tools import predict
from tools.commands import main


def model(head):
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    start = keras.initializers.HeNormal(0)
    if head == "segmenter":
        pixel = keras.layers.Conv2D(2, 1, activation="softmax", kernel_initializer=start)
        return keras.Model(image, pixel(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(
        image, keras.layers.Dense(2, activation="softmax", kernel_initializer=start)(x)
    )


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(60, 180, (20, 16, 16, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def classifier(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "model"
    return inference.bundle(model("classifier"), ("=benign", "tumour"), images).save(folder)


@pytest.fixture(scope="module")
def segmenter(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmenter") / "model"
    return inference.bundle(model("segmenter"), ("background", "cell"), images).save(folder)


@pytest.fixture
def scans(images, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, image in zip(("=HYPERLINK(1).png", "b.png", "ß 2.png"), images):
        Image.fromarray(image).save(folder / name)
    (folder / "c.png").write_bytes(b"\x89PNG nothing")
    return folder


def run(*arguments):
    return main(["predict", *map(str, arguments)])


def test_the_table_holds_what_predict_says_and_no_formula(classifier, scans, tmp_path, capsys):
    to = tmp_path / "results.csv"
    assert run(classifier, scans, "--to", to) == 0
    assert capsys.readouterr().out == f'4 files: 3 answers (0 "ask a human"), 1 problem: {to}\n'
    assert to.read_bytes().startswith(b"\xef\xbb\xbffile,")
    with to.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["'=HYPERLINK(1).png", "b.png", "c.png", "ß 2.png"]
    expected = inference.load(classifier).predict(scans)
    probabilities = [float(row["probability of tumour"] or "nan") for row in rows]
    np.testing.assert_allclose(
        probabilities, expected["probability of tumour"].astype(float), rtol=1e-5
    )
    assert {row["decision"] for row in rows} <= {"'=benign", "tumour", ""}
    assert rows[2]["problem"] and rows[2]["decision"] == ""


def test_only_its_own_table_is_replaced(classifier, scans, tmp_path, capsys):
    to = tmp_path / "results.csv"
    to.write_text("file,comment\nmy,thesis\n")
    assert run(classifier, scans, "--to", to) == 1
    assert "not a table of this command" in capsys.readouterr().err
    assert to.read_text() == "file,comment\nmy,thesis\n"
    assert run(classifier, scans, "--to", to, "--force") == 0
    (scans / "c.png").unlink()
    assert run(classifier, scans, "--to", to) == 0  # its own
    assert len(to.read_bytes().splitlines()) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.csv", "scans"]


def test_masks_of_images_with_one_stem_are_two_files(segmenter, scans, images, tmp_path, capsys):
    Image.fromarray(images[5]).save(scans / "b.tif")
    masks = tmp_path / "masks"
    assert run(segmenter, scans, "--to", tmp_path / "results.csv", "--masks", masks) == 0
    names = sorted(path.name for path in masks.glob("[!.]*"))
    assert names == ["=HYPERLINK(1)_mask.png", "b_mask.png", "b_mask2.png", "ß 2_mask.png"]
    predictor = inference.load(segmenter)
    for name, image in (("b_mask.png", images[1]), ("b_mask2.png", images[5])):
        mask = np.asarray(Image.open(masks / name))
        np.testing.assert_array_equal(mask, predictor.masks(image[None])[0])


def test_mistakes_are_one_sentence(classifier, scans, tmp_path, capsys):
    to = tmp_path / "results.csv"
    (tmp_path / "empty").mkdir()
    cases = {
        "There is no predictor": (tmp_path, scans, "--to", to),
        "There is no file or folder": (classifier, tmp_path / "scan", "--to", to),
        "There is no folder": (classifier, scans, "--to", tmp_path / "no" / "results.csv"),
        "is a folder": (classifier, scans, "--to", tmp_path),
        "lies among the images": (classifier, scans, "--to", scans / "results.csv"),
        "leave out --masks": (classifier, scans, "--to", to, "--masks", tmp_path / "masks"),
        "holds no file": (classifier, tmp_path / "empty", "--to", to),
    }
    for sentence, arguments in cases.items():
        assert run(*arguments) == 1
        printed = capsys.readouterr()
        assert sentence in printed.err and printed.err.count("\n") == 1, printed.err
        assert printed.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "scans"]


def test_the_summary_counts_files_and_their_images():
    names = ["a.dcm#0", "a.dcm#1", "a.dcm#2", "b.png", "b.png"]  # two boxes in b.png
    problems = ["", "too dark", "", "", ""]
    asked = [True, True, False, False, False]
    table = pd.DataFrame({"file": names, "problem": problems, "ask_human": asked, "note": ""})
    expected = '2 files with 4 images: 3 answers (1 "ask a human"), 1 problem'
    assert predict.summary(table) == expected
    assert predict.summary(table.assign(note="its second page")) == f"{expected}, 4 notes"
