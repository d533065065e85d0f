"""Pretrained encoders by name, with their preprocessing inside.

For example:

    encoder = backbones.load("efficientnet_lite0")     # images of 0 to 255 in, final map out
    encoder.get_layer("block_14").output               # any block by name; `taps` lists them
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
