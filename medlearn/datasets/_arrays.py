"""A data set from arrays that are in memory already."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks, _files, _images
from medlearn._dataset import Dataset

LICENCE = "your own data; whoever owns them decides"
ONE_DOMAIN = "one site"  # the domain of images of which none was named


def from_arrays(
    images: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    classes: Sequence[str] | None = None,
    patients: ArrayLike | None = None,
    domains: ArrayLike | str | None = None,
    spacing: ArrayLike | None = None,
    masks: ArrayLike | None = None,
    mask_classes: Sequence[str] | None = None,
    boxes: Sequence[ArrayLike] | None = None,
    name: str = "own data",
) -> Dataset:
    """Make a data set from arrays, each with one entry per image.

    Parameters
    ----------
    images : array_like, shape (N, H, W, 3)
        uint8, or floats from 0 to 255, which are rounded.
    labels : array_like, shape (N,), optional
        Class of each image: its name, or its index from 0.
    classes : sequence of str, optional
        Names of the classes in the order of their indices. Default: the names among the labels in
        alphabetical order, or the indices "0", "1", ... up to the highest one.
    patients : array_like, shape (N,), optional
        Patient id of each image. Default: each image is a patient of its own, and
        ``patients_known`` is False.
    domains : array_like, shape (N,), or str, optional
        Laboratory, site or scanner of each image, or of all of them. Default: "one site".
    spacing : array_like, shape (N, 2), (2,) or (), optional
        Height and width of a pixel in mm or micrometres, of each image or of all. Default: NaN.
    masks : array_like, shape (N, H, W), optional
        Whole numbers or bool: index into `mask_classes` of each pixel, 0 for the background.
    mask_classes : sequence of str, optional
        Default: "background", then "1", "2", ... up to the highest value.
    boxes : sequence of array_like, N arrays of shape (k, 5), optional
        ``[y0, x0, y1, x1, index into classes]`` of each object, in pixels of the image, y1 and x1
        excluded; ``[]`` for an image without objects.
    name : str
        What the data set is called in messages and figures.

    Returns
    -------
    Dataset
        It shares memory with uint8 `images` and `masks`.

    Raises
    ------
    ValueError
        If an array has another shape, type or range; the message says what to change.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn import datasets
    >>> datasets.from_arrays(np.zeros((3, 8, 8, 3), np.uint8), ["ill", "well", "ill"])
    Dataset('own data': images 3 x 8 x 8 x 3, labels, 3 patients, domains one site)
    """
    pixels = _checks.images(images)
    count, sides = len(pixels), pixels.shape[1:3]
    values = None if labels is None else _entries("labels", labels)
    objects = None if boxes is None else _boxes(boxes, sides)
    class_names = _class_names(classes, values, objects)
    if objects:
        _indices("boxes", np.concatenate(objects)[:, 4], class_names)
    outlines, outline_names = _masks(masks, mask_classes, pixels.shape[:3])
    return Dataset(
        name=name,
        images=pixels if pixels.dtype == np.uint8 else _images.to_uint8(pixels),
        labels=None if values is None else _indices("labels", values, class_names),
        classes=class_names,
        patients=_patients(patients, count),
        patients_known=patients is not None,
        domains=_domains(domains, count),
        spacing=_spacing(spacing, count),
        masks=outlines,
        mask_classes=outline_names,
        boxes=objects,
        licence=LICENCE,
    )


def _entries(name: str, values: ArrayLike) -> np.ndarray:
    """One entry per image, text or numbers, none of them missing."""
    column = _checks.column(name, values)
    if column.dtype.kind != "O":
        return column.astype(str) if column.dtype.kind == "S" else column
    entries = column.tolist()
    missing = sum(value is None or value != value for value in entries)
    if missing:
        raise ValueError(
            f"{name} has {missing} missing entries among {len(entries)}: fill them in, or leave "
            "these images out."
        )
    is_text = any(isinstance(value, str) for value in entries)
    return column.astype(str) if is_text else np.array(entries)


def _class_names(classes, labels, objects) -> tuple[str, ...]:
    """The names that were given; else the labels' own names, or a number for each index in use."""
    if classes is not None:
        names = tuple(map(str, classes))
        if len(set(names)) < len(names):
            raise ValueError(f"classes holds a name twice: {', '.join(names)}.")
        return names
    if labels is not None and labels.dtype.kind == "U":
        return tuple(np.unique(labels).tolist())
    columns = [frame[:, 4] for frame in objects or []]
    if labels is not None:
        columns.append(labels)
    highest = max((int(column.max()) for column in columns if len(column)), default=-1)
    return tuple(str(index) for index in range(highest + 1))


def _indices(name: str, values: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Indices of classes, int64, from their names or from numbers; ValueError for any other."""
    if values.dtype.kind == "U":
        unknown = sorted(set(values.tolist()) - set(classes))
        if unknown:
            raise ValueError(_files.unknown("class", unknown[0], classes))
        index_of = {name: index for index, name in enumerate(classes)}
        return np.array([index_of[value] for value in values.tolist()], np.int64)
    wrong = (values < 0) | (values >= len(classes)) | (values != np.floor(values))
    if wrong.any():
        raise ValueError(
            f"{name} holds {values[wrong][0].item():g}, but {len(classes)} classes have the "
            f"indices 0 to {len(classes) - 1}: count from 0, and name all classes."
        )
    return values.astype(np.int64)


def _patients(patients, count: int) -> np.ndarray:
    """Patient ids, str (N,); if there are none, an id for each image."""
    if patients is None:
        return np.array([f"image-{number:06d}" for number in range(count)])
    ids = _entries("patients", patients).astype(str)
    empty = np.char.strip(ids) == ""
    if empty.any():
        raise ValueError(
            f"patients has {empty.sum()} empty ids among {len(ids)}: give each of these images an "
            "id of its own, or leave patients out."
        )
    return ids


def _domains(domains, count: int) -> np.ndarray:
    """Names of domains, str (N,)."""
    if domains is None or isinstance(domains, str):
        return np.full(count, domains or ONE_DOMAIN)
    return _entries("domains", domains).astype(str)


def _spacing(spacing, count: int) -> np.ndarray:
    """Height and width of a pixel, float (N, 2); NaN if unknown."""
    values = np.asarray(np.nan if spacing is None else spacing, float)
    if values.shape not in ((), (2,), (count, 2)) or (values <= 0).any():
        raise ValueError(
            "spacing is the height and width of a pixel, above 0, or NaN: a number, a pair, or an "
            f"array ({count}, 2); here the shape is {values.shape}, the lowest value "
            f"{np.nanmin(values, initial=np.inf):g}."
        )
    return np.broadcast_to(values, (count, 2)).copy()


def _masks(masks, mask_classes, shape: tuple) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Masks uint8 (N, H, W), and the names of their values."""
    if masks is None:
        return None, tuple(map(str, mask_classes or ()))
    values = _checks.one_array(masks, "masks")
    if values.shape != shape or values.dtype.kind not in "biu":
        raise ValueError(
            f"masks are whole numbers of the shape {shape}, one class index per pixel; here they "
            f"are {values.dtype} of the shape {values.shape}."
        )
    low, high = int(values.min()), int(values.max())
    if mask_classes is None and np.isin(values, (0, 255)).all() and high:
        raise ValueError("masks hold only 0 and 255: divide them by 255, so that 1 is the object.")
    numbered = ("background", *(str(index) for index in range(1, high + 1)))
    names = numbered if mask_classes is None else tuple(map(str, mask_classes))
    if low < 0 or high >= min(len(names), 256):
        raise ValueError(
            f"masks run from {low} to {high}, but {len(names)} mask classes have the values 0 to "
            f"{len(names) - 1}; at most 256 are possible."
        )
    return values.astype(np.uint8, copy=False), names


def _boxes(boxes, sides: tuple[int, int]) -> list[np.ndarray]:
    """Boxes of each image, float (k, 5), that lie within it."""
    objects = [np.asarray(rows, float) for rows in boxes]
    objects = [rows if rows.size else np.zeros((0, 5)) for rows in objects]
    for index, rows in enumerate(objects):
        if rows.ndim != 2 or rows.shape[1] != 5:
            raise ValueError(
                f"The boxes of image {index} have the shape {rows.shape}, but (k, 5) is expected: "
                "[y0, x0, y1, x1, index of the class] of each object."
            )
        sound = (rows[:, :2] >= 0) & (rows[:, :2] < rows[:, 2:4]) & (rows[:, 2:4] <= sides)
        if not sound.all():
            wrong = rows[~sound.all(axis=1)][0, :4].tolist()
            raise ValueError(
                f"Image {index} of {sides[0]} x {sides[1]} pixels has the box {wrong}, but 0 <= y0 "
                "< y1 <= height and 0 <= x0 < x1 <= width is expected: clip it, or leave it out."
            )
    return objects
