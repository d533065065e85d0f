"""Rules on the source of the project: modules in, problems out. test_architecture.py applies them.

A room is a module or package right under medlearn, or under medlearn.instruments.
"""

import ast
import graphlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

# Every room may stand on the ground.
GROUND = {
    "_drafts",
    "_unpacked",
    "_pseudonyms",
    "_checks",
    "_columns",
    "_dataset",
    "_files",
    "_folding",
    "_harmless",
    "_images",
    "_keras",
    "_progress",
    "_renamed",
    "_volumes",
    "_saved",
    "_similarity",
}
MAY_IMPORT: dict[str, set[str]] = {
    "medlearn": set(),
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
    "monitoring": {"metrics"},
    "networks": {"metrics"},
    "transfer": set(),
    "training": set(),
    "explain": set(),
    "inference": {"datasets", "metrics", "networks", "report"},
    "plots": {"metrics"},
    "report": {"metrics"},
    "teaching": {
        "adaptation",
        "backbones",
        "curation",
        "datasets",
        "features",
        "instruments.smear",
        "instruments.mri",
        "metrics",
        "networks",
        "plots",
        "selection",
        "splits",
        "training",
        "transfer",
    },
} | {name: set() for name in GROUND}
# They print verdicts, the doctor's report, and the lines about licences.
PRINTING = ("medlearn.teaching", "medlearn.datasets._real", "medlearn.backbones._dinov2")
UNPICKLING = "medlearn.backbones._weights"  # the restricted reader
LONGEST_FILE, LONGEST_FUNCTION = 260, 45  # lines without docstrings, and without the signature
LONGEST_LINE = 100
# Keras and Python call these methods, and say what they take.
INTERFACES = {"call", "find_class", "find_spec", "on_train_batch_end", "update_step"}
COMPREHENSIONS = ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """A Python file; the map of a room, ``__init__.pyi``, is one too."""

    path: str
    source: str

    @property
    def is_map(self) -> bool:
        return self.path.endswith(".pyi")

    @property
    def is_package(self) -> bool:
        return self.path.split("/")[-1].startswith("__init__.")

    @property
    def name(self) -> str:
        parts = self.path.rpartition(".")[0].split("/")
        return ".".join(parts[:-1] if self.is_package else parts)

    @property
    def room(self) -> str:
        return room_of(self.name)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def calls(self) -> list[str]:
        return [ast.unparse(node) for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def import_froms(self) -> list[tuple[str, list[str]]]:
        """Full names of the modules, and the names that are taken from them."""
        nodes = [node for node in self.nodes if isinstance(node, ast.ImportFrom)]
        return [(self._base(node), [alias.name for alias in node.names]) for node in nodes]

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        above = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*above, node.module] if node.module else above)

    def imports(self, modules: set[str]) -> set[str]:
        """Full names of all that is imported; ``from a import b`` is a.b if that is a module."""
        names = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        for base, imported in self.import_froms:
            full = {f"{base}.{name}" for name in imported}
            names |= full & modules
            if full - modules:
                names.add(base)
        return names


def room_of(name: str) -> str:
    """The room of a module of the package; "medlearn" for the package itself."""
    parts = name.split(".")
    if len(parts) == 1:
        return name
    return ".".join(parts[1 : 3 if parts[1] == "instruments" else 2])


def modules(sources: dict[str, str]) -> list[Module]:
    """The modules of files such as {"medlearn/plots/__init__.py": source}."""
    return [Module(path, source) for path, source in sources.items()]


def _package(house: list[Module]) -> list[Module]:
    """The code of medlearn, without the maps."""
    return [m for m in house if m.name.split(".")[0] == "medlearn" and not m.is_map]


def _names(house: list[Module]) -> set[str]:
    return {module.name for module in house} | {f"medlearn.{room}" for room in MAY_IMPORT}


def _rooms_used(module: Module, names: set[str]) -> set[str]:
    ours = [name for name in module.imports(names) if name.split(".")[0] == "medlearn"]
    return {room_of(name) for name in ours} - {module.room}


# ---- rooms and floors ----------------------------------------------------------------------------


def rooms_import_downwards(house: list[Module]) -> list[str]:
    names, problems = _names(house), []
    for module in _package(house):
        if module.room not in MAY_IMPORT:
            problems.append(f"{module.name} is a new room: say in MAY_IMPORT what it may import")
            continue
        forbidden = _rooms_used(module, names) - MAY_IMPORT[module.room] - GROUND
        problems += [f"{module.name} may not import {room}" for room in sorted(forbidden)]
    return problems


def every_permission_is_used(house: list[Module]) -> list[str]:
    names, used = _names(house), {}
    for module in _package(house):
        used.setdefault(module.room, set()).update(_rooms_used(module, names))
    return [
        f"{room} may import {other}, but does not: take the permission away"
        for room in used
        for other in sorted(MAY_IMPORT.get(room, set()) - used[room])
    ]


def the_ground_stands_on_nothing(house: list[Module]) -> list[str]:
    names, problems = _names(house), []
    for module in _package(house):
        if module.room in GROUND:
            above = sorted(_rooms_used(module, names) - GROUND - {"medlearn"})
            problems += [
                f"{module.name} may not import {room}: rooms stand on it" for room in above
            ]
    return problems


def no_import_cycle(house: list[Module]) -> list[str]:
    package = _package(house)
    names = {module.name for module in package}
    graph = {module.name: (module.imports(names) & names) - {module.name} for module in package}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [f"import cycle: {' <- '.join(error.args[1])}"]
    return []


def the_library_stands_alone(house: list[Module]) -> list[str]:
    """medlearn imports nothing of a checkout; only tests, and course.py, import the tools."""
    problems = []
    for module in house:
        package = module.name.split(".")[0]
        roots = {name.split(".")[0] for name in module.imports(set())}
        if package == "medlearn":
            forbidden = roots & {"tools", "benchmarks", "common", "tests"}
        elif package in ("tools", "tests"):
            forbidden = set()
        else:
            forbidden = roots & {"tools", "tests"}
        problems += [f"{module.path} may not import {root}" for root in sorted(forbidden)]
    return problems


def benchmarks_do_not_import_each_other(house: list[Module]) -> list[str]:
    benchmarks = [module for module in house if module.path.startswith("benchmarks/")]
    programs = {
        m.path.split("/")[1].removesuffix(".py") for m in benchmarks if m.path.count("/") == 1
    }
    problems = []
    for module in benchmarks:
        roots = {name.removeprefix("benchmarks.").split(".")[0] for name in module.imports(set())}
        problems += [
            f"{module.path} imports the benchmark {root}; what both need belongs into common/"
            for root in sorted(roots & programs)
        ]
    return problems


# ---- doors: a room's __init__ and its map --------------------------------------------------------


def doors_hold_no_logic(house: list[Module]) -> list[str]:
    """A room's ``__init__`` is a docstring, imports and dunder names; the map says what loads."""
    return [
        f"{module.path} holds logic: {ast.unparse(node).splitlines()[0][:60]}"
        for module in _package(house)
        if module.is_package and module.name != "medlearn"
        for node in module.tree.body
        if not _belongs_into_a_door(node)
    ]


def _belongs_into_a_door(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Assign):
        return False
    names = [part.id for target in node.targets for part in ast.walk(target) if _is_name(part)]
    return all(re.fullmatch("__[a-z]+__", name) for name in names)


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def every_name_of_a_map_exists(house: list[Module]) -> list[str]:
    code = {module.name: module for module in _package(house)}
    problems = []
    for map_ in [module for module in house if module.is_map]:
        for base, names in map_.import_froms:
            exists = _defined(code[base]) if base in code else set()
            problems += [
                f"{map_.path} names {base}.{name}, which does not exist"
                for name in names
                if name not in exists and f"{base}.{name}" not in code
            ]
    return problems


def _defined(module: Module) -> set[str]:
    """The names that a module defines, imports, or declares for type checkers."""
    names = set()
    for node in module.nodes:
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


# ---- what no file does ---------------------------------------------------------------------------


def no_star_import(house: list[Module]) -> list[str]:
    return [
        f"{module.path} has a star import of {base}"
        for module in house
        for base, names in module.import_froms
        if "*" in names
    ]


def one_module_imports_tensorflow(house: list[Module]) -> list[str]:
    problems = []
    for module in _package(house):
        roots = {name.split(".")[0] for name in module.imports(set())}
        roots |= set(re.findall(r"(?:import_module|__import__)\('(\w+)", "\n".join(module.calls)))
        if module.name != "medlearn._keras":
            problems += [
                f"{module.name} imports {root}; `from medlearn._keras import keras, tf` instead"
                for root in sorted(roots & {"tensorflow", "keras", "tf_keras"})
            ]
    return problems


def no_print(house: list[Module]) -> list[str]:
    return [
        f"{module.name} prints: {call}"
        for module in _package(house)
        if not any(f"{module.name}.".startswith(f"{name}.") for name in PRINTING)
        for call in module.calls
        if call.startswith("print(")
    ]


def no_global_chance(house: list[Module]) -> list[str]:
    seeds = r"(\w+\.)*(random\.(seed|set_seed)|set_random_seed)\("
    draws = r"(np|numpy)\.random\.(?!default_rng|SeedSequence|Generator)\w+\("
    return [
        f"{module.name} uses global chance: {call}"
        for module in _package(house)
        for call in module.calls
        if re.match(f"{seeds}|{draws}", call)
    ]


def no_unpickling(house: list[Module]) -> list[str]:
    calls = re.compile(r"pickle\.(loads?|Unpickler)\(|\w+\.read_pickle\(|.*allow_pickle=(?!False)")
    problems = []
    for module in _package(house):
        banned = {"pickle", "joblib", "dill", "shelve", "torch"}
        if module.name == UNPICKLING:
            banned.remove("pickle")
        roots = {name.split(".")[0] for name in module.imports(set())}
        offences = sorted(roots & banned) + [call for call in module.calls if calls.match(call)]
        problems += [f"{module.name} may run a stranger's pickle: {text}" for text in offences]
    return problems


# ---- how code reads ------------------------------------------------------------------------------


def files_and_functions_are_short(house: list[Module]) -> list[str]:
    problems = []
    for module in _package(house):
        lines = _lines_of_code(module.tree, len(module.source.splitlines()))
        if lines > LONGEST_FILE:
            problems.append(f"{module.path} has {lines} lines of code; at most {LONGEST_FILE}")
        for node in _functions(module.tree):
            lines = _lines_of_code(node, node.end_lineno - node.body[0].lineno + 1)
            if lines > LONGEST_FUNCTION:
                problems.append(
                    f"{module.name}.{node.name} has {lines} lines of code; "
                    f"at most {LONGEST_FUNCTION}"
                )
    return problems


def _lines_of_code(tree: ast.AST, lines: int) -> int:
    """Lines without the docstrings inside."""
    documented = ast.Module | ast.ClassDef | FUNCTIONS
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node):
            lines -= node.body[0].end_lineno - node.body[0].lineno + 1
    return lines


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def public_names_have_docstrings(house: list[Module]) -> list[str]:
    return [
        f"{module.name}.{node.name} has no docstring"
        for module in _package(house)
        if not re.search(r"\._[a-z]", module.name)
        for node in module.tree.body
        if isinstance(node, FUNCTIONS | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]


def functions_document_their_parameters(house: list[Module]) -> list[str]:
    """Functions and methods without a leading underscore that take two parameters or more."""
    return [
        f"{module.name}.{node.name} has no section Parameters"
        for module in _package(house)
        for node in _functions_and_methods(module.tree)
        if not node.name.startswith("_") and node.name not in INTERFACES
        if len(_parameters(node)) > 1 and "overload" not in map(ast.unparse, node.decorator_list)
        if "Parameters\n-" not in (ast.get_docstring(node) or "")
    ]


def _functions_and_methods(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Those that others can call: a function inside a function is not one of them."""
    for node in tree.body:
        if isinstance(node, FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, FUNCTIONS))


def _parameters(node: ast.FunctionDef) -> list[str]:
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def no_comprehension_in_a_comprehension(house: list[Module]) -> list[str]:
    problems = []
    for module in _package(house):
        for outer in (node for node in module.nodes if isinstance(node, COMPREHENSIONS)):
            inner = [node for node in ast.walk(outer) if isinstance(node, COMPREHENSIONS)]
            if len(inner) > 1:
                problems.append(f"{module.path}:{outer.lineno} nests comprehensions")
    return problems


def no_long_line(house: list[Module]) -> list[str]:
    return [
        f"{module.path}:{number} has {len(line)} characters; at most {LONGEST_LINE}"
        for module in house
        for number, line in enumerate(module.source.splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
