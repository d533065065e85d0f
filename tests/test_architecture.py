"""The house of medlearn: what imports what, and how code reads; each rule is also seen failing."""

import graphlib
import re
import subprocess

import house_rules as rules
import pytest
from lessons import ROOT, expect_none

FOLDERS = ("medlearn", "tools", "tests", "benchmarks", "examples")
FORTY_SIX_LINES = "def f():\n" + "    x = 1\n" * 46
# rule -> files that break it once each
OFFENDERS = {
    rules.rooms_import_downwards: [
        {"medlearn/splits.py": "import medlearn.plots"},
        {"medlearn/splits.py": "def f():\n    from medlearn.plots import style"},
        {"medlearn/instruments/smear/cells.py": "from ..mri import _scanner"},
        {"medlearn/instruments/smear/cells.py": "from medlearn.instruments import mri"},
        {"medlearn/backbones/_load.py": "from ..features import extract"},
        {"medlearn/magic.py": ""},
    ],
    rules.every_permission_is_used: [{"medlearn/features/_extract.py": "import numpy"}],
    rules.the_ground_stands_on_nothing: [{"medlearn/_files.py": "from medlearn import splits"}],
    rules.no_import_cycle: [
        {"medlearn/a.py": "from medlearn import b", "medlearn/b.py": "from medlearn.a import x"},
        {
            "medlearn/p/__init__.py": "from . import a",
            "medlearn/p/a.py": "from . import b",
            "medlearn/p/b.py": "def f():\n    from .a import g",
        },
        {
            "medlearn/p/__init__.py": "from .a import f",
            "medlearn/p/a.py": "from medlearn.p import g",
        },
    ],
    rules.the_library_stands_alone: [
        {"medlearn/splits.py": "from tools import lab"},
        {"medlearn/splits.py": "def f():\n    import common.table"},
        {"benchmarks/transfer.py": "import tools.bench"},
        {"benchmarks/common/table.py": "from tests import lessons"},
        {"examples/a.py": "import tools"},
    ],
    rules.benchmarks_do_not_import_each_other: [
        {"benchmarks/a.py": "import b", "benchmarks/b.py": ""},
        {"benchmarks/common/table.py": "from transfer import rows", "benchmarks/transfer.py": ""},
    ],
    rules.doors_hold_no_logic: [
        {"medlearn/plots/__init__.py": "def f():\n    return 1"},
        {"medlearn/plots/__init__.py": "STYLE = 1"},
        {"medlearn/plots/__init__.py": "print()"},
        {"medlearn/curation/quality/__init__.py": "if True:\n    pass"},
    ],
    rules.every_name_of_a_map_exists: [
        {
            "medlearn/plots/__init__.pyi": "from ._a import g as g",
            "medlearn/plots/_a.py": "def f():\n    return 1",
        },
        {"medlearn/plots/__init__.pyi": "from . import magic as magic"},
    ],
    rules.no_star_import: [{"medlearn/a.py": "from numpy import *"}],
    rules.one_module_imports_tensorflow: [
        {"medlearn/a.py": "import tensorflow as tf"},
        {"medlearn/a.py": "def f():\n    from keras import layers"},
        {"medlearn/a.py": "import keras.ops"},
        {"medlearn/a.py": "importlib.import_module('tensorflow.io')"},
    ],
    rules.no_print: [
        {"medlearn/metrics.py": "def f():\n    print(1)"},
        {"medlearn/datasets/wbc.py": "print(1)"},
        {"medlearn/teaching_more.py": "print(1)"},
    ],
    rules.no_global_chance: [
        {"medlearn/a.py": "np.random.seed(0)"},
        {"medlearn/a.py": "numpy.random.normal(size=3)"},
        {"medlearn/a.py": "tf.random.set_seed(0)"},
        {"medlearn/a.py": "keras.utils.set_random_seed(0)"},
        {"medlearn/a.py": "import random\nrandom.seed(1)"},
    ],
    rules.no_unpickling: [
        {"medlearn/a.py": "import pickle"},
        {"medlearn/a.py": "from pickle import load"},
        {"medlearn/backbones/_weights.py": "pickle.load(file)"},
        {"medlearn/backbones/_weights.py": "pickle.Unpickler(file)"},
        {"medlearn/a.py": "np.load(path, allow_pickle=True)"},
        {"medlearn/a.py": "np.load(path, allow_pickle=trusted)"},
        {"medlearn/a.py": "pd.read_pickle(path)"},
    ],
    rules.files_and_functions_are_short: [
        {"medlearn/a.py": "x = 1\n" * 261},
        {"medlearn/a.py": FORTY_SIX_LINES},
    ],
    rules.public_names_have_docstrings: [
        {"medlearn/a.py": "def f():\n    return 1"},
        {"medlearn/a.py": "class Table:\n    x = 1"},
    ],
    rules.functions_document_their_parameters: [
        {"medlearn/_a.py": 'def f(a, *, b):\n    """Doc."""'},
        {"medlearn/a.py": 'class A:\n    def f(self, a, b):\n        """Doc."""'},
    ],
    rules.no_comprehension_in_a_comprehension: [
        {"medlearn/a.py": "x = [[b for b in a] for a in c]"},
        {"medlearn/a.py": "x = {a: max(b for b in a) for a in c}"},
    ],
    rules.no_long_line: [{"tests/a.py": "# " + "x" * 99}, {"medlearn/a.py": '"""' + "x" * 98}],
}
SOUND = {
    "medlearn/__init__.py": "import lazy_loader",
    "medlearn/_keras.py": "import keras\nimport tensorflow",
    "medlearn/splits.py": 'def f(a, b):\n    """Doc.\n\n    Parameters\n    ----------\n    """\n'
    "    return np.random.default_rng(0)",
    "medlearn/teaching/check.py": "from medlearn import adaptation, backbones, curation\n"
    "from medlearn import datasets, features, metrics, networks, plots, selection, splits\n"
    "from medlearn import training, transfer\n"
    "from medlearn.instruments import mri, smear\nfrom medlearn.teaching._a import f\nprint(f)",
    "medlearn/teaching/_a.py": "np.load(path, allow_pickle=False)\ndef _private(a, b): return 1",
    "medlearn/backbones/__init__.py": '"""Doc."""\nimport lazy_loader\n'
    "__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)",
    "medlearn/backbones/__init__.pyi": "from . import _weights\nfrom ._weights import X as X",
    "medlearn/backbones/_weights.py": "import pickle\nfrom medlearn._keras import keras\n"
    "class _Reader(pickle.Unpickler):\n    X = [a for a in b]",
    "medlearn/instruments/mri/_scanner.py": FORTY_SIX_LINES.replace("    x = 1\n", "", 1),
    "medlearn/datasets/_a.py": "from ..instruments.smear import one_cell\n"
    "from medlearn.instruments import mri\nfrom ... import _files",
    "medlearn/instruments/smear/__init__.py": '"""' + "Long doc.\n" * 300 + '"""',
    "tools/lab.py": "from tools import run",
    "tests/test_a.py": "import tools",
    "benchmarks/a.py": "from common import table\nfrom medlearn import datasets",
}


@pytest.fixture(scope="module")
def house() -> list[rules.Module]:
    paths = [ROOT / "course.py"]
    for folder in FOLDERS:
        paths += sorted((ROOT / folder).rglob("*.py")) + sorted((ROOT / folder).rglob("*.pyi"))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    return rules.modules(texts)


@pytest.mark.parametrize("rule", OFFENDERS, ids=lambda rule: rule.__name__)
def test_house(rule, house):
    expect_none(rule(house))


@pytest.mark.parametrize("rule", OFFENDERS, ids=lambda rule: rule.__name__)
def test_a_rule_passes_a_sound_house_and_names_each_offender(rule):
    assert rule(rules.modules(SOUND)) == []
    for sources in OFFENDERS[rule]:
        assert len(rule(rules.modules(sources))) == 1, sources


def test_the_floors_have_no_cycle():
    graphlib.TopologicalSorter(rules.MAY_IMPORT).prepare()
    assert set().union(*rules.MAY_IMPORT.values()) <= set(rules.MAY_IMPORT)


# ---- rules on every tracked text file: its path and text in, problems out ------------------------

_HOSTS = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("anaconda", "org"),
    ("anaconda", "com"),
    ("npmjs", "org"),
]
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.~-])/(?:work|root|home|tmp|Users)/[\w.]|\b[A-Z]:\\\\?(?:Users|Windows)\b"
    ),
    "a tool beside the repository": re.compile(r"\.(?:library)/"),
    "the host of a package registry": re.compile(
        "|".join(r"\b" + r"\.".join(parts) + r"\b" for parts in _HOSTS)
    ),
}
NEIGHBOURS = re.compile(r"\.\.(?:/)shared\b")
MAY_NAME_NEIGHBOURS = ".ci/run"


def foreign_names(path: str, text: str) -> list[str]:
    hits = {what: pattern.search(text) for what, pattern in FORBIDDEN.items()}
    problems = [f"{path} names {what}: {hit.group()}" for what, hit in hits.items() if hit]
    if path != MAY_NAME_NEIGHBOURS and NEIGHBOURS.search(text):
        problems.append(
            f"{path} names the folder beside the repository; only {MAY_NAME_NEIGHBOURS} may"
        )
    if path == "constraints.txt" and re.search("://|index-url|find-links", text):
        problems.append("constraints.txt is not free of hosts")
    return problems


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    files = {
        name: ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()
    }
    contents = {name: path.read_bytes() for name, path in files.items()}
    texts = {name: content for name, content in contents.items() if b"\0" not in content[:8000]}
    return {name: content.decode("utf-8", "replace") for name, content in texts.items()}


def test_no_tracked_file_names_this_machine_or_a_registry():
    problems = []
    for path, text in tracked_texts().items():
        problems += foreign_names(path, text)
    expect_none(problems)


def joined(*parts: str) -> str:
    """Put together here, so that this file does not name what it forbids."""
    return "".join(parts)


FOREIGN = [
    ("a.md", joined("see /", "work/main")),
    ("a.py", joined('"/', 'root/.cache"')),
    ("a.py", joined("'/", "tmp/scratch'")),
    ("a.ipynb", joined("/", "home/somebody")),
    ("a.md", joined("C:", r"\\Users\\somebody")),
    ("a.py", joined(".libr", "ary/env")),
    ("README.md", joined("https://py", "pi.org/simple")),
    ("uv.lock", joined("files.python", "hosted.org")),
    ("environment.yml", joined("https://conda.ana", "conda.org/x")),
    ("constraints.txt", "--index-url somewhere"),
    ("constraints.txt", "numpy @ https://somewhere.example/numpy.whl"),
    ("README.md", joined("../", "shared/real")),
]
HARMLESS = [
    (".ci/run", joined("../", "shared/real")),
    ("README.md", "https://example.org/home/page, ~/course, notebooks/work/x, train/tmp"),
    ("constraints.txt", "numpy==2.0 ; python_version < '3.14'"),
]


def test_foreign_names_fail_and_harmless_ones_pass():
    for path, text in FOREIGN:
        assert len(foreign_names(path, text)) == 1, text
    for path, text in HARMLESS:
        assert foreign_names(path, text) == [], text
