"""Small sound files of every format that the readers know, and seeded ways of breaking them.

`trial` breaks one file, reads it, and returns what came of it: what tests and a benchmark count.
"""

import functools
import io
import json
import struct
import tempfile
import time
import zlib
from pathlib import Path

import nibabel
import numpy as np
import openpyxl
import pydicom
import tifffile
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

from medlearn import datasets

_PICTURES = ("dicom", "nifti", "png", "tiff", "jpeg", "gif", "deep_png", "deep_tiff")
_MASKS = ("mask_png", "mask_gif", "mask_tiff", "mask_jpeg")
FORMATS = (*_PICTURES, "csv", "xlsx", "voc", "coco", "yolo", *_MASKS)
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.2"
_HEADER = 400  # bytes: headers are where it hurts


# ---- sound files ---------------------------------------------------------------------------------


def picture(seed: int = 0, size: int = 48) -> np.ndarray:
    """Return a smooth field of colours, different for every seed, uint8 (size, size, 3).

    Parameters
    ----------
    seed : int
        Seed of the colours.
    size : int
        Side in pixels.
    """
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))


def dicom(values: np.ndarray, **elements) -> bytes:
    """Return a DICOM file.

    Parameters
    ----------
    values : uint16 or int16 array of shape (H, W) or (frames, H, W)
        The stored values.
    **elements
        Further elements by keyword.
    """
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = _SECONDARY_CAPTURE
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.SOPClassUID = _SECONDARY_CAPTURE
    ds.SOPInstanceUID = "1.2.3.4"
    ds.PatientID = "Doe^Jane 1970"
    ds.Rows, ds.Columns = values.shape[-2:]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    if values.ndim == 3:
        ds.NumberOfFrames = len(values)
    ds.PixelData = values.tobytes()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def encoded(image: Image.Image, format: str, **options) -> bytes:
    """Return an image as the bytes of a file.

    Parameters
    ----------
    image : PIL.Image.Image
        The image.
    format : str
        Name of the format, as Pillow has it.
    **options
        Passed on to Pillow.
    """
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@functools.cache
def sound(file_format: str) -> bytes:
    """Return a sound file of one of `FORMATS`; tables and annotations name a picture `a.png`."""
    return {
        "dicom": _sound_dicom,
        "nifti": _sound_nifti,
        "png": lambda: encoded(Image.fromarray(picture()), "PNG"),
        "tiff": lambda: encoded(Image.fromarray(picture()), "TIFF"),
        "jpeg": lambda: encoded(Image.fromarray(picture()), "JPEG"),
        "gif": lambda: encoded(Image.fromarray(picture()), "GIF"),
        "deep_png": _sound_deep_png,
        "deep_tiff": _sound_deep_tiff,
        "csv": lambda: b"file,label,patient,site\na.png,x,1,north\n" + b"b.png,y,2,south\n" * 3,
        "xlsx": _sound_xlsx,
        "voc": _sound_voc,
        "coco": _sound_coco,
        "yolo": lambda: b"0 0.5 0.5 0.25 0.5\n1 0.25 0.75 0.125 0.25\n" * 3,
        "mask_png": lambda: _sound_mask("PNG"),
        "mask_gif": lambda: _sound_mask("GIF"),
        "mask_tiff": lambda: _sound_mask("TIFF"),
        "mask_jpeg": lambda: _sound_mask("JPEG"),
    }[file_format]()


def _sound_dicom() -> bytes:
    values = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)
    window = {"WindowCenter": 800, "WindowWidth": 900}
    return dicom(values, RescaleSlope=2, RescaleIntercept=-100, **window, PixelSpacing=[0.5, 0.7])


def _sound_nifti() -> bytes:
    values = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    return nibabel.Nifti1Image(values, np.diag([-2, 3, 4, 1])).to_bytes()


def _sound_voc() -> bytes:
    box = "<xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30</ymax>"
    cell = f"<object><name>cell</name><bndbox>{box}</bndbox></object>"
    return f"<annotation><filename>a.png</filename>{cell * 3}</annotation>".encode()


def _sound_coco() -> bytes:
    annotation = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 10, 20]}
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 2, "name": "cell"}],
        "annotations": [annotation] * 3,
    }
    return json.dumps(content).encode()


def _deep() -> np.ndarray:
    """Colours of 12 bits."""
    return picture().astype(np.uint16) << 4


def _sound_deep_png() -> bytes:
    """Pillow writes no colours of 16 bits; rows without a filter."""
    values = _deep()
    height, width = values.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in parts:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        data += struct.pack(">I", len(content)) + name + content + checksum
    return data


def _sound_deep_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, _deep(), photometric="rgb", compression="zlib")
    return file.getvalue()


def _sound_xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in (("file", "label", "patient"), ("a.png", "x", 1), ("b.png", "y", 2)):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _sound_mask(file_format: str) -> bytes:
    """Two classes; PNG keeps them as indices of a palette."""
    is_inside = picture()[..., 0] > 127
    if file_format != "PNG":
        return encoded(Image.fromarray(np.where(is_inside, 255, 0).astype(np.uint8)), file_format)
    mask = Image.fromarray(is_inside.astype(np.uint8), "L")
    mask.putpalette([0, 0, 0, 200, 30, 90])
    return encoded(mask, "PNG")


# ---- broken ones ---------------------------------------------------------------------------------


def mutated(data: bytes, seed: int) -> bytes:
    """Return a file broken in one to three ways: bits, cuts, insertions, repeats, extreme fields.

    Parameters
    ----------
    data : bytes
        The sound file.
    seed : int
        Seed of the mutations.
    """
    rng = np.random.default_rng(seed)
    broken = bytearray(data)
    for mutation in rng.integers(0, 6, rng.integers(1, 4)):
        if len(broken) < 4:
            break
        in_header = rng.random() < 0.5
        end = min(len(broken), _HEADER) if in_header else len(broken)
        _mutate(broken, int(mutation), int(rng.integers(0, end)), rng)
    return bytes(broken)


def _mutate(broken: bytearray, mutation: int, at: int, rng: np.random.Generator) -> None:
    """Break bytes in place."""
    if mutation == 0:
        broken[at] ^= 1 << int(rng.integers(8))
    elif mutation == 1:
        del broken[at:]
    elif mutation == 2:
        broken[at:at] = rng.bytes(int(rng.integers(1, 64)))
    elif mutation == 3:
        broken[at:at] = broken[at : at + int(rng.integers(1, 256))]
    elif mutation == 4:
        broken[at : at + 2] = struct.pack("<H", _EXTREMES[int(rng.integers(8))])
    else:
        broken[at : at + 4] = struct.pack("<I", _EXTREMES[int(rng.integers(len(_EXTREMES)))])


def read(file_format: str, folder: Path, data: bytes):
    """Do what a user would do with such a file: put it into a folder and call the reader.

    Parameters
    ----------
    file_format : str
        One of `FORMATS`.
    folder : Path
        An empty folder.
    data : bytes
        Content of the file; a picture `a.png` is put beside a table or annotations.
    """
    if file_format in _PICTURES:
        (folder / "x").mkdir(exist_ok=True)
        (folder / "x" / "file").write_bytes(data)
        return datasets.from_folder(folder, size=32)
    if file_format in _MASKS:
        for name, content in (("pictures", sound("png")), ("masks", data)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / "a.png").write_bytes(content)
        return datasets.from_masks(folder / "pictures", folder / "masks", size=32)
    (folder / "a.png").write_bytes(sound("png"))
    names = {"voc": "t.xml", "coco": "t.json", "yolo": "a.txt"}
    path = folder / names.get(file_format, f"t.{file_format}")
    path.write_bytes(data)
    if file_format in ("csv", "xlsx"):
        return datasets.from_table(path, size=32)
    return datasets.from_boxes(path if file_format == "coco" else folder, size=32)


def trial(file_format: str, seed: int) -> dict:
    """Break a sound file and read it.

    Parameters
    ----------
    file_format : str
        One of `FORMATS`.
    seed : int
        Seed of the mutations.

    Returns
    -------
    dict
        "file_format", "seed", "seconds", and "outcome": "read", "problem", or "refused", which is
        a ValueError.

    Raises
    ------
    AssertionError
        For a file that vanishes without a row of problems, and for an error instead of a row.
        Whatever else is raised goes on up: it is a bug.
    """
    data = mutated(sound(file_format), seed)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        try:
            outcome = _outcome(read(file_format, Path(folder), data))
        except ValueError as error:
            if file_format in (*_PICTURES, *_MASKS, "voc", "yolo") or "\n" in str(error):
                message = f"{file_format} {seed}: {error!r} instead of a row of problems"
                raise AssertionError(message) from error
            outcome = "refused"
        seconds = time.perf_counter() - start
    assert outcome != "dropped", f"{file_format} {seed}: the file was dropped in silence"
    return {"file_format": file_format, "seed": seed, "outcome": outcome, "seconds": seconds}


def _outcome(result) -> str:
    if len(result.problems):
        return "problem"
    return "read" if len(result.dataset) else "dropped"
