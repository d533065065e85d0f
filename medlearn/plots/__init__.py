"""The course's figures: arrays in, a matplotlib figure out; colours that colour-blind readers can tell apart."""

from .adapting import rivals
from .charts import clouds, curves, intervals, layers, parameters, signals
from .choices import costs, rankings
from .detection import assignment, boxed, counting, crops, draw_boxes, free_response, precision_curve
from .evidence import heat, stack
from .judgement import confusion, reliability, studies, threshold, tradeoffs
from .learning import training
from .looking import contact_sheet, likenesses, planes, window
from .pictures import feature_maps, grid, images, neighbours, outlined
from .scaling import busy, scaling
from .scarcity import label_curves, opinions, remedies, severities, suspects
from .shifts import choices, gap_closed, harm, shares, together
from .segmentation import by_size, contest, doubt, overlays, painted
from .style import COLOURS, OUTLINES, RIGHT, WRONG

__all__ = [
    "COLOURS", "OUTLINES", "RIGHT", "WRONG", "assignment", "boxed", "choices", "clouds", "confusion", "contact_sheet", "costs", "counting", "crops",
    "curves", "draw_boxes", "feature_maps", "free_response", "gap_closed", "grid", "harm", "heat", "images", "intervals",
    "label_curves", "layers", "neighbours", "opinions", "outlined", "parameters", "precision_curve", "rankings",
    "reliability", "remedies", "severities", "shares", "signals", "stack", "studies", "suspects", "threshold",
    "together", "tradeoffs", "training",
    "busy", "scaling", "rivals", "likenesses", "planes", "window", "by_size", "contest", "doubt", "overlays", "painted",
]
