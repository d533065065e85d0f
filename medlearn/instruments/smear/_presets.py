"""Ready laboratories, calibrated on real images: see `_laboratories`."""

from dataclasses import replace
from types import MappingProxyType

from medlearn import _files
from medlearn.instruments.smear._laboratories import (
    Illuminant,
    Laboratory,
    Magnification,
    Optics,
    Preparation,
    RedCells,
    Sensor,
    Stain,
    between,
)

# Calibrated on the first laboratory of the `wbc` set: yellow lamp, ghosts of red cells, soft focus.
LAB_A = Laboratory(
    name="lab-a",
    calibrated=True,
    stain=Stain(
        chromatin=(0.74, 1.95, 0.62),
        azure=(0.38, 0.36, 0.13),
        eosin=(0.20, 0.54, 0.40),
        eosinophil_granule=(0.25, 0.68, 0.40),
        haemoglobin=(0.22, 0.36, 0.26),
        strength_sd=0.15,
        hue_sd=0.05,
        haemoglobin_sd=0.12,
        second_lot_gain=1.25,
        rim=0.30,
        nuclear_edge=0.50,
    ),
    illuminant=Illuminant(
        rgb=(262, 255, 162),
        rgb_sd=0.04,
        gradient=0.05,
        second_lot_share=0.33,
        second_lot_rgb=(288, 280, 272),
    ),
    magnification=Magnification(um_per_px=0.158, field_um_per_px=0.158, um_per_px_sd=0.06),
    optics=Optics(
        blur_um=0.30,
        blur_sd=0.22,
        lateral_um=0.14,
        longitudinal=0.30,
        refraction=0.6,
        refraction_rgb=(1.6, 0.8, 0.15),
    ),
    sensor=Sensor(noise=0.9, chroma_noise=1.5, sharpening=0.8, sharpening_um=0.28, jpeg_quality=60),
    red_cells=RedCells(
        per_100um2=1.0,
        density_sd=0.6,
        lysis=0.95,
        spacing=0.80,
        pallor=0.75,
        platelets_per_1000um2=1.0,
        debris_per_1000um2=1.7,
        film_texture=0.09,
    ),
    preparation=Preparation(
        irregularity=0.022,
        warp_um=0.12,
        fray_um=0.05,
        softness=0.25,
        cytoplasm_texture=2.0,
        chromatin_contrast=1.5,
        fine_chromatin=0.0,
        granularity=1.05,
        granule_scale=1.4,
        granules_over_nucleus=0.8,
        granule_clumping=0.8,
    ),
)

# Calibrated on the second laboratory of the `wbc` set: crisp optics, crowded salmon to mauve red
# cells.
LAB_B = Laboratory(
    name="lab-b",
    calibrated=True,
    stain=Stain(
        chromatin=(0.97, 1.70, 0.38),
        azure=(0.42, 0.40, 0.11),
        eosin=(0.12, 0.34, 0.13),
        eosinophil_granule=(0.26, 0.62, 0.28),
        haemoglobin=(0.27, 0.50, 0.27),
        strength_sd=0.17,
        hue_sd=0.04,
        haemoglobin_sd=0.20,
        rim=0.04,
    ),
    illuminant=Illuminant(rgb=(254, 229, 202), rgb_sd=0.02, gradient=0.05),
    magnification=Magnification(um_per_px=0.189, field_um_per_px=0.189, um_per_px_sd=0.12),
    optics=Optics(blur_um=0.13, blur_sd=0.35, lateral_um=0.03, longitudinal=0.15, refraction=0.10),
    sensor=Sensor(noise=1.8, sharpening=0.8, sharpening_um=0.23, jpeg_quality=95),
    red_cells=RedCells(
        per_100um2=2.7,
        density_sd=1.1,
        spacing=0.74,
        pallor=0.75,
        size_sd=0.09,
        crenation=0.06,
        platelets_per_1000um2=1.7,
        debris_per_1000um2=0.5,
        film_texture=0.02,
    ),
    preparation=Preparation(
        irregularity=0.05,
        warp_um=0.35,
        fray_um=0.22,
        softness=0.60,
        cytoplasm_texture=1.2,
        monocyte_spread=1.15,
        chromatin_contrast=1.3,
        fine_chromatin=1.0,
        granularity=1.2,
        granules_over_nucleus=0.12,
    ),
)

# The same slides as `lab-a`, stained almost as in `lab-b`: a mild shift of colour and nothing else.
LAB_A_RESTAINED = replace(
    LAB_A, name="lab-a-restained", stain=between(LAB_A.stain, LAB_B.stain, 0.8)
)

# Calibrated on the `bccd` set: wide fields at high magnification, soft focus, grey light.
FIELD_LAB = Laboratory(
    name="field-lab",
    calibrated=True,
    stain=Stain(
        chromatin=(0.90, 1.35, 0.25),
        azure=(0.42, 0.37, 0.08),
        eosin=(0.12, 0.25, 0.08),
        eosinophil_granule=(0.2, 0.8, 0.4),
        haemoglobin=(0.18, 0.45, 0.42),
        rim=0.05,
    ),
    illuminant=Illuminant(rgb=(212, 214, 205), rgb_sd=0.03, gradient=0.08),
    magnification=Magnification(um_per_px=0.19, field_um_per_px=0.072, um_per_px_sd=0.06),
    optics=Optics(blur_um=0.20, blur_sd=0.40, lateral_um=0.04, longitudinal=0.15, refraction=0.3),
    sensor=Sensor(noise=2.0, sharpening=0.0, jpeg_quality=60),
    red_cells=RedCells(
        per_100um2=1.9,
        density_sd=0.4,
        spacing=0.64,
        pallor=0.65,
        platelets_per_1000um2=2.0,
        debris_per_1000um2=0.3,
        film_texture=0.01,
    ),
    preparation=Preparation(
        irregularity=0.04, warp_um=0.35, chromatin_contrast=0.9, fine_chromatin=0.0
    ),
)

LABORATORIES = MappingProxyType(
    {lab.name: lab for lab in (LAB_A, LAB_B, LAB_A_RESTAINED, FIELD_LAB)}
)


def find_laboratory(laboratory: Laboratory | str, *more_names: str) -> Laboratory:
    """Return the laboratory itself, or the preset of that name; ValueError if there is none.

    Parameters
    ----------
    laboratory : Laboratory or str
        What the user gave.
    *more_names : str
        Further names that the caller understands, for the message.
    """
    if isinstance(laboratory, Laboratory):
        return laboratory
    if not isinstance(laboratory, str) or laboratory not in LABORATORIES:
        raise ValueError(_files.unknown("laboratory", laboratory, [*LABORATORIES, *more_names]))
    return LABORATORIES[laboratory]
