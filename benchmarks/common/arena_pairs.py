"""Random pairs of simulated laboratories and scanners, with a shift of several kinds on top.

The numbers are those of PROTOCOL.md and are frozen: pair p is drawn from the seed [21, p].
"""

from typing import NamedTuple

import numpy as np

from medlearn import splits
from medlearn.instruments import mri, smear

SIDE = 96
KINDS = "laboratory", "shares", "missing", "background", "inverted", "none", "subtypes", "few"
SMEAR_PAIRS, MRI_PAIRS = 96, 16
FIRST_MRI = 1000  # number of the first pair of scanners
_POOL = {"smear": (360, 600), "mri": (128, 208)}  # images that are simulated at most
_MOST = {"smear": (200, 360), "mri": (128, 208)}  # images that are kept of source and target
_FEW = 60
_MISSING = {5: 2, 4: 1, 3: 1}  # how many classes of so many do not occur
_GRANULOCYTES, _OTHERS = (0, 3, 4), (1, 2)
_HEALTHY, _LESIONS = 0, (1, 2, 3)
_OUTSIDE = -1  # not in the task


class Domain(NamedTuple):
    """Images (N, H, W, 3), their labels in the task, and their patients."""

    images: np.ndarray
    labels: np.ndarray
    patients: np.ndarray


class Pair(NamedTuple):
    """Both domains, and the rows of them that have a use."""

    source: Domain
    target: Domain
    learn: np.ndarray  # rows of the source
    held_out: np.ndarray
    adapted_on: np.ndarray  # rows of the target
    scored: np.ndarray


def numbers(half: str) -> list[int]:
    """Return the numbers of the pairs of one half of the arena, smear first.

    Parameters
    ----------
    half : {"development", "test"}
        Pairs with an even number // 8, or the others.
    """
    every = [*range(SMEAR_PAIRS), *range(FIRST_MRI, FIRST_MRI + MRI_PAIRS)]
    return [number for number in every if half_of(number) == half]


def half_of(number: int) -> str:
    """Return "development" or "test"."""
    return "test" if number % FIRST_MRI // len(KINDS) % 2 else "development"


def kind_of(number: int) -> str:
    """Return the kind of shift of a pair."""
    return KINDS[number % FIRST_MRI % len(KINDS)]


def instrument_of(number: int) -> str:
    """Return "smear" or "mri"."""
    return "mri" if number >= FIRST_MRI else "smear"


def load(number: int) -> Pair:
    """Simulate a pair.

    Parameters
    ----------
    number : int
        Number of the pair.
    """
    instrument, kind = instrument_of(number), kind_of(number)
    random = np.random.default_rng([21, number])
    source_task, target_task = _tasks(instrument, kind, random)
    source_most, target_most = (_FEW, 2 * _FEW) if kind == "few" else _MOST[instrument]
    needs_all = kind in ("missing", "shares")  # the target keeps a part of what is simulated
    counts = (
        _count(instrument, 0, source_task, source_most),
        _POOL[instrument][1] if needs_all else _count(instrument, 1, target_task, target_most),
    )
    pools = _simulated(instrument, kind, number, counts)
    source = _rows(_in_task(pools[0], source_task), slice(source_most))
    target = _in_task(pools[1], target_task)
    target = _rows(target, _rows_of_kind(kind, target.labels, target_most, random))
    target = target._replace(images=_images_of_kind(kind, target.images, random))
    learn, held_out = splits.by_patient(source.patients, source.labels, test=0.2, seed=0)
    adapted_on, scored = splits.by_patient(target.patients, test=0.5, seed=number)
    return Pair(source, target, learn, held_out, adapted_on, scored)


def _tasks(instrument: str, kind: str, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """For each type of the instrument its label in the source and in the target."""
    types = 5 if instrument == "smear" else 4
    if kind == "subtypes":
        return _subtypes(instrument, random)
    sizes = (types, 3) if kind == "missing" else (types, types, 3, 2)
    types_in_task = np.sort(random.choice(types, random.choice(sizes), replace=False))
    task = np.full(types, _OUTSIDE)
    task[types_in_task] = np.arange(len(types_in_task))
    return task, task


def _subtypes(instrument: str, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two classes: one type of each in the source, the other types in the target."""
    source = np.full(5 if instrument == "smear" else 4, _OUTSIDE)
    target = source.copy()
    groups = (_GRANULOCYTES, _OTHERS) if instrument == "smear" else (_LESIONS,)
    if instrument == "mri":
        source[_HEALTHY] = target[_HEALTHY] = 0
    for label, group in enumerate(groups, start=2 - len(groups)):
        first, *further = random.permutation(group)
        source[first] = label
        target[further] = label
    return source, target


def _count(instrument: str, domain: int, task: np.ndarray, most: int) -> int:
    """How many images of all types hold that many images of the task; whole blocks of patients."""
    block = 10 if instrument == "smear" else 16
    needed = most / np.mean(task != _OUTSIDE)
    return min(_POOL[instrument][domain], block * int(np.ceil(needed / block)))


def _simulated(
    instrument: str, kind: str, number: int, counts: tuple[int, int]
) -> tuple[Domain, Domain]:
    """Images of both domains, with the types of the instrument as labels."""
    make = _cells if instrument == "smear" else _slices
    target_number = 2 * number if kind == "none" else 2 * number + 1
    source = make(2 * number, counts[0], 2_000_000 + 2 * number)
    return source, make(target_number, counts[1], 2_000_001 + 2 * number)


def _cells(laboratory: int, count: int, seed: int) -> Domain:
    cells = smear.single_cells(smear.random_laboratory((21, laboratory)), count, SIDE, seed)
    return Domain(np.asarray(cells.images), np.asarray(cells.labels), np.asarray(cells.patients))


def _slices(scanner: int, count: int, seed: int) -> Domain:
    slices = mri.slices(mri.random_site(21_000_000 + scanner), count, SIDE, seed)
    return Domain(np.asarray(slices.images), np.asarray(slices.labels), np.asarray(slices.patients))


def _in_task(domain: Domain, task: np.ndarray) -> Domain:
    labelled = domain._replace(labels=task[domain.labels])
    return _rows(labelled, np.flatnonzero(labelled.labels != _OUTSIDE))


def _rows(domain: Domain, rows: np.ndarray | slice) -> Domain:
    return Domain(*(column[rows] for column in domain))


def _rows_of_kind(
    kind: str, labels: np.ndarray, most: int, random: np.random.Generator
) -> np.ndarray:
    """The rows of the target that remain, sorted."""
    classes = np.unique(labels)
    if kind == "missing":
        missing = random.choice(classes, _MISSING[len(classes)], replace=False)
        return np.flatnonzero(~np.isin(labels, missing))[:most]
    if kind != "shares":
        return np.arange(min(most, len(labels)))
    shares = random.dirichlet(np.full(len(classes), 0.7))
    rows = []
    for label, share in zip(classes, shares):
        members = np.flatnonzero(labels == label)
        count = min(len(members), 10 + round(share * most / 2))
        rows.append(random.choice(members, count, replace=False))
    return np.sort(np.concatenate(rows))


def _images_of_kind(kind: str, images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The target's images after the shift on top of that of the laboratory."""
    if kind == "inverted":
        return 255 - images
    if kind == "background":
        y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
        outside = np.hypot(x, y) > 0.45 * SIDE
        return np.where(outside[..., None], np.uint8(random.integers(256)), images)
    return images
