"""From dyes to pixels: absorption, illumination, focus, camera and file.

Light follows the Beer-Lambert law, I = I0 exp(-sum of concentration x absorbance) (Ruifrok & Johnston 2001);
lens, defocus, colour slip and the camera's sharpening are one linear filter per colour in the Fourier domain.
"""

import io
import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from PIL import Image
from scipy import fft
from scipy.ndimage import gaussian_filter

from medlearn.instruments.smear._geometry import Grid, clamp, whole
from medlearn.instruments.smear._laboratories import Illuminant, Laboratory, Optics, Sensor, Stain
from medlearn.instruments.smear._patients import Patient
from medlearn.instruments.smear._scene import Scene

PIXEL_SD = 12**-0.5  # standard deviation of a square pixel, in pixels
GRAIN_SPARE = 400  # a piece of noise starts in one of 400 x 400 places


@dataclass(frozen=True)
class Exposure:
    """What differs from shot to shot, as standard scores or numbers in 0..1, drawn before the laboratory is
    known."""

    zoom: float
    strength: float
    brightness: float
    balance: np.ndarray  # (3,)
    gradient: tuple[float, float]  # direction 0..1, amount 0..1
    focus: float
    slip: float  # direction of the colour slip, 0..1
    refraction: float
    blotches: np.ndarray  # (2,) corner of the chroma texture


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """The shot of this generator; leaves the generator ready for the pixel noise."""
    zoom, strength, brightness, *balance = np.clip(rng.standard_normal(6), -2.5, 2.5).tolist()
    focus = float(np.clip(rng.standard_normal(), -2.0, 2.0))
    gradient, slip, refraction = tuple(rng.random(2).tolist()), rng.random(), rng.random()
    return Exposure(
        zoom,
        strength,
        brightness,
        np.array(balance),
        gradient,
        focus,
        slip,
        refraction,
        rng.random(2),
    )


def photograph(
    rng: np.random.Generator,
    scene: Scene,
    exposure: Exposure,
    laboratory: Laboratory,
    patient: Patient,
) -> np.ndarray:
    """The image of a scene, uint8 RGB (H, W, 3)."""
    second_lot = patient.lot < laboratory.illuminant.second_lot_share
    dyes = absorbance(laboratory.stain, patient, exposure, second_lot)
    light = np.exp(-(dyes.T @ scene.dyes.reshape(len(dyes), -1))).reshape(3, *scene.frame)
    where = whole(scene.frame, scene.um_per_px)
    light *= _illumination(laboratory.illuminant, exposure, where, second_lot)
    light *= _seams(scene, laboratory.optics, exposure)
    light = _lens(light, laboratory.optics, laboratory.sensor, exposure, scene.um_per_px)
    return _record(rng, light, laboratory.sensor, exposure)


def absorbance(stain: Stain, patient: Patient, exposure: Exposure, second_lot: bool) -> np.ndarray:
    """Absorbance (absorber, colour) of one slide, float32: most of the spread belongs to the patient's
    slide."""
    dyes = np.array(
        [stain.chromatin, stain.azure, stain.eosin, stain.eosinophil_granule, stain.haemoglobin]
    )
    strength = stain.strength_sd * (0.85 * patient.stain_strength + 0.5 * exposure.strength)
    hue = stain.hue_sd * patient.stain_hue
    hue[-1] = stain.haemoglobin_sd * (0.8 * patient.haemoglobin + 0.4 * patient.stain_hue[-1])
    gain = stain.second_lot_gain if second_lot else 1.0
    return (dyes * np.exp(hue) * (math.exp(strength) * gain)).astype(np.float32)


def _illumination(
    lamp: Illuminant, exposure: Exposure, where: Grid, second_lot: bool
) -> np.ndarray:
    """Grey level of empty glass, (3, H, W): the lamp's colour, leaning to one side and darker towards the
    corners."""
    angle, amount = 2 * math.pi * exposure.gradient[0], lamp.gradient * exposure.gradient[1]
    x, y = where.x * (1 / where.x.max()), where.y * (1 / where.y.max())
    shade = (
        1 + amount * (x * math.cos(angle) + y * math.sin(angle)) - 0.5 * amount * (x * x + y * y)
    )
    rgb = np.array(lamp.second_lot_rgb if second_lot else lamp.rgb)
    rgb = rgb * np.exp(lamp.rgb_sd * (exposure.brightness + 0.4 * exposure.balance))
    return rgb.astype(np.float32)[:, None, None] * shade


def _seams(scene: Scene, optics: Optics, exposure: Exposure) -> np.ndarray:
    """Bright and dark seams of a slightly defocused phase object, (3, H, W) factors.

    Transport of intensity: to first order the change is the Laplacian of the optical thickness (Teague 1983,
    J Opt Soc Am 73:1434), here as a difference of two Gaussian blurs.
    """
    if optics.refraction == 0:
        return np.ones((3, 1, 1), np.float32)
    fine, coarse = 0.22 / scene.um_per_px, math.hypot(0.22, 0.45) / scene.um_per_px

    def transfer(fy, fx):
        return _gauss(fy, fx, fine) - _gauss(fy, fx, coarse)

    edges = _filtered(scene.thickness[None], transfer, coarse)[0]
    strength = optics.refraction * (0.3 + exposure.refraction)
    tint = np.array(optics.refraction_rgb, np.float32)[:, None, None]
    return 1 - clamp(strength * tint * edges, -0.4, 0.5)


def _lens(
    light: np.ndarray, optics: Optics, sensor: Sensor, exposure: Exposure, um: float
) -> np.ndarray:
    """Blur, colour slip and unsharp mask in one pass over the frequencies of each colour."""
    blur = math.hypot(optics.blur_um * math.exp(optics.blur_sd * exposure.focus) / um, PIXEL_SD)
    blurs = [blur * (1 + optics.longitudinal), blur, blur * (1 + 0.8 * optics.longitudinal)]
    halo, angle = sensor.sharpening_um / um, 2 * math.pi * exposure.slip
    down, right = (optics.lateral_um / um * turn for turn in (math.sin(angle), math.cos(angle)))

    def transfer(fy, fx):
        sharpened = 1 + sensor.sharpening * (1 - _gauss(fy, fx, halo))
        slip = np.exp(np.complex64(-2j * np.pi * down) * fy) * np.exp(
            np.complex64(-2j * np.pi * right) * fx
        )
        red, green, blue = (_gauss(fy, fx, each) * sharpened for each in blurs)
        return np.stack([red * slip, green.astype(np.complex64), blue * slip.conj()])

    return _filtered(light, transfer, max(blurs[0], halo))


def _gauss(fy: np.ndarray, fx: np.ndarray, sd_px: float) -> np.ndarray:
    factor = -2 * math.pi**2 * sd_px**2
    return np.exp(fy * fy * factor) * np.exp(fx * fx * factor)


def _filtered(planes: np.ndarray, transfer, reach_px: float) -> np.ndarray:
    """Planes (C, H, W) through a transfer function of (fy, fx), mirrored at the border."""
    height, width = planes.shape[1:]
    margin = min(math.ceil(3 * reach_px) + 2, height, width)
    padded = np.pad(planes, ((0, 0), (margin, margin), (margin, margin)), mode="symmetric")
    size = tuple(fft.next_fast_len(side, real=True) for side in padded.shape[1:])
    spectrum = fft.rfft2(padded, size, axes=(1, 2)) * transfer(*_frequencies(size))
    return fft.irfft2(spectrum, size, axes=(1, 2))[
        :, margin : margin + height, margin : margin + width
    ]


@lru_cache(maxsize=64)
def _frequencies(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    fy = fft.fftfreq(size[0])[:, None].astype(np.float32)
    fx = fft.rfftfreq(size[1])[None].astype(np.float32)
    return fy, fx


def _record(
    rng: np.random.Generator, light: np.ndarray, sensor: Sensor, exposure: Exposure
) -> np.ndarray:
    """Tone curve, shot noise, eight bits and JPEG."""
    frame = light.shape[1:]
    if sensor.chroma_noise > 0:
        light = light * (
            1 + 0.012 * sensor.chroma_noise * _piece(_blotches, exposure.blotches, frame)
        )
    if sensor.contrast != 1:
        light = (light - 200) * sensor.contrast + 200
    if sensor.gamma != 1:
        light = _tone_curve(sensor.gamma).take((clamp(light, 0, 510) * 4).astype(np.int32))
    grain = _piece(_grain, rng.random(2), frame)
    shot = np.sqrt(clamp(light, 5, 255))
    shot *= sensor.noise / math.sqrt(200)
    shot *= grain
    shot += light
    image = np.ascontiguousarray(np.moveaxis(clamp(shot, 0, 255).astype(np.uint8), 0, -1))
    return _jpeg(image, round(sensor.jpeg_quality))


@lru_cache(maxsize=64)
def _tone_curve(gamma: float) -> np.ndarray:
    """Grey level for every quarter of a grey level from 0 to 510: a table, because powers are slow."""
    return (255 * (np.arange(2041) / 1020) ** gamma).astype(np.float32)


def _piece(film, corner: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """A piece (3, H, W) of a cached film of noise, from one of GRAIN_SPARE x GRAIN_SPARE places.

    Drawing fresh noise for every image would take a fifth of its time.
    """
    top, left = (corner * GRAIN_SPARE).astype(int)
    return film(max(GRAIN_SPARE, *frame))[:, top : top + frame[0], left : left + frame[1]]


@cache
def _blotches(largest: int) -> np.ndarray:
    """Coloured blotches of unit variance, 1.7 pixels wide (assumption), as demosaicing leaves them."""
    film = gaussian_filter(_white(2, largest), (0, 1.7, 1.7), mode="wrap")
    return film / film.std()


def _white(seed: int, largest: int) -> np.ndarray:
    side = largest + GRAIN_SPARE
    return np.random.default_rng((20240301, seed)).standard_normal(
        (3, side, side), dtype=np.float32
    )


@cache
def _grain(largest: int) -> np.ndarray:
    """Shot noise of unit variance, shared by neighbours as after demosaicing."""
    white = _white(1, largest)
    return (0.6 * white + 0.7 * np.roll(white, 1, 2)) * np.float32(1 / math.hypot(0.6, 0.7))


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    if quality >= 100:
        return image
    buffer = io.BytesIO()
    Image.fromarray(image).save(
        buffer, "JPEG", quality=quality, subsampling=2 if quality <= 85 else 0
    )
    return np.asarray(Image.open(buffer, formats=("JPEG",)))
