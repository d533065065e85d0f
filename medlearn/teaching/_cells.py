"""Notice a stub cell that failed: the check below it would judge the answer from before."""

import ast
import re
import sys
from typing import Any

failed: dict[str, str] = {}  # for each name that a failed cell should have set, the error


def watch() -> None:
    """Look at each cell of this notebook after it ran; outside of IPython nothing happens."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        shell.events.register("post_run_cell", _after)


def _after(result: Any) -> None:
    """Called by IPython: remember or forget the names that the cell sets."""
    source = getattr(result.info, "raw_cell", "") or ""
    error = result.error_before_exec or result.error_in_exec
    for name in names(source):
        if error is None:
            failed.pop(name, None)
        else:
            failed[name] = type(error).__name__


def names(source: str) -> set[str]:
    """Return the names that a cell sets at its top level, even if it is not valid Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set(re.findall(r"^(?:def\s+)?(\w+)\s*(?:=(?!=)|\()", source, re.MULTILINE))
    assigned: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assigned.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            stored = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
            assigned |= {part.id for part in stored if isinstance(part.ctx, ast.Store)}
    return assigned
