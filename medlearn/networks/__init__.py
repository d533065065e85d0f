"""Networks on a borrowed encoder: Functional builders, one per task."""

from medlearn.networks.classification import classifier, set_head
from medlearn.networks.detection import centre_loss, detect, detector, sides_loss
from medlearn.networks.grid import STRIDE, assign, decode, targets
from medlearn.networks.scratch import small

__all__ = [
    "STRIDE", "assign", "centre_loss", "classifier", "decode", "detect", "detector", "set_head", "sides_loss",
    "small", "targets",
]
