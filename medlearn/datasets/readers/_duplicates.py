"""Copies in a user's files that a split could part: one picture under two patients or labels."""

import numpy as np

from medlearn import _similarity
from medlearn._dataset import Dataset
from medlearn.datasets.readers._problems import Problems

_NEIGHBOURS = 5  # of each picture that are compared with it


def report(dataset: Dataset, problems: Problems) -> None:
    """Add a row for each picture that is (nearly) the same as an earlier one; both are kept.

    Copies within one patient are no problem, because a split by patient keeps them together, unless
    their labels differ. Neighbouring slices of one series are nearly the same by nature, so only
    identical ones count there.

    Parameters
    ----------
    dataset : Dataset
        What was read, with the facts ``file`` and ``series``.
    problems : Problems
        Gets the rows.
    """
    units = _units(dataset)
    reported = set()
    for early, late in _identical_pairs(dataset, units):
        reported.add(late)
        _add_row(dataset, early, late, "the same as", problems)
    for early, late in _similar_pairs(dataset, units):
        if late not in reported:
            reported.add(late)
            _add_row(dataset, early, late, "nearly the same as", problems)


def _units(dataset: Dataset) -> np.ndarray:
    """Return a number for each image: two images share it if a copy between them does no harm."""
    columns = [dataset.patients, dataset.labels, dataset.split]
    unit = np.zeros(len(dataset), int)
    for column in columns:
        if column is not None:
            values, code = np.unique(column, return_inverse=True)
            _, unit = np.unique(unit * len(values) + code, return_inverse=True)
    return unit


def _identical_pairs(dataset: Dataset, units: np.ndarray) -> list[tuple[int, int]]:
    """Return (early, late) for each image with the pixels of an earlier one of another unit."""
    first: dict[bytes, int] = {}
    first_of_other_unit: dict[bytes, int] = {}
    pairs = []
    for late, digest in enumerate(_similarity.digests(dataset.images)):
        early = first.setdefault(digest, late)
        if units[early] == units[late]:
            early = first_of_other_unit.get(digest, late)
        else:
            first_of_other_unit.setdefault(digest, late)
        if early != late:
            pairs.append((early, late))
    return pairs


def _similar_pairs(dataset: Dataset, units: np.ndarray) -> list[tuple[int, int]]:
    """Return (early, late) for similar images of different units and series, sorted."""
    first = _first_of_each(dataset)
    thumbnails = _similarity.thumbnails(dataset.images[first])
    lowest = _similarity.MIN_THUMBNAIL_CORRELATION
    pairs = first[_similarity.nearest_pairs(thumbnails, _NEIGHBOURS, lowest, units[first])]
    series = dataset.facts["series"]
    early, late = pairs.T
    pairs = pairs[(series[early] != series[late]) | (series[late] == "")]
    if not len(pairs):
        return []
    similarity = _similarity.similarity(dataset.images, pairs)
    return [tuple(pair) for pair in pairs[similarity >= _similarity.MIN_SIMILARITY].tolist()]


def _first_of_each(dataset: Dataset) -> np.ndarray:
    """Return the index of the first of each group of identical pictures.

    The others are reported as identical, and many of them would take hours to compare.
    """
    first: dict[bytes, int] = {}
    for index, digest in enumerate(_similarity.digests(dataset.images)):
        first.setdefault(digest, index)
    return np.array(list(first.values()), int)


def _add_row(dataset: Dataset, early: int, late: int, likeness: str, problems: Problems) -> None:
    files = dataset.facts["file"]
    problem = f"the picture is {likeness} that of {files[early]}"
    fix = "keep one of them, or give both the same patient, so that a split cannot part them"
    if dataset.labels is not None and dataset.labels[early] != dataset.labels[late]:
        label, early_label = (dataset.classes[dataset.labels[index]] for index in (late, early))
        problem += f", but the labels differ: {label!r} here, {early_label!r} there"
        fix = "decide which label is right, and keep one of them"
    problems.add(files[late], problem, fix)
