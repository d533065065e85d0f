"""A predictor brings images to its size as the readers did with its training images."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from medlearn import datasets, inference, networks
from medlearn._keras import keras
from medlearn.datasets.readers import _fit
from medlearn.inference import _arrays, _range, _store

SIZE = 64
RANDOM = np.random.default_rng(0)


def picture(height, width):
    coarse = RANDOM.integers(40, 220, (8, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Wide pictures of two classes."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    for number in range(12):
        path = tmp_path / "own" / ("ill" if number % 2 else "well") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(60, 120)).save(path)
    return tmp_path / "own"


def encoder():
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for number in range(3):
        start = keras.initializers.HeNormal(number)
        x = keras.layers.Conv2D(4, 3, 2, padding="same", kernel_initializer=start)(x)
        x = keras.layers.ReLU(name=f"block_{number}")(x)
    return keras.Model(image, x, name="encoder")


def segmenter_of_brightness():
    """Class 1 where a pixel is brighter than 100, with the probability that follows."""
    image = keras.Input((SIZE, SIZE, 3))
    grey = keras.layers.Conv2D(1, 1, use_bias=True, name="grey")
    logits = keras.layers.Activation("sigmoid")(grey(image))
    model = keras.Model(image, logits)
    grey.set_weights([np.full((1, 1, 3, 1), 1 / 3), np.full(1, -100.0)])
    return model


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
def test_a_data_set_says_how_its_images_were_made_square(folder, tmp_path, fit):
    dataset = datasets.from_folder(folder, size=SIZE, fit=fit).dataset
    again = datasets.from_folder(folder, size=SIZE, fit=fit).dataset  # perhaps from the cache
    assert dataset.fit == again.fit == dataset.take([0]).fit == fit
    model = networks.classifier(encoder(), 2)
    predictor = inference.bundle(model, dataset.classes, dataset)
    assert predictor.fit == fit
    table = predictor.predict(folder)
    files = dataset.facts["file"].tolist()
    assert table["file"].tolist() == files
    expected = model.predict(dataset.images, verbose=0)
    np.testing.assert_allclose(table["probability of ill"], expected[:, 0], atol=1e-6)
    loaded = inference.load(predictor.save(tmp_path / "model"))
    assert loaded.fit == fit
    np.testing.assert_array_equal(
        loaded.predict(folder)["probability of ill"], table["probability of ill"]
    )
    settings = json.loads((tmp_path / "model" / "predictor.json").read_text())
    assert settings["format"] == (2 if fit == "letterbox" else 1)


def test_a_predictor_of_an_earlier_version_crops(folder, tmp_path):
    dataset = datasets.from_folder(folder, size=SIZE).dataset
    predictor = inference.bundle(networks.classifier(encoder(), 2), dataset.classes, dataset)
    predictor.save(tmp_path / "model")
    path = tmp_path / "model" / "predictor.json"
    settings = json.loads(path.read_text())
    del settings["fit"]
    settings["sha256"]["predictor.json"] = _store._digest_of_settings(settings)
    path.write_text(json.dumps(settings))
    assert inference.load(tmp_path / "model").fit == "crop"
    settings["fit"] = "stretch"
    settings["sha256"]["predictor.json"] = _store._digest_of_settings(settings)
    path.write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="'crop' or 'letterbox', not 'stretch'"):
        inference.load(tmp_path / "model")


@pytest.mark.parametrize("shape", [(60, 120), (130, 64)])
def test_masks_cover_the_whole_image(shape, tmp_path):
    images = np.stack([np.full((*shape, 3), 20, np.uint8)] * 2)
    images[:, : shape[0] // 2, : shape[1] // 2] = 240
    model = segmenter_of_brightness()
    training = np.zeros((3, SIZE, SIZE, 3), np.uint8)
    training[1], training[2, :32] = 255, 255
    names = ("dark", "bright")
    whole = inference.bundle(model, names, training, fit="letterbox")
    expected = images[..., 0] > 100
    masks = whole.masks(images)
    assert masks.shape == expected.shape
    assert (masks == expected).mean() > 0.96
    central = inference.bundle(model, names, training)
    assert (central.masks(images) == expected).mean() < 0.96  # it does not see the margins
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    table = whole.predict(tmp_path / "a.png", to=tmp_path / "masks")
    np.testing.assert_array_equal(np.asarray(Image.open(table["mask"][0])), masks[0])


@pytest.mark.parametrize("shape", [(60, 120), (130, 64)])
def test_boxes_come_back_to_where_they_were(shape, monkeypatch):
    edges = np.array([[5.0, 7, 40, 52, 0]])
    inside = _fit.boxes(edges, *shape, SIZE, "letterbox")
    black = np.array([[0.0, 0, 2, 2, 0]])  # in a corner of the square that no image fills
    rows = np.column_stack([np.concatenate([inside, black]), [0.9, 0.8]])
    monkeypatch.setattr(networks, "detect", lambda *_, **__: [rows])
    predictor = SimpleNamespace(size=(SIZE, SIZE), threshold=None, fit="letterbox", model=None)
    (boxes,) = _arrays.boxes(predictor, np.zeros((1, *shape, 3), np.uint8), 1)
    np.testing.assert_allclose(boxes, [[5, 7, 40, 52, 0, 0.9]])


def test_a_narrow_image_is_large_enough_for_a_letterbox():
    images = np.full((1, SIZE, SIZE, 3), 120, np.uint8)
    limits = _range.ImageRange.of(images, (SIZE, SIZE))
    assert "30 x 90 pixels" in limits.problems(images, (30, 90))[0]
    assert limits.problems(images, (30, 90), "letterbox") == [""]
    assert "20 x 30 pixels" in limits.problems(images, (20, 30), "letterbox")[0]


def test_what_is_refused(folder):
    dataset = datasets.from_folder(folder, size=SIZE, fit="letterbox").dataset
    model = networks.classifier(encoder(), 2)
    with pytest.raises(ValueError, match="read with fit='letterbox', and fit='crop'"):
        inference.bundle(model, dataset.classes, dataset, fit="crop")
    with pytest.raises(ValueError, match="fit must be 'crop' or 'letterbox'"):
        inference.bundle(model, dataset.classes, dataset.images, fit="stretch")
