"""Which format annotations of boxes have: COCO, Pascal VOC, YOLO, or one that is not read."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from medlearn.datasets.readers import _coco, _paths, _voc, _yolo
from medlearn.datasets.readers._annotations import Annotated
from medlearn.datasets.readers._problems import Problems, Unreadable

_READ = "COCO, Pascal VOC or YOLO"


def parse(
    path: Path, pictures: str | Path | None, problems: Problems
) -> tuple[dict[str, Annotated], tuple[str, ...], Path]:
    """Return the annotated pictures by name, the classes, and the folder of the pictures.

    Parameters
    ----------
    path : Path
        A COCO file, a folder of VOC or YOLO files, or the data.yaml of a YOLO folder.
    pictures : str, Path or None
        The folder of the pictures; None for the one that the annotations imply.
    problems : Problems
        Gets a row for each bad file or box.

    Raises
    ------
    ValueError
        If the annotations cannot be read at all, or are in another format.
    """
    if path.suffix.lower() in (".yaml", ".yml") and path.is_file():
        path = path.parent
    if path.is_dir() and not any(path.glob("*.xml")):
        label_files = _yolo.label_files(path)
        if label_files:
            root = _yolo_pictures(path) if pictures is None else _paths.folder(pictures)
            annotated, classes = _yolo.parse_folder(path, label_files, root, problems)
            return annotated, classes, root
        _refuse_folder(path)
    root = path if path.is_dir() else path.parent
    annotated = _voc.parse_folder(path, problems) if path.is_dir() else _coco_file(path, problems)
    names = {name for picture in annotated.values() for _, name in picture.boxes}
    return annotated, tuple(sorted(names)), _paths.folder(root if pictures is None else pictures)


def _yolo_pictures(path: Path) -> Path:
    """Return the folder of the pictures of a YOLO folder."""
    images = path.parent / "images"
    return images if path.name == "labels" and images.is_dir() else path


def _coco_file(path: Path, problems: Problems) -> dict[str, Annotated]:
    if path.suffix.lower() in (".csv", ".tsv"):
        raise ValueError(_refusal(path, "a table of boxes (CSV)"))
    try:
        content = _coco.load(_paths.contents(path, _coco.MAX_BYTES))
        if _is_labelme(content):
            raise ValueError(_refusal(path, "of labelme (shapes of one picture)"))
        return _coco.parse(content, path.name, problems)
    except Unreadable as error:
        raise ValueError(
            f"The annotations {path.name!r} cannot be read: {error.problem}; {error.fix}."
        ) from error


def _refuse_folder(folder: Path) -> None:
    """Raise ValueError if a folder holds annotations of a format that is not read as a folder."""
    for file in sorted(folder.glob("*.json")):
        content = None
        with suppress(Unreadable):
            content = _coco.load(_paths.contents(file, _coco.MAX_BYTES))
        if _is_labelme(content):
            raise ValueError(_refusal(file, "of labelme (shapes of one picture)"))
        raise ValueError(
            f"The folder {folder.name!r} holds no .xml and no .txt with boxes; if its file "
            f"{file.name!r} is in the format of COCO, pass that file."
        )
    for file in sorted(folder.glob("*.csv")):
        raise ValueError(_refusal(file, "a table of boxes (CSV)"))


def _refusal(path: Path, format_name: str) -> str:
    return (
        f"The annotations {path.name!r} are {format_name}, which is not read: convert them to "
        f"{_READ}."
    )


def _is_labelme(content: Any) -> bool:
    return isinstance(content, dict) and "shapes" in content and "annotations" not in content
