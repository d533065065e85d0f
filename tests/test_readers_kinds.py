"""Own files as hospitals make them: each kind of oddity is read right, or named in one row."""

import gzip
import json
import os

import nibabel
import numpy as np
import pandas as pd
import pytest
from own_files import what
from PIL import Image

from medlearn import datasets
from medlearn.datasets.readers import (
    _dicom,
    _fit,
    _frame,
    _mask_files,
    _nifti,
    _paths,
    _patients,
    _yolo_names,
)

RANDOM = np.random.default_rng(0)
DISK = np.zeros((64, 64), np.uint8)
DISK[20:40, 10:50] = 255


def picture(seed=0, height=64, width=64):
    """A smooth colour picture with full contrast."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    coarse[0, 0], coarse[-1, -1] = 0, 255
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(values, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(path, **options)
    return path


# ---- greys ---------------------------------------------------------------------------------------


def test_nan_is_black_and_does_not_move_the_window():
    values = np.linspace(-1000, -100, 101)
    with_nan = np.r_[values, np.full(50, np.nan)]
    shown = _frame.windowed(with_nan, None)
    np.testing.assert_array_equal(shown[:101], _frame.windowed(values, None))
    assert not shown[101:].any()
    assert "33.1% of its values" in _frame.nan_warnings(with_nan)[0][0]
    assert _frame.windowed(np.full(4, np.nan), None).tolist() == [0] * 4


def test_a_sigmoid_window_follows_the_standard():
    values = np.array([0.0, 1536, 2048, 2560, 4095])
    expected = np.round(255 / (1 + np.exp(-4 * (values - 2048) / 1024)))
    np.testing.assert_allclose(_frame.windowed(values, (2048, 1024), "SIGMOID"), expected, atol=1)


@pytest.mark.parametrize(
    "low, high, sentence", [(7, 7, "of one grey, 7"), (0, 15, "only the greys 0 to 15")]
)
def test_hardly_any_contrast_is_a_row(tmp_path, low, high, sentence):
    flat = np.full((64, 64, 3), low, np.uint8)
    flat[:32] = high
    save(flat, tmp_path / "a.png")
    assert sentence in what(datasets.from_folder(tmp_path, layout="", size=64))


def test_volumes_in_several_gzip_members_are_read():
    values = RANDOM.integers(0, 1000, (20, 20, 6)).astype(np.int16)
    raw = nibabel.Nifti1Image(values, np.eye(4)).to_bytes()
    parts = [gzip.compress(raw[start : start + 900]) for start in range(0, len(raw), 900)]
    whole, parted = list(_nifti.frames(gzip.compress(raw))), list(_nifti.frames(b"".join(parts)))
    for one, same in zip(whole, parted, strict=True):
        np.testing.assert_array_equal(one.pixels, same.pixels)


def test_big_tiff_and_gif_are_recognised():
    from medlearn.datasets.readers import _pictures

    assert _pictures.is_picture(b"II+\0....") and _pictures.is_picture(b"GIF89a")


def test_bare_dicom_is_recognised_and_other_files_are_not():
    assert _dicom.is_dicom(b"\x08\0\x05\0CS\x0a\0ISO_IR 100")
    assert _dicom.is_dicom(b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100")
    assert not _dicom.is_dicom(b"\x89PNG\r\n\x1a\n") and not _dicom.is_dicom(b"{}")


# ---- masks ---------------------------------------------------------------------------------------


def test_masks_keep_indices_alpha_and_whole_floats(tmp_path):
    indices = (DISK > 0).astype(np.uint8) * 2
    palette = Image.frombytes("P", (64, 64), indices.tobytes())
    palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
    white = Image.new("L", (64, 64), 255)
    drawn = {
        "palette.png": (palette, indices),
        "alpha.png": (Image.merge("RGBA", [white] * 3 + [Image.fromarray(DISK)]), DISK),
        "a.gif": (DISK, DISK),
        "float.tif": (Image.fromarray((DISK > 0).astype(np.float32)), DISK > 0),
    }
    for name, (image, expected) in drawn.items():
        values, is_lossy = _mask_files.read(save(image, tmp_path / name))
        np.testing.assert_array_equal(values, expected, err_msg=name)
        assert not is_lossy


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_and_boxes_turn_with_their_picture(tmp_path, orientation):
    stored = np.full((48, 64, 3), 40, np.uint8)
    stored[5:15, 30:60] = 250
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(stored, tmp_path / "p" / "a.jpg", exif=exif, quality=95)
    save((stored[..., 0] > 100).astype(np.uint8) * 255, tmp_path / "m" / "a.png")
    masked = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=48).dataset
    bright = masked.images[0, ..., 0] > 145
    assert (bright == (masked.masks[0] > 0)).mean() > 0.98


@pytest.mark.parametrize("orientation", [1, 5, 6, 7, 8])
def test_boxes_turn_with_their_picture(tmp_path, orientation):
    stored = np.full((48, 64, 3), 40, np.uint8)
    stored[15:25, 20:50] = 250
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(stored, tmp_path / "a.jpg", exif=exif, quality=95)
    annotations = coco(tmp_path, [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}])
    data = datasets.from_boxes(annotations([(1, [20, 15, 30, 10])]), size=48).dataset
    y0, x0, y1, x1 = data.boxes[0][0, :4].round().astype(int)
    inside = data.images[0, y0:y1, x0:x1].mean()
    assert inside > 220 and data.images[0].mean() < 110


def test_a_jpeg_mask_is_cut_at_half_and_a_suffix_is_found(tmp_path):
    for number in range(3):
        save(picture(number), tmp_path / "p" / f"{number}.png")
        save(DISK, tmp_path / "m" / f"{number}_mask.jpg", quality=75)
    result = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=64)
    for mask in result.dataset.masks:
        assert (mask != (DISK > 0)).mean() < 0.005
    assert "named like the pictures with '..._mask'" in what(result)
    assert "JPEG, which blurs outlines" in what(result)


def test_one_folder_for_pictures_and_masks_is_refused(tmp_path):
    save(picture(), tmp_path / "a.png")
    with pytest.raises(ValueError, match="one folder"):
        datasets.from_masks(tmp_path, tmp_path)


# ---- boxes ---------------------------------------------------------------------------------------


def coco(folder, images):
    """Return a function of (image id, bbox) pairs that writes a COCO file."""

    def write(boxes, **more):
        annotations = [{"image_id": i, "category_id": 1, "bbox": box} | more for i, box in boxes]
        content = {"images": images, "annotations": annotations}
        content["categories"] = [{"id": 1, "name": "cell"}]
        (folder / "t.json").write_text(json.dumps(content))
        return folder / "t.json"

    return write


def test_normalised_boxes_become_pixels(tmp_path):
    save(picture(), tmp_path / "a.png")
    write = coco(tmp_path, [{"id": 1, "file_name": "a.png"}])
    result = datasets.from_boxes(write([(1, [0.25, 0.5, 0.5, 0.25])]), size=64)
    np.testing.assert_allclose(result.dataset.boxes[0][0, :4], [32, 16, 48, 48])
    assert "shares of the picture" in what(result)


def test_crowds_sizes_and_ids_are_named(tmp_path):
    save(picture(), tmp_path / "a.png")
    write = coco(tmp_path, [{"id": 1, "file_name": "a.png"}])
    assert "crowds" in what(datasets.from_boxes(write([(1, [1, 1, 9, 9])], iscrowd=1), size=64))
    other = coco(tmp_path, [{"id": 1, "file_name": "a.png", "width": 640, "height": 480}])
    assert "say 480 x 640 pixels" in what(datasets.from_boxes(other([(1, [1, 1, 9, 9])]), size=64))
    twice = coco(tmp_path, [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}])
    with pytest.raises(ValueError, match="id of another image"):
        datasets.from_boxes(twice([(1, [1, 1, 9, 9])]), size=64)


# ---- names, labels, patients ---------------------------------------------------------------------


def test_names_are_completed_where_one_file_can_be_meant(tmp_path):
    save(picture(1), tmp_path / "sub" / "Cafe\u0301.png")
    save(picture(2), tmp_path / "x" / "a.png")
    save(picture(3), tmp_path / "y" / "a.png")
    locator = _paths.Locator(tmp_path)
    assert locator.find("Caf\u00e9").name.endswith(".png")
    assert locator.find("sub\\Caf\u00e9.PNG") is not None
    assert locator.find("a.png") is None and locator.find("x/a") == tmp_path / "x" / "a.png"


def test_chinese_and_western_tables_are_read(tmp_path):
    for name in ("a.png", "b.png"):
        save(picture(), tmp_path / name)
    cases = {"gb18030": ("\u826f\u6027", "\u6076\u6027"), "cp1252": ("b\u00e9nin", "m\u00e9lanome")}
    for encoding, classes in cases.items():
        text = f"file,label\na.png,{classes[0]}\nb.png,{classes[1]}\n"
        (tmp_path / "t.csv").write_bytes(text.encode(encoding))
        result = datasets.from_table(tmp_path / "t.csv", patient=None, size=32)
        assert set(result.dataset.classes) == set(classes)


def test_numeric_labels_are_in_the_order_of_numbers(tmp_path):
    labels = ["10", "2", "1.0", "1"]
    for number in range(len(labels)):
        save(picture(number), tmp_path / f"{number}.png")
    table = pd.DataFrame({"file": [f"{n}.png" for n in range(4)], "label": labels})
    table.to_csv(tmp_path / "t.csv", index=False)
    data = datasets.from_table(tmp_path / "t.csv", patient=None, size=32).dataset
    assert data.classes == ("1", "2", "10") and data.labels.tolist() == [2, 1, 0, 0]


def test_a_workbook_with_a_wrong_dimension_is_read_whole(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["file", "label"])
    for number in range(12):
        save(picture(number), tmp_path / f"{number}.png")
        book.active.append([f"{number}.png", "x"])
    book.save(tmp_path / "t.xlsx")
    import re
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B3"', members[sheet])
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert len(datasets.from_table(tmp_path / "t.xlsx", patient=None, size=32).dataset) == 12


def test_parts_of_a_split_are_no_classes(tmp_path):
    for number, part in enumerate(("train", "valid", "TEST")):
        for label in ("ill", "well"):
            save(picture(number), tmp_path / part / label / f"{number}{label}.png")
    data = datasets.from_folder(tmp_path, size=32).dataset
    assert data.classes == ("ill", "well")
    assert sorted(set(data.split)) == ["test", "train", "val"]


@pytest.mark.parametrize("identifier", ["ANONYMOUS", " unknown ", "0000", "-", "De-Identified"])
def test_placeholders_are_nobody(identifier):
    assert _patients.is_placeholder(identifier)
    assert not _patients.is_placeholder("0071") and not _patients.is_placeholder("")


def test_rows_of_one_kind_are_folded(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02d}.png").write_bytes(b"")
    problems = datasets.from_folder(tmp_path, layout="", size=32).problems
    assert len(problems) == 1 and "the file is empty (30 files, also 01.png" in problems["what"][0]


PATTERN = r"(?P<site>[A-Z])_(?P<patient>\d+)[LR]"


def test_patients_and_sites_by_a_pattern_of_names(tmp_path):
    names = ("A_071L", "A_071R", "B_072L")
    for number, name in enumerate(names):
        save(picture(number), tmp_path / "p" / f"{name}.png")
        save(DISK, tmp_path / "m" / f"{name}.png")
    images = [{"id": number, "file_name": f"{name}.png"} for number, name in enumerate(names)]
    boxes = coco(tmp_path, images)([(number, [1, 1, 9, 9]) for number in range(3)])
    results = [
        datasets.from_folder(tmp_path / "p", layout="", size=32, patient_pattern=PATTERN),
        datasets.from_masks(tmp_path / "p", tmp_path / "m", size=32, patient_pattern=PATTERN),
        datasets.from_boxes(boxes, tmp_path / "p", size=32, patient_pattern=PATTERN),
    ]
    for data, problems, paths in ((r.dataset, r.problems, r.paths) for r in results):
        assert data.patients_known and data.domains.tolist() == ["A", "A", "B"]
        assert data.patients[0] == data.patients[1] != data.patients[2]
        assert not any("071" in file for file in data.facts["file"])
        assert len(problems) == 0 and paths[data.facts["file"][1]].name == "A_071R.png"


def test_rows_do_not_name_patients_that_a_pattern_found(tmp_path):
    save(picture(), tmp_path / "p" / "A_071L.png")
    save(picture(1), tmp_path / "p" / "other.png")
    save(DISK[:50], tmp_path / "m" / "A_071L.png")
    save(DISK, tmp_path / "m" / "other.png")
    result = datasets.from_masks(tmp_path / "p", tmp_path / "m", patient_pattern=PATTERN)
    assert "its mask has 50 x 64" in what(result) and "no patient in its name" in what(result)
    assert "071" not in result.problems.to_string()


@pytest.mark.parametrize("names", [("0071_1", "0071_2", "72_1"), ("x07L", "x07R", "x09L")])
def test_a_pattern_is_suggested_where_names_carry_ids(tmp_path, names):
    for number, name in enumerate(names):
        save(picture(number), tmp_path / f"{name}.png")
    result = datasets.from_folder(tmp_path, layout="", size=32)
    assert "seem to carry 2 ids" in what(result)
    suggested = result.problems["how to fix"].iloc[-1].split("patient_pattern=r")[1].strip("'")
    again = datasets.from_folder(tmp_path, layout="", size=32, patient_pattern=suggested)
    assert len(set(again.dataset.patients)) == 2 and len(again.problems) == 0


def test_patterns_that_cannot_work_are_refused(tmp_path):
    save(picture(), tmp_path / "a" / "1.png")
    for pattern in ("(", r"(\d+)", r"(?P<patient>\d)(?P<eye>L)"):
        with pytest.raises(ValueError, match="patient_pattern must"):
            datasets.from_folder(tmp_path, patient_pattern=pattern)
    with pytest.raises(ValueError, match="Both layout and patient_pattern"):
        datasets.from_folder(tmp_path, layout="patient", patient_pattern="(?P<patient>.)")
    missed = datasets.from_folder(tmp_path, size=32, patient_pattern="(?P<patient>zz)")
    assert "finds no patient in any" in what(missed)


# ---- tables as other programs leave them ---------------------------------------------------------


def table(folder, text, pictures=3):
    for number in range(pictures):
        save(picture(number), folder / f"{number}.png")
    (folder / "list.csv").write_text(text)
    return folder / "list.csv"


def test_a_patient_written_7_and_7_0_is_one_patient(tmp_path):
    path = table(tmp_path, "file,label,patient\n0.png,a,7\n1.png,b,7.0\n2.png,b,8.0\n")
    patients = datasets.from_table(path, size=64).dataset.patients
    assert patients[0] == patients[1] != patients[2]


def test_further_sheets_of_a_workbook_are_named(tmp_path):
    table(tmp_path, "")
    parts = pd.DataFrame({"file": ["0.png", "1.png"], "label": ["a", "b"]})
    with pd.ExcelWriter(tmp_path / "list.xlsx") as book:
        parts.to_excel(book, sheet_name="train", index=False)
        parts.to_excel(book, sheet_name="test", index=False)
        pd.DataFrame().to_excel(book, sheet_name="Sheet3", index=False)
    result = datasets.from_table(tmp_path / "list.xlsx", size=64)
    assert "only the first sheet was read; the others are test" in result.problems["what"].tolist()
    with pd.ExcelWriter(tmp_path / "list.xlsx") as book:
        pd.DataFrame({"note": ["see data"]}).to_excel(book, sheet_name="readme", index=False)
        parts.to_excel(book, sheet_name="data", index=False)
    with pytest.raises(ValueError, match="no column 'file'.*the others are data"):
        datasets.from_table(tmp_path / "list.xlsx")


def test_an_open_quotation_mark_loses_no_row_in_silence(tmp_path):
    heading = "file,label,comment\n"
    path = table(tmp_path, heading + '0.png,a,"two\nlines"\n1.png,b,x\n2.png,b,x\n')
    assert len(datasets.from_table(path, size=64).dataset) == 3
    path.write_text(heading + '0.png,a,"not closed\n1.png,b,x\n2.png,b,x\n')
    with pytest.raises(ValueError, match="quotation mark in row 2 is never closed"):
        datasets.from_table(path)
    path.write_text(heading + '0.png,a,x\n"1.png,b,x\n"2.png,b,x\n')
    assert "not closed" in what(datasets.from_table(path, size=64))


def test_what_is_no_table_is_named(tmp_path):
    (tmp_path / "list.sav").write_bytes(b"data" + bytes(500))
    with pytest.raises(ValueError, match="it is no text and no Excel workbook"):
        datasets.from_table(tmp_path / "list.sav")
    with pytest.raises(ValueError, match="is a folder, but a table is expected"):
        datasets.from_table(tmp_path)


# ---- crop and letterbox --------------------------------------------------------------------------


def test_a_letterbox_keeps_the_whole_picture(tmp_path):
    wide = np.zeros((40, 80, 3), np.uint8)
    wide[:, :20] = (250, 130, 10)
    wide[:20, 60:] = 255
    save(wide, tmp_path / "p" / "a.png")
    save((wide[..., 0] == 250).astype(np.uint8), tmp_path / "m" / "a.png")
    boxes = coco(tmp_path, [{"id": 1, "file_name": "a.png"}])([(1, [60, 0, 20, 20])])
    masked = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=40, fit="letterbox").dataset
    expected = np.zeros((40, 40), np.uint8)
    expected[10:30, :10] = 1
    np.testing.assert_array_equal(masked.masks[0], expected)
    assert (masked.images[0, 12:28, 1:8] == (250, 130, 10)).mean() > 0.99
    assert not masked.images[0, :10].any() and not masked.images[0, 30:].any()
    boxed = datasets.from_boxes(boxes, tmp_path / "p", size=40, fit="letterbox").dataset
    np.testing.assert_allclose(boxed.boxes[0], [[10, 30, 20, 40, 0]])
    cropped = datasets.from_boxes(boxes, tmp_path / "p", size=40).dataset
    assert len(cropped.boxes[0]) == 0
    with pytest.raises(ValueError, match="fit must be 'crop' or 'letterbox'"):
        datasets.from_folder(tmp_path, fit="pad")


def test_spacing_of_a_letterbox_is_exact_for_each_side():
    np.testing.assert_allclose(
        _fit.spacing(np.array([0.5, 0.5]), 64, 96, 64, "letterbox"), [0.5 * 64 / 43, 0.75]
    )
    assert _fit.pixels(np.full((2, 4000, 3), 9, np.uint8), 64, "letterbox").sum() == 64 * 27


def test_masks_are_reduced_by_area():
    classes = np.zeros((56, 56), np.uint8)
    classes[::2, ::2] = 2  # a quarter of each pixel
    assert not _fit.mask(classes, 28, "crop").any()
    classes[::2, 1::2] = classes[1::2, ::2] = 2  # three quarters
    assert (_fit.mask(classes, 28, "crop") == 2).all()
    np.testing.assert_array_equal(_fit.mask(classes, 56, "crop"), classes)


# ---- devices, pipes, and files elsewhere --------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_and_files_elsewhere_are_rows(tmp_path):
    root, secret = tmp_path / "p", save(picture(), tmp_path / "elsewhere.png")
    save(picture(1), root / "a.png")
    os.mkfifo(root / "pipe.png")
    (root / "link.png").symlink_to(secret)
    folder = datasets.from_folder(root, layout="", size=32)
    assert folder.problems["file"].tolist() == ["link.png", "pipe.png"]
    assert "a link to such a place" in what(folder) and "a pipe" in what(folder)
    (root / "t.csv").write_text(f"file\na.png\n../elsewhere.png\n{secret}\npipe.png\n/dev/zero\n")
    table = datasets.from_table(root / "t.csv", label=None, patient=None, size=32)
    assert len(table.dataset) == 1
    names = ["a.png", "../elsewhere.png", "pipe.png", "/dev/zero"]
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    path = coco(root, images)([(number, [1, 1, 9, 9]) for number in range(4)])
    assert len(datasets.from_boxes(path, size=32).dataset) == 1


# ---- YOLO, and boxes of other programs ---------------------------------------------------------

YAML = "train: images/train\nnames:\n  0: 'red cell'\n  1: white # rare\nnc: 2\n"


def yolo(folder, lines="1 0.5 0.25 0.5 0.25\n0 0.5 0.5 0.2 0.2"):
    """A YOLO folder of two pictures, 96 x 64 pixels, in the parts of a split."""
    for number, part in enumerate(("train", "val")):
        save(picture(number, 64, 96), folder / "images" / part / f"a{number}.png")
        (folder / "labels" / part).mkdir(parents=True)
        (folder / "labels" / part / f"a{number}.txt").write_text(lines if number == 0 else "")
    (folder / "data.yaml").write_text(YAML)
    return folder


def test_yolo_folders_are_read(tmp_path):
    folder = yolo(tmp_path)
    (folder / "train.txt").write_text("images/train/a0.png")
    result = datasets.from_boxes(folder, size=64)
    assert len(result.problems) == 0 and result.dataset.classes == ("red cell", "white")
    assert result.dataset.split.tolist() == ["train", "val"] and len(result.dataset.boxes[1]) == 0
    np.testing.assert_allclose(result.dataset.boxes[0][0], [8, 8, 24, 56, 1], atol=1e-6)
    for again in (
        datasets.from_boxes(folder / "labels", size=64),
        datasets.from_boxes(folder / "data.yaml", size=64),
        datasets.from_boxes(folder / "labels", folder / "images", size=64),
    ):
        np.testing.assert_array_equal(again.dataset.boxes[0], result.dataset.boxes[0])


def test_bad_lines_and_outlines_of_yolo_are_rows(tmp_path):
    lines = "0 30 30 9 9\n0 .5 .5\n7 .5 .5 .1 .1\n1 .25 .25 .5 .25 .5 .75\n"
    lines += "0.5 .5 .5 .1 .1\n1e999 .5 .5 .1 .1"
    (yolo(tmp_path, lines) / "labels" / "train" / "b.txt").write_text("0 .5 .5 .1 .1")
    save(picture(5), tmp_path / "images" / "val" / "c.png")
    result = datasets.from_boxes(tmp_path, size=64)
    for sentence in (
        "no shares of the picture",
        "has 3 entries instead of 5",
        "its class 7 has no name",
        "no whole number",
        "outlines (polygons)",
        "no picture has the name",
        "1 pictures have no text file",
    ):
        assert sentence in what(result)
    np.testing.assert_allclose(result.dataset.boxes[0], [[16, 8, 48, 32, 1]], atol=1e-6)


def test_classes_of_yolo_without_names_are_numbers(tmp_path):
    for number in range(2):
        save(picture(number), tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text(f"{number + 9} .5 .5 .5 .5")
    assert datasets.from_boxes(tmp_path, size=32).dataset.classes == ("9", "10")
    (tmp_path / "classes.txt").write_text("\n".join("abcdefghijk"))
    result = datasets.from_boxes(tmp_path, size=32)
    assert len(result.dataset.classes) == 11 and result.dataset.boxes[0][0, 4] == 9


@pytest.mark.parametrize(
    "text", ["names: ['a, b', \"c\"]", "names: {0: 'a, b', 1: c}", "names:\n- 'a, b'\n- c\nnc: 2"]
)
def test_names_in_data_yaml(text):
    assert _yolo_names.yaml_names(text) == {0: "a, b", 1: "c"}
    assert _yolo_names.yaml_names("nc: 2") == {}


def test_annotations_that_are_not_read_are_named(tmp_path):
    save(picture(), tmp_path / "a.png")
    cases = {
        "a.json": ('{"shapes": [], "imagePath": "a.png"}', "labelme"),
        "a.csv": ("file,x\na.png,1", "CSV"),
    }
    for name, (text, sentence) in cases.items():
        (tmp_path / name).write_text(text)
        for path in (tmp_path, tmp_path / name):
            with pytest.raises(ValueError, match=sentence):
                datasets.from_boxes(path)
        (tmp_path / name).unlink()


def test_a_file_listed_twice_with_another_label_is_no_mere_repetition(tmp_path):
    path = table(tmp_path, "file,label,patient\n0.png,a,1\n0.png,b,1\n0.png,a,1\n")
    sentences = what(datasets.from_table(path, size=64))
    assert "row 2 lists the same file with another label | row 2 lists the same file" in sentences


# ---- annotations as other programs leave them ----------------------------------------------------


def coco_file(folder, categories, annotations):
    save(picture(), folder / "0.png")
    images = [{"id": 0, "file_name": "0.png", "width": 64, "height": 64}]
    content = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "coco.json").write_text(json.dumps(content))
    return folder / "coco.json"


def test_ids_of_coco_are_the_same_as_number_and_as_text(tmp_path):
    box = {"bbox": [10, 10, 20, 20]}
    annotations = [
        box | {"image_id": "0", "category_id": "1"},
        box | {"image_id": 0.0, "category_id": 5},
    ]
    result = datasets.from_boxes(
        coco_file(tmp_path, [{"id": 1, "name": "cell"}], annotations), size=64
    )
    assert result.dataset.boxes[0].tolist() == [[10, 10, 30, 30, 0]]
    assert "(the file has no category with the id '5')" in what(result)
    twice = [{"id": 1, "name": "cell"}, {"id": "1", "name": "nucleus"}]
    with pytest.raises(ValueError, match="1 of its 2 categories have the id of another"):
        datasets.from_boxes(coco_file(tmp_path, twice, annotations))


def test_voc_with_decimal_commas(tmp_path):
    save(picture(), tmp_path / "0.png")
    corners = "<xmin>11,5</xmin><ymin>1.1e1</ymin><xmax>{}</xmax><ymax>40.0</ymax>"
    objects = "".join(
        f"<object><name>cell</name><bndbox>{corners.format(edge)}</bndbox></object>"
        for edge in ("30,25", "left")
    )
    text = f"<annotation><filename>0.png</filename>{objects}</annotation>"
    (tmp_path / "0.xml").write_text(text)
    result = datasets.from_boxes(tmp_path, size=64)
    assert result.dataset.boxes[0].tolist() == [[10, 10.5, 40, 30.25, 0]]
    assert "the edge 'left' is no number" in what(result)


def test_three_greys_of_two_classes_and_empty_masks_are_rows(tmp_path):
    save(picture(), tmp_path / "p" / "0.png")
    greys = DISK.copy()
    greys[:10] = 127
    save(greys, tmp_path / "m" / "0.png")
    result = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=64)
    assert "several greys besides 0" in what(result)
    values = {0: 0, 127: 1, 255: 2}
    classes = ("background", "rim", "disk")
    result = datasets.from_masks(
        tmp_path / "p", tmp_path / "m", classes=classes, values=values, size=64
    )
    assert not len(result.problems) and set(np.unique(result.dataset.masks)) == {0, 1, 2}
    save(np.zeros_like(DISK), tmp_path / "m" / "0.png")
    result = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=64)
    assert what(result) == "no mask outlines anything: every pixel is background"


# ---- formats that are not read -------------------------------------------------------------------


def test_formats_that_are_not_read_have_a_name(tmp_path):
    save(picture(), tmp_path / "a" / "1.webp")
    (tmp_path / "a" / "2.docx").write_bytes(b"PK\3\4...")
    (tmp_path / "a" / "3.xyz").write_bytes(b"something")
    (tmp_path / "a" / "4.svs").write_bytes(b"II*\0broken")
    sentences = datasets.from_folder(tmp_path).problems["what"].tolist()
    expected = ("it is a WebP picture", "it is an archive (ZIP)", "its format is not known")
    for sentence, beginning in zip(sentences, expected, strict=False):
        assert sentence.startswith(beginning)
    assert sentences[3] == "the picture is damaged (cannot identify image file)"
    with pytest.raises(ValueError, match="is a file, but a folder is expected"):
        datasets.from_folder(tmp_path / "a" / "2.docx")
