"""For every test: no window for figures; hypothesis without a clock and the same on each run."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MEDLEARN_PROGRESS", "off")  # nothing of a learner, nothing kept

settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")
