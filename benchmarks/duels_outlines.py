"""How many outlines must an expert draw to tell which of two segmentations is better?

    python benchmarks/duels_outlines.py [--only TEXT] [--minutes 9]

About three CPU-minutes; fills results/duels_outlines.csv.

A row is two of seven simple segmentations of the leukocyte (thresholds by Otsu, of an image or of
all, some smoothed) on 150 cells of a random laboratory. The truth are all simulated masks: `gain`
is the difference of the mean Dice coefficients. `duel_` is `selection.duel_scores` with the limits
of `selection.dice_limits`, whose mean is `limit`; `random_` is the same test with the limit 1
everywhere, which draws all images alike. `_wrong` is the share of wrong answers, `_15` and `_40`
the shares decided within so many outlines. `duel_labels` are the outlines of each duel, 99 if it
stayed undecided. No setting of the test was chosen on these rows.

What the rows of 2026-11-29 reach: no wrong answer in 2,520 duels. Where the mean Dice differs by
ten points or more, 98 % are decided within 40 outlines, half of them within 14; by 5 to 10 points,
83 %, and 1 % without the limits. These segmentations differ plainly; two networks may differ less.
"""

from functools import lru_cache
from itertools import combinations

from common import table  # first: it sets the threads
import numpy as np
from skimage import filters, morphology

from medlearn import metrics, selection
from medlearn.instruments import smear

SEGMENTATIONS = (
    "saturation",
    "green",
    "red",
    "saturation of all",
    "red of all",
    "red, opened",
    "red, dilated",
)
KEY = ("laboratory", "first", "second")
OF_DESIGN = ("wrong", "15", "40")
COLUMNS = (
    "gain",
    "limit",
    *(f"{design}_{name}" for design in ("duel", "random") for name in OF_DESIGN),
    "duel_labels",
)
LABORATORIES, IMAGES, SIZE_PX, SEEDS = 12, 150, 64, 10
WORTH, MOST, EARLY, UNDECIDED_LABELS = 0.02, 40, 15, 99
_FIRST_LABORATORY, _FIRST_CELLS = 100, 500  # seeds


def measure(laboratory: int, first: str, second: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    laboratory : int
        Number of the laboratory.
    first, second : str
        Names in `SEGMENTATIONS`.
    """
    truth, masks = _cells(laboratory)
    scores = np.stack([metrics.dice(truth, masks[name], empty=1.0) for name in (first, second)])
    gain = float(scores[1].mean() - scores[0].mean())
    limits = selection.dice_limits(masks[first], masks[second])
    result = {"gain": round(gain, 4), "limit": round(float(limits.mean()), 4)}
    for design, limit in (("duel", limits), ("random", np.ones(IMAGES))):
        labels, wrong = _duels(limit, scores, gain)
        shares = (wrong.mean(), (labels <= EARLY).mean(), (labels <= MOST).mean())
        for name, share in zip(OF_DESIGN, shares):
            result[f"{design}_{name}"] = round(float(share), 4)
        if design == "duel":
            result["duel_labels"] = " ".join(map(str, labels))
    return result


def _duels(limits: np.ndarray, scores: np.ndarray, gain: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels of each duel, and whether its answer is wrong."""
    labels, wrong = [], []
    for seed in range(SEEDS):
        verdict = selection.duel_scores(limits, lambda index: scores[:, index], seed=seed)
        is_open = verdict.answer == "undecided"
        labels.append(UNDECIDED_LABELS if is_open else len(verdict.asked))
        wrong.append(_is_wrong(verdict.answer, gain))
    return np.array(labels), np.array(wrong)


def _is_wrong(answer: str, gain: float) -> bool:
    if answer == "no difference worth having":
        return abs(gain) > WORTH + 1e-9
    return (answer == "better" and gain <= 1e-9) or (answer == "worse" and gain >= -1e-9)


@lru_cache(maxsize=1)
def _cells(number: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Masks of the cells of one laboratory, and each segmentation of them."""
    laboratory = smear.random_laboratory(seed=_FIRST_LABORATORY + number)
    cells = smear.single_cells(laboratory, IMAGES, SIZE_PX, seed=_FIRST_CELLS + number)
    images = np.asarray(cells.images).astype(float)
    saturation = images.max(-1) - images.min(-1)
    green, red = 255 - images[..., 1], 255 - images[..., 0]
    disk = morphology.disk(1)
    of_red = _each(red)
    segmentations = (
        _each(saturation),
        _each(green),
        of_red,
        saturation > filters.threshold_otsu(saturation),
        red > filters.threshold_otsu(red),
        np.stack([morphology.opening(mask, disk) for mask in of_red]),
        np.stack([morphology.dilation(mask, disk) for mask in of_red]),
    )
    masks = [segmentation.astype(int) for segmentation in segmentations]
    return (np.asarray(cells.masks) > 0).astype(int), dict(zip(SEGMENTATIONS, masks, strict=True))


def _each(values: np.ndarray) -> np.ndarray:
    """Images above their own threshold."""
    return np.stack([image > filters.threshold_otsu(image) for image in values])


if __name__ == "__main__":
    PAIRS = [(n, *pair) for n in range(LABORATORIES) for pair in combinations(SEGMENTATIONS, 2)]
    table.grow("duels_outlines", __doc__, KEY, COLUMNS, PAIRS, measure)
