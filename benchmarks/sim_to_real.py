"""Segmenting nucleus and cytoplasm in another laboratory: adapted from one, or trained on nothing but the virtual microscope.

    python benchmarks/sim_to_real.py [--only TEXT] [--minutes 9]     # adds the missing rows to results/sim_to_real.csv
    python benchmarks/sim_to_real_summary.py                         # then: committed choices, shares of the gap, intervals

A row is one method (segmenters.py) on one pair and seed. The patients of the target (copies of a picture count as one) are
halved without a look at masks: what is adapted on one half predicts the other, and the other way round. "oracle" learns from
the masks of the other half, with the same number of steps. The source is four fifths of a laboratory's patients, or `VIRTUAL`
simulated images of "random" laboratories, another one for each image; "as many" has as many images and steps as the rival
that was trained in the other real laboratory. `each` holds Dice of every target image in thousandths, cytoplasm and then
nucleus. Two numbers, one a half, judge a candidate without masks of the target: `certainty` and `information` on
every 16th pixel, `agreement` with the vote of all candidates; `source_dice` is that of the held-out source.

Size and what learns were chosen on 200 simulated images of other random laboratories after 60 steps, steps by the time there
was, the ranges of the laboratories before anything was trained. Each time that real masks of the target are opened, a line is added to results/labels_opened.csv.
"""
from functools import lru_cache
import time

import table                               # first: it sets the threads
import adaptation
import numpy as np
import segmenters

from medlearn import datasets, metrics, splits

KEY = ("pair", "method", "seed")
JUDGES = ("source_dice", "certainty", "information", "agreement")
SCORES = ("cytoplasm", "nucleus", "cell")
COLUMNS = (*(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")), *JUDGES, "train_images", "cpu_seconds", "each")
SEEDS = range(3)
STEPS, VIRTUAL, VIRTUAL_STEPS = 150, 2000, 600
PAIRS = {                                  # name: (data, domain) of the source and of the target
    "smear a>b": (("smear", "lab-a"), ("smear", "lab-b")),
    "smear b>a": (("smear", "lab-b"), ("smear", "lab-a")),
    "virtual>wbc a": (("smear", "random"), ("wbc", "lab-a")),
    "virtual>wbc b": (("smear", "random"), ("wbc", "lab-b")),
    "wbc b>a": (("wbc", "lab-b"), ("wbc", "lab-a")),
    "wbc a>b": (("wbc", "lab-a"), ("wbc", "lab-b")),
    "virtual, as many>wbc a": (("smear", "random"), ("wbc", "lab-a")),
    "virtual, as many>wbc b": (("smear", "random"), ("wbc", "lab-b")),
}
BLIND = ("source only", "adabn", "tent", "mean teacher")     # there is no laboratory whose colours could be taken


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
    return datasets.load(data, domain=domain, count=count, size=segmenters.SIDE, seed=100 + 3 * seed + ("lab-a", "lab-b", "random").index(domain))


# ---- models ------------------------------------------------------------------------------------------------------


def learned(pair: str, seed: int) -> tuple[datasets.Dataset, datasets.Dataset, int]:
    """What the source model of a pair learns from, what is held out, and the number of steps."""
    here, target = PAIRS[pair]
    data = laboratory(here, seed)
    if here[1] != "random":
        learn, held = splits.by_patient(data.patients, test=0.2, seed=seed)
        return data.take(learn), data.take(held), STEPS
    if "as many" not in pair:
        return data.take(np.arange(VIRTUAL - 100)), data.take(np.arange(VIRTUAL - 100, VIRTUAL)), VIRTUAL_STEPS
    rival = next(each for each, (source, to) in PAIRS.items() if to == target and source[0] == "wbc")
    return data.take(np.arange(len(learned(rival, seed)[0]))), data.take(np.arange(VIRTUAL - 100, VIRTUAL)), STEPS


def source_of(pair: str, seed: int) -> segmenters.Source:
    data, _, steps = learned(pair, seed)
    return segmenters.Source(segmenters.kept(data.images, data.masks, steps, seed), data.images, data.masks)


# ---- rows --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def answered(pair: str, seed: int) -> dict[str, dict]:
    """Predicted masks of all candidates, what can be said of them without labels, and CPU-seconds."""
    there, (_, held, _) = laboratory(PAIRS[pair][1], seed), learned(pair, seed)
    start = time.process_time()
    source = source_of(pair, seed)
    training = time.process_time() - start         # less if another run had trained it
    halves = adaptation.halves(there, seed)
    found = {}
    for method in methods(pair):
        start, masks, inside = time.process_time(), np.zeros(there.masks.shape, np.uint8), []
        told = {name: [] for name in JUDGES}
        for adapted_on, predicted in zip(halves, halves[::-1]):
            tell, weights = segmenters.adapt(method, source, there.images[adapted_on], seed)
            masks[predicted] = tell(there.images[predicted]).argmax(-1)
            probabilities = tell(there.images[adapted_on])
            inside.append(probabilities.argmax(-1))
            for name, value in segmenters.judged(probabilities).items():
                told[name].append(value)
            told["source_dice"].append(np.nanmean(dices(held, segmenters.segmented(weights, held.images).argmax(-1))[:2]))
        found[method] = {"masks": masks, "inside": inside, "told": told, "seconds": training + time.process_time() - start}
        print("   ", pair, method, round(found[method]["seconds"]), flush=True)
    for half in range(2):
        for method, value in segmenters.agreement({name: each["inside"][half] for name, each in found.items()}).items():
            found[method]["told"]["agreement"].append(value)
    return found


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
    pairs = [(truth, masks, 1), (truth, masks, 2), ((truth > 0).astype(int), (masks > 0).astype(int), 1)]
    return np.stack([np.where((a == value).any((1, 2)), metrics.dice(a, b, value), np.nan) for a, b, value in pairs])


def measure(pair: str, method: str, seed: int) -> dict:
    there, real = laboratory(PAIRS[pair][1], seed), PAIRS[pair][1][0] == "wbc"
    if method == "oracle":
        if real:
            adaptation.log_opening("sim_to_real", pair, seed, method, "train the oracle")
        (masks, seconds), told, count = oracle(pair, seed), {}, len(there) // 2
    else:
        answer = answered(pair, seed)[method]
        masks, seconds, told, count = answer["masks"], answer["seconds"], answer["told"], len(learned(pair, seed)[0])
    if real:
        adaptation.log_opening("sim_to_real", pair, seed, method, "score")
    every, row = dices(there, masks), {}
    for name, values in zip(SCORES, every):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), (round(each, 4) for each in metrics.mean_score(values, there.patients))))
    return row | {**{name: " ".join(f"{each:.4f}" for each in told.get(name, ())) for name in JUDGES}, "train_images": count,
                  "cpu_seconds": round(seconds, 1), "each": "; ".join(" ".join(f"{1000 * each:.0f}" for each in values) for values in every[:2])}


ROWS = [(pair, method, seed) for seed in SEEDS for pair in PAIRS
        for method in (*methods(pair), *(() if pair.startswith("virtual") else ("oracle",)))]

if __name__ == "__main__":
    table.grow("sim_to_real", __doc__, KEY, COLUMNS, ROWS, measure)
