"""Small sound files of every format that the readers know, and seeded ways of breaking them.

`trial(kind, seed)` breaks one file, reads it, and says what came of it: what tests and the benchmark both count.
"""

import functools
import io
import json
import struct
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

from medlearn import datasets

KINDS = ("dicom", "nifti", "png", "tiff", "csv", "voc", "coco")
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def picture(seed: int = 0, size: int = 48) -> np.ndarray:
    """uint8 (size, size, 3): a smooth field of colours, different for every seed."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))


def dicom(values: np.ndarray, **elements) -> bytes:
    """A DICOM file of stored values (H, W) or (frames, H, W), uint16 or int16, with further elements by keyword."""
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID = (
        ExplicitVRLittleEndian,
        "1.2.840.10008.5.1.4.1.1.2",
    )
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientID = (
        "1.2.840.10008.5.1.4.1.1.2",
        "1.2.3.4",
        "Doe^Jane 1970",
    )
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = (
        *values.shape[-2:],
        1,
        "MONOCHROME2",
    )
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = (
        16,
        16,
        15,
        int(values.dtype.kind == "i"),
    )
    if values.ndim == 3:
        ds.NumberOfFrames = len(values)
    ds.PixelData = values.tobytes()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@functools.cache
def sound(kind: str) -> bytes:
    """A sound file of one of KINDS; tables and annotations name a picture `a.png` beside them."""
    deep = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)
    if kind == "dicom":
        return dicom(
            deep,
            RescaleSlope=2,
            RescaleIntercept=-100,
            WindowCenter=800,
            WindowWidth=900,
            PixelSpacing=[0.5, 0.7],
        )
    if kind == "nifti":
        return nibabel.Nifti1Image(
            np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), np.diag([-2, 3, 4, 1])
        ).to_bytes()
    if kind in ("png", "tiff"):
        return encoded(Image.fromarray(picture()), kind.upper())
    if kind == "csv":
        return b"file,label,patient,site\na.png,x,1,north\n" + b"b.png,y,2,south\n" * 3
    if kind == "voc":
        thing = "<object><name>cell</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object>"
        return f"<annotation><filename>a.png</filename>{thing * 3}</annotation>".encode()
    boxes = [{"image_id": 1, "category_id": 2, "bbox": [1, 2, 10, 20]}] * 3
    return json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.png"}],
            "categories": [{"id": 2, "name": "cell"}],
            "annotations": boxes,
        }
    ).encode()


def mutated(data: bytes, seed: int) -> bytes:
    """`data` broken in one to three ways: bytes flipped, cut, inserted, doubled, or a field set to an extreme."""
    rng = np.random.default_rng(seed)
    broken = bytearray(data)
    for way in rng.integers(0, 6, rng.integers(1, 4)):
        if len(broken) < 4:
            break
        # Headers are where it hurts: half of the places lie in the first 400 bytes.
        place = int(rng.integers(0, min(len(broken), 400) if rng.random() < 0.5 else len(broken)))
        if way == 0:
            broken[place] ^= 1 << int(rng.integers(8))
        elif way == 1:
            del broken[place:]
        elif way == 2:
            broken[place:place] = rng.bytes(int(rng.integers(1, 64)))
        elif way == 3:
            broken[place:place] = broken[place : place + int(rng.integers(1, 256))]
        elif way == 4:
            broken[place : place + 2] = struct.pack("<H", _EXTREMES[int(rng.integers(8))])
        else:
            broken[place : place + 4] = struct.pack(
                "<I", _EXTREMES[int(rng.integers(len(_EXTREMES)))]
            )
    return bytes(broken)


def read(kind: str, folder: Path, data: bytes):
    """What a user would do with such a file: put it into a folder (with `a.png`) and call the reader."""
    if kind in ("dicom", "nifti", "png", "tiff"):
        (folder / "x").mkdir(exist_ok=True)
        (folder / "x" / "file").write_bytes(data)
        return datasets.from_folder(folder, size=32)
    (folder / "a.png").write_bytes(sound("png"))
    name = {"csv": "t.csv", "voc": "t.xml", "coco": "t.json"}[kind]
    (folder / name).write_bytes(data)
    if kind == "csv":
        return datasets.from_table(folder / name, size=32)
    return datasets.from_boxes(folder if kind == "voc" else folder / name, size=32)


def trial(kind: str, seed: int) -> dict:
    """Break a sound file of `kind`, read it: outcome "read", "problem" or "refused" (a ValueError), and the seconds.

    Whatever else is raised goes on up: it is a bug. So is a file that vanishes without a row of problems.
    """
    data = mutated(sound(kind), seed)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        try:
            found = read(kind, Path(folder), data)
            outcome = "read" if len(found.dataset) and not len(found.problems) else "problem"
            if not len(found.dataset) and not len(found.problems):
                raise AssertionError(f"{kind} {seed}: the file was dropped in silence")
        except ValueError as error:
            if kind in ("dicom", "nifti", "png", "tiff", "voc") or "\n" in str(error):
                raise AssertionError(
                    f"{kind} {seed}: {error!r} instead of a row of problems"
                ) from error
            outcome = "refused"
    return {"kind": kind, "seed": seed, "outcome": outcome, "seconds": time.perf_counter() - start}
