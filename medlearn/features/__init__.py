"""Frozen features: the vectors that a layer of a pretrained encoder gives for images.

For example:

    vectors = features.extract(encoder, images, layer="block_14")       # float32 (N, D)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
