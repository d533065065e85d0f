"""What the site's builder writes itself: headings, columns, findings, claims, data cards."""

import ast
import tomllib
from collections.abc import Iterator

from tools import claims, lessons
from tools.translation import labels

PART = "generated"
PAGE, FINDING, CARD = "page", "finding", "card"  # contexts of messages
FINDINGS = "docs/findings.toml"
CAPTION = ":caption: "  # of a list of pages in index.md
_CODE = ("tools/site/*.py", "docs/conf.py")
_DRAWING = ("charts.py", "dots.py")
_TABLES = {"CHARTS"}  # hold sentences that are said later
_FACTS = ("title", "kind", "download", "left_out")  # of a card


def texts() -> Iterator[tuple[str, str]]:
    """Yield (context, text) of all that the builder writes."""
    for line in (lessons.ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines():
        if line.startswith(CAPTION):
            yield PAGE, line.removeprefix(CAPTION)
    for pattern in _CODE:
        for path in sorted(lessons.ROOT.glob(pattern)):
            yield from of_code(path.read_text(encoding="utf-8"), path.name in _DRAWING)
    yield from ((PAGE, text) for text in claims.texts())
    yield from _of_findings()
    yield from _of_cards()


def of_code(source: str, draws: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (context, text) of what code gives to `language.say`, and of the labels of its charts.

    Parameters
    ----------
    source : str
        A module of the builder. A name that is given to `say` is a constant of the module.
    draws : bool
        Whether it draws charts.
    """
    tree = ast.parse(source)
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = node.value
    for name in _TABLES & set(constants):
        found = [part.value for part in ast.walk(constants[name]) if isinstance(part, ast.Constant)]
        yield from ((PAGE, text) for text in found if isinstance(text, str) and " " in text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and labels.name(node.func) == "say" and node.args:
            yield from ((PAGE, text) for text in _said(node.args[0], constants))
        elif isinstance(node, ast.Call) and draws:
            yield from labels.of_figure(node)


def _said(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """The text in the place of an argument of `say`; none if it is known only when it runs."""
    if isinstance(node, ast.IfExp):
        yield from _said(node.body, constants)
        yield from _said(node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from _said(constants[node.id], {})
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _of_findings() -> Iterator[tuple[str, str]]:
    """Titles, sentences and labels of charts of the committed tables."""
    text = (lessons.ROOT / FINDINGS).read_text(encoding="utf-8")
    for parts in tomllib.loads(text).values():
        chart = parts["chart"]
        yield FINDING, parts["title"]
        yield FINDING, parts["says"]
        for key in ("label", "label_y"):
            if key in chart:
                yield FINDING, chart[key]
        for key in ("rows", "series", "count"):
            if key in chart:
                yield PAGE, chart[key].replace("_", " ")


def _of_cards() -> Iterator[tuple[str, str]]:
    """Facts and notes on the data sets."""
    for path in sorted((lessons.ROOT / "datasets").glob("*.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        for text in [*(card.get(key, "") for key in _FACTS), *card["notes"]]:
            if text:
                yield CARD, text
