"""Detectors of blood cells for dense_detection.py: the fields of `bccd`, training, and predictions.

Boxes are float (k, 5) [y0, x0, y1, x1, class] in pixels, predictions have a score as sixth column.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn import _files, backbones, datasets, networks, transfer
from medlearn._keras import keras
from medlearn.metrics import boxes

SHAPE, BATCH, CLASSES = (288, 384), 8, 3
EPOCHS = {  # a random epoch takes longer: all weights learn
    "fine-tuned": 16,
    "fine-tuned, short": 12,
    "random": 10,
    "random, quick norms": 10,
}
LOSSES = {"centres": networks.detection.heatmap_loss, "sides": networks.detection.box_loss}
LOWEST_SCORE = 0.02
WIDEST_ZOOM, LIGHT, COLOUR = 1.35, 0.15, 0.06  # ranges of the random views


# ---- data ----------------------------------------------------------------------------------------


@lru_cache
def fields() -> datasets.Dataset:
    """Return all fields of `bccd`."""
    return datasets.load("bccd")


def part(*names: str) -> np.ndarray:
    """Return the rows of the official parts "train", "val" and "test"."""
    return np.flatnonzero(np.isin(fields().split, names))


def resized(rows: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return whole fields at the size that the network sees, and their true boxes."""
    true_boxes = [fields().boxes[row] for row in rows]
    return boxes.resize_with_padding(fields().images[rows], true_boxes, SHAPE)


class RandomViews(keras.utils.PyDataset):
    """Batches of images in random order, each flipped, zoomed and coloured at random.

    Parameters
    ----------
    rows : int array
        Rows of the fields.
    seed : int
        Seed of order and views.
    """

    def __init__(self, rows: np.ndarray, seed: int):
        super().__init__()
        self.rows = rows
        self.random = np.random.default_rng(seed)
        self.order = rows
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.rows) // BATCH

    def on_epoch_end(self):
        self.order = self.random.permutation(self.rows)

    def __getitem__(self, index: int):
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        images, true_boxes = zip(*(self._view(row) for row in rows))
        return np.stack(images), networks.detection.encode_targets(list(true_boxes), SHAPE, CLASSES)

    def _view(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        share = 1 / self.random.uniform(1.0, WIDEST_ZOOM)
        image, true_boxes = _window(
            fields().images[row], fields().boxes[row], share, self.random.random(2)
        )
        for axis in (1, 2):
            if self.random.random() < 0.5:
                images, (true_boxes,) = boxes.flip(image[None], [true_boxes], axis)
                image = images[0]
        light = self.random.uniform(1 - LIGHT, 1 + LIGHT)
        light = light * self.random.uniform(1 - COLOUR, 1 + COLOUR, 3)
        return np.clip(image * light.astype(np.float32), 0, 255), true_boxes


def _window(
    image: np.ndarray, true_boxes: np.ndarray, share: float, position: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A window of a share of each side, at `position` (0..1); boxes stay if their centre does."""
    sides = np.array(image.shape[:2])
    window = sides * share
    corner = (sides - window) * position
    region = (corner[1], corner[0], corner[1] + window[1], corner[0] + window[0])
    picture = Image.fromarray(image).resize(SHAPE[::-1], Image.Resampling.BILINEAR, box=region)
    moved = true_boxes.copy()
    moved[:, :4] = (true_boxes[:, :4] - np.tile(corner, 2)) * np.tile(SHAPE / window, 2)
    centres = (moved[:, :2] + moved[:, 2:4]) / 2
    moved[:, :4] = moved[:, :4].clip(0, [*SHAPE, *SHAPE])
    inside = ((centres >= 0) & (centres < SHAPE)).all(1)
    return np.asarray(picture), moved[inside]


# ---- training and predictions --------------------------------------------------------------------


def fit(method: str, seed: int) -> keras.Model:
    """Return a detector that learned from the official training fields.

    Parameters
    ----------
    method : str
        A key of `EPOCHS`.
    seed : int
        Seed of weights, order and views.
    """
    rows = part("train")
    keras.utils.set_random_seed(seed)
    pretrained = method.startswith("fine-tuned")
    weights = "imagenet" if pretrained else None
    encoder = backbones.load("efficientnet_lite0", weights=weights, seed=seed)
    model = networks.detector(encoder, CLASSES, seed=seed)
    if pretrained:
        transfer.unfreeze(model, from_="block_4")
    elif method == "random, quick norms":
        _quicken(encoder)
    steps = EPOCHS[method] * (len(rows) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, warmup_target=2e-3, warmup_steps=steps // 10
    )
    adam = keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=5.0)
    model.compile(adam, LOSSES, jit_compile=False)
    model.fit(RandomViews(rows, seed), epochs=EPOCHS[method], verbose=0)
    return model


def _quicken(encoder: keras.Model) -> None:
    """Let BatchNorm statistics keep pace with weights that change in a few hundred steps."""
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9


def predict(model: keras.Model, rows: np.ndarray, flips: bool) -> list[np.ndarray]:
    """Return the boxes that a model predicts in some fields.

    Parameters
    ----------
    model : keras.Model
        A detector.
    rows : int array
        Rows of the fields.
    flips : bool
        Whether predictions are averaged over three flips.
    """
    images, _ = resized(rows)
    return networks.detect(model, images, flips=flips, score_threshold=LOWEST_SCORE)


def store(method: str, seed: int, predictions: list[np.ndarray]) -> None:
    """Keep the predictions of the test fields in the cache folder: they are boxes, no pixels.

    Parameters
    ----------
    method : str
        A key of `EPOCHS`.
    seed : int
        Seed of the training.
    predictions : list of array
        What `predict` returned.
    """
    np.savez_compressed(_stored(method, seed), *predictions)


def test_predictions(method: str, seed: int) -> list[np.ndarray]:
    """Return predictions of the test fields, averaged over flips; trains if none are kept.

    Parameters
    ----------
    method : str
        A key of `EPOCHS`.
    seed : int
        Seed of the training.
    """
    if not _stored(method, seed).exists():
        store(method, seed, predict(fit(method, seed), part("test"), flips=True))
    with np.load(_stored(method, seed)) as arrays:
        return [arrays[f"arr_{number}"] for number in range(len(arrays.files))]


def _stored(method: str, seed: int) -> Path:
    folder = _files.cache() / "dense_detection"
    folder.mkdir(exist_ok=True)
    return folder / f"{method}-{seed}.npz"
