"""Where did the model look, and is that true? Heat maps, what they hit, and the control that keeps us honest.

    maps = explain.grad_cam(model, images)                  # float32 (N, H, W), at least 0
    explain.pointing_game(maps, masks).mean()               # how often the hottest point lies in the lesion
    explain.grad_cam(explain.randomised(model), images)     # what a network that knows nothing would show
"""

from .cam import grad_cam, map_layers
from .sanity import randomised, similarity
from .truth import energy_inside, pointing_game

__all__ = ["energy_inside", "grad_cam", "map_layers", "pointing_game", "randomised", "similarity"]
