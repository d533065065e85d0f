"""What only lessons use: exercises that check themselves, widgets, budgets, a practice folder."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
