"""The cells of a lesson that other cells build on, so that a part can be played without the whole.

The code is read backwards and a name is followed as Python binds it, last binding first. A cell
also counts if it may change the object behind a name that is needed: it assigns to its parts, calls
a method of it that is not known to only look, or hands it to a function whose result is thrown
away. The tests of widgets play such parts; what is left out by mistake shows there, and nbval plays
the lesson whole.
"""

import ast
from collections.abc import Callable, Iterable, Iterator

LOOKERS = {"print", "plots", "widgets", "display"}  # calls that only look at their arguments
# Methods that leave their object as it is.
_METHODS = """
all any argmax argmin argsort as_numpy_iterator astype copy count count_params cumsum endswith
flatten format get groupby head index isin items join keys max mean median min nonzero pivot
predict predict_proba ravel read_text reindex replace reshape round score sort_values split
startswith std strip sum take to_numpy tolist transpose unique values var
"""
LOOKING = frozenset(_METHODS.split())
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_CERTAIN = (  # statements whose bindings happen whenever they run
    ast.Assign
    | ast.AnnAssign
    | ast.Import
    | ast.ImportFrom
    | ast.FunctionDef
    | ast.ClassDef
    | ast.With
)


class Function:
    """What all definitions of one name read and change outside."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.changes: set[str] = set()


def needed(trees: list[ast.Module], selected: Callable[[int], bool]) -> list[int]:
    """Return the indices, in order, of the cells that some cells build on, these among them.

    Parameters
    ----------
    trees : list of ast.Module
        The code of a lesson's cells.
    selected : callable
        Whether the cell of an index is one of those to be played.
    """
    functions = _functions(trees)
    fixed = _imported(trees) | _constants(trees)
    live: set[str] = set()
    indices = []
    for index, tree in reversed(list(enumerate(trees))):
        if selected(index) or _touches(tree, live, live - fixed, functions):
            indices.append(index)
            live = _before(tree.body, live, functions)
    return indices[::-1]


def only_looks(node: ast.expr) -> bool:
    """Whether an expression is a call that shows its arguments, such as `plots.images(...)`."""
    return isinstance(node, ast.Call) and _root(node.func) in LOOKERS


def _touches(
    tree: ast.Module, live: set[str], changeable: set[str], functions: dict[str, Function]
) -> bool:
    """Whether a cell binds a live name, or changes the object behind one."""
    for node in _own_scope(tree):
        if _bound(node) & live or _changed(node, functions) & changeable:
            return True
    return False


def _imported(trees: list[ast.Module]) -> set[str]:
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return _all_bound(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def _constants(trees: list[ast.Module]) -> set[str]:
    names = _all_bound(node for tree in trees for node in ast.walk(tree))
    return {name for name in names if name.isupper()}


def _before(body: list[ast.stmt], live: set[str], functions: dict[str, Function]) -> set[str]:
    """The names that must exist before these statements, if those in `live` must exist after."""
    for statement in reversed(body):
        reads = _reads(statement, functions)
        if isinstance(statement, _CERTAIN):
            live = live - _all_bound(_own_scope(statement))
        live = live | reads
    return live


def _reads(node: ast.AST, functions: dict[str, Function]) -> set[str]:
    """The names that a statement reads from outside, also through the functions that it names."""
    if not isinstance(node, ast.For | ast.With | ast.If | ast.While):
        return _with_reads_of_functions(_free(node), functions)
    inside = _before(node.body, set(), functions) - _targets(node)
    inside |= _before(getattr(node, "orelse", []), set(), functions)
    return inside.union(*(_reads(head, functions) for head in _heads(node)))


def _heads(node: ast.AST) -> list[ast.expr]:
    """The expressions of a compound statement that are read before its body."""
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, ast.With):
        return [item.context_expr for item in node.items]
    return [node.test]


def _targets(node: ast.AST) -> set[str]:
    """The names that the head of a compound statement binds for its body."""
    targets = [node.target] if isinstance(node, ast.For) else []
    if isinstance(node, ast.With):
        targets = [item.optional_vars for item in node.items if item.optional_vars]
    return _all_bound(part for target in targets for part in ast.walk(target))


def _with_reads_of_functions(names: set[str], functions: dict[str, Function]) -> set[str]:
    """The names, and what the notebook's functions among them read when they are called."""
    reached: set[str] = set()
    new = set(names)
    while new:
        reached |= new
        new = set().union(*(functions[name].reads for name in new if name in functions)) - reached
    return reached


def _functions(trees: list[ast.Module]) -> dict[str, Function]:
    functions: dict[str, Function] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = functions.setdefault(node.name, Function())
            free = _free(node)
            function.reads |= free
            for part in ast.walk(node):
                function.changes |= _changed(part, {}) & free
    return functions


def _free(node: ast.AST) -> set[str]:
    """The names that a node reads, without those that its own scopes bind for themselves."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    inside = set().union(*(_free(child) for child in ast.iter_child_nodes(node)))
    if isinstance(node, ast.AugAssign):
        inside |= {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
    if isinstance(node, _COMPREHENSIONS):
        targets = [generator.target for generator in node.generators]
        return inside - _all_bound(part for target in targets for part in ast.walk(target))
    if isinstance(node, _SCOPES):
        parameters = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
        body = node.body if isinstance(node.body, list) else []
        own = _all_bound(part for statement in body for part in _own_scope(statement))
        return inside - parameters - own
    return inside


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement that are not within functions, lambdas and comprehensions."""
    yield node
    if isinstance(node, _COMPREHENSIONS):
        yield from (part for part in ast.walk(node) if isinstance(part, ast.Call | ast.NamedExpr))
    elif not isinstance(node, _SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _own_scope(child)


def _all_bound(nodes: Iterable[ast.AST]) -> set[str]:
    return set().union(*(_bound(node) for node in nodes))


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()


def _changed(node: ast.AST, functions: dict[str, Function]) -> set[str]:
    """The names of the objects that this node may change in place."""
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        return {_root(node)}
    if isinstance(node, ast.Call):
        return _changed_by_call(node, functions)
    is_statement = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if is_statement and not only_looks(node.value):  # its result is thrown away
        return {part.id for part in node.value.args if isinstance(part, ast.Name)}
    return set()


def _changed_by_call(call: ast.Call, functions: dict[str, Function]) -> set[str]:
    if isinstance(call.func, ast.Attribute) and call.func.attr not in LOOKING:
        return {_root(call.func)}
    if isinstance(call.func, ast.Name) and call.func.id in functions:
        return functions[call.func.id].changes
    return set()


def _root(node: ast.AST) -> str:
    """The first name of a chain such as `model.layers[2].kernel`; none of a function's result."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return ""
    return node.id if isinstance(node, ast.Name) else ""
