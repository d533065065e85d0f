"""A trained model with all that it needs elsewhere: saved, loaded, used on new images.

For example:

    predictor = inference.bundle(model, classes, training_images, temperature=1.2, ask_below=0.7)
    predictor.save("my_model")                          # one folder: model, settings, model card
    table = inference.load("my_model").predict("scans") # a folder, one or several files, an array
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
