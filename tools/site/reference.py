"""The reference: what each public thing of `medlearn` says of itself, read from the sources without importing them."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
LEFT_OUT = {
    "course",
    "instruments",
}  # the commands' insides; the instruments' own packages stand for theirs
Documented = ast.FunctionDef | ast.ClassDef


def doors() -> dict[str, list[Path]]:
    """Each door of the package, such as `splits` or `instruments.mri`, and its files."""
    found = {}
    for path in sorted([*PACKAGE.iterdir(), *(PACKAGE / "instruments").iterdir()]):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if path.name.startswith("_") or name in LEFT_OUT:
            continue
        if path.is_dir() and (path / "__init__.py").exists():
            found[name] = sorted(path.rglob("*.py"))
        elif path.suffix == ".py":
            found[name] = [path]
    return found


def public(files: list[Path]) -> dict[str, tuple[str, Documented]]:
    """The documented functions and classes that a door offers, by name, each with the module it stands in.

    Where the door is a package, these are the names in its `__all__`; else all that do not begin with a line.
    """
    offered: set[str] | None = None
    found = {}
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = ".".join(
            ("medlearn", *path.relative_to(PACKAGE).with_suffix("").parts)
        ).removesuffix(".__init__")
        for node in tree.body:
            if (
                isinstance(node, Documented)
                and not node.name.startswith("_")
                and ast.get_docstring(node)
            ):
                found.setdefault(node.name, (module, node))
            if (
                path.name == "__init__.py"
                and isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "__all__"
            ):
                offered = (offered or set()) | set(ast.literal_eval(node.value))
    return {name: found[name] for name in sorted(found) if offered is None or name in offered}


def first_sentences(door: str) -> dict[str, str]:
    """The first sentence of each docstring of a door."""
    texts = {name: ast.get_docstring(node) for name, (_, node) in public(doors()[door]).items()}
    return {
        name: re.split(r"(?<=[.;])\s|\n\n|: ", " ".join(text.split("\n\n")[0].split()))[0]
        .replace("`", "")
        .rstrip(".;")
        + "."
        for name, text in texts.items()
    }


def write(folder: Path) -> None:
    """Write a page for each door and the page that lists them."""
    folder.mkdir()
    lines = [
        "# Reference",
        "",
        "What each part of `medlearn` offers. `from medlearn import splits`, then `splits.by_patient(...)`.",
        "Every page is made from the docstrings, which say shapes, units, errors and sources.",
        "",
        "| part | what it is for |",
        "|---|---|",
    ]
    for door, files in doors().items():
        head = next((path for path in files if path.name == "__init__.py"), files[0])
        told = ast.get_docstring(ast.parse(head.read_text(encoding="utf-8"))) or ""
        (folder / f"{door}.md").write_text(_page(door, told, public(files)), encoding="utf-8")
        lines.append(
            f"| [`{door}`]({door}.md) | {escaped(' '.join(told.split(chr(10) * 2)[0].split()))} |"
        )
    lines += ["", "```{toctree}", ":hidden:", "", *doors(), "```", ""]
    (folder / "index.md").write_text("\n".join(lines), encoding="utf-8")


def _page(door: str, told: str, things: dict[str, tuple[str, Documented]]) -> str:
    parts = [f"# {door}", _prose(told)]
    for name, (module, node) in things.items():
        parts += [
            f"## {name}",
            f"```python\n{_signature(door, name, node)}\n```",
            _prose(ast.get_docstring(node) or "", _arguments(node)),
            f"*In `{module}`.*",
        ]
        if isinstance(node, ast.ClassDef):
            fields = [ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)]
            parts += ["```python\n" + "\n".join(fields) + "\n```"] if fields else []
            parts += _methods(node)
    return "\n\n".join(parts) + "\n"


def _methods(node: ast.ClassDef) -> list[str]:
    methods = [
        item
        for item in node.body
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_")
    ]
    return [
        f"`{item.name}`: {escaped(' '.join((ast.get_docstring(item) or '').split()))}"
        for item in methods
        if ast.get_docstring(item)
    ]


def _signature(door: str, name: str, node: Documented) -> str:
    call = f"{door.split('.')[-1]}.{name}"
    if isinstance(node, ast.ClassDef):
        start = next(
            (
                item
                for item in node.body
                if isinstance(item, ast.FunctionDef) and item.name == "__init__"
            ),
            None,
        )
        return (
            f"{call}({ast.unparse(start.args).removeprefix('self').lstrip(', ')})"
            if start
            else call
        )
    given = ast.unparse(node.args)
    line = f"{call}({given})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")
    if len(line) < 100:
        return line
    return line.replace("(" + given, "(\n    " + ",\n    ".join(_split(given)) + ",\n", 1)


def _split(given: str) -> list[str]:
    """Arguments, parted at the commas that stand in no bracket."""
    parts, depth = [""], 0
    for sign in given:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def _arguments(node: Documented) -> set[str]:
    """The names that a docstring may explain: a function's arguments, a class's fields."""
    fields = {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
    starts = (
        [node]
        if isinstance(node, ast.FunctionDef)
        else [item for item in node.body if getattr(item, "name", "") == "__init__"]
    )
    given = [start.args for start in starts]
    return fields | {
        arg.arg for args in given for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)
    }


def _prose(docstring: str, arguments: set[str] = frozenset()) -> str:
    """A docstring as Markdown: indented blocks stay code, lists stay lists, each `argument: meaning` is an item of a list."""
    blocks = []
    for block in re.split(r"\n\s*\n", docstring.strip("\n")):
        if block.startswith("    "):
            code = "\n".join(line[4:] for line in block.split("\n"))
            blocks.append(f"```{_language(code)}\n{code}\n```")
        else:
            explained = re.sub(
                r"(^|(?<=[.;)]) +|\n)(\w+(?:(?:,| and) \w+)*): ",
                lambda found: _item(found, arguments),
                escaped(block),
            )
            blocks.append(explained)
    return "\n\n".join(blocks)


def _language(code: str) -> str:
    try:
        ast.parse(code)
    except SyntaxError:
        return "text"
    return "python"


def _item(found: re.Match, arguments: set[str]) -> str:
    names = re.split(", | and ", found.group(2).replace("\\", ""))
    if not set(names) <= arguments:
        return found.group(0)
    return "\n- " + ", ".join(f"`{name}`" for name in names) + ": "


def escaped(text: str) -> str:
    """Text whose signs outside of `code` mean themselves in Markdown."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<>$\[\]|#{}~\\^])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)
