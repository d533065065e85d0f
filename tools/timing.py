"""A plugin of pytest that measures each notebook while nbval tests it: `-p tools.timing`.

`--times FILE` keeps the table as well.
"""

from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

from tools import costs, proofs

KERNEL = "kernel"
_seconds: dict[str, float] = defaultdict(float)  # of each notebook: setting up, running, closing
_kernel: dict[str, tuple[float, float]] = {}  # of each notebook: processor seconds, peak memory
_proofs: dict[str, float] = defaultdict(float)  # of each notebook: processor seconds of its proofs


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--times FILE``."""
    text = "keep what each notebook cost in this table"
    parser.addoption("--times", type=Path, metavar="FILE", help=text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator:
    """Measure the kernel's process while it exists; the cell's report carries the numbers."""
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None:
        pid = getattr(kernel.km.provisioner, "pid", None)
        item.user_properties.append((KERNEL, costs.of_process(pid)))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the cells of each notebook; the proofs of its exercises are no cost of the lesson."""
    lesson = Path(report.nodeid.split("::")[0])
    if lesson.suffix != ".ipynb":
        return
    is_proof = f"::{proofs.PROOF}" in report.nodeid
    if not is_proof:
        _seconds[lesson.stem] += report.duration
    for name, value in report.user_properties:
        if name == KERNEL and value:
            before = _kernel.get(lesson.stem, (0.0, 0.0))[0]
            _proofs[lesson.stem] += is_proof * (value[0] - before)
            _kernel[lesson.stem] = tuple(value)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and keep it if asked to.

    Parameters
    ----------
    terminalreporter : pytest.TerminalReporter
        Where to print.
    config : pytest.Config
        Holds the option ``--times``.
    """
    if not _seconds:
        return
    measured = {lesson: _cost(lesson) for lesson in _seconds}
    terminalreporter.section("what each lesson cost")
    terminalreporter.write_line("\n".join(costs.lines(measured)))
    if config.option.times:
        costs.write(measured, config.option.times)


def _cost(lesson: str) -> costs.Cost:
    if lesson not in _kernel:
        return costs.Cost(_seconds[lesson])
    cpu_seconds, peak_mb = _kernel[lesson]
    return costs.Cost(_seconds[lesson], cpu_seconds - _proofs[lesson], peak_mb)
