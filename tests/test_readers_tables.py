"""Tables and names of folders as people have them: read right, or named in a true sentence."""

import csv
import datetime
import io
import os
import time
import unicodedata
import zipfile

import openpyxl
import pytest
from own_files import png, what

from medlearn import datasets
from medlearn.datasets.readers import _workbook_xml

HEADING = ["file", "label", "patient"]
ROWS = [[f"p{number}.png", "ab"[number % 2], f"P{number // 2}"] for number in range(4)]


def read(folder, content, name="t.csv", **options):
    """Read a table beside four pictures."""
    for number in range(4):
        (folder / f"p{number}.png").write_bytes(png(number))
    if isinstance(content, list):
        content = "\n".join(",".join(row) for row in content)
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return datasets.from_table(folder / name, size=32, **options)


def workbook(rows, merged=()) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def archive(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return stream.getvalue()


# ---- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"PAR1" + bytes(20) + b"PAR1", "a Parquet table"),
        (
            archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
            "an OpenDocument file",
        ),
        (archive(table="file,label"), "an archive"),
        ("<html><table></table></html>", "a web page or XML"),
        ('[{"file": "p0.png"}]', "a JSON file"),
    ],
)
def test_a_table_of_another_format_is_named(tmp_path, content, sentence):
    with pytest.raises(ValueError, match=f"it is {sentence}.*save it as CSV") as error:
        read(tmp_path, content)
    assert "damaged" not in str(error.value)


def test_a_text_that_begins_with_PK_is_no_workbook(tmp_path):
    rows = [["PK", *HEADING]] + [[str(number), *row] for number, row in enumerate(ROWS)]
    assert len(read(tmp_path, rows).dataset) == 4


def test_separators_inside_quotation_marks_do_not_count(tmp_path):
    lines = ['"file";"label";"patient";"age, sex, smoker, drug"']
    lines += [";".join(row) + ";x" for row in ROWS]
    assert len(read(tmp_path, "\n".join(lines)).dataset) == 4


def test_a_heading_further_below_is_found_and_named(tmp_path):
    with pytest.raises(ValueError, match="seems to be row 2"):
        read(tmp_path, [["Export of today"], HEADING, *ROWS])


# ---- Excel ---------------------------------------------------------------------------------------


def test_merged_cells_share_their_value(tmp_path):
    rows = [[f"p{number}.png", "ab"[number % 2], f"P{number // 2}"] for number in range(4)]
    result = read(tmp_path, workbook([HEADING, *rows], ["C2:C3", "C4:C5"]), "t.xlsx")
    patients = result.dataset.patients
    assert patients[0] == patients[1] != patients[2] == patients[3]
    assert result.dataset.patients_known and "2 cells got the value" in what(result)


def test_huge_merged_ranges_end_soon():
    xml = b'<mergeCell ref="A1:XFD1048576"/>' * 1000
    rows = [(number, ["x"] + [""] * 199) for number in range(1, 20_000)]
    assert _workbook_xml.fill_merged(xml, rows) <= 1_000_000


@pytest.mark.parametrize(
    "text", [b"<c ", b"<c><f>", b"<mergeCell ", b'<mergeCell ref="A9:A1000"/>']
)
def test_hostile_sheets_are_searched_in_linear_time(text):
    xml = text * (500_000 // len(text))
    rows = [(number, ["x"]) for number in range(1, 2000)]
    start = time.process_time()
    _workbook_xml.formulas_without_result(xml)
    _workbook_xml.fill_merged(xml, rows)
    assert time.process_time() - start < 10


def test_formulas_without_result_are_a_row(tmp_path):
    rows = [[row[0], '=IF(1=1,"a","b")', row[2]] for row in ROWS]
    assert "4 formulas of the sheet hold no result" in what(
        read(tmp_path, workbook([HEADING, *rows]), "t.xlsx")
    )
    with_result = b'<c r="A1"><f>1+1</f><v>2</v></c><c t="str"><f>A2</f><v></v></c>'
    assert _workbook_xml.formulas_without_result(with_result) == 0


# ---- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one, other",
    [
        ("benign", "benign\u200b"),
        ("\ufeffbenign", "benign"),
        ("Läsion", unicodedata.normalize("NFD", "Läsion")),
        ("a b", "a\u00a0b"),
    ],
    ids=["no width", "byte order mark", "accents", "no break"],
)
def test_labels_and_patients_that_look_the_same_are_one(tmp_path, one, other):
    rows = [[row[0], [one, other][number % 2], row[2]] for number, row in enumerate(ROWS)]
    assert len(read(tmp_path, [HEADING, *rows]).dataset.classes) == 1
    rows = [[row[0], row[1], [one, other][number % 2]] for number, row in enumerate(ROWS)]
    assert len(set(read(tmp_path, [HEADING, *rows]).dataset.patients)) == 1
    for number, folder in enumerate((one, other)):
        (tmp_path / "folders" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folders" / folder / f"{number}.png").write_bytes(png(number))
    assert len(datasets.from_folder(tmp_path / "folders", size=32).dataset.classes) == 1


def test_errors_of_excel_are_no_labels(tmp_path):
    rows = [[row[0], "#REF!" if row[1] == "a" else "b", row[2]] for row in ROWS]
    result = read(tmp_path, [HEADING, *rows])
    assert result.dataset.classes == ("b",) and "the row has no label" in what(result)


def test_two_columns_of_one_name_are_a_row(tmp_path):
    rows = [[*row, "z"] for row in ROWS]
    result = read(tmp_path, [[*HEADING, "label"], *rows])
    assert result.dataset.classes == ("a", "b")
    assert "2 columns are named 'label', and the first was read" in what(result)


def test_another_spelling_of_one_path_is_the_same_file(tmp_path):
    result = read(tmp_path, [HEADING, *ROWS, ["./p0.png", "b", "P0"]])
    assert len(result.dataset) == 4
    assert "row 2 lists the same file with another label" in what(result)


# ---- patients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["1.23457E+11", "2e11"])
def test_rounded_ids_are_a_row(tmp_path, identifier):
    rows = [[row[0], row[1], identifier] for row in ROWS]
    assert "ids of 4 files are rounded" in what(read(tmp_path, [HEADING, *rows]))


@pytest.mark.parametrize("identifier", ["03-Jan", "2024-03-01", "Mrz-05", "1. Mai"])
def test_ids_that_became_dates_are_a_row(tmp_path, identifier):
    rows = [[row[0], row[1], identifier] for row in ROWS]
    assert "ids of 4 files are dates" in what(read(tmp_path, [HEADING, *rows]))


def test_a_date_is_the_same_in_excel_and_in_csv(tmp_path):
    day = datetime.datetime(2024, 3, 1)
    rows = [[row[0], row[1], day] for row in ROWS]
    sheet = read(tmp_path, workbook([HEADING, *rows]), "t.xlsx")
    text = read(tmp_path, [HEADING, *([row[0], row[1], "2024-03-01"] for row in ROWS)])
    assert list(sheet.dataset.patients) == list(text.dataset.patients)


def test_zero_is_a_patient_where_one_is(tmp_path):
    for ids, count in (("0011", 2), ("0022", 3)):
        rows = [[row[0], row[1], ids[number]] for number, row in enumerate(ROWS)]
        result = read(tmp_path, [HEADING, *rows])
        assert len(set(result.dataset.patients)) == count
        assert ("placeholder" in what(result)) == (count == 3)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_of_patients_are_hidden_in_every_spelling(tmp_path, forms):
    in_table, in_file = (unicodedata.normalize(form, "Müller") for form in forms)
    (tmp_path / f"{in_file}_1.png").write_bytes(png())
    (tmp_path / "t.csv").write_text(f"file,label,patient\n{in_file}_1.png,a,{in_table}\n", "utf-8")
    result = datasets.from_table(tmp_path / "t.csv", size=32)
    assert len(result.dataset) == 1 and "ller" not in result.dataset.facts["file"][0]


# ---- folders -------------------------------------------------------------------------------------


def folder_of(root, *names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    return datasets.from_folder(root, size=32)


def test_folders_named_like_empty_cells_are_classes(tmp_path):
    result = folder_of(tmp_path, "na/a.png", "ca/b.png", "null/c.png", " /d.png")
    assert result.dataset.classes == (" ", "ca", "na", "null")


def test_previews_and_waste_baskets_are_left_out(tmp_path):
    names = ["a/@eaDir/1.png/THUMB_M.jpg", "$RECYCLE.BIN/S-1/2.png", "a/#recycle/3.png"]
    names += ["a/thumbs.db", "a/Desktop.ini", "System Volume Information/4.png"]
    result = folder_of(tmp_path, "a/1.png", *names)
    assert list(result.dataset.facts["file"]) == ["a/1.png"] and not len(result.problems)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are Unicode")
def test_names_that_are_no_unicode_can_be_written(tmp_path):
    folder_of(tmp_path, "a/1.png", "b/2.png")
    try:
        os.rename(tmp_path / "a", os.fsencode(tmp_path / "a") + b"\xe9")
    except OSError:
        pytest.skip("this file system takes no such name")
    result = datasets.from_folder(tmp_path, size=32)
    assert result.dataset.classes == ("a\\xe9", "b")
    assert result.paths["a\\xe9/1.png"].is_file()
    "".join(result.dataset.facts["file"]).encode()


def test_long_paths_are_named_in_full(tmp_path):
    name = "/".join(["x" * 90] * 5) + "/a.png"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"")
    result = datasets.from_folder(tmp_path, layout="", size=32)
    assert result.problems["file"][0] == name


FORMULAS = ["=1+1|x", "@SUM(1)", "-2+3;=1", "a;=HYPERLINK(1)", "x|=1", "x| ＝1", "﹦1"]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_of_a_saved_table_of_problems_is_a_formula(tmp_path, name):
    """Whether the spreadsheet ends a cell at a comma, a semicolon or a bar."""
    (tmp_path / "table.csv").write_text(f'file,label\n"{name}",x\n"{name}.png",=2\n', "utf-8")
    (tmp_path / f"{name}.png").write_bytes(b"no picture")
    problems = datasets.from_table(tmp_path / "table.csv", patient=None, site=None).problems
    text = problems.to_csv(index=False)
    assert name[-2:] in text
    for separator in ",;|":
        cells = [cell for row in csv.reader(text.splitlines(), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith(tuple("=+-@＝﹦"))]
