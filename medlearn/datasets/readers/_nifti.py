"""NIfTI volumes as slices: turned to the patient's axes whatever the scanner stored, with the spacing of the header."""

import math
import warnings
import zlib

import nibabel
import numpy as np

from medlearn.datasets.readers._frame import (
    MOST_BYTES,
    Frame,
    check_values,
    spread,
    three_channels,
    to_bytes,
)
from medlearn.datasets.readers._problems import Unreadable, short

_GZIP = b"\x1f\x8b"


def is_nifti(data: bytes) -> bool:
    """Whether bytes are a single-file NIfTI-1 or -2, gzipped or not, by their content."""
    try:
        return _kind(_inflated(data[:4096], 540)) is not None
    except (Unreadable, zlib.error):
        return False


def frames(data: bytes, window: tuple[float, float] | None = None, most: int = 8) -> list[Frame]:
    """At most `most` axial slices, evenly spread: front of the patient up, right side at the left. Raises Unreadable.

    Without a window the slices share one, from the 0.5th to the 99.5th percentile of their values.
    """
    try:
        quiet = nibabel.imageglobals.LoggingOutputSuppressor()
        with warnings.catch_warnings(), np.errstate(all="ignore"), quiet:
            warnings.simplefilter("ignore")
            return _frames(data, window, most)
    except Unreadable:
        raise
    except Exception as error:  # nibabel raises many kinds on damaged headers
        raise Unreadable(
            f"the NIfTI file is damaged ({short(error)})", "export it anew from its source"
        ) from error


def _frames(data, window, most) -> list[Frame]:
    image = opened(data)
    turn = nibabel.io_orientation(image.affine)
    if np.isnan(turn).any():
        raise Unreadable(
            "the header's orientation is not that of a volume",
            "write a proper affine, e.g. with dcm2niix",
        )
    up = int(np.flatnonzero(turn[:3, 0] == 2)[0])
    lengths = [
        length for _, length in sorted(zip(turn[:3, 0], nibabel.affines.voxel_sizes(image.affine)))
    ]
    places = spread(image.shape[up], most)
    places = [image.shape[up] - 1 - place for place in places] if turn[up, 1] < 0 else places
    slices = np.stack([_slice(image, up, place, turn) for place in places])
    if np.iscomplexobj(slices):
        raise Unreadable("the volume holds complex numbers", "save its magnitude")
    grey = to_bytes(slices, window)
    extra = math.prod(image.shape[3:])
    notes = (
        (
            f"the file holds {extra} volumes, and only the first was read",
            "save the others as files of their own",
        ),
    )
    spacing = (float(lengths[1]), float(lengths[0]))
    return [
        Frame(three_channels(each), spacing, place=place, warnings=notes if extra > 1 else ())
        for place, each in enumerate(grey)
    ]


def _slice(image, up: int, place: int, turn: np.ndarray) -> np.ndarray:
    where = [slice(None)] * 3 + [0] * (len(image.shape) - 3)
    where[up] = slice(place, place + 1)
    slab = np.asanyarray(image.dataobj[tuple(where)])
    return np.flip(nibabel.apply_orientation(slab, turn[:3])[:, :, 0].T, (0, 1))


def opened(data: bytes):
    kind = _kind(_inflated(data, 540))
    if kind is None:
        raise Unreadable(
            "it is no single NIfTI file", "save as .nii or .nii.gz, header and values in one"
        )
    header = kind.header_class(
        _inflated(data, kind.header_class.sizeof_hdr)[: kind.header_class.sizeof_hdr], check=False
    )
    shape = tuple(int(length) for length in header.get_data_shape())
    if len(shape) < 3:
        raise Unreadable(
            f"it has {len(shape)} dimensions and not three",
            "save the picture as PNG, or the volume in 3-D",
        )
    check_values(math.prod(shape[:2]), "slice")
    check_values(math.prod(shape[1:3]), "slice")
    check_values(shape[0] * shape[2], "slice")
    if header.get_data_dtype().names:
        raise Unreadable("it holds colours and no greys", "save it as PNG or TIFF pictures")
    offset = float(header["vox_offset"])
    if not 0 <= offset < MOST_BYTES:
        raise Unreadable(
            "the header's offset of the values is impossible", "export it anew from its source"
        )
    needed = int(offset) + math.prod(shape) * header.get_data_dtype().itemsize
    if not 0 < needed <= MOST_BYTES:
        raise Unreadable(
            f"the header declares {needed:,} bytes, and {MOST_BYTES:,} are allowed",
            "save it in parts",
        )
    raw = _inflated(data, needed)
    if len(raw) < needed:
        raise Unreadable(
            f"it ends after {len(raw):,} of {needed:,} bytes", "copy it anew: the copy broke off"
        )
    return kind.from_bytes(raw)


def _inflated(data: bytes, most: int) -> bytes:
    if data[:2] != _GZIP:
        return data[:most]
    try:
        return zlib.decompressobj(31).decompress(data, most)
    except zlib.error as error:
        raise Unreadable(
            f"its compression is damaged ({short(error)})", "copy it anew from its source"
        ) from error


def _kind(head: bytes):
    if head[344:347] == b"n+1":
        return nibabel.Nifti1Image
    return nibabel.Nifti2Image if head[4:7] == b"n+2" else None
