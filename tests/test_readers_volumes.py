"""DICOM and NIfTI files as scanners and converters write them."""

import io

import nibabel
import numpy as np
import pydicom
import pytest
from own_files import what
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit

from medlearn import datasets
from medlearn.datasets.readers import _dicom, _nifti
from medlearn.datasets.readers._problems import Unreadable

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
WINDOW = {"WindowCenter": "2048", "WindowWidth": "4096"}
SHOWN = np.rint(RAMP / 4095 * 255)


def dicom(values=RAMP, syntax=ExplicitVRLittleEndian, without=(), **elements) -> bytes:
    """A DICOM file of one picture; elements named in `without` are missing."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = values.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.add_new("PixelData", "OW", values.tobytes())
    dataset["PixelData"].is_undefined_length = syntax == JPEGBaseline8Bit
    for keyword, value in elements.items():
        if isinstance(value, pydicom.DataElement):
            dataset.add(value)
        else:
            setattr(dataset, keyword, value)
    for keyword in without:
        delattr(dataset, keyword)
    stream = io.BytesIO()
    options = {"implicit_vr": False, "little_endian": True, "enforce_file_format": True}
    pydicom.dcmwrite(stream, dataset, **options)
    return stream.getvalue()


def grey(data: bytes) -> np.ndarray:
    return next(_dicom.frames(data)).pixels[..., 0].astype(int)


@pytest.mark.parametrize(
    "keyword", ["SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"]
)
def test_only_size_pixels_and_interpretation_are_essential(keyword):
    data = dicom(without=[keyword], **WINDOW)
    np.testing.assert_allclose(grey(data), SHOWN, atol=1)
    warnings = next(_dicom.frames(data)).warnings
    assert keyword == "HighBit" or f"its header lacks {keyword}" in warnings[0][0]


@pytest.mark.parametrize(
    "data, sentence",
    [
        (dicom(without=["Rows"]), r"does not say the size of the picture \(Rows\)"),
        (dicom(without=["PhotometricInterpretation"]), r"colours \(not named\) are not understood"),
        (dicom(SamplesPerPixel=4, PhotometricInterpretation="CMYK"), "colours CMYK are not"),
        (dicom(PhotometricInterpretation="RGB"), "colours RGB do not fit its 1 channels"),
        (dicom(syntax="1.2.840.113619.5.2"), "transfer syntax 1.2.840.113619.5.2 is a private"),
        (dicom(PixelData=b"\xfe\xff\0\xe0" + bytes(96)), "its header says that they are not"),
    ],
    ids=["rows", "interpretation", "CMYK", "channels", "private", "compressed"],
)
def test_what_is_not_understood_is_not_called_damaged(data, sentence):
    with pytest.raises(Unreadable, match=sentence) as error:
        list(_dicom.frames(data))
    assert "damaged" not in str(error.value)


def test_compressed_pixels_that_no_plugin_decodes_are_one_true_sentence():
    pixels = pydicom.encaps.encapsulate([b"\xff\xd8" + bytes(100)])
    data = dicom(RAMP.astype(np.uint8), JPEGBaseline8Bit, PixelData=pixels)
    with pytest.raises(Unreadable, match="damaged, or of a kind that no installed plugin"):
        list(_dicom.frames(data))


def test_values_in_the_high_bits_are_shifted_down():
    high = {"BitsStored": 12, "HighBit": 15, **WINDOW}
    np.testing.assert_allclose(grey(dicom(RAMP << 4, **high)), SHOWN, atol=1)
    signed = ((RAMP.astype(np.int16) - 2048) * 16).astype(np.int16)
    high["WindowCenter"] = "0"
    np.testing.assert_allclose(grey(dicom(signed, **high)), SHOWN, atol=1)


def with_table(descriptor, table: bytes) -> dict:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = descriptor, table
    return {"VOILUTSequence": [item]}


@pytest.mark.parametrize("bits, kind", [(12, "<u2"), (8, "<u2"), (8, "u1")])
def test_a_table_of_greys_is_followed(bits, kind):
    entries = np.rint(np.linspace(1, 0, 4096) ** 2 * (2**bits - 1))
    data = dicom(**with_table([4096, 0, bits], entries.astype(kind).tobytes()))
    expected = entries[RAMP] / (2**bits - 1) * 255
    np.testing.assert_allclose(grey(data), expected, atol=1)


def test_a_table_may_begin_below_zero():
    entries = np.linspace(0, 4095, 4096).astype("<u2")
    signed = RAMP.astype(np.int16) - 2048
    data = dicom(signed, **with_table([4096, -2048, 12], entries.tobytes()))
    np.testing.assert_allclose(grey(data), SHOWN, atol=1)


def test_padding_of_the_other_sign_is_padding():
    values = (RAMP % 200).astype(np.int16)
    values[:, :20] = -2000
    number = pydicom.DataElement("PixelPaddingValue", "US", 63536)
    data = dicom(values, PixelPaddingValue=number)
    shown = grey(data)
    assert not shown[:, :20].any() and np.ptp(shown[:, 20:]) > 200


# ---- NIfTI ---------------------------------------------------------------------------------------

VOLUME = np.random.default_rng(0).integers(0, 1000, (20, 24, 3)).astype(np.int16)
AFFINE = np.diag([2.0, 3, 4, 1])


def first(image) -> tuple:
    """The spacing of the first slice and all warnings, in one text."""
    frame = next(_nifti.frames(image.to_bytes()))
    return frame.spacing, " ".join(problem for problem, _ in frame.warnings)


@pytest.mark.parametrize("unit, factor", [("mm", 1), ("micron", 1e-3), ("meter", 1e3)])
def test_units_of_length_are_converted(unit, factor):
    image = nibabel.Nifti1Image(VOLUME, np.diag([2 / factor, 3 / factor, 4 / factor, 1]))
    image.header.set_xyzt_units(unit)
    spacing, warnings = first(image)
    np.testing.assert_allclose(spacing, (3, 2), rtol=1e-6)
    assert ("converted" not in warnings) and (f"the unit {unit}" in warnings) == (unit != "mm")


def test_a_header_without_orientation_is_a_row():
    assert "right and left are a guess" in first(nibabel.Nifti1Image(VOLUME, None))[1]
    assert not first(nibabel.Nifti1Image(VOLUME, AFFINE))[1]


@pytest.mark.parametrize(
    "other, differs",
    [
        (np.diag([-2.0, 3, 4, 1]), True),
        (np.diag([0.5, 0.5, 0.5, 1]), True),
        (np.diag([2.1, 3.1, 4.1, 1]), False),  # an sform that leads to a template
    ],
)
def test_two_orientations_that_differ_are_a_row(other, differs):
    image = nibabel.Nifti1Image(VOLUME, AFFINE)
    image.set_sform(AFFINE, 1)
    image.set_qform(other, 1)
    assert ("two orientations that differ" in first(image)[1]) == differs


def test_rows_of_volumes_reach_the_user(tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOLUME, None), tmp_path / "a.nii.gz")
    (tmp_path / "b.dcm").write_bytes(dicom(without=["BitsStored"]))
    found = what(datasets.from_folder(tmp_path, layout="", size=64))
    assert "right and left are a guess" in found and "lacks BitsStored" in found
