"""Masks as people have them: the right values, or a row that says why a mask was not used."""

import struct
import tracemalloc
import unicodedata
import zlib

import numpy as np
import pytest
import tifffile
from own_files import encoded, png, what
from PIL import Image

from medlearn import datasets

DISK = np.zeros((48, 48), np.uint8)
DISK[10:30, 5:40] = 1
THREE = DISK.copy()
THREE[35:] = 2


def read(folder, masks, pictures=None, **options):
    """Read pictures, by default named like the masks and in PNG, with masks given as bytes."""
    for name in pictures or {f"{name.split('.')[0]}.png" for name in masks}:
        path = folder / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(len(name)))
    for name, data in masks.items():
        path = folder / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return datasets.from_masks(folder / "pictures", folder / "masks", size=48, **options)


def png_of_few_bits(values: np.ndarray, bits: int) -> bytes:
    """A grey PNG of 2 or 4 bits."""
    height, width = values.shape
    groups = values.reshape(height, -1, 8 // bits).astype(int)
    shifts = np.arange(8 - bits, -1, -bits)
    rows = (groups << shifts).sum(-1).astype(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("bits", [2, 4])
def test_greys_of_few_bits_are_classes_as_they_are_stored(tmp_path, bits):
    data = png_of_few_bits(THREE, bits)
    classes = ("background", "cell", "nucleus")
    result = read(tmp_path, {"a.png": data}, classes=classes)
    np.testing.assert_array_equal(result.dataset.masks[0], THREE)
    spread = 255 // (2**bits - 1)  # as pictures show them, and so as a user may name them
    result = read(
        tmp_path, {"a.png": data}, classes=classes, values={0: 0, spread: 1, 2 * spread: 2}
    )
    np.testing.assert_array_equal(result.dataset.masks[0], THREE)


def test_classes_of_any_number_are_looked_up(tmp_path):
    signed = Image.fromarray(np.where(THREE == 2, -1, THREE.astype(int)).astype(np.int32))
    large = Image.fromarray(THREE.astype(np.int32) * 1_000_000_000)
    for image, values in ((signed, {-1: 2, 0: 0, 1: 1}), (large, {0: 0, 10**9: 1, 2 * 10**9: 2})):
        data = encoded(np.asarray(image), "TIFF")
        result = read(tmp_path, {"a.tif": data}, classes=("b", "c", "n"), values=values)
        np.testing.assert_array_equal(result.dataset.masks[0], THREE)


def test_a_huge_page_behind_a_small_copy_is_not_decoded(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(DISK[::8, ::8], subfiletype=1, photometric="minisblack")
        file.write(np.ones((12_000, 12_000), np.uint8), compression="zlib")
    data = (tmp_path / "a.tif").read_bytes()
    tracemalloc.start()
    try:
        result = read(tmp_path / "read", {"a.tif": data})
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert "the header declares a picture of 144,000,000 values" in what(result)


def test_a_mask_of_several_pages_is_not_read_in_part(tmp_path):
    pages = [Image.fromarray(255 - DISK), Image.fromarray(THREE)]
    for kind, name in (("TIFF", "a.tif"), ("PNG", "b.png")):
        data = encoded(DISK, kind, save_all=True, append_images=pages)
        result = read(tmp_path / kind, {name: data})
        assert not len(result.dataset) and "its mask has 3 pages" in what(result)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (b"", "its mask is an empty file"),
        (b"\x93NUMPY" + bytes(80), "its mask is a NumPy array"),
        (bytes(344) + b"n+1\0" + bytes(200), "its mask is a NIfTI volume"),
        (bytes(128) + b"DICM", "its mask is a DICOM file"),
        (b"{}", "its mask is of an unknown format"),
        (png()[:60], "its mask is damaged"),
    ],
)
def test_a_mask_of_another_format_is_named(tmp_path, data, sentence):
    assert sentence in what(read(tmp_path, {"a.png": data}))


def test_a_mask_with_nan_is_refused_in_a_true_sentence(tmp_path):
    data = encoded(np.where(DISK, 1, np.nan).astype(np.float32), "TIFF")
    assert "fractions or NaN" in what(read(tmp_path, {"a.tif": data}))


# ---- names ---------------------------------------------------------------------------------------

MASK = encoded(DISK * 255)


def test_numbers_at_the_end_of_names_are_no_endings(tmp_path):
    shifted = {f"IM.000{k}": encoded(np.roll(DISK, 3 * k, 1)) for k in range(3)}
    result = read(tmp_path, shifted, pictures=list(shifted))
    for number, mask in enumerate(result.dataset.masks):
        np.testing.assert_array_equal(mask, np.roll(DISK, 3 * number, 1))
    assert len(result.dataset) == 3


def test_capitals_and_accents_match_where_they_are_unique(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Ä1") for form in ("NFC", "NFD"))
    result = read(tmp_path, {f"{decomposed}.png": MASK, "p2.png": MASK}, [f"{composed}.png", "P2"])
    assert len(result.dataset) == 2 and not len(result.problems)


def test_of_several_masks_of_a_picture_none_is_chosen(tmp_path):
    result = read(tmp_path, {"a.png": MASK, "a.tif": encoded(THREE, "TIFF"), "b.png": MASK})
    assert list(result.dataset.facts["file"]) == ["b.png"]
    assert "several masks of one name, such as a.png and a.tif" in what(result)


def test_masks_that_are_not_used_are_a_row(tmp_path):
    masks = {"a_mask.png": MASK, "b_mask.png": MASK, "a_mask_1.png": MASK}
    result = read(tmp_path, masks, ["a.png", "b.png"])
    assert len(result.dataset) == 2
    assert "1 masks belong to no picture, such as a_mask_1.png" in what(result)


def test_pictures_that_share_a_mask_are_a_row(tmp_path):
    result = read(tmp_path, {"a.png": MASK}, ["a.png", "a.bmp"])
    assert len(result.dataset) == 2 and "both have one mask" in what(result)
