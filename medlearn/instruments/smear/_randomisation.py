"""Random laboratories: broad ranges from the literature and from assumptions, never fitted to real images."""

import math
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
from medlearn.instruments.smear._patients import stream


def random_laboratory(seed: int | tuple[int, ...]) -> Laboratory:
    """A laboratory drawn from broad ranges; the same seed gives the same laboratory, called "random-<seed>".

    Ranges: stain directions vary around the published vectors of `Stain` by about 25 % per colour channel and
    30 % in strength, as between laboratories that follow one protocol (Macenko et al. 2009, ISBI, 1107;
    Horobin & Walter 1987 on time, pH and dye concentration); point spread from the diffraction limit of an
    oil lens (about 0.10 um, see `Optics`) to five times that; 0.14-0.26 um per pixel of a single cell,
    0.07-0.20 of a field: a 100x to 40x objective on common cameras; JPEG quality, noise and tone curve as
    consumer to scientific cameras (assumption); all other ranges: assumption.

    How blind they are: no range was fitted to real images or to a score on them, and they are frozen; never
    tune them, or experiments from simulated to real images lose their meaning. But those who chose them had
    seen pictures from both laboratories of the `wbc` set, and the drawing of cells that all laboratories
    share was judged beside those pictures. So: blind to the target's labels and statistics, not to its looks.
    """
    key = (seed,) if isinstance(seed, Integral) else tuple(seed)
    if not all(isinstance(part, Integral) and part >= 0 for part in key):
        raise ValueError(
            f"seed must be a whole number of at least 0, or a tuple of them, not {seed!r}."
        )
    rng = stream("laboratory", *(int(part) for part in key))

    def u(low: float, high: float) -> float:
        return rng.uniform(low, high)

    lamp = (u(215, 262), u(200, 260), u(160, 255))
    return Laboratory(
        name="random-" + "-".join(str(part) for part in key),
        stain=_stain(rng),
        illuminant=Illuminant(rgb=lamp, rgb_sd=u(0.01, 0.04), gradient=u(0, 0.15)),
        magnification=Magnification(
            um_per_px=math.exp(u(math.log(0.14), math.log(0.26))),
            field_um_per_px=math.exp(u(math.log(0.07), math.log(0.20))),
            um_per_px_sd=0.08,
        ),
        optics=Optics(
            blur_um=u(0.09, 0.45),
            blur_sd=0.3,
            lateral_um=u(0, 0.18),
            longitudinal=u(0, 0.4),
            refraction=u(0, 0.6),
            refraction_rgb=(u(0.8, 1.2), u(0.6, 1.0), u(0.3, 1.0)),
        ),
        sensor=Sensor(
            noise=u(0.5, 5),
            chroma_noise=u(0, 1),
            sharpening=u(0, 0.8),
            sharpening_um=u(0.18, 0.4),
            contrast=u(0.9, 1.2),
            gamma=u(0.85, 1.2),
            jpeg_quality=u(55, 96),
        ),
        red_cells=RedCells(
            per_100um2=u(0.2, 2.6),
            density_sd=u(0.3, 0.9),
            lysis=(0, 0, 0.5, 0.95)[int(rng.integers(4))],
            spacing=u(0.7, 0.85),
            pallor=u(0.3, 0.9),
            size_sd=u(0.04, 0.10),
            crenation=u(0, 0.3),
            platelets_per_1000um2=u(0, 2.5),
            debris_per_1000um2=u(0, 1.5),
            film_texture=u(0, 0.12),
        ),
        preparation=_preparation(u),
    )


def _stain(rng: np.random.Generator) -> Stain:
    typical, strength = Stain(), rng.uniform(0.75, 1.3)

    def varied(colour: Colour) -> Colour:
        return tuple((strength * np.array(colour) * np.exp(0.25 * rng.standard_normal(3))).tolist())

    return Stain(
        varied(typical.chromatin),
        varied(typical.azure),
        varied(typical.eosin),
        varied(typical.eosinophil_granule),
        varied(typical.haemoglobin),
        strength_sd=0.12,
        hue_sd=0.04,
        haemoglobin_sd=0.15,
        rim=rng.uniform(0, 0.4),
        nuclear_edge=rng.uniform(0, 0.9),
    )


def _preparation(u) -> Preparation:
    return Preparation(
        irregularity=u(0.02, 0.06),
        warp_um=u(0.1, 0.4),
        fray_um=u(0.03, 0.25),
        softness=u(0.2, 0.7),
        cytoplasm_texture=u(0.8, 2.5),
        monocyte_spread=u(1, 1.2),
        chromatin_contrast=u(0.4, 1.5),
        fine_chromatin=u(0, 1),
        granularity=u(0.6, 1.3),
        granule_scale=u(0.9, 1.5),
        granules_over_nucleus=u(0.3, 0.8),
        granule_clumping=u(0, 0.8),
    )
