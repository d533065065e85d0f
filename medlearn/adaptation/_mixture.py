"""A mixture of normal distributions, one per class, fitted by expectation maximisation.

Where in the image each class is expected is fixed; means and standard deviations are estimated.
All arrays are float32: grey levels (M, H, W, 1), responsibilities (M, H, W, classes).
"""

import numpy as np
from scipy import ndimage

_FIRST_DEVIATION = 40  # grey levels: the first means are rough, so the distributions start wide
_SMALLEST_DEVIATION = 3


def location_prior(masks: np.ndarray, smooth: float) -> np.ndarray:
    """Return how likely each class is at each pixel, (H, W, classes): the mean masks, blurred.

    Parameters
    ----------
    masks : numpy.ndarray, shape (N, H, W)
        A class index per pixel.
    smooth : float
        Standard deviation of the blur, in pixels.
    """
    classes = range(int(masks.max()) + 1)
    mean_masks = [(masks == class_index).mean(0) for class_index in classes]
    blurred = [ndimage.gaussian_filter(mean_mask, smooth) for mean_mask in mean_masks]
    prior = (np.stack(blurred, axis=-1) + 1e-6).astype(np.float32)
    return prior / prior.sum(-1, keepdims=True)


def fit(grey: np.ndarray, prior: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and the standard deviations of all classes, two arrays (classes,).

    Parameters
    ----------
    grey : numpy.ndarray, shape (M, H, W, 1)
        Grey levels.
    prior : numpy.ndarray, shape (H, W, classes)
        Of `location_prior`.
    iterations : int
        At least 1.
    """
    classes = prior.shape[-1]
    responsibilities = np.broadcast_to(prior, (*grey.shape[:3], classes))
    deviations = np.full(classes, _FIRST_DEVIATION, np.float32)
    for iteration in range(iterations):
        means = _maximise_means(grey, responsibilities)
        if iteration > 0:
            deviations = _maximise_deviations(grey, responsibilities, means)
        responsibilities = _expect(grey, prior, means, deviations)
    return means, deviations


def _expect(
    grey: np.ndarray, prior: np.ndarray, means: np.ndarray, deviations: np.ndarray
) -> np.ndarray:
    """Responsibilities: how likely each pixel is to be of each class."""
    joint = prior * np.exp(-0.5 * ((grey - means) / deviations) ** 2) / deviations
    return joint / (joint.sum(-1, keepdims=True) + 1e-20)


def _maximise_means(grey: np.ndarray, responsibilities: np.ndarray) -> np.ndarray:
    total = responsibilities.sum((0, 1, 2))
    return (responsibilities * grey).sum((0, 1, 2)) / total


def _maximise_deviations(
    grey: np.ndarray, responsibilities: np.ndarray, means: np.ndarray
) -> np.ndarray:
    total = responsibilities.sum((0, 1, 2))
    variances = (responsibilities * (grey - means) ** 2).sum((0, 1, 2)) / total
    return np.maximum(np.sqrt(variances), _SMALLEST_DEVIATION)
