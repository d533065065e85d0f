"""A trained model is saved, predicts the same elsewhere, and refuses what it has not seen."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common import mutated_predictors
from medlearn import datasets, inference, networks
from medlearn._keras import keras

CLASSES = ("dark", "bright")
RANDOM = np.random.default_rng(0)


def encoder():
    image = keras.Input((64, 64, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for number in range(3):
        start = keras.initializers.HeNormal(number)
        x = keras.layers.Conv2D(8, 3, 2, padding="same", kernel_initializer=start)(x)
        x = keras.layers.ReLU(name=f"block_{number}")(x)
    return keras.Model(image, x, name="encoder")


def pictures(count=12, size=64, level=120):
    """Smooth pictures around a grey level."""
    coarse = RANDOM.integers(level - 60, level + 60, (count, 8, 8, 3)).astype(np.uint8)
    return np.stack(
        [
            np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BICUBIC))
            for c in coarse
        ]
    )


@pytest.fixture(scope="module")
def classifier():
    model = networks.classifier(encoder(), 2)
    return inference.bundle(model, CLASSES, pictures(40), temperature=1.5, ask_below=0.6)


@pytest.fixture(scope="module")
def segmenter():
    return inference.bundle(networks.segmenter(encoder(), 2), ("background", "cell"), pictures(40))


def test_probabilities_are_calibrated_and_the_table_says_who_is_asked(classifier):
    images = pictures()
    raw = classifier.model.predict(images, verbose=0)
    logits = np.log(raw) / 1.5
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(images), expected, rtol=1e-5)
    table = classifier.predict(images)
    assert list(table.columns) == [
        "file", "probability of dark", "probability of bright", "decision", "ask_human", "problem",
        "note",
    ]  # fmt: skip
    assert (table.decision == np.array(CLASSES)[expected.argmax(1)]).all()
    assert (table.ask_human == (expected.max(1) < 0.6)).all()


def test_a_threshold_decides_between_two_classes():
    model = networks.classifier(encoder(), 2)
    strict = inference.bundle(model, CLASSES, pictures(40), threshold=0.0)
    assert (strict.predict(pictures()).decision == "bright").all()


def test_a_single_sigmoid_is_two_classes():
    inner = encoder()
    x = keras.layers.GlobalAveragePooling2D()(inner.output)
    model = keras.Model(inner.input, keras.layers.Dense(1, "sigmoid")(x))
    predictor = inference.bundle(model, CLASSES, pictures(40))
    images = pictures()
    np.testing.assert_allclose(
        predictor.probabilities(images)[:, 1], model.predict(images, verbose=0)[:, 0], rtol=1e-6
    )


def test_unlike_images_are_refused_in_one_sentence(classifier):
    grey = np.repeat(pictures()[..., :1], 3, axis=-1)
    cases = {
        "darker": pictures() // 8,
        "brighter": 255 - pictures() // 8,
        "less colourful": grey,
        "16 x 16 pixels": pictures(size=16),
    }
    for sentence, images in cases.items():
        table = classifier.predict(images)
        assert table.problem.str.contains(sentence).all(), table.problem[0]
        assert table.decision.isna().all() and table.ask_human.all()
    assert (classifier.predict(pictures()).problem == "").all()


def test_saved_and_loaded_predictions_are_bit_equal(classifier, tmp_path):
    folder = classifier.save(tmp_path / "model")
    images = pictures()
    again = inference.load(folder)
    np.testing.assert_array_equal(again.probabilities(images), classifier.probabilities(images))
    assert (again.classes, again.size, again.ask_below) == (CLASSES, (64, 64), 0.6)
    assert sorted(path.name for path in folder.iterdir()) == ["model.keras", "predictor.json"]


@pytest.mark.slow
def test_another_process_predicts_the_same_bits(classifier, segmenter, tmp_path):
    images = pictures()
    np.save(tmp_path / "images.npy", images)
    for name, predictor in {"classifier": classifier, "segmenter": segmenter}.items():
        predictor.save(tmp_path / name)
        code = (
            "import sys, numpy as np; from medlearn import inference\n"
            f"predictor = inference.load({str(tmp_path / name)!r})\n"
            f"images = np.load({str(tmp_path / 'images.npy')!r})\n"
            f"np.save({str(tmp_path / 'result.npy')!r}, predictor.probabilities(images))"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
        result = np.load(tmp_path / "result.npy")
        np.testing.assert_array_equal(result, predictor.probabilities(images))


def test_a_new_save_replaces_an_old_one_and_nothing_else(classifier, tmp_path):
    classifier.save(tmp_path / "model")
    classifier.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("words")
    with pytest.raises(FileExistsError, match="something else than a predictor"):
        classifier.save(thesis)
    assert (thesis / "chapter.txt").read_text() == "words"


def test_damaged_and_foreign_folders_get_one_sentence(classifier, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no predictor"):
        inference.load(tmp_path)
    folder = classifier.save(tmp_path / "model")
    settings = json.loads((folder / "predictor.json").read_text())
    model = (folder / "model.keras").read_bytes()
    (folder / "model.keras").write_bytes(model[:-9] + bytes(9))
    with pytest.raises(ValueError, match="altered or damaged"):
        inference.load(folder)
    (folder / "predictor.json").write_text(json.dumps(settings | {"format": 99}))
    with pytest.raises(ValueError, match="update medlearn"):
        inference.load(folder)
    (folder / "predictor.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        inference.load(folder)


def test_a_number_altered_by_hand_is_noticed(classifier, tmp_path):
    settings = classifier.save(tmp_path / "model") / "predictor.json"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('"temperature": 1.5', '"temperature": 1.6'), encoding="utf-8")
    with pytest.raises(ValueError, match="predictor.json was altered or damaged"):
        inference.load(tmp_path / "model")


@pytest.mark.parametrize("harm", mutated_predictors.MUTATIONS)
def test_broken_and_forged_predictors_get_one_sentence(harm):
    outcomes = [mutated_predictors.MUTATIONS[harm](seed) for seed in range(6)]
    assert "refused" in outcomes


def test_a_folder_becomes_a_table_and_bad_files_are_rows(classifier, tmp_path):
    folder = tmp_path / "scans"
    (folder / "ward").mkdir(parents=True)
    images = pictures(3, size=80)
    for number, picture in enumerate(images):
        Image.fromarray(picture).save(folder / "ward" / f"{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")
    table = classifier.predict(folder)
    assert sorted(table.file) == ["broken.png", "ward/0.png", "ward/1.png", "ward/2.png"]
    good = table[table.problem == ""].sort_values("file")
    expected = classifier.probabilities(images)
    np.testing.assert_array_equal(good["probability of bright"].astype(float), expected[:, 1])
    assert table[table.file == "broken.png"].problem.str.len().item() > 10


def test_what_was_odd_about_a_picture_is_a_note(classifier, tmp_path):
    first, second = (Image.fromarray(picture) for picture in pictures(2))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    first.save(tmp_path / "sound.png")
    table = classifier.predict(tmp_path).set_index("file")
    assert (table.problem == "").all() and not table.decision.isna().any()
    assert "page" in table.note["pages.tif"] and table.note["sound.png"] == ""


def test_masks_of_pictures_have_their_geometry(segmenter, tmp_path):
    picture = pictures(1, size=96)[0][:, :70]
    Image.fromarray(picture).save(tmp_path / "a.png")
    table = segmenter.predict(tmp_path / "a.png", to=tmp_path / "masks")
    mask = np.asarray(Image.open(table["mask"][0]))
    np.testing.assert_array_equal(mask, segmenter.masks(picture[None])[0])
    assert mask.shape == (96, 70)


def test_masks_of_a_volume_lie_in_its_own_axes(segmenter, tmp_path):
    affine = np.array([[0, 0, 2.0, -9], [-1, 0, 0, 30], [0, 1.5, 0, 7], [0, 0, 0, 1]])
    values = np.zeros((40, 12, 36), np.float32)
    values[:, 6:, :] = pictures(1, 40)[0][:, :36, 0][:, None, :]
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "head.nii.gz")
    wide = inference.Predictor(
        **(vars(segmenter) | {"image_range": inference.bundle(
            segmenter.model, segmenter.classes, np.stack([np.zeros((64, 64, 3), np.uint8),
            np.full((64, 64, 3), 255, np.uint8)])).image_range})
    )  # fmt: skip
    table = wide.predict(tmp_path, to=tmp_path / "masks")
    mask = nibabel.load(table["mask"][0])
    assert mask.shape == values.shape and len(table) == 12
    np.testing.assert_array_equal(mask.affine, affine)


def test_masks_never_replace_files_of_the_user(segmenter, tmp_path):
    Image.fromarray(pictures(1, size=64)[0]).save(tmp_path / "a.png")
    for source in (tmp_path, tmp_path / "a.png", [tmp_path / "a.png"]):
        with pytest.raises(ValueError, match="among the images .* name another folder"):
            segmenter.predict(source, to=tmp_path)
    first = segmenter.predict(tmp_path, to=tmp_path / "masks")
    again = segmenter.predict(tmp_path, to=tmp_path / "masks")
    assert list(first.file) == list(again.file) == ["a.png"]


@pytest.mark.parametrize("name", ["a_mask.png", "deeper/b_mask2.PNG", "head_mask.nii.gz"])
def test_masks_that_somebody_drew_or_corrected_are_never_replaced(segmenter, tmp_path, name):
    Image.fromarray(pictures(1, size=64)[0]).save(tmp_path / "a.png")
    masks = tmp_path / "masks"
    predicted = segmenter.predict(tmp_path / "a.png", to=masks)["mask"][0]
    with (masks / ".medlearn-masks.sha256").open("a") as record:
        record.write("half a li")  # as a kill leaves it
    assert segmenter.predict(tmp_path / "a.png", to=masks)["mask"][0] == predicted
    (masks / name).parent.mkdir(exist_ok=True)
    (masks / name).write_bytes(b"by hand")
    sentence = f"no record that .*{Path(name).name} as it is now.*another folder"
    with pytest.raises(FileExistsError, match=sentence):
        segmenter.predict(tmp_path / "a.png", to=masks)
    assert (masks / name).read_bytes() == b"by hand"


def test_masks_of_long_and_numbered_names(segmenter, tmp_path):
    names = ["x" * 245 + ".png", "ä" * 120 + ".png", "IM.0001", "IM.0002"]
    for name, picture in zip(names, pictures(4, size=64)):
        Image.fromarray(picture).save(tmp_path / name, "PNG")
    table = segmenter.predict(tmp_path, to=tmp_path / "masks").set_index("file")
    masks = [Path(path).name for path in table["mask"]]
    assert len(set(masks)) == 4 and all(Path(path).is_file() for path in table["mask"])
    assert Path(table["mask"]["IM.0002"]).name == "IM.0002_mask.png"


def test_what_cannot_be_bundled_gets_one_sentence():
    model = networks.classifier(encoder(), 2)
    with pytest.raises(ValueError, match="2 classes, but 3 names"):
        inference.bundle(model, ("a", "b", "c"), pictures())
    with pytest.raises(ValueError, match="temperature is a number above 0"):
        inference.bundle(model, CLASSES, pictures(), temperature=0)
    with pytest.raises(ValueError, match="probability from 0 to 1"):
        inference.bundle(model, CLASSES, pictures(), ask_below=70)
    with pytest.raises(ValueError, match="temperature is a number above 0, not '2'"):
        inference.bundle(model, CLASSES, pictures(), temperature="2")
    with pytest.raises(ValueError, match="Each class needs a name of its own"):
        inference.bundle(model, ("cell", "cell"), pictures())
    with pytest.raises(ValueError, match="2 classes, but 1 names were given: ab"):
        inference.bundle(model, "ab", pictures())


@pytest.mark.parametrize(
    "activation, sentence",
    [("linear", "are no probabilities: end the model with a softmax"), ("sigmoid", "sum to")],
)
def test_logits_and_classes_that_do_not_exclude_each_other_are_refused(activation, sentence):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    start = keras.initializers.RandomNormal(seed=0)
    output = keras.layers.Dense(3, activation, kernel_initializer=start, bias_initializer="ones")
    with pytest.raises(ValueError, match=sentence):
        inference.bundle(keras.Model(image, output(x)), ("a", "b", "c"), pictures(4, 8))
    output = keras.layers.Dense(3, "softmax", kernel_initializer=start)
    model = keras.Model(image, output(x))
    with pytest.raises(ValueError, match="A threshold decides between two classes"):
        inference.bundle(model, ("a", "b", "c"), pictures(4, 8), threshold=0.5)


def test_a_data_set_and_no_batch_get_one_sentence(classifier):
    with pytest.raises(ValueError, match="pass dataset.images"):
        classifier.predict(datasets.from_arrays(pictures(), np.arange(12) % 2, classes=CLASSES))
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
        classifier.predict(pictures(), batch_size=0)


def test_an_empty_folder_is_an_empty_table(classifier, tmp_path):
    table = classifier.predict(tmp_path)
    assert isinstance(table, pd.DataFrame) and len(table) == 0 and "decision" in table


@pytest.mark.slow
def test_onnx_runtime_computes_the_same(classifier, tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = inference.export_onnx(classifier, tmp_path / "model.onnx")
    images = pictures().astype(np.float32)
    session = runtime.InferenceSession(str(path))
    result = session.run(None, {session.get_inputs()[0].name: images})[0]
    np.testing.assert_allclose(result, classifier.model.predict(images, verbose=0), atol=1e-4)
