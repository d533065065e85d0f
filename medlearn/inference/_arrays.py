"""From images to answers: bring to size, predict, calibrate, decide, and write as a table."""

import numpy as np
import pandas as pd
from PIL import Image

from medlearn import metrics
from medlearn.datasets.readers import _fit
from medlearn.inference._sources import Part

_HALF, _LOWEST_SCORE = 0.5, 0.3


def fitted(images: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """Return images in the size that the model takes.

    Parameters
    ----------
    images : ndarray, shape (N, H, W, 3)
        Values from 0 to 255.
    size : (int, int)
        Height and width that the model takes.
    fit : {"crop", "letterbox"}
        The central square, resized, or the whole image with black around it.

    Raises
    ------
    ValueError
        If the model takes no square and the images have another size.
    """
    if images.shape[1:3] == size:
        return images
    if size[0] != size[1]:
        raise ValueError(
            f"The images have {images.shape[1]} x {images.shape[2]} pixels, but the model takes "
            f"{size[0]} x {size[1]}: bring them to that size first."
        )
    as_bytes = np.clip(np.round(images), 0, 255).astype(np.uint8)
    return np.stack([_fit.pixels(image, size[0], fit) for image in as_bytes])


def probabilities(predictor, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Return calibrated probabilities of images that have the model's size.

    Parameters
    ----------
    predictor : Predictor
        The model with its settings.
    images : ndarray, shape (N, H, W, 3)
        Values from 0 to 255.
    batch_size : int
        Images that are predicted together.
    """
    values = predictor.model.predict(
        np.ascontiguousarray(images), batch_size=batch_size, verbose=0
    ).astype(np.float64)
    if values.shape[-1] == 1:
        values = np.concatenate([1 - values, values], axis=-1)
    if predictor.temperature == 1:
        return values
    rows = metrics.apply_temperature(values.reshape(-1, values.shape[-1]), predictor.temperature)
    return rows.reshape(values.shape)


def own_geometry(masks: np.ndarray, shape: tuple[int, int], fit: str) -> np.ndarray:
    """Return masks of squares in the shape of the images that they were made of.

    Parameters
    ----------
    masks : ndarray of uint8, shape (N, h, w)
        Class indices.
    shape : (int, int)
        Height and width of the images.
    fit : {"crop", "letterbox"}
        As in `fitted`.
    """
    if masks.shape[1:] == tuple(shape):
        return masks
    (top, left, height, width), inside = _fit.parts(*shape, masks.shape[1], fit)
    mask_top, mask_left, mask_height, mask_width = inside
    full = np.zeros((len(masks), *shape), np.uint8)
    for index, mask in enumerate(masks):
        part = mask[mask_top : mask_top + mask_height, mask_left : mask_left + mask_width]
        resized = Image.fromarray(part).resize((width, height), Image.Resampling.NEAREST)
        full[index, top : top + height, left : left + width] = np.asarray(resized)
    return full


def boxes(predictor, images: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Return the detector's boxes in pixels of these images.

    Parameters
    ----------
    predictor : Predictor
        The model with its settings.
    images : ndarray, shape (N, H, W, 3)
        In their own size; values from 0 to 255.
    batch_size : int
        Images that are predicted together.
    """
    from medlearn import networks

    size = predictor.size
    lowest = _LOWEST_SCORE if predictor.threshold is None else predictor.threshold
    detections_by_image = networks.detect(
        predictor.model,
        fitted(images, size, predictor.fit),
        score_threshold=lowest,
        batch_size=batch_size,
    )
    shape = images.shape[1:3]
    if shape == size:
        return detections_by_image
    return [_moved(detections, shape, predictor) for detections in detections_by_image]


def _moved(detections: np.ndarray, shape: tuple[int, int], predictor) -> np.ndarray:
    """Return boxes in pixels of the image; those in the black around it are left out."""
    (top, left, height, width), inside = _fit.parts(*shape, predictor.size[0], predictor.fit)
    mask_top, mask_left, mask_height, mask_width = inside
    scale = np.array([height / mask_height, width / mask_width] * 2)
    moved = detections.copy()
    moved[:, :4] = (moved[:, :4] - [mask_top, mask_left] * 2) * scale + [top, left] * 2
    if predictor.fit == "crop":
        return moved
    moved[:, :4] = np.clip(moved[:, :4], 0, [*shape, *shape])
    return moved[(moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])]


# ---- tables --------------------------------------------------------------------------------------


def table(predictor, part: Part, mask_files, batch_size: int) -> pd.DataFrame:
    """Return the rows of images that are predicted together, and those that could not be read.

    Parameters
    ----------
    predictor : Predictor
        The model with its settings.
    part : Part
        The images and the files.
    mask_files : MaskFiles, optional
        Writes the masks of a segmenter.
    batch_size : int
        Images that are predicted together.
    """
    rows = [_row(predictor, file, problem=problem) for file, problem in part.unreadable]
    if len(part.images):
        native = part.images.shape[1:3]
        images = fitted(part.images, predictor.size, predictor.fit)
        unlike = predictor.image_range.problems(images, native, predictor.fit)
        rows += _ANSWERS[predictor.task](predictor, part, images, unlike, mask_files, batch_size)
    for row in rows:
        row["note"] = part.notes.get(row["file"], "")
    return pd.DataFrame(rows, columns=_columns(predictor))


def empty_table(predictor) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame(columns=_columns(predictor))


def _columns(predictor) -> list[str]:
    middle = {
        "classification": [*map(_probability_of, predictor.classes), "decision"],
        "segmentation": [*map(_share_of, predictor.classes), "mask"],
        "detection": ["y0", "x0", "y1", "x1", "decision", "score"],
    }[predictor.task]
    return ["file", *middle, "ask_human", "problem", "note"]


def _probability_of(name: str) -> str:
    return f"probability of {name}"


def _share_of(name: str) -> str:
    return f"share of {name}"


def _row(predictor, file: str, problem: str = "", **values) -> dict:
    empty = dict.fromkeys(_columns(predictor))
    return empty | {"file": file, "ask_human": bool(problem), "problem": problem} | values


def _unsure(predictor, confidence: float) -> bool:
    return predictor.ask_below is not None and bool(confidence < predictor.ask_below)


def _classified(predictor, part, images, unlike, mask_files, batch_size) -> list[dict]:
    values = probabilities(predictor, images, batch_size)
    rows = []
    for file, row, problem in zip(part.files, values, unlike, strict=True):
        if problem:
            rows.append(_row(predictor, file, problem))
            continue
        decision = _decision(predictor, row)
        answer = dict(zip(map(_probability_of, predictor.classes), row.tolist(), strict=True))
        answer |= {
            "decision": predictor.classes[decision],
            "ask_human": _unsure(predictor, row[decision]),
        }
        rows.append(_row(predictor, file, **answer))
    return rows


def _decision(predictor, row: np.ndarray) -> int:
    if len(row) > 2 or predictor.threshold is None:
        return int(row.argmax())
    return int(row[1] >= predictor.threshold)


def _segmented(predictor, part, images, unlike, mask_files, batch_size) -> list[dict]:
    values = probabilities(predictor, images, batch_size)
    classes = values.argmax(-1).astype(np.uint8)
    masks = own_geometry(classes, part.images.shape[1:3], predictor.fit)
    confidence = values.max(-1).mean((1, 2))
    paths = mask_files.write(masks, part, unlike) if mask_files else [""] * len(masks)
    rows = []
    for index, file in enumerate(part.files):
        if unlike[index]:
            rows.append(_row(predictor, file, unlike[index]))
            continue
        counts = np.bincount(masks[index].ravel(), minlength=len(predictor.classes))
        shares = (counts / counts.sum()).tolist()
        answer = dict(zip(map(_share_of, predictor.classes), shares, strict=True))
        answer |= {"mask": paths[index], "ask_human": _unsure(predictor, confidence[index])}
        rows.append(_row(predictor, file, **answer))
    return rows


def _detected(predictor, part, images, unlike, mask_files, batch_size) -> list[dict]:
    rows = []
    for file, detections, problem in zip(
        part.files, boxes(predictor, part.images, batch_size), unlike, strict=True
    ):
        if problem or not len(detections):
            rows.append(_row(predictor, file, problem))
        for y0, x0, y1, x1, class_index, score in [] if problem else detections.tolist():
            answer = {"y0": y0, "x0": x0, "y1": y1, "x1": x1, "score": score}
            answer |= {
                "decision": predictor.classes[int(class_index)],
                "ask_human": _unsure(predictor, score),
            }
            rows.append(_row(predictor, file, **answer))
    return rows


_ANSWERS = {"classification": _classified, "segmentation": _segmented, "detection": _detected}
