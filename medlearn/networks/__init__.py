"""Networks on a borrowed encoder: Functional builders, one per task."""

from medlearn.networks.classification import classifier, set_head
from medlearn.networks.scratch import small

__all__ = ["classifier", "set_head", "small"]
