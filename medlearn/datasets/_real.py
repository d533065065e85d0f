"""Real sets: which images, then only their pixels, as one Dataset; the licence is shown once."""

from pathlib import Path

import numpy as np

from medlearn._dataset import Dataset
from medlearn.datasets import (
    _bccd,
    _catalogue,
    _hippocampus,
    _medmnist,
    _nuclei,
    _stored,
    _vessels,
    _wbc,
)
from medlearn.datasets._catalogue import Card

# A reader has two functions: `index(card, files)`, a dict of columns with one entry per image, and
# `read(columns, files, size)`, the Dataset fields that need pixels, for the images that were chosen.
_READERS = {
    "wbc": _wbc,
    "bccd": _bccd,
    "hippocampus": _hippocampus,
    "medmnist": _medmnist,
    "nuclei": _nuclei,
    "vessels": _vessels,
}
_FEW = 10
_shown = set()


def load(
    card: Card, domain: str | None, count: int | None, size: int | None, seed: int, rare: bool
) -> Dataset:
    """A real set from the cache, the mirror or the origin; arguments as in `datasets.load`."""
    files = fetch(card, [domain] if domain else card.domains, size)
    reader = _READERS[card.reader or card.name]
    columns = reader.index(card, files)
    columns = _rows(columns, np.isin(columns["domains"], [domain] if domain else card.domains))
    few = _rare_classes(card, columns)
    if few and not rare:
        columns = _rows(columns, ~np.isin(columns["labels"], list(few)))
    columns = _rows(columns, _chosen(len(columns["domains"]), count, seed))
    _show_once(card, few, rare)
    known = {
        key: columns[key] for key in ("labels", "patients", "domains", "split") if key in columns
    }
    return Dataset(
        name=card.name,
        licence=card.licence,
        twin=card.twin,
        classes=card.classes,
        mask_classes=card.mask_classes,
        patients_known=card.patients_known,
        **known,
        **reader.read(columns, files, size),
        facts={key: column for key, column in columns.items() if key not in known},
    )


def fetch(card: Card, domains, size: int | None):
    """The files that `load` would read, fetched if they are not in the cache: paths to bytes, or domains to parts."""
    if card.check == "archive":
        return _medmnist.parts(card, domains, size)
    return (
        _stored.first_files(card)
        if card.check == "first use"
        else _stored.files(card, _catalogue.checksums(card.name))
    )


def origins(card: Card) -> list[str]:
    """The addresses of all archives of a real set; those of MedMNIST have one for each size (and view)."""
    if card.check != "archive":
        return [card.origin]
    return sorted(
        {
            _medmnist.origin(card, domain, size)
            for domain in card.domains
            for size in _medmnist.SIZES
        }
    )


def folders(card: Card) -> list[Path]:
    """Where the cache keeps what these archives hold, whether it is there or not."""
    return [
        _stored.folder_of(Path(origin).stem if card.check == "archive" else card.name)
        for origin in origins(card)
    ]


def _rows(columns: dict, rows: np.ndarray) -> dict:
    return {key: column[rows] for key, column in columns.items()}


def _rare_classes(card: Card, columns: dict) -> dict[int, int]:
    """The classes that occur, but in fewer than ten images, and in how many."""
    if "labels" not in columns:
        return {}
    counts = np.bincount(columns["labels"], minlength=len(card.classes))
    return {label: int(n) for label, n in enumerate(counts) if 0 < n < _FEW}


def _chosen(total: int, count: int | None, seed: int) -> np.ndarray:
    """At most `count` of `total` rows in their order; a larger count keeps what a smaller one chose."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:count])


def _show_once(card: Card, few: dict[int, int], rare: bool) -> None:
    if card.name in _shown:
        return
    _shown.add(card.name)
    left_out = [card.left_out] if card.left_out else []
    if few and not rare:
        listed = ", ".join(f"{card.classes[label]} ({n})" for label, n in few.items())
        left_out.insert(0, f"classes with fewer than {_FEW} images: {listed}")
    print(f"{card.name}: {card.licence}. Left out: {'; '.join(left_out) or 'nothing'}.")
