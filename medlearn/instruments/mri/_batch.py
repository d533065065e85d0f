"""Many slices at once: balanced classes, several slices of each subject, the same subjects at every site."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from medlearn._dataset import Dataset
from medlearn.instruments.mri import _scanner, _subjects
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW
from medlearn.instruments.mri._site import Site, random_site, whole
from medlearn.instruments.mri._subjects import CLASSES, LEVELS, SLICES, SUBJECTS
from medlearn.instruments.mri._scanner import find_site, prepare, prepare_level, scan

LICENCE = (
    "Apache-2.0 (simulated on the ICBM 152 anatomy, (c) McConnell Brain Imaging Centre, shipped by "
    "nilearn)"
)


@overload
def slices(  # type: ignore[overload-overlap]
    site: Site | str, count: int, size: int = 128, seed: int = 0, first: int = 0
) -> Dataset: ...
@overload
def slices(
    site: Sequence[Site | str], count: int, size: int = 128, seed: int = 0, first: int = 0
) -> tuple[Dataset, ...]: ...
def slices(
    site: Site | str | Sequence[Site | str],
    count: int,
    size: int = 128,
    seed: int = 0,
    first: int = 0,
) -> Dataset | tuple[Dataset, ...]:
    """`count` slices of virtual subjects at a site: a `Site`, the name of one of `SITES`, or "random".

    Four slices of each subject follow one another, the four classes are balanced over each four subjects, and the
    first n of a longer batch are the batch of n. "random" draws a new site for every slice. A list of sites gives a
    tuple of data sets of the same slices, each further one at a fraction of the time. `first` is the number, from 0, of
    the slice to begin with. `first` + `count` from 1 to 40000, `size` in pixels from 32 to 512. Raises ValueError for
    anything else.
    """
    sites = [site] if isinstance(site, (str, Site)) else list(site)
    if not sites:
        raise ValueError(
            'sites must hold at least one Site, site name or "random"; the list given is empty.'
        )
    sites = [item if item == "random" else find_site(item) for item in sites]
    whole("first", first, 0, SUBJECTS * SLICES - 1)
    whole("count", count, 1, SUBJECTS * SLICES - first)
    whole("size", size, *_scanner.SIZES)
    whole("seed", seed, 0, 2**31 - 1)

    images = np.zeros((len(sites), count, size, size, 3), np.uint8)
    prepared = []
    for place, number in enumerate(range(first, first + count)):
        slice_ = prepare_level(*_of_batch(seed, number), size)
        for row, item in zip(images, sites):
            row[place] = scan(slice_, _random(seed, number) if item == "random" else item)
        prepared.append((slice_.subject, slice_.mask, slice_.boxes))
    batches = tuple(_batch(row, prepared, item) for row, item in zip(images, sites))
    return batches[0] if isinstance(site, (str, Site)) else batches


def stacks(
    site: Site | str, count: int, heights: int = 8, size: int = 128, seed: int = 0
) -> Dataset:
    """Stacks of slices at `heights` even heights from -2 to 48 mm (MNI), from below upwards, of `count` subjects at a site.

    The subjects are those of `slices` with the same seed, in the same order, so their classes are balanced too. Every
    slice has its subject's class as label, and only some of them show a lesion: the mask tells. `count` from 1 to
    10000, `heights` from 2 to 26; the rest as in `slices`, but for "random". Raises ValueError for anything else.
    """
    site = find_site(site)
    whole("count", count, 1, SUBJECTS)
    whole("heights", heights, 2, 26)
    whole("size", size, *_scanner.SIZES)
    whole("seed", seed, 0, 2**31 - 1)
    images, prepared = [], []
    for person in range(count):
        who, _ = _of_batch(seed, person * SLICES)
        for level in np.linspace(*LEVELS, heights):
            slice_ = prepare_level(who, float(level), size)
            images.append(scan(slice_, site))
            prepared.append((who, slice_.mask, slice_.boxes))
    return _batch(np.stack(images), prepared, site)


def one_slice(
    site: Site | str, label, seed: int = 0, subject: int = 0, height: float = 0.0, size: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    """One slice of one subject at a site: image uint8 (H, W, 3) and mask uint8 (H, W).

    The same seed, subject and height give the same anatomy at every site, and the same head in every class. The
    arguments are those of `prepare`; to scan a slice many times, `prepare` it once and call `scan`.
    """
    ready = prepare(label, seed, subject, height, size)
    return scan(
        ready, random_site(seed) if isinstance(site, str) and site == "random" else site
    ), ready.mask


def _of_batch(seed: int, number: int) -> tuple[_subjects.Subject, float]:
    """The subject and the level of the slice of this number in a batch."""
    person = number // SLICES
    group, place = divmod(person, len(CLASSES))
    label = np.random.default_rng([seed, group, 21]).permutation(len(CLASSES))[place]
    who = _subjects.draw(seed, person, int(label))
    return who, float(who.levels[number % SLICES])


def _random(seed: int, number: int) -> Site:
    return random_site(int(np.random.default_rng([seed, number, 22]).integers(2**31)))


def _batch(images, prepared, site) -> Dataset:
    people, masks, boxes = zip(*prepared)
    count, size = len(images), images.shape[1]
    return Dataset(
        name="brain-mri",
        images=images,
        masks=np.stack(masks),
        labels=np.array([who.label for who in people], np.int64),
        boxes=[rows.copy() for rows in boxes],
        patients=np.array([who.name for who in people]),
        patients_known=True,
        domains=np.array([site if site == "random" else site.name] * count),
        spacing=np.full((count, 2), FIELD_OF_VIEW / size),
        licence=LICENCE,
        twin="hippocampus",
        classes=CLASSES,
        mask_classes=_scanner.MASK_CLASSES,
        facts={"age": np.array([who.head.age for who in people])},
    )
