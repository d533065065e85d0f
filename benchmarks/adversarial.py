"""Does a reversed gradient help more where it reaches the encoder (DANN as published)?

    python benchmarks/adversarial.py [--only TEXT] [--minutes 9]   # adds the missing rows
    python benchmarks/adversarial_summary.py                       # then: means and intervals

About one CPU-minute a row; fills results/adversarial.csv. The rule is in PROTOCOL.md.

A row is one training: a layer of 64 units and a head learn the source's classes, alone or against
a discriminator of the domains, on the frozen encoder or together with its blocks 12 to 14. All see
the same batches for as many steps. `by_patient` holds right and all predictions of each target
patient that no method has seen; `domain_auroc` says how well a linear probe tells the laboratories
apart by the 64 units (.5: it cannot).
"""

from functools import lru_cache
import time
from typing import NamedTuple

from common import laboratories, table  # table first: it sets the threads
import numpy as np
from sklearn.linear_model import LogisticRegression

from medlearn import backbones, datasets, metrics, networks, splits, transfer
from medlearn._keras import keras
from medlearn.adaptation import colour, distances, layers, scale
from medlearn.transfer import pretraining

KEY = ("pair", "images", "method", "seed")
SCORES = ("accuracy", "transductive_accuracy", "home_accuracy", "domain_auroc")
COLUMNS = (*SCORES, "steps", "cpu_seconds", "by_patient")
SIZE, COUNT, VIEWS, FROM = 96, 400, 4, "block_12"
EPOCHS, STEPS_PER_EPOCH, BATCH, RATE, UNITS = 20, 15, 32, 5e-4, 64
METHODS = {  # method -> whether there is a discriminator, whether blocks 12 to 14 learn
    "source only": (False, False),
    "DANN, frozen encoder": (True, False),
    "fine-tuned on the source": (False, True),
    "DANN through the encoder": (True, True),
}
IMAGES = ("as they are", "scale, Reinhard")
PAIRS, SEEDS = ("smear a>b", "wbc a>b"), 3


class _Pair(NamedTuple):
    """Two laboratories, with rows of the source and of the target, and maps of all views."""

    source: datasets.Dataset
    target: datasets.Dataset
    learn: np.ndarray
    held: np.ndarray
    adapt: np.ndarray
    judge: np.ndarray
    source_maps: np.ndarray  # (views, N, h, w, channels), the first view is the image itself
    target_maps: np.ndarray


@lru_cache(maxsize=1)
def _encoder() -> keras.Model:
    return networks.copy_up_to(backbones.load("efficientnet_lite0", size=SIZE), "block_14")


def _turned(images: np.ndarray, seed: int) -> np.ndarray:
    """Each image in one of eight positions, at random."""
    random = np.random.default_rng(seed)
    turns, swaps = random.integers(4, size=len(images)), random.integers(2, size=len(images))
    return np.concatenate(
        [networks.views.turn(images[i : i + 1], turns[i], swaps[i]) for i in range(len(images))]
    )


def _maps(images: np.ndarray, seed: int) -> np.ndarray:
    views = pretraining.view_maps(_encoder(), images, _turned, from_=FROM, views=VIEWS, seed=seed)
    plain = pretraining.view_maps(
        _encoder(), images, lambda same, _: same, from_=FROM, views=2, seed=seed
    )
    return np.concatenate([plain[:1], views])


@lru_cache(maxsize=1)
def _pair(pair: str, images: str, seed: int) -> _Pair:
    """The images of a seed; simulated patients differ between seeds and laboratories."""
    name = pair.split()[0]
    source, target = (
        datasets.load(name, domain=domain, count=COUNT, size=SIZE, seed=300 + 2 * seed + number)
        for number, domain in enumerate(("lab-a", "lab-b"))
    )
    learn, held = splits.by_patient(source.patients, test=0.25, seed=seed, labels=source.labels)
    adapt, judge = splits.by_patient(target.patients, test=0.5, seed=seed)
    target_images = target.images
    if images == "scale, Reinhard":
        labels = source.labels[learn]
        rows = [learn[labels == value][:8] for value in np.unique(labels)]
        reference = source.images[np.concatenate(rows)]
        factor = scale.factor(target.images[adapt], reference)
        target_images = colour.reinhard(scale.zoom(target.images, factor), reference)
    maps = _maps(source.images, seed), _maps(target_images, seed + 1)
    return _Pair(source, target, learn, held, adapt, judge, *maps)


def _tail() -> keras.Model:
    """Blocks 12 to 14 with weights of their own and a mean over places; BatchNorm is still."""
    encoder = networks.copy_up_to(_encoder(), "block_14")
    transfer.unfreeze(encoder, FROM)
    start = encoder.get_layer("block_11").output
    return keras.Model(start, keras.layers.GlobalAveragePooling2D()(encoder.output))


def _body(tail: keras.Model | None, vectors: np.ndarray) -> keras.Model:
    """From maps, or from vectors of the frozen encoder, to 64 units."""
    inputs = keras.Input(vectors.shape[1:] if tail is None else tail.input_shape[1:])
    scaled = keras.layers.Normalization(mean=vectors.mean(0), variance=vectors.var(0) + 1e-6)
    units = keras.layers.Dense(UNITS, "relu")
    return keras.Model(inputs, units(scaled(inputs if tail is None else tail(inputs))))


def _flat(maps: np.ndarray) -> np.ndarray:
    """All views, one after the other."""
    return maps.reshape(-1, *maps.shape[2:]).astype("float32")


def _train(data: _Pair, method: str, seed: int) -> tuple[keras.Model, keras.Model, dict]:
    """The body and the classifier of a method, and their inputs for each domain."""
    has_discriminator, tunes = METHODS[method]
    keras.utils.set_random_seed(seed)
    tail = _tail()
    maps = {"source": data.source_maps, "target": data.target_maps}
    vectors = {
        name: tail.predict(_flat(part), batch_size=256, verbose=0).reshape(*part.shape[:2], -1)
        for name, part in maps.items()
    }
    inputs = maps if tunes else vectors
    body = _body(tail if tunes else None, vectors["source"][0, data.learn])
    head = keras.layers.Dense(len(data.source.classes), "softmax")
    distance = layers.DomainDiscriminator(seed=seed) if has_discriminator else distances.mmd
    model = layers.alignment_model(body, head, distance, 1.0 if has_discriminator else 0.0)
    rates = keras.optimizers.schedules.CosineDecay(
        0.0, EPOCHS * STEPS_PER_EPOCH - 30, warmup_target=RATE, warmup_steps=30
    )
    optimizer = keras.optimizers.AdamW(rates, weight_decay=1e-4)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    labels = np.tile(data.source.labels[data.learn], VIEWS)
    source, target = inputs["source"][1:, data.learn], inputs["target"][1:, data.adapt]
    stream = layers.paired_batches(
        _flat(source), labels, _flat(target), batch_size=BATCH, seed=seed
    )
    callbacks = [layers.reversal_schedule(distance, EPOCHS)] if has_discriminator else []
    options = {"steps_per_epoch": STEPS_PER_EPOCH, "epochs": EPOCHS, "verbose": 0}
    model.fit(stream, callbacks=callbacks, shuffle=False, **options)
    plain = {name: part[0].astype("float32") for name, part in inputs.items()}
    return body, keras.Model(body.input, head(body.output)), plain


def _domain_auroc(source: np.ndarray, target: np.ndarray, data: _Pair) -> float:
    """How well a linear probe tells the laboratories of images apart that it has not seen."""

    def both(rows, other_rows):
        is_target = np.repeat([0, 1], [len(rows), len(other_rows)])
        return np.concatenate([source[rows], target[other_rows]]), is_target

    probe = LogisticRegression(max_iter=2000).fit(*both(data.learn, data.adapt))
    units, is_target = both(data.held, data.judge)
    return metrics.auroc(is_target, probe.decision_function(units))


def measure(pair: str, images: str, method: str, seed: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    pair : str
        One of `PAIRS`.
    images : str
        One of `IMAGES`: what is done to the target's images first.
    method : str
        Name in `METHODS`.
    seed : int
        Seed of the cells, the divisions and the training.
    """
    data = _pair(pair, images, seed)
    before = time.process_time()
    body, classifier, inputs = _train(data, method, seed)
    seconds = time.process_time() - before
    there = classifier.predict(inputs["target"], verbose=0).argmax(1)
    at_home = classifier.predict(inputs["source"][data.held], verbose=0).argmax(1)
    if pair.startswith("wbc"):
        laboratories.log_opening("adversarial", pair, seed, method, "scoring")
    right = there == data.target.labels
    units = [body.predict(inputs[name], verbose=0) for name in ("source", "target")]
    return {
        "accuracy": round(float(right[data.judge].mean()), 4),
        "transductive_accuracy": round(float(right[data.adapt].mean()), 4),
        "home_accuracy": round(metrics.accuracy(data.source.labels[data.held], at_home), 4),
        "domain_auroc": round(_domain_auroc(*units, data), 4),
        "steps": EPOCHS * STEPS_PER_EPOCH,
        "cpu_seconds": round(seconds, 1),
        "by_patient": _by_patient(right[data.judge], data.target.patients[data.judge]),
    }


def _by_patient(right: np.ndarray, patients: np.ndarray) -> str:
    """Such as "5/8 7/9": right predictions of all predictions of each patient."""
    parts = [right[patients == name] for name in np.unique(patients)]
    return " ".join(f"{part.sum()}/{len(part)}" for part in parts)


ROWS = [
    ("smear a>b", images, method, seed)
    for images in IMAGES
    for seed in range(SEEDS)
    for method in METHODS
]
ROWS += [("wbc a>b", "as they are", method, seed) for seed in range(SEEDS) for method in METHODS]

if __name__ == "__main__":
    table.grow("adversarial", __doc__, KEY, COLUMNS, ROWS, measure)
