"""What a trained model promises on new images without labels, and whether the promise still holds.

    conformal    prediction sets that hold the true class as often as was promised
    estimates    the accuracy on a target domain, estimated without its labels
    outliers     how unlike the training images is an image?
    charts       a number per week, its limits, and the weeks of alarm

A promise is made on labelled images of the source and kept only under its assumption; each function
says which. No function here has an argument for target labels; a test checks every signature.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
