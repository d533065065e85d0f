"""Virtual sets: the instruments make the images, in one process or in many."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial

import numpy as np

from medlearn._dataset import Dataset, joined
from medlearn.datasets import _crop, _simulated
from medlearn.datasets._catalogue import Card

_CHUNK = 250  # images of each domain that a process simulates at a time


def load(
    card: Card, domain: str | None, count: int, size: int | None, seed: int, workers: int = 1
) -> Dataset:
    """Simulate a virtual set, or read it from the cache; equal seeds mean equal patients.

    Parameters
    ----------
    card : Card
        Of a virtual set.
    domain : str or None
        One domain of the card; None for all its usual ones, which share `count` evenly.
    count : int
        Number of images in all.
    size : int or None
        Side of the image in pixels; None for the full frame.
    seed : int
        Of the simulation.
    workers : int
        Number of processes that simulate; the images are the same for any number.

    Returns
    -------
    Dataset
        One domain after the other.

    Raises
    ------
    RuntimeError
        If the processes end at once, as they do in a script without a main guard.
    """
    domains = (domain,) if domain else card.domains
    simulate = partial(_all, card, domains, count, size, seed, workers)
    if count < _simulated.FEWEST:
        return simulate()
    made_from = str(card), card.name, domains, count, size, seed
    return _simulated.kept(made_from, simulate)


def _all(
    card: Card, domains: Sequence[str], count: int, size: int | None, seed: int, workers: int
) -> Dataset:
    counts = even_shares(count, len(domains))
    simulate = partial(_simulate, card.name, domains, size, seed)
    chunks = _in_processes(simulate, counts, workers) if workers > 1 else [simulate(0, counts)]
    by_domain = [part for parts in zip(*chunks, strict=True) for part in parts]
    return replace(
        joined(by_domain),
        name=card.name,
        licence=card.licence,
        twin=card.twin,
        classes=card.classes,
        mask_classes=card.mask_classes,
        patients_known=card.patients_known,
        domains=np.repeat(domains, counts),
    )


def even_shares(count: int, parts: int) -> list[int]:
    """Return numbers with a given sum that differ by one at most, the larger ones first.

    Parameters
    ----------
    count : int
        The sum.
    parts : int
        How many numbers.
    """
    share, remainder = divmod(count, parts)
    return [share + 1] * remainder + [share] * (parts - remainder)


def _in_processes(simulate, counts: list[int], workers: int) -> list[list[Dataset]]:
    """What `simulate(0, counts)` gives, in chunks of images that several processes share."""
    starts = range(0, max(counts), _CHUNK)
    sizes = [_share_of_chunk(start, counts) for start in starts]
    # Not forked: a fork of a process with threads, as TensorFlow's and JupyterLab's are, may hang.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(min(workers, len(starts)), mp_context=context) as pool:
            return list(pool.map(simulate, starts, sizes))
    except BrokenProcessPool as error:
        raise RuntimeError(
            "The processes that should simulate ended at once: in a script, call "
            'datasets.load(..., workers=...) below the line `if __name__ == "__main__":`, '
            "because each of them reads the script; or leave workers out."
        ) from error


def _share_of_chunk(start: int, counts: list[int]) -> list[int]:
    return [min(max(count - start, 0), _CHUNK) for count in counts]


def _simulate(
    name: str,
    domains: Sequence[str],
    size: int | None,
    seed: int,
    first: int,
    counts: Sequence[int],
) -> list[Dataset]:
    """For each domain its count of images, beginning with number `first` of the set."""
    parts = _SIMULATE[name](domains, counts, size, seed, first)
    return [_first(part, count) for part, count in zip(parts, counts, strict=True)]


def _first(dataset: Dataset, count: int) -> Dataset:
    return dataset if len(dataset) == count else dataset.take(slice(count))


# Instruments are imported late: each brings tables that other sets do not need.


def _cells(domains, counts, size, seed, first) -> list[Dataset]:
    from medlearn.instruments import smear

    return [
        smear.single_cells(domain, count, size, seed, first)
        for domain, count in zip(domains, counts, strict=True)
    ]


def _fields(domains, counts, size, seed, first) -> list[Dataset]:
    """Whole fields, or their central squares with the boxes whose centre lies inside."""
    from medlearn.instruments import smear

    parts = [
        smear.fields(domain, count, seed=seed, first=first)
        for domain, count in zip(domains, counts, strict=True)
    ]
    return parts if size is None else [_central_square(part, size) for part in parts]


def _slices(domains, counts, size, seed, first) -> Sequence[Dataset]:
    """All scanners in one call, because they share the anatomy; a few slices too many for some."""
    from medlearn.instruments import mri

    return mri.paired_slices(domains, max(counts), size, seed, first)


_SIMULATE = {"smear": _cells, "smear-fields": _fields, "brain-mri": _slices}


def _central_square(fields: Dataset, size: int) -> Dataset:
    """The central square of each field, `size` pixels a side."""
    height, width = fields.images.shape[1:3]
    assert fields.masks is not None and fields.boxes is not None
    images = [_crop.square(image, size) for image in fields.images]
    masks = [_crop.square(mask, size, labels=True) for mask in fields.masks]
    return replace(
        fields,
        images=np.array(images, np.uint8).reshape(-1, size, size, 3),
        masks=np.array(masks, np.uint8).reshape(-1, size, size),
        boxes=[_crop.square_boxes(boxes, height, width, size) for boxes in fields.boxes],
        spacing=_crop.square_spacing(fields.spacing, height, width, size),
    )
