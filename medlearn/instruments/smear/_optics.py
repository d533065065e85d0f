"""From dyes to pixels: absorption, illumination, focus, camera and file.

Light follows the Beer-Lambert law, I = I0 exp(-sum of concentration x absorbance) (Ruifrok &
Johnston 2001). Lens, defocus, colour slip and the camera's sharpening are one linear filter per
colour in the Fourier domain.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

from medlearn import _images
from medlearn.instruments.smear._geometry import Grid, clamp, frame_grid
from medlearn.instruments.smear._laboratories import Illuminant, Laboratory, Optics, Sensor, Stain
from medlearn.instruments.smear._patients import Patient
from medlearn.instruments.smear._scene import Scene

PIXEL_SD = 12**-0.5  # standard deviation of a square pixel, in pixels
GRAIN_SPARE = 400  # a piece of noise starts at one of 400 x 400 corners
SEAM_UM = (0.22, 0.45)  # widths of the two blurs whose difference makes the seams (assumption)


@dataclass(frozen=True)
class Exposure:
    """What differs from shot to shot, drawn before the laboratory is known.

    Standard scores, or numbers from 0 to 1.
    """

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
    """Return the shot of this generator, and leave the generator ready for the pixel noise."""
    zoom, strength, brightness, *balance = np.clip(rng.standard_normal(6), -2.5, 2.5).tolist()
    focus = float(np.clip(rng.standard_normal(), -2.0, 2.0))
    direction, amount = rng.random(2).tolist()
    return Exposure(
        zoom=zoom,
        strength=strength,
        brightness=brightness,
        balance=np.array(balance),
        gradient=(direction, amount),
        focus=focus,
        slip=rng.random(),
        refraction=rng.random(),
        blotches=rng.random(2),
    )


def photograph(
    rng: np.random.Generator,
    scene: Scene,
    exposure: Exposure,
    laboratory: Laboratory,
    patient: Patient,
) -> np.ndarray:
    """Return the image of a scene.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the pixel noise.
    scene : Scene
        The film.
    exposure : Exposure
        Of this shot.
    laboratory : Laboratory
        Stain, lamp, lens and camera.
    patient : Patient
        Whose slide it is.

    Returns
    -------
    numpy.ndarray of uint8, shape (H, W, 3)
        RGB.
    """
    second_lot = patient.lot < laboratory.illuminant.second_lot_share
    dyes = _absorbance(laboratory.stain, patient, exposure, second_lot)
    density = dyes.T @ scene.dyes.reshape(len(dyes), -1)
    np.negative(density, out=density)
    light = np.exp(density, out=density).reshape(3, *scene.frame)
    grid = frame_grid(scene.frame, scene.um_per_px)
    light *= _illumination(laboratory.illuminant, exposure, grid, second_lot)
    light *= _seams(scene, laboratory.optics, exposure)
    light = _lens(light, laboratory.optics, laboratory.sensor, exposure, scene.um_per_px)
    return _record(rng, light, laboratory.sensor, exposure)


def _absorbance(stain: Stain, patient: Patient, exposure: Exposure, second_lot: bool) -> np.ndarray:
    """Absorbance (absorber, colour) of one slide, float32; its spread is mostly the patient's."""
    dyes = np.array(
        [stain.chromatin, stain.azure, stain.eosin, stain.eosinophil_granule, stain.haemoglobin]
    )
    strength = stain.strength_sd * (0.85 * patient.stain_strength + 0.5 * exposure.strength)
    hue = stain.hue_sd * patient.stain_hue
    hue[-1] = stain.haemoglobin_sd * (0.8 * patient.haemoglobin + 0.4 * patient.stain_hue[-1])
    gain = stain.second_lot_gain if second_lot else 1.0
    return (dyes * np.exp(hue) * (math.exp(strength) * gain)).astype(np.float32)


def _illumination(lamp: Illuminant, exposure: Exposure, grid: Grid, second_lot: bool) -> np.ndarray:
    """Grey level of empty glass, (3, H, W).

    The lamp's colour, leaning to one side and darker towards the corners.
    """
    angle, amount = 2 * math.pi * exposure.gradient[0], lamp.gradient * exposure.gradient[1]
    x, y = grid.x * (1 / grid.x.max()), grid.y * (1 / grid.y.max())
    lean = amount * (x * math.cos(angle) + y * math.sin(angle))
    shade = 1 + lean - 0.5 * amount * (x * x + y * y)
    rgb = np.array(lamp.second_lot_rgb if second_lot else lamp.rgb)
    rgb = rgb * np.exp(lamp.rgb_sd * (exposure.brightness + 0.4 * exposure.balance))
    return rgb.astype(np.float32)[:, None, None] * shade


def _seams(scene: Scene, optics: Optics, exposure: Exposure) -> np.ndarray:
    """Bright and dark seams of a slightly defocused phase object, (3, H, W) factors.

    Transport of intensity: to first order the change is the Laplacian of the optical thickness
    (Teague 1983, J Opt Soc Am 73:1434), here as a difference of two Gaussian blurs.
    """
    if optics.refraction == 0:
        return np.ones((3, 1, 1), np.float32)
    fine, coarse = SEAM_UM[0] / scene.um_per_px, math.hypot(*SEAM_UM) / scene.um_per_px
    padding = _padding(scene.frame, coarse)
    difference = _gauss(padding.size, fine) - _gauss(padding.size, coarse)
    edges = _filtered(scene.thickness[None], difference, padding)[0]
    strength = optics.refraction * (0.3 + exposure.refraction)
    tint = np.array(optics.refraction_rgb, np.float32)[:, None, None]
    return 1 - clamp(strength * tint * edges, -0.4, 0.5)


def _lens(
    light: np.ndarray, optics: Optics, sensor: Sensor, exposure: Exposure, um_per_px: float
) -> np.ndarray:
    """Blur, colour slip and unsharp mask in one pass over the frequencies of each colour."""
    focus = optics.blur_um * math.exp(optics.blur_sd * exposure.focus)
    blur = math.hypot(focus / um_per_px, PIXEL_SD)
    red_blur = blur * (1 + optics.longitudinal)
    blue_blur = blur * (1 + 0.8 * optics.longitudinal)
    halo = sensor.sharpening_um / um_per_px
    padding = _padding(light.shape[1:], max(red_blur, halo))
    sharpened = 1 + sensor.sharpening * (1 - _gauss(padding.size, halo))
    slip = _shift(padding.size, optics.lateral_um / um_per_px, 2 * math.pi * exposure.slip)
    red = _gauss(padding.size, red_blur) * sharpened * slip
    green = (_gauss(padding.size, blur) * sharpened).astype(np.complex64)
    blue = _gauss(padding.size, blue_blur) * sharpened * slip.conj()
    return _filtered(light, np.stack([red, green, blue]), padding)


# ---- filters in the Fourier domain ----


class _Padding(NamedTuple):
    """How a plane is mirrored at its border, and the size of its transform."""

    margin: int
    size: tuple[int, int]


def _padding(frame: tuple[int, ...], reach_px: float) -> _Padding:
    height, width = frame
    margin = min(math.ceil(3 * reach_px) + 2, height, width)
    sides = (height + 2 * margin, width + 2 * margin)
    rows, columns = (fft.next_fast_len(side, real=True) for side in sides)
    return _Padding(margin, (rows, columns))


def _gauss(size: tuple[int, int], sd_px: float) -> np.ndarray:
    """Transfer function of a Gaussian blur."""
    fy, fx = _frequencies(size)
    factor = -2 * math.pi**2 * sd_px**2
    return np.exp(fy * fy * factor) * np.exp(fx * fx * factor)


def _shift(size: tuple[int, int], length_px: float, angle: float) -> np.ndarray:
    """Transfer function of a shift: complex64."""
    fy, fx = _frequencies(size)
    down, right = length_px * math.sin(angle), length_px * math.cos(angle)
    along_y = np.exp(np.complex64(-2j * np.pi * down) * fy)
    along_x = np.exp(np.complex64(-2j * np.pi * right) * fx)
    return along_y * along_x


@lru_cache(maxsize=64)
def _frequencies(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    fy = fft.fftfreq(size[0])[:, None].astype(np.float32)
    fx = fft.rfftfreq(size[1])[None].astype(np.float32)
    return fy, fx


def _filtered(planes: np.ndarray, transfer: np.ndarray, padding: _Padding) -> np.ndarray:
    """Planes (C, H, W) through transfer functions, mirrored at the border."""
    height, width = planes.shape[1:]
    margin, size = padding
    spectrum = fft.rfft2(_mirrored(planes, margin, size), axes=(1, 2), overwrite_x=True)
    spectrum *= transfer
    filtered = fft.irfft2(spectrum, size, axes=(1, 2), overwrite_x=True)
    return filtered[:, margin : margin + height, margin : margin + width]


def _mirrored(planes: np.ndarray, margin: int, size: tuple[int, int]) -> np.ndarray:
    """Planes (C, H, W) mirrored around their border, then zeros: numpy.pad is slower."""
    height, width = planes.shape[1:]
    bottom, right = margin + height, margin + width
    padded = np.zeros((len(planes), *size), planes.dtype)
    padded[:, margin:bottom, margin:right] = planes
    padded[:, :margin, margin:right] = planes[:, :margin][:, ::-1]
    padded[:, bottom : bottom + margin, margin:right] = planes[:, height - margin :][:, ::-1]
    rows = padded[:, : bottom + margin]
    rows[..., :margin] = rows[..., margin : 2 * margin][..., ::-1]
    rows[..., right : right + margin] = rows[..., right - margin : right][..., ::-1]
    return padded


# ---- the camera ----


def _record(
    rng: np.random.Generator, light: np.ndarray, sensor: Sensor, exposure: Exposure
) -> np.ndarray:
    """Tone curve, shot noise, eight bits and JPEG."""
    frame = light.shape[1:]
    if sensor.chroma_noise > 0:
        blotches = _piece(_blotches, exposure.blotches, frame)
        light = light * (1 + 0.012 * sensor.chroma_noise * blotches)
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
    quality = round(sensor.jpeg_quality)
    if quality >= 100:
        return image
    return _images.through_jpeg(image, quality, halve_colours=quality <= 85)


@lru_cache(maxsize=64)
def _tone_curve(gamma: float) -> np.ndarray:
    """Output for every quarter of a grey level from 0 to 510: a table, because powers are slow."""
    return (255 * (np.arange(2041) / 1020) ** gamma).astype(np.float32)


def _piece(
    film: Callable[[int], np.ndarray], corner: np.ndarray, frame: tuple[int, ...]
) -> np.ndarray:
    """A piece (3, H, W) of a cached film of noise, from one of GRAIN_SPARE x GRAIN_SPARE corners.

    Drawing fresh noise for every image would take a fifth of its time.
    """
    top, left = (corner * GRAIN_SPARE).astype(int)
    return film(max(GRAIN_SPARE, *frame))[:, top : top + frame[0], left : left + frame[1]]


@cache
def _blotches(largest: int) -> np.ndarray:
    """Coloured blotches of unit variance, 1.7 pixels wide (assumption), as demosaicing leaves."""
    film = gaussian_filter(_white(2, largest), (0, 1.7, 1.7), mode="wrap")
    return film / film.std()


@cache
def _grain(largest: int) -> np.ndarray:
    """Shot noise of unit variance, shared by neighbours as after demosaicing (assumption)."""
    white = _white(1, largest)
    return (0.6 * white + 0.7 * np.roll(white, 1, 2)) * np.float32(1 / math.hypot(0.6, 0.7))


def _white(seed: int, largest: int) -> np.ndarray:
    """White noise (3, side, side) with room for every corner."""
    side = largest + GRAIN_SPARE
    rng = np.random.default_rng((20240301, seed))
    return rng.standard_normal((3, side, side), dtype=np.float32)
