"""Virtual microscope: simulated blood films of five leukocyte classes, at any laboratory, with truth.

Every image is simulated: Wright/Giemsa stain, no real pixel in it. Geometry is in micrometres, colour in
optical density (Beer-Lambert): biology decides the concentrations of five absorbers, a `Laboratory`
everything else. Patients, cells, scenes and shots have random streams of their own, so one seed shows the
same cell in every laboratory. Presets with `calibrated=True` ("lab-a", "lab-b", "lab-a-restained",
"field-lab") were fitted to real images; `random_laboratory` was not (how blind it is stands in
`randomisation`).
"""
from medlearn.instruments.smear.laboratories import FACTORS, Laboratory
from medlearn.instruments.smear.microscope import (
    CLASSES, FIELD_CLASSES, MASK_CLASSES, Batch, fields, one_cell, single_cells)
from medlearn.instruments.smear.mixing import adjust, mix
from medlearn.instruments.smear.presets import LABORATORIES
from medlearn.instruments.smear.randomisation import random_laboratory

__all__ = ["CLASSES", "FACTORS", "FIELD_CLASSES", "LABORATORIES", "MASK_CLASSES", "Batch", "Laboratory",
           "adjust", "fields", "mix", "one_cell", "random_laboratory", "single_cells"]
