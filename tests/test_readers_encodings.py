"""Encodings of own pictures: read right, or named in a true sentence."""

import struct

import numpy as np
import pytest
import tifffile
from own_files import encoded, put, what
from PIL import Image, TiffImagePlugin

from medlearn import datasets

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
GREY = (RAMP // 16).astype(np.uint8)
SHORT, LONG = 3, 4


def tiff(values, *, bits, photometric=1, form=1, compression=1, channels=1) -> bytes:
    """A TIFF without compression, little-endian, of one strip."""
    height, width = values.shape
    data = values.tobytes()
    tags = [
        (256, SHORT, width),
        (257, SHORT, height),
        (258, SHORT, bits),
        (259, SHORT, compression),
        (262, SHORT, photometric),
        (273, LONG, 8),
        (277, SHORT, channels),
        (278, SHORT, height),
        (279, LONG, len(data)),
        (339, SHORT, form),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def read(folder, data, name="a.bin", **options):
    """Read one file of a folder."""
    (folder / name).write_bytes(data)
    return datasets.from_folder(folder, layout="", size=64, **options)


@pytest.mark.parametrize(
    "values, options",
    [(RAMP, {"bits": 16}), (RAMP.astype(np.float32), {"bits": 32, "form": 3}), (GREY, {"bits": 8})],
    ids=["16 bits", "float", "8 bits"],
)
def test_a_tiff_in_which_zero_is_white_is_turned_at_every_depth(tmp_path, values, options):
    black, white = (
        read(tmp_path, tiff(values, photometric=photometric, **options)).dataset.images[0]
        for photometric in (1, 0)
    )
    assert black[0, 0, 0] < 5 and white[0, 0, 0] > 250
    np.testing.assert_allclose(white.astype(int), 255 - black.astype(int), atol=1)


def test_the_window_of_a_negative_tiff_is_in_its_own_units(tmp_path):
    result = read(tmp_path, tiff(RAMP, bits=16, photometric=0), window=(1000, 100))
    image = result.dataset.images[0, ..., 0]
    assert image[RAMP < 940].min() == 255 and image[RAMP > 1060].max() == 0


def test_small_copies_in_a_tiff_are_passed_over(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY[::8, ::8], subfiletype=1, photometric="minisblack")
        file.write(GREY, subfiletype=0, photometric="minisblack")
    result = datasets.from_folder(tmp_path, layout="", size=64)
    np.testing.assert_array_equal(result.dataset.images[0, ..., 0], GREY)
    assert not len(result.problems)


def chain(pages: int) -> bytes:
    """A TIFF file of many pages, 90 bytes each, that all show the same 64 bytes."""
    values = {256: 8, 257: 8, 258: 8, 262: 1, 273: 0, 278: 8, 279: 64}
    tags = [struct.pack("<HHII", tag, LONG, 1, value) for tag, value in values.items()]
    page = struct.pack("<H", len(tags)) + b"".join(tags)
    length = len(page) + 4
    links = [8 + length * number for number in range(1, pages)]
    data = b"".join(page + struct.pack("<I", link) for link in [*links, 0])
    return b"II*\0" + struct.pack("<I", 8) + data


def test_of_a_tiff_with_very_many_pages_few_are_looked_at(tmp_path, monkeypatch):
    seeks, original = [], TiffImagePlugin.TiffImageFile._seek

    def counted(image, page):
        seeks.append(page)
        original(image, page)

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "_seek", counted)
    for pages, words in ((3, "3 pages"), (100, "100 pages"), (30_000, "more than 100 pages")):
        folder = put(tmp_path / str(pages), a_tif=chain(pages))
        result = datasets.from_folder(folder, layout="", size=64, cache=False)
        assert f"the file has {words}, and only the first was read" in what(result)
        assert len(result.dataset) == 1
    assert len(seeks) < 1000 and max(seeks) < 200
    masks = put(tmp_path / "masks", a_tif=chain(30_000))
    pictures = put(tmp_path / "pictures", a_png=encoded(GREY))
    result = datasets.from_masks(pictures, masks, size=64, cache=False)
    assert "its mask has more than 100 pages" in what(result)


def test_an_animated_png_is_a_row(tmp_path):
    pages = [Image.fromarray(255 - GREY)]
    result = read(tmp_path, encoded(GREY, save_all=True, append_images=pages))
    assert "2 pages, and only the first was read" in what(result)


JPEG = encoded(GREY, "JPEG")
FRAME = JPEG.index(b"\xff\xc0")


@pytest.mark.parametrize(
    "data, sentence",
    [
        (tiff(RAMP.astype(np.float16), bits=16, form=3), "TIFF of 1 channel of 16 bits (floats)"),
        (tiff(RAMP.astype(np.int32), bits=32, form=2, photometric=0), "of 32 bits (whole numbers)"),
        (tiff(RAMP, bits=16, compression=33003), "TIFF of compression 33003"),
        (JPEG[: FRAME + 4] + b"\x0c" + JPEG[FRAME + 5 :], "JPEG of 12 bits (lossy)"),
        (JPEG[:FRAME] + b"\xff\xc3" + JPEG[FRAME + 2 :], "JPEG of 8 bits (lossless)"),
        (JPEG[:FRAME] + b"\xff\xf7" + JPEG[FRAME + 2 :], "JPEG of 8 bits (JPEG-LS)"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0", "a HEIC picture"),
        (b"\xff\x4f\xff\x51" + bytes(20), "a JPEG 2000 picture"),
        (struct.pack("<i", 348) + bytes(344), "the header of an Analyze volume"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)
def test_what_is_whole_but_not_supported_is_not_called_damaged(tmp_path, data, sentence):
    result = read(tmp_path, data)
    assert sentence in what(result) and "not supported" in what(result)
    assert "damaged" not in what(result)


def test_what_is_damaged_is_still_called_damaged(tmp_path):
    for data in (JPEG[:FRAME], tiff(RAMP, bits=16)[:-100], b"\xff\xd8\xff\xe0\0\x04ab"):
        assert "is damaged" in what(read(tmp_path, data))


def test_a_text_that_begins_with_BM_is_no_picture(tmp_path):
    result = read(tmp_path, b"BMI,age\n22,40\n")
    assert "its format is not known" in what(result)
