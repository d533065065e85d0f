"""Outlines of nuclei, fluorescence to stained and back: who foresees which adaptation harms?

    python benchmarks/nuclei.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/nuclei_summary.py                       # then: choices and intervals

About ten CPU-minutes for a seed; fills results/nuclei.csv. Exploratory: a second real pair for
development. Before the first row its images had been looked at, and scores of source only,
histograms, negative and oracle from another program were known.

A row is one method (common/nuclei_pairs.py) on one pair and seed; at most 120 images of a domain,
96 px. Nothing is known about patients. Tiles of one field are found by their borders
(common/tiles.py) and stay together; all divisions and intervals are by these image groups, so
images of one slide or laboratory may still be on both sides.

The target is halved without a look at its masks. What is adapted on one half predicts the other,
and the other way round: `dice` is inductive, with an interval over image groups. `transductive` is
Dice of the half that was adapted on. "oracle" learns from the masks of the one half with as many
steps and the same seed as the source model, and is scored on the other. The source model learns
from four fifths of the source's groups; `source_dice` is that of the last fifth, by the weights
after adaptation, on images as they are. `certainty`, `information` and `amounts` are measured
without masks of the target on the half that was adapted on; validators hold two numbers, one for
each half. `dice_per_image` holds inductive and then transductive Dice of every target image, in
thousandths. Each opening of masks of the target adds a line to results/labels_opened.csv.
"""

from datetime import date
from functools import lru_cache
import subprocess
import time

from common import table  # first: it sets the threads
from common import laboratories, nuclei_pairs, segmenter_candidates, segmenters
from common.nuclei_pairs import METHODS, PAIRS, SEEDS, STEPS, VALIDATORS
import numpy as np

from medlearn import metrics

KEY = ("pair", "method", "seed")
COLUMNS = (
    "dice",
    "dice_low",
    "dice_high",
    "transductive",
    *VALIDATORS,
    "train_images",
    "cpu_seconds",
    "commit",
    "date",
    "dice_per_image",
)


def measure(pair: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair, method : str
        Names in `nuclei_pairs.PAIRS` and `nuclei_pairs.METHODS`, or "oracle".
    seed : int
        Seed of the halves and the networks.
    """
    target = nuclei_pairs.load(PAIRS[pair].target)
    if method == "oracle":
        laboratories.log_opening("nuclei", pair, seed, method, "train the oracle")
        masks, seconds = _oracle(target, seed)
        values = {}
        count = len(target.images) // 2
    else:
        masks, values, seconds = _candidate(pair, method, seed)
        count = len(nuclei_pairs.source_model(pair, seed)[0].images)
    laboratories.log_opening("nuclei", pair, seed, method, "score")
    inductive, transductive = (nuclei_pairs.dice(target.masks, part) for part in masks)
    mean = metrics.mean_score(inductive, target.groups)
    row = {"dice": mean.value, "dice_low": mean.low, "dice_high": mean.high}
    row["transductive"] = np.nanmean(transductive)
    return {
        **{name: round(float(value), 4) for name, value in row.items()},
        **{name: _joined(values.get(name, ()), "{:.4f}") for name in VALIDATORS},
        "train_images": count,
        "cpu_seconds": round(seconds, 1),
        "commit": _commit(),
        "date": date.today(),
        "dice_per_image": "; ".join(
            _joined(1000 * scores, "{:.0f}") for scores in (inductive, transductive)
        ),
    }


def _candidate(pair: str, method: str, seed: int) -> tuple[np.ndarray, dict[str, list], float]:
    """Masks of the target (2, N, H, W), each validator's values, and CPU-seconds.

    The first masks are inductive, the second transductive.
    """
    target = nuclei_pairs.load(PAIRS[pair].target)
    images = target.images
    _, held_out = nuclei_pairs.divided(nuclei_pairs.load(PAIRS[pair].source), seed)
    source, training = nuclei_pairs.source_model(pair, seed)
    start = time.process_time()
    masks = np.zeros((2, *images.shape[:3]), np.uint8)
    values = {name: [] for name in VALIDATORS}
    for adapted_on, predicted in nuclei_pairs.halves(target, seed):
        model = segmenter_candidates.adapt(METHODS[method], source, images[adapted_on], seed)
        masks[0, predicted] = model(images[predicted]).argmax(-1)
        probabilities = model(images[adapted_on])
        masks[1, adapted_on] = probabilities.argmax(-1)
        row = nuclei_pairs.validator_values(probabilities, source.masks)
        on_source = segmenters.segment(model.weights, held_out.images).argmax(-1)
        row["source_dice"] = np.nanmean(nuclei_pairs.dice(held_out.masks, on_source))
        for name, value in row.items():
            values[name].append(value)
    return masks, values, training + time.process_time() - start


def _oracle(target: nuclei_pairs.Nuclei, seed: int) -> tuple[np.ndarray, float]:
    """Masks (2, N, H, W) by models that learned from one half each, and CPU-seconds."""
    start = time.process_time()
    masks = np.zeros((2, *target.masks.shape), np.uint8)
    for learn, predicted in nuclei_pairs.halves(target, seed):
        weights = segmenters.train(target.images[learn], target.masks[learn], STEPS, seed)
        masks[0, predicted] = segmenters.segment(weights, target.images[predicted]).argmax(-1)
        masks[1, learn] = segmenters.segment(weights, target.images[learn]).argmax(-1)
    return masks, time.process_time() - start


def _joined(values, style: str) -> str:
    return " ".join(style.format(value) for value in values)


@lru_cache
def _commit() -> str:
    """The commit that is checked out, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


ROWS = [(pair, method, seed) for seed in SEEDS for pair in PAIRS for method in (*METHODS, "oracle")]

if __name__ == "__main__":
    table.grow("nuclei", __doc__, KEY, COLUMNS, ROWS, measure)
