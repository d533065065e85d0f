"""Choose without training, and without target labels: a backbone by scores of its features, an adapted model by validators.

    selection.logme(vectors, labels)                       # which backbone, which layer: `transferability`
    validators.information(target_probabilities)           # which adapted model: `validators`
"""

from medlearn.selection import validators
from medlearn.selection.transferability import CORRELATIONS, agreement, h_score, leep, logme, nce

__all__ = ["CORRELATIONS", "agreement", "h_score", "leep", "logme", "nce", "validators"]
