"""Heat maps of what a network looked at, scores against outlines, and the control for them.

For example:

    maps = explain.grad_cam(model, images)                     # float32 (N, H, W), at least 0
    explain.pointing_game(maps, masks).mean()                  # hottest point in the lesion?
    explain.grad_cam(explain.randomise_weights(model), images) # maps of an untrained network
"""

import lazy_loader

from medlearn import _renamed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _renamed.with_old_names(__name__, __getattr__, {"randomised": "randomise_weights"})
