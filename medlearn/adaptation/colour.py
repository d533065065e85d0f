"""Images of one laboratory in the colours of another: uint8 (N, H, W, 3) in and out, no labels, no training.

Each takes `images` and a `reference`, one image or many of the laboratory that they should look like. Normalise the
target's images to the source, on which the classifier was trained, or train on source images in the target's colours.
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from skimage import color, exposure

from medlearn.adaptation import _inputs

_CHUNK = 64


def reinhard(images: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Mean and standard deviation of each image's L, a and b become those of the reference (of many: their average).

    Raises ValueError for anything but uint8 RGB images. Source: Reinhard et al. 2001, doi:10.1109/38.946629, in CIELAB
    instead of l-alpha-beta.
    """
    images, reference = _inputs.image_pair(images, reference)
    mean, deviation = (np.mean(part, axis=0) for part in _lab_moments(reference))
    return np.concatenate(
        [
            _reinhard(images[start : start + _CHUNK], mean, deviation)
            for start in range(0, len(images), _CHUNK)
        ]
    )


def match_histograms(
    images: ArrayLike, reference: ArrayLike, *, references: int = 8, seed: int = 0
) -> np.ndarray:
    """Each channel of each image gets the histogram of the reference; of many, that of `references` drawn from `seed`.

    It carries over how much of each tissue there is, not only its colour. Raises ValueError as `reinhard`.
    Source: `skimage.exposure.match_histograms`.
    """
    images, reference = _inputs.image_pair(images, reference)
    drawn = np.random.default_rng(seed).permutation(len(reference))[:references]
    poster = np.concatenate(reference[np.sort(drawn)])
    matched = [exposure.match_histograms(image, poster, channel_axis=-1) for image in images]
    return _to_uint8(np.stack(matched))


def fourier(
    images: ArrayLike, reference: ArrayLike, band: float = 0.02, *, seed: int = 0
) -> np.ndarray:
    """The lowest frequencies get the amplitudes of a reference image drawn for each from `seed`; phases stay.

    band: half the side of the square of frequencies that is exchanged, as a share of the image's side, 0 to 0.5; at 0
    only the mean colour. Raises ValueError as `reinhard`, for another band, and for images of another size.
    Source: Yang & Soatto 2020 (arXiv:2004.05498), eq. 2 and 3.
    """
    images, reference = _inputs.image_pair(images, reference)
    if not 0 <= band <= 0.5:
        raise ValueError(f"band={band!r} is a share of the image's side from 0 to 0.5; try 0.02.")
    if images.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"Images {images.shape[1:]} and reference {reference.shape[1:]} differ in size; load both with one size."
        )
    drawn = np.random.default_rng(seed).integers(len(reference), size=len(images))
    low = _low_frequencies(images.shape[1:3], band)
    exchanged = []
    for image, other in zip(images, reference[drawn]):
        spectrum, amplitude = (
            np.fft.fft2(image, axes=(0, 1)),
            np.abs(np.fft.fft2(other, axes=(0, 1))),
        )
        mixed = np.where(low, amplitude, np.abs(spectrum)) * np.exp(1j * np.angle(spectrum))
        exchanged.append(_to_uint8(np.fft.ifft2(mixed, axes=(0, 1)).real))
    return np.stack(exchanged)


def macenko(
    images: ArrayLike, reference: ArrayLike, *, background: float = 0.15, percentile: float = 1.0
) -> np.ndarray:
    """Two stains are found in each image, and their vectors and strengths are replaced by those of the reference.

    Optical densities are those against white, 255. background: pixels whose density is below it in any channel hold no
    stain. percentile: how robust the extreme angles are, in percent. Meant for haematoxylin and eosin; a blood film has
    more than two colouring matters. An image without enough stain comes back as it is. Raises ValueError as `reinhard`,
    and for a reference without stain. Source: Macenko et al. 2009, doi:10.1109/ISBI.2009.5193250, sec. 2.
    """
    images, reference = _inputs.image_pair(images, reference)
    wanted = _stains(_density(reference).reshape(-1, 3), background, percentile)
    if wanted is None:
        raise ValueError(
            "The reference holds no stained pixels: choose another picture, or lower `background`."
        )
    return np.stack([_restained(image, wanted, background, percentile) for image in images])


def _lab_moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lab = [_lab(image) for image in images]
    return np.array([each.mean((0, 1), float) for each in lab]), np.array(
        [each.std((0, 1), float) for each in lab]
    )


def _lab(images: np.ndarray) -> np.ndarray:
    """CIELAB in float32: three times as fast as float64, and right to a ten-thousandth of a unit."""
    return color.rgb2lab(images.astype(np.float32) / 255)


def _reinhard(images: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    lab = _lab(images)
    own, spread = (
        part.astype(np.float32)
        for part in (lab.mean((1, 2), float, keepdims=True), lab.std((1, 2), float, keepdims=True))
    )
    lab = (lab - own) * (
        deviation.astype(np.float32) / np.maximum(spread, np.float32(1e-4))
    ) + mean.astype(np.float32)
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    with (
        warnings.catch_warnings()
    ):  # colours that no screen shows are clipped, and scikit-image says so
        warnings.simplefilter("ignore", UserWarning)
        return _to_uint8(255 * color.lab2rgb(lab))


def _low_frequencies(shape: tuple[int, int], band: float) -> np.ndarray:
    """True (H, W, 1) where both frequencies, in cycles a side, are at most band times the side."""
    rows, columns = (np.abs(np.fft.fftfreq(side)) <= band for side in shape)
    return (rows[:, None] & columns[None])[..., None]


def _density(images: np.ndarray) -> np.ndarray:
    return -np.log((images.astype(float) + 1) / 256)


def _stains(
    density: np.ndarray, background: float, percentile: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Two unit stain vectors (2, 3), the bluer first, and the 99th percentile of their strengths (2,); None if there is no stain."""
    stained = density[(density >= background).all(1)]
    if len(stained) < 30:
        return None
    plane = np.linalg.eigh(np.cov(stained, rowvar=False))[1][
        :, :0:-1
    ]  # the two axes of largest variance
    plane = plane * np.where(plane.sum(0) < 0, -1, 1)
    along, across = (stained @ plane).T
    angles = np.arctan2(across, along)
    low, high = np.percentile(angles, [percentile, 100 - percentile])
    vectors = np.array([plane @ [np.cos(angle), np.sin(angle)] for angle in (low, high)])
    vectors = vectors[
        np.argsort(-vectors[:, 0])
    ]  # haematoxylin takes more red light away than eosin does
    if np.linalg.matrix_rank(vectors, tol=1e-3) < 2:
        return None
    strengths = np.percentile(_amounts(density, vectors), 99, axis=0)
    return vectors, np.maximum(strengths, 1e-6)


def _amounts(density: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(vectors.T, density.T, rcond=None)[0].T


def _restained(
    image: np.ndarray, wanted: tuple, background: float, percentile: float
) -> np.ndarray:
    density = _density(image).reshape(-1, 3)
    found = _stains(density, background, percentile)
    if found is None:
        return image
    amounts = _amounts(density, found[0]) * wanted[1] / found[1]
    return _to_uint8(256 * np.exp(-amounts @ wanted[0]) - 1).reshape(image.shape)


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
