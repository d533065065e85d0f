"""Scores, and how far to trust them: intervals over patients, paired tests, calibration, thresholds with costs.

    metrics.interval(metrics.auroc, labels, scores, patients)        # .87 [.79, .93]

The usual scores are scikit-learn's. In questions of yes and no, labels are 0 or 1 and 1 is what is looked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
