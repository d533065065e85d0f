"""What an import does can only be seen once, so most of these tests ask a new process."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from medlearn import _keras

HIDE_TENSORFLOW = """
import importlib.util, sys
find = importlib.util.find_spec
def hide(name, package=None): return None if name == "tensorflow" else find(name, package)
importlib.util.find_spec = hide
sys.modules["tensorflow"] = None
"""


def python(code: str) -> subprocess.CompletedProcess:
    """Run code in a new process that inherits no setting of TensorFlow or Keras."""
    settings = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )


def test_import_is_quick_and_silent():
    run = python(
        "import sys, time\n"
        "start = time.perf_counter()\n"
        "import medlearn\n"
        "assert time.perf_counter() - start < 0.3\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "[]", "")


WITHOUT_TENSORFLOW = """
import importlib, pkgutil, sys
from medlearn import curation, datasets, instruments, metrics, plots, report, splits

for room in (curation, datasets, instruments, metrics, plots):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(module.name)
cells = datasets.load("smear", count=60, size=32)
splits.by_patient(cells.patients, test=0.5, seed=0)
assert metrics.accuracy(cells.labels, cells.labels) == 1
assert curation.quality.sharpness(cells.images).shape == (60,)
plots.images(cells.images)
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""


def test_no_tensorflow_for_data_splits_metrics_curation_plots_and_reports():
    run = python(WITHOUT_TENSORFLOW)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "[]", "")


@pytest.mark.slow
def test_tensorflow_starts_in_silence_and_takes_two_logical_devices():
    run = python(
        "from medlearn import keras, tf\n"
        "import os\n"
        "assert os.environ['KERAS_BACKEND'] == keras.backend.backend() == 'tensorflow'\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "halves = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        "tf.config.set_logical_device_configuration(cpu, halves)\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
        "print(model.predict(tf.ones((3, 4)), verbose=0).shape)\n"
        "print(len(tf.config.list_logical_devices('CPU')))\n"
        "os.write(2, b'and then stderr is open again')"
    )
    assert (run.returncode, run.stdout.split("\n")[:2]) == (0, ["(3, 2)", "2"]), run.stderr
    assert run.stderr == "and then stderr is open again"


@pytest.mark.parametrize(
    "stderr", ["sys.stderr = None", "sys.stderr = io.StringIO()", "os.close(2)"]
)
def test_an_odd_stderr_is_no_obstacle(stderr):
    run = python(
        "import io, os, sys\n"
        "from medlearn import _keras\n"
        f"{stderr}\n"
        "with _keras._quiet_stderr(): print('inside')"
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "inside", "")


def test_without_tensorflow_data_load_and_keras_is_refused_with_what_to_do():
    run = python(
        HIDE_TENSORFLOW
        + "from medlearn import datasets, splits\nprint('alive')\nfrom medlearn import keras"
    )
    assert (run.returncode, run.stdout.strip()) == (1, "alive")
    assert run.stderr.strip().endswith("ImportError: " + _keras.MISSING)


def test_another_backend_is_refused_with_what_to_do(monkeypatch):
    jax = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    devices = SimpleNamespace(list_physical_devices=list)
    fakes = {"keras": jax, "tensorflow": SimpleNamespace(config=devices)}
    monkeypatch.setattr(_keras.importlib, "import_module", fakes.get)
    with pytest.raises(ImportError, match="set the environment variable KERAS_BACKEND=tensorflow"):
        _keras._load()


def test_what_was_held_back_appears_when_the_import_fails():
    run = python(
        "import os\n"
        "from medlearn import _keras\n"
        "def broken(name): os.write(2, b'cannot load libfoo'); raise ImportError('no luck')\n"
        "_keras.importlib.import_module = broken\n"
        "_keras.keras"
    )
    assert run.returncode == 1 and "cannot load libfoo" in run.stderr
    assert run.stderr.strip().endswith("ImportError: no luck")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"offers .*keras.*tf, not 'torch'"):
        _keras.torch  # noqa: B018


def test_no_graphics_card_is_none():
    cards = _keras.tf.config.list_physical_devices("GPU")
    assert (_keras.gpu_name() is None) == (not cards)


def test_the_warning_of_many_models_is_silenced_and_no_other():
    logger = _keras.tf.get_logger()
    retracing = "5 out of the last 5 calls to f triggered tf.function retracing. It is expensive"
    for text, passes in ((retracing, False), ("something else", True)):
        record = logger.makeRecord("tensorflow", 30, "", 0, text, (), None)
        assert bool(logger.filter(record)) == passes


def test_the_example_on_the_page_about_keras_runs():
    page = Path(__file__).resolve().parents[1] / "docs" / "keras.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict = {}
    exec(example, names)
    assert names["probabilities"].shape == (200, 2)
    correct = names["probabilities"].argmax(1) == names["labels"]
    assert correct.mean() > 0.8
