"""Copies for Colab: links, first cell, and a session that disturbs nothing.

`tests/simulate_colab.py` plays whole lessons as Colab does.
"""

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
GITHUB = "https://github.com/o/n"
COLAB = "https://colab.research.google.com/github/o/n"


def copy_of(text, repository):
    notebook = miniature().notebook
    notebook.cells.insert(1, new_markdown_cell(text))
    return colab.for_colab(notebook, "02_sum_numbers.ipynb", WHEEL, repository)


# ---- the copies ----------------------------------------------------------------------------------


def test_links_lead_to_the_repository_or_become_words():
    elsewhere = "[paper](https://doi.org/1), ![figure](attachment:a.png)"
    text = f"a [Term](../docs/glossary.md#term), [next](03_x.ipynb), {elsewhere}"
    linked = copy_of(text, "o/n").cells[3].source
    assert f"[Term]({GITHUB}/blob/main/docs/glossary.md#term)" in linked
    assert f"[next]({COLAB}/blob/colab/03_x.ipynb)" in linked
    assert copy_of(text, None).cells[2].source == f"a Term, next, {elsewhere}"


def test_the_first_code_cell_installs_the_wheel_alone():
    with_repository, without = copy_of("", "o/n"), copy_of("", None)
    first = code(with_repository)[0].source
    compile(first, "first cell", "exec")
    assert "--no-deps" in first and f"{GITHUB}/releases/download/v0.1.0/{WHEEL}" in first
    assert 'RELEASE = ""' in code(without)[0].source
    assert "colab-badge.svg" in with_repository.cells[1].source
    assert "badge" not in without.cells[1].source


@pytest.fixture
def wheel(monkeypatch):
    def build(to):
        (to / WHEEL).write_bytes(b"wheel")
        return to / WHEEL

    monkeypatch.setattr(colab, "build_wheel", build)


@pytest.mark.parametrize("name", ["README.md", WHEEL, "00_start_here.ipynb"])
def test_a_file_that_differs_is_refused_before_anything_is_written(tmp_path, wheel, name, capsys):
    (tmp_path / name).write_bytes(b"my own")
    assert commands.main(["colab", "--to", str(tmp_path), "--repository", "o/n"]) == 1
    error = capsys.readouterr().err.strip()
    assert f"{name} differs" in error and "choose another folder" in error and "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"my own"


def test_copies_of_an_earlier_version_are_counted_in_one_sentence(tmp_path, wheel, capsys):
    for name in ("00_start_here.ipynb", "README.md", WHEEL):
        (tmp_path / name).write_bytes(b"of last year")
    assert commands.main(["colab", "--to", str(tmp_path), "--repository", "o/n"]) == 1
    error = capsys.readouterr().err.strip()
    assert "2 more files differ" in error and "earlier version of the course" in error
    assert len(list(tmp_path.iterdir())) == 3


def test_every_lesson_has_a_badge_if_there_is_a_repository(tmp_path, wheel):
    names = sorted(path.name for path in FOLDER.glob("[0-9]*.ipynb"))
    for repository in ("o/n", None):
        to = tmp_path / str(bool(repository))
        assert len(list(colab.write(to, repository))) == 2
        assert sorted(path.name for path in to.glob("*.ipynb")) == names
    assert not (tmp_path / "False" / "README.md").exists()
    badges = (tmp_path / "True" / "README.md").read_text(encoding="utf-8")
    assert all(f"blob/colab/{name})" in badges for name in names)


def test_a_strange_repository_is_one_sentence(tmp_path, capsys):
    for name in ("https://github.com/o/n", "o", "o/n/x", "o/n) [x](y"):
        assert commands.main(["colab", "--to", str(tmp_path), "--repository", name]) == 1
        assert "expected OWNER/NAME" in capsys.readouterr().err


@pytest.fixture
def first_cell(tmp_path, monkeypatch):
    """Runs the first cell in a folder that stands for Colab's; returns what pip installs."""
    content = tmp_path / "content"
    content.mkdir()
    installed = []

    def mount(path):
        Path(path, "MyDrive").mkdir(parents=True)
        Path(path, "MyDrive", WHEEL).touch()

    drive = types.SimpleNamespace(mount=mount)
    monkeypatch.setitem(sys.modules, "google.colab", types.SimpleNamespace(drive=drive))
    monkeypatch.setattr(urllib.request, "urlretrieve", lambda address, path: Path(path).touch())
    monkeypatch.setattr(subprocess, "run", lambda command, **_: installed.append(command[-1]))
    monkeypatch.setattr(session, "prepare", lambda content: "Ready")

    def run(repository=None, use_drive=False):
        source = code(copy_of("", repository))[0].source
        source = source.replace("/content", content.as_posix())
        source = source.replace("USE_DRIVE = False", f"USE_DRIVE = {use_drive}")
        exec(compile(source, "first cell", "exec"), {})
        return installed[-1]

    return content, run


def test_the_first_cell_finds_the_wheel_uploaded_on_drive_or_at_the_release(first_cell):
    content, run = first_cell
    with pytest.raises(SystemExit, match="Upload medlearn-0.1.0"):
        run()
    assert run(use_drive=True) == str(content / "drive" / "MyDrive" / WHEEL)
    (content / "drive" / "MyDrive" / WHEEL).unlink()
    assert run(repository="o/n") == str(content / WHEEL)
    assert run() == str(content / WHEEL), "as if it had been uploaded"


# ---- the session ---------------------------------------------------------------------------------


def test_only_what_is_missing_is_installed(monkeypatch):
    requirements = ["numpy>=99", "no.such-thing>=1", "extra-one; extra == 'x'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: requirements)
    assert session._missing() == ["no.such-thing>=1"]


def test_what_is_there_is_pinned_while_the_missing_is_installed(monkeypatch):
    commands_run = []
    pins = []

    def pip(command, **_):
        commands_run.append(command)
        path = Path(command[command.index("-c") + 1])
        pins.extend(path.read_text(encoding="utf-8").splitlines())
        return types.SimpleNamespace(returncode=1, stdout="first\nERROR: no such\n")

    monkeypatch.setattr(session.subprocess, "run", pip)
    problem = "thing>=1 cannot be installed beside what is here: ERROR: no such"
    with pytest.raises(RuntimeError, match=problem):
        session._install(["thing>=1"])
    assert f"numpy=={np.__version__}" in pins and commands_run[0][-1] == "thing>=1"


@pytest.fixture
def no_traces(monkeypatch):
    """What a session sets for the whole kernel ends with the test."""
    monkeypatch.setattr(session, "_missing", list)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("MEDLEARN_BUDGET", "cpu")
    with matplotlib.rc_context():
        yield


def test_caches_lie_on_drive_when_it_is_mounted(tmp_path, monkeypatch, no_traces):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "own"))
    assert "lost when the session ends" in session.prepare(str(tmp_path))
    assert os.environ["MEDLEARN_CACHE"] == str(tmp_path / "own")
    mine = tmp_path / "drive" / "MyDrive"
    mine.mkdir(parents=True)
    sentence = session.prepare(str(tmp_path))
    assert "kept on Drive" in sentence and "budget cpu" in sentence
    assert os.environ["MEDLEARN_CACHE"] == str(mine / "medlearn" / "cache")


def test_what_was_computed_before_a_disconnect_is_read_from_drive(tmp_path, monkeypatch, no_traces):
    from medlearn import backbones, features
    from medlearn.features import _extract

    (tmp_path / "drive" / "MyDrive").mkdir(parents=True)
    encoder = backbones.load("efficientnet_lite0")
    images = np.zeros((2, 128, 128, 3), np.uint8)
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "own"))
    session.prepare(str(tmp_path))
    first = features.extract(encoder, images, layer="block_2")
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "the next machine's"))
    session.prepare(str(tmp_path))
    monkeypatch.setattr(_extract, "_compute", None)  # nothing may be computed again
    np.testing.assert_array_equal(features.extract(encoder, images, layer="block_2"), first)


def test_figures_get_the_style_that_lies_beside_the_lessons(tmp_path, no_traces):
    style = matplotlib.rc_params_from_file(FOLDER / "matplotlibrc", use_default_template=False)
    matplotlib.rcParams.update({"figure.dpi": 123, "image.cmap": "viridis", "font.size": 30})
    session.prepare(str(tmp_path))
    assert style and {name: matplotlib.rcParams[name] for name in style} == dict(style)


@pytest.fixture
def mixed_precision():
    from medlearn._keras import keras

    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield keras
    keras.mixed_precision.set_dtype_policy(before)


@pytest.mark.slow
def test_the_gpu_budgets_paths_run_at_tiny_size(mixed_precision, monkeypatch):
    """With its image size and half precision, a head on a frozen encoder learns a finite loss."""
    from medlearn import backbones, networks, transfer
    from medlearn.teaching import budget

    keras = mixed_precision
    monkeypatch.setenv("MEDLEARN_BUDGET", "gpu")
    size = budget.current()["size"]
    encoder = backbones.load("efficientnet_lite0", size=size)
    transfer.freeze(encoder)
    model = networks.classifier(encoder, 2)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, size, size, 3)).astype("float32")
    history = model.fit(images, np.array([0, 1, 0, 1]), batch_size=2, epochs=1, verbose=0)
    assert size == 224 and np.isfinite(history.history["loss"]).all()
    assert np.isfinite(model.predict(images[:2], verbose=0)).all()
