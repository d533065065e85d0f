"""For every test: no window for figures; hypothesis without a clock and the same on each run."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MEDLEARN_PROGRESS", "off")  # nothing of a learner, nothing kept

settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")

# The files that take longest; the first two begin with a quick test, soon on screen.
LONGEST = ("faults", "course_setup", "site", "bring_your_own", "training", "challenge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that two processes end together."""
    first = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda item: first.index(item.path.stem) if item.path.stem in first else 99)
