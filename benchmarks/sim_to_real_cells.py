"""Naming real cells by a classifier that learned from simulated ones, from the other real laboratory, from both, or at home.

    python benchmarks/sim_to_real_cells.py [--only TEXT] [--minutes 9]    # adds the missing rows to results/sim_to_real_cells.csv
    python benchmarks/sim_to_real_summary.py                              # then: committed choices, intervals

A row is one candidate: which pictures are shown ("frame"; "scale+reinhard" as in candidates.py; "crop": the cell in the middle, at
the scale at which the median cell of its laboratory fills half the frame; "cut out": the same on white), whose vectors ("lite0",
block 14 as on ImageNet, "tuned": a copy that learned the cells of random laboratories, or "looks": one that learned the other
real laboratory's cells in random looks, medlearn.adaptation.randomisation), and how vectors are matched and
learned from (candidates.py). Cells are found by the segmenter of sim_to_real.py that saw only simulated images, in all
laboratories alike. The source "virtual" is 1000 simulated cells, each of another random laboratory; "both" are these and the other
real laboratory, each matched to the target for itself. Patients of the target
are halved, and what is matched on one half predicts the other. Four classes: `wbc` has next to no basophils.

"rehearsal N" is a target as well: 120 simulated cells of one random laboratory that is not in the source. The choice for a real
laboratory is, as in adaptation_summary.py, the candidate that agrees most often with the vote of all; this was settled when
no row of `wbc` had been measured; "both" was thought of after seed 0 of "virtual" had been seen, with the same candidates and
choice. Layer and rates are those of other benchmarks; nothing was tried on real cells.
"oracle" learns from the other half's labels, "majority" answers the commonest class of the target, which only its
labels tell. Each time that real labels of the target are opened, a line is added to results/labels_opened.csv.
"""

from functools import lru_cache
import time

from common import table  # first: it sets the threads
import adaptation
from common import candidates
import numpy as np
from common import segmenters
import sim_to_real
from scipy import ndimage
from skimage import transform

from medlearn import datasets, metrics, splits
from medlearn.adaptation import randomisation
from medlearn._keras import keras
from medlearn.instruments import smear
from medlearn.networks import views
from medlearn.selection import validators

KEY = ("target", "source", "method", "seed")
JUDGES = {"certainty": validators.certainty, "information": validators.mutual_information}
COLUMNS = ("accuracy", "macro_f1", *JUDGES, "cpu_seconds", "predictions")
SEEDS = range(2)
CLASSES, COUNT, SIDE, REHEARSALS = 4, 1000, 128, 2
OTHER = {"wbc a": "wbc b", "wbc b": "wbc a"}  # a real laboratory, and the one that it is not
TARGETS = (*OTHER, *(f"rehearsal {number}" for number in range(REHEARSALS)))
SHOWN = (
    "frame, lite0",
    "scale+reinhard, lite0",
    "crop, lite0",
    "cut out, lite0",
    "frame, tuned",
    "cut out, tuned",
)
SHOWN_OF_REAL = tuple(name.replace("tuned", "looks") for name in SHOWN)
MATCHERS, LEARNERS = ("none", "standardise", "coral"), ("probe", "self-training")


# ---- laboratories ------------------------------------------------------------------------------------------------


@lru_cache
def laboratory(name: str, seed: int) -> datasets.Dataset:
    """Cells of the four classes, 128 px."""
    if name.startswith("wbc"):
        return datasets.load("wbc", domain=f"lab-{name[-1]}", size=SIDE)
    if name == "virtual":
        data = datasets.load(
            "smear", domain="random", count=COUNT * 5 // 4, size=SIDE, seed=500 + seed
        )
    else:
        bench = smear.random_laboratory((600 + seed, int(name[-1])))
        data = smear.single_cells(bench, 150, size=SIDE, seed=600 + 10 * seed + int(name[-1]))
    return data.take(np.flatnonzero(data.labels < CLASSES))


# ---- pictures ----------------------------------------------------------------------------------------------------


@lru_cache
def found(name: str, seed: int) -> np.ndarray:
    """Whether a pixel belongs to the cell in the middle, (N, 128, 128), as the virtual segmenter sees it."""
    source, _ = sim_to_real.source_of("virtual>wbc a", seed)
    images = laboratory(name, seed).images
    small = np.stack(
        [
            transform.resize(
                image, (segmenters.SIDE,) * 2, order=1, preserve_range=True, anti_aliasing=True
            )
            for image in images
        ]
    )
    inside = 1 - segmenters.segmented(source.weights, np.round(small).astype(np.uint8))[..., 0]
    large = np.stack([transform.resize(each, (SIDE, SIDE), order=1) for each in inside]) > 0.5
    return np.stack([_middle(each) for each in large])


def _middle(mask: np.ndarray) -> np.ndarray:
    """The part nearest to the middle among those of some size; everything if there is none."""
    parts, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, parts, range(1, count + 1))
    large = [number + 1 for number in range(count) if sizes[number] > 0.01 * mask.size]
    if not large:
        return np.ones_like(mask)
    far = [
        np.hypot(*(np.array(ndimage.center_of_mass(parts == number)) - SIDE / 2))
        for number in large
    ]
    return ndimage.binary_fill_holes(parts == large[int(np.argmin(far))])


@lru_cache
def pictures(name: str, shown: str, source: str, seed: int) -> np.ndarray:
    """What is shown of a laboratory's images; `source` is the laboratory whose colours and scale count, if they do."""
    images = laboratory(name, seed).images
    if shown in candidates.IMAGES:
        reference = laboratory(source, seed).images[::6]
        return images if name == source else candidates.IMAGES[shown](images, reference)
    if shown == "frame":
        return images
    cells = found(name, seed)
    by = SIDE / 2 / np.median(2 * np.sqrt(cells.sum((1, 2)) / np.pi))
    return np.stack(
        [_centred(image, cell, by, shown == "cut out") for image, cell in zip(images, cells)]
    )


def _centred(image: np.ndarray, cell: np.ndarray, by: float, alone: bool) -> np.ndarray:
    image = (
        np.where(ndimage.binary_dilation(cell, iterations=2)[..., None], image, 255)
        if alone
        else image
    )
    middle = np.array(ndimage.center_of_mass(cell))[::-1]
    back = transform.AffineTransform(scale=1 / by, translation=middle - SIDE / 2 / by)
    return np.round(
        transform.warp(image, back, order=1, mode="reflect", preserve_range=True)
    ).astype(np.uint8)


# ---- vectors -----------------------------------------------------------------------------------------------------


@lru_cache
def tuned(name: str, shown: str, looks: bool, seed: int) -> keras.Model:
    """Lite0 up to block 14 after it learned the four classes from a laboratory's cells, in random looks or as they are shown."""
    here = laboratory(name, seed)
    encoder = keras.models.clone_model(candidates.lite0())
    encoder.set_weights(candidates.lite0().get_weights())
    for layer in encoder.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    told = keras.layers.Dense(CLASSES, "softmax")(
        keras.layers.Dropout(0.3, seed=seed)(keras.layers.GlobalAveragePooling2D()(encoder.output))
    )
    model = keras.Model(encoder.input, told)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, TUNING - 30, warmup_target=1e-3, warmup_steps=30
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    rows = np.concatenate(
        [random.permutation(len(here)) for _ in range(-(-TUNING * 32 // len(here)))]
    )[: TUNING * 32]
    images = pictures(name, shown, name, seed)[rows]
    if looks:
        images, _ = randomisation.randomise_appearance(images, np.zeros(images.shape[:3], np.uint8), seed=seed)
    for part, view in zip(
        np.array_split(random.permutation(len(rows)), len(views.TURNS)), views.TURNS
    ):
        images[part] = views.turned(images[part], (view,))
    model.fit(images, here.labels[rows], batch_size=32, shuffle=False, verbose=0)
    return encoder


TUNING = 200  # steps of 32 images


@lru_cache
def vectors(name: str, shown: str, source: str, seed: int) -> np.ndarray:
    what, whose = shown.split(", ")
    looks = whose == "looks"
    encoder = (
        candidates.lite0()
        if whose == "lite0"
        else tuned(source if looks else "virtual", what, looks, seed)
    )
    return candidates.averaged(
        encoder, pictures(name, what, source if what == "scale+reinhard" else name, seed)
    )


# ---- rows --------------------------------------------------------------------------------------------------------


def divided(names: tuple[str, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of laboratories one after the other: the rows to learn from, four fifths of each one's patients, and those held out."""
    learn, held, before = [], [], 0
    for name in names:
        data = laboratory(name, seed)
        for found, rows in zip(
            (learn, held), splits.by_patient(data.patients, test=0.2, seed=seed)
        ):
            found.append(before + rows)
        before += len(data)
    return np.concatenate(learn), np.concatenate(held)


def sources(target: str, source: str) -> tuple[str, ...]:
    """Names of the laboratories that teach."""
    return ("virtual", OTHER[target]) if source == "both" else (source,)


def answered(target: str, source: str, method: str, seed: int) -> tuple[np.ndarray, dict]:
    """Probabilities of the target's cells, and what the validators say of them, a number a half."""
    there, names = laboratory(target, seed), sources(target, source)
    *shown, matcher, learner = method.split(", ")
    known = [vectors(name, ", ".join(shown), source, seed) for name in names]
    seen = vectors(target, ", ".join(shown), source, seed)
    labels = np.concatenate([laboratory(name, seed).labels for name in names])
    learn, held = divided(names, seed)
    how = "source only" if learner == "probe" else f"as they are, kept, none, {learner}"
    halves, told, judged = adaptation.halves(there, seed), {}, {name: [] for name in JUDGES}
    for adapted_on, predicted in zip(halves, halves[::-1]):
        matchers = [candidates.MATCHERS[matcher]().fit(each, seen[adapted_on]) for each in known]
        matched = [fit.transform_source(each) for fit, each in zip(matchers, known, strict=True)]
        space = candidates.Space(np.concatenate(matched), matchers[0].transform_target(seen))
        tell, _ = candidates.adapt(how, space, learn, held, labels[learn], adapted_on, seed)
        told |= dict(zip(predicted, tell(predicted)))
        for name, validator in JUDGES.items():
            judged[name].append(validator(tell(adapted_on)))
    return np.array([told[row] for row in range(len(there))]), judged


def oracle(target: str, shown: str, seed: int) -> np.ndarray:
    """Classes that a probe says which learned from the labels of the other half."""
    there, known = laboratory(target, seed), vectors(target, shown, target, seed)
    halves, told = adaptation.halves(there, seed), np.zeros(len(there), int)
    for learn, predicted in zip(halves, halves[::-1]):
        told[predicted] = (
            candidates.probe().fit(known[learn], there.labels[learn]).predict(known[predicted])
        )
    return told


def measure(target: str, source: str, method: str, seed: int) -> dict:
    there, start, judged = laboratory(target, seed), time.process_time(), {}
    if source == "majority":
        predictions = np.full(len(there), np.bincount(there.labels).argmax())
    elif source == "oracle":
        predictions = oracle(target, method, seed)
    else:
        probabilities, judged = answered(target, source, method, seed)
        predictions = probabilities.argmax(1)
    seconds = time.process_time() - start
    if target.startswith("wbc"):
        adaptation.log_opening(
            "sim_to_real_cells",
            f"{source}>{target}",
            seed,
            method,
            "train the oracle and score" if source == "oracle" else "score",
        )
    return {
        "accuracy": round(metrics.accuracy(there.labels, predictions), 4),
        "macro_f1": round(metrics.macro_f1(there.labels, predictions), 4),
        **{name: " ".join(f"{each:.4f}" for each in judged.get(name, ())) for name in JUDGES},
        "cpu_seconds": round(seconds, 1),
        "predictions": "".join(map(str, predictions)),
    }


def rows(seed: int) -> list[tuple]:
    def ways(all_shown):
        return [
            f"{shown}, {matcher}, {learner}"
            for shown in all_shown
            for matcher in MATCHERS
            for learner in LEARNERS
        ]

    rehearsed = [(target, "virtual", way, seed) for way in ways(SHOWN) for target in TARGETS[2:]]
    real = [(target, "virtual", way, seed) for way in ways(SHOWN) for target in OTHER]
    both = [
        (target, "both", way, seed)
        for way in ways(SHOWN)
        for target in OTHER
        if "reinhard" not in way
    ]  # whose colours?
    rivals = [
        (target, other, way, seed) for target, other in OTHER.items() for way in ways(SHOWN_OF_REAL)
    ]
    bounds = [(target, "oracle", shown, seed) for target in OTHER for shown in SHOWN] + [
        (target, "majority", "", seed) for target in OTHER
    ]
    return real + bounds + both + rivals + rehearsed


ROWS = [row for seed in SEEDS for row in rows(seed)]

if __name__ == "__main__":
    table.grow("sim_to_real_cells", __doc__, KEY, COLUMNS, ROWS, measure)
