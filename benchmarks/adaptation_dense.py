"""Brain tissues at another scanner: a segmenter of 3T T1w pictures, tested at 1.5T T1w and at 3T T2w; which adaptation closes how much of the gap?

    python benchmarks/adaptation_dense.py [--only TEXT] [--minutes 9]     # adds the missing rows to results/adaptation_dense.csv

A row is one method, one target and one seed. Source, adaptation and test pictures come from three disjoint groups of simulated
subjects; the adaptation pictures bring no labels. All networks are a U-Net on the same frozen encoder, 8 pictures a step.
"source only", the image recipes, AdaBN, TENT and the mean teacher start from one network trained on the source. "painted blind"
learns from pictures of any contrast that are painted from the source's masks and never sees the target; "painted in found greys"
paints the same masks in the greys that a mixture model finds in the target's adaptation pictures; "random scanners" scans the
source's subjects at random sites of the same simulator that makes the target, T2w among them: no method for a hospital, but what
randomisation can reach. "oracle" learns from the adaptation subjects' masks. Scores: Dice of fluid, grey and white matter, mean
over test images (`tissues`: of the three, with an interval over subjects; `each`: of every test image, in thousandths).
Validators never see a target mask: `certainty` and `information` of every 16th pixel, `amounts` = minus half the sum of the
absolute differences between the shares of the classes that are called in the target and those in the source's masks.
`source_dice` is of held-out source subjects; for the recipes it is that of the network that they leave as it is.

Size, steps, rates and ranges were chosen on other subjects, with PD and FLAIR as targets; the same probes also printed scores at T2w
and 1.5T, and greys there were looked at beside masks, so these targets are not wholly unseen. About 12 CPU-minutes a seed.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import numpy as np

from medlearn import backbones, datasets, metrics, networks, transfer
from medlearn.adaptation import colour, consistency, entropy, randomisation, statistics
from medlearn._keras import keras
from medlearn.networks import losses
from medlearn.selection import validators

KEY = ("target", "method", "seed")
TISSUES = ("fluid", "grey", "white")
COLUMNS = (
    *TISSUES,
    "tissues",
    "low",
    "high",
    "source_dice",
    "certainty",
    "information",
    "amounts",
    "cpu_seconds",
    "each",
)
SOURCE, TARGETS, SIZE = "3T-T1w", ("1.5T-T1w", "3T-T2w"), 96
COUNTS = {"source": 200, "adaptation": 100, "test": 100}
BATCH, RATE, STEPS, MANY, COPIES = 8, 5e-3, 150, 400, 8
PAINT = {"spread": 0.05, "bias": 0.3, "noise": 0.04, "coarse": 1.5}
METHODS = (
    "source only",
    "histograms",
    "fourier",
    "adabn",
    "tent",
    "mean teacher",
    "painted blind",
    "painted in found greys",
    "random scanners",
    "oracle",
)
BEGINS = {
    "painted blind": "painted",
    "random scanners": "scanners",
    "painted in found greys": None,
    "oracle": None,
}  # else source


@lru_cache(maxsize=12)
def subjects(domain: str, group: str, seed: int) -> datasets.Dataset:
    return datasets.load(
        "brain-mri",
        domain=domain,
        count=COUNTS[group],
        size=SIZE,
        seed=100 + 3 * seed + tuple(COUNTS).index(group),
    )


def taught(images: np.ndarray, masks: np.ndarray, steps: int, seed: int) -> keras.Model:
    encoder = backbones.load("efficientnet_lite0", size=SIZE)
    model = networks.segmenter(encoder, 5, size=SIZE, seed=seed)
    transfer.freeze(model.get_layer(encoder.name))
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        loss(),
        jit_compile=False,
    )
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    order = np.concatenate(
        [random.permutation(len(images)) for _ in range(-(-steps * BATCH // len(images)))]
    )[: steps * BATCH]
    model.fit(images[order], masks[order], batch_size=BATCH, shuffle=False, verbose=0)
    return model


def loss():
    return losses.Combined(losses.cross_entropy, losses.dice)


def learning(seed: int) -> tuple[datasets.Dataset, datasets.Dataset]:
    """The source's subjects to learn from, four fifths, and those held out."""
    source = subjects(SOURCE, "source", seed)
    return source.take(np.arange(160)), source.take(np.arange(160, 200))


@lru_cache(maxsize=3)
def shared(kind: str, seed: int) -> tuple[keras.Model, float]:
    """A network that serves every target, and the CPU-seconds that it took."""
    start, (source, _) = time.process_time(), learning(seed)
    images, masks = source.images, source.masks
    if kind == "painted":
        masks = np.concatenate([masks] * COPIES)
        fine = randomisation.subdivide(images, source.masks)
        images = randomisation.synthesise_from_masks(
            np.concatenate([fine] * COPIES), seed=seed, **PAINT
        )
    if kind == "scanners":
        images, masks = (
            subjects("random", "source", seed).images[:160],
            subjects("random", "source", seed).masks[:160],
        )
    model = taught(images, masks, STEPS if kind == "source" else MANY, seed)
    return model, time.process_time() - start


def adapted(method: str, model: keras.Model | None, target: str, seed: int) -> keras.Model:
    """The network that answers for the target; `model` is the one that it begins with."""
    source, there = learning(seed)[0], subjects(target, "adaptation", seed)
    if method == "oracle":
        return taught(there.images, there.masks, STEPS, seed)
    if method == "painted in found greys":
        fine = np.concatenate([randomisation.subdivide(source.images, source.masks)] * 4)
        found = randomisation.estimate_intensities(fine[: len(source)], there.images[::3])
        painted = randomisation.synthesise_from_masks(
            fine, target_intensities=found, seed=seed, **PAINT
        )
        return taught(painted, np.concatenate([source.masks] * 4), 2 * STEPS, seed)
    if method == "adabn":
        model = statistics.reestimate_batchnorm(model, there.images)
    if method == "tent":
        model = entropy.tent(model, there.images, seed=seed)
    if method == "mean teacher":
        model = consistency.mean_teacher(
            model, source.images, source.masks, there.images, loss=loss(), steps=STEPS, seed=seed
        )
    return model


def seen(method: str, images: np.ndarray, seed: int) -> np.ndarray:
    """The target's pictures as the network gets them."""
    recipe = {"histograms": colour.match_histograms, "fourier": colour.fourier}.get(method)
    return recipe(images, learning(seed)[0].images[::4], seed=seed) if recipe else images


def dices(masks: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Dice (N, 3) of fluid, grey and white matter."""
    return np.stack([metrics.dice(masks, told, value) for value in (1, 2, 3)], axis=1)


def measure(target: str, method: str, seed: int) -> dict:
    begins = BEGINS.get(method, "source")
    model, before = shared(begins, seed) if begins else (None, 0.0)
    start = time.process_time()
    model = adapted(method, model, target, seed)
    (source, held), there, test = (
        learning(seed),
        subjects(target, "adaptation", seed),
        subjects(target, "test", seed),
    )
    told = networks.segment(model, seen(method, there.images, seed))
    said = networks.segment(model, seen(method, test.images, seed)).argmax(-1)
    seconds = time.process_time() - start
    every = dices(test.masks, said)
    mean = metrics.mean_score(np.nanmean(every, axis=1), test.patients)
    shares = [
        np.bincount(each.ravel(), minlength=5) / each.size
        for each in (told.argmax(-1), source.masks)
    ]
    pixels = told[:, 2::4, 2::4].reshape(-1, 5).astype(float)
    pixels /= pixels.sum(-1, keepdims=True)
    row = dict(zip(TISSUES, np.nanmean(every, axis=0))) | {
        "tissues": mean.value,
        "low": mean.low,
        "high": mean.high,
        "source_dice": np.nanmean(
            dices(held.masks, networks.segment(model, held.images).argmax(-1))
        ),
        "certainty": validators.certainty(pixels),
        "information": validators.mutual_information(pixels),
        "amounts": -np.abs(shares[0] - shares[1]).sum() / 2,
    }
    return {name: round(float(value), 4) for name, value in row.items()} | {
        "cpu_seconds": round(seconds + before, 1),
        "each": " ".join(f"{1000 * value:.0f}" for value in np.nanmean(every, axis=1)),
    }


ROWS = [(target, method, seed) for seed in range(5) for method in METHODS for target in TARGETS]

if __name__ == "__main__":
    table.grow("adaptation_dense", __doc__, KEY, COLUMNS, ROWS, measure)
