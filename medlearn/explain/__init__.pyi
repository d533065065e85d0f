from ._cam import grad_cam as grad_cam
from ._cam import map_layers as map_layers
from ._sanity import randomise_weights as randomise_weights
from ._sanity import similarity as similarity
from ._truth import energy_inside as energy_inside
from ._truth import pointing_game as pointing_game
