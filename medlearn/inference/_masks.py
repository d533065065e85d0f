"""Predicted masks as files in the geometry of their images: PNG, or NIfTI with the same affine."""

import hashlib
import os
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from medlearn import _files
from medlearn.datasets.readers import _nifti, _paths
from medlearn.inference._sources import Part

_LONGEST = 200  # bytes of a name without its ending; file systems allow 255 in all
_CANONICAL = np.array([[0, 1], [1, 1], [2, 1]])


class MaskFiles:
    """Writes predicted masks, each into a file of its own name.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[Path] = set()

    def write(self, masks: np.ndarray, part: Part, unlike: list[str]) -> list[str]:
        """Write masks and return their paths, "" where none was written.

        Parameters
        ----------
        masks : ndarray of uint8, shape (N, H, W)
            Class indices, in the shape of the images.
        part : Part
            The images that they belong to.
        unlike : list of str
            For each image the reason why no mask is written; "" if there is none.
        """
        if part.volume is not None:
            path = self._target(part.files[0].rpartition("#")[0], ".nii.gz")
            _write_volume(path, masks, part.volume)
            return [str(path)] * len(masks)
        return [
            "" if problem else _write_picture(self._target(name, ".png"), mask)
            for mask, name, problem in zip(masks, part.files, unlike, strict=True)
        ]

    def _target(self, name: str, ending: str) -> Path:
        """Return the file for an image's mask: of `a.png` and `a.jpg`, two files."""
        path = Path(name.replace("#", "_"))
        stem = _stem(path.name.removesuffix(".gz"))
        parent = self._folder / path.parent
        target, number = parent / f"{stem}_mask{ending}", 1
        while target in self._written:
            number += 1
            target = parent / f"{stem}_mask{number}{ending}"
        self._written.add(target)
        parent.mkdir(parents=True, exist_ok=True)
        return target


def _stem(name: str) -> str:
    """Return a name without its ending, not too long; a number at its end is no ending."""
    start, _, ending = name.rpartition(".")
    stem = name if ending.isdigit() or not start else start
    if len(os.fsencode(stem)) <= _LONGEST:
        return stem
    return f"{stem[:40]}-{hashlib.sha256(stem.encode()).hexdigest()[:12]}"


def _write_picture(path: Path, mask: np.ndarray) -> str:
    _files.write_atomically(path, lambda draft: Image.fromarray(mask).save(draft, "PNG"))
    return str(path)


def _write_volume(path: Path, masks: np.ndarray, volume: Path) -> None:
    """Write masks (slices, H, W), as the reader turned them, in the axes of their volume."""
    source = _nifti.opened(_paths.contents(volume))
    canonical = np.flip(masks, (1, 2)).transpose(2, 1, 0)  # x, y, z of the patient
    turn = nibabel.io_orientation(source.affine)
    back = nibabel.orientations.ornt_transform(_CANONICAL, turn)
    values = nibabel.apply_orientation(canonical, back).astype(np.uint8)
    result = nibabel.Nifti1Image(values, source.affine)
    result.header.set_zooms(source.header.get_zooms()[:3])
    _files.write_bytes(path, _gzipped(result))


def _gzipped(image: nibabel.Nifti1Image) -> bytes:
    import gzip

    return gzip.compress(image.to_bytes(), mtime=0)
