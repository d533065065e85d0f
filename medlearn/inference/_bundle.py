"""A model together with its classes, image size, calibration, decision rule and training range."""

import importlib.metadata
import numbers
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medlearn import _checks, report
from medlearn._dataset import Dataset
from medlearn._keras import keras
from medlearn.datasets.readers._fit import FITS
from medlearn.inference import _arrays, _masks, _sources, _store
from medlearn.inference._range import MEASURES, ImageRange

TASKS = ("classification", "segmentation", "detection")
_LIBRARIES = ("medlearn", "keras", "tensorflow", "tensorflow-cpu", "numpy")
_TRIED = 32  # training images whose outputs are looked at
_ROUNDING = 0.02  # of sums of probabilities in half precision


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained model and all that turns its outputs into answers. Make it with `bundle` or `load`.

    Attributes
    ----------
    model : keras.Model
        Takes colour images of 0 to 255; its preprocessing is inside.
    task : {"classification", "segmentation", "detection"}
        What the model answers.
    classes : tuple of str
        The classes in the order of the model's outputs.
    size : tuple of int
        Height and width in pixels of the images that the model takes.
    temperature : float
        Divides the logits of the probabilities; 1 leaves them as they are.
    threshold : float or None
        Of two classes, the probability of the second one from which it is the decision; of a
        detector, the lowest score that counts.
    ask_below : float or None
        An answer whose probability is lower is marked "ask a human".
    image_range : ImageRange
        Brightness, contrast and colour of the training images.
    card : report.ModelCard or None
        The model card.
    versions : dict of str
        Versions of the libraries that trained the model.
    fit : {"crop", "letterbox"}
        How images of other sizes are brought to `size`: the central square, or the whole image with
        black around it.
    """

    model: keras.Model
    task: str
    classes: tuple[str, ...]
    size: tuple[int, int]
    image_range: ImageRange
    temperature: float = 1.0
    threshold: float | None = None
    ask_below: float | None = None
    card: report.ModelCard | None = None
    versions: dict[str, str] = field(default_factory=dict)
    fit: str = "crop"

    def probabilities(self, images: ArrayLike, *, batch_size: int = 32) -> np.ndarray:
        """Return calibrated class probabilities, (N, K) or per pixel (N, H, W, K).

        Parameters
        ----------
        images : array_like, shape (N, H, W, 3)
            uint8 or float, 0 to 255, of any size; `fit` says how they are resized.
        batch_size : int
            Images per step.
        """
        fitted = _arrays.fitted(_checks.images(images), self.size, self.fit)
        return _arrays.probabilities(self, fitted, batch_size)

    def masks(self, images: ArrayLike, *, batch_size: int = 32) -> np.ndarray:
        """Return the class of each pixel, uint8 (N, H, W), in the geometry of the images given.

        Parameters
        ----------
        images : array_like, shape (N, H, W, 3)
            uint8 or float, 0 to 255. Pixels that the model does not see, outside the central
            square, get class 0.
        batch_size : int
            Images per step.
        """
        images = _checks.images(images)
        probabilities = self.probabilities(images, batch_size=batch_size)
        classes = probabilities.argmax(-1).astype(np.uint8)
        return _arrays.own_geometry(classes, images.shape[1:3], self.fit)

    def boxes(self, images: ArrayLike, *, batch_size: int = 16) -> list[np.ndarray]:
        """Return a detector's boxes: N arrays (k, 6) of [y0, x0, y1, x1, class, score] in pixels.

        Parameters
        ----------
        images : array_like, shape (N, H, W, 3)
            uint8 or float, 0 to 255.
        batch_size : int
            Images per step.
        """
        return _arrays.boxes(self, _checks.images(images), batch_size)

    def predict(
        self,
        source: ArrayLike | str | Path | Sequence[str | Path],
        *,
        to: str | Path | None = None,
        batch_size: int = 32,
    ) -> pd.DataFrame:
        """Predict new images and return a table with a row per image (of a detector, per box).

        An image in which a detector finds nothing is one row without a box.

        Parameters
        ----------
        source : array_like (N, H, W, 3), path, or list of paths
            Images, an image file, several files, or a folder that is searched at all depths.
        to : path, optional
            Of a segmenter: the folder for the masks, PNG or NIfTI as their images. It is no folder
            of images: below `source` it is left out, and `source` itself is refused. Only masks
            that were predicted there, and are unaltered, are replaced.
        batch_size : int
            Images per step; memory does not grow with the number of files.

        Returns
        -------
        pandas.DataFrame
            Columns ``file``, the answer of the task, ``ask_human``, ``problem`` and ``note``. An
            image that cannot be read, or that is unlike the training images, has no answer and a
            sentence in ``problem``. What was odd about an image that has an answer, such as a
            second page that was not read, is in ``note``.

        Raises
        ------
        FileExistsError
            If `to` holds a mask that was not predicted, or was altered since.
        """
        batch_size = _checks.whole_number("batch_size", batch_size, 1)
        written = None if to is None else Path(to)
        mask_files = None if written is None else _masks.MaskFiles(written)
        parts = [
            _arrays.table(self, part, mask_files, batch_size)
            for part in _sources.parts(source, batch_size, self.task == "segmentation", written)
        ]
        return pd.concat(parts, ignore_index=True) if parts else _arrays.empty_table(self)

    def save(self, folder: str | Path) -> Path:
        """Write the predictor as one folder and return its path.

        An earlier predictor of that name is replaced only when the new one is complete.

        Parameters
        ----------
        folder : path
            A new folder, or one that holds an earlier predictor.

        Raises
        ------
        FileExistsError
            If the folder holds something else.
        """
        return _store.save(self, Path(folder))


def bundle(
    model: keras.Model,
    classes: Sequence[str],
    training_images: ArrayLike | Dataset,
    *,
    temperature: float = 1.0,
    threshold: float | None = None,
    ask_below: float | None = None,
    card: report.ModelCard | None = None,
    fit: str | None = None,
) -> Predictor:
    """Bundle a trained model with what it needs elsewhere.

    Parameters
    ----------
    model : keras.Model
        A classifier with probabilities (N, K) or (N, 1), a segmenter (N, H, W, K) or a detector,
        that takes images of 0 to 255.
    classes : sequence of str
        The classes in the order of the outputs.
    training_images : array_like, shape (N, H, W, 3), or Dataset
        The images that the model learned from, or a few hundred of them: new images must resemble
        them. A data set says how its images were made square, too.
    temperature : float
        From `metrics.fit_temperature` on validation patients; 1 leaves probabilities as they are.
    threshold : float, optional
        Of two classes: the probability of the second from which it is the decision (default 0.5).
        Of a detector: the lowest score that counts (default 0.3).
    ask_below : float, optional
        Answers with a lower probability are marked "ask a human".
    card : report.ModelCard, optional
        Saved beside the model as a page.
    fit : {"crop", "letterbox"}, optional
        How the training images were made square, and new ones will be: as in the readers of
        `datasets`. Default: what the data set says, or "crop" for arrays.

    Returns
    -------
    Predictor

    Raises
    ------
    ValueError
        If classes do not fit the outputs, the model takes other inputs, its outputs are no
        probabilities, or a number is out of range.
    """
    task, outputs = _task(model)
    classes = _class_names(classes, model.name, outputs)
    dataset_fit = None
    if isinstance(training_images, Dataset):
        dataset_fit, training_images = training_images.fit, training_images.images
    fit = _checked_fit(fit, dataset_fit)
    images = _checks.images(training_images)
    size = tuple(side or pixels for side, pixels in zip(model.input_shape[1:3], images.shape[1:3]))
    _check_numbers(temperature, threshold, ask_below)
    if threshold is not None and outputs > 2 and task != "detection":
        raise ValueError(
            f"A threshold decides between two classes, and {model.name} has {outputs}: leave it "
            "out, the most probable class is the decision."
        )
    fitted = _arrays.fitted(images, size, fit)
    if task != "detection":
        _check_outputs(model, fitted[:_TRIED])
    return Predictor(
        model=model,
        task=task,
        classes=classes,
        size=size,
        image_range=ImageRange.of(fitted, size),
        temperature=float(temperature),
        threshold=threshold,
        ask_below=ask_below,
        card=card,
        versions=_versions(),
        fit=fit,
    )


def load(folder: str | Path) -> Predictor:
    """Load a predictor that `Predictor.save` wrote; nothing of it is run as code.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    Predictor
        Its predictions are bit-equal to those of the one that was saved, on the same kind of
        machine and with the same versions. The model card stays a page in the folder.

    Raises
    ------
    FileNotFoundError
        If there is no predictor.
    ValueError
        If its files are damaged, altered, or of a newer version of medlearn.
    """
    predictor = Predictor(**_store.read(Path(folder)))
    try:
        _check_loaded(predictor)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The settings in {folder} do not fit their model: {error}") from error
    return predictor


def _task(model: keras.Model) -> tuple[str, int]:
    """Return the task of a model and the number of its classes."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 3:
        raise ValueError(
            f"A predictor needs a model of colour images (N, H, W, 3); this one takes {shape}."
        )
    outputs = model.output_shape
    if isinstance(outputs, dict) and {"centres", "sides"} <= set(outputs):
        return "detection", outputs["centres"][-1]
    if isinstance(outputs, tuple) and len(outputs) in (2, 4):
        task = "classification" if len(outputs) == 2 else "segmentation"
        return task, max(outputs[-1], 2)
    raise ValueError(
        f"The outputs of {model.name} have the shape {outputs}; expected are probabilities (N, K), "
        "per pixel (N, H, W, K), or those of networks.detector."
    )


def _checked_fit(fit: str | None, dataset_fit: str | None) -> str:
    """Return how images are made square; raise ValueError if it is not how the data set was."""
    if fit is None:
        return dataset_fit or "crop"
    if fit not in FITS:
        raise ValueError(f"fit must be 'crop' or 'letterbox'; it was {fit!r}.")
    if dataset_fit not in (None, fit):
        raise ValueError(
            f"The training images were read with fit={dataset_fit!r}, and fit={fit!r} would show "
            "the model others: leave fit out."
        )
    return fit


def _check_loaded(predictor: Predictor) -> None:
    """Refuse settings that a program other than `Predictor.save` has put together."""
    task, outputs = _task(predictor.model)
    if predictor.task != task:
        raise ValueError(f"the task is {task}, not {predictor.task!r}.")
    if len(predictor.classes) != outputs or not all(
        isinstance(name, str) for name in predictor.classes
    ):
        raise ValueError(f"expected are {outputs} names of classes, not {predictor.classes!r}.")
    expected = predictor.model.input_shape[1:3]
    sizes = predictor.size
    if len(sizes) != 2 or not all(isinstance(side, int) and side > 0 for side in sizes):
        raise ValueError(f"the size is two whole numbers above 0, not {sizes!r}.")
    if any(side not in (None, size) for side, size in zip(expected, sizes)):
        raise ValueError(f"the model takes {expected}, not {sizes}.")
    if not isinstance(predictor.fit, str) or predictor.fit not in FITS:
        raise ValueError(f"the fit is 'crop' or 'letterbox', not {predictor.fit!r}.")
    _check_numbers(predictor.temperature, predictor.threshold, predictor.ask_below)
    limits = predictor.image_range.limits
    if set(limits) != set(MEASURES) or any(len(pair) != 2 for pair in limits.values()):
        raise ValueError(f"limits of {', '.join(MEASURES)} are expected, two numbers each.")


def _class_names(classes: Sequence[str], model: str, outputs: int) -> tuple[str, ...]:
    """Return the names of the classes; raise ValueError if they do not fit the outputs."""
    names = (classes,) if isinstance(classes, str) else tuple(map(str, classes))
    if len(names) != outputs:
        raise ValueError(
            f"{model} has {outputs} classes, but {len(names)} names were given: {', '.join(names)}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"Each class needs a name of its own; given were {', '.join(names)}.")
    return names


def _check_outputs(model: keras.Model, images: np.ndarray) -> None:
    """Raise ValueError if a model answers with logits, or with classes that exclude nothing."""
    values = np.asarray(model.predict(images, verbose=0), np.float64)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"The outputs of {model.name} run from {values.min():.2g} to {values.max():.2g} and "
            "are no probabilities: end the model with a softmax, or with a sigmoid if it has one "
            "output."
        )
    sums = values.sum(-1)
    if values.shape[-1] > 1 and np.abs(sums - 1).max() > _ROUNDING:
        raise ValueError(
            f"The probabilities of {model.name} sum to {sums.min():.2g} to {sums.max():.2g} and "
            "not to 1: a predictor needs classes that exclude each other, so end the model with a "
            "softmax."
        )


def _check_numbers(temperature, threshold, ask_below) -> None:
    for name, value in (("threshold", threshold), ("ask_below", ask_below)):
        if not (value is None or isinstance(value, numbers.Real)):
            raise ValueError(f"{name} is a probability from 0 to 1, not {value!r}.")
    if not (isinstance(temperature, numbers.Real) and 0 < float(temperature) < np.inf):
        raise ValueError(
            f"temperature is a number above 0, not {temperature!r}; 1 changes nothing."
        )
    for name, value in (("threshold", threshold), ("ask_below", ask_below)):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{name} is a probability from 0 to 1, not {value!r}.")


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
