"""The candidates of sim_to_real.py: a U-Net on Lite0 that learns nucleus and cytoplasm in one laboratory, and ways to bring it to another.

A method is what is done to the target's images, what to the model, and what taught it: "scale+reinhard, mean teacher", or
"simulated too". None has an argument for the target's masks; the oracle is trained in sim_to_real.py.
"""

from collections.abc import Callable
from functools import lru_cache
import hashlib
import time
from typing import NamedTuple

import numpy as np

from common import candidates
from medlearn import _files, backbones, networks, transfer
from medlearn.adaptation import consistency, entropy, randomisation, scale, statistics
from medlearn._keras import keras
from medlearn.networks import losses, views
from medlearn.selection import validators

SIDE, BATCH, RATE = 96, 16, 3e-3
LOSS = losses.Combined(losses.cross_entropy, losses.dice)
PIXELS = 4  # every fourth row and column is enough to judge by
METHODS = {  # images, model, teacher
    "source only": ("as they are", "kept", "source"),
    "reinhard": ("reinhard", "kept", "source"),
    "histograms": ("histograms", "kept", "source"),
    "fourier": ("fourier", "kept", "source"),
    "scale": ("scale", "kept", "source"),
    "scale+reinhard": ("scale+reinhard", "kept", "source"),
    "adabn": ("as they are", "adabn", "source"),
    "scale+reinhard, adabn": ("scale+reinhard", "adabn", "source"),
    "tent": ("as they are", "tent", "source"),
    "mean teacher": ("as they are", "mean teacher", "source"),
    "scale+reinhard, mean teacher": ("scale+reinhard", "mean teacher", "source"),
    "random looks": ("as they are", "kept", "random looks"),
    "random looks, mean teacher": ("as they are", "mean teacher", "random looks"),
    "random looks, scale+reinhard": ("scale+reinhard", "kept", "random looks"),
    "random looks, scale+reinhard, mean teacher": (
        "scale+reinhard",
        "mean teacher",
        "random looks",
    ),
    "simulated too": ("as they are", "kept", "simulated too"),
    "simulated too, mean teacher": ("as they are", "mean teacher", "simulated too"),
}


# ---- training ----------------------------------------------------------------------------------------------------
# One architecture, so a model is its weights, and those are put into the same few models: tracing one costs as much as using it.

Weights = list[np.ndarray]


def trained(
    images: np.ndarray, masks: np.ndarray, steps: int, seed: int, looks: bool = False
) -> Weights:
    """Weights of a U-Net all of which learned, deeper ones more slowly, for so many batches of turned images, in random looks or not."""
    model, fresh = _learner(steps)
    model.set_weights(network(seed).get_weights())
    for variable, value in zip(model.optimizer.variables, fresh):
        variable.assign(value)
    images, masks = shown(images, masks, steps * BATCH, seed)
    if looks:
        images, masks = randomisation.randomise_appearance(images, masks, seed=seed)
    model.fit(images, masks, batch_size=BATCH, shuffle=False, verbose=0)
    return model.get_weights()


def kept(
    images: np.ndarray, masks: np.ndarray, steps: int, seed: int, looks: bool = False
) -> tuple[Weights, float]:
    """As `trained`, and the CPU-seconds that it took; read from the cache folder where the same was trained before."""
    given = hashlib.sha256(
        np.ascontiguousarray(images).tobytes()
        + np.ascontiguousarray(masks).tobytes()
        + f"{steps} {seed} {looks}".encode()
    )
    path = _files.cache() / f"segmenter-{given.hexdigest()[:20]}.npz"
    if not path.exists():
        start = time.process_time()
        weights = trained(images, masks, steps, seed, looks)
        np.savez(path, time.process_time() - start, *weights)
    with np.load(path) as found:
        seconds, *weights = (found[name] for name in found.files)
    return weights, float(seconds)


@lru_cache(maxsize=2)
def _learner(steps: int) -> tuple[keras.Model, list]:
    model = network(0)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, steps - 30, warmup_target=RATE, warmup_steps=30
    )
    model.compile(
        transfer.by_depth(keras.optimizers.Adam(rate), model, decay=0.95), LOSS, jit_compile=False
    )
    model.optimizer.build(model.trainable_variables)
    return model, [variable.numpy() for variable in model.optimizer.variables]


def network(seed: int) -> keras.Model:
    """The U-Net before it learns: the encoder as on ImageNet, the decoder drawn from `seed`."""
    encoder = backbones.load("efficientnet_lite0", size=SIDE)
    model = networks.segmenter(encoder, 3, size=SIDE, seed=seed)
    transfer.unfreeze(model, from_=encoder.name)
    return model


@lru_cache(maxsize=1)
def speaker() -> keras.Model:
    """The model that weights are put into to be used."""
    return network(0)


def segmented(weights: Weights, images: np.ndarray) -> np.ndarray:
    """Probabilities (N, H, W, 3), in batches of one size."""
    speaker().set_weights(weights)
    padding = np.repeat(images[:1], -len(images) % 32, axis=0)
    return networks.segment(speaker(), np.concatenate([images, padding]), batch_size=32)[
        : len(images)
    ]


def shown(
    images: np.ndarray, masks: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """So many images and masks, each original as often as any other or once more, each in one of eight views."""
    random = np.random.default_rng(seed)
    rows = np.concatenate(
        [random.permutation(len(images)) for _ in range(-(-count // len(images)))]
    )[:count]
    images, masks, drawn = images[rows], masks[rows], random.integers(len(views.TURNS), size=count)
    for number, view in enumerate(views.TURNS):
        for array in (images, masks):
            array[drawn == number] = views.turned(array[drawn == number], (view,))
    return images, masks


# ---- adaptation --------------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """A trained model's weights, and the source's images and masks."""

    weights: Weights
    images: np.ndarray
    masks: np.ndarray


def adapt(
    method: str, source: Source, target_images: np.ndarray, seed: int
) -> tuple[Callable, Weights]:
    """A function from images of the target to probabilities (N, H, W, 3), and the model's weights in it.

    target_images: those that may be adapted on, without their masks.
    """
    pixels, how, _ = METHODS[method]
    reference = source.images[:: max(1, len(source.images) // 40)]
    by = scale.factor(target_images, reference) if pixels.startswith("scale") else 1.0
    colours = candidates.IMAGES[pixels.removeprefix("scale+").replace("scale", "as they are")]

    def bring(images):
        return colours(images if by == 1 else scale.zoom(images, by), reference)

    weights = moved(how, source, bring(target_images), seed)
    return lambda images: _back(segmented(weights, bring(images)), by), weights


def moved(how: str, source: Source, target_images: np.ndarray, seed: int) -> Weights:
    model = speaker()
    model.set_weights(source.weights)
    if how == "adabn":
        model = statistics.reestimate_batchnorm(model, target_images)
    elif how == "tent":
        model = entropy.tent(model, target_images, batch_size=BATCH, seed=seed)
    elif how == "mean teacher":
        model = consistency.mean_teacher(
            model, source.images, source.masks, target_images, loss=LOSS, steps=TEACHING, seed=seed
        )
    return model.get_weights()


TEACHING = 60  # steps of 8 images of either laboratory


def _back(probabilities: np.ndarray, by: float) -> np.ndarray:
    """Probabilities of three classes, zoomed as if they were the colours of an image, to the scale before."""
    if by == 1:
        return probabilities
    zoomed = scale.zoom(np.round(255 * probabilities).astype(np.uint8), 1 / by) / np.float32(255)
    return zoomed / np.maximum(zoomed.sum(-1, keepdims=True), 1e-6)


# ---- what can be said without labels -----------------------------------------------------------------------------


def judged(probabilities: np.ndarray) -> dict[str, float]:
    """Validators on some pixels of the images that were adapted on."""
    some = probabilities[:, ::PIXELS, ::PIXELS].reshape(-1, probabilities.shape[-1])
    return {"certainty": validators.certainty(some), "information": validators.mutual_information(some)}
