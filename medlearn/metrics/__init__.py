"""Scores, and how far to trust them: intervals over patients, paired tests, calibration, thresholds with costs.

    metrics.interval(metrics.auroc, labels, scores, patients)        # .87 [.79, .93]

The usual scores are scikit-learn's. In questions of yes and no, labels are 0 or 1 and 1 is what is looked for.
"""

from .calibration import (
    Reliability, apply_temperature, brier, calibration_error, fit_temperature, log_loss, reliability,
)
from .detection import (
    TEN_OVERLAPS, average_precisions, counting_bias, counting_error, counts, free_response, match, mean_average_precision,
    sensitivity_at_alarms,
)
from .intervals import Interval, interval, paired_difference
from .overlap import dice, iou, mean_difference, mean_score
from .paired import Comparison, delong, mcnemar
from .scores import (
    accuracy, auroc, average_precision, balanced_accuracy, confusion, f1, kappa, macro_f1, precision, sensitivity,
    sensitivity_at_specificity, specificity,
)
from .surfaces import hd95, surface_dice
from .thresholds import bayes_threshold, cheapest_threshold, cost, costs, threshold_at_specificity

__all__ = [
    "Comparison", "Interval", "Reliability", "TEN_OVERLAPS", "accuracy", "apply_temperature", "auroc",
    "average_precision", "average_precisions", "balanced_accuracy", "bayes_threshold", "brier", "calibration_error",
    "cheapest_threshold", "confusion", "cost", "costs", "counting_bias", "counting_error", "counts", "delong",
    "dice", "f1", "fit_temperature", "free_response", "hd95", "interval", "iou", "kappa", "log_loss", "macro_f1",
    "match", "mcnemar", "mean_average_precision", "mean_difference", "mean_score", "paired_difference", "precision",
    "reliability", "sensitivity", "sensitivity_at_alarms", "sensitivity_at_specificity", "specificity",
    "surface_dice", "threshold_at_specificity",
]
