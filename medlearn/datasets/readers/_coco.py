"""Boxes in the format of COCO: one JSON file for all pictures."""

import json
from typing import Any

from medlearn.datasets.readers._annotations import Annotated, edges, merged
from medlearn.datasets.readers._problems import Problems, Unreadable, short

MAX_BYTES = 100_000_000
MAX_BRACKETS = 3_000_000  # each of them becomes an object in memory
_LEAST_JUDGED = 10_000  # annotations, after which a file is left if none of them is usable
_ANEW = "export images, annotations and categories anew"
_BAD_FILE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_BAD_BOX = (ValueError, KeyError, TypeError, OverflowError, AttributeError)


def load(data: bytes) -> Any:
    """Return the content of a JSON file.

    Parameters
    ----------
    data : bytes
        The file.

    Raises
    ------
    Unreadable
        If it is no JSON, or one of millions of lists and objects.
    """
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_BRACKETS:
        raise Unreadable(
            f"it holds {brackets:,} lists and objects, and at most {MAX_BRACKETS:,} are read",
            "split it, or export it without outlines",
        )
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_coco(error) from error


def parse(content: Any, name: str, problems: Problems) -> dict[str, Annotated]:
    """Return the pictures of a COCO file by their name.

    Parameters
    ----------
    content : object
        What `load` returned.
    name : str
        Name of the file.
    problems : Problems
        Gets a row for each bad box.

    Raises
    ------
    Unreadable
        If it is no COCO file, or if none of its first 10,000 annotations is usable.
    """
    try:
        categories = list(content["categories"])
        classes = {_key(entry["id"]): str(entry["name"])[:200] for entry in categories}
        images = list(content["images"])
        pictures = {_key(entry["id"]): _picture(entry, name) for entry in images}
        annotations = list(content["annotations"])
    except _BAD_FILE as error:
        raise _no_coco(error) from error
    crowds = unusable = 0
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
            unusable += 1
            _check_some_usable(unusable, row + 1, error)
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


def _check_some_usable(unusable: int, read: int, error: Exception) -> None:
    """Raise Unreadable if no annotation so far is usable; there may be millions more."""
    if unusable == read >= _LEAST_JUDGED:
        raise Unreadable(
            f"none of its first {read:,} annotations is usable (the last one: {_reason(error)})",
            _ANEW,
        )


def _no_coco(error: Exception) -> Unreadable:
    """Return in words of the format why a file is not one of COCO."""
    reason = "it lacks images, annotations and categories in the form of COCO"
    if isinstance(error, json.JSONDecodeError):
        reason = f"broken JSON: {short(error)}"
    if isinstance(error, UnicodeDecodeError):
        reason = "it is no text"
    if isinstance(error, RecursionError):
        reason = "it is nested too deeply"
    if isinstance(error, KeyError):
        reason = f"it has no {error.args[0]}"
    return Unreadable(f"it is no COCO file ({reason})", _ANEW)


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
