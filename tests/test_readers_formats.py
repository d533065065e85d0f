"""Formats of a user's own pictures: values as the standards say, no stack trace and no bomb."""

import io
import json
import re
import struct
import tracemalloc
import zlib

import nibabel
import numpy as np
import pydicom
import pytest
from own_files import png, put, what
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_windowing
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless

from common import mutations
from medlearn import datasets
from medlearn.datasets.readers import _dicom, _formats, _nifti, _paths, _pictures
from medlearn.datasets.readers._problems import Unreadable

DEEP = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)
WINDOW = {"WindowCenter": 500, "WindowWidth": 700}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MEDLEARN_CACHE", str(folder))
    return folder


# ---- any file ------------------------------------------------------------------------------------


def test_reading_raises_nothing_but_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="it is a folder"):
        list(_formats.read(tmp_path))
    with pytest.raises(Unreadable, match="name is impossible"):
        list(_formats.read(tmp_path / "zero\0byte"))
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert _paths.contents(tmp_path / "ten", 10) == b"0123456789"
    with pytest.raises(Unreadable, match="more than 9 bytes"):
        _paths.contents(tmp_path / "ten", 9)
    with pytest.raises(Unreadable, match="none of DICOM, NIfTI, PNG, JPEG, TIFF, BMP"):
        list(_formats.read(tmp_path / "ten"))


def test_a_file_that_needs_too_much_memory_is_a_problem(tmp_path, monkeypatch):
    def too_much(*arguments):
        raise MemoryError

    put(tmp_path, a_png=png(1))
    monkeypatch.setattr(_pictures, "_values", too_much)
    with pytest.raises(Unreadable, match="does not fit into memory"):
        list(_formats.read(tmp_path / "a.png"))


# ---- DICOM ---------------------------------------------------------------------------------------


def grey(data, **arguments):
    return next(_dicom.frames(data, **arguments)).pixels[..., 0].astype(int)


@pytest.mark.parametrize("slope, intercept", [(1, 0), (2, -100), (0.5, 7)])
def test_dicom_is_rescaled_and_windowed_as_pydicom_does(slope, intercept):
    data = mutations.dicom(DEEP, RescaleSlope=slope, RescaleIntercept=intercept, **WINDOW)
    dataset = pydicom.dcmread(io.BytesIO(data))
    oracle = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    # pydicom spreads the window over all values that could be stored.
    low, high = intercept, intercept + 65535 * slope
    assert np.abs(grey(data) - (oracle - low) / (high - low) * 255).max() <= 0.51


def test_a_window_is_linear_between_its_ends_and_monochrome1_is_inverted():
    out = grey(mutations.dicom(DEEP), window=(600, 201)).ravel()
    assert out[:500].max() == 0 and out[700:].min() == 255
    assert out[600] in (127, 128) and (np.diff(out) >= 0).all()
    inverted = mutations.dicom(DEEP, PhotometricInterpretation="MONOCHROME1", **WINDOW)
    np.testing.assert_array_equal(grey(mutations.dicom(DEEP, **WINDOW)) + grey(inverted), 255)


def test_frames_of_one_file_are_one_patient_and_evenly_spread():
    values = np.stack([DEEP + number for number in range(10)])
    data = mutations.dicom(values, PixelSpacing=[0.5, 0.7])
    frames = list(_dicom.frames(data, count=4))
    assert [frame.index_in_series for frame in frames] == [1, 3, 6, 8]
    assert len({frame.patient for frame in frames}) == 1
    assert frames[0].spacing == (0.5, 0.7) and len(list(_dicom.frames(data, count=99))) == 10


def test_patients_of_a_header_get_pseudonyms(tmp_path):
    roe = mutations.dicom(DEEP, PatientID="Roe")
    folder = put(tmp_path, x__a_dcm=mutations.dicom(DEEP), x__b_dcm=roe)
    patients = datasets.from_folder(folder).dataset.patients
    assert all(re.fullmatch("p-[0-9a-f]{12}", patient) for patient in patients)
    assert len(set(patients)) == 2


@pytest.mark.parametrize(
    "elements, warned",
    [
        ({}, False),
        ({"BurnedInAnnotation": "YES"}, True),
        ({"SOPClassUID": f"{SECONDARY_CAPTURE}.2"}, True),
        ({"SOPClassUID": f"{SECONDARY_CAPTURE}7.1.2"}, False),
        ({"SOPClassUID": SECONDARY_CAPTURE, "BurnedInAnnotation": "NO"}, False),
    ],
)
def test_burned_in_text_is_a_warning_and_the_picture_stays(tmp_path, elements, warned):
    result = datasets.from_folder(put(tmp_path, x__a_dcm=mutations.dicom(DEEP, **elements)))
    assert len(result.dataset) == 1 and ("burned" in what(result)) == warned


def test_compressed_pictures_are_decoded_and_a_missing_plugin_is_named(monkeypatch):
    class Absent:
        is_available = False

    dataset = pydicom.dcmread(io.BytesIO(mutations.dicom(DEEP, **WINDOW)))
    dataset.compress(pydicom.uid.RLELossless, encoding_plugin="pydicom")
    file = io.BytesIO()
    dataset.save_as(file)
    expected = grey(mutations.dicom(DEEP, **WINDOW))
    np.testing.assert_array_equal(grey(file.getvalue()), expected)
    monkeypatch.setattr(_dicom.pixels, "get_decoder", lambda syntax: Absent)
    with pytest.raises(Unreadable, match=r"JPEG 2000.*pip install pylibjpeg"):
        _dicom._check_decoder(JPEG2000Lossless)


def test_colours_are_kept_and_unknown_ones_are_named():
    colours = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    elements = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "BitsAllocated": 8, "BitsStored": 8}
    elements |= {"HighBit": 7, "PixelData": colours.tobytes()}
    data = mutations.dicom(DEEP, PhotometricInterpretation="RGB", **elements)
    np.testing.assert_array_equal(next(_dicom.frames(data)).pixels, colours)
    data = mutations.dicom(DEEP, PhotometricInterpretation="HSV", **elements)
    with pytest.raises(Unreadable, match="its colours HSV"):
        list(_dicom.frames(data))


@pytest.mark.parametrize(
    "elements, message",
    [
        ({"Rows": 65535, "Columns": 65535}, "declares a frame of"),
        ({"NumberOfFrames": 400}, "of the 960,000 bytes"),
        ({"Rows": 0}, "declares a frame of 0"),
    ],
)
def test_sizes_are_checked_before_decoding(elements, message):
    with pytest.raises(Unreadable, match=message):
        list(_dicom.frames(mutations.dicom(DEEP, **elements)))


def deflated(before_the_syntax: int = 0, **elements) -> bytes:
    """A deflated DICOM file, with private bytes in its header before the transfer syntax."""
    dataset = pydicom.dcmread(io.BytesIO(mutations.dicom(DEEP, **elements)))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file)
    data = file.getvalue()
    place = data.find(b"\x02\0\x10\0UI")
    private = b"\x02\0\x0a\0OB\0\0" + struct.pack("<I", before_the_syntax)
    return data[:place] + private + bytes(before_the_syntax) + data[place:]


@pytest.mark.parametrize("before_the_syntax", [10, 5_000, 100_000])
def test_a_deflated_dicom_is_not_inflated_wherever_it_says_so(before_the_syntax):
    """50 MB of zeros, which deflate to 50 kB."""
    data = deflated(before_the_syntax, EncapsulatedDocument=bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="deflated"):
            list(_dicom.frames(data))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_deflated_dicom_and_a_file_without_a_picture_are_refused():
    with pytest.raises(Unreadable, match="deflated"):
        list(_dicom.frames(deflated()))
    dataset = pydicom.dcmread(io.BytesIO(mutations.dicom(DEEP)))
    del dataset.PixelData
    file = io.BytesIO()
    dataset.save_as(file)
    with pytest.raises(Unreadable, match="holds no picture"):
        list(_dicom.frames(file.getvalue()))


# ---- NIfTI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["LPS", "PIR", "SAL", "ILA"])
def test_nifti_is_turned_to_the_patient(axes):
    """The same volume stored along any axes gives the same slices and spacings."""
    values = np.random.default_rng(0).normal(size=(9, 11, 8)).astype(np.float32)
    straight = nibabel.Nifti1Image(values, np.diag([2, 3, 4, 1]))
    stored = nibabel.orientations.axcodes2ornt(axes)
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(straight.affine), stored)
    expected = list(_nifti.frames(straight.to_bytes(), count=8))
    frames = list(_nifti.frames(straight.as_reoriented(turn).to_bytes(), count=8))
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.pixels, other.pixels)
    assert frames[0].spacing == expected[0].spacing == (3.0, 2.0)
    assert frames[0].pixels.shape == (11, 9, 3)


def test_the_front_is_up_and_the_right_side_left():
    values = np.zeros((5, 5, 1), np.uint8)
    values[4, 4] = 200  # rightmost and foremost in RAS
    data = nibabel.Nifti1Image(values, np.eye(4)).to_bytes()
    picture = next(_nifti.frames(data, window=(100, 200))).pixels[..., 0]
    assert picture[0, 0] == 255 and picture.sum() == 255


@pytest.mark.parametrize(
    "values, message",
    [
        (np.zeros((5, 5), np.uint8), "2 dimensions"),
        (np.zeros((5, 5, 2), np.complex64), "complex"),
        (np.zeros((5, 5, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"),
    ],
)
def test_what_is_no_volume_of_greys_is_refused(values, message):
    with pytest.raises(Unreadable, match=message):
        list(_nifti.frames(nibabel.Nifti1Image(values, np.eye(4)).to_bytes()))


def test_of_several_volumes_the_first_is_read_and_the_others_are_a_warning():
    values = np.random.default_rng(0).normal(size=(6, 7, 4, 3)).astype(np.float32)
    frames = list(_nifti.frames(nibabel.Nifti1Image(values, np.eye(4)).to_bytes()))
    first = list(_nifti.frames(nibabel.Nifti1Image(values[..., 0], np.eye(4)).to_bytes()))
    np.testing.assert_array_equal(frames[2].pixels, first[2].pixels)
    assert "3 volumes" in frames[0].warnings[0][0] and not first[0].warnings


def test_a_gzip_bomb_is_not_inflated():
    header = bytearray(mutations.sound("nifti")[:352])
    struct.pack_into("<8h", header, 40, 3, 6, 7, 8, 1, 1, 1, 1)
    packer = zlib.compressobj(wbits=31)
    begin = packer.compress(bytes(header))
    zeros = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50))
    bomb = begin + zeros + packer.flush()
    assert len(list(_nifti.frames(bomb))) == 8  # only the bytes that the header needs
    struct.pack_into("<8h", header, 40, 3, 30000, 3000, 30000, 1, 1, 1, 1)
    with pytest.raises(Unreadable, match="declares"):
        list(_nifti.frames(bytes(header)))


# ---- pictures ------------------------------------------------------------------------------------


def decoded(image, format_name="PNG", **options):
    return _pictures.frames(mutations.encoded(image, format_name, **options))[0].pixels


def test_modes_become_rgb():
    image = Image.fromarray(mutations.picture())
    for mode in ("P", "L", "LA", "1", "RGBA"):
        assert decoded(image.convert(mode)).shape == (48, 48, 3)
    np.testing.assert_array_equal(decoded(image.convert("RGBA")), np.asarray(image))
    printed = decoded(image.convert("CMYK"), "JPEG", quality=98).astype(int)
    assert np.abs(printed - np.asarray(image)).mean() < 8
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert (decoded(clear) == 255).all()  # what is transparent is white, not black


def test_exif_turns_the_picture():
    image = Image.fromarray(mutations.picture()[:, :30])
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decoded(image, "PNG", exif=exif.tobytes())
    np.testing.assert_array_equal(turned, np.rot90(np.asarray(image), -1))


def test_sixteen_bits_keep_their_order():
    deep = np.arange(4096, dtype=np.uint16).reshape(64, 64)  # 12 bits: the high byte has 16 steps
    for format_name in ("PNG", "TIFF"):
        out = decoded(Image.fromarray(deep), format_name)[..., 0]
        assert len(np.unique(out)) == 256 and (np.diff(out.ravel().astype(int)) >= 0).all()


def test_of_several_pages_the_first_is_read_and_the_others_are_a_warning():
    pages = [Image.fromarray(mutations.picture(seed)) for seed in (1, 2)]
    data = mutations.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    (frame,) = _pictures.frames(data)
    np.testing.assert_array_equal(frame.pixels, mutations.picture(1))
    assert "2 pages" in frame.warnings[0][0]


def test_a_picture_of_too_many_pixels_is_not_decoded():
    sizes = {60000: "declares far too many pixels", 11000: "declares a picture of 121,000,000"}
    for side, message in sizes.items():
        data = bytearray(png())
        struct.pack_into(">II", data, 16, side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        with pytest.raises(Unreadable, match=message):
            _pictures.frames(bytes(data))


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("[1]", "lacks images, annotations and categories"),
        ("{", "broken JSON"),
        ('{"categories": [], "images": []}', "it has no annotations"),
        ('{"categories": [{"id": 1}]}', "it has no name"),
    ],
)
def test_what_is_no_coco_file_is_said_in_words_of_the_format(tmp_path, text, sentence):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        datasets.from_boxes(tmp_path / "c.json")


@pytest.mark.parametrize("box", [[], [1, 2, 3], [1, 2, 3, 4, 0.5]])
def test_a_box_of_other_than_four_numbers_is_a_row(tmp_path, box):
    (tmp_path / "a.png").write_bytes(png())
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": box}],
    }
    (tmp_path / "c.json").write_text(json.dumps(content))
    rows = what(datasets.from_boxes(tmp_path / "c.json", size=48))
    assert f"bbox holds {len(box)} numbers and not the four" in rows
    assert "no picture has a box" in rows


def test_odd_codes_of_a_nifti_header_are_a_row_and_nothing_is_printed(tmp_path, capfd):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4))
    header = bytearray(image.to_bytes())
    header[252:256] = b"\x63\x00\x63\x00"  # qform_code and sform_code
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.nii").write_bytes(header)
    result = datasets.from_folder(tmp_path, size=32)
    assert "right and left are a guess" in result.problems["what"][0]
    assert capfd.readouterr() == ("", "")
