"""Pictures that are whole and that nobody here decodes: what kind of TIFF or JPEG they are."""

import io
import struct

from PIL import TiffImagePlugin

_TIFF = (b"II", b"MM")
_JPEG = b"\xff\xd8"
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _CHANNELS, _FORM = 256, 257, 258, 259, 277, 339
_STRIPS, _TILES = 273, 324  # where the values are
_NUMBERS = {1: "whole numbers", 2: "whole numbers", 3: "floats", 5: "complex", 6: "complex"}
_JPEG_PROCESSES = {0xC3: "lossless", 0xC7: "lossless", 0xCB: "lossless", 0xF7: "JPEG-LS"}
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # markers that begin a frame
_MOST_SEGMENTS = 10_000  # of a JPEG that are looked at
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length


def unsupported(data: bytes) -> str:
    """Return what kind of picture it is if it is not supported; "" for one that is damaged.

    Parameters
    ----------
    data : bytes
        A file that could not be decoded.
    """
    try:
        if data.startswith(_TIFF):
            return _tiff(data)
        return _jpeg(data) if data.startswith(_JPEG) else ""
    except Exception:  # a damaged header
        return ""


def _tiff(data: bytes) -> str:
    """Return the kind of a TIFF that Pillow knows no mode or no decompression for."""
    try:
        TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        return ""  # its header is understood, so its values are damaged
    except Exception:  # Pillow raises many types; the header says why
        pass
    is_big = data[2:4] in (b"+\0", b"\0+")
    directory = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if is_big else 8])
    file = io.BytesIO(data)
    file.seek(directory.next)
    directory.load(file)
    starts = directory.get(_STRIPS, ()) or directory.get(_TILES, ())
    if _WIDTH not in directory or _LENGTH not in directory or not 0 < max(starts) < len(data):
        return ""  # the directory or the values are cut off
    compression = directory.get(_COMPRESSION, 1)
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return f"a TIFF of compression {int(compression)}"
    bits = directory.get(_BITS, (1,))[0]
    channels = directory.get(_CHANNELS, 1)
    numbers = _NUMBERS.get(directory.get(_FORM, (1,))[0], "values")
    return f"a TIFF of {channels} channel{'s' * (channels > 1)} of {bits} bits ({numbers})"


def _jpeg(data: bytes) -> str:
    """Return the kind of a JPEG that is not of 8 bits and coded as cameras do."""
    start = 2
    for _ in range(_MOST_SEGMENTS):
        if start + 5 > len(data) or data[start] != 0xFF:
            return ""
        marker = data[start + 1]
        if marker in _FRAMES:
            bits = data[start + 4]
            process = _JPEG_PROCESSES.get(marker, "" if bits == 8 else "lossy")
            return f"a JPEG of {bits} bits ({process})" if process else ""
        step = 0 if marker in _ALONE else struct.unpack(">H", data[start + 2 : start + 4])[0]
        start += 2 + step
    return ""
