"""Volumes by the name of their data set."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real

from medlearn import _checks, _files
from medlearn._volumes import Volumes, joined_volumes
from medlearn.datasets import _real, _virtual
from medlearn.datasets._catalogue import Card, card, names
from medlearn.datasets._resample import resampled


def load_volumes(
    name: str,
    *,
    domain: str | None = None,
    count: int | None = None,
    spacing: Sequence[float] | None = None,
    seed: int = 0,
) -> Volumes:
    """Load whole volumes of a data set by its name: "brain-mri" (virtual) or "hippocampus" (real).

    Parameters
    ----------
    name : str
        A data set whose card counts volumes; others hold single images.
    domain : str, optional
        One domain of the card. Default: all its usual ones.
    count : int, optional
        At most so many volumes; of a real set a choice by the seed. Default: that of the card.
    spacing : sequence of three floats, optional
        Size of a voxel along z, y and x in mm. A virtual set is simulated so, a real one is
        resampled. Default: as the scanner makes them, which of "brain-mri" are the site's slice
        thickness and pixels of 2 mm.
    seed : int
        Of the simulation, or of the choice.

    Returns
    -------
    Volumes

    Raises
    ------
    ValueError
        For an unknown name or domain, a set without volumes, and numbers out of range.
    ConnectionError
        If a real set cannot be reached.

    Examples
    --------
    >>> from medlearn import datasets
    >>> heads = datasets.load_volumes("brain-mri", domain="3T-T1w", count=2, spacing=(6, 4, 4))
    >>> heads.images[0].shape
    (16, 48, 48)
    """
    entry = card(name)
    if not entry.volumes:
        having = [set_name for set_name in names() if card(set_name).volumes]
        raise ValueError(
            f"{name!r} holds single images, which `load` brings; volumes have: {', '.join(having)}."
        )
    domains = entry.domains + entry.more_domains
    if domain is not None and domain not in domains:
        raise ValueError(_files.unknown("domain", domain, domains, owner=repr(name)))
    count = entry.volumes if count is None else count
    _checks.whole_number("count", count, 1, 10_000)
    _checks.whole_number("seed", seed, 0, 2**31 - 1)
    sides = None if spacing is None else _sides(spacing)
    if entry.kind == "virtual":
        return _simulated(entry, domain, count, sides, seed)
    volumes = _real.load_volumes(entry, domain, count, seed)
    return volumes if sides is None else resampled(volumes, sides)


def _sides(spacing: Sequence[float]) -> tuple[float, ...]:
    sides = tuple(spacing)
    if len(sides) != 3 or not all(isinstance(side, Real) and side > 0 for side in sides):
        raise ValueError(
            f"spacing={spacing!r}: expected are three lengths above 0 in mm, of a voxel along z, y "
            "and x, such as (3, 1.5, 1.5)."
        )
    return tuple(map(float, sides))


def _simulated(card: Card, domain: str | None, count: int, spacing, seed: int) -> Volumes:
    """Volumes of a virtual set: the same subjects at each domain, which share the count evenly."""
    from medlearn.instruments import mri  # late: brings tables that other sets do not need

    domains = [domain] if domain else list(card.domains)
    counts = _virtual.even_shares(count, len(domains))
    parts = mri.paired_volumes(domains, max(counts), spacing, seed)
    parts = [part.take(slice(share)) for part, share in zip(parts, counts, strict=True)]
    return replace(joined_volumes(parts), licence=card.licence, twin=card.twin)
