"""A virtual microscope: simulated blood films of five leukocyte classes, at any laboratory.

Every image is simulated: Wright/Giemsa stain, no real pixel in it. Geometry is in micrometres,
colour in optical density (Beer-Lambert): biology decides the concentrations of five absorbers, a
`Laboratory` everything else. Patients, cells, scenes and shots have random streams of their own, so
one seed shows the same cell in every laboratory. Presets with `calibrated=True` ("lab-a", "lab-b",
"lab-a-restained", "field-lab") were fitted to real images; `random_laboratory` was not (its
documentation says how blind it is).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
