"""Dials that teach: `explore` puts dials on a figure; the consoles answer at once."""

from medlearn.teaching._consoles import microscope, scanner
from medlearn.teaching._panels import console, explore, pace
from medlearn.teaching._planes import volume_planes

__all__ = ["console", "explore", "microscope", "pace", "scanner", "volume_planes"]
