"""A fresh hospital that nobody has seen: draw it, hand in predictions, mark them, report a mean."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
