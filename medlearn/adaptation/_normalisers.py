"""The four colour normalisers that `colour` offers, as classes with `fit` and `transform`."""

import warnings
from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from skimage import color, exposure

from medlearn import _checks, _images
from medlearn.adaptation import _domains, _stains

_CHUNK = 64  # images that are converted at once, to bound the memory


class _Normaliser(ABC):
    """What all normalisers share; each of them has `_fit` and `_transform` of its own."""

    _fitted = False

    def fit(self, reference: ArrayLike) -> Self:
        """Learn the colours of a reference.

        Parameters
        ----------
        reference : array_like, shape (H, W, 3) or (M, H, W, 3)
            One image or many images, 0 to 255.

        Raises
        ------
        ValueError
            For anything but colour images from 0 to 255.
        """
        self._fit(_domains.reference_images(reference))
        self._fitted = True
        return self

    def transform(self, images: ArrayLike) -> np.ndarray:
        """Return images in the colours of the reference.

        Parameters
        ----------
        images : array_like, shape (N, H, W, 3)
            uint8 or float, 0 to 255. They stay as they are.

        Returns
        -------
        numpy.ndarray, shape (N, H, W, 3)
            uint8.

        Raises
        ------
        ValueError
            For anything but colour images from 0 to 255, and before `fit`.
        """
        if not self._fitted:
            raise ValueError(f"{type(self).__name__} was not fitted: call fit(reference) first.")
        return self._transform(_checks.images(images))

    @abstractmethod
    def _fit(self, reference: np.ndarray) -> None:
        """Learn from checked reference images."""

    @abstractmethod
    def _transform(self, images: np.ndarray) -> np.ndarray:
        """Return checked images in the colours of the reference."""


class Reinhard(_Normaliser):
    """Give each image the mean and standard deviation of the reference, in L, a and b.

    The moments of several reference images are averaged.

    References
    ----------
    Reinhard et al. 2001, doi:10.1109/38.946629, eq. 10 and 11, in CIELAB instead of l-alpha-beta.
    """

    def _fit(self, reference: np.ndarray) -> None:
        lab_images = [_to_lab(image) for image in reference]
        means = [lab.mean((0, 1), float) for lab in lab_images]
        deviations = [lab.std((0, 1), float) for lab in lab_images]
        self._mean = np.mean(means, axis=0).astype(np.float32)
        self._deviation = np.mean(deviations, axis=0).astype(np.float32)

    def _transform(self, images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _CHUNK)
        chunks = [self._transform_chunk(images[start : start + _CHUNK]) for start in starts]
        return np.concatenate(chunks)

    def _transform_chunk(self, images: np.ndarray) -> np.ndarray:
        lab = _to_lab(images)
        mean = lab.mean((1, 2), float, keepdims=True).astype(np.float32)
        deviation = lab.std((1, 2), float, keepdims=True).astype(np.float32)
        gain = self._deviation / np.maximum(deviation, np.float32(1e-4))
        lab = (lab - mean) * gain + self._mean
        lab[..., 0] = np.clip(lab[..., 0], 0, 100)
        return _images.to_uint8(255 * _to_rgb(lab))


class HistogramMatching(_Normaliser):
    """Give each channel of each image the histogram of the reference.

    This transfers how much of each tissue there is, not only its colour.

    Parameters
    ----------
    references : int
        How many of the reference images are drawn; their histogram is that of all their pixels.
    seed : int
        Draws the reference images.

    References
    ----------
    `skimage.exposure.match_histograms`.
    """

    def __init__(self, references: int = 8, *, seed: int = 0):
        self.references, self.seed = references, seed

    def _fit(self, reference: np.ndarray) -> None:
        order = np.random.default_rng(self.seed).permutation(len(reference))
        indices = np.sort(order[: self.references])
        self._pixels = np.concatenate(reference[indices])

    def _transform(self, images: np.ndarray) -> np.ndarray:
        matched = [
            exposure.match_histograms(image, self._pixels, channel_axis=-1) for image in images
        ]
        return _images.to_uint8(np.stack(matched))


class FourierAmplitude(_Normaliser):
    """Give the lowest frequencies of each image the amplitudes of a reference image; keep phases.

    Parameters
    ----------
    band : float
        Half the side of the square of frequencies that is exchanged, as a share of the image's
        side, 0 to 0.5. With 0 only the mean colour is exchanged.
    seed : int
        Draws a reference image for each image, anew at each `transform`.

    References
    ----------
    Yang & Soatto 2020 (arXiv:2004.05498), eq. 2 and 3.
    """

    def __init__(self, band: float = 0.02, *, seed: int = 0):
        if not 0 <= band <= 0.5:
            raise ValueError(
                f"band={band!r} is a share of the image's side from 0 to 0.5; try 0.02."
            )
        self.band, self.seed = band, seed

    def _fit(self, reference: np.ndarray) -> None:
        self._reference = reference

    def _transform(self, images: np.ndarray) -> np.ndarray:
        reference = self._reference
        if images.shape[1:] != reference.shape[1:]:
            raise ValueError(
                f"Images {images.shape[1:]} and reference {reference.shape[1:]} differ in size; "
                "load both with one size."
            )
        random = np.random.default_rng(self.seed)
        indices = random.integers(len(reference), size=len(images))
        low = _low_frequencies(images.shape[1:3], self.band)
        pairs = zip(images, reference[indices], strict=True)
        return np.stack([_exchanged(image, donor, low) for image, donor in pairs])


class Macenko(_Normaliser):
    """Separate two stains in each image and replace their colours and strengths by the reference's.

    Optical densities are relative to white, 255. The method is meant for haematoxylin and eosin; a
    blood film has more than two dyes. An image without enough stain is returned as it is.

    Parameters
    ----------
    background : float
        Pixels whose optical density is below it in any channel hold no stain.
    percentile : float
        The extreme angles are these percentiles from both ends, 0 to 50 percent; larger values are
        more robust.

    References
    ----------
    Macenko et al. 2009, doi:10.1109/ISBI.2009.5193250, sec. 2.
    """

    def __init__(self, *, background: float = 0.15, percentile: float = 1.0):
        self.background, self.percentile = background, percentile

    def _fit(self, reference: np.ndarray) -> None:
        density = _stains.density(reference).reshape(-1, 3)
        stains = _stains.estimate(density, self.background, self.percentile)
        if stains is None:
            raise ValueError(
                "The reference holds no stained pixels: choose another, or lower `background`."
            )
        self._reference = stains

    def _transform(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self._transform_image(image) for image in images])

    def _transform_image(self, image: np.ndarray) -> np.ndarray:
        density = _stains.density(image).reshape(-1, 3)
        stains = _stains.estimate(density, self.background, self.percentile)
        if stains is None:
            return _images.to_uint8(image)
        amounts = _stains.amounts(density, stains.vectors)
        amounts = amounts * self._reference.strengths / stains.strengths
        values = _stains.intensity(amounts @ self._reference.vectors)
        return _images.to_uint8(values).reshape(image.shape)


def _to_lab(images: np.ndarray) -> np.ndarray:
    """CIELAB in float32: three times as fast as float64, and right to 1e-4 of a unit."""
    return color.rgb2lab(images.astype(np.float32) / 255)


def _to_rgb(lab: np.ndarray) -> np.ndarray:
    """RGB from 0 to 1; colours outside that range are clipped, without scikit-image's warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return color.lab2rgb(lab)


def _low_frequencies(shape: tuple[int, int], band: float) -> np.ndarray:
    """True (H, W, 1) where both frequencies, in cycles per side, are at most `band` of the side."""
    rows = np.abs(np.fft.fftfreq(shape[0])) <= band
    columns = np.abs(np.fft.fftfreq(shape[1])) <= band
    return (rows[:, None] & columns[None])[..., None]


def _exchanged(image: np.ndarray, donor: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The image with the low-frequency amplitudes of the donor, uint8."""
    spectrum = np.fft.fft2(image, axes=(0, 1))
    donor_amplitude = np.abs(np.fft.fft2(donor, axes=(0, 1)))
    amplitude = np.where(low, donor_amplitude, np.abs(spectrum))
    mixed = amplitude * np.exp(1j * np.angle(spectrum))
    return _images.to_uint8(np.fft.ifft2(mixed, axes=(0, 1)).real)
