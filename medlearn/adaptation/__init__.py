"""Adaptation to another hospital: source images, source labels and unlabelled target images, and nothing else.

    colour        images of one laboratory in the colours of another
    statistics    BatchNorm statistics of the images at hand (AdaBN), and their affine parameters by entropy (TENT)
    matching      frozen vectors of two hospitals brought to one space: standardise, CORAL, subspaces, transport
    distances     how far two batches of vectors lie apart
    layers        a distance, or a fooled critic, as a term of the loss of plain Keras `fit`
    consistency   a student that agrees with its own average on spoiled target images (mean teacher)
    randomisation the source's images in random stains, light and scale, or painted from its masks in any contrast
    self_training pseudo-labels that stay balanced, and prototypes
    prior         other shares of the classes in the target

No function here has an argument for target labels; `tests/test_adaptation_contract.py` holds that.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
