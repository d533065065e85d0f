"""Where a row of a table comes from: command, commit, date, processor, versions, and the code.

The code is what a program imports from benchmarks/common and from medlearn, directly or not; of a
room of medlearn, only the files whose names the importing file uses. Its digest leaves out
docstrings, comments and layout. `benchmarks/stale.py` compares it with the code of today.
"""

import ast
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
import hashlib
from pathlib import Path
import subprocess
import sys

COLUMNS = ("command", "commit", "date", "processor", "versions", "code")
UNKNOWN = "unknown"  # of rows that were measured before a row said where it comes from
_ROOT = Path(__file__).parents[2]
_DIGITS = 10
_PLUMBING = {"table.py", "origin.py"}  # of benchmarks/common: they compute no number


def of_row(program: str, processor: str, versions: str) -> dict[str, str]:
    """Return the columns that say where a row comes from, for a row that is measured now.

    Commit and code are those of the first call in a process, so call it before measuring.

    Parameters
    ----------
    program : str
        Name of the benchmark, without ``.py``.
    processor, versions : str
        What `table.machine` returns.
    """
    command = " ".join((f"python benchmarks/{program}.py", *sys.argv[1:]))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return dict(zip(COLUMNS, (command, _commit(), now, processor, versions, digest(program))))


def of_old_row(program: str) -> dict[str, str]:
    """Return the same columns for a row of which only the program is known.

    Parameters
    ----------
    program : str
        Name of the benchmark, without ``.py``.
    """
    command = f"python benchmarks/{program}.py"
    return dict.fromkeys(COLUMNS, UNKNOWN) | {"command": command}


@lru_cache
def _commit() -> str:
    """The commit, with "+" if files of the code differ from it; unknown outside a repository."""
    try:
        commit = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--", "medlearn", "benchmarks/*.py")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return f"{commit}+" if changed else commit


def _git(*words: str) -> str:
    ran = subprocess.run(
        ("git", *words), cwd=_ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return ran.stdout.strip()


# ---- the code of a program -----------------------------------------------------------------------


@lru_cache
def digest(program: str, root: Path = _ROOT) -> str:
    """Return the digest of the code that a benchmark runs: ten hexadecimal digits, or "unknown".

    Parameters
    ----------
    program : str
        Name of the benchmark, without ``.py``.
    root : Path
        The checkout.
    """
    if not (root / "benchmarks" / f"{program}.py").is_file():
        return UNKNOWN
    total = hashlib.sha256()
    for path in files(program, root):
        total.update(path.relative_to(root).as_posix().encode())
        total.update(_code(path).encode())
    return total.hexdigest()[:_DIGITS]


def files(program: str, root: Path = _ROOT) -> list[Path]:
    """Return the files of a benchmark's code, in order.

    Parameters
    ----------
    program : str
        Name of the benchmark, without ``.py``.
    root : Path
        The checkout.
    """
    reached: set[Path] = set()
    waiting = [root / "benchmarks" / f"{program}.py"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.name not in _PLUMBING:
            reached.add(path)
            waiting += _imported(path, root)
    return sorted(reached)


@lru_cache
def _imported(path: Path, root: Path) -> list[Path]:
    """The files of this checkout that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    uses = _uses(tree)
    paths = []
    for module, name, alias in _imports(tree, path.parent.relative_to(root).parts):
        paths += _files_of(module, name, uses.get(alias, set()), root)
    return paths


def _imports(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Module, name and alias of each import; the name is empty for ``import module``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            for item in node.names:
                yield module, item.name, item.asname or item.name
        elif isinstance(node, ast.Import):
            for item in node.names:
                yield item.name, "", item.asname or item.name


def _uses(tree: ast.Module) -> dict[str, set[str]]:
    """For each name, the attributes that are read from it, as in ``metrics.accuracy``."""
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            uses.setdefault(node.value.id, set()).add(node.attr)
    return uses


def _files_of(module: str, name: str, used: Iterable[str], root: Path) -> list[Path]:
    """The files behind an import; of a room, those that define what is used of it."""
    if module.split(".")[0] not in ("common", "medlearn"):
        return []
    base = root / "benchmarks" if module.startswith("common") else root
    folder = base.joinpath(*module.split("."))
    for path in (folder / name / "__init__.py", folder / f"{name}.py", folder.with_suffix(".py")):
        if name and path.is_file():
            return [path] if path.name != "__init__.py" else _of_room(path.parent, used)
    return _of_room(folder, {name}) if folder.is_dir() else []


def _of_room(folder: Path, used: Iterable[str]) -> list[Path]:
    """The files of a room that define these names, by its map ``__init__.pyi``."""
    stub = folder / "__init__.pyi"
    if not stub.is_file():
        return [folder / "__init__.py"]
    paths = []
    for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for item in node.names:
                if item.name in used:
                    paths.append(_defining(folder, node.module, item.name))
    return [path for path in paths if path.is_file()]


def _defining(folder: Path, module: str | None, name: str) -> Path:
    if module is None:
        inner = folder / name
        return inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py")
    return folder.joinpath(*module.split(".")).with_suffix(".py")


@lru_cache
def _code(path: Path) -> str:
    """The code of a file without its docstrings, comments and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
