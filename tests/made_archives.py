"""Archives in the formats of the real sets, small and made here, with cards that describe them."""

import dataclasses
import hashlib
import io

import numpy as np
from PIL import Image

from common.archives import saved
from common.archives import zipped as zipped
from medlearn import datasets
from medlearn.datasets._catalogue import Card
from medlearn.datasets._real_sets import medmnist


def encoded(array, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def medmnist_arrays(
    name="pneumonia", domain=None, pixels=28, counts=(12, 5, 7), flat=False, seed=0
):
    """The six arrays of one MedMNIST file, random, with all classes among the labels."""
    card = datasets.card(name)
    rng = np.random.default_rng(seed + len(domain or ""))
    channels = card.details["channels"]
    frame = (pixels, pixels) if channels == 1 else (pixels, pixels, channels)
    arrays = {}
    for split, n in zip(("train", "val", "test"), counts):
        arrays[f"{split}_images"] = rng.integers(0, 256, (n, *frame), dtype=np.uint8)
        labels = (np.arange(n) % len(card.classes)).astype(np.uint8)
        arrays[f"{split}_labels"] = labels if flat else labels[:, None]
    return arrays


def medmnist_card(contents, name="pneumonia", counts=(12, 5, 7), pixels=28):
    """The real card with the counts and checksums of files made here, by domain."""
    card = datasets.card(name)
    listed = {
        domain: dict(
            card.details["files"][domain],
            counts=dict(zip(("train", "val", "test"), counts)),
            md5={str(pixels): hashlib.md5(data).hexdigest()},
        )
        for domain, data in contents.items()
    }
    return dataclasses.replace(card, details=card.details | {"files": listed})


def mirrored(folder, address, data):
    """Put `data` where a mirror in `folder` holds `address`."""
    target = folder / address.removeprefix("https://")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def medmnist_mirror(folder, name="pneumonia", pixels=28, counts=(12, 5, 7), **options):
    """A mirror of one MedMNIST entry; returns its card and the arrays of every domain."""
    arrays = {
        domain: medmnist_arrays(name, domain, pixels, counts, **options)
        for domain in datasets.card(name).domains
    }
    contents = {domain: saved(each) for domain, each in arrays.items()}
    card = medmnist_card(contents, name, counts, pixels)
    for domain, data in contents.items():
        mirrored(folder, medmnist.origin(card, domain, pixels), data)
    return card, arrays


def nuclei_files():
    """Two dark pictures and a coloured one, with two square nuclei each."""
    files = {}
    for number, (background, size) in enumerate(
        ((10, (40, 60)), (20, (50, 50)), ((230, 180, 220), (60, 40)))
    ):
        key = f"{number:064x}"
        picture = np.full((*size, 3), background, np.uint8)
        for part in range(2):
            mask = np.zeros(size, np.uint8)
            mask[12 + 12 * part : 20 + 12 * part, 12:22] = 255
            picture[mask > 0] = 200
            files[f"stage1_train/{key}/masks/{part}.png"] = encoded(mask)
        files[f"stage1_train/{key}/images/{key}.png"] = encoded(picture)
    return files


def vessel_files(name):
    """Photographs and outlines in the layout of `name`: a bright column, outlined."""
    files = {}
    for number in range(1, 15 if name == "chase" else 21):
        for eye in "LR" if name == "chase" else ("",):
            picture, outline = np.full((48, 50, 3), 60, np.uint8), np.zeros((48, 50), np.uint8)
            picture[:, 20:26], outline[:, 20:26] = 190, 255
            if name == "chase":
                stem = f"Image_{number:02d}{eye}"
                files |= {
                    f"{stem}.jpg": encoded(picture, "JPEG"),
                    f"{stem}_1stHO.png": encoded(outline),
                    f"{stem}_2ndHO.png": encoded(outline),
                }
            else:
                files |= {
                    f"DRIVE/training/images/{number + 20:02d}_training.tif": encoded(
                        picture, "TIFF"
                    ),
                    f"DRIVE/training/1st_manual/{number + 20:02d}_manual1.gif": encoded(
                        outline, "GIF"
                    ),
                    f"DRIVE/test/images/{number:02d}_test.tif": encoded(picture, "TIFF"),
                }
    return files


def toy_card(origin, limit=10_000_000):
    """The card of a small real set whose archive holds its files below `set-1`."""
    return Card(
        name="toy",
        title="",
        kind="real",
        twin="smear",
        licence="",
        citation="",
        domains=("here",),
        origin=origin,
        folder="set-1",
        limit=limit,
    )
