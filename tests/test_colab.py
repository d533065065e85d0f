"""Copies for Colab: links, first cell, and a session that disturbs nothing. `tests/simulate_colab.py` runs lessons in one."""

import importlib.metadata
import os
import subprocess
import sys
import types
import urllib.request
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from lessons import FOLDER, code, miniature
from nbformat.v4 import new_markdown_cell

from medlearn.teaching import session
from tools import colab, commands

WHEEL = "medlearn-0.1.0-py3-none-any.whl"


def copy_of(text, repository):
    notebook = miniature().notebook
    notebook.cells.insert(1, new_markdown_cell(text))
    return colab.for_colab(notebook, "02_sum_numbers.ipynb", WHEEL, repository)


def test_links_lead_to_the_repository_or_become_words():
    text = "a [Term](../docs/glossary.md#term), [next](03_x.ipynb), [paper](https://doi.org/1), ![figure](attachment:a.png)"
    linked = copy_of(text, "o/n").cells[3].source
    assert "[Term](https://github.com/o/n/blob/main/docs/glossary.md#term)" in linked
    assert "[next](https://colab.research.google.com/github/o/n/blob/colab/03_x.ipynb)" in linked
    assert (
        copy_of(text, None).cells[2].source
        == "a Term, next, [paper](https://doi.org/1), ![figure](attachment:a.png)"
    )


def test_the_first_code_cell_installs_the_wheel_alone():
    first = code(copy_of("", "o/n"))[0].source
    compile(first, "first cell", "exec")
    assert (
        "--no-deps" in first and f"https://github.com/o/n/releases/download/v0.1.0/{WHEEL}" in first
    )
    assert 'RELEASE = ""' in code(copy_of("", None))[0].source
    assert (
        "colab-badge.svg" in copy_of("", "o/n").cells[1].source
        and "badge" not in copy_of("", None).cells[1].source
    )


def test_every_lesson_has_a_badge_if_there_is_a_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "build_wheel", lambda to: to / WHEEL)
    for repository, listed in (("o/n", True), (None, False)):
        to = tmp_path / str(listed)
        assert len(list(colab.write(to, repository))) == 2
        lessons = sorted(path.name for path in FOLDER.glob("*.ipynb"))
        assert sorted(path.name for path in to.glob("*.ipynb")) == lessons
        badges = (to / "README.md").read_text(encoding="utf-8") if listed else ""
        assert (
            all((f"blob/colab/{name})" in badges) is listed for name in lessons)
            and (to / "README.md").exists() is listed
        )


@pytest.mark.parametrize("where", ["uploaded", "on Drive", "at the release", "nowhere"])
def test_the_first_cell_finds_the_wheel(tmp_path, monkeypatch, where):
    content, installed = tmp_path / "content", []
    place = {"uploaded": content, "on Drive": content / "drive" / "MyDrive"}.get(where)

    def mount(path):
        Path(path, "MyDrive").mkdir(parents=True)
        (place / WHEEL).touch()

    drive = types.SimpleNamespace(mount=mount)
    monkeypatch.setitem(sys.modules, "google.colab", types.SimpleNamespace(drive=drive))
    monkeypatch.setattr(
        urllib.request, "urlretrieve", lambda address, path: Path(path).write_text(address)
    )
    monkeypatch.setattr(subprocess, "run", lambda command, **_: installed.append(command[-1]))
    monkeypatch.setattr(session, "prepare", lambda content: "Ready")
    content.mkdir()
    if where == "uploaded":
        (content / WHEEL).touch()
    source = code(copy_of("", "o/n" if where == "at the release" else None))[0].source.replace(
        "/content", content.as_posix()
    )
    cell = compile(
        source.replace("USE_DRIVE = False", f"USE_DRIVE = {where == 'on Drive'}"),
        "first cell",
        "exec",
    )
    if where == "nowhere":
        with pytest.raises(SystemExit, match="Upload medlearn-0.1.0"):
            exec(cell, {})
    else:
        exec(cell, {})
        assert installed == [str((place or content) / WHEEL)]


def test_a_strange_repository_is_one_sentence(tmp_path, capsys):
    for name in ("https://github.com/o/n", "o", "o/n/x", "o/n) [x](y"):
        assert commands.main(["colab", "--to", str(tmp_path), "--repository", name]) == 1
        assert "expected OWNER/NAME" in capsys.readouterr().err


def test_only_what_is_missing_is_installed(monkeypatch):
    monkeypatch.setattr(
        importlib.metadata,
        "requires",
        lambda _: ["numpy>=99", "no.such-thing>=1", "extra-one; extra == 'x'"],
    )
    assert session.missing() == ["no.such-thing>=1"]


def test_what_is_there_is_pinned_while_the_missing_is_installed(monkeypatch):
    asked = {}

    def pip(command, **_):
        asked["pins"] = open(command[command.index("-c") + 1], encoding="utf-8").read().splitlines()
        asked["wanted"] = command[-1]
        return type("Done", (), {"returncode": 1, "stdout": "first\nERROR: no such\n"})

    monkeypatch.setattr(session.subprocess, "run", pip)
    with pytest.raises(
        RuntimeError, match="thing>=1 cannot be installed beside what is here: ERROR: no such"
    ):
        session.install(["thing>=1"])
    assert f"numpy=={np.__version__}" in asked["pins"] and asked["wanted"] == "thing>=1"


@pytest.fixture
def no_traces(monkeypatch):
    """What a session sets for the whole kernel ends with the test."""
    monkeypatch.setattr(session, "missing", list)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with matplotlib.rc_context():
        yield


def test_caches_lie_on_drive_when_it_is_mounted(tmp_path, monkeypatch, no_traces):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("MEDLEARN_BUDGET", "cpu")
    assert "lost when the session ends" in session.prepare(str(tmp_path))
    assert os.environ["MEDLEARN_CACHE"] == str(tmp_path / "own")
    (tmp_path / "drive" / "MyDrive").mkdir(parents=True)
    assert "kept on Drive" in session.prepare(str(tmp_path)) and "budget cpu" in session.prepare(
        str(tmp_path)
    )
    assert os.environ["MEDLEARN_CACHE"] == str(
        tmp_path / "drive" / "MyDrive" / "medlearn" / "cache"
    )


def test_what_was_computed_before_a_disconnect_is_read_from_drive(tmp_path, monkeypatch, no_traces):
    from medlearn import backbones, features

    (tmp_path / "drive" / "MyDrive").mkdir(parents=True)
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "own"))
    encoder, images = backbones.load("efficientnet_lite0"), np.zeros((2, 128, 128, 3), np.uint8)
    session.prepare(str(tmp_path))
    first = features.extract(encoder, images, layer="block_2")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "the next machine's"))
    session.prepare(str(tmp_path))
    monkeypatch.setattr(features, "_computed", None)  # nothing may be computed again
    np.testing.assert_array_equal(features.extract(encoder, images, layer="block_2"), first)


def test_figures_get_the_style_that_lies_beside_the_lessons(tmp_path, no_traces):
    wanted = matplotlib.rc_params_from_file(FOLDER / "matplotlibrc", use_default_template=False)
    matplotlib.rcParams.update({"figure.dpi": 123, "image.cmap": "viridis", "font.size": 30})
    session.prepare(str(tmp_path))
    assert wanted and {name: matplotlib.rcParams[name] for name in wanted} == dict(wanted)


@pytest.fixture
def mixed_precision():
    from medlearn._keras import keras

    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield keras
    keras.mixed_precision.set_dtype_policy(before)


def test_the_gpu_budgets_paths_run_at_tiny_size(mixed_precision, monkeypatch):
    """Its image size and half precision, on few images: a head on a frozen encoder learns with a finite loss."""
    from medlearn import backbones, networks, transfer
    from medlearn.teaching import budget

    keras = mixed_precision
    monkeypatch.setenv("MEDLEARN_BUDGET", "gpu")
    size = budget.current()["size"]
    encoder = backbones.load("efficientnet_lite0", size=size)
    transfer.freeze(encoder)
    model = networks.classifier(encoder, 2)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    losses = model.fit(
        images.astype("float32"), np.array([0, 1, 0, 1]), batch_size=2, epochs=1, verbose=0
    ).history["loss"]
    assert size == 224 and np.isfinite(losses).all()
    assert np.isfinite(model.predict(images[:2].astype("float32"), verbose=0)).all()
