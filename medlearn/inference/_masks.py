"""Predicted masks as files in the geometry of their images: PNG, or NIfTI with the same affine.

A hidden file beside them lists the SHA-256 of each, so that a mask that somebody drew or corrected
can be told from one that was predicted, and is never replaced.
"""

import hashlib
import io
import os
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from medlearn import _files
from medlearn.datasets.readers import _nifti, _paths
from medlearn.inference._sources import Part

_LONGEST = 200  # bytes of a name without its ending; file systems allow 255 in all
_ENDINGS = (".png", ".nii.gz")
_RECORD = ".medlearn-masks.sha256"
_CANONICAL = np.array([[0, 1], [1, 1], [2, 1]])


class MaskFiles:
    """Writes predicted masks, each into a file of its own name.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    FileExistsError
        If a mask is there that was not predicted, or was altered since.
    """

    def __init__(self, folder: Path) -> None:
        _refuse_others(folder)
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
            self._put(path, _volume(masks, part.volume))
            return [str(path)] * len(masks)
        return [
            "" if problem else self._put(self._target(name, ".png"), _picture(mask))
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

    def _put(self, path: Path, data: bytes) -> str:
        """Write a mask, listed first: a kill in between leaves no mask that is not listed."""
        line = _line(data, path.relative_to(self._folder))
        with (self._folder / _RECORD).open("a", encoding="utf-8", errors="replace") as record:
            record.write(f"\n{line}\n")  # after the half of a line that a kill may have left
        _files.write_bytes(path, data)
        return str(path)


def _refuse_others(folder: Path) -> None:
    """Raise FileExistsError if a mask in the folder is not as it was predicted."""
    record = folder / _RECORD
    known = set(record.read_text("utf-8", "replace").split("\n")) if record.is_file() else set()
    for path in sorted(folder.rglob("*_mask*")):
        if not path.name.lower().endswith(_ENDINGS) or not path.is_file():
            continue
        if _line(path.read_bytes(), path.relative_to(folder)) not in known:
            raise FileExistsError(
                f"There is no record that medlearn predicted the mask {path} as it is now "
                "(earlier versions kept none), so it is not replaced: name another folder for the "
                "masks, or move that file away."
            )


def _line(data: bytes, name: Path) -> str:
    """Return the line of the record for a mask."""
    readable = name.as_posix().encode("utf-8", "replace").decode()
    return f"{hashlib.sha256(data).hexdigest()}  {readable}"


def _stem(name: str) -> str:
    """Return a name without its ending, not too long; a number at its end is no ending."""
    start, _, ending = name.rpartition(".")
    stem = name if ending.isdigit() or not start else start
    if len(os.fsencode(stem)) <= _LONGEST:
        return stem
    return f"{stem[:40]}-{hashlib.sha256(stem.encode()).hexdigest()[:12]}"


def _picture(mask: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()


def _volume(masks: np.ndarray, volume: Path) -> bytes:
    """Return a file of masks (slices, H, W), as the reader turned them, in their volume's axes."""
    source = _nifti.opened(_paths.contents(volume))
    canonical = np.flip(masks, (1, 2)).transpose(2, 1, 0)  # x, y, z of the patient
    turn = nibabel.io_orientation(source.affine)
    back = nibabel.orientations.ornt_transform(_CANONICAL, turn)
    values = nibabel.apply_orientation(canonical, back).astype(np.uint8)
    result = nibabel.Nifti1Image(values, source.affine)
    result.header.set_zooms(source.header.get_zooms()[:3])
    return _gzipped(result)


def _gzipped(image: nibabel.Nifti1Image) -> bytes:
    import gzip

    return gzip.compress(image.to_bytes(), mtime=0)
