"""Random laboratories: broad ranges from the literature and from assumptions."""

import math
from collections.abc import Callable, Sequence
from numbers import Integral

import numpy as np

from medlearn.instruments.smear._laboratories import (
    Colour,
    Illuminant,
    Laboratory,
    Magnification,
    Optics,
    Preparation,
    RedCells,
    Sensor,
    Stain,
)
from medlearn.instruments.smear._patients import random_stream

Draw = Callable[[float, float], float]  # a number between two limits, evenly


def random_laboratory(seed: int | tuple[int, ...]) -> Laboratory:
    """Draw a laboratory from broad ranges.

    Ranges: stain directions vary around the published vectors of `Stain` by about 25 % per colour
    channel and 30 % in strength, as between laboratories that follow one protocol (Macenko et al.
    2009, ISBI, 1107; Horobin & Walter 1987 on time, pH and dye concentration); point spread from
    the diffraction limit of an oil lens (about 0.10 um, see `Optics`) to five times that; 0.14-0.26
    um per pixel of a single cell, 0.07-0.20 of a field: a 100x to 40x objective on common cameras;
    JPEG quality, noise and tone curve as consumer to scientific cameras (assumption); all other
    ranges: assumption.

    How blind they are: no range was fitted to real images or to a score on them, and the ranges are
    frozen. Never tune them, or experiments from simulated to real images lose their meaning. But
    those who chose them had seen pictures from both laboratories of the `wbc` set. The drawing of
    cells, which all laboratories share, was compared with those pictures. So random laboratories
    are blind to the target's labels and statistics, but not to its appearance.

    Parameters
    ----------
    seed : int or tuple of int
        At least 0. The same seed gives the same laboratory, called ``"random-<seed>"``.

    Raises
    ------
    ValueError
        For another seed.

    Examples
    --------
    >>> from medlearn.instruments import smear
    >>> smear.random_laboratory(3) == smear.random_laboratory(3)
    True
    """
    key = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    if not all(isinstance(part, Integral) and part >= 0 for part in key):
        raise ValueError(
            f"seed must be a whole number of at least 0, or a tuple of them, not {seed!r}."
        )
    rng = random_stream("laboratory", *(int(part) for part in key))
    draw = rng.uniform
    lamp = (draw(215, 262), draw(200, 260), draw(160, 255))  # drawn first
    return Laboratory(
        name="random-" + "-".join(str(part) for part in key),
        stain=_stain(rng),
        illuminant=Illuminant(rgb=lamp, rgb_sd=draw(0.01, 0.04), gradient=draw(0, 0.15)),
        magnification=_magnification(draw),
        optics=_optics(draw),
        sensor=_sensor(draw),
        red_cells=_red_cells(rng),
        preparation=_preparation(draw),
    )


def _stain(rng: np.random.Generator) -> Stain:
    typical, strength = Stain(), rng.uniform(0.75, 1.3)
    return Stain(
        chromatin=_varied(rng, strength, typical.chromatin),
        azure=_varied(rng, strength, typical.azure),
        eosin=_varied(rng, strength, typical.eosin),
        eosinophil_granule=_varied(rng, strength, typical.eosinophil_granule),
        haemoglobin=_varied(rng, strength, typical.haemoglobin),
        strength_sd=0.12,
        hue_sd=0.04,
        haemoglobin_sd=0.15,
        rim=rng.uniform(0, 0.4),
        nuclear_edge=rng.uniform(0, 0.9),
    )


def _varied(rng: np.random.Generator, strength: float, colour: Colour) -> Colour:
    """A colour of this strength, changed by about 25 % per channel."""
    red, green, blue = strength * np.array(colour) * np.exp(0.25 * rng.standard_normal(3))
    return float(red), float(green), float(blue)


def _magnification(draw: Draw) -> Magnification:
    return Magnification(
        um_per_px=math.exp(draw(math.log(0.14), math.log(0.26))),
        field_um_per_px=math.exp(draw(math.log(0.07), math.log(0.20))),
        um_per_px_sd=0.08,
    )


def _optics(draw: Draw) -> Optics:
    return Optics(
        blur_um=draw(0.09, 0.45),
        blur_sd=0.3,
        lateral_um=draw(0, 0.18),
        longitudinal=draw(0, 0.4),
        refraction=draw(0, 0.6),
        refraction_rgb=(draw(0.8, 1.2), draw(0.6, 1.0), draw(0.3, 1.0)),
    )


def _sensor(draw: Draw) -> Sensor:
    return Sensor(
        noise=draw(0.5, 5),
        chroma_noise=draw(0, 1),
        sharpening=draw(0, 0.8),
        sharpening_um=draw(0.18, 0.4),
        contrast=draw(0.9, 1.2),
        gamma=draw(0.85, 1.2),
        jpeg_quality=draw(55, 96),
    )


def _red_cells(rng: np.random.Generator) -> RedCells:
    draw = rng.uniform
    return RedCells(
        per_100um2=draw(0.2, 2.6),
        density_sd=draw(0.3, 0.9),
        lysis=(0, 0, 0.5, 0.95)[int(rng.integers(4))],
        spacing=draw(0.7, 0.85),
        pallor=draw(0.3, 0.9),
        size_sd=draw(0.04, 0.10),
        crenation=draw(0, 0.3),
        platelets_per_1000um2=draw(0, 2.5),
        debris_per_1000um2=draw(0, 1.5),
        film_texture=draw(0, 0.12),
    )


def _preparation(draw: Draw) -> Preparation:
    return Preparation(
        irregularity=draw(0.02, 0.06),
        warp_um=draw(0.1, 0.4),
        fray_um=draw(0.03, 0.25),
        softness=draw(0.2, 0.7),
        cytoplasm_texture=draw(0.8, 2.5),
        monocyte_spread=draw(1, 1.2),
        chromatin_contrast=draw(0.4, 1.5),
        fine_chromatin=draw(0, 1),
        granularity=draw(0.6, 1.3),
        granule_scale=draw(0.9, 1.5),
        granules_over_nucleus=draw(0.3, 0.8),
        granule_clumping=draw(0, 0.8),
    )
