"""The cards of the data sets: one TOML file each in the folder `datasets`."""

import tomllib
from dataclasses import dataclass, field
from typing import Any

from medlearn import _files


@dataclass(frozen=True)
class Card:
    """What is known about a data set before it is loaded; `print(card)` reads as a page.

    Attributes
    ----------
    name : str
    title : str
    kind : {"virtual", "real"}
    twin : str
        Name of the simulated set that mimics this real one, or the reverse; "" without one.
    licence : str
    citation : str
    domains : tuple of str
        What ``load(name)`` brings.
    classes : tuple of str
        In the order of their indices.
    mask_classes : tuple of str
        In the order of their indices.
    more_domains : tuple of str
        Domains that are only brought when they are asked for by name.
    patients_known : bool
        Whether the origin says which images share a patient.
    count : int or None
        Default number of images; None for all.
    size : int or None
        Default side of the images in pixels; None for the full frame.
    volumes : int
        Default number of volumes that `load_volumes` brings; 0 for a set of single images.
    left_out : str
        What `load` leaves out.
    notes : tuple of str
        Oddities that a user should know.
    origin : str
        Address of the archive.
    folder : str
        Folder in the archive below which the paths of the checksums start.
    limit : int
        Largest size in bytes of the archive, and of its files together.
    reader : str
        Format of the files, if it is not named like the set.
    check : {"files", "archive", "first use"}
        What the files are compared with.
    supplied : bool
        Whether the user has to bring the archive.
    download : str
        How much is to be fetched, in words.
    details : dict
        What only the format of this set understands, such as lists of repeated images.
    """

    name: str
    title: str
    kind: str
    twin: str
    licence: str
    citation: str
    domains: tuple[str, ...]
    classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    more_domains: tuple[str, ...] = ()
    patients_known: bool = True
    count: int | None = None
    size: int | None = None
    volumes: int = 0
    left_out: str = ""
    notes: tuple[str, ...] = ()
    origin: str = ""
    folder: str = ""
    limit: int = 0
    reader: str = ""
    check: str = "files"
    supplied: bool = False
    download: str = ""
    details: dict = field(default_factory=dict)

    def __str__(self) -> str:
        twin = f"twin {self.twin}" if self.twin else "no twin"
        lines = [
            f"{self.name}: {self.title} ({self.kind}; {twin})",
            f"Licence: {self.licence}",
            f"Domains: {', '.join(self.domains + self.more_domains)}",
            f"Classes: {', '.join(self.classes) or 'none'}",
            f"Mask classes: {', '.join(self.mask_classes) or 'none'}",
            *([f"Volumes: {self.volumes} by default"] if self.volumes else []),
            f"Left out: {self.left_out or 'nothing'}",
            *(f"- {note}" for note in self.notes),
            f"Cite: {self.citation}",
        ]
        return "\n".join(lines)


def names() -> tuple[str, ...]:
    """Return the names that `load` and `card` understand, in alphabetical order.

    Examples
    --------
    >>> from medlearn import datasets
    >>> "smear" in datasets.names()
    True
    """
    return tuple(sorted(path.stem for path in _files.folder("datasets").glob("*.toml")))


def card(name: str) -> Card:
    """Return the card of a data set.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    ValueError
        With the nearest names, if there is no such data set.

    Examples
    --------
    >>> from medlearn import datasets
    >>> datasets.card("wbc").twin
    'smear'
    """
    if name not in names():
        raise ValueError(_files.unknown("data set", name, names()))
    path = _files.folder("datasets") / f"{name}.toml"
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entries.items()
    }
    return Card(name=name, **fields)


def checksums(name: str) -> dict[str, str]:
    """Return the SHA-256 of every file of a real set by its path; {} if none are published.

    They stand in ``NAME.sha256``, as `sha256sum` writes them.
    """
    path = _files.folder("datasets") / f"{name}.sha256"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split("  ", 1)[::-1] for line in lines)
