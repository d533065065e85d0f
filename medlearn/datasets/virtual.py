"""Virtual sets: the instruments take the pictures, here they become one Dataset."""

import numpy as np

from medlearn.datasets import images
from medlearn.datasets.catalogue import Card
from medlearn.datasets.dataset import Dataset


def load(card: Card, domain: str | None, count: int, size: int | None, seed: int) -> Dataset:
    """A virtual set, simulated now; arguments as in `datasets.load`.

    With several domains each gets its share of `count`, and the same seed brings the same patients to each of them.
    """
    domains = (domain,) if domain else card.domains
    shares = [count // len(domains) + (i < count % len(domains)) for i in range(len(domains))]
    batches = [_picture(card.name, d, share, size, seed) for d, share in zip(domains, shares) if share]
    ages = {"age": _joined(batches, "ages")} if getattr(batches[0], "ages", None) is not None else {}
    return Dataset(
        name=card.name, licence=card.licence, twin=card.twin, classes=card.classes, mask_classes=card.mask_classes,
        patients_known=card.patients_known, facts=ages,
        **{key: _joined(batches, key)
           for key in ("images", "labels", "masks", "boxes", "patients", "domains", "spacing")},
    )


def _picture(name: str, domain: str, count: int, size: int | None, seed: int):
    # Late imports: an instrument brings its anatomy and its tables, which other sets do not need.
    if name == "brain-mri":
        from medlearn.instruments import mri
        return mri.slices(domain, count, size=size, seed=seed)
    from medlearn.instruments import smear
    if name == "smear":
        return smear.single_cells(domain, count, size=size, seed=seed)
    return _squared(smear.fields(domain, count, seed=seed), size)


def _squared(batch, size: int | None):
    """Fields as squares of `size` pixels, with the boxes that have their centre inside; None leaves them whole."""
    if size is None:
        return batch
    from dataclasses import replace

    height, width = batch.images.shape[1:3]
    return replace(
        batch,
        images=np.stack([images.square(image, size) for image in batch.images]),
        masks=np.stack([images.square(mask, size, labels=True) for mask in batch.masks]),
        boxes=[images.square_boxes(boxes, height, width, size) for boxes in batch.boxes],
        spacing=images.square_spacing(batch.spacing, height, width, size),
    )


def _joined(batches, key: str):
    columns = [getattr(batch, key) for batch in batches]
    if columns[0] is None:
        return None
    return [row for column in columns for row in column] if isinstance(columns[0], list) else np.concatenate(columns)
