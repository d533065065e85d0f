"""Pretrained encoders by name, with their preprocessing inside.

For example:

    encoder = backbones.load("efficientnet_lite0")     # images of 0 to 255 in, final map out
    encoder.get_layer("block_14").output               # any block by name; `taps` lists them
    transformer = backbones.load("dinov2_small")       # patches of 14 x 14; blocks give tokens
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
