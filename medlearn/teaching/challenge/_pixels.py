"""Outlines by a classifier of pixels: blurred colours, and how far from the middle of the image."""

import numpy as np
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medlearn.adaptation import colour
from medlearn.teaching.challenge._hospitals import Hospital, Truth

_SIGMAS = (0, 1, 3, 7)  # pixels
_PER_CLASS = 80  # pixels of each class that an image gives to learn from
_CLASSES = 3


def candidates(hospital: Hospital) -> dict[str, np.ndarray]:
    """Return the masks of the new hospital by each candidate, "source only" first.

    Parameters
    ----------
    hospital : Hospital
        Of the task "outlines".
    """
    home, away = hospital.source_images, hospital.target_images
    plain = _fit(home, hospital.source_labels)
    own = _fit(_standardised(home), hospital.source_labels)
    return {
        "source only": _predict(plain, away),
        "reinhard": _predict(plain, colour.reinhard(away, home)),
        "histograms": _predict(plain, colour.match_histograms(away, home)),
        "standardise": _predict(own, _standardised(away)),
    }


def oracle(images: np.ndarray, truth: Truth) -> np.ndarray:
    """Return masks of each half of the patients by a classifier that learned on the other half.

    Parameters
    ----------
    images : numpy.ndarray, shape (M, H, W, 3)
        Of the new hospital.
    truth : Truth
        Its masks and patients.
    """
    masks = np.zeros(truth.labels.shape, np.uint8)
    for learn, predict in truth.halves():
        masks[predict] = _predict(_fit(images[learn], truth.labels[learn]), images[predict])
    return masks


def amounts(masks: np.ndarray) -> np.ndarray:
    """Return the share of the pixels of each class, shape (3,).

    Parameters
    ----------
    masks : numpy.ndarray, shape (N, H, W)
        Class indices.
    """
    return np.bincount(masks.ravel(), minlength=_CLASSES) / masks.size


def _fit(images: np.ndarray, masks: np.ndarray):
    random = np.random.default_rng(0)
    vectors, labels = [], []
    for image, mask in zip(images, masks, strict=True):
        rows = _some_of_each(mask.ravel(), random)
        vectors.append(_vectors(image)[rows])
        labels.append(mask.ravel()[rows])
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    return probe.fit(np.concatenate(vectors), np.concatenate(labels))


def _predict(probe, images: np.ndarray) -> np.ndarray:
    masks = [probe.predict(_vectors(image)).reshape(image.shape[:2]) for image in images]
    return np.array(masks, np.uint8)


def _some_of_each(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    rows = []
    for label in range(_CLASSES):
        members = np.flatnonzero(labels == label)
        rows.append(random.choice(members, min(_PER_CLASS, len(members)), replace=False))
    return np.concatenate(rows)


def _vectors(image: np.ndarray) -> np.ndarray:
    """Features (H * W, D) of an image's pixels: blurred colours, distance, and their squares."""
    image = np.asarray(image, np.float32) / 255
    blurred = [ndimage.gaussian_filter(image, (sigma, sigma, 0)) for sigma in _SIGMAS]
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5)[..., None]
    columns = np.concatenate([*blurred, distance], -1)
    columns = np.concatenate([columns, columns**2], -1)
    return columns.reshape(height * width, -1)


def _standardised(images: np.ndarray) -> np.ndarray:
    """Images whose colours have the mean 128 and the spread 50, over the whole hospital."""
    values = images.astype(np.float32)
    mean, spread = values.mean((0, 1, 2)), values.std((0, 1, 2)) + 1e-6
    return 128 + 50 * (values - mean) / spread
