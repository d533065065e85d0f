"""Saved models: Keras finds what they hold of ours in a new process, however it is imported."""

import re
import subprocess
import sys

import pytest
from lessons import ROOT

from medlearn import _saved, networks
from medlearn._keras import keras
from medlearn.networks import detection, losses


def test_every_module_that_registers_something_with_keras_is_imported_with_it():
    registering = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "medlearn").rglob("*.py"))
        if re.search(r"^\w* ?=?.*register_keras_serializable\(", path.read_text("utf-8"), re.M)
    ]
    assert sorted(_saved.MODULES) == registering


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    image = x = keras.Input((64, 64, 3))
    for number in range(4):
        x = keras.layers.Conv2D(4, 3, 2, "same", name=f"block_{number}")(x)
    encoder = keras.Model(image, x, name="encoder")
    segmenter = networks.segmenter(encoder, 2)
    segmenter.compile(
        "adam", losses.Combined(losses.cross_entropy, losses.dice, losses.Focal(), losses.Tversky())
    )
    detector = networks.detector(encoder, 2)
    detector.compile("adam", {"centres": detection.heatmap_loss, "sides": detection.box_loss})
    any_size = keras.Input((None, None, 3))
    free = keras.Model(any_size, keras.layers.Conv2D(4, 3, 2, "same", name="block_0")(any_size))
    models = {"segmenter": segmenter, "detector": detector}
    models["any_size"] = networks.segmenter(free, 2)
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import medlearn, keras", "import keras, medlearn"])
def test_saved_networks_load_in_a_new_process(folder, imports):
    program = f"""{imports}
for name in ("segmenter", "detector", "any_size"):
    model = keras.models.load_model(rf"{folder}/{{name}}.keras")
assert model.compute_output_shape((1, 96, 70, 3)) == (1, 96, 70, 2)
print("loaded")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert "loaded" in run.stdout, run.stderr


def test_a_loss_that_was_saved_as_a_function_opens_as_a_loss():
    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "medlearn>dice",
        "registered_name": "function",
    }
    assert keras.saving.deserialize_keras_object(config) is losses.dice
