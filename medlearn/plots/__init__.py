"""The course's figures: arrays in, a matplotlib figure out; colours that colour-blind readers can tell apart."""

from .charts import clouds, curves, intervals, layers, parameters, signals
from .choices import costs, rankings
from .detection import assignment, boxed, counting, crops, draw_boxes, free_response, precision_curve
from .evidence import heat, stack
from .judgement import confusion, reliability, studies, threshold, tradeoffs
from .learning import training
from .pictures import feature_maps, grid, images, neighbours, outlined
from .scarcity import label_curves, opinions, remedies, severities, suspects
from .style import COLOURS, OUTLINES, RIGHT, WRONG

__all__ = [
    "assignment", "boxed", "counting", "crops", "draw_boxes", "free_response", "precision_curve",
    "COLOURS", "OUTLINES", "RIGHT", "WRONG", "clouds", "confusion", "costs", "curves", "feature_maps", "grid", "images", "intervals",
    "layers", "neighbours", "outlined", "parameters", "rankings", "reliability", "signals", "studies", "threshold", "tradeoffs",
    "training", "heat", "stack", "label_curves", "remedies", "severities", "suspects", "opinions",
]
