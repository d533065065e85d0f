"""What every loader returns: images and all that is known about them, row by row."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

_PER_IMAGE = ("images", "labels", "masks", "boxes", "patients", "domains", "spacing", "split")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """N images with their labels, masks or boxes, and where each of them comes from.

    images     uint8 (N, H, W, 3)
    labels     int64 (N,), an index into `classes`; None where there is no class per image
    masks      uint8 (N, H, W), an index into `mask_classes`; None where nothing was outlined
    boxes      N float arrays (k, 5) of [y0, x0, y1, x1, index into `classes`], in pixels of the image; or None
    patients   str (N,); images of one patient belong on one side of a split
    patients_known  False where every image stands for a patient of its own, except known repeats
    domains    str (N,), the laboratory or scanner
    spacing    float (N, 2), height and width of a pixel in mm (MRI) or um (microscope); NaN if unknown
    split      str (N,), the official "train", "val" or "test"; None where there is none
    facts      further columns of N values, such as the file name or a note on a doubtful label

    Raises ValueError if a column does not have one entry per image.
    """

    name: str
    images: np.ndarray
    patients: np.ndarray
    domains: np.ndarray
    spacing: np.ndarray
    patients_known: bool
    licence: str
    twin: str
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    mask_classes: tuple[str, ...] = ()
    masks: np.ndarray | None = None
    boxes: list[np.ndarray] | None = None
    split: np.ndarray | None = None
    facts: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        columns = {key: getattr(self, key) for key in _PER_IMAGE} | self.facts
        for key, column in columns.items():
            if column is not None and len(column) != len(self.images):
                raise ValueError(
                    f"{key} has {len(column)} entries for {len(self.images)} images of {self.name!r}."
                )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape))
        given = [
            f.name
            for f in fields(self)
            if f.name in _PER_IMAGE[1:4] and getattr(self, f.name) is not None
        ]
        return (
            f"Dataset({self.name!r}: images {shape}, {', '.join(given)}, "
            f"{len(np.unique(self.patients))} patients, domains {', '.join(np.unique(self.domains))})"
        )

    def take(self, indices) -> "Dataset":
        """The images at `indices` (int or bool array, as NumPy indexes), with all their columns, in that order."""
        rows = np.arange(len(self))[indices]
        if rows.ndim != 1:
            raise ValueError(
                f"take wants a one-dimensional array of indices; it was given {rows.ndim} dimensions."
            )

        def pick(column):
            if column is None:
                return None
            return [column[row] for row in rows] if isinstance(column, list) else column[rows]

        return replace(
            self,
            **{key: pick(getattr(self, key)) for key in _PER_IMAGE},
            facts={key: pick(column) for key, column in self.facts.items()},
        )
