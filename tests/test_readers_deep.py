"""Colours of 16 bits: all bits are read, and a picture that uses a few of them is not black."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from own_files import put, what
from PIL import Image

from medlearn import datasets
from medlearn.datasets.readers import _deep, _frame, _mask_files, _pictures
from medlearn.datasets.readers._problems import Unreadable

RANDOM = np.random.default_rng(0)
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(values, *chunks):
    """A PNG of 16 bits per channel; its rows are filtered in turn by None, Sub and Up."""
    height, width, channels = values.shape
    rows = values.astype(">u2").view(np.uint8).reshape(height, -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    left = np.hstack([np.zeros((height, 2 * channels), np.uint8), rows[:, : -2 * channels]])
    filtered = [rows, rows - left, rows - above]
    lines = [bytes([y % 3]) + filtered[y % 3][y].tobytes() for y in range(height)]
    head = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    parts = [chunk(b"IHDR", head), *chunks, chunk(b"IDAT", zlib.compress(b"".join(lines)))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def tiff16(values, **options):
    file = io.BytesIO()
    alpha = ["unassalpha"] if values.shape[-1] == 4 else None
    tifffile.imwrite(file, values, photometric="rgb", extrasamples=alpha, **options)
    return file.getvalue()


def values_of(channels, highest=65536):
    return RANDOM.integers(0, highest, (36, 33, channels)).astype(np.uint16)


TIFFS = [
    {},
    {"byteorder": ">"},
    {"tile": (16, 16)},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True, "byteorder": ">"},
    {"compression": "zlib", "tile": (16, 16)},
]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("options", TIFFS, ids=str)
def test_all_bits_of_a_tiff_are_read(channels, options):
    values = values_of(channels)
    data = tiff16(values, **options)
    np.testing.assert_array_equal(_deep.channels(data, Image.open(io.BytesIO(data))), values)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_all_bits_of_a_png_are_read_and_it_is_turned(channels):
    values = values_of(channels)
    data = png16(values)
    np.testing.assert_array_equal(_deep.channels(data, Image.open(io.BytesIO(data))), values)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = png16(values, chunk(b"eXIf", exif.tobytes()[6:]))
    for is_upright, expected in ((True, np.rot90(values, -1)), (False, values)):
        image = Image.open(io.BytesIO(turned))
        np.testing.assert_array_equal(_deep.channels(turned, image, is_upright), expected)


def test_other_pictures_are_not_deep():
    for image in (Image.new("RGB", (4, 4)), Image.new("RGBA", (4, 4)), Image.new("I;16", (4, 4))):
        for name in ("PNG", "TIFF"):
            file = io.BytesIO()
            image.save(file, name)
            data = file.getvalue()
            assert _deep.channels(data, Image.open(io.BytesIO(data))) is None


def pixels(data, window=None):
    (frame,) = _pictures.frames(data, window)
    return frame.pixels, frame.warnings


def test_a_full_range_is_shown_as_eight_bits_show_it():
    eight_bits = RANDOM.integers(0, 256, (36, 33, 3)).astype(np.uint8)
    for data in (png16(eight_bits * np.uint16(257)), tiff16(eight_bits * np.uint16(257))):
        shown, warnings = pixels(data)
        np.testing.assert_array_equal(shown, eight_bits)
        assert not warnings


def test_twelve_bits_are_windowed_as_greys_are_the_same_way_in_each_channel():
    values = values_of(3, 4096)
    shown, warnings = pixels(tiff16(values))
    np.testing.assert_array_equal(shown, _frame.windowed(values, None))
    assert shown.max() == 255
    assert f"16 bits and reach {values.max():,} of 65,535 only" in warnings[0][0]
    shown, warnings = pixels(png16(values), (1000, 500))
    np.testing.assert_array_equal(shown, _frame.windowed(values, (1000, 500)))
    assert not warnings


def test_a_transparent_part_is_white():
    values = values_of(4, 4096)
    values[..., 3] = 65535
    values[:10, :, 3] = 0
    values[:10, :, :3] = 60000  # colours that nobody sees
    shown, _ = pixels(png16(values))
    assert (shown[:10] == 255).all()
    expected = values[..., :3].copy()
    expected[:10] = values[10:, :, :3].max()
    np.testing.assert_array_equal(shown, _frame.windowed(expected, None))
    shown, _ = pixels(png16(values[..., 2:]))  # grey and alpha
    expected = values[..., 2].copy()
    expected[:10] = values[10:, :, 2].max()
    np.testing.assert_array_equal(shown[..., 0], _frame.windowed(expected, None))


def test_separate_planes_are_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    planes = np.moveaxis(values_of(3), 2, 0)
    file = io.BytesIO()
    tifffile.imwrite(file, planes, photometric="rgb", planarconfig="separate")
    put(tmp_path / "own", a_tif=file.getvalue(), b_png=png16(values_of(3, 900)))
    result = datasets.from_folder(tmp_path / "own", layout="", size=32)
    assert "16 bits and lie in separate planes, which is not read" in what(result)
    assert len(result.dataset) == 1 and result.dataset.images.max() == 255


def test_masks_of_sixteen_bits_keep_their_values(tmp_path):
    classes = RANDOM.integers(0, 3, (36, 33, 1)).astype(np.uint16)
    opaque = np.full_like(classes, 65535)
    for channels in ([classes] * 3, [classes, opaque], [classes, classes, classes, opaque]):
        path = tmp_path / "mask.png"
        path.write_bytes(png16(np.concatenate(channels, axis=-1)))
        np.testing.assert_array_equal(_mask_files.read(path)[0], classes[..., 0])
    for channels in (3, 2):
        path.write_bytes(png16(values_of(channels)))
        with pytest.raises(Unreadable, match="has colours|partly transparent"):
            _mask_files.read(path)
