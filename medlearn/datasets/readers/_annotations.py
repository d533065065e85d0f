"""A picture with boxes, whatever format they came in."""

import math
from dataclasses import dataclass, field

Edges = tuple[float, float, float, float]  # y0, x0, y1, x1 in pixels


@dataclass
class Annotated:
    """The file of a picture, and its boxes: edges and the name of a class."""

    file: str
    boxes: list[tuple[Edges, str]] = field(default_factory=list)


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
