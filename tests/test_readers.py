"""Readers of a user's own files: values as the standards say, every bad file named, no stack trace and no bomb."""

import io
import json
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import openpyxl
import pydicom
import pytest
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_windowing
from pydicom.uid import JPEG2000Lossless

from common import mutations
from medlearn import datasets
from medlearn.datasets.readers import _dicom, _formats, _nifti, _paths, _pictures, _sheets, _words
from medlearn.datasets.readers._problems import Problems, Unreadable
from medlearn.teaching import practice


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MEDLEARN_CACHE", str(folder))
    return folder


def put(folder: Path, **files: bytes) -> Path:
    """Files by name, with `__` for the slash and the last `_` for the dot."""
    for name, data in files.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def png(seed=0, **options):
    return mutations.encoded(Image.fromarray(mutations.picture(seed)), "PNG", **options)


def what(found) -> str:
    return " | ".join(found.problems["what"])


# ---- DICOM -------------------------------------------------------------------------------------------------

DEEP = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)


def grey(data, **arguments):
    return _dicom.frames(data, **arguments)[0].pixels[..., 0].astype(int)


@pytest.mark.parametrize("slope, intercept", [(1, 0), (2, -100), (0.5, 7)])
def test_dicom_is_rescaled_and_windowed_as_pydicom_does(slope, intercept):
    data = mutations.dicom(
        DEEP, RescaleSlope=slope, RescaleIntercept=intercept, WindowCenter=500, WindowWidth=700
    )
    dataset = pydicom.dcmread(io.BytesIO(data))
    oracle = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    low, high = (
        intercept,
        intercept + 65535 * slope,
    )  # pydicom spreads the window over what could be stored
    assert np.abs(grey(data) - (oracle - low) / (high - low) * 255).max() <= 0.51


def test_a_window_is_linear_between_its_ends():
    data = mutations.dicom(DEEP)
    out = grey(data, window=(600, 201))
    assert out.ravel()[:500].max() == 0 and out.ravel()[700:].min() == 255
    assert out.ravel()[600] in (127, 128) and (np.diff(out.ravel()) >= 0).all()


def test_monochrome1_is_inverted():
    window = {"WindowCenter": 600, "WindowWidth": 900}
    plain, turned = (
        mutations.dicom(DEEP, **window),
        mutations.dicom(DEEP, PhotometricInterpretation="MONOCHROME1", **window),
    )
    np.testing.assert_array_equal(grey(plain) + grey(turned), 255)


def test_frames_of_one_file_are_one_patient_and_spread():
    data = mutations.dicom(np.stack([DEEP + place for place in range(10)]), PixelSpacing=[0.5, 0.7])
    found = _dicom.frames(data, count=4)
    assert [frame.index_in_series for frame in found] == [1, 3, 6, 8] and len(
        {frame.patient for frame in found}
    ) == 1
    assert found[0].spacing == (0.5, 0.7) and len(_dicom.frames(data, count=99)) == 10


def test_patients_of_a_header_get_pseudonyms(tmp_path):
    folder = put(
        tmp_path, x__a_dcm=mutations.dicom(DEEP), x__b_dcm=mutations.dicom(DEEP, PatientID="Roe")
    )
    patients = datasets.from_folder(folder).dataset.patients
    assert all(re.fullmatch("p-[0-9a-f]{12}", patient) for patient in patients)
    assert len(set(patients)) == 2


@pytest.mark.parametrize(
    "elements, warned",
    [
        ({}, 0),
        ({"BurnedInAnnotation": "YES"}, 1),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, 1),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, 1),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.2"}, 0),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "BurnedInAnnotation": "NO"}, 0),
    ],
)
def test_burned_in_text_is_a_warning_and_the_picture_stays(tmp_path, elements, warned):
    found = datasets.from_folder(put(tmp_path, x__a_dcm=mutations.dicom(DEEP, **elements)))
    assert (
        len(found.dataset) == 1
        and len(found.problems) == warned
        and ("burned" in what(found)) == bool(warned)
    )


def test_a_missing_plugin_is_named(monkeypatch):
    class Absent:
        is_available = False

    monkeypatch.setattr(_dicom.pixels, "get_decoder", lambda syntax: Absent)
    with pytest.raises(Unreadable, match="JPEG 2000.*pip install pylibjpeg"):
        _dicom._check_decoder(JPEG2000Lossless)


def test_compressed_pictures_are_decoded():
    dataset = pydicom.dcmread(io.BytesIO(mutations.dicom(DEEP, WindowCenter=500, WindowWidth=700)))
    dataset.compress(pydicom.uid.RLELossless, encoding_plugin="pydicom")
    file = io.BytesIO()
    dataset.save_as(file)
    np.testing.assert_array_equal(
        grey(file.getvalue()), grey(mutations.dicom(DEEP, WindowCenter=500, WindowWidth=700))
    )


@pytest.mark.parametrize(
    "elements, message",
    [
        ({"Rows": 65535, "Columns": 65535}, "declares a frame of"),
        ({"NumberOfFrames": 400}, "of the 960,000 bytes"),
        ({"Rows": 0}, "declares a frame of 0"),
    ],
)
def test_dicom_sizes_are_checked_before_decoding(elements, message):
    with pytest.raises(Unreadable, match=message):
        _dicom.frames(mutations.dicom(DEEP, **elements))


def test_deflated_dicom_is_refused():
    with pytest.raises(Unreadable, match="deflated"):
        _dicom.frames(mutations.dicom(DEEP)[:200] + b"1.2.840.10008.1.2.1.99" + bytes(100))


# ---- NIfTI -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["RAS", "LPS", "PIR", "SAL", "ILA"])
def test_nifti_is_turned_to_the_patient(axes):
    """The same volume stored along any axes gives the same slices and spacings."""
    values = np.random.default_rng(0).normal(size=(9, 11, 8)).astype(np.float32)
    straight = nibabel.Nifti1Image(values, np.diag([2, 3, 4, 1]))
    turned = straight.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.io_orientation(straight.affine), nibabel.orientations.axcodes2ornt(axes)
        )
    )
    one, other = (
        _nifti.frames(straight.to_bytes(), count=8),
        _nifti.frames(turned.to_bytes(), count=8),
    )
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left.pixels, right.pixels)
    assert one[0].spacing == other[0].spacing == (3.0, 2.0) and one[0].pixels.shape == (11, 9, 3)


def test_the_front_is_up_and_the_right_side_left():
    values = np.zeros((5, 5, 1), np.uint8)
    values[4, 4] = 200  # rightmost and foremost in RAS
    picture = _nifti.frames(nibabel.Nifti1Image(values, np.eye(4)).to_bytes(), window=(100, 200))[
        0
    ].pixels[..., 0]
    assert picture[0, 0] == 255 and picture.sum() == 255


def test_a_gzip_bomb_is_not_inflated():
    header = bytearray(mutations.sound("nifti")[:352])
    struct.pack_into("<8h", header, 40, 3, 6, 7, 8, 1, 1, 1, 1)
    packer = zlib.compressobj(wbits=31)
    bomb = (
        packer.compress(bytes(header))
        + b"".join(packer.compress(bytes(1 << 20)) for _ in range(300))
        + packer.flush()
    )
    assert len(_nifti.frames(bomb)) == 8  # only the bytes that the header needs
    struct.pack_into("<8h", header, 40, 3, 30000, 3000, 30000, 1, 1, 1, 1)
    with pytest.raises(Unreadable, match="declares"):
        _nifti.frames(bytes(header))


# ---- pictures ----------------------------------------------------------------------------------------------


def decoded(image, kind="PNG", **options):
    return _pictures.frames(mutations.encoded(image, kind, **options))[0].pixels


def test_modes_become_rgb():
    image = Image.fromarray(mutations.picture())
    for mode in ("P", "L", "LA", "1", "RGBA"):
        assert decoded(image.convert(mode)).shape == (48, 48, 3)
    np.testing.assert_array_equal(decoded(image.convert("RGBA")), np.asarray(image))
    assert (
        np.abs(
            decoded(image.convert("CMYK"), "JPEG", quality=98).astype(int) - np.asarray(image)
        ).mean()
        < 8
    )
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert (decoded(clear) == 255).all()  # what lies behind glass is white, not black


def test_exif_turns_the_picture():
    image = Image.fromarray(mutations.picture()[:, :30])
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decoded(image, "PNG", exif=exif.tobytes())
    np.testing.assert_array_equal(turned, np.rot90(np.asarray(image), -1))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_order(kind):
    deep = (np.arange(4096, dtype=np.uint16) * 1).reshape(
        64, 64
    )  # 12 bits in 16: the high byte alone has 16 steps
    out = decoded(Image.fromarray(deep), kind)[..., 0]
    assert len(np.unique(out)) == 256 and (np.diff(out.ravel().astype(int)) >= 0).all()


def test_a_picture_of_too_many_pixels_is_not_decoded():
    data = bytearray(png())
    struct.pack_into(">II", data, 16, 60000, 60000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(Unreadable, match="declares far too many pixels"):
        _pictures.frames(bytes(data))
    struct.pack_into(">II", data, 16, 11000, 11000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(Unreadable, match="declares a picture of 121,000,000"):
        _pictures.frames(bytes(data))


# ---- folders -----------------------------------------------------------------------------------------------


def test_a_folder_says_site_class_and_patient(tmp_path):
    put(
        tmp_path,
        north__ill__Ann__a_png=png(1),
        north__well__Bob__b_png=png(2),
        south__ill__Ann__c_png=png(3),
    )
    found = datasets.from_folder(tmp_path, size=32, layout="site/class/patient")
    data = found.dataset
    assert (
        len(found.problems) == 0
        and data.classes == ("ill", "well")
        and data.labels.tolist() == [0, 1, 0]
    )
    assert data.domains.tolist() == ["north", "north", "south"] and data.patients_known
    assert data.patients[0] == data.patients[2] != data.patients[1] and "Ann" not in "".join(
        data.patients
    )
    assert data.images.shape == (3, 32, 32, 3) and np.isnan(data.spacing).all()
    flat = datasets.from_folder(tmp_path, layout="").dataset
    assert flat.labels is None and not flat.patients_known and len(set(flat.patients)) == 3


def test_good_files_load_and_bad_ones_are_listed(tmp_path):
    put(
        tmp_path,
        x__good_png=png(1),
        x__empty_png=b"",
        x__text_png=b"hello",
        x__cut_png=png(2)[:900],
        loose_png=png(3),
        x__renamed_jpg=mutations.sound("dicom"),
        **{"x__ünï çödé_png": png(4)},
    )
    (tmp_path / "x" / "link.png").symlink_to(tmp_path / "nowhere")
    found = datasets.from_folder(tmp_path)
    assert sorted(found.dataset.facts["file"]) == ["x/good.png", "x/renamed.jpg", "x/ünï çödé.png"]
    assert set(found.problems["file"]) == {
        "x/empty.png",
        "x/text.png",
        "x/cut.png",
        "loose.png",
        "x/link.png",
    }
    assert (
        list(found.problems.columns) == ["file", "row", "what", "how to fix"]
        and (found.problems["how to fix"] != "").all()
    )


def test_duplicates_and_near_duplicates_are_told_and_kept(tmp_path):
    near = Image.fromarray(np.clip(mutations.picture(1).astype(int) + 2, 0, 255).astype(np.uint8))
    put(
        tmp_path,
        x__a_png=png(1),
        x__b_png=png(1, compress_level=0),
        x__c_png=mutations.encoded(near, "JPEG", quality=90),
        x__d_png=png(9),
    )
    found = datasets.from_folder(tmp_path)
    assert len(found.dataset) == 4 and what(found) == (
        "the picture is the same as that of x/a.png | the picture is nearly the same as that of x/a.png"
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"size": 5}, "size must be"),
        ({"size": None}, "size must be"),
        ({"size": True}, "size must be"),
        ({"layout": "ward"}, "layout must be"),
        ({"layout": "class/class"}, "layout must be"),
        ({"window": (1, 0)}, "window must be"),
        ({"slices": 0}, "slices must be"),
    ],
)
def test_senseless_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_folder(tmp_path, **arguments)


def test_a_dicom_series_comes_in_its_order_whatever_its_files_are_called(tmp_path):
    names = {"zeta": 1, "alpha": 2, "mid": 10}
    put(
        tmp_path,
        **{
            f"x__{name}_dcm": mutations.dicom(
                DEEP * number, InstanceNumber=number, SeriesInstanceUID="1.2.3"
            )
            for name, number in names.items()
        },
    )
    data = datasets.from_folder(tmp_path).dataset
    assert data.facts["file"].tolist() == ["x/zeta.dcm", "x/alpha.dcm", "x/mid.dcm"] and data.facts[
        "index_in_series"
    ].tolist() == [1, 2, 10]
    assert len(set(data.facts["series"])) == len(set(data.patients)) == 1


@pytest.mark.parametrize("read", ["folder", "table", "boxes", "masks"])
def test_paths_may_hold_spaces_and_any_letters(tmp_path, read):
    place = put(tmp_path / "Ärzte öffnen 影像" / "un dossier à part", **{"kl é__ü 1_png": png(1)})
    if read == "folder":
        found = datasets.from_folder(place)
    elif read == "table":
        (place / "tabelle ß.csv").write_text("file,label\nkl é/ü 1.png,ß\n", encoding="utf-8")
        found = datasets.from_table(place / "tabelle ß.csv")
    elif read == "boxes":
        (place / "ü.xml").write_bytes(
            mutations.sound("voc").replace(b"a.png", "kl é/ü 1.png".encode())
        )
        found = datasets.from_boxes(place, size=48)
    else:
        put(
            place,
            **{
                "mäsken__ü 1_png": mutations.encoded(
                    Image.fromarray(np.eye(48, dtype=np.uint8) * 255), "PNG"
                )
            },
        )
        found = datasets.from_masks(place / "kl é", place / "mäsken", size=48)
    assert len(found.dataset) == 1 and found.dataset.facts["file"][0].endswith("ü 1.png")


def test_a_missing_folder_names_its_neighbour(tmp_path):
    (tmp_path / "scans").mkdir()
    with pytest.raises(ValueError, match="no folder.*do you mean 'scans'"):
        datasets.from_folder(tmp_path / "scan")
    assert "no file to read" in what(datasets.from_folder(tmp_path))


def test_window_and_slices_reach_the_reader(tmp_path):
    put(tmp_path, x__v_nii=mutations.sound("nifti"))
    assert len(datasets.from_folder(tmp_path, slices=3).dataset) == 3
    one, other = (
        datasets.from_folder(tmp_path, window=(centre, 50)).dataset.images for centre in (50, 300)
    )
    assert one.mean() > other.mean()


# ---- tables ------------------------------------------------------------------------------------------------

ROWS = [
    ["file", "label", "patient", "site"],
    ["a.png", "x", "7", "north"],
    ["gone.png", "y", "8", "north"],
    ["b.png", "", "8", "north"],
    ["a.png", "x", "7", "north"],
    ["c.png", "y", "9", "south"],
    ["", "y", "9", "south"],
]


@pytest.mark.parametrize("kind", [",", ";", "\t", "xlsx", "latin"])
def test_tables(tmp_path, kind):
    put(tmp_path, a_png=png(1), b_png=png(2), c_png=png(3))
    path = tmp_path / ("t.xlsx" if kind == "xlsx" else "t.csv")
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in ROWS:
            book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
        book.save(path)
    else:
        text = "\n".join((kind if len(kind) == 1 else ",").join(row) for row in ROWS)
        path.write_bytes(
            text.replace("south", "süd").encode("latin-1")
            if kind == "latin"
            else text.encode("utf-8-sig")
        )
    found = datasets.from_table(path, size=32)
    assert (
        found.dataset.domains.tolist() == ["north", "süd" if kind == "latin" else "south"]
        and found.dataset.patients_known
    )
    assert found.dataset.labels.tolist() == [0, 1] and found.problems["row"].tolist() == [
        "3",
        "4",
        "5",
        "7",
    ]
    assert (
        "no such file" in what(found) and "no label" in what(found) and "same file" in what(found)
    )


def test_columns_and_root_can_be_named(tmp_path):
    put(tmp_path, pictures__a_png=png(1), t_csv=b"path,kind,who,where\na.png,x,1,n\n")
    found = datasets.from_table(
        tmp_path / "t.csv",
        root=tmp_path / "pictures",
        file="path",
        label="kind",
        patient="who",
        site="where",
    )
    assert found.dataset.classes == ("x",) and found.dataset.domains.tolist() == ["n"]
    with pytest.raises(ValueError, match="has no column 'fil'.*path, kind"):
        datasets.from_table(tmp_path / "t.csv", file="fil")


def test_a_workbook_bomb_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(_sheets.MAX_BYTES + 1))
    with pytest.raises(ValueError, match="would unpack to more than"):
        datasets.from_table(tmp_path / "t.xlsx")


# ---- what clinicians' tables and folders look like ---------------------------------------------------------

MINE = "file,label,patient,site\na.png,x,7,n\nb.png,y,8,n\n"


@pytest.fixture
def two(tmp_path):
    """A folder with two pictures, and a function that reads a table of them, given as text or bytes."""
    put(tmp_path, a_png=png(1), b_png=png(2), sub__c_png=png(3))

    def read(table, **more):
        (tmp_path / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
        return datasets.from_table(tmp_path / "t.csv", size=32, **more)

    return read


def same_as_mine(found) -> bool:
    data = found.dataset
    return (
        len(found.problems) == 0
        and data.labels.tolist() == [0, 1]
        and data.classes == ("x", "y")
        and data.patients_known
        and data.domains.tolist() == ["n", "n"]
    )


@pytest.mark.parametrize(
    "table",
    [
        MINE,
        MINE.replace(",", ";"),
        MINE.replace(",", "\t"),
        MINE.replace(",", "|"),
        "sep=;\n" + MINE.replace(",", ";"),
        MINE.replace("\n", "\r\n"),
        "\ufeff" + MINE,
        MINE.encode("utf-16"),
        "\n" + MINE,
        MINE.replace(",x", ", x ").replace("a.png", " a.png "),
        MINE.replace("file", "File").replace("site", "SITE"),
        "age;" + MINE.replace(",", ";").replace("\na", "\n61,5;a").replace("\nb", "\n48,25;b"),
        '"file","label","patient","site"\n"a.png","x","7","n"\n"b.png","y","8","n"\n',
    ],
    ids=[
        "plain",
        "semicolons",
        "tabs",
        "bars",
        "sep line",
        "windows lines",
        "bom",
        "utf-16",
        "empty line first",
        "spaces",
        "capitals",
        "decimal commas",
        "quotes",
    ],
)
def test_a_table_reads_the_same_however_it_was_saved(two, table):
    assert same_as_mine(two(table))


def test_backslashes_are_folders(two):
    found = two("file,label\nsub\\c.png,x\n.\\a.png,y\n", patient=None)
    assert len(found.dataset) == 2 and len(found.problems) == 0


@pytest.mark.parametrize(
    "column, close",
    [
        ("label", "perhaps pass label='Labels'"),
        ("patient", "perhaps pass patient='patient_id'"),
        ("site", ""),
    ],
)
def test_a_missing_column_is_told_with_what_follows(two, column, close):
    headings = {"label": "Labels", "patient": "patient_id", "site": "ward"}
    found = two(MINE.replace(column, headings[column], 1))
    rows = found.problems[found.problems["what"].str.contains(f"no column '{column}'")]
    assert len(rows) == (column != "site") and all(close in fix for fix in rows["how to fix"])
    assert (found.dataset.labels is None) == (
        column == "label"
    ) and found.dataset.patients_known == (column != "patient")
    assert same_as_mine(
        two(MINE.replace(column, headings[column], 1), **{column: headings[column]})
    )
    assert not len(two(MINE.replace(column, headings[column], 1), **{column: None}).problems)


def test_a_named_site_that_is_missing_is_told(two):
    assert "no column 'ward': all images count as one site" in what(two(MINE, site="ward"))


@pytest.mark.parametrize("empty", ["", "NA", "n/a", " nan ", "?"])
def test_what_means_nothing_is_nothing(two, empty):
    found = two(f"file,label,patient\na.png,x,7\nb.png,{empty},8\n")
    assert what(found) == "the row has no label" and found.dataset.classes == ("x",)
    found = two(f"file,label,patient\na.png,x,7\nb.png,y,{empty}\n")
    assert (
        what(found).startswith("the row names no patient")
        and found.problems["row"].tolist() == ["3"]
        and not found.dataset.patients_known
    )
    assert "names nobody" in what(two(f"file,label,patient\na.png,x,{empty}\nb.png,y,{empty}\n"))


@pytest.mark.parametrize(
    "labels, told",
    [
        (["melanoma"] * 3 + ["Melanoma"], "'Melanoma' (once) looks like 'melanoma' (3 times)"),
        (["basal cell"] * 2 + ["basal_cell"], "'basal_cell' (once)"),
        (["naevus"] * 40 + ["naevsu"], "'naevsu' (once) looks like 'naevus' (40 times)"),
        (["naevus"] * 4 + ["naevsu"], ""),
        (["grade 2"] * 40 + ["grade 3"], ""),
        (["A"] * 40 + ["B"], ""),
        (["HER2+"] * 40 + ["HER2-"], ""),
        (["benign"] * 40 + ["malign"], ""),
    ],
)
def test_labels_that_are_one_class_misspelt_are_told(labels, told):
    problems = Problems()
    _words.report_similar_labels(labels, "t.csv", problems)
    rows = problems.table()
    assert len(rows) == bool(told) and told in " ".join(rows["what"])


def test_labels_can_be_renamed_in_tables_and_folders(two, tmp_path):
    found = two("file,label\na.png,x\nb.png,X\n", patient=None, rename={"X": "x"})
    assert found.dataset.classes == ("x",) and len(found.problems) == 0
    put(tmp_path, f__A__a_png=png(1), f__b__b_png=png(2))
    assert datasets.from_folder(tmp_path / "f", rename={"A": "b"}).dataset.classes == ("b",)
    for rename in ({"x": ""}, {"x": 3}):
        with pytest.raises(ValueError, match="rename maps labels to labels"):
            two(MINE, rename=rename)


def test_a_missing_table_names_those_that_are_there(two, tmp_path):
    two(MINE)
    with pytest.raises(ValueError, match="There is no table 'home.csv' in .*; there are t.csv"):
        datasets.from_table(tmp_path / "home.csv")
    with pytest.raises(ValueError, match="no other table either"):
        datasets.from_table(tmp_path / "sub" / "home.csv")
    with pytest.raises(ValueError, match="There is no table 'sub'"):
        datasets.from_table(tmp_path / "sub")
    with pytest.raises(ValueError, match="There is no folder"):
        datasets.from_table(tmp_path / "nowhere" / "home.csv")


def test_a_path_of_another_machine_is_told(two):
    found = two("file,label\nD:\\study\\a.png,x\n", patient=None)
    assert (
        "no such file" in what(found) and "paths start from root" in found.problems["how to fix"][0]
    )


def test_an_old_or_locked_workbook_is_told(two):
    with pytest.raises(ValueError, match="old kind ..xls. or has a password; save it as .xlsx"):
        two(b"\xd0\xcf\x11\xe0" + bytes(600))


def test_numbers_of_a_workbook_are_those_of_a_csv_file(two, tmp_path):
    book = openpyxl.Workbook()
    for row in (
        [None] * 4,
        [None, "file", "label", "patient"],
        [0, "a.png", "x", 7.0],
        [1, "b.png", "y", 7.5],
    ):  # as pandas writes an index
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = datasets.from_table(tmp_path / "t.xlsx", size=32).dataset
    known = two("file,label,patient\na.png,x,7\nb.png,y,7.5\n").dataset
    assert found.labels.tolist() == [0, 1] and found.patients.tolist() == known.patients.tolist()


def test_hidden_files_and_folders_are_no_pictures(tmp_path):
    put(
        tmp_path,
        x__a_png=png(1),
        **{"__MACOSX__x__._a_png": b"junk", "x__.git__b_png": b"junk", "x__._a_png": b"junk"},
    )
    found = datasets.from_folder(tmp_path)
    assert found.dataset.facts["file"].tolist() == ["x/a.png"] and len(found.problems) == 0


# ---- boxes and masks ---------------------------------------------------------------------------------------


def test_boxes_of_coco_and_voc_agree(tmp_path):
    put(tmp_path, a_png=png(1), t_xml=mutations.sound("voc"))
    voc = datasets.from_boxes(tmp_path, size=48).dataset
    np.testing.assert_allclose(voc.boxes[0][0], [2, 1, 30, 20, 0])
    whole = json.loads(mutations.sound("coco"))
    whole["annotations"] = [
        {"image_id": 1, "category_id": 2, "bbox": [1, 2, 19, 28]},
        {"image_id": 1, "category_id": 2, "bbox": [1, 2, 0, 3]},
        {"image_id": 5, "category_id": 2, "bbox": [1, 2, 3, 3]},
        {"image_id": 1, "category_id": 2, "bbox": [1, 2, 999, 3]},
    ]
    (tmp_path / "t.json").write_text(json.dumps(whole))
    coco = datasets.from_boxes(tmp_path / "t.json", pictures=tmp_path, size=48)
    np.testing.assert_allclose(coco.dataset.boxes[0], voc.boxes[0][:1])
    assert coco.dataset.classes == ("cell",) and len(coco.problems) == 3


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/hostname">',
    ],
)
def test_entity_bombs_are_refused(tmp_path, head):
    put(tmp_path, a_png=png(1), t_xml=(head + mutations.sound("voc").decode()).encode())
    found = datasets.from_boxes(tmp_path)
    assert len(found.dataset) == 0 and "entities" in what(found)


def test_masks(tmp_path):
    outline = np.zeros((48, 48), np.uint8)
    outline[10:20, 5:30] = 255
    mask, small = (
        mutations.encoded(Image.fromarray(each), "PNG") for each in (outline, outline[:30])
    )
    put(tmp_path, p__a_jpg=png(1), p__b_png=png(2), p__c_png=png(3), m__a_png=mask, m__b_png=small)
    found = datasets.from_masks(tmp_path / "p", tmp_path / "m", size=48)
    np.testing.assert_array_equal(found.dataset.masks, outline[None] > 0)
    assert found.dataset.mask_classes == ("background", "object") and len(found.problems) == 2
    three = {"classes": ("none", "edge", "cell"), "size": 48}
    assert "greys [255]" in what(datasets.from_masks(tmp_path / "p", tmp_path / "m", **three))
    mapped = datasets.from_masks(
        tmp_path / "p", tmp_path / "m", values={0: 0, 255: 2}, **three
    ).dataset
    assert np.unique(mapped.masks).tolist() == [0, 2]


# ---- broken files by the hundred ---------------------------------------------------------------------------

CHILD = """
import json, resource, signal, sys
from common import mutations
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for kind in mutations.KINDS:
    trials = []
    for seed in range(int(sys.argv[1])):
        signal.alarm(10)                       # a hang ends the child
        trials.append(mutations.trial(kind, seed)["outcome"])
    print(json.dumps([kind, {outcome: trials.count(outcome) for outcome in set(trials)}]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))       # ru_maxrss would count the parent's
assert int(peak.split()[1]) < 600_000, f"more than 600 MB: {peak}"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="bounds of memory are Linux's")
def test_mutated_files_become_rows_of_problems():
    """300 files of each format: nothing but rows of problems and one-sentence refusals, within 10 s and 600 MB."""
    command = [sys.executable, "-c", CHILD, "300"]
    benchmarks = Path(mutations.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=benchmarks)
    assert done.returncode == 0, done.stderr[-3000:]
    counted = dict(json.loads(line) for line in done.stdout.splitlines())
    assert set(counted) == set(mutations.KINDS)
    for kind, outcomes in counted.items():
        assert sum(outcomes.values()) == 300 and outcomes.get("read", 0) < 300, kind
    assert (
        counted["tiff"]["read"] > 50 and counted["dicom"]["problem"] > 50
    )  # the mutations bite, and do not always


def test_mutations_are_seeded():
    assert mutations.mutated(mutations.sound("png"), 3) == mutations.mutated(
        mutations.sound("png"), 3
    )
    assert len({mutations.mutated(mutations.sound("png"), seed) for seed in range(20)}) > 15


def test_reading_raises_nothing_but_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="cannot be opened"):
        _formats.read(tmp_path)
    with pytest.raises(Unreadable, match="name is impossible"):
        _formats.read(tmp_path / "zero\0byte")


def test_a_file_may_have_so_many_bytes_and_no_more(tmp_path):
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert _paths.contents(tmp_path / "ten", 10) == b"0123456789"
    with pytest.raises(Unreadable, match="more than 9 bytes"):
        _paths.contents(tmp_path / "ten", 9)


@pytest.mark.parametrize("what", ["masks", "boxes"])
def test_each_picture_is_decoded_once(what, tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(
        _formats,
        "read",
        lambda path, *rest, read=_formats.read, **more: (
            counted.append(path.name) or read(path, *rest, **more)
        ),
    )
    for folder in ("p", "m"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            Image.new("L", (40, 40), 0).save(tmp_path / folder / f"{name}.png")
    boxed = {
        "images": [{"id": k, "file_name": f"{name}.png"} for k, name in enumerate("ab")],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"image_id": 0, "category_id": 1, "bbox": [1, 2, 9, 9]}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxed))
    found = (
        datasets.from_masks(tmp_path / "p", tmp_path / "m", size=32)
        if what == "masks"
        else datasets.from_boxes(tmp_path / "boxes.json", tmp_path / "p", size=32)
    )
    assert counted == ["a.png", "b.png"] and len(found.dataset) == 2


# ---- the practice folder -----------------------------------------------------------------------------------


def test_the_practice_folder_has_the_faults_that_it_promises(tmp_path):
    home, away = (
        datasets.load("smear", domain=domain, count=40, size=64, seed=0)
        for domain in ("lab-a", "lab-b")
    )
    assert practice.write(home, away, tmp_path) == tmp_path
    found = datasets.from_table(tmp_path / practice.HOME, size=64)
    told = found.problems[~found.problems["what"].str.contains("nearly")]
    assert (
        len(found.dataset) == 40 - 3 - 2 + 1
        and len(told) == 3 + 3 + 1 + 1 + 1
        and found.dataset.patients_known
    )
    files = found.dataset.facts["file"].tolist()
    assert (
        "'NEUTROPHIL' (once) looks like 'neutrophil'" in what(found)
        and "NEUTROPHIL" in found.dataset.classes
    )
    assert datasets.from_table(
        tmp_path / practice.HOME, size=64, rename={"NEUTROPHIL": "neutrophil"}
    ).dataset.classes == tuple(sorted(home.classes))
    for place in (0, 1, 6):  # turned, in CMYK, and DICOM: read as they were meant
        row = next(
            row
            for row, file in enumerate(files)
            if f"{place:04d}.{'dcm' if place == 6 else 'jpg'}" in file
        )
        assert np.abs(found.dataset.images[row].astype(int) - home.images[place]).mean() < 8
    target, later = (
        datasets.from_table(tmp_path / name, size=64).dataset
        for name in (practice.AWAY, practice.LATER)
    )
    assert target.labels is None and [later.classes[label] for label in later.labels] == [
        away.classes[label] for label in away.labels
    ]
    np.testing.assert_array_equal(
        np.sort(target.images.sum((1, 2, 3))), np.sort(away.images.sum((1, 2, 3)))
    )
    assert (
        len(datasets.from_folder(tmp_path / "home", size=64, layout="class/patient").dataset)
        == 40 - 3 + 1
    )


def test_a_practice_folder_without_patients_has_no_column_of_them(tmp_path):
    data = replace(datasets.load("smear", domain="lab-a", count=20, size=64), patients_known=False)
    practice.write(data, data, tmp_path)
    found = datasets.from_table(tmp_path / practice.HOME, size=64)
    assert not found.dataset.patients_known and "no column 'patient'" in what(found)
    assert (tmp_path / practice.HOME).read_text().splitlines()[0] == "file,label,site"


def test_a_practice_folder_needs_labels(tmp_path):
    data = datasets.load("smear", count=5, size=64)
    with pytest.raises(ValueError, match="at least twenty images"):
        practice.write(data, data, tmp_path)
