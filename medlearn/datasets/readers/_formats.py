"""The formats of pictures and volumes, recognised by the content of a file and not by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medlearn.datasets.readers import _dicom, _nifti, _paths, _pictures
from medlearn.datasets.readers._frame import Frame, Window
from medlearn.datasets.readers._problems import Unreadable


@dataclass(frozen=True)
class _Format:
    """A format: its name, how it is recognised, and how its pictures are read."""

    name: str
    recognises: Callable[[bytes], bool]
    frames: Callable[[bytes, Window | None, int], list[Frame]]


_FORMATS = (
    _Format("DICOM", _dicom.is_dicom, _dicom.frames),
    _Format("NIfTI", _nifti.is_nifti, _nifti.frames),
    _Format("PNG, JPEG, TIFF, BMP, GIF", _pictures.is_picture, _pictures.frames),
)


def read(path: Path, window: Window | None = None, slices: int = 8) -> list[Frame]:
    """Return the pictures in a file, whatever its name says it is.

    Parameters
    ----------
    path : Path
        The file.
    window : (float, float), optional
        Centre and width for deep greys; None for the file's own, or else for percentiles.
    slices : int
        At most so many slices of a volume or frames of a file.

    Raises
    ------
    Unreadable
        And nothing else.
    """
    data = _paths.contents(path)
    if not data:
        raise Unreadable("the file is empty", "copy it anew from its source")
    for file_format in _FORMATS:
        if file_format.recognises(data):
            try:
                return file_format.frames(data, window, slices)
            except MemoryError as error:
                raise Unreadable(
                    "it does not fit into memory", "save it smaller or in parts"
                ) from error
    if path.suffix.lower() == ".img" and _paths.is_file(path.with_suffix(".hdr")):
        raise Unreadable(
            "it holds the values of a NIfTI pair (.hdr and .img)",
            "save both as one file, .nii or .nii.gz",
        )
    names = ", ".join(file_format.name for file_format in _FORMATS)
    raise Unreadable(
        f"its content is none of {names}, whatever its name says",
        "export it in one of these formats, or move it elsewhere",
    )
