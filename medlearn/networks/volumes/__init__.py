"""Segmenters of volumes, and what they learn from.

    model = networks.volumes.unet(classes=3, size=(32, 48, 32))            # from random weights
    model = networks.volumes.segmenter(encoder, classes=3, size=(32, 48, 32))  # a borrowed encoder
    patches, truth = networks.volumes.patches(images, masks, (32, 48, 32), count=64)
    probabilities = networks.predict_tiled(model, image, flips=((), (2,)))

A volume is float (Z, Y, X) with values from 0 to 255: slices, rows, columns. Volumes of one data
set may differ in size, so they are given as a sequence, and networks see patches of one size.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
