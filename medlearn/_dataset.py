"""The one table of the package: images, and one entry for each of them in every column."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medlearn import _columns

_COLUMNS = ("images", "labels", "masks", "boxes", "patients", "domains", "spacing", "split")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with their labels, masks or boxes, and where each image comes from.

    Row i of every column belongs to ``images[i]``. A data set is never changed: `take` returns
    another one, and so does `dataclasses.replace`.

    Attributes
    ----------
    name : str
        Name of the data set, such as ``"wbc"``.
    images : numpy.ndarray of uint8, shape (N, H, W, 3)
        RGB, 0 to 255. A grey image holds the same values in all three channels.
    patients : numpy.ndarray of str, shape (N,)
        Patient ids. All images of one patient belong on one side of a split.
    domains : numpy.ndarray of str, shape (N,)
        Where each image was made: a laboratory, a site or a scanner.
    spacing : numpy.ndarray of float, shape (N, 2)
        Height and width of a pixel in mm (MRI) or micrometres (microscope); NaN if unknown.
    patients_known : bool
        False if the origin does not say which images share a patient. Then each image has a
        patient id of its own, except known repeats, and every interval is one "by image".
    licence : str
        What one may do with the images.
    twin : str
        Name of the simulated set that mimics this real one, or of the real set that this
        simulated one mimics; empty if there is none.
    classes : tuple of str
        Names of the classes, in the order of their indices.
    labels : numpy.ndarray of int64, shape (N,), or None
        Index into `classes` of each image; None if an image has no class as a whole.
    mask_classes : tuple of str
        Names of the mask's values, in the order of their indices; the first is the background.
    masks : numpy.ndarray of uint8, shape (N, H, W), or None
        Index into `mask_classes` of each pixel; None if nothing was outlined.
    boxes : list of numpy.ndarray of float, N arrays of shape (k, 5), or None
        ``[y0, x0, y1, x1, index into classes]`` of each object, in pixels of the image, y1 and x1
        excluded; None if no object was framed.
    split : numpy.ndarray of str, shape (N,), or None
        The official ``"train"``, ``"val"`` or ``"test"``; None if there is none.
    facts : dict of str to numpy.ndarray of length N
        Further columns, such as the file name, the patient's age in years, or a note on a
        doubtful label.
    fit : {"crop", "letterbox"}
        How images that were no squares were made square: the central square, or with black around.

    Raises
    ------
    ValueError
        If a column does not have one entry per image.
    """

    name: str
    images: np.ndarray
    patients: np.ndarray
    domains: np.ndarray
    spacing: np.ndarray
    patients_known: bool
    licence: str = ""
    twin: str = ""
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    mask_classes: tuple[str, ...] = ()
    masks: np.ndarray | None = None
    boxes: list[np.ndarray] | None = None
    split: np.ndarray | None = None
    facts: dict[str, np.ndarray] = field(default_factory=dict)
    fit: str = "crop"

    def __post_init__(self) -> None:
        _columns.check_lengths(self, _COLUMNS, "image")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape))
        columns = [name for name in ("labels", "masks", "boxes") if getattr(self, name) is not None]
        parts = [f"images {shape}", *columns, *_columns.origins(self)]
        return f"Dataset({self.name!r}: {', '.join(parts)})"

    def take(self, indices: np.ndarray | Sequence[int] | slice) -> "Dataset":
        """Return the images at `indices` with all their columns, in that order.

        Parameters
        ----------
        indices : array_like of int or bool, or slice
            One dimension, as NumPy indexes: indices of images, which may repeat, or one bool per
            image.

        Returns
        -------
        Dataset
            A copy of these rows.

        Raises
        ------
        ValueError
            If `indices` does not have one dimension.
        IndexError
            If there is no image of such an index.

        Examples
        --------
        >>> from medlearn.instruments import smear
        >>> cells = smear.single_cells("lab-a", 10, size=32)
        >>> cells.take(cells.labels == 0).labels.tolist()
        [0, 0]
        """
        return _columns.taken(self, _COLUMNS, indices)


def joined(parts: Sequence[Dataset]) -> Dataset:
    """Return the rows of several data sets that have the same columns, in this order.

    What is not a column, such as the name and the classes, is that of the first.
    """
    return _columns.joined(parts, _COLUMNS)
