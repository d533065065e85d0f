"""The cards of the data sets: one TOML file each in the folder `datasets`."""

import difflib
import tomllib
from dataclasses import dataclass, field

from medlearn import _files


@dataclass(frozen=True)
class Card:
    """What is known about one data set before it is loaded; `print(card)` reads as a page.

    domains are what `load(name)` brings; more_domains exist but are brought only when asked for by name.
    count and size are the defaults (None: every image, the full frame). limit bounds archive and unpacked files, in
    bytes. reader is the module that understands the files, if it is not named like the set; check says what they are
    compared with ("files", "archive" or "first use", see stored). supplied: the user brings the archive. details holds
    what only the reader of this set understands, such as lists of repeated images.
    """

    name: str
    title: str
    kind: str  # "virtual" or "real"
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
    left_out: str = ""
    notes: tuple[str, ...] = ()
    origin: str = ""
    folder: str = ""  # of the archive; the checksums' paths start below it
    limit: int = 0
    reader: str = ""
    check: str = "files"
    supplied: bool = False
    download: str = ""  # how much is to be fetched, in words
    details: dict = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.title} ({self.kind}; {f'twin {self.twin}' if self.twin else 'no twin'})",
            f"Licence: {self.licence}",
            f"Domains: {', '.join(self.domains + self.more_domains)}",
            f"Classes: {', '.join(self.classes) or 'none'}",
            f"Mask classes: {', '.join(self.mask_classes) or 'none'}",
            f"Left out: {self.left_out or 'nothing'}",
            *(f"- {note}" for note in self.notes),
            f"Cite: {self.citation}",
        ]
        return "\n".join(lines)


def names() -> tuple[str, ...]:
    """The names that `load` and `card` understand, in alphabetical order."""
    return tuple(sorted(path.stem for path in _files.folder("datasets").glob("*.toml")))


def card(name: str) -> Card:
    """The card of one data set; raises ValueError with the nearest names if there is none."""
    if name not in names():
        near = difflib.get_close_matches(str(name).lower(), names(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(f"There is no data set {name!r}; {hint}All names: {', '.join(names())}.")
    entries = tomllib.loads(
        (_files.folder("datasets") / f"{name}.toml").read_text(encoding="utf-8")
    )
    return Card(
        name=name, **{k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()}
    )


def checksums(name: str) -> dict[str, str]:
    """SHA-256 of every file of a real set by its path, from `NAME.sha256` (as `sha256sum` writes); {} without one."""
    listed = _files.folder("datasets") / f"{name}.sha256"
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}
