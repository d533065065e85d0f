"""Virtual sets: the instruments take the pictures, here they become one Dataset."""

from dataclasses import replace

import numpy as np

from medlearn.datasets import images
from medlearn.datasets.catalogue import Card
from medlearn.datasets.dataset import Dataset

_COLUMNS = ("images", "labels", "masks", "boxes", "patients", "spacing")


def load(card: Card, domain: str | None, count: int, size: int | None, seed: int) -> Dataset:
    """A virtual set, simulated now; arguments as in `datasets.load`.

    With several domains each gets its share of `count`, and the same seed brings the same patients to each of them.
    """
    domains = (domain,) if domain else card.domains
    shares = [count // len(domains) + (i < count % len(domains)) for i in range(len(domains))]
    batches = _TAKE[card.name](domains, shares, size, seed)
    return Dataset(
        name=card.name, licence=card.licence, twin=card.twin, classes=card.classes, mask_classes=card.mask_classes,
        patients_known=card.patients_known, domains=np.repeat(domains, shares),
        facts={"age": _joined(batches, shares, "ages")} if hasattr(batches[0], "ages") else {},
        **{key: _joined(batches, shares, key) for key in _COLUMNS},
    )


# Imports of an instrument are late: it brings its anatomy and its tables, which other sets do not need.

def _cells(domains, shares, size, seed):
    from medlearn.instruments import smear

    return [smear.single_cells(domain, max(1, share), size=size, seed=seed) for domain, share in zip(domains, shares)]


def _fields(domains, shares, size, seed):
    """Whole fields, or with a size their central squares and the boxes that have their centre inside."""
    from medlearn.instruments import smear

    batches = [smear.fields(domain, max(1, share), seed=seed) for domain, share in zip(domains, shares)]
    return batches if size is None else [_squared(batch, size) for batch in batches]


def _slices(domains, shares, size, seed):
    from medlearn.instruments import mri

    return mri.slices(domains, max(shares), size=size, seed=seed)      # all scanners at once share the anatomy


_TAKE = {"smear": _cells, "smear-fields": _fields, "brain-mri": _slices}


def _squared(batch, size: int):
    height, width = batch.images.shape[1:3]
    return replace(
        batch,
        images=np.stack([images.square(image, size) for image in batch.images]),
        masks=np.stack([images.square(mask, size, labels=True) for mask in batch.masks]),
        boxes=[images.square_boxes(boxes, height, width, size) for boxes in batch.boxes],
        spacing=images.square_spacing(batch.spacing, height, width, size),
    )


def _joined(batches, shares: list[int], key: str):
    """The column of all batches, each cut to its share; None if the instrument has none."""
    columns = [getattr(batch, key) for batch in batches]
    if columns[0] is None:
        return None
    rows = [column[:share] for column, share in zip(columns, shares)]
    return sum(rows, []) if isinstance(rows[0], list) else np.concatenate(rows)
