"""Many slices as one data set: balanced classes, the same subjects at every site."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medlearn import _checks
from medlearn._dataset import Dataset
from medlearn.instruments.mri import _lesions
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW
from medlearn.instruments.mri._scanner import scan
from medlearn.instruments.mri._site import HIGHEST_SEED, Site, find_site, random_site
from medlearn.instruments.mri._slices import MASK_CLASSES, SIZES, prepare, prepare_level
from medlearn.instruments.mri._subjects import (
    CLASSES,
    LEVELS,
    SLICES,
    SUBJECTS,
    Subject,
    draw_subject,
)

LICENCE = (
    "Apache-2.0 (simulated on the ICBM 152 anatomy, (c) McConnell Brain Imaging Centre, shipped by "
    "nilearn)"
)
RANDOM = "random"  # the site whose protocol is drawn anew for each slice


def slices(site: Site | str, count: int, size: int = 128, seed: int = 0, first: int = 0) -> Dataset:
    """Simulate slices of virtual subjects at a site.

    Four slices of each subject follow one another, and the four classes are balanced over each
    four subjects. A slice's label is the class of the lesion that it shows; slices of the healthy
    show none. The first n slices of a larger count are those of the count n.

    Parameters
    ----------
    site : Site or str
        A site, the name of one of `SITES`, or "random" for a new site for every slice.
    count : int
        Number of slices; ``first + count`` is at most 40000.
    size : int
        Side of the image in pixels, 32 to 512, over 220 mm.
    seed : int
        0 to 2**31 - 1.
    first : int
        Number, from 0, of the slice to begin with.

    Returns
    -------
    Dataset
        With labels, masks, boxes of the lesions, spacing in mm and ``facts["age"]`` in years.

    Raises
    ------
    ValueError
        For an unknown site or a number outside its range.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> mri.slices("3T-FLAIR", 16, size=32).labels[::4].tolist()
    [2, 3, 0, 1]
    """
    return paired_slices([site], count, size, seed, first)[0]


def paired_slices(
    sites: Sequence[Site | str], count: int, size: int = 128, seed: int = 0, first: int = 0
) -> list[Dataset]:
    """Simulate the same slices of the same subjects at several sites.

    Each further site takes a fraction of the time, because the anatomy is shared.

    Parameters
    ----------
    sites : sequence of Site or str
        At least one; as in `slices`.
    count, size, seed, first : int
        As in `slices`.

    Returns
    -------
    list of Dataset
        One for each site: other images of the same labels, masks and boxes.

    Raises
    ------
    ValueError
        For an unknown site or a number outside its range.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> flair, t2w = mri.paired_slices(["3T-FLAIR", "3T-T2w"], 4, size=32)
    >>> bool((flair.masks == t2w.masks).all())
    True
    """
    if not len(sites):
        raise ValueError("There is no site: give at least one Site, name of a site, or 'random'.")
    protocols = [RANDOM if site == RANDOM else find_site(site) for site in sites]
    _checks.whole_number("first", first, 0, SUBJECTS * SLICES - 1)
    _checks.whole_number("count", count, 1, SUBJECTS * SLICES - first)
    _checks.whole_number("size", size, *SIZES)
    _checks.whole_number("seed", seed, 0, HIGHEST_SEED)

    images = np.zeros((len(protocols), count, size, size, 3), np.uint8)
    truths = []
    for index, number in enumerate(range(first, first + count)):
        subject = subject_of(seed, number // SLICES)
        prepared = prepare_level(subject, float(subject.levels[number % SLICES]), size)
        for row, item in enumerate(protocols):
            protocol = random_site_of(seed, number) if isinstance(item, str) else item
            images[row, index] = scan(prepared, protocol)
        truths.append((subject, prepared.mask, prepared.boxes))
    names = [item if isinstance(item, str) else item.name for item in protocols]
    return [_dataset(*columns, truths) for columns in zip(images, names, strict=True)]


def stacks(
    site: Site | str,
    count: int,
    heights: int = 8,
    size: int = 128,
    seed: int = 0,
    *,
    extent: float = 1.0,
) -> Dataset:
    """Simulate stacks of slices that run from below upwards through each subject.

    The subjects are those of `slices` with the same seed, in the same order, so their classes are
    balanced too. Every slice has its subject's class as label, but only some slices show a lesion;
    the mask says which.

    Parameters
    ----------
    site : Site or str
        A site, or the name of one of `SITES`.
    count : int
        Number of subjects, 1 to 10000.
    heights : int
        Slices per subject, 2 to 26, at even heights from -2 to 48 mm (MNI).
    size : int
        Side of the image in pixels, 32 to 512, over 220 mm.
    seed : int
        0 to 2**31 - 1.
    extent : float
        Share of its height, 0.1 to 1, over which each lesion reaches. The heads stay the same;
        fewer slices show a lesion, and with few slices a flat lesion may lie between two of them.

    Returns
    -------
    Dataset
        ``count * heights`` images, the slices of each subject one after the other.

    Raises
    ------
    ValueError
        For an unknown site or a number outside its range.
    """
    site = find_site(site)
    _checks.whole_number("count", count, 1, SUBJECTS)
    _checks.whole_number("heights", heights, 2, 26)
    _checks.whole_number("size", size, *SIZES)
    _checks.whole_number("seed", seed, 0, HIGHEST_SEED)
    if not 0.1 <= extent <= 1:
        raise ValueError(
            f"extent must be a share from 0.1 to 1 of the lesion's height, not {extent}."
        )
    images, truths = [], []
    for number in range(count):
        subject = subject_of(seed, number)
        subject = replace(subject, lesion=_lesions.flattened(subject.lesion, extent))
        for level in np.linspace(*LEVELS, heights):
            prepared = prepare_level(subject, float(level), size)
            images.append(scan(prepared, site))
            truths.append((subject, prepared.mask, prepared.boxes))
    return _dataset(np.stack(images), site.name, truths)


def one_slice(
    site: Site | str,
    label: int | str,
    seed: int = 0,
    subject: int = 0,
    height: float = 0.0,
    size: int = 128,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate one slice of one subject at a site.

    The same seed, subject and height give the same anatomy at every site, and the same head in
    every class. To scan a slice many times, `prepare` it once and call `scan`.

    Parameters
    ----------
    site : Site or str
        A site, the name of one of `SITES`, or "random" for the random site of this seed.
    label : int or str
        Class of `CLASSES`, by name or index.
    seed, subject, height, size
        As in `prepare`.

    Returns
    -------
    image : numpy.ndarray of uint8, shape (H, W, 3)
    mask : numpy.ndarray of uint8, shape (H, W)
        Index into `MASK_CLASSES`.

    Raises
    ------
    ValueError
        For an unknown site or class, or a number outside its range.
    """
    prepared = prepare(label, seed, subject, height, size)
    protocol = random_site(seed) if isinstance(site, str) and site == RANDOM else site
    return scan(prepared, protocol), prepared.mask


def subject_of(seed: int, number: int) -> Subject:
    """Return a subject of a series, whose class is balanced over each four subjects.

    Parameters
    ----------
    seed, number : int
        Which subject.
    """
    group, position = divmod(number, len(CLASSES))
    order = np.random.default_rng([seed, group, 21]).permutation(len(CLASSES))
    return draw_subject(seed, number, int(order[position]))


def random_site_of(seed: int, number: int) -> Site:
    """Return the random site of a slice or a volume.

    Parameters
    ----------
    seed, number : int
        Of the series, and of the slice or volume in it.
    """
    return random_site(int(np.random.default_rng([seed, number, 22]).integers(2**31)))


def _dataset(images: np.ndarray, domain: str, truths: list) -> Dataset:
    """Images of one domain, with the subject, mask and boxes of each."""
    subjects, masks, boxes = zip(*truths, strict=True)
    count, size = images.shape[:2]
    return Dataset(
        name="brain-mri",
        images=images,
        patients=np.array([subject.name for subject in subjects]),
        domains=np.array([domain] * count),
        spacing=np.full((count, 2), FIELD_OF_VIEW / size),
        patients_known=True,
        licence=LICENCE,
        twin="hippocampus",
        classes=CLASSES,
        labels=np.array([subject.label for subject in subjects], np.int64),
        mask_classes=MASK_CLASSES,
        masks=np.stack(masks),
        boxes=[rows.copy() for rows in boxes],
        facts={"age": np.array([subject.head.age for subject in subjects])},
    )
