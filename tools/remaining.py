"""A plugin of pytest that says twice a minute what is done and what remains: `-p tools.remaining`.

The first line comes with the first result. The minutes that remain are a guess: they suppose that
the tests to come take as long on average as those before. While notebooks are played, the line says
where each of them is.
"""

import re
import time
from collections import Counter

import pytest

from tools import position

SECONDS = 30  # between two lines
FEW = 100  # one test in so many says nothing about the others


class Remaining:
    """Count tests, and say from time to time how many remain.

    Parameters
    ----------
    config : pytest.Config
        Of the process that prints.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.reporter = config.pluginmanager.get_plugin("terminalreporter")
        self.began = time.monotonic()
        self.said = -float(SECONDS)
        self.total = self.done = 0
        self.cells: Counter[str] = Counter()  # of each notebook: how many it has
        self.played: Counter[str] = Counter()
        self.first: dict[str, float] = {}  # of each notebook: when its first cell had ended

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests of a run in one process."""
        self._collected([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """Count the tests of a run in several processes; each of them collects all."""
        self._collected(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that has ended, and say what remains if that was said long ago."""
        if report.when != "teardown":
            return
        self.done += 1
        now = time.monotonic()
        seconds = now - self.began
        lesson = _lesson(report.nodeid)
        if lesson:
            self.played[lesson] += 1
            self.first.setdefault(lesson, now - report.duration)
        if self.reporter is not None and seconds >= self.said + SECONDS:
            self.said = seconds
            parts = [sentence(self.done, self.total, seconds), *self._playing(now)]
            self.reporter.write(f"\n{'; '.join(parts)}\n")

    def _collected(self, ids: list[str]) -> None:
        if len(ids) >= self.total:
            self.total = len(ids)
            self.cells = Counter(filter(None, map(_lesson, ids)))

    def _playing(self, now: float) -> list[str]:
        """Where each notebook is that has begun and not ended."""
        begun = [lesson for lesson in self.played if self.played[lesson] < self.cells[lesson]]
        return [
            position.sentence(
                lesson, self.played[lesson], self.cells[lesson], now - self.first[lesson]
            )
            for lesson in begun
        ]


def _lesson(id: str) -> str:
    """The number of the lesson whose cell a test is, or nothing."""
    match = re.search(r"(\d\d)_\w+\.ipynb::", id)
    return match[1] if match else ""


def sentence(done: int, total: int, seconds: float) -> str:
    """Return the line for so many tests of a total after so many seconds.

    Examples
    --------
    >>> sentence(100, 400, 120)
    '  2.0 min: 100 of 400 tests, about 6 min remain'
    """
    beginning = f"  {seconds / 60:.1f} min: {done} of {total} tests"
    if seconds < SECONDS or done >= total or done * FEW < total:
        return beginning
    return f"{beginning}, about {seconds * (total / done - 1) / 60:.0f} min remain"


@pytest.hookimpl(trylast=True)  # after what prints is there
def pytest_configure(config: pytest.Config) -> None:
    """Watch in the process that prints, and not in those that work for it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Remaining(config), "medlearn-remaining")
