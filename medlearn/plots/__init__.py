"""Figures: arrays in, a matplotlib figure out, in colours that colour-blind readers tell apart."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
