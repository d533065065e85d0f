"""A plugin of pytest that tells what each notebook cost while nbval tested it: `-p tools.timing`.

`--times FILE` keeps the table as well.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from tools import costs

KERNEL = "kernel"
_seconds: dict[str, float] = defaultdict(
    float
)  # of each notebook: what setting up, running and closing its cells took
_kernel: dict[
    str, tuple[float, float]
] = {}  # of each notebook: its kernel's processor seconds and peak memory


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--times FILE`."""
    parser.addoption(
        "--times", type=Path, metavar="FILE", help="keep what each notebook cost in this table"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item):
    """Ask the kernel's process while it is still there; the answer travels with the cell's report, also between processes."""
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None:
        item.user_properties.append(
            (KERNEL, costs.of_process(getattr(kernel.km.provisioner, "pid", None)))
        )
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the cells of each notebook."""
    lesson = Path(report.nodeid.split("::")[0])
    if lesson.suffix == ".ipynb":
        _seconds[lesson.stem] += report.duration
        told = [value for name, value in report.user_properties if name == KERNEL and value]
        if told:
            _kernel[lesson.stem] = tuple(told[-1])


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print the table, and keep it if asked to."""
    found = {
        lesson: costs.Cost(seconds, *_kernel.get(lesson, ()))
        for lesson, seconds in _seconds.items()
    }
    if found:
        terminalreporter.section("what each lesson cost")
        terminalreporter.write_line("\n".join(costs.lines(found)))
        if config.option.times:
            costs.write(found, config.option.times)
