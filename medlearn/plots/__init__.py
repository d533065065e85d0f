"""The course's figures: arrays in, a matplotlib figure out; colours that colour-blind readers can tell apart."""

from .charts import clouds, curves, intervals, layers, parameters, signals
from .judgement import confusion, reliability, studies, threshold, tradeoffs
from .pictures import feature_maps, grid, images, neighbours, outlined
from .style import COLOURS, OUTLINES, RIGHT, WRONG

__all__ = [
    "COLOURS", "OUTLINES", "RIGHT", "WRONG", "clouds", "confusion", "curves", "feature_maps", "grid", "images", "intervals",
    "layers", "neighbours", "outlined", "parameters", "reliability", "signals", "studies", "threshold", "tradeoffs",
]
