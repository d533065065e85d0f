"""Choice without training and without target labels: a backbone, or an adapted model.

selection.logme(features, labels)                                  # which backbone, which layer
selection.validators.mutual_information(target_probabilities)      # which adapted model
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
