"""A data set by its name."""

from numbers import Integral

from medlearn._dataset import Dataset
from medlearn.datasets import _real, _virtual
from medlearn.datasets._catalogue import Card, card


def load(
    name: str,
    domain: str | None = None,
    count: int | None = None,
    size: int | None = None,
    seed: int = 0,
    rare: bool = False,
    workers: int = 1,
) -> Dataset:
    """The data set `name` as one frozen `Dataset`.

    domain  one laboratory or scanner of the card; None brings all its named ones
    count   at most so many images (a seeded choice of the real ones); None is the card's default
    size    pixels a side after a centre crop that keeps the aspect; None is the card's default, which for sets of
            wide fields is the full frame
    seed    of the simulation, or of the choice
    rare    True keeps the classes of a real set that have fewer than ten images
    workers processes that simulate side by side, for the same images: each takes seconds to start, so only many
            thousands of images come sooner; real sets are read by one

    Raises ValueError for an unknown name, domain, count or size and for damaged files, ConnectionError if a real set
    is nowhere to be had. A real set prints its licence once.
    """
    found = card(name)
    _check(found, domain, count, size, seed, workers)
    count = found.count if count is None else count
    size = found.size if size is None else size
    if found.kind == "virtual":
        return _virtual.load(found, domain, count, size, seed, workers)
    return _real.load(found, domain, count, size, seed, rare)


def _check(card: Card, domain, count, size, seed, workers) -> None:
    known = card.domains + card.more_domains
    if domain is not None and domain not in known:
        raise ValueError(
            f"{card.name!r} has no domain {domain!r}; choose one of {', '.join(known)}, or None for all."
        )
    limits = (
        ("count", count, 1, 1_000_000),
        ("size", size, 28, 1024),
        ("seed", seed, 0, 2**31 - 1),
        ("workers", workers, 1, 64),
    )
    for what, value, least, most in limits:
        if value is None and what in ("count", "size"):
            continue
        if not isinstance(value, Integral) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(
                f"{what} must be a whole number from {least} to {most}; it was {value!r}."
            )
