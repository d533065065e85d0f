"""Brain tissues at another scanner: which adaptation of a segmenter closes how much of the gap?

    python benchmarks/adaptation_dense.py [--only TEXT] [--minutes 9]   # adds the missing rows

About twenty CPU-minutes for a seed; fills results/adaptation_dense.csv.

The segmenter learns 3T T1w pictures and is tested at 1.5T T1w and at 3T T2w. A row is one method,
one target and one seed. Source, adaptation and test pictures come from three disjoint groups of
simulated subjects; the adaptation pictures bring no labels. All networks are a U-Net on the same
frozen encoder, 8 pictures per step.

"source only", the image recipes, AdaBN, TENT and the mean teacher start from one network trained on
the source. "painted blind" learns from pictures of any contrast that are painted from the source's
masks and never sees the target; "painted in found greys" paints the same masks in the greys that a
mixture model finds in the target's adaptation pictures; "random scanners" scans the source's
subjects at random sites of the same simulator that makes the target, T2w among them: no method for
a hospital, but what randomisation can reach. "oracle" learns from the adaptation subjects' masks.

Scores: Dice of fluid, grey and white matter, mean over test images (`tissues`: of the three, with
an interval over subjects; `dice_per_image`: of every test image, in thousandths). Validators never
see a target mask: `certainty` and `information` of every 16th pixel, `amounts` = minus half the sum
of the absolute differences between the shares of the classes that are predicted in the target and
those in the source's masks. `source_dice` is of held-out source subjects; for the recipes it is
that of the network that they leave as it is.

Size, steps, rates and ranges were chosen on other subjects, with PD and FLAIR as targets; the same
probes also printed scores at T2w and 1.5T, and greys there were looked at beside masks, so these
targets are not wholly unseen.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
from common.segmenters import permuted_rows
import numpy as np

from medlearn import backbones, datasets, metrics, networks, transfer
from medlearn._keras import keras
from medlearn.adaptation import colour, consistency, entropy, randomisation, statistics
from medlearn.networks import losses
from medlearn.selection import validators

KEY = ("target", "method", "seed")
TISSUES = ("fluid", "grey", "white")
SCORES = (*TISSUES, "tissues", "low", "high", "source_dice")
COLUMNS = (*SCORES, "certainty", "information", "amounts", "cpu_seconds", "dice_per_image")
SOURCE, TARGETS, SIZE, CLASSES = "3T-T1w", ("1.5T-T1w", "3T-T2w"), 96, 5
SEEDS = range(5)
COUNTS = {"source": 200, "adaptation": 100, "test": 100}
LEARNING = 160  # of the source's pictures; the rest is held out
BATCH, RATE = 8, 5e-3
STEPS, PAINTED_STEPS = 150, 400
COPIES, COPIES_IN_FOUND_GREYS = 8, 4  # how often each mask is painted
PAINT = {"spread": 0.05, "bias": 0.3, "noise": 0.04, "coarse": 1.5}
IMAGE_RECIPES = {"histograms": colour.match_histograms, "fourier": colour.fourier}
STARTS = {  # the network that a method starts from; None where it trains one of its own
    "source only": "source",
    "histograms": "source",
    "fourier": "source",
    "adabn": "source",
    "tent": "source",
    "mean teacher": "source",
    "painted blind": "painted",
    "painted in found greys": None,
    "random scanners": "scanners",
    "oracle": None,
}


@lru_cache(maxsize=12)
def _subjects(domain: str, group: str, seed: int) -> datasets.Dataset:
    own_seed = 100 + 3 * seed + tuple(COUNTS).index(group)
    return datasets.load("brain-mri", domain=domain, count=COUNTS[group], size=SIZE, seed=own_seed)


def _source(seed: int) -> datasets.Dataset:
    """The source's pictures to learn from."""
    return _subjects(SOURCE, "source", seed).take(np.arange(LEARNING))


def _held_out(seed: int) -> datasets.Dataset:
    return _subjects(SOURCE, "source", seed).take(np.arange(LEARNING, COUNTS["source"]))


# ---- networks ------------------------------------------------------------------------------------


def _loss() -> losses.Combined:
    return losses.Combined(losses.cross_entropy, losses.dice)


def _train(images: np.ndarray, masks: np.ndarray, steps: int, seed: int) -> keras.Model:
    encoder = backbones.load("efficientnet_lite0", size=SIZE)
    model = networks.segmenter(encoder, CLASSES, size=SIZE, seed=seed)
    transfer.freeze(model.get_layer(encoder.name))
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(keras.optimizers.Adam(rate), _loss(), jit_compile=False)
    keras.utils.set_random_seed(seed)
    order = permuted_rows(np.random.default_rng(seed), len(images), steps * BATCH)
    model.fit(images[order], masks[order], batch_size=BATCH, shuffle=False, verbose=0)
    return model


@lru_cache(maxsize=3)
def _shared_model(start: str, seed: int) -> tuple[keras.Model, float]:
    """A network that serves every target, and the CPU-seconds that it took."""
    began = time.process_time()
    source = _source(seed)
    images, masks, steps = source.images, source.masks, STEPS
    if start == "painted":
        images, masks, steps = *_painted(source, COPIES, seed), PAINTED_STEPS
    if start == "scanners":
        scanned = _subjects("random", "source", seed).take(np.arange(LEARNING))
        images, masks, steps = scanned.images, scanned.masks, PAINTED_STEPS
    model = _train(images, masks, steps, seed)
    return model, time.process_time() - began


def _painted(
    source: datasets.Dataset, copies: int, seed: int, target_images: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures painted from the source's masks, in any greys or in those found in the target."""
    fine = randomisation.subdivide(source.images, source.masks)
    greys = None
    if target_images is not None:
        greys = randomisation.estimate_intensities(fine, target_images)
    images = randomisation.synthesise_from_masks(
        np.concatenate([fine] * copies), target_intensities=greys, seed=seed, **PAINT
    )
    return images, np.concatenate([source.masks] * copies)


def _adapted(method: str, start: keras.Model | None, target: str, seed: int) -> keras.Model:
    """The network that answers for the target; `start` is the one that it starts from."""
    source, unlabelled = _source(seed), _subjects(target, "adaptation", seed)
    if method == "oracle":
        return _train(unlabelled.images, unlabelled.masks, STEPS, seed)
    if method == "painted in found greys":
        painted = _painted(source, COPIES_IN_FOUND_GREYS, seed, unlabelled.images[::3])
        return _train(*painted, 2 * STEPS, seed)
    if method == "adabn":
        return statistics.reestimate_batchnorm(start, unlabelled.images)
    if method == "tent":
        return entropy.tent(start, unlabelled.images, seed=seed)
    if method == "mean teacher":
        return consistency.mean_teacher(
            start,
            source.images,
            source.masks,
            unlabelled.images,
            loss=_loss(),
            steps=STEPS,
            seed=seed,
        )
    return start


def _recoloured(method: str, images: np.ndarray, seed: int) -> np.ndarray:
    """The target's pictures as the network gets them."""
    if method not in IMAGE_RECIPES:
        return images
    return IMAGE_RECIPES[method](images, _source(seed).images[::4], seed=seed)


# ---- scores --------------------------------------------------------------------------------------


def _dice(masks: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Dice (N, 3) of fluid, grey and white matter."""
    return np.stack([metrics.dice(masks, predictions, value) for value in (1, 2, 3)], axis=1)


def _class_shares(masks: np.ndarray) -> np.ndarray:
    return np.bincount(masks.ravel(), minlength=CLASSES) / masks.size


def _validate(probabilities: np.ndarray, source_masks: np.ndarray) -> dict[str, float]:
    """Validators of the target's adaptation pictures."""
    pixels = probabilities[:, 2::4, 2::4].reshape(-1, CLASSES).astype(float)
    pixels /= pixels.sum(-1, keepdims=True)
    shares = _class_shares(probabilities.argmax(-1))
    return {
        "certainty": validators.certainty(pixels),
        "information": validators.mutual_information(pixels),
        "amounts": -np.abs(shares - _class_shares(source_masks)).sum() / 2,
    }


def measure(target: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    target, method : str
        A name in `TARGETS`, and one in `STARTS`.
    seed : int
        Seed of the simulated subjects and the networks.
    """
    start, seconds_before = None, 0.0
    if STARTS[method]:
        start, seconds_before = _shared_model(STARTS[method], seed)
    unlabelled, test = _subjects(target, "adaptation", seed), _subjects(target, "test", seed)
    held_out = _held_out(seed)
    began = time.process_time()
    model = _adapted(method, start, target, seed)
    probabilities = networks.segment(model, _recoloured(method, unlabelled.images, seed))
    predictions = networks.segment(model, _recoloured(method, test.images, seed)).argmax(-1)
    seconds = time.process_time() - began + seconds_before
    dice = _dice(test.masks, predictions)
    per_image = np.nanmean(dice, axis=1)
    mean = metrics.mean_score(per_image, test.patients)
    on_source = networks.segment(model, held_out.images).argmax(-1)
    row = dict(zip(TISSUES, np.nanmean(dice, axis=0)))
    row |= {"tissues": mean.value, "low": mean.low, "high": mean.high}
    row |= {"source_dice": np.nanmean(_dice(held_out.masks, on_source))}
    row |= _validate(probabilities, _source(seed).masks)
    return {
        **{name: round(float(value), 4) for name, value in row.items()},
        "cpu_seconds": round(seconds, 1),
        "dice_per_image": " ".join(f"{1000 * value:.0f}" for value in per_image),
    }


ROWS = [(target, method, seed) for seed in SEEDS for method in STARTS for target in TARGETS]

if __name__ == "__main__":
    table.grow("adaptation_dense", __doc__, KEY, COLUMNS, ROWS, measure)
