"""Boxes in the format of YOLO: a text file for each picture, beside the pictures or in labels/."""

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath

from medlearn.datasets.readers import _paths, _words
from medlearn.datasets.readers._annotations import Annotated, Edges, edges
from medlearn.datasets.readers._problems import Problems, Unreadable, short
from medlearn.datasets.readers._yolo_names import class_names

MAX_BYTES = 5_000_000
_BOTH = {"labels", "images"}  # folders whose names are no part of the name of a picture
_NO_LABELS = re.compile(r"(?i)(classes|labels|notes|train|val|valid|test|readme.*)\.txt")
_LARGEST_SHARE = 1.01  # rounding of converters


def label_files(folder: Path) -> dict[str, Path]:
    """Return the text files that may hold boxes, by their path from the folder.

    Parameters
    ----------
    folder : Path
        Where to search; where there is a folder labels, it alone counts.
    """
    files = {
        name: path
        for path, name in _paths.files_below(folder)
        if path.suffix.lower() == ".txt" and not _NO_LABELS.fullmatch(path.name)
    }
    in_labels = {name: path for name, path in files.items() if "labels" in name.split("/")[:-1]}
    return in_labels or files


def parse_folder(
    folder: Path, label_files: dict[str, Path], pictures: Path, problems: Problems
) -> tuple[dict[str, Annotated], tuple[str, ...]]:
    """Return the pictures of all text files by their name, and the classes in their order.

    Parameters
    ----------
    folder : Path
        The folder of the text files, or the one above labels and images.
    label_files : dict of str to Path
        What the function of that name returned.
    pictures : Path
        The folder of the pictures.
    problems : Problems
        Gets a row for each bad file or box, and for pictures without a text file.
    """
    names, has_keypoints = class_names(folder, problems)
    by_key = _pictures_by_key(pictures)
    annotated = {}
    root = folder.resolve()
    for name, path in label_files.items():
        namesakes = by_key.pop(_key(name), [])
        if len(namesakes) != 1:
            several = f"{len(namesakes)} pictures have" if namesakes else "no picture has"
            problems.add(
                name,
                f"{several} the name of this text file",
                f"name one picture {PurePosixPath(name).stem}, with any ending",
            )
            continue
        picture = Annotated(
            namesakes[0], source=name, is_normalised=True, split=_part(namesakes[0])
        )
        try:
            _paths.check_below(path, root)
            text = _paths.contents(path, MAX_BYTES).decode("utf-8-sig", "replace")
        except Unreadable as error:
            problems.add_unreadable(name, error)
            continue
        _add_boxes(picture, text, names, has_keypoints, problems)
        annotated[picture.file] = picture
    _report_unlabelled(by_key, problems)
    used = {class_name for picture in annotated.values() for _, class_name in picture.boxes}
    classes = tuple(dict.fromkeys(names.values())) if names else _words.sorted_classes(list(used))
    return annotated, classes


def _key(name: str) -> str:
    """Return the name of a picture as its text file has it: no ending, no folder labels."""
    path = PurePosixPath(name).with_suffix("")
    return "/".join(part for part in path.parts if part not in _BOTH)


def _pictures_by_key(folder: Path) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = defaultdict(list)
    for path, name in _paths.files_below(folder):
        if path.suffix.lower() not in (*_paths.LISTS, ".yaml", ".yml", ".names", ".cache", ".md"):
            by_key[_key(name)].append(name)
    return by_key


def _part(name: str) -> str:
    """Return the part of a split that a folder of the path names, or ""."""
    parts = [_words.PARTS.get(folder.casefold(), "") for folder in name.split("/")[:-1]]
    return next(filter(None, parts), "")


def _report_unlabelled(by_key: dict[str, list[str]], problems: Problems) -> None:
    names = sorted(name for names in by_key.values() for name in names)
    if names:
        problems.add(
            names[0],
            f"{len(names)} pictures have no text file with boxes, and were left out",
            "if they hold no object, give each an empty text file",
        )


def _add_boxes(
    picture: Annotated, text: str, names: dict[int, str], has_keypoints: bool, problems: Problems
) -> None:
    """Add the boxes of a text file to its picture; a bad line becomes a row."""
    lengths = set()
    for row, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            box = _box(words[:5] if has_keypoints else words)
            picture.boxes.append((box, _class_name(words[0], names)))
        except ValueError as error:
            fix = "correct or delete the line: class x_center y_center width height"
            problems.add(picture.source, f"the box is unusable ({short(error)})", fix, row)
        else:
            lengths.add(len(words))
    if 6 in lengths:
        problems.add(
            picture.source,
            "its lines end with a sixth number, as predictions do with a confidence",
            "make sure that a person drew these boxes",
        )
    if max(lengths, default=5) > 6 and not has_keypoints:
        problems.add(
            picture.source,
            "it holds outlines (polygons), and no boxes",
            "nothing: each became the box around it",
        )


def _box(words: list[str]) -> Edges:
    """Return the edges of a line as shares of the sides; raise ValueError for anything else."""
    values = [float(word) for word in words[1:]]
    if len(values) not in (4, 5) and (len(values) < 6 or len(values) % 2):
        raise ValueError(f"the line has {len(words)} entries instead of 5")
    shares = values[:4] if len(values) < 6 else values
    if not all(-0.01 <= share <= _LARGEST_SHARE for share in shares):
        raise ValueError("its numbers are no shares of the picture, from 0 to 1")
    if len(values) >= 6:
        return edges(min(values[1::2]), min(values[::2]), max(values[1::2]), max(values[::2]))
    x, y, width, height = shares
    return edges(y - height / 2, x - width / 2, y + height / 2, x + width / 2)


def _class_name(word: str, names: dict[int, str]) -> str:
    index = float(word)
    if not index.is_integer() or not 0 <= index < 1_000_000:
        raise ValueError(f"its class {word[:20]} is no whole number")
    if names and int(index) not in names:
        raise ValueError(f"its class {int(index)} has no name")
    return names.get(int(index), str(int(index)))
