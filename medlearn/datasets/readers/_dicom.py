"""DICOM: stored values, rescaled, windowed, in 8 bits, as PS3.3 C.7.6.3, C.11.1 and C.11.2 say."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator

import numpy as np
import pydicom
from pydicom import pixels

from medlearn.datasets.readers import _dicom_header, _dicom_pixels
from medlearn.datasets.readers._frame import (
    Frame,
    Window,
    check_values,
    decoded_in_turn,
    evenly_spread,
    three_channels,
    windowed,
)
from medlearn.datasets.readers._problems import Unreadable, short

# Group 0002 or 0008, a low element, then a type of two letters or a short length.
_BARE = re.compile(rb"[\x02\x08]\0.\0(?:[A-Z]{2}|..\0\0)", re.DOTALL)
_ITEM = b"\xfe\xff\x00\xe0"  # begins compressed pixels (PS3.5 A.4)
_PLUGINS = "pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_COLOURS = (
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
    "YBR_PARTIAL_420",
    "YBR_PARTIAL_422",
)


class _File(io.BytesIO):
    """The bytes of a DICOM file; nothing in them is inflated as a whole.

    pydicom asks for all bytes that are left only in order to inflate them, wherever the header
    says so.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise Unreadable(
                "its whole content is deflated, which cannot be unpacked within bounds",
                "convert it, for instance with dcmconv +te",
            )
        return super().read(size)


def is_dicom(data: bytes) -> bool:
    """Say whether bytes are a DICOM file, by the four letters after its preamble.

    Old scanners and planning systems leave the preamble out; their files begin with the first
    elements of a data set, in group 0002 or 0008.
    """
    return data[128:132] == b"DICM" or _BARE.match(data) is not None


def frames(data: bytes, window: Window | None = None, count: int = 8) -> Iterator[Frame]:
    """Yield some frames of a DICOM file, evenly spread.

    MONOCHROME1, in which large means dark, is inverted. Patient and series are hashes.

    Parameters
    ----------
    data : bytes
        Content of the file.
    window : (float, float), optional
        Centre and width; None for the file's first window, or else for percentiles.
    count : int
        At most so many frames.

    Raises
    ------
    Unreadable
        If the file is damaged, too large, holds no picture, or is compressed in an unknown way.
    """
    return decoded_in_turn(_frames(data, window, count), _guard)


@contextlib.contextmanager
def _guard() -> Iterator[None]:
    """Silence warnings, and turn the many types that pydicom and plugins raise into Unreadable."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # on damaged files
        raise Unreadable(
            f"the DICOM file is damaged ({short(error)})", "export it anew from the archive"
        ) from error


def _frames(data: bytes, window: Window | None, count: int) -> Iterator[Frame]:
    # From memory, a header that declares a false length reads no more than there is.
    dataset = pydicom.dcmread(_File(data), force=True)
    _complete_meta(dataset)
    if not any(keyword in dataset for keyword in _PIXELS):
        raise Unreadable(
            "the DICOM file holds no picture", "leave it out: reports and plans belong elsewhere"
        )
    completed = _dicom_pixels.complete(dataset)
    _check_interpretation(dataset)
    total = int(dataset.get("NumberOfFrames", 1) or 1)
    values_of_frame = (
        int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1))
    )
    check_values(values_of_frame, "frame")
    check_values(total, "number of frames")
    _check_decoder(dataset.file_meta.TransferSyntaxUID)
    _check_length(dataset, total * values_of_frame)
    patient = str(dataset.get("PatientID", ""))
    series = str(dataset.get("SeriesInstanceUID", ""))
    notes = _dicom_header.burned_in_text(dataset) + _dicom_header.unreadable(dataset) + completed
    for index in evenly_spread(total, count):
        yield Frame(
            _picture(dataset, index, window),
            _dicom_header.spacing(dataset, index),
            patient,
            series,
            _dicom_header.index_in_series(dataset, index),
            notes,
        )


def _complete_meta(dataset: pydicom.Dataset) -> None:
    """Fill in the transfer syntax of a file that names none, from how its elements are written."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if "TransferSyntaxUID" in dataset.file_meta:
        return
    implicit, little_endian = dataset.original_encoding
    if implicit:
        syntax = pydicom.uid.ImplicitVRLittleEndian
    elif little_endian:
        syntax = pydicom.uid.ExplicitVRLittleEndian
    else:
        syntax = pydicom.uid.ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = syntax


def _picture(dataset: pydicom.Dataset, index: int, window: Window | None) -> np.ndarray:
    """Return one frame as uint8 (H, W, 3)."""
    values = _dicom_pixels.stored(dataset, index)
    interpretation = _interpretation(dataset)
    is_palette = interpretation == "PALETTE COLOR"
    if is_palette:
        values = pixels.apply_color_lut(values, dataset)
    if values.ndim == 3 and values.shape[-1] == 3 and (is_palette or interpretation in _COLOURS):
        bits = values.dtype.itemsize * 8 if is_palette else int(dataset.BitsStored)
        return _to_8_bits(values, bits)
    if values.ndim != 2 or not interpretation.startswith("MONOCHROME"):
        raise Unreadable(
            f"its colours {interpretation} do not fit its number of channels",
            "export it as RGB or MONOCHROME2",
        )
    padding = _dicom_header.padding(dataset, values)
    rescaled = np.where(padding, np.nan, _rescaled(dataset, values, index))
    function = _dicom_header.voi_function(dataset, index)
    window = window or _dicom_header.window(dataset, index)
    if window is None and dataset.get("VOILUTSequence"):
        grey = _dicom_pixels.by_voi_table(dataset, rescaled)
    else:
        grey = windowed(rescaled, window, function)
    if interpretation == "MONOCHROME1":
        grey = 255 - grey
    return three_channels(np.where(padding, 0, grey).astype(np.uint8))


def _interpretation(dataset: pydicom.Dataset) -> str:
    return str(dataset.get("PhotometricInterpretation", "")).strip()


def _check_interpretation(dataset: pydicom.Dataset) -> None:
    """Raise Unreadable for colours that are not understood."""
    name, channels = _interpretation(dataset), int(dataset.get("SamplesPerPixel", 1))
    is_grey = name.startswith("MONOCHROME") or name == "PALETTE COLOR"
    if (is_grey and channels != 1) or (name in _COLOURS and channels != 3):
        raise Unreadable(f"its colours {name} do not fit its {channels} channels", "export it anew")
    if name.startswith("YBR") and int(dataset.BitsAllocated) != 8:
        raise Unreadable(
            f"its colours {name} of {dataset.BitsAllocated} bits are not understood",
            "export it as RGB of 8 bits",
        )
    if not is_grey and name not in _COLOURS:
        raise Unreadable(
            f"its colours {name or '(not named)'} are not understood",
            "export it as RGB or MONOCHROME2",
        )


def _to_8_bits(colours: np.ndarray, bits: int) -> np.ndarray:
    if colours.dtype == np.uint8:
        return colours
    return (colours >> max(bits - 8, 0)).astype(np.uint8)


def _rescaled(dataset: pydicom.Dataset, values: np.ndarray, index: int) -> np.ndarray:
    """Return stored values in the units of the modality (C.11.1)."""
    if dataset.get("ModalityLUTSequence"):
        return pixels.apply_modality_lut(values, dataset)
    slope = _dicom_header.number(dataset, "RescaleSlope", index, 1)
    intercept = _dicom_header.number(dataset, "RescaleIntercept", index, 0)
    return values.astype(np.float64) * slope + intercept


def _check_decoder(syntax: pydicom.uid.UID) -> None:
    """Raise Unreadable if the compression is not understood, or needs a package."""
    if not syntax.is_transfer_syntax:
        raise Unreadable(
            f"its transfer syntax {syntax} is a private one, which is not understood",
            "export it uncompressed, in a transfer syntax of the standard",
        )
    if not syntax.is_compressed:
        return
    try:
        decoder = pixels.get_decoder(syntax)
    except NotImplementedError as error:
        raise Unreadable(
            f"its compression {syntax.name} is not understood", "export it uncompressed"
        ) from error
    if not decoder.is_available:
        raise Unreadable(
            f"its compression {syntax.name} needs a plugin that is not installed",
            f"pip install {_PLUGINS} (or export it uncompressed)",
        )


def _check_length(dataset: pydicom.Dataset, values: int) -> None:
    """Raise Unreadable if uncompressed pixels end early."""
    if dataset.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in dataset:
        return
    if dataset.PixelData.startswith(_ITEM):
        raise Unreadable(
            "its pixels are compressed, and its header says that they are not",
            "export it anew: the header was changed, and its pixels were not",
        )
    needed = values * int(dataset.BitsAllocated) // 8
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        needed = needed * 2 // 3
    if len(dataset.PixelData) < needed:
        raise Unreadable(
            f"it holds {len(dataset.PixelData):,} of the {needed:,} bytes that its header declares",
            "copy it anew: the copy broke off",
        )
