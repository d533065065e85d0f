"""The candidates of sim_to_real.py: ways to bring a segmenter to another laboratory.

A method is what is done to the target's images, what to the model, and what taught it:
"scale+reinhard, mean teacher", or "simulated too". None has an argument for the target's masks; the
oracle is trained in sim_to_real.py.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common import vectors
from common.segmenters import BATCH, LOSS, Weights, predictor, segment
from medlearn.adaptation import colour, consistency, entropy, scale, statistics
from medlearn.selection import validators

PIXELS = 4  # validators see every fourth row and column
TEACHING = 60  # steps of the mean teacher, of 8 images of either laboratory


class Recipe(NamedTuple):
    """What is done to the target's images, what to the model, and what taught it."""

    images: str
    model: str
    teacher: str


METHODS = {
    "source only": Recipe("as they are", "kept", "source"),
    "reinhard": Recipe("reinhard", "kept", "source"),
    "histograms": Recipe("histograms", "kept", "source"),
    "fourier": Recipe("fourier", "kept", "source"),
    "scale": Recipe("scale", "kept", "source"),
    "scale+reinhard": Recipe("scale+reinhard", "kept", "source"),
    "adabn": Recipe("as they are", "adabn", "source"),
    "scale+reinhard, adabn": Recipe("scale+reinhard", "adabn", "source"),
    "tent": Recipe("as they are", "tent", "source"),
    "mean teacher": Recipe("as they are", "mean teacher", "source"),
    "scale+reinhard, mean teacher": Recipe("scale+reinhard", "mean teacher", "source"),
    "random looks": Recipe("as they are", "kept", "random looks"),
    "random looks, mean teacher": Recipe("as they are", "mean teacher", "random looks"),
    "random looks, scale+reinhard": Recipe("scale+reinhard", "kept", "random looks"),
    "random looks, scale+reinhard, mean teacher": Recipe(
        "scale+reinhard", "mean teacher", "random looks"
    ),
    "simulated too": Recipe("as they are", "kept", "simulated too"),
    "simulated too, mean teacher": Recipe("as they are", "mean teacher", "simulated too"),
}


def _negative(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return 255 - images


def _negative_and_reinhard(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return colour.reinhard(255 - images, reference)


COLOURS = vectors.IMAGES | {  # what is done to the colours of the target
    "negative": _negative,
    "negative+reinhard": _negative_and_reinhard,
}


class Source(NamedTuple):
    """A trained model's weights, and the source's images and masks."""

    weights: Weights
    images: np.ndarray
    masks: np.ndarray


@dataclass(frozen=True)
class Model:
    """A segmenter after adaptation: a function from images of the target to probabilities."""

    weights: Weights
    colours: str  # a name in COLOURS
    factor: float  # by which the images are zoomed
    reference: np.ndarray  # images of the source

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Return images of the target as the network gets them."""
        if self.factor != 1:
            images = scale.zoom(images, self.factor)
        return COLOURS[self.colours](images, self.reference)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        probabilities = segment(self.weights, self.transform(images))
        return probabilities if self.factor == 1 else _zoomed_back(probabilities, self.factor)


def adapt(recipe: Recipe, source: Source, target_images: np.ndarray, seed: int) -> Model:
    """Adapt a source model.

    Parameters
    ----------
    recipe : Recipe
        One of `METHODS`, or of another benchmark.
    source : Source
        The source model and its data.
    target_images : uint8 array of shape (N, 96, 96, 3)
        Images that may be adapted on, without their masks.
    seed : int
        Seed of what is drawn on the way.
    """
    reference = source.images[:: max(1, len(source.images) // 40)]
    zooms = recipe.images.startswith("scale")
    factor = scale.factor(target_images, reference) if zooms else 1.0
    colours = recipe.images.removeprefix("scale+").replace("scale", "as they are")
    before = Model(source.weights, colours, factor, reference)
    weights = _changed(recipe.model, source, before.transform(target_images), seed)
    return Model(weights, colours, factor, reference)


def _changed(change: str, source: Source, target_images: np.ndarray, seed: int) -> Weights:
    """The source's weights after a change of the model."""
    model = predictor()
    model.set_weights(source.weights)
    if change == "adabn":
        model = statistics.reestimate_batchnorm(model, target_images)
    elif change == "tent":
        model = entropy.tent(model, target_images, batch_size=BATCH, seed=seed)
    elif change == "mean teacher":
        model = consistency.mean_teacher(
            model, source.images, source.masks, target_images, loss=LOSS, steps=TEACHING, seed=seed
        )
    return model.get_weights()


def _zoomed_back(probabilities: np.ndarray, factor: float) -> np.ndarray:
    """Probabilities of three classes, zoomed like colours, at the scale before."""
    levels = np.round(255 * probabilities).astype(np.uint8)
    zoomed = scale.zoom(levels, 1 / factor) / np.float32(255)
    return zoomed / np.maximum(zoomed.sum(-1, keepdims=True), 1e-6)


def validate(probabilities: np.ndarray) -> dict[str, float]:
    """Return validators of some pixels of the images that were adapted on."""
    pixels = probabilities[:, ::PIXELS, ::PIXELS].reshape(-1, probabilities.shape[-1])
    return {
        "certainty": validators.certainty(pixels),
        "information": validators.mutual_information(pixels),
    }
