"""What the training images look like, and whether a new image resembles them."""

from dataclasses import dataclass

import numpy as np

_PERCENTILES = (1, 99)
_MARGIN = 0.5  # of the distance between the percentiles, on either side
_LEAST_MARGIN = 12.0  # grey levels: a set of very similar images must not refuse its neighbours
_SMALLEST = 0.5  # of the side that the model sees: smaller images are mostly invented pixels

MEASURES = {  # and the words for less and more
    "brightness": ("darker", "brighter"),
    "contrast": ("of lower contrast", "of higher contrast"),
    "colour": ("less colourful", "more colourful"),
}


@dataclass(frozen=True)
class ImageRange:
    """Ranges of brightness, contrast and colour of the training images, in grey levels."""

    limits: dict[str, tuple[float, float]]
    size: tuple[int, int]

    @classmethod
    def of(cls, images: np.ndarray, size: tuple[int, int]) -> "ImageRange":
        """Measure training images.

        Parameters
        ----------
        images : ndarray, shape (N, H, W, 3)
            Values from 0 to 255.
        size : (int, int)
            Height and width that the model takes.
        """
        limits = {}
        for name, values in _measures(images).items():
            low, high = np.percentile(values, _PERCENTILES)
            margin = max(_MARGIN * (high - low), _LEAST_MARGIN)
            limits[name] = (round(float(low - margin), 2), round(float(high + margin), 2))
        return cls(limits, size)

    def problems(self, images: np.ndarray, native: tuple[int, int], fit: str = "crop") -> list[str]:
        """Return one sentence per image, or "" where it resembles the training images.

        Parameters
        ----------
        images : ndarray, shape (N, H, W, 3)
            Images in the size that the model sees.
        native : tuple of int
            Height and width of the images before they were brought to that size.
        fit : {"crop", "letterbox"}
            How they were made square: by the shorter side, or by the longer one.
        """
        side = max(native) if fit == "letterbox" else min(native)
        if side < _SMALLEST * min(self.size):
            sentence = (
                f"the image has {native[0]} x {native[1]} pixels, but the model sees "
                f"{self.size[0]} x {self.size[1]}: bring a larger image"
            )
            return [sentence] * len(images)
        measures = _measures(images)
        return [self._problem(index, measures) for index in range(len(images))]

    def _problem(self, index: int, measures: dict[str, np.ndarray]) -> str:
        for name, values in measures.items():
            low, high = self.limits[name]
            if not low <= values[index] <= high:
                word = MEASURES[name][int(values[index] > high)]
                return (
                    f"the image is {word} than the training images ({name} {values[index]:.0f}, "
                    f"expected {max(low, 0):.0f} to {min(high, 255):.0f}): check its window, stain "
                    "and source"
                )
        return ""


def _measures(images: np.ndarray) -> dict[str, np.ndarray]:
    images = np.asarray(images, np.float32)
    grey = images.mean(-1)
    return {
        "brightness": grey.mean((1, 2)),
        "contrast": grey.std((1, 2)),
        "colour": (images.max(-1) - images.min(-1)).mean((1, 2)),
    }
