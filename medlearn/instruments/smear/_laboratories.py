"""Laboratories: how a blood film is stained, lit, magnified, focused, recorded and prepared.

Biology lives in `_cells` and `_scene`; everything that differs between two laboratories lives here,
in seven factors. The presets `lab-a`, `lab-b` and `field-lab` are calibrated: their numbers were
chosen by eye, by feature distance and by colour densities against pictures of real sets (the two
laboratories of `wbc`, and `bccd`). Results that use them on those sets are therefore not
target-blind. Random laboratories are in `_randomisation`.
"""

from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Stain:
    """Wright/Giemsa dyes: absorbance of one unit of each absorber in red, green and blue.

    Absorbances are to the base e. Directions of azure and eosin: the Giemsa vectors of G. Landini's
    Colour Deconvolution plugin (methylene blue .835 .514 .196, eosin .093 .954 .283), measured as
    in Ruifrok & Johnston 2001 (Anal Quant Cytol Histol 23:291). Chromatin is their purple complex:
    the Romanowsky band at 552 nm comes from eosin bound to azure B (Friedrich et al. 1990,
    Histochemistry 93:247; Horobin & Walter 1987, Histochemistry 86:331), hence the sum of both
    directions. Haemoglobin: eosin with added blue absorption (Soret band near 415 nm). Lengths and
    spreads: assumption.
    """

    chromatin: Colour = (0.89, 1.42, 0.46)
    azure: Colour = (0.48, 0.30, 0.11)
    eosin: Colour = (0.05, 0.46, 0.14)
    eosinophil_granule: Colour = (0.09, 0.93, 0.28)
    haemoglobin: Colour = (0.12, 0.50, 0.30)
    strength_sd: float = 0.12  # log scale, between slides
    hue_sd: float = 0.04  # log scale, per dye and colour channel
    haemoglobin_sd: float = 0.12  # log scale, red cells apart from the other dyes
    second_lot_gain: float = 1.0  # strength of the second stain lot against the first
    rim: float = 0.0  # dye pooled along the cell border, concentration
    nuclear_edge: float = 0.0  # azure along the nuclear border, concentration


@dataclass(frozen=True)
class Illuminant:
    """Lamp, condenser and white balance (assumption).

    Grey levels are those of empty glass, 0 to 255; above 255 saturates.
    """

    rgb: Colour = (250.0, 240.0, 230.0)
    rgb_sd: float = 0.02  # log scale, between images
    gradient: float = 0.05  # largest relative fall-off across the frame
    second_lot_share: float = 0.0  # share of slides photographed with other camera settings
    second_lot_rgb: Colour = (250.0, 240.0, 230.0)


@dataclass(frozen=True)
class Magnification:
    """Micrometres per pixel (assumption).

    A 100x objective on a common camera gives 0.05-0.1, a 40x objective 0.15-0.25. A single-cell
    frame is 128 pixels wide, a wide field 640; frames of other sizes show the same piece of the
    film.
    """

    um_per_px: float = 0.19
    field_um_per_px: float = 0.10
    um_per_px_sd: float = 0.08  # log scale, between images (cropping and rescaling)

    def __post_init__(self):
        if not (self.um_per_px > 0 and self.field_um_per_px > 0):
            raise ValueError(
                f"um_per_px and field_um_per_px must be positive, not {self.um_per_px!r} and "
                f"{self.field_um_per_px!r}."
            )


@dataclass(frozen=True)
class Optics:
    """Objective and focus.

    A perfect lens blurs by 0.225 wavelength / aperture (Zhang, Zerubia & Olivo-Marin 2007, Appl Opt
    46:1819): about 0.10 um for green light and an oil lens of aperture 1.25. More than that is
    defocus and aberration (assumption).
    """

    blur_um: float = 0.15  # standard deviation of the point spread
    blur_sd: float = 0.30  # log scale, focus differs between images
    lateral_um: float = 0.03  # red and blue images slip against green, each way
    longitudinal: float = 0.15  # extra relative blur of red and blue
    refraction: float = 0.15  # bright and dark seams at borders of thick objects out of focus
    refraction_rgb: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Sensor:
    """Camera and file: noise, unsharp masking, tone curve and JPEG (assumption).

    Shot and read noise follow EMVA standard 1288.
    """

    noise: float = 1.5  # standard deviation in grey levels at grey level 200
    chroma_noise: float = 0.0  # coloured blotches, per cent of the signal
    sharpening: float = 0.3  # strength of the camera's unsharp mask
    sharpening_um: float = 0.25  # its radius on the film
    contrast: float = 1.0  # around grey level 200
    gamma: float = 1.0
    jpeg_quality: float = 90.0  # rounded; chroma is halved at 85 and below, as most encoders do


@dataclass(frozen=True)
class RedCells:
    """Red cells, platelets and dirt on the film.

    A red cell is 7.5 um wide with a pale centre of 30-45 % of the width (Walker, Hall & Hurst 1990,
    Clinical Methods, chapter Peripheral Blood Smear, PubMed 21250106). Densities: assumption
    (monolayer of a film).
    """

    per_100um2: float = 1.6
    density_sd: float = 0.6  # log scale, between images
    lysis: float = 0.0  # 1: empty ghosts, haemoglobin washed out
    spacing: float = 0.78  # closest centres, as a share of the two radii together
    pallor: float = 0.7  # depth of the pale centre
    size_sd: float = 0.06  # red-cell width; about the normal anisocytosis
    crenation: float = 0.05  # share of cells with a scalloped border
    platelets_per_1000um2: float = 1.2
    debris_per_1000um2: float = 0.5
    film_texture: float = 0.02  # dried plasma, eosin concentration


@dataclass(frozen=True)
class Preparation:
    """Spreading, drying and fixing: what happens to cells before the stain (assumption).

    Relative to 1 or in um.
    """

    irregularity: float = 0.04  # waviness of the cell outline, share of the radius
    warp_um: float = 0.30  # slow distortion of the whole cell
    fray_um: float = 0.10  # fine raggedness of the outline
    softness: float = 0.45  # how much the cytoplasm thins out towards the border
    cytoplasm_texture: float = 1.0
    monocyte_spread: float = 1.0  # flattening of monocytes on the glass
    chromatin_contrast: float = 1.0
    fine_chromatin: float = 0.5
    granularity: float = 1.0
    granule_scale: float = 1.0
    granules_over_nucleus: float = 0.25  # eosinophil granules seen on top of the nucleus, 0..1
    granule_clumping: float = 0.2  # unevenness of the eosinophil granules, 0..1


@dataclass(frozen=True)
class Laboratory:
    """One laboratory, as seven factors that can be changed one at a time.

    Attributes
    ----------
    name : str
        Becomes the domain of its images.
    calibrated : bool
        True if it was fitted to real images, and is therefore not target-blind on them.
    stain, illuminant, magnification, optics, sensor, red_cells, preparation
        The seven factors, `FACTORS`; `adjust` changes single parameters of them by name.
    """

    name: str
    calibrated: bool = False
    stain: Stain = field(default_factory=Stain)
    illuminant: Illuminant = field(default_factory=Illuminant)
    magnification: Magnification = field(default_factory=Magnification)
    optics: Optics = field(default_factory=Optics)
    sensor: Sensor = field(default_factory=Sensor)
    red_cells: RedCells = field(default_factory=RedCells)
    preparation: Preparation = field(default_factory=Preparation)


FACTORS = tuple(item.name for item in fields(Laboratory))[2:]  # without name and calibrated


def between(a: Any, b: Any, share: float) -> Any:
    """Return (1 - share) * a + share * b.

    Parameters
    ----------
    a, b : float, tuple of float, or a factor such as `Stain`
        Both of the same type.
    share : float
        0 gives `a`, 1 gives `b`.
    """
    if isinstance(a, tuple):
        return tuple(between(low, high, share) for low, high in zip(a, b, strict=True))
    if isinstance(a, Real):
        return (1 - share) * a + share * b
    names = [parameter.name for parameter in fields(a)]
    changed = {name: between(getattr(a, name), getattr(b, name), share) for name in names}
    return replace(a, **changed)
