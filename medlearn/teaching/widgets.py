"""Dials that teach: `explore` puts dials on a figure, `microscope` and `scanner` answer at once."""

from medlearn.teaching._consoles import microscope, scanner
from medlearn.teaching._panels import console, explore, pace

__all__ = ["console", "explore", "microscope", "pace", "scanner"]
