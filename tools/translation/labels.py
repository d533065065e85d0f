"""What code writes on figures, beside dials and below checks: found without running it.

A text with gaps, such as ``f"{share:.0%} of {count} hold the truth"``, is a *template*: its message
is ``"{share} of {count} hold the truth"``, and its translation names the same gaps.
"""

import ast
import re
from collections.abc import Iterator

from tools import lessons

LABEL, TEMPLATE, VERDICT = "label", "template", "verdict"
_CALLS = {"plots", "widgets", "ax", "axis", "figure", "axes", "titles", "check"}
_METHODS = {"set_title", "set_xlabel", "set_ylabel", "suptitle", "supxlabel", "supylabel"}
_METHODS |= {"set", "text", "annotate", "legend", "bar", "barh", "plot", "scatter", "axhline"}
_METHODS |= {"axvline", "append", "set_yticks", "set_xticks", "name_row", "hist", "step"}
_METHODS |= {"errorbar", "fill_between", "axvspan", "axhspan"}
_SPEAKING = {"say", "blank"}  # `blank` is a verdict that is given its reason
_SPOKEN = {"RIGHT", "PER_CENT"}  # constants that are said later
# What `_answers.type_name` says of an answer.
_KINDS = {"a number": VERDICT, "text": VERDICT, "a function": VERDICT, "a list": VERDICT}
_KINDS |= {"a list of {count} numbers": TEMPLATE, "an array of shape {shape}": TEMPLATE}
_PACKAGE = ("medlearn/plots", "medlearn/teaching")
_NO_LABELS = {"sharex", "sharey", "color", "colour", "marker", "linestyle", "ha", "va", "loc"}
_NO_LABELS |= {"layer", "domain", "format", "style", "cmap", "transform", "which", "fontweight"}
_NO_LABELS |= {"where"}
_NO_LABELS |= {
    "verticalalignment",
    "horizontalalignment",
    "rotation",
    "weight",
    "textcoords",
    "xycoords",
}
_LABELLING = re.compile("title|label|legend|name")  # in the name of a variable
_WORDS = re.compile(r"[A-Za-z]{3}")
_NO_WORDS = re.compile(r"[\w.:/-]*[_/\d][\w.:/-]*|#\w+|axes|data|offset points|upper \w+|lower \w+")


def of_lesson(source: str) -> Iterator[tuple[str, str]]:
    """Yield (context, text) of a cell's labels.

    Parameters
    ----------
    source : str
        The code; what is no Python, such as magic, has none.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _shows(node):
            yield from _of_call(node)
        else:
            yield from (found for found in _of_rows(node) if not found[1].endswith("."))


def of_package() -> Iterator[tuple[str, str]]:
    """Yield (context, text) of the labels of `plots`, and of what `language.say` is given."""
    for folder in _PACKAGE:
        for path in sorted((lessons.ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and name(node.targets[0]) in _SPOKEN:
                    yield VERDICT, ast.literal_eval(node.value)
                elif not isinstance(node, ast.Call):
                    continue
                elif name(node.func) in _SPEAKING:
                    yield from _first_text(node)
                elif folder.endswith("plots"):
                    yield from of_figure(node)
    yield from ((context, text) for text, context in _KINDS.items())


def of_figure(call: ast.Call) -> Iterator[tuple[str, str]]:
    """Yield (context, text) of what a call of a method of matplotlib writes on a figure."""
    if name(call.func) in _METHODS:
        yield from _of_call(call)


def _shows(call: ast.Call) -> bool:
    """Whether a call writes its texts where a reader sees them."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    if name(function.value) == "check":
        return function.attr == "guess"
    return name(function.value) in _CALLS or function.attr in _METHODS


def _of_call(call: ast.Call) -> Iterator[tuple[str, str]]:
    is_panel = name(call.func) == "explore"
    for argument in call.args:
        yield from _texts(argument)
    for keyword in call.keywords:
        if is_panel and keyword.arg:
            yield LABEL, keyword.arg.replace("_", " ")
        if keyword.arg not in _NO_LABELS:
            yield from _texts(keyword.value)


def _of_rows(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The lines, rows or bars of a later figure: texts in lists and dictionaries."""
    if isinstance(node, ast.DictComp | ast.ListComp):
        yield from _texts(node.key if isinstance(node, ast.DictComp) else node.elt)
    elif isinstance(node, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Subscript):
            yield from _texts(target.slice)
        if _LABELLING.search(name(target)):
            yield from _texts(node.value)
        elif isinstance(node.value, ast.Dict | ast.List | ast.Tuple | ast.BinOp):
            yield from (found for found in _texts(node.value) if " " in found[1])


def _first_text(call: ast.Call) -> Iterator[tuple[str, str]]:
    """The text that `say` is given, or the two between which a condition chooses."""
    first = call.args[0] if call.args else None
    for text in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield VERDICT, text.value


def _texts(node: ast.expr) -> Iterator[tuple[str, str]]:
    """Constants and templates in an argument, without those of calls inside it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _WORDS.search(node.value) and not _NO_WORDS.fullmatch(node.value):
            yield LABEL, node.value
    elif isinstance(node, ast.JoinedStr):
        text = _template(node)
        if _WORDS.search(re.sub(r"\{\w+\}", "", text)):
            yield TEMPLATE, text
    elif isinstance(node, ast.Dict):
        for part in [*node.keys, *node.values]:
            yield from _texts(part) if part is not None else ()
    elif isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            yield from _texts(part)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
        yield from _texts(node.right)


def _template(node: ast.JoinedStr) -> str:
    """An f-string whose gaps have names, each once."""
    text, names = "", []
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        gap = name(part.value) or "value"
        names.append(gap)
        text += "{%s}" % (gap if names.count(gap) == 1 else f"{gap}{names.count(gap)}")
    return text


def name(node: ast.expr) -> str:
    """Return the last name of an expression such as ``metrics.accuracy(labels)``."""
    if isinstance(node, ast.Call | ast.Subscript):
        return name(node.func if isinstance(node, ast.Call) else node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
