"""What of a lesson some of its cells build on: its code read backwards, so that a part can be played without the whole.

A name is followed as Python binds it, last binding first. A cell also counts if it may change the thing behind a name
that is needed: it assigns to its parts, calls a method of it that is not known to only look, or hands it to a function
whose result is thrown away. What is left out by mistake shows when the part is played: nbval plays the lesson whole.
"""

import ast
from collections.abc import Callable

LOOKERS = {"print", "plots", "widgets", "display"}  # calls that only look at what they are given
LOOKING = set(
    [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "as_numpy_iterator",
        "astype",
        "copy",
        "count",
        "count_params",
        "cumsum",
        "endswith",
        "flatten",
        "format",
        "get",
        "groupby",
        "head",
        "index",
        "isin",
        "items",
        "join",
        "keys",
        "max",
        "mean",
        "median",
        "min",
        "nonzero",
        "pivot",
        "predict",
        "predict_proba",
        "ravel",
        "read_text",
        "reindex",
        "replace",
        "reshape",
        "round",
        "score",
        "sort_values",
        "split",
        "startswith",
        "std",
        "strip",
        "sum",
        "take",
        "to_numpy",
        "tolist",
        "transpose",
        "unique",
        "values",
        "var",
    ]
)  # methods that leave their object as it is
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def needed(trees: list[ast.Module], wanted: Callable[[int], bool]) -> list[int]:
    """The places, in order, of those cells that the cells at the `wanted` places build on, these among them."""
    functions = _functions(trees)
    modules = {
        name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _bound(node)
    }
    constants = {
        name for tree in trees for node in ast.walk(tree) for name in _bound(node) if name.isupper()
    }
    live, kept = set(), []
    for place, tree in reversed(list(enumerate(trees))):
        if wanted(place) or any(
            _bound(node) & live or _changed(node, functions) & (live - modules - constants)
            for node in _here(tree)
        ):
            kept.append(place)
            live = _before(tree.body, live, functions)
    return kept[::-1]


def only_looks(node: ast.expr) -> bool:
    """Whether an expression is of a call that shows what it is given, such as `print(...)` or `plots.images(...)`."""
    return isinstance(node, ast.Call) and _root(node.func) in LOOKERS


def _before(body: list[ast.stmt], live: set[str], functions: dict[str, "Function"]) -> set[str]:
    """The names that must be there before these statements, if those in `live` must be there after them."""
    for statement in reversed(body):
        reads = _reads(statement, functions)
        if isinstance(
            statement,
            ast.Assign
            | ast.AnnAssign
            | ast.Import
            | ast.ImportFrom
            | ast.FunctionDef
            | ast.ClassDef
            | ast.With,
        ):
            live = live - {
                name for node in _here(statement) for name in _bound(node)
            }  # else it may not happen
        live = live | reads
    return live


def _reads(node: ast.AST, functions: dict[str, "Function"]) -> set[str]:
    """The names that a statement reads from outside, those of the functions that it names included."""
    if isinstance(node, ast.For | ast.With | ast.If | ast.While):
        heads = [
            *([node.iter] if isinstance(node, ast.For) else []),
            *([node.test] if isinstance(node, ast.If | ast.While) else []),
            *([item.context_expr for item in node.items] if isinstance(node, ast.With) else []),
        ]
        targets = (
            [node.target]
            if isinstance(node, ast.For)
            else [item.optional_vars for item in getattr(node, "items", []) if item.optional_vars]
        )
        own = {name for target in targets for each in ast.walk(target) for name in _bound(each)}
        inside = (_before(node.body, set(), functions) - own) | _before(
            getattr(node, "orelse", []), set(), functions
        )
        return inside.union(*(_reads(head, functions) for head in heads))
    return _with_theirs(_free(node), functions)


def _with_theirs(names: set[str], functions: dict[str, "Function"]) -> set[str]:
    """The names, and what the notebook's functions among them read when they are called."""
    found, new = set(), set(names)
    while new:
        found |= new
        new = set().union(*(functions[name].reads for name in new if name in functions)) - found
    return found


class Function:
    """What all definitions of one name read and change outside."""

    def __init__(self):
        self.reads, self.changes = set(), set()


def _functions(trees: list[ast.Module]) -> dict[str, Function]:
    functions: dict[str, Function] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found = functions.setdefault(node.name, Function())
                found.reads |= _free(node)
                found.changes |= {
                    name for each in ast.walk(node) for name in _changed(each, {})
                } & _free(node)
    return functions


def _free(node: ast.AST) -> set[str]:
    """The names that a node reads, except those that its own functions, lambdas and comprehensions bind for themselves."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    inside = set().union(*(_free(child) for child in ast.iter_child_nodes(node)))
    if isinstance(node, ast.AugAssign):
        inside |= {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
    if isinstance(node, _COMPREHENSIONS):
        return inside - {
            name
            for part in node.generators
            for each in ast.walk(part.target)
            for name in _bound(each)
        }
    if isinstance(node, _SCOPES):
        parameters = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        bodies = node.body if isinstance(node.body, list) else []
        return (
            inside
            - parameters
            - {name for statement in bodies for each in _here(statement) for name in _bound(each)}
        )
    return inside


def _here(node: ast.AST):
    """The nodes of a statement that are of its own scope: not those within functions, lambdas and comprehensions."""
    yield node
    if not isinstance(node, _SCOPES | _COMPREHENSIONS):
        for child in ast.iter_child_nodes(node):
            yield from _here(child)
    elif isinstance(node, _COMPREHENSIONS):
        yield from (each for each in ast.walk(node) if isinstance(each, ast.Call | ast.NamedExpr))


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()


def _changed(node: ast.AST, functions: dict[str, Function]) -> set[str]:
    """Names of the things that this node may change in place."""
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        return {_root(node)}
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr not in LOOKING
    ):
        return {_root(node.func)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
        return functions[node.func.id].changes
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and not only_looks(node.value)
    ):
        return {argument.id for argument in node.value.args if isinstance(argument, ast.Name)}
    return set()


def _root(node: ast.AST) -> str:
    """The name at the bottom of a chain such as `model.layers[2].kernel`; none for what a function has just made."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return ""
    return node.id if isinstance(node, ast.Name) else ""
