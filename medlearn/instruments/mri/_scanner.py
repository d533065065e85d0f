"""The scanner: from a prepared slice to the image of a site.

Signal equations per tissue, partial volume as the weighted sum of signals, a smooth receive field,
acquisition of a limited k-space, complex Gaussian noise there, magnitude (hence Rician noise:
Gudbjartsson & Patz 1995, MRM 34:910), and the grey window that a console would set.
"""

import zlib
from functools import lru_cache

import numpy as np
from scipy import fft

from medlearn.instruments.mri import _anatomy
from medlearn.instruments.mri._anatomy import Plane
from medlearn.instruments.mri._site import Site, find_site
from medlearn.instruments.mri._slices import Prepared
from medlearn.instruments.mri.physics import TISSUES, signals

GAINS = (1.0, 1.2)  # how far above it white lies (assumption)
FIELD_CELLS = 2  # B-spline cells of the receive field: as smooth as a head coil's (assumption)
_HANN_POWER = 0.35  # of the mild low-pass against ringing (assumption)


def scan(prepared: Prepared, site: Site | str) -> np.ndarray:
    """Return the image of a prepared slice at a site.

    Noise and receive field depend on the subject, the level and the site's name only: turning one
    dial of a site and keeping its name changes nothing but what that dial does.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    site : Site or str
        A site, or the name of one of `SITES`.

    Returns
    -------
    numpy.ndarray of uint8, shape (H, W, 3)
        Grey, the same in all three channels.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> mri.scan(mri.prepare("tumour", size=64), "3T-FLAIR").shape
    (64, 64, 3)
    """
    site = find_site(site)
    subject, plane, size = prepared.subject, prepared.plane, prepared.plane.size
    level, site_key = int(prepared.level * 1000) % 2**31, zlib.crc32(site.name.encode())
    rng = np.random.default_rng([subject.seed, subject.number, level, site_key])
    tissue_signals = signals(site, subject.head.biology)
    fractions = prepared.fractions(float(site.thickness_mm))
    received = (tissue_signals @ fractions) * prepared.grain
    image = np.zeros(size * size, np.float32)
    image[plane.pixels] = received * _receive_field(rng, plane, site.bias)
    noise = site.noise * abs(tissue_signals[TISSUES.index("white matter")])
    image = np.abs(acquire(image.reshape(size, size), int(site.matrix), noise, rng))
    brain = plane.pixels[fractions[:3].sum(axis=0) > 0.7]
    scaled = windowed(image, brain, rng.uniform(*GAINS))
    grey = (scaled * 255 + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _receive_field(rng: np.random.Generator, plane: Plane, spread: float) -> np.ndarray:
    """The coil's sensitivity at the head's pixels, 1 - spread/2 to 1 + spread/2: float32 (N,)."""
    shape = (1, FIELD_CELLS + 3, FIELD_CELLS + 3)
    coefficients = rng.standard_normal(shape).astype(np.float32)
    smooth = _anatomy.smooth_fields(coefficients, plane.size).reshape(-1)[plane.pixels]
    low, high = smooth.min(), smooth.max()
    return 1 + np.float32(spread) * ((smooth - low) / (high - low) - np.float32(0.5))


@lru_cache(maxsize=32)
def _low_pass(lines: int) -> np.ndarray:
    """Weights of the acquired k-space against ringing: float32 (lines, lines)."""
    edge = np.hanning(lines + 2)[1:-1] ** _HANN_POWER
    return np.outer(edge, edge).astype(np.float32)


def acquire(image: np.ndarray, matrix: int, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Return the image of the middle `matrix` x `matrix` of k-space, with noise added there.

    Parameters
    ----------
    image : numpy.ndarray, shape (size, size)
        The signal that arrives.
    matrix : int
        Number of k-space lines.
    noise : float
        Deviation of the complex noise in the image.
    rng : numpy.random.Generator
        Of the noise.

    Returns
    -------
    numpy.ndarray of complex64, shape (size, size)
    """
    size = len(image)
    lines = min(matrix, size)
    # The FFT keeps negative frequencies last; as negative indices they are found there.
    frequencies = np.arange(-(lines // 2), lines - lines // 2)
    weights = _low_pass(lines)
    deviation = noise * size**2 / np.sqrt((weights**2).sum())
    random = rng.standard_normal((2, lines, lines), np.float32) * np.float32(deviation)
    acquired = np.ix_(frequencies, frequencies)
    k_space = np.zeros((size, size), np.complex64)
    k_space[acquired] = (fft.fft2(image)[acquired] + (random[0] + 1j * random[1])) * weights
    return fft.ifft2(k_space)


def windowed(image: np.ndarray, brain: np.ndarray, gain: float) -> np.ndarray:
    """Return an image or a volume from 0 to 1, white a little above the brain's 98th percentile.

    Parameters
    ----------
    image : numpy.ndarray
        Magnitudes, float32.
    brain : numpy.ndarray of int, shape (N,)
        Flat indices of the brain; if there are none, the maximum is white.
    gain : float
        What the percentile is multiplied with.
    """
    values = image.reshape(-1)[brain]
    white = image.max()
    if len(values):
        rank = int(0.98 * len(values))
        white = np.partition(values, rank)[rank]
    return np.clip(image / (white * np.float32(gain) + 1e-12), 0, 1)
