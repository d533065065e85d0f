"""The house of medlearn: which door may import which, and what no file does; each rule is also seen failing."""

import ast
import graphlib
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property

import pytest
from lessons import ROOT, expect_none

# A door is a module or package right under medlearn or medlearn.instruments. Floors only look down.
GROUND = {  # every room may stand on these
    "_checks",
    "_dataset",
    "_files",
    "_images",
    "_keras",
    "_progress",
    "_renamed",
    "_saved",
    "_similarity",
}
WITHOUT_NETWORKS = {"datasets", "splits", "metrics", "curation", "plots", "report", "instruments"}
MAY_IMPORT: dict[str, set[str]] = {
    "medlearn": set(),
    "_checks": set(),
    "_dataset": set(),
    "_files": set(),
    "_images": set(),
    "_similarity": set(),
    "_keras": set(),
    "_progress": set(),
    "_renamed": set(),
    "_saved": set(),
    "engine": set(),
    "splits": set(),
    "metrics": set(),
    "curation": set(),
    "instruments": set(),
    "instruments.smear": set(),
    "instruments.mri": set(),
    "datasets": {"instruments.smear", "instruments.mri"},
    "backbones": set(),
    "features": {"backbones"},
    "adaptation": set(),
    "selection": {"metrics"},
    "networks": {"metrics"},
    "transfer": set(),
    "training": set(),
    "explain": set(),
    "inference": {"datasets", "metrics", "networks", "report"},
    "plots": {"metrics"},
    "report": {"metrics"},
    "teaching": {"backbones", "datasets", "instruments.smear", "instruments.mri"},
}
PRINTING = (
    "medlearn.teaching",
    "medlearn.datasets._real",
)  # verdicts, the doctor, the licence line
UNPICKLING = "medlearn.backbones._weights"  # the restricted reader
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines; docstrings of functions do not count


@dataclass
class Module:
    name: str
    source: str
    is_package: bool

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.source)))

    @cached_property
    def calls(self) -> list[str]:
        return [ast.unparse(node) for node in self.nodes if isinstance(node, ast.Call)]

    @property
    def door(self) -> str:
        parts = self.name.split(".")
        return (
            ".".join(parts[1 : 3 if parts[1] == "instruments" else 2])
            if len(parts) > 1
            else "medlearn"
        )


def modules(sources: dict[str, str]) -> list[Module]:
    """The modules of files such as {"medlearn/check/__init__.py": source}."""
    found = []
    for path, source in sources.items():
        parts = path.removesuffix(".py").split("/")
        package = parts[-1] == "__init__"
        found.append(Module(".".join(parts[:-1] if package else parts), source, package))
    return found


def imported(module: Module, known: set[str]) -> set[str]:
    """Full names of everything a module imports, wherever in it, as files where such a file is known."""
    names: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.name.split(".")
                above = parts[: len(parts) - node.level + module.is_package]
                base = ".".join([*above, *base.split(".")] if base else above)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            names |= inner & known or {base}
            names |= {base} if inner - known else set()
    return names


# ---- rules on medlearn: modules in, problems out -----------------------------------------------------------


def doors_import_downwards(house: list[Module]) -> list[str]:
    known = {module.name for module in house} | {f"medlearn.{door}" for door in MAY_IMPORT}
    problems = []
    for module in house:
        if module.door not in MAY_IMPORT:
            problems.append(f"{module.name} is a new door: say in MAY_IMPORT what it may import")
            continue
        ours = [name for name in imported(module, known) if name.split(".")[0] == "medlearn"]
        doors = {Module(name, "", False).door for name in ours} - {module.door}
        problems += [
            f"{module.name} may not import {door}"
            for door in sorted(doors - MAY_IMPORT[module.door] - GROUND)
        ]
    return problems


def every_permission_is_used(house: list[Module]) -> list[str]:
    known = {module.name for module in house} | {f"medlearn.{door}" for door in MAY_IMPORT}
    used = {
        (module.door, Module(name, "", False).door)
        for module in house
        for name in imported(module, known)
        if name.split(".")[0] == "medlearn"
    }
    return [
        f"{door} may import {other}, but does not: take the permission away"
        for door, others in MAY_IMPORT.items()
        for other in sorted(others)
        if any(module.door == door for module in house) and (door, other) not in used
    ]


def the_ground_stands_on_nothing(house: list[Module]) -> list[str]:
    known = {module.name for module in house} | {f"medlearn.{door}" for door in MAY_IMPORT}
    return [
        f"{module.name} may not import {name}: every room stands on it"
        for module in house
        if module.door in GROUND
        for name in sorted(imported(module, known))
        if name.startswith("medlearn.") and Module(name, "", False).door not in GROUND
    ]


def no_import_cycle(house: list[Module]) -> list[str]:
    known = {module.name for module in house}
    graph = {module.name: (imported(module, known) & known) - {module.name} for module in house}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [f"import cycle: {' <- '.join(error.args[1])}"]
    return []


def no_star_import(house: list[Module]) -> list[str]:
    return [
        f"{module.name} has a star import: {ast.unparse(node)}"
        for module in house
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]


def only_one_module_imports_tensorflow(house: list[Module]) -> list[str]:
    problems = []
    for module in house:
        roots = {name.split(".")[0] for name in imported(module, set())}
        for node in module.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("import_module", "__import__")
            ):
                roots |= {
                    str(a.value).split(".")[0] for a in node.args if isinstance(a, ast.Constant)
                }
        for root in sorted(roots & {"tensorflow", "keras", "tf_keras"}):
            if module.name != "medlearn._keras":
                problems.append(
                    f"{module.name} imports {root}; `from medlearn._keras import keras, tf` instead"
                )
    return problems


def no_print(house: list[Module]) -> list[str]:
    return [
        f"{module.name} prints: {call}"
        for module in house
        if not any(f"{module.name}.".startswith(f"{name}.") for name in PRINTING)
        for call in module.calls
        if call.startswith("print(")
    ]


def no_global_chance(house: list[Module]) -> list[str]:
    seeds = r"(\w+\.)*(random\.(seed|set_seed)|set_random_seed)\("
    draws = r"(np|numpy)\.random\.(?!default_rng|SeedSequence|Generator)\w+\("
    return [
        f"{module.name} uses global chance: {call}"
        for module in house
        for call in module.calls
        if re.match(f"{seeds}|{draws}", call)
    ]


def no_unpickling(house: list[Module]) -> list[str]:
    problems = []
    for module in house:
        roots = {name.split(".")[0] for name in imported(module, set())}
        banned = {"pickle", "joblib", "dill", "shelve", "torch"} - (
            {"pickle"} if module.name == UNPICKLING else set()
        )
        calls = r"pickle\.(loads?|Unpickler)\(|\w+\.read_pickle\(|.*allow_pickle=(?!False)"
        found = [*sorted(roots & banned), *(call for call in module.calls if re.match(calls, call))]
        problems += [f"{module.name} may run a stranger's pickle: {what}" for what in found]
    return problems


def files_and_functions_are_short(house: list[Module]) -> list[str]:
    lengths = {module.name: (len(module.source.splitlines()), LONGEST_FILE) for module in house}
    for module in house:
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[f"{module.name}.{node.name}"] = (_lines_of_code(node), LONGEST_FUNCTION)
    return [
        f"{name} has {lines} lines; at most {most}"
        for name, (lines, most) in lengths.items()
        if lines > most
    ]


def public_functions_have_docstrings(house: list[Module]) -> list[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [
        f"{module.name}.{node.name} has no docstring"
        for module in house
        if not re.search(r"\._[a-z]", module.name)
        for node in ast.parse(module.source).body
        if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]


RULES = [
    every_permission_is_used,
    the_ground_stands_on_nothing,
    doors_import_downwards,
    no_import_cycle,
    no_star_import,
    only_one_module_imports_tensorflow,
    no_print,
    no_global_chance,
    no_unpickling,
    files_and_functions_are_short,
    public_functions_have_docstrings,
]


def _lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function):
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


# ---- rules on every tracked text file: its path and text in, problems out ----------------------------------

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


# ---- the rules on the house --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house() -> list[Module]:
    paths = sorted((ROOT / "medlearn").rglob("*.py"))
    return modules(
        {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house(rule, house):
    expect_none(rule(house))


def test_no_tracked_file_names_this_machine_or_a_registry():
    expect_none(
        [problem for path, text in tracked_texts().items() for problem in foreign_names(path, text)]
    )


def test_exceptions_are_still_needed(house):
    """An exception that no module uses any more is to be deleted."""
    printing = [
        f"{module.name}."
        for module in house
        if any(call.startswith("print(") for call in module.calls)
    ]
    for exception in PRINTING:
        assert any(name.startswith(f"{exception}.") for name in printing), exception
    assert UNPICKLING in {module.name for module in house}


# ---- the rules on their offenders --------------------------------------------------------------------------

LONG = "def f():\n" + '    """Doc."""\n' + "    x = 1\n" * 60
OFFENDERS = [
    (doors_import_downwards, {"medlearn/splits.py": "from medlearn import features"}),
    (doors_import_downwards, {"medlearn/splits.py": "from . import metrics"}),
    (doors_import_downwards, {"medlearn/splits.py": "import medlearn.metrics"}),
    (
        doors_import_downwards,
        {"medlearn/splits.py": "def f():\n    from medlearn.plots import style"},
    ),
    (doors_import_downwards, {"medlearn/instruments/smear/cells.py": "from ..mri import _scanner"}),
    (
        doors_import_downwards,
        {"medlearn/instruments/smear/cells.py": "from medlearn.instruments import mri"},
    ),
    (doors_import_downwards, {"medlearn/backbones/__init__.py": "from ..features import extract"}),
    (doors_import_downwards, {"medlearn/magic.py": ""}),
    (
        no_import_cycle,
        {"medlearn/a.py": "from medlearn import b", "medlearn/b.py": "from medlearn.a import x"},
    ),
    (
        no_import_cycle,
        {
            "medlearn/p/__init__.py": "from . import a",
            "medlearn/p/a.py": "from . import b",
            "medlearn/p/b.py": "def f():\n    from .a import g",
        },
    ),
    (
        no_import_cycle,
        {
            "medlearn/p/__init__.py": "from .a import f",
            "medlearn/p/a.py": "from medlearn.p import g",
        },
    ),
    (every_permission_is_used, {"medlearn/features.py": "import numpy"}),
    (the_ground_stands_on_nothing, {"medlearn/_files.py": "from medlearn import splits"}),
    (no_star_import, {"medlearn/a.py": "from numpy import *"}),
    (only_one_module_imports_tensorflow, {"medlearn/a.py": "import tensorflow as tf"}),
    (
        only_one_module_imports_tensorflow,
        {"medlearn/a.py": "def f():\n    from keras import layers"},
    ),
    (only_one_module_imports_tensorflow, {"medlearn/a.py": "import keras.ops"}),
    (
        only_one_module_imports_tensorflow,
        {"medlearn/a.py": "importlib.import_module('tensorflow.io')"},
    ),
    (no_print, {"medlearn/metrics.py": "def f():\n    print(1)"}),
    (no_print, {"medlearn/datasets/wbc.py": "print(1)"}),
    (no_print, {"medlearn/checker.py": "print(1)"}),
    (no_global_chance, {"medlearn/a.py": "np.random.seed(0)"}),
    (no_global_chance, {"medlearn/a.py": "numpy.random.normal(size=3)"}),
    (no_global_chance, {"medlearn/a.py": "tf.random.set_seed(0)"}),
    (no_global_chance, {"medlearn/a.py": "keras.utils.set_random_seed(0)"}),
    (no_global_chance, {"medlearn/a.py": "import random\nrandom.seed(1)"}),
    (no_unpickling, {"medlearn/a.py": "import pickle"}),
    (no_unpickling, {"medlearn/a.py": "from pickle import load"}),
    (no_unpickling, {"medlearn/backbones/_weights.py": "pickle.load(file)"}),
    (no_unpickling, {"medlearn/backbones/_weights.py": "pickle.Unpickler(file)"}),
    (no_unpickling, {"medlearn/a.py": "np.load(path, allow_pickle=True)"}),
    (no_unpickling, {"medlearn/a.py": "np.load(path, allow_pickle=trusted)"}),
    (no_unpickling, {"medlearn/a.py": "pd.read_pickle(path)"}),
    (files_and_functions_are_short, {"medlearn/a.py": "x = 1\n" * 401}),
    (files_and_functions_are_short, {"medlearn/a.py": LONG}),
    (public_functions_have_docstrings, {"medlearn/a.py": "def f():\n    return 1"}),
    (public_functions_have_docstrings, {"medlearn/a.py": "class Thing:\n    x = 1"}),
]
SOUND = {
    "medlearn/__init__.py": "import lazy_loader",
    "medlearn/_keras.py": "import keras\nimport tensorflow",
    "medlearn/splits.py": 'import numpy as np\ndef f():\n    """Doc."""\n    return np.random.default_rng(0)',
    "medlearn/teaching/check.py": "from medlearn import backbones, datasets\n"
    "from medlearn.instruments import mri, smear\nfrom medlearn.teaching._answers import same\nprint(same)",
    "medlearn/teaching/_answers.py": "np.load(path, allow_pickle=False)\ndef _private(): return 1",
    "medlearn/backbones/__init__.py": "from . import _weights\nfrom medlearn._keras import keras",
    "medlearn/backbones/_weights.py": "import pickle\nclass _Reader(pickle.Unpickler):\n    pass",
    "medlearn/instruments/mri/__init__.py": "from ._scanner import scan\nfrom ... import _files",
    "medlearn/instruments/mri/scanner.py": LONG.replace("    x = 1\n", "", 1),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_house_passes(rule):
    assert rule(modules(SOUND)) == []
    assert rule in [offended for offended, _ in OFFENDERS]


@pytest.mark.parametrize(
    "rule, sources", OFFENDERS, ids=lambda value: getattr(value, "__name__", "")
)
def test_an_offender_fails(rule, sources):
    assert len(rule(modules(sources))) == 1


def test_a_new_door_is_named():
    assert (
        "medlearn.magic is a new door"
        in doors_import_downwards(modules({"medlearn/magic.py": ""}))[0]
    )


def test_the_floors_have_no_cycle():
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()
    assert set().union(*MAY_IMPORT.values()) <= set(MAY_IMPORT)


def joined(*parts: str) -> str:
    """Put together here, so that this file does not name what it forbids."""
    return "".join(parts)


@pytest.mark.parametrize(
    "path, text",
    [
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
    ],
)
def test_a_foreign_name_fails(path, text):
    assert len(foreign_names(path, text)) == 1


@pytest.mark.parametrize(
    "path, text",
    [
        (".ci/run", joined("../", "shared/real")),
        (
            "README.md",
            "https://example.org/home/page, ~/course, notebooks/work/x, train/tmp, `pip install`",
        ),
        ("constraints.txt", "numpy==2.0 ; python_version < '3.14'"),
    ],
)
def test_harmless_names_pass(path, text):
    assert foreign_names(path, text) == []
