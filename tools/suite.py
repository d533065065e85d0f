"""Run the unit tests, every notebook as a test, and some lessons in a real browser."""

import subprocess
import sys
import time
from pathlib import Path

from tools import lessons

TWO_AT_A_TIME = [
    "-n",
    "2",
    "--dist",
    "loadscope",
]  # without loadscope, the cells of a notebook would part
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p", "tools.timing"]
BROWSER = "tests/browser"  # alone, after the others: it times out where two cores are busy
PASSED, NO_TEST_RAN = 0, 5  # pytest's exit codes


def test(extra: list[str], times: Path | None = None) -> int:
    """Run the parts from the course's folder and print the minutes of each; returns 0 if all passed, else 1.

    The notebooks' seconds and memory are printed, and kept in the table `times`. `extra` goes to pytest; files among it
    (`tests/test_splits.py`, `notebooks/02_....ipynb`) replace what is run.
    """
    files = [text for text in extra if text.split("::")[0].endswith((".py", ".ipynb"))]
    options = [text for text in extra if text not in files]
    notebooks = [text for text in files if text.split("::")[0].endswith(".ipynb")]
    modules = [text for text in files if text not in notebooks]
    if not files:
        modules = ["tests", f"--ignore={BROWSER}"]
        notebooks = [path.relative_to(lessons.ROOT).as_posix() for path in lessons.find([])]
    parts = {}
    if modules:
        parts["unit tests"] = timed_pytest([*TWO_AT_A_TIME, *modules, *options])
    if notebooks:
        keep = ["--times", str(times.resolve())] if times else []
        parts["notebooks"] = timed_pytest([*NBVAL, *keep, *TWO_AT_A_TIME, *notebooks, *options])
    if not files:
        parts["browser"] = timed_pytest([BROWSER, "-rs", *options])
    print()
    for name, (code, minutes) in parts.items():
        verdict = {PASSED: "passed", NO_TEST_RAN: "no test ran"}.get(code, "FAILED")
        print(f"{name:12s}{minutes:6.1f} min   {verdict}")
    return exit_code([code for code, _ in parts.values()], selected=bool(options))


def exit_code(codes: list[int], selected: bool) -> int:
    """0 if all passed; where the learner selected tests (`-k`) one part may hold none of them, but not both."""
    harmless = {PASSED, NO_TEST_RAN} if selected else {PASSED}
    return 0 if PASSED in codes and set(codes) <= harmless else 1


def timed_pytest(arguments: list[str]) -> tuple[int, float]:
    """pytest's exit code and minutes."""
    print(f"\npytest {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    code = subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=lessons.ROOT)
    return code, (time.perf_counter() - began) / 60
