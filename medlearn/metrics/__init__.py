"""Scores and how far to trust them: intervals over patients, paired tests, calibration, costs.

    metrics.interval(metrics.auroc, labels, scores, patients)        # .87 [.79, .93]

The usual scores are scikit-learn's. In a binary question, labels are 0 (no) or 1 (yes).
"""

import lazy_loader

from medlearn import _renamed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _renamed.with_old_names(
    __name__,
    __getattr__,
    {
        "TEN_OVERLAPS": "IOU_THRESHOLDS",
        "average_precisions": "average_precision_per_class",
        "cost": "mean_cost",
        "costs": "cost_curve",
        "counting_bias": "mean_signed_error",
        "counting_error": "mean_absolute_error",
        "counts": "count_boxes",
        "free_response": "froc_curve",
        "match": "match_boxes",
        "sensitivity_at_alarms": "sensitivity_at_false_positives",
    },
)
