"""Scores and how far to trust them: intervals over patients, paired tests, calibration, costs.

    metrics.interval(metrics.auroc, labels, scores, patients)        # .87 [.79, .93]

The usual scores are scikit-learn's. In a binary question, labels are 0 (no) or 1 (yes).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
