"""Volumes of virtual subjects: the same heads at every site, in slices as thick as the site's."""

import zlib
from collections.abc import Sequence
from numbers import Real

import numpy as np

from medlearn import _checks
from medlearn._volumes import Volumes
from medlearn.instruments.mri import _scanner
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW, spline_basis
from medlearn.instruments.mri._blocks import Block, prepare_block
from medlearn.instruments.mri._datasets import LICENCE, RANDOM, random_site_of, subject_of
from medlearn.instruments.mri._site import HIGHEST_SEED, Site, find_site
from medlearn.instruments.mri._slices import MASK_CLASSES
from medlearn.instruments.mri._subjects import CLASSES, SUBJECTS
from medlearn.instruments.mri.physics import TISSUES, signals

PIXEL = 2.0  # mm: the default side of a pixel
_THICKNESS, _PIXEL = (1.0, 12.0), (0.5, 6.0)  # mm: what `spacing` allows
_BRAIN = 0.7  # a voxel with so much of the brain's tissues is used to set the window


def volumes(
    site: Site | str,
    count: int,
    spacing: tuple[float, float, float] | None = None,
    seed: int = 0,
    first: int = 0,
) -> Volumes:
    """Simulate a volume of each of several virtual subjects at a site.

    The subjects are those of `slices` with the same seed, in the same order: the four classes are
    balanced over each four subjects. A volume is 96 mm high and 192 mm long and broad: the brain
    from the temporal poles to near the vertex.

    Parameters
    ----------
    site : Site or str
        A site, the name of one of `SITES`, or "random" for a new site for every subject.
    count : int
        Number of subjects; ``first + count`` is at most 10000.
    spacing : tuple of three floats, optional
        Thickness of a slice, 1 to 12 mm, and height and width of a pixel, 0.5 to 6 mm, which must
        be equal. Default: the site's own thickness, and 2 mm.
    seed : int
        0 to 2**31 - 1.
    first : int
        Number, from 0, of the subject to begin with.

    Returns
    -------
    Volumes
        With masks, and the facts ``"class"`` and ``"age"`` of each subject.

    Raises
    ------
    ValueError
        For an unknown site or a number outside its range.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> mri.volumes("3T-T1w", 2, spacing=(6, 4, 4)).images[0].shape
    (16, 48, 48)
    """
    return paired_volumes([site], count, spacing, seed, first)[0]


def paired_volumes(
    sites: Sequence[Site | str],
    count: int,
    spacing: tuple[float, float, float] | None = None,
    seed: int = 0,
    first: int = 0,
) -> list[Volumes]:
    """Simulate volumes of the same subjects at several sites.

    Sites with the same spacing share the anatomy, so each further one takes little time, and their
    masks are equal.

    Parameters
    ----------
    sites : sequence of Site or str
        At least one; as in `volumes`.
    count, spacing, seed, first
        As in `volumes`.

    Returns
    -------
    list of Volumes
        One for each site.

    Raises
    ------
    ValueError
        For an unknown site or a number outside its range.
    """
    if not len(sites):
        raise ValueError("There is no site: give at least one Site, name of a site, or 'random'.")
    protocols = [RANDOM if site == RANDOM else find_site(site) for site in sites]
    _checks.whole_number("first", first, 0, SUBJECTS - 1)
    _checks.whole_number("count", count, 1, SUBJECTS - first)
    _checks.whole_number("seed", seed, 0, HIGHEST_SEED)
    sides = None if spacing is None else _sides(spacing)
    rows: list[list] = [[] for _ in protocols]
    for number in range(first, first + count):
        subject = subject_of(seed, number)
        blocks: dict[tuple[float, float], Block] = {}
        for row, item in zip(rows, protocols, strict=True):
            site = random_site_of(seed, number) if isinstance(item, str) else item
            own = sides or (float(site.thickness_mm), PIXEL)
            if own not in blocks:
                blocks[own] = prepare_block(subject, *own)
            row.append((scan_block(blocks[own], site), blocks[own]))
    names = [item if isinstance(item, str) else item.name for item in protocols]
    return [_table(name, row) for name, row in zip(names, rows, strict=True)]


def _sides(spacing) -> tuple[float, float]:
    """Thickness of a slice and side of a pixel in mm, from the spacing (z, y, x)."""
    sound = len(spacing) == 3 and all(isinstance(side, Real) for side in spacing)
    if sound and spacing[1] == spacing[2]:
        thickness, pixel = float(spacing[0]), float(spacing[1])
        if _THICKNESS[0] <= thickness <= _THICKNESS[1] and _PIXEL[0] <= pixel <= _PIXEL[1]:
            return thickness, pixel
    raise ValueError(
        f"spacing={spacing!r}: the virtual scanner takes (thickness, pixel, pixel) in mm, a "
        f"thickness from {_THICKNESS[0]:g} to {_THICKNESS[1]:g} and square pixels from "
        f"{_PIXEL[0]:g} to {_PIXEL[1]:g}, such as (3, 1.5, 1.5). For other voxels, resample."
    )


def scan_block(block: Block, site: Site) -> np.ndarray:
    """Return the volume of a prepared block at a site, slice by slice in k-space.

    Noise and receive field depend on the subject and the site's name only. The slices are as thick
    as the block's; one window holds for the whole volume.

    Parameters
    ----------
    block : Block
        From `prepare_block`.
    site : Site
        The scanner and its protocol; its own thickness is not used.

    Returns
    -------
    numpy.ndarray of float32, shape (Z, Y, X)
        From 0 to 255.
    """
    subject, side, pixel = block.subject, block.side, block.spacing[1]
    rng = np.random.default_rng([subject.seed, subject.number, 31, zlib.crc32(site.name.encode())])
    tissue_signals = signals(site, subject.head.biology)
    noise = site.noise * abs(tissue_signals[TISSUES.index("white matter")])
    lines = round(site.matrix * side * pixel / FIELD_OF_VIEW)  # the same detail on a wider field
    field = _receive_field(rng, block, site.bias)
    inner = slice(block.margin, side - block.margin)
    images, brains = [], []
    for slab, sensitivity in zip(block.slabs, field, strict=True):
        image = np.zeros(side * side, np.float32)
        image[slab.pixels] = (tissue_signals @ slab.tissues) * sensitivity[slab.pixels]
        image = np.abs(_scanner.acquire(image.reshape(side, side), lines, noise, rng))
        brain = np.zeros(side * side, bool)
        brain[slab.pixels] = slab.tissues[:3].sum(axis=0) > _BRAIN
        images.append(image[inner, inner])
        brains.append(brain.reshape(side, side)[inner, inner])
    brain = np.flatnonzero(np.stack(brains))
    return _scanner.windowed(np.stack(images), brain, rng.uniform(*_scanner.GAINS)) * 255


def _receive_field(rng: np.random.Generator, block: Block, spread: float) -> np.ndarray:
    """The coil's sensitivity, 1 - spread/2 to 1 + spread/2 over the head: float32 (Z, H * W)."""
    cells, (thickness, pixel) = _scanner.FIELD_CELLS, block.spacing
    coefficients = rng.standard_normal((cells + 3,) * 3).astype(np.float32)
    along_z = spline_basis(len(block.slabs), cells, len(block.slabs) * thickness)
    across = spline_basis(block.side, cells, block.side * pixel)
    planes = np.einsum("zk,kij->zij", along_z, coefficients)
    smooth = (across @ planes @ across.T).reshape(len(block.slabs), -1)
    in_head = [row[slab.pixels] for row, slab in zip(smooth, block.slabs, strict=True)]
    low, high = np.concatenate(in_head).min(), np.concatenate(in_head).max()
    return 1 + np.float32(spread) * ((smooth - low) / (high - low) - np.float32(0.5))


def _table(domain: str, rows: list[tuple[np.ndarray, Block]]) -> Volumes:
    """Volumes of one domain with the truth of each."""
    images, blocks = zip(*rows, strict=True)
    subjects = [block.subject for block in blocks]
    return Volumes(
        name="brain-mri",
        images=images,
        masks=tuple(block.mask for block in blocks),
        mask_classes=MASK_CLASSES,
        patients=np.array([subject.name for subject in subjects]),
        patients_known=True,
        domains=np.array([domain] * len(rows)),
        spacing=np.array([(block.spacing[0], *[block.spacing[1]] * 2) for block in blocks]),
        affines=np.stack([block.affine for block in blocks]),
        licence=LICENCE,
        twin="hippocampus",
        facts={
            "class": np.array([CLASSES[subject.label] for subject in subjects]),
            "age": np.array([subject.head.age for subject in subjects]),
            "axes": np.array(["LPS"] * len(rows)),
        },
    )
