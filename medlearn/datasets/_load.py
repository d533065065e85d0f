"""A data set by its name."""

from medlearn import _checks, _files
from medlearn._dataset import Dataset
from medlearn.datasets import _real, _virtual
from medlearn.datasets._catalogue import card


def load(
    name: str,
    domain: str | None = None,
    count: int | None = None,
    size: int | None = None,
    seed: int = 0,
    rare: bool = False,
    workers: int = 1,
) -> Dataset:
    """Load a data set by its name.

    A virtual set is simulated. A real one is read from the cache or downloaded, and its licence is
    printed once.

    Parameters
    ----------
    name : str
        One of `names`.
    domain : str, optional
        One domain of the card. Default: all its usual ones.
    count : int, optional
        At most so many images; of a real set a choice by the seed. Default: that of the card.
    size : int, optional
        Pixels a side after a central crop that keeps the aspect, 28 to 1024. Default: that of the
        card, which for sets of wide fields is the full frame.
    seed : int
        Of the simulation, or of the choice.
    rare : bool
        Whether to keep the classes of a real set that have fewer than ten images.
    workers : int
        Number of processes that simulate, 1 to 64; the images are the same for any number. Each
        takes seconds to start, so they help only with many thousands of images.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        For an unknown name or domain, numbers out of range, and damaged files.
    ConnectionError
        If a real set cannot be reached.

    Examples
    --------
    >>> from medlearn import datasets
    >>> cells = datasets.load("smear", domain="lab-a", count=4, size=64)
    >>> cells.images.shape
    (4, 64, 64, 3)
    """
    entry = card(name)
    domains = entry.domains + entry.more_domains
    if domain is not None and domain not in domains:
        raise ValueError(_files.unknown("domain", domain, domains, owner=repr(name)))
    if count is not None:
        _checks.whole_number("count", count, 1, 1_000_000)
    if size is not None:
        _checks.whole_number("size", size, 28, 1024)
    _checks.whole_number("seed", seed, 0, 2**31 - 1)
    _checks.whole_number("workers", workers, 1, 64)
    count = entry.count if count is None else count
    size = entry.size if size is None else size
    if entry.kind == "virtual":
        assert count is not None  # every card of a virtual set has a count
        return _virtual.load(entry, domain, count, size, seed, workers)
    return _real.load(entry, domain, count, size, seed, rare)
