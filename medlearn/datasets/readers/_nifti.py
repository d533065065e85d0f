"""NIfTI volumes as slices: turned to the patient's axes, with the spacing of the header."""

import contextlib
import math
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel
import numpy as np

from medlearn.datasets.readers._frame import (
    Frame,
    Window,
    between,
    check_values,
    decoded_in_turn,
    evenly_spread,
    missing_warnings,
    percentiles,
    three_channels,
    window_limits,
)
from medlearn.datasets.readers._problems import Unreadable, short

MAX_BYTES = 1_000_000_000  # of one volume
_GZIP = b"\x1f\x8b"
_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has fewer
_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}  # in a unit
_SAME_SIZE = 0.2  # an sform may lead to a template, whose voxels are a little larger
_UP = 2  # the axis from feet to head, after nibabel's turn to right, anterior, superior


def is_nifti(data: bytes) -> bool:
    """Say whether bytes are a NIfTI-1 or -2 file, gzipped or not, or the header of a pair."""
    try:
        head = _inflated(data[:4096], _HEADER_BYTES)
        return _image_class(head) is not None or _is_half_of_a_pair(head)
    except (Unreadable, zlib.error):
        return False


def frames(data: bytes, window: Window | None = None, count: int = 8) -> Iterator[Frame]:
    """Yield some axial slices, evenly spread: front of the patient up, right side at the left.

    Parameters
    ----------
    data : bytes
        Content of the file.
    window : (float, float), optional
        Centre and width; None for percentiles that all slices share.
    count : int
        At most so many slices.

    Raises
    ------
    Unreadable
        If the file is damaged, too large, or not a volume of greys.
    """
    return decoded_in_turn(_frames(data, window, count), _guard)


@contextlib.contextmanager
def _guard() -> Iterator[None]:
    """Silence warnings, and turn the many types that nibabel raises into Unreadable."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # on damaged headers
        raise Unreadable(
            f"the NIfTI file is damaged ({short(error)})", "export it anew from its source"
        ) from error


def _frames(data: bytes, window: Window | None, most: int) -> Iterator[Frame]:
    image = opened(data)
    turn = nibabel.io_orientation(image.affine)
    if np.isnan(turn).any():
        raise Unreadable(
            "the header's orientation is not that of a volume",
            "write a proper affine, e.g. with dcm2niix",
        )
    up = int(np.flatnonzero(turn[:3, 0] == _UP)[0])
    indices = evenly_spread(image.shape[up], most)
    if turn[up, 1] < 0:  # stored from head to feet
        indices = [image.shape[up] - 1 - index for index in indices]
    slices = (_slice(image, up, index, turn) for index in indices)
    count = math.prod(image.shape[:3]) // image.shape[up] * len(indices)
    numbers, missing = _numbers(slices, count)
    limits = _limits(numbers, window)
    del numbers  # as large as all slices, which follow one by one
    notes = _volume_warnings(math.prod(image.shape[3:])) + missing
    notes += _unit_warnings(image) + _orientation_warnings(image, turn)
    spacing = _spacing(image, turn)
    for number, index in enumerate(indices):
        values = _slice(image, up, index, turn)
        grey = between(values, *limits) if limits else np.zeros(values.shape, np.uint8)
        yield Frame(three_channels(grey), spacing, index_in_series=number, warnings=notes)


def _numbers(
    slices: Iterator[np.ndarray], count: int
) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
    """Return all finite numbers of some slices (float32), and a warning if others are not."""
    numbers, filled, finite = np.empty(count, np.float32), 0, 0
    for values in slices:
        if np.iscomplexobj(values):
            raise Unreadable("the volume holds complex numbers", "save its magnitude")
        finite += int(np.isfinite(values).sum())
        values = np.asarray(values, np.float32)  # in which large numbers become infinite
        found = values[np.isfinite(values)]
        numbers[filled : filled + found.size] = found
        filled += found.size
    return numbers[:filled], missing_warnings(finite, count)


def _limits(numbers: np.ndarray, window: Window | None) -> tuple[float, float] | None:
    """Return the values shown as black and white; None where there is no number."""
    if not numbers.size:
        return None
    return percentiles(numbers) if window is None else window_limits(window)


def _slice(image: Any, up: int, index: int, turn: np.ndarray) -> np.ndarray:
    """Return one axial slice; only its values are read."""
    selection: list = [slice(None)] * 3 + [0] * (len(image.shape) - 3)
    selection[up] = slice(index, index + 1)
    slab = np.asanyarray(image.dataobj[tuple(selection)])
    return np.flip(nibabel.apply_orientation(slab, turn[:3])[:, :, 0].T, (0, 1))


def _spacing(image: Any, turn: np.ndarray) -> tuple[float, float]:
    """Return the height and width of a pixel of an axial slice in mm."""
    sizes = dict(zip(turn[:3, 0].astype(int), nibabel.affines.voxel_sizes(image.affine)))
    factor = _MILLIMETRES.get(_unit(image), 1.0)
    return float(sizes[1]) * factor, float(sizes[0]) * factor


def _unit(image: Any) -> str:
    """Return the unit of lengths: "meter", "mm" or "micron"; "unknown" where none is named."""
    return str(image.header.get_xyzt_units()[0])


def _unit_warnings(image: Any) -> tuple[tuple[str, str], ...]:
    unit = _unit(image)
    if _MILLIMETRES.get(unit, 1.0) == 1.0:
        return ()
    return ((f"its lengths are in the unit {unit}", "nothing: they were converted to mm"),)


def _orientation_warnings(image: Any, turn: np.ndarray) -> tuple[tuple[str, str], ...]:
    """Return a warning if a header says nothing of how its volume lies, or says two things."""
    header = image.header
    has_sform, has_qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_sform and not has_qform:
        warning = "its header does not say how the volume lies: right and left are a guess"
        return ((warning, "look at it, and write the orientation (qform or sform) if it matters"),)
    if has_sform and has_qform and not _do_agree(header, turn):
        warning = "its header has two orientations that differ (sform and qform): sform was used"
        return ((warning, "look at right and left, and correct the header: programs will differ"),)
    return ()


def _do_agree(header: Any, turn: np.ndarray) -> bool:
    """Say whether the qform turns a volume like the sform, with voxels of about one size."""
    try:
        qform = header.get_qform()
        own_turn = nibabel.io_orientation(qform)
    except Exception:  # a quaternion that makes no sense
        return False
    sizes = [nibabel.affines.voxel_sizes(affine) for affine in (qform, header.get_sform())]
    return np.array_equal(own_turn, turn) and np.allclose(sizes[0], sizes[1], rtol=_SAME_SIZE)


def _volume_warnings(volumes: int) -> tuple[tuple[str, str], ...]:
    if volumes <= 1:
        return ()
    warning = f"the file holds {volumes} volumes, and only the first was read"
    return ((warning, "save the others as files of their own"),)


def opened(data: bytes) -> Any:
    """Return the volume of a file, once its header is checked; only needed bytes are inflated."""
    image_class = _image_class(_inflated(data, _HEADER_BYTES))
    if image_class is None:
        raise Unreadable(
            "it is the header of a NIfTI pair (.hdr and .img)",
            "save both as one file, .nii or .nii.gz",
        )
    header_class = image_class.header_class
    header_bytes = _inflated(data, header_class.sizeof_hdr)[: header_class.sizeof_hdr]
    needed = _checked_length(header_class(header_bytes, check=False))
    raw = _inflated(data, needed)
    if len(raw) < needed:
        raise Unreadable(
            f"it ends after {len(raw):,} of {needed:,} bytes", "copy it anew: the copy broke off"
        )
    with _silence():
        return image_class.from_bytes(raw)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let nibabel print nothing about a header; its own way to do so leaves Python's handler."""
    logger = nibabel.imageglobals.logger
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _checked_length(header: Any) -> int:
    """Return the length of the file in bytes that a header declares; raise if it makes no sense."""
    shape = tuple(int(length) for length in header.get_data_shape())
    if len(shape) < 3:
        raise Unreadable(
            f"it has {len(shape)} dimensions and not three",
            "save the picture as PNG, or the volume in 3-D",
        )
    for first, second in ((0, 1), (1, 2), (0, 2)):
        check_values(shape[first] * shape[second], "slice")
    if header.get_data_dtype().names:
        raise Unreadable("it holds colours and no greys", "save it as PNG or TIFF pictures")
    offset = float(header["vox_offset"])
    if not 0 <= offset < MAX_BYTES:
        raise Unreadable(
            "the header's offset of the values is impossible", "export it anew from its source"
        )
    needed = int(offset) + math.prod(shape) * header.get_data_dtype().itemsize
    if not 0 < needed <= MAX_BYTES:
        raise Unreadable(
            f"the header declares {needed:,} bytes, and {MAX_BYTES:,} are allowed",
            "save it in parts",
        )
    return needed


def _inflated(data: bytes, count: int) -> bytes:
    """Return the first bytes of a file, unpacked if it is gzipped."""
    if not data.startswith(_GZIP):
        return data[:count]
    unpacked = b""
    try:
        while data.startswith(_GZIP) and len(unpacked) < count:  # a file may have several members
            member = zlib.decompressobj(31)
            unpacked += member.decompress(data, count - len(unpacked))
            data = member.unused_data
    except zlib.error as error:
        if unpacked:  # what follows the last whole member
            return unpacked
        raise Unreadable(
            f"its compression is damaged ({short(error)})", "copy it anew from its source"
        ) from error
    return unpacked


def _is_half_of_a_pair(head: bytes) -> bool:
    return head[344:347] == b"ni1" or head[4:7] == b"ni2"


def _image_class(head: bytes) -> Any:
    """Return nibabel's class for a file that begins like this; None for another format."""
    if head[344:347] == b"n+1":
        return nibabel.Nifti1Image
    return nibabel.Nifti2Image if head[4:7] == b"n+2" else None
