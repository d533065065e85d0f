"""`course.py lint`: style, format and types of the code, as CI checks them."""

import importlib.util
import subprocess
import sys

from tools import lessons

CHECKS = {
    "style": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy"],
}
FIXES = (["ruff", "check", "--fix-only", "--quiet", "."], ["ruff", "format", "--quiet", "."])


def lint(fix: bool = False) -> int:
    """Run every check and print which ones passed.

    Parameters
    ----------
    fix : bool
        First mend what ruff can mend, and format.

    Returns
    -------
    int
        0 if all checks passed, else 1.

    Raises
    ------
    RuntimeError
        If ruff or mypy is not installed.
    """
    missing = [name for name in ("ruff", "mypy") if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(
            f"{' and '.join(missing)} are not installed: the extra `dev` holds them, as in "
            f'`{sys.executable} -m pip install -c constraints.txt -e ".[dev]"`.'
        )
    for command in FIXES if fix else ():
        _run(command)
    codes = {name: _run(command) for name, command in CHECKS.items()}
    for name, code in codes.items():
        print(f"{name:12s}{'FAILED' if code else 'passed'}")
    return 1 if any(codes.values()) else 0


def _run(command: list[str]) -> int:
    return subprocess.call([sys.executable, "-m", *command], cwd=lessons.ROOT)
