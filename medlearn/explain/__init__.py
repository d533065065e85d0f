"""Where did the model look, and is that true? Heat maps, what they hit, and the control that keeps us honest.

maps = explain.grad_cam(model, images)                  # float32 (N, H, W), at least 0
explain.pointing_game(maps, masks).mean()               # how often the hottest point lies in the lesion
explain.grad_cam(explain.randomised(model), images)     # what a network that knows nothing would show
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
