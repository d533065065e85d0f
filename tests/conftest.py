"""What every test file shares: headless figures, and hypothesis without a clock and the same on every run."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")
