"""Boxes in the format of Pascal VOC: one XML file for each picture."""

from pathlib import Path
from typing import Any

from medlearn.datasets.readers import _paths
from medlearn.datasets.readers._annotations import Annotated, edges, merged
from medlearn.datasets.readers._problems import Problems, Unreadable, short

MAX_BYTES = 5_000_000


def parse_folder(folder: Path, problems: Problems) -> dict[str, Annotated]:
    """Return the pictures of all XML files of a folder by their name.

    Parameters
    ----------
    folder : Path
        The folder.
    problems : Problems
        Gets a row for each bad file or box.
    """
    pictures = []
    root = folder.resolve()
    for file in sorted(folder.glob("*.xml")):
        try:
            _paths.check_below(file, root)
            picture = parse(_paths.contents(file, MAX_BYTES), file.name, problems)
        except Unreadable as error:
            problems.add_unreadable(file.name, error)
        else:
            pictures.append(picture)
    return merged(pictures, problems)


def parse(data: bytes, name: str, problems: Problems) -> Annotated:
    """Return the picture of one XML file; entities and document types are refused.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Name of the file.
    problems : Problems
        Gets a row for each bad box.

    Raises
    ------
    Unreadable
        If it is no XML, or names no picture.
    """
    tree = _tree(data)
    file = (tree.findtext("filename") or "").strip()[:1000]
    picture = Annotated(file, declared=_declared(tree), source=name)
    if not picture.file:
        raise Unreadable("it names no picture", "fill in its filename")
    for row, element in enumerate(tree.iter("object")):
        try:
            picture.boxes.append(_box(element))
        except ValueError as error:
            problem = f"the box is unusable ({short(error)})"
            problems.add(name, problem, "correct or delete the object", row)
    return picture


def _declared(tree: Any) -> tuple[int, int] | None:
    try:
        height, width = (int(tree.findtext(f"size/{side}") or 0) for side in ("height", "width"))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None


def _tree(data: bytes) -> Any:
    from defusedxml import DefusedXmlException, ElementTree  # late: only XML needs it

    try:
        return ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Unreadable(
            "the XML defines entities, which may be a trap", "remove its document type"
        ) from error
    except Exception as error:  # expat raises ParseError, and others on impossible encodings
        raise Unreadable(f"it is no XML ({short(error)})", "export it anew") from error


def _number(text: str | None) -> float:
    """Return a coordinate, with a decimal comma too; raise ValueError for other texts."""
    try:
        return float((text or "nan").replace(",", "."))
    except ValueError as error:
        raise ValueError(f"the edge {str(text).strip()[:20]!r} is no number") from error


def _box(element: Any) -> tuple[tuple[float, float, float, float], str]:
    """Return the edges and the class of an object; raise ValueError if they make no sense."""
    corners = ("ymin", "xmin", "ymax", "xmax")
    y0, x0, y1, x1 = (_number(element.findtext(f"bndbox/{name}")) for name in corners)
    class_name = (element.findtext("name") or "").strip()[:200]
    if not class_name:
        raise ValueError("it names no class")
    return edges(y0 - 1, x0 - 1, y1, x1), class_name  # VOC counts from 1, the last pixel included
