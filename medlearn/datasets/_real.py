"""Real data sets: choose the images, then read only their pixels, as one Dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medlearn._dataset import Dataset
from medlearn._volumes import Volumes
from medlearn.datasets import _catalogue
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import bccd, hippocampus, medmnist, nuclei, vessels, wbc
from medlearn.datasets._store import sources, verified

_FORMATS = {
    "wbc": wbc,
    "bccd": bccd,
    "hippocampus": hippocampus,
    "medmnist": medmnist,
    "nuclei": nuclei,
    "vessels": vessels,
}
_VOLUMES = {"hippocampus": hippocampus}  # formats that hold whole volumes
_FEWEST = 10  # images of a class; rarer classes are left out
_FIELDS = ("labels", "patients", "domains", "split")  # of a Dataset; other columns are facts
_printed: set[str] = set()  # names of the sets whose licence was printed


def load(
    card: Card, domain: str | None, count: int | None, size: int | None, seed: int, rare: bool
) -> Dataset:
    """Return a real set from the cache, the mirror or the origin, and print its licence once.

    Parameters
    ----------
    card : Card
        Of a real set.
    domain : str or None
        One domain of the card; None for all its usual ones.
    count : int or None
        At most so many images, chosen by the seed; None for all.
    size : int or None
        Side of the images; None for the whole image.
    seed : int
        Of the choice.
    rare : bool
        Whether to keep classes with fewer than ten images.

    Returns
    -------
    Dataset
    """
    domains = [domain] if domain else card.domains
    files = fetch(card, domains, size)
    module = _FORMATS[card.reader or card.name]
    columns = module.index(card, files)
    columns = _take(columns, np.isin(columns["domains"], domains))
    rare_counts = {} if rare else _rare_classes(card, columns)
    if rare_counts:
        columns = _take(columns, ~np.isin(columns["labels"], list(rare_counts)))
    columns = _take(columns, _chosen_rows(len(columns["domains"]), count, seed))
    _print_licence_once(card, rare_counts)
    fields: dict[str, Any] = {name: columns[name] for name in _FIELDS if name in columns}
    facts = {name: column for name, column in columns.items() if name not in _FIELDS}
    return Dataset(
        name=card.name,
        licence=card.licence,
        twin=card.twin,
        classes=card.classes,
        mask_classes=card.mask_classes,
        patients_known=card.patients_known,
        facts=facts,
        **fields,
        **module.read(columns, files, size),
    )


def load_volumes(card: Card, domain: str | None, count: int, seed: int) -> Volumes:
    """Return whole volumes of a real set, and print its licence once.

    Parameters
    ----------
    card : Card
        Of a real set with volumes.
    domain : str or None
        One domain of the card; None for all its usual ones.
    count : int
        At most so many volumes, chosen by the seed.
    seed : int
        Of the choice.

    Returns
    -------
    Volumes
    """
    domains = [domain] if domain else card.domains
    files = fetch(card, domains, None)
    module = _VOLUMES[card.reader or card.name]
    columns = module.index_volumes(card, files)
    columns = _take(columns, np.isin(columns["domains"], domains))
    columns = _take(columns, _chosen_rows(len(columns["domains"]), count, seed))
    _print_licence_once(card, {})
    return Volumes(
        name=card.name,
        licence=card.licence,
        twin=card.twin,
        mask_classes=card.mask_classes,
        patients_known=card.patients_known,
        patients=columns.pop("patients"),
        domains=columns.pop("domains"),
        **module.read_volumes(columns, files),
    )


def fetch(card: Card, domains: Sequence[str], size: int | None):
    """Return the files that `load` would read, fetched if they are not in the cache.

    Parameters
    ----------
    card : Card
        Of a real set.
    domains : sequence of str
        Domains of the card; sets with one archive for all bring all.
    size : int or None
        Side of the images, where the files differ by size.

    Returns
    -------
    Verified or dict of str to Part
        Contents by path; for MedMNIST one file per domain.
    """
    if card.check == "archive":
        assert size is not None  # every card of MedMNIST has a size
        return medmnist.parts(card, domains, size)
    if card.check == "first use":
        return verified.first_files(card)
    return verified.files(card, _catalogue.checksums(card.name))


def origins(card: Card) -> list[str]:
    """Return the addresses of all archives of a real set: one, or one per domain and size."""
    if card.check != "archive":
        return [card.origin]
    pairs = [(domain, size) for domain in card.domains for size in medmnist.SIZES]
    return sorted({medmnist.origin(card, domain, size) for domain, size in pairs})


def folders(card: Card) -> list[Path]:
    """Return where the cache keeps the files of a real set, whether they are there or not."""
    if card.check != "archive":
        return [sources.cache_folder(card.name)]
    return [sources.cache_folder(Path(origin).stem) for origin in origins(card)]


def _take(columns: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[rows] for name, column in columns.items()}


def _rare_classes(card: Card, columns: dict[str, np.ndarray]) -> dict[int, int]:
    """Return the number of images of each class that occurs, but in fewer than ten images."""
    if "labels" not in columns:
        return {}
    counts = np.bincount(columns["labels"], minlength=len(card.classes)).tolist()
    return {label: count for label, count in enumerate(counts) if 0 < count < _FEWEST}


def _chosen_rows(total: int, count: int | None, seed: int) -> np.ndarray:
    """Return at most `count` rows in order; a larger count keeps what a smaller one chose."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:count])


def _print_licence_once(card: Card, rare_counts: dict[int, int]) -> None:
    if card.name in _printed:
        return
    _printed.add(card.name)
    left_out = [card.left_out] if card.left_out else []
    if rare_counts:
        counts = [f"{card.classes[label]} ({count})" for label, count in rare_counts.items()]
        sentence = f"classes with fewer than {_FEWEST} images: {', '.join(counts)}"
        left_out.insert(0, sentence)
    print(f"{card.name}: {card.licence}. Left out: {'; '.join(left_out) or 'nothing'}.")
