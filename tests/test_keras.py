"""Each question is asked of a second process: what one import does can only be seen once."""

import os
import subprocess
import sys

import pytest

from medlearn import _keras

HIDE_TENSORFLOW = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "tensorflow" else find(name, package)
sys.modules["tensorflow"] = None
"""


def python(code: str, **env: str) -> subprocess.CompletedProcess:
    kept = {
        key: os.environ[key]
        for key in os.environ
        if key not in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
    }
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=kept | env, timeout=120
    )


def test_importing_medlearn_is_quiet_and_loads_no_tensorflow():
    run = python(
        "import sys, medlearn; print(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "[]", "")


def test_tensorflow_comes_up_and_works_without_a_word():
    run = python(
        "from medlearn._keras import keras, tf\n"
        "import os\n"
        "assert os.environ['KERAS_BACKEND'] == keras.backend.backend() == 'tensorflow'\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
        "print(model.predict(tf.ones((3, 4)), verbose=0).shape)\n"
        "os.write(2, b'and then stderr is open again')"
    )
    assert (run.returncode, run.stdout.strip()) == (0, "(3, 2)"), run.stderr
    assert run.stderr == "and then stderr is open again"


@pytest.mark.parametrize(
    "stderr", ["sys.stderr = None", "sys.stderr = io.StringIO()", "os.close(2)"]
)
def test_an_odd_stderr_is_no_obstacle(stderr):
    code = f"import io, os, sys\nfrom medlearn import _keras\n{stderr}\nwith _keras._quiet_stderr(): print('inside')"
    run = python(code)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "inside", "")


def test_logical_devices_can_still_be_chosen_after_the_import():
    run = python(
        "from medlearn._keras import tf\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)\n"
        "print(len(tf.config.list_logical_devices('CPU')))"
    )
    assert run.stdout.strip() == "2", run.stderr


def test_without_tensorflow_the_package_is_imported_in_silence():
    run = python(HIDE_TENSORFLOW + "from medlearn import datasets, metrics\nprint('alive')")
    assert (run.stdout.strip(), run.stderr) == ("alive", "")


def test_without_tensorflow_asking_for_keras_raises_the_same_sentence():
    code = "import warnings; warnings.simplefilter('ignore')\nfrom medlearn._keras import keras"
    run = python(HIDE_TENSORFLOW + code)
    assert run.returncode == 1 and run.stderr.strip().endswith("ImportError: " + _keras.MISSING)


def test_another_keras_backend_is_refused_with_what_to_do():
    code = (
        "import sys, types\n"
        "fake = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: 'jax'))\n"
        "sys.modules['keras'] = fake\n"
        "from medlearn._keras import tf"
    )
    run = python(code)
    assert (
        run.returncode == 1
        and "set the environment variable KERAS_BACKEND=tensorflow" in run.stderr
    )


def test_what_was_held_back_is_shown_when_the_import_fails():
    code = (
        "import os\nfrom medlearn import _keras\n"
        "def broken(name): os.write(2, b'cannot load libfoo'); raise ImportError('no luck')\n"
        "_keras.importlib.import_module = broken\n"
        "_keras.keras"
    )
    run = python(code)
    assert run.returncode == 1 and "cannot load libfoo" in run.stderr
    assert run.stderr.strip().endswith("ImportError: no luck")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="offers .*keras.*tf, not 'torch'"):
        _keras.torch  # noqa: B018


def test_no_graphics_card_is_none():
    from medlearn._keras import tf

    assert (_keras.gpu_name() is None) == (not tf.config.list_physical_devices("GPU"))


def test_many_models_are_no_mistake_but_other_warnings_arrive():
    logger = _keras.tf.get_logger()
    told = [
        logger.filter(logger.makeRecord("tensorflow", 30, "", 0, text, (), None))
        for text in (
            "5 out of the last 5 calls to f triggered tf.function retracing. Tracing is expensive",
            "something else",
        )
    ]
    assert [bool(each) for each in told] == [False, True]
