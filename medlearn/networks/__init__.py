"""Networks on a borrowed encoder: Functional builders, one per task."""

from medlearn.networks import losses, views
from medlearn.networks.bags import attention_weights, bag_classifier, into_bags
from medlearn.networks.classification import classifier, set_head
from medlearn.networks.detection import centre_loss, detect, detector, sides_loss
from medlearn.networks.grid import STRIDE, assign, decode, targets
from medlearn.networks.scratch import small
from medlearn.networks.segmentation import checked_masks, segmenter, skips
from medlearn.networks.views import segment

__all__ = [
    "STRIDE", "assign", "attention_weights", "bag_classifier", "centre_loss", "checked_masks",
    "classifier", "decode", "detect", "detector", "into_bags", "losses", "segment", "segmenter", "set_head",
    "sides_loss", "skips", "small", "targets", "views",
]
