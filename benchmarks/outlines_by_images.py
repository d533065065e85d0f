"""How many outlined images does a U-Net need, with a borrowed encoder and without?

    python benchmarks/outlines_by_images.py [--only TEXT] [--minutes 5]   # adds the missing rows

About ten CPU-minutes for all rows; fills results/outlines_by_images.csv.

Patients are drawn into training and test by the seed, and the training patients come in a random
order: a row learns from the images of the first of them (ten images a patient), so that its images
are a part of those of the next larger row. All networks take 120 steps of 8 images in the eight
views of a square, at the same rates. `frozen`: a U-Net on a borrowed encoder, of which only the
decoder learns. `scratch`: the same U-Net on a plain encoder of strided convolutions that borrowed
nothing. No rate was chosen on these images.

`dice` is the mean over classes and test images, with an interval over the test patients.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np

from medlearn import backbones, datasets, metrics, networks, splits, transfer
from medlearn._keras import keras
from medlearn.networks import losses, views

KEY = ("data", "method", "images", "seed")
COLUMNS = ("dice", "low", "high", "patients", "test_patients", "steps", "cpu_seconds")
SIZE, STEPS, BATCH, RATE = 96, 120, 8, 3e-3


def _plain_encoder(seed: int) -> keras.Model:
    """Strided convolutions to 1/16 of the side, as a U-Net from scratch has them."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 64, offset=-2)(image)
    for number, channels in enumerate((24, 48, 96, 160)):
        for part, stride in (("down", 2), ("look", 1)):
            he = keras.initializers.HeNormal(seed + 10 * number + stride)
            convolution = keras.layers.Conv2D(
                channels, 3, stride, "same", use_bias=False, kernel_initializer=he
            )
            x = keras.layers.GroupNormalization(8)(convolution(x))
            x = keras.layers.ReLU(name=f"block_{number}_{part}")(x)
    return keras.Model(image, x, name="plain")


def _unet(method: str, classes: int, seed: int) -> keras.Model:
    if method == "scratch":
        return networks.segmenter(_plain_encoder(seed), classes, seed=seed)
    encoder = backbones.load("efficientnet_lite0", size=SIZE)
    model = networks.segmenter(encoder, classes, seed=seed)
    transfer.freeze(model.get_layer(encoder.name))
    return model


@lru_cache
def _compiled(method: str, classes: int) -> tuple[keras.Model, list[np.ndarray]]:
    """A model that is traced once for all rows, and its optimizer's variables at the start."""
    model = _unet(method, classes, seed=0)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, STEPS))
    model.compile(adam, losses.Combined(losses.cross_entropy, losses.dice), jit_compile=False)
    adam.build(model.trainable_variables)
    return model, [variable.numpy() for variable in adam.variables]


def _trained(method: str, images, masks, classes: int, seed: int) -> keras.Model:
    model, start = _compiled(method, classes)
    model.set_weights(_unet(method, classes, seed).get_weights())
    for variable, value in zip(model.optimizer.variables, start, strict=True):
        variable.assign(value)
    images, masks = views.apply(images), views.apply(masks)
    rows = np.resize(np.random.default_rng(seed).permutation(len(images)), STEPS * BATCH)
    model.fit(images[rows], masks[rows], BATCH, shuffle=False, verbose=0)
    return model


@lru_cache
def _load(data: str) -> datasets.Dataset:
    return datasets.load(data, domain="lab-a", count=400, size=SIZE)


def measure(data: str, method: str, images: int, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : str
        Name of a set with masks and patients.
    method : {"frozen", "scratch"}
        What becomes of the encoder.
    images : int
        Number of training images.
    seed : int
        Seed of the division, the network and the order of the images.
    """
    dataset = _load(data)
    train, test = splits.by_patient(dataset.patients, test=0.5, seed=seed)
    order = np.random.default_rng(seed).permutation(np.unique(dataset.patients[train]))
    by_patient = [train[dataset.patients[train] == patient] for patient in order]
    rows = np.concatenate(by_patient)[:images]
    begin = time.process_time()
    classes = len(dataset.mask_classes)
    model = _trained(method, dataset.images[rows], dataset.masks[rows], classes, seed)
    seconds = time.process_time() - begin
    predictions = networks.segment(model, dataset.images[test]).argmax(-1)
    truth = dataset.masks[test]
    scores = [metrics.dice(truth, predictions, value) for value in range(1, classes)]
    mean = metrics.mean_score(np.mean(scores, axis=0), dataset.patients[test])
    return {
        "dice": round(mean.value, 4),
        "low": round(mean.low, 4),
        "high": round(mean.high, 4),
        "patients": len(np.unique(dataset.patients[rows])),
        "test_patients": len(np.unique(dataset.patients[test])),
        "steps": STEPS,
        "cpu_seconds": round(seconds, 1),
    }


ROWS = [
    ("smear", method, images, seed)
    for seed in range(3)
    for images in (10, 160, 40)
    for method in ("frozen", "scratch")
]

if __name__ == "__main__":
    table.grow("outlines_by_images", __doc__, KEY, COLUMNS, ROWS, measure)
