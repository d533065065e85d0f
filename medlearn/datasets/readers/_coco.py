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
        classes = {entry["id"]: str(entry["name"])[:200] for entry in content["categories"]}
        images = list(content["images"])
        pictures = {entry["id"]: _picture(entry, name) for entry in images}
        annotations = list(content["annotations"])
    except _BAD_FILE as error:
        raise Unreadable(
            f"it is no COCO file ({short(error)})", "export images, annotations and categories anew"
        ) from error
    crowds = 0
    if len(pictures) < len(images):
        raise Unreadable(
            f"{len(images) - len(pictures)} of its {len(images)} images have the id of another "
            "image, so nobody knows whose the boxes are",
            "give each image an id of its own when you put files together",
        )
    for row, annotation in enumerate(annotations):
        try:
            if annotation.get("iscrowd"):
                crowds += 1
                continue
            x, y, width, height = (float(value) for value in annotation["bbox"])
            box = edges(y, x, y + height, x + width)
            class_name = classes[annotation["category_id"]]
            pictures[annotation["image_id"]].boxes.append((box, class_name))
        except _BAD_BOX as error:
            problems.add(
                name,
                f"the box is unusable ({type(error).__name__}: {short(error)})",
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


def _picture(entry: dict, source: str) -> Annotated:
    height, width = entry.get("height"), entry.get("width")
    declared = (int(height), int(width)) if height and width else None
    return Annotated(str(entry["file_name"])[:1000], declared=declared, source=source)
