"""Choose without training, and without target labels: a backbone by scores of its features, an adapted model by validators.

selection.logme(vectors, labels)                       # which backbone, which layer: `transferability`
validators.information(target_probabilities)           # which adapted model: `validators`
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
