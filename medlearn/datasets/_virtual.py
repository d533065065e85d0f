"""Virtual sets: the instruments take the pictures, here they become one Dataset."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import repeat

import numpy as np

from medlearn.datasets import _images
from medlearn.datasets._catalogue import Card
from medlearn.datasets._dataset import Dataset

_COLUMNS = ("images", "labels", "masks", "boxes", "patients", "spacing")
_PART = 250  # images of a domain that a process takes at a time


def load(
    card: Card, domain: str | None, count: int, size: int | None, seed: int, workers: int = 1
) -> Dataset:
    """A virtual set, simulated now; arguments as in `datasets.load`.

    With several domains each gets its share of `count`, and the same seed brings the same patients to each of them.
    """
    domains = (domain,) if domain else card.domains
    shares = [count // len(domains) + (i < count % len(domains)) for i in range(len(domains))]
    parts = _parts(card.name, domains, shares, size, seed, workers)
    columns = {
        key: _joined([part[i][key] for i in range(len(domains)) for part in parts])
        for key in parts[0][0]
    }
    return Dataset(
        name=card.name,
        licence=card.licence,
        twin=card.twin,
        classes=card.classes,
        mask_classes=card.mask_classes,
        patients_known=card.patients_known,
        domains=np.repeat(domains, shares),
        facts={"age": columns.pop("ages")} if "ages" in columns else {},
        **columns,
    )


def _parts(name, domains, shares, size, seed, workers) -> list[list[dict]]:
    """Columns by part and domain: one part, or parts of the same images that several processes share among them."""
    if workers == 1:
        return [_part(name, domains, shares, size, seed, 0)]
    starts = range(0, max(shares), _PART)
    counts = [[min(max(share - start, 0), _PART) for share in shares] for start in starts]
    # Not forked: a fork of a process with threads, as TensorFlow's and JupyterLab's are, may hang.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(min(workers, len(starts)), mp_context=context) as pool:
            return list(
                pool.map(
                    _part, repeat(name), repeat(domains), counts, repeat(size), repeat(seed), starts
                )
            )
    except BrokenProcessPool as error:
        raise RuntimeError(
            "The processes that should simulate ended at once: in a script, call datasets.load(..., workers=...) below "
            'the line `if __name__ == "__main__":`, because each of them reads the script; or leave workers out.'
        ) from error


def _part(name, domains, shares, size, seed, first) -> list[dict]:
    """The columns of each domain: its share of images, beginning with the one of number `first`."""
    batches = _TAKE[name](domains, shares, size, seed, first)
    keys = _COLUMNS + (("ages",) if hasattr(batches[0], "ages") else ())
    return [
        {key: None if getattr(batch, key) is None else getattr(batch, key)[:share] for key in keys}
        for batch, share in zip(batches, shares)
    ]


# Imports of an instrument are late: it brings its anatomy and its tables, which other sets do not need.


def _cells(domains, shares, size, seed, first):
    from medlearn.instruments import smear

    return [
        smear.single_cells(domain, max(1, share), size, seed, first)
        for domain, share in zip(domains, shares)
    ]


def _fields(domains, shares, size, seed, first):
    """Whole fields, or with a size their central squares and the boxes that have their centre inside."""
    from medlearn.instruments import smear

    batches = [
        smear.fields(domain, max(1, share), seed=seed, first=first)
        for domain, share in zip(domains, shares)
    ]
    return batches if size is None else [_squared(batch, size) for batch in batches]


def _slices(domains, shares, size, seed, first):
    from medlearn.instruments import mri

    return mri.slices(
        domains, max(shares), size, seed, first
    )  # all scanners at once share the anatomy


_TAKE = {"smear": _cells, "smear-fields": _fields, "brain-mri": _slices}


def _squared(batch, size: int):
    height, width = batch.images.shape[1:3]
    return replace(
        batch,
        images=np.stack([_images.square(image, size) for image in batch.images]),
        masks=np.stack([_images.square(mask, size, labels=True) for mask in batch.masks]),
        boxes=[_images.square_boxes(boxes, height, width, size) for boxes in batch.boxes],
        spacing=_images.square_spacing(batch.spacing, height, width, size),
    )


def _joined(columns: list):
    """One column of several; None if the instrument has none."""
    if columns[0] is None:
        return None
    return sum(columns, []) if isinstance(columns[0], list) else np.concatenate(columns)
