"""A picture with boxes, whatever format they came in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from medlearn.datasets.readers._problems import Problems

_LARGEST_SHARE = 1.01  # rounding of converters
Edges = tuple[float, float, float, float]  # y0, x0, y1, x1 in pixels


@dataclass
class Annotated:
    """The file of a picture, and its boxes: edges and the name of a class.

    `declared` is the height and width that the annotations give for the picture, `source` the file
    of the annotations, `split` the part of a split that its folder names. Edges of a normalised
    picture are shares of its sides.
    """

    file: str
    boxes: list[tuple[Edges, str]] = field(default_factory=list)
    declared: tuple[int, int] | None = None
    source: str = ""
    is_normalised: bool = False
    split: str = ""


def edges(y0: float, x0: float, y1: float, x1: float) -> Edges:
    """Return the edges of a box; raise ValueError if they make no sense.

    Parameters
    ----------
    y0, x0, y1, x1 : float
        In pixels.
    """
    if not all(map(math.isfinite, (y0, x0, y1, x1))):
        raise ValueError("an edge is no number")
    if y1 <= y0 or x1 <= x0:
        raise ValueError("it has no area")
    return y0, x0, y1, x1


def merged(pictures: Iterable[Annotated], problems: Problems) -> dict[str, Annotated]:
    """Return the pictures by their name; where a name comes twice, the boxes of both stay.

    Parameters
    ----------
    pictures : iterable of Annotated
        In the order of the annotations.
    problems : Problems
        Gets a row for each name that comes twice.
    """
    by_name: dict[str, Annotated] = {}
    for picture in pictures:
        earlier = by_name.setdefault(picture.file, picture)
        if earlier is picture:
            continue
        problems.add(
            picture.source or picture.file,
            f"the picture {picture.file} is annotated twice"
            + (f", before in {earlier.source}" if earlier.source else ""),
            "all boxes are drawn on it; correct the name of the picture if one belongs elsewhere",
        )
        earlier.boxes += picture.boxes
    return by_name


def is_normalised(pictures: Iterable[Annotated]) -> bool:
    """Say whether all boxes are shares of the picture from 0 to 1 instead of pixels.

    Parameters
    ----------
    pictures : iterable of Annotated
        With at least one box in all.
    """
    highest = [max(box) for picture in pictures for box, _ in picture.boxes]
    return bool(highest) and max(highest) <= _LARGEST_SHARE
