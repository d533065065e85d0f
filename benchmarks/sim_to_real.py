"""Segmenting cells elsewhere: adapted from one laboratory, or taught by simulated images only?

    python benchmarks/sim_to_real.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/sim_to_real_summary.py                       # then: choices and intervals

About five CPU-hours for a seed; fills results/sim_to_real.csv.

A row is one method (common/segmenter_candidates.py) on one pair (common/segmentation_pairs.py) and
seed. The patients of the target (copies of a picture count as one) are halved without a look at
masks: what is adapted on one half predicts the other, and the other way round. "oracle" learns from
the masks of the other half, with the same number of steps. The source is four fifths of a
laboratory's patients, or simulated images of "random" laboratories, another one for each image; "as
many" has as many images and steps as the rival that was trained in the other real laboratory.
"random looks" shows the source's images for twice the steps, each as another laboratory might have
taken it (medlearn.adaptation.randomisation; its ranges are those first written, tried on one pair
of random laboratories). "simulated too" learns from the source and the simulated images at once,
for as many steps as the simulated images alone; on `smear`, where one simulator makes all three,
that is no method for a hospital. `dice_per_image` holds Dice of every target image in thousandths,
cytoplasm and then nucleus. Two numbers, one for each half, judge a candidate without masks of the
target: `certainty` and `information` on every 16th pixel; `source_dice` is that of the held-out
source.

Size and what learns were chosen on 200 simulated images of other random laboratories after 60
steps, steps by the time there was, the ranges of the laboratories before anything was trained. Each
time that real masks of the target are opened, a line is added to results/labels_opened.csv.
"""

import time

from common import table  # first: it sets the threads
from common import laboratories, segmenter_candidates, segmenters
from common.segmentation_pairs import (
    PAIRS,
    SEEDS,
    SIMULATED_ONLY,
    STEPS,
    VALIDATORS,
    lesson,
    load,
    methods,
    source_model,
)
import numpy as np

from medlearn import datasets, metrics

KEY = ("pair", "method", "seed")
STRUCTURES = ("cytoplasm", "nucleus", "cell")
COLUMNS = (
    *(f"{name}{end}" for name in STRUCTURES for end in ("", "_low", "_high")),
    *VALIDATORS,
    "train_images",
    "cpu_seconds",
    "dice_per_image",
)


def _candidate(pair: str, method: str, seed: int) -> tuple[np.ndarray, dict[str, list], float]:
    """Predicted masks of the target, each validator's value of either half, and CPU-seconds."""
    target, held_out = load(PAIRS[pair].target, seed), lesson(pair, seed).held_out
    recipe = segmenter_candidates.METHODS[method]
    source, training = source_model(pair, seed, recipe.teacher)
    start = time.process_time()
    masks = np.zeros(target.masks.shape, np.uint8)
    values = {name: [] for name in VALIDATORS}
    for adapted_on, predicted in laboratories.halves(target, seed):
        model = segmenter_candidates.adapt(recipe, source, target.images[adapted_on], seed)
        masks[predicted] = model(target.images[predicted]).argmax(-1)
        for name, value in segmenter_candidates.validate(model(target.images[adapted_on])).items():
            values[name].append(value)
        on_source = segmenters.segment(model.weights, held_out.images).argmax(-1)
        values["source_dice"].append(np.nanmean(_dice(held_out, on_source)[:2]))
    return masks, values, training + time.process_time() - start


def _oracle(pair: str, seed: int) -> tuple[np.ndarray, float]:
    """Masks of each half by a model that learned from the other, and CPU-seconds."""
    target = load(PAIRS[pair].target, seed)
    start = time.process_time()
    masks = np.zeros(target.masks.shape, np.uint8)
    for learn, predicted in laboratories.halves(target, seed):
        weights = segmenters.train(target.images[learn], target.masks[learn], STEPS, seed)
        masks[predicted] = segmenters.segment(weights, target.images[predicted]).argmax(-1)
    return masks, time.process_time() - start


def _dice(data: datasets.Dataset, masks: np.ndarray) -> np.ndarray:
    """Dice (3, N) of cytoplasm, nucleus and whole cell; NaN where the truth lacks it."""
    whole, predicted_whole = (data.masks > 0).astype(int), (masks > 0).astype(int)
    comparisons = [(data.masks, masks, 1), (data.masks, masks, 2), (whole, predicted_whole, 1)]
    scores = []
    for truth, prediction, value in comparisons:
        present = (truth == value).any((1, 2))
        scores.append(np.where(present, metrics.dice(truth, prediction, value), np.nan))
    return np.stack(scores)


def measure(pair: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair, method : str
        Names in `segmentation_pairs.PAIRS` and `segmenter_candidates.METHODS`, or "oracle".
    seed : int
        Seed of the simulated patients, the halves and the networks.
    """
    target = load(PAIRS[pair].target, seed)
    is_real = PAIRS[pair].target.data == "wbc"
    if method == "oracle":
        if is_real:
            laboratories.log_opening("sim_to_real", pair, seed, method, "train the oracle")
        masks, seconds = _oracle(pair, seed)
        values, count = {}, len(target) // 2
    else:
        masks, values, seconds = _candidate(pair, method, seed)
        count = len(lesson(pair, seed).learn)
        if method.startswith("simulated too"):
            count += len(lesson(SIMULATED_ONLY, seed).learn)
    if is_real:
        laboratories.log_opening("sim_to_real", pair, seed, method, "score")
    dice = _dice(target, masks)
    row = {}
    for name, scores in zip(STRUCTURES, dice):
        mean = metrics.mean_score(scores, target.patients)
        row |= {name: mean.value, f"{name}_low": mean.low, f"{name}_high": mean.high}
    return {
        **{name: round(value, 4) for name, value in row.items()},
        **{name: _joined(values.get(name, ()), "{:.4f}") for name in VALIDATORS},
        "train_images": count,
        "cpu_seconds": round(seconds, 1),
        "dice_per_image": "; ".join(_joined(1000 * scores, "{:.0f}") for scores in dice[:2]),
    }


def _joined(values, style: str) -> str:
    return " ".join(style.format(value) for value in values)


ROWS = [
    (pair, method, seed)
    for seed in SEEDS
    for pair in PAIRS
    for method in (*methods(pair), *(() if pair.startswith("virtual") else ("oracle",)))
]

if __name__ == "__main__":
    table.grow("sim_to_real", __doc__, KEY, COLUMNS, ROWS, measure)
