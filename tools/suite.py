"""Run the unit tests, every notebook as a test, and some lessons in a real browser."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tools import costs, door, lessons

# Without loadscope, the cells of one notebook would run in different processes. What takes longest
# comes first, so that both end together: notebooks by their table, files by tests/conftest.py.
TWO_AT_A_TIME = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
# Each has half of the cores: with threads for all of them, two processes wait for one another.
HALF_OF_THE_CORES = str(max(1, (os.cpu_count() or 2) // 2))
THREADS = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS"), HALF_OF_THE_CORES)
PROGRESS = ["-p", "tools.remaining", "--durations=15"]
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300"]
NBVAL += ["-p", "tools.proofs"]  # exercises are proven in the kernel that plays their lesson
NBVAL += ["-p", "tools.timing"]
BROWSER = "tests/browser"  # after the others and alone: two busy cores let it time out
NOT_SLOW = ["-m", "not slow"]
PASSED, NO_TEST_RAN = 0, 5  # pytest's exit codes
VERDICTS = {PASSED: "passed", NO_TEST_RAN: "no test ran"}


def test(extra: list[str], times: Path | None = None, slow: bool = False) -> int:
    """Run all parts from the course's folder and print the minutes of each.

    Parameters
    ----------
    extra : list of str
        Arguments for pytest. Files among them, such as ``tests/test_splits.py`` or a notebook,
        replace what is run.
    times : Path, optional
        A table that keeps the seconds and the memory of each notebook, played beside another one;
        those in benchmarks/results are of `run`, with all cores for each.
    slow : bool
        Also run the tests marked slow. A single file is run with its slow tests in any case.

    Returns
    -------
    int
        0 if all parts passed, else 1.
    """
    files = [text for text in extra if _path(text).endswith((".py", ".ipynb"))]
    options = [text for text in extra if text not in files]
    notebooks = [text for text in files if _path(text).endswith(".ipynb")]
    modules = [text for text in files if text not in notebooks]
    chosen = []
    if not files:
        modules = ["tests", f"--ignore={BROWSER}"]
        notebooks = [path.relative_to(lessons.ROOT).as_posix() for path in longest_first(opened())]
        chosen = [] if slow else NOT_SLOW
    parts = {}
    if modules:
        parts["unit tests"] = _timed_pytest([*TWO_AT_A_TIME, *chosen, *modules, *options])
    if notebooks:
        keep = ["--times", str(times.resolve())] if times else []
        parts["notebooks"] = _timed_pytest([*NBVAL, *keep, *TWO_AT_A_TIME, *notebooks, *options])
    if not files:
        parts["browser"] = _timed_pytest([BROWSER, "-rs", *chosen, *options])
    print()
    for name, (code, minutes) in parts.items():
        print(f"{name:12s}{minutes:6.1f} min   {VERDICTS.get(code, 'FAILED')}")
    return exit_code([code for code, _ in parts.values()], selected=bool(options))


def opened() -> list[Path]:
    """Return the notebooks of the course: all lessons, and the door if there is one."""
    return [path for path in [*lessons.find([]), door.path()] if path.exists()]


def longest_first(paths: list[Path]) -> list[Path]:
    """Return the notebooks in the order of their processor seconds in benchmarks/results."""
    seconds = costs.read(lessons.ROOT / "benchmarks" / "results" / "lessons.csv")
    return sorted(paths, key=lambda path: -seconds.get(path.stem, 0.0))


def exit_code(codes: list[int], selected: bool) -> int:
    """Return 0 if the run has passed, else 1.

    Parameters
    ----------
    codes : list of int
        pytest's exit code of each part.
    selected : bool
        Whether the user selected tests, as by ``-k``; then a part, but not all of them, may hold
        none of these.
    """
    harmless = {PASSED, NO_TEST_RAN} if selected else {PASSED}
    return 0 if PASSED in codes and set(codes) <= harmless else 1


def _path(argument: str) -> str:
    """The file of an argument such as ``tests/test_splits.py::test_folds``."""
    return argument.split("::")[0]


def _timed_pytest(arguments: list[str]) -> tuple[int, float]:
    """pytest's exit code and minutes."""
    print(f"\npytest {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", *PROGRESS, *arguments]
    threads = THREADS if set(TWO_AT_A_TIME) <= set(arguments) else {}
    code = subprocess.call(command, cwd=lessons.ROOT, env=threads | os.environ)
    return code, (time.perf_counter() - began) / 60
