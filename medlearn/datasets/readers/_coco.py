"""Boxes in the format of COCO: one JSON file for all pictures."""

import json

from medlearn.datasets.readers._annotations import Annotated, edges, merged
from medlearn.datasets.readers._problems import Problems, Unreadable, short

MAX_BYTES = 100_000_000
_BAD_FILE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_BAD_BOX = (ValueError, KeyError, TypeError, OverflowError, AttributeError)


def parse(data: bytes, name: str, problems: Problems) -> dict[str, Annotated]:
    """Return the pictures of a COCO file by their name.

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
        If it is no COCO file.
    """
    try:
        content = json.loads(data)
        categories = list(content["categories"])
        classes = {_key(entry["id"]): str(entry["name"])[:200] for entry in categories}
        images = list(content["images"])
        pictures = {_key(entry["id"]): _picture(entry, name) for entry in images}
        annotations = list(content["annotations"])
    except _BAD_FILE as error:
        raise Unreadable(
            f"it is no COCO file ({_no_coco(error)})",
            "export images, annotations and categories anew",
        ) from error
    crowds = 0
    _check_unique(len(pictures), len(images), "images", "image", "whose the boxes are")
    _check_unique(len(classes), len(categories), "categories", "category", "what the boxes show")
    for row, annotation in enumerate(annotations):
        try:
            if annotation.get("iscrowd"):
                crowds += 1
                continue
            x, y, width, height = _numbers(annotation["bbox"])
            box = edges(y, x, y + height, x + width)
            class_name = _of_id(classes, annotation["category_id"], "category")
            picture = _of_id(pictures, annotation["image_id"], "image")
            picture.boxes.append((box, class_name))
        except _BAD_BOX as error:
            problems.add(
                name,
                f"the box is unusable ({_reason(error)})",
                "correct or delete the annotation",
                row,
            )
    if crowds:
        problems.add(
            name,
            f"{crowds} annotations outline crowds of objects (iscrowd) and no single one",
            "they were left out; box the objects one by one if you need them",
        )
    return merged(pictures.values(), problems)


def _numbers(bbox: list) -> list[float]:
    if len(bbox) != 4:
        raise ValueError(f"bbox holds {len(bbox)} numbers and not the four x, y, width, height")
    return [float(value) for value in bbox]


def _no_coco(error: Exception) -> str:
    """Return in words of the format why a file is not one of COCO."""
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {short(error)}"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return "it lacks images, annotations and categories in the form of COCO"


def _check_unique(ids: int, entries: int, plural: str, singular: str, unknown: str) -> None:
    """Raise Unreadable if there are fewer ids than entries."""
    if ids < entries:
        raise Unreadable(
            f"{entries - ids} of its {entries} {plural} have the id of another {singular}, so "
            f"nobody knows {unknown}",
            f"give each {singular} an id of its own when you put files together",
        )


def _key(identifier: object) -> str:
    """Return an id as text, so that 1, "1" and 1.0 are one id."""
    if isinstance(identifier, float) and identifier.is_integer():
        return str(int(identifier))
    return str(identifier)


def _of_id(by_id: dict, identifier: object, name: str):
    if _key(identifier) not in by_id:
        raise ValueError(f"the file has no {name} with the id {_key(identifier)!r}")
    return by_id[_key(identifier)]


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    if isinstance(error, ValueError):
        return short(error)
    return "it is not written as COCO asks: bbox holds four numbers"


def _picture(entry: dict, source: str) -> Annotated:
    height, width = entry.get("height"), entry.get("width")
    declared = (int(height), int(width)) if height and width else None
    return Annotated(str(entry["file_name"])[:1000], declared=declared, source=source)
