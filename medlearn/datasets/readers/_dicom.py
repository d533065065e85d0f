"""DICOM: stored values -> rescaled -> windowed -> 8 bits, as PS3.3 C.7.6.3, C.11.1 and C.11.2 say; names become hashes."""

import io
import math
import warnings

import numpy as np
import pydicom
from pydicom import pixels

from medlearn.datasets.readers import _identity
from medlearn.datasets.readers._frame import Frame, check_values, spread, three_channels, to_bytes
from medlearn.datasets.readers._problems import Unreadable, short

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_PLUGINS = "pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"
_COLOUR = (
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
    "YBR_PARTIAL_420",
    "YBR_PARTIAL_422",
)


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file, by the four letters after its preamble."""
    return data[128:132] == b"DICM"


def frames(data: bytes, window: tuple[float, float] | None = None, most: int = 8) -> list[Frame]:
    """At most `most` frames of a DICOM file, evenly spread; raises Unreadable.

    The window is the one given, else the file's first, else from the 0.5th to the 99.5th percentile. MONOCHROME1, in
    which large means dark, is inverted. Patient and series are hashes (identity.hashed).
    """
    if _DEFLATED in data[:4096]:
        raise Unreadable(
            "its whole content is deflated, which cannot be unpacked within bounds",
            "convert it, for instance with dcmconv +te",
        )
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return _frames(
                pydicom.dcmread(io.BytesIO(data)), window, most
            )  # in memory, a false length reads no more
    except Unreadable:
        raise
    except Exception as error:  # pydicom and its plugins raise many kinds on damaged files
        raise Unreadable(
            f"the DICOM file is damaged ({short(error)})", "export it anew from the archive"
        ) from error


def _frames(dataset, window, most) -> list[Frame]:
    if (
        "PixelData" not in dataset
        and "FloatPixelData" not in dataset
        and "DoubleFloatPixelData" not in dataset
    ):
        raise Unreadable(
            "the DICOM file holds no picture", "leave it out: reports and plans belong elsewhere"
        )
    total = int(dataset.get("NumberOfFrames", 1) or 1)
    samples = int(dataset.get("SamplesPerPixel", 1))
    check_values(int(dataset.Rows) * int(dataset.Columns) * samples, "frame")
    check_values(total, "number of frames")
    _check_decoder(dataset.file_meta.TransferSyntaxUID)
    _check_length(dataset, total * samples * int(dataset.Rows) * int(dataset.Columns))
    who = _identity.hashed(str(dataset.get("PatientID", "")))
    series = _identity.hashed(str(dataset.get("SeriesInstanceUID", "")))
    first = int(dataset.get("InstanceNumber", 0) or 0)
    return [
        Frame(
            _picture(dataset, place, window),
            _spacing(dataset, place),
            who,
            series,
            first + place,
            _warnings(dataset),
        )
        for place in spread(total, most)
    ]


def _picture(dataset, place: int, window) -> np.ndarray:
    values = pixels.pixel_array(dataset, index=place)
    kind = str(dataset.get("PhotometricInterpretation", "")).strip()
    if kind == "PALETTE COLOR":
        values = pixels.apply_color_lut(values, dataset)
    if values.ndim == 3 and values.shape[-1] == 3 and (kind in _COLOUR or kind == "PALETTE COLOR"):
        deep = values.dtype.itemsize * 8 if kind == "PALETTE COLOR" else int(dataset.BitsStored)
        return (values >> max(deep - 8, 0)).astype(np.uint8) if values.dtype != np.uint8 else values
    if values.ndim != 2 or not kind.startswith("MONOCHROME"):
        raise Unreadable(
            f"its colours {kind or '(not named)'} are not understood",
            "export it as RGB or MONOCHROME2",
        )
    if dataset.get("ModalityLUTSequence"):
        values = pixels.apply_modality_lut(values, dataset)
    else:
        values = values.astype(np.float64) * _number(dataset, "RescaleSlope", place, 1) + _number(
            dataset, "RescaleIntercept", place, 0
        )
    exact = str(_value(dataset, "VOILUTFunction", place) or "").strip() == "LINEAR_EXACT"
    grey = to_bytes(values, window or _window(dataset, place), exact)
    return three_channels(255 - grey if kind == "MONOCHROME1" else grey)


def _window(dataset, place: int) -> tuple[float, float] | None:
    centre, width = _number(dataset, "WindowCenter", place), _number(dataset, "WindowWidth", place)
    return (centre, width) if centre is not None and width is not None and width >= 1 else None


def _spacing(dataset, place: int) -> tuple[float, float]:
    found = _value(dataset, "PixelSpacing", place) or _value(dataset, "ImagerPixelSpacing", place)
    if (
        not found
        or isinstance(found, str)
        or len(found) != 2
        or not all(math.isfinite(float(each)) and float(each) > 0 for each in found)
    ):
        return np.nan, np.nan
    return float(found[0]), float(found[1])


def _number(dataset, keyword: str, place: int, otherwise=None):
    found = _value(dataset, keyword, place)
    if found is None or found == "":
        return otherwise
    found = float(
        found[0] if isinstance(found, (list, tuple, pydicom.multival.MultiValue)) else found
    )
    return found if math.isfinite(found) else otherwise


def _value(dataset, keyword: str, place: int):
    """A value of the data set, or of the functional groups in which multi-frame files keep what belongs to a frame."""
    if keyword in dataset:
        return dataset[keyword].value
    own, shared = (
        dataset.get("PerFrameFunctionalGroupsSequence") or [],
        dataset.get("SharedFunctionalGroupsSequence") or [],
    )
    for group in [*own[place : place + 1], *shared[:1]]:
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return element.value[0][keyword].value
    return None


def _warnings(dataset) -> tuple[tuple[str, str], ...]:
    stated = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    secondary = (
        f"{dataset.get('SOPClassUID', '')}.".startswith(f"{_SECONDARY}.") and stated != "NO"
    )  # 7 and 7.1, not 77.1
    if stated != "YES" and not secondary:
        return ()
    why = "the header says so" if stated == "YES" else "it is a secondary capture"
    return (
        (
            f"text, such as a name, may be burned into the picture ({why})",
            "look at it, and crop or black out the text",
        ),
    )


def _check_decoder(syntax) -> None:
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


def _check_length(dataset, values: int) -> None:
    if dataset.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in dataset:
        return
    needed = values * int(dataset.BitsAllocated) // 8
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        needed = needed * 2 // 3
    if len(dataset.PixelData) < needed:
        raise Unreadable(
            f"it holds {len(dataset.PixelData):,} of the {needed:,} bytes that its header declares",
            "copy it anew: the copy broke off",
        )
