"""The formats of pictures and volumes, recognised by the content of a file and not by its name."""

from collections.abc import Callable, Iterable, Iterator
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
    frames: Callable[[bytes, Window | None, int], Iterable[Frame]]


_FORMATS = (
    _Format("DICOM", _dicom.is_dicom, _dicom.frames),
    _Format("NIfTI", _nifti.is_nifti, _nifti.frames),
    _Format("PNG, JPEG, TIFF, BMP, GIF", _pictures.is_picture, _pictures.frames),
)


# Formats that people meet and that are not read, by the bytes at an offset.
_FOREIGN = (
    (0, b"\0\0\0\x0cjP", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\0\0\0\x0cJXL", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"ftyphe", "a HEIC picture of a telephone"),
    (4, b"ftypmif1", "a HEIC picture of a telephone"),
    (4, b"ftypmsf1", "a HEIC picture of a telephone"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyp", "a film"),
    (8, b"WEBP", "a WebP picture"),
    (8, b"AVI ", "a film"),
    (0, b"P5\n", "a PGM picture"),
    (0, b"P6\n", "a PPM picture"),
    (0, b"8BPS", "a Photoshop picture"),
    (0, b"NRRD", "an NRRD volume"),
    (0, b"ObjectType", "a MetaImage volume"),
    (0, b"NDims", "a MetaImage volume"),
    (0, b"\x5c\x01\0\0", "the header of an Analyze volume (.hdr and .img)"),
    (0, b"\0\0\x01\x5c", "the header of an Analyze volume (.hdr and .img)"),
    (0, b"CDF\x01", "a MINC or NetCDF volume"),
    (0, b"\x93NUMPY", "a NumPy array, which from_arrays takes once it is loaded"),
    (0, b"\x89HDF", "an HDF5 or MATLAB file"),
    (0, b"MATLAB", "a MATLAB file"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"%PDF", "a PDF document"),
    (30, b"mimetypeapplication/vnd.oasis", "an OpenDocument file"),
    (0, b"PK\3\4", "an archive (ZIP) or an Office document"),
    (0, b"Rar!", "an archive (RAR)"),
    (0, b"7z\xbc\xaf", "an archive (7z)"),
    (0, b"\x1f\x8b", "a gzipped file without a NIfTI volume in it"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"version https://git-lfs", "a Git LFS pointer without its file"),
    (0, b"<!doctype html", "a web page, as failed downloads leave"),
    (0, b"<html", "a web page, as failed downloads leave"),
)


def foreign(data: bytes) -> str:
    """Return the name of a format that is not supported; "" if it is not known."""
    is_text = data[:1] == b"<"
    head = data[:64].lower() if is_text else data[:64]
    names = (name for offset, magic, name in _FOREIGN if head.startswith(magic, offset))
    return next(names, "")


def read(path: Path, window: Window | None = None, slices: int = 8) -> Iterator[Frame]:
    """Yield the pictures in a file, whatever its name says it is; each is decoded in its turn.

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
                yield from file_format.frames(data, window, slices)
                return
            except MemoryError as error:
                raise Unreadable(
                    "it does not fit into memory", "save it smaller or in parts"
                ) from error
    if path.suffix.lower() == ".img" and _paths.is_file(path.with_suffix(".hdr")):
        raise Unreadable(
            "it holds the values of a pair of files, and its .hdr is their header",
            "save both as one NIfTI file, .nii or .nii.gz",
        )
    names = ", ".join(file_format.name for file_format in _FORMATS)
    name = foreign(data)
    problem = f"it is {name}, which is not supported" if name else "its format is not known"
    raise Unreadable(
        f"{problem}; its content is none of {names}, whatever its name says",
        "export it in one of these formats, or move it elsewhere",
    )
