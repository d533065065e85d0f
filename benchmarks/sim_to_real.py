"""Segmenting nucleus and cytoplasm in another laboratory: adapted from one, or trained on nothing but the virtual microscope.

    python benchmarks/sim_to_real.py [--only TEXT] [--minutes 9]     # adds the missing rows to results/sim_to_real.csv
    python benchmarks/sim_to_real_summary.py                         # then: committed choices, shares of the gap, intervals

A row is one method (segmenters.py) on one pair and seed. The patients of the target (copies of a picture count as one) are
halved without a look at masks: what is adapted on one half predicts the other, and the other way round. "oracle" learns from
the masks of the other half, with the same number of steps. The source is four fifths of a laboratory's patients, or `VIRTUAL`
simulated images of "random" laboratories, another one for each image; "as many" has as many images and steps as the rival
that was trained in the other real laboratory. "random looks" shows the source's images for twice the steps, each as another
laboratory might have taken it (medlearn.adaptation.randomisation; its ranges are those first written, tried on one pair of
random laboratories). "simulated too" learns from the source and the simulated images at once, for `VIRTUAL_STEPS`; on `smear`,
where one simulator makes all three, that is no method for a hospital. `each` holds Dice of every target image in thousandths,
cytoplasm and then nucleus. Two numbers, one a half, judge a candidate without masks of the target:
`certainty` and `information` on every 16th pixel; `source_dice` is that of the held-out source.

Size and what learns were chosen on 200 simulated images of other random laboratories after 60 steps, steps by the time there
was, the ranges of the laboratories before anything was trained. Each time that real masks of the target are opened, a line is added to results/labels_opened.csv.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import adaptation
import numpy as np
from common import segmenters

from medlearn import datasets, metrics, splits

KEY = ("pair", "method", "seed")
JUDGES = ("source_dice", "certainty", "information")
SCORES = ("cytoplasm", "nucleus", "cell")
COLUMNS = (
    *(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")),
    *JUDGES,
    "train_images",
    "cpu_seconds",
    "each",
)
SEEDS = range(3)
STEPS, VIRTUAL, VIRTUAL_STEPS = 150, 2000, 600
PAIRS = {  # name: (data, domain) of the source and of the target
    "smear a>b": (("smear", "lab-a"), ("smear", "lab-b")),
    "smear b>a": (("smear", "lab-b"), ("smear", "lab-a")),
    "virtual>wbc a": (("smear", "random"), ("wbc", "lab-a")),
    "virtual>wbc b": (("smear", "random"), ("wbc", "lab-b")),
    "wbc b>a": (("wbc", "lab-b"), ("wbc", "lab-a")),
    "wbc a>b": (("wbc", "lab-a"), ("wbc", "lab-b")),
    "virtual, as many>wbc a": (("smear", "random"), ("wbc", "lab-a")),
    "virtual, as many>wbc b": (("smear", "random"), ("wbc", "lab-b")),
}
BLIND = (
    "source only",
    "adabn",
    "tent",
    "mean teacher",
)  # there is no laboratory whose colours could be taken


def methods(pair: str) -> tuple[str, ...]:
    """The candidates of a pair."""
    if "as many" in pair:
        return ("source only",)
    return BLIND if pair.startswith("virtual") else tuple(segmenters.METHODS)


@lru_cache(maxsize=6)
def laboratory(where: tuple[str, str], seed: int) -> datasets.Dataset:
    """One laboratory; simulated patients differ from seed to seed and between laboratories."""
    data, domain = where
    if data == "wbc":
        return datasets.load(data, domain=domain, size=segmenters.SIDE)
    count = VIRTUAL if domain == "random" else 300
    return datasets.load(
        data,
        domain=domain,
        count=count,
        size=segmenters.SIDE,
        seed=100 + 3 * seed + ("lab-a", "lab-b", "random").index(domain),
    )


# ---- models ------------------------------------------------------------------------------------------------------


def learned(pair: str, seed: int) -> tuple[datasets.Dataset, datasets.Dataset, int]:
    """What the source model of a pair learns from, what is held out, and the number of steps."""
    here, target = PAIRS[pair]
    data = laboratory(here, seed)
    if here[1] != "random":
        learn, held = splits.by_patient(data.patients, test=0.2, seed=seed)
        return data.take(learn), data.take(held), STEPS
    if "as many" not in pair:
        return (
            data.take(np.arange(VIRTUAL - 100)),
            data.take(np.arange(VIRTUAL - 100, VIRTUAL)),
            VIRTUAL_STEPS,
        )
    rival = next(
        each for each, (source, to) in PAIRS.items() if to == target and source[0] == "wbc"
    )
    return (
        data.take(np.arange(len(learned(rival, seed)[0]))),
        data.take(np.arange(VIRTUAL - 100, VIRTUAL)),
        STEPS,
    )


@lru_cache(maxsize=2)
def source_of(pair: str, seed: int, teacher: str = "source") -> tuple[segmenters.Source, float]:
    """The source model of a pair, taught by the source as it is, in random looks, or by simulated images too, and its CPU-seconds."""
    data, _, steps = learned(pair, seed)
    images, masks = data.images, data.masks
    if teacher == "simulated too":
        simulated, _, steps = learned("virtual>wbc a", seed)
        images, masks = (
            np.concatenate([images, simulated.images]),
            np.concatenate([masks, simulated.masks]),
        )
    looks = teacher == "random looks"
    weights, seconds = segmenters.kept(images, masks, steps * 2 if looks else steps, seed, looks)
    return segmenters.Source(weights, data.images, data.masks), seconds


# ---- rows --------------------------------------------------------------------------------------------------------


def answered(pair: str, method: str, seed: int) -> tuple[np.ndarray, dict[str, list], float]:
    """Predicted masks of the target, what each judge says of either half, and CPU-seconds."""
    there, (_, held, _) = laboratory(PAIRS[pair][1], seed), learned(pair, seed)
    source, training = source_of(pair, seed, segmenters.METHODS[method][-1])
    start, masks, told = (
        time.process_time(),
        np.zeros(there.masks.shape, np.uint8),
        {name: [] for name in JUDGES},
    )
    halves = adaptation.halves(there, seed)
    for adapted_on, predicted in zip(halves, halves[::-1]):
        tell, weights = segmenters.adapt(method, source, there.images[adapted_on], seed)
        masks[predicted] = tell(there.images[predicted]).argmax(-1)
        for name, value in segmenters.judged(tell(there.images[adapted_on])).items():
            told[name].append(value)
        told["source_dice"].append(
            np.nanmean(dices(held, segmenters.segmented(weights, held.images).argmax(-1))[:2])
        )
    return masks, told, training + time.process_time() - start


def oracle(pair: str, seed: int) -> tuple[np.ndarray, float]:
    """Masks of each half by a model that learned from the other, and CPU-seconds."""
    there, start = laboratory(PAIRS[pair][1], seed), time.process_time()
    masks = np.zeros(there.masks.shape, np.uint8)
    halves = adaptation.halves(there, seed)
    for learn, predicted in zip(halves, halves[::-1]):
        weights = segmenters.trained(there.images[learn], there.masks[learn], STEPS, seed)
        masks[predicted] = segmenters.segmented(weights, there.images[predicted]).argmax(-1)
    return masks, time.process_time() - start


def dices(data: datasets.Dataset, masks: np.ndarray) -> np.ndarray:
    """Dice (3, N) of cytoplasm, nucleus and the whole cell; NaN where the truth lacks it, 0 where the answer does."""
    truth = data.masks
    pairs = [
        (truth, masks, 1),
        (truth, masks, 2),
        ((truth > 0).astype(int), (masks > 0).astype(int), 1),
    ]
    return np.stack(
        [
            np.where((a == value).any((1, 2)), metrics.dice(a, b, value), np.nan)
            for a, b, value in pairs
        ]
    )


def measure(pair: str, method: str, seed: int) -> dict:
    there, real = laboratory(PAIRS[pair][1], seed), PAIRS[pair][1][0] == "wbc"
    if method == "oracle":
        if real:
            adaptation.log_opening("sim_to_real", pair, seed, method, "train the oracle")
        (masks, seconds), told, count = oracle(pair, seed), {}, len(there) // 2
    else:
        (masks, told, seconds), count = answered(pair, method, seed), len(learned(pair, seed)[0])
        count += len(learned("virtual>wbc a", seed)[0]) * method.startswith("simulated too")
    if real:
        adaptation.log_opening("sim_to_real", pair, seed, method, "score")
    every, row = dices(there, masks), {}
    for name, values in zip(SCORES, every):
        row |= dict(
            zip(
                (name, f"{name}_low", f"{name}_high"),
                (round(each, 4) for each in metrics.mean_score(values, there.patients)),
            )
        )
    return row | {
        **{name: " ".join(f"{each:.4f}" for each in told.get(name, ())) for name in JUDGES},
        "train_images": count,
        "cpu_seconds": round(seconds, 1),
        "each": "; ".join(
            " ".join(f"{1000 * each:.0f}" for each in values) for values in every[:2]
        ),
    }


ROWS = [
    (pair, method, seed)
    for seed in SEEDS
    for pair in PAIRS
    for method in (*methods(pair), *(() if pair.startswith("virtual") else ("oracle",)))
]

if __name__ == "__main__":
    table.grow("sim_to_real", __doc__, KEY, COLUMNS, ROWS, measure)
