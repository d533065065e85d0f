"""Choice without training: a backbone, or an adapted model, without target labels or with few.

selection.logme(features, labels)                                  # which backbone, which layer
selection.validators.mutual_information(target_probabilities)      # which adapted model
selection.choose(models, source_features, source_labels, target_features)   # or source only
selection.duel(first_probabilities, second_probabilities, ask)     # is it better? By few labels
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
