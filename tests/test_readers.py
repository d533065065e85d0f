"""Readers of a user's own files: folders, tables, boxes and masks; every bad file is named."""

import json
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from own_files import encoded, png, put, what

from common import mutations
from medlearn import datasets
from medlearn.datasets.readers import _formats, _sheets, _words
from medlearn.datasets.readers._problems import Problems
from medlearn.teaching import practice

DEEP = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))


# ---- folders -------------------------------------------------------------------------------------


def test_a_folder_says_site_class_and_patient(tmp_path):
    files = {"north__ill__Ann__a_png": png(1), "north__well__Bob__b_png": png(2)}
    put(tmp_path, south__ill__Ann__c_png=png(3), **files)
    result = datasets.from_folder(tmp_path, size=32, layout="site/class/patient")
    data = result.dataset
    assert "1 patient ids stand at several sites" in what(result)
    assert data.classes == ("ill", "well") and data.labels.tolist() == [0, 1, 0]
    assert data.domains.tolist() == ["north", "north", "south"] and data.patients_known
    assert data.patients[0] == data.patients[2] != data.patients[1]
    assert "Ann" not in "".join(data.patients)
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
    result = datasets.from_folder(tmp_path)
    read = sorted(result.dataset.facts["file"])
    assert read == ["x/good.png", "x/renamed.jpg", "x/ünï çödé.png"]
    bad = {"x/empty.png", "x/text.png", "x/cut.png", "loose.png", "x/link.png"}
    assert set(result.problems["file"]) == bad
    assert list(result.problems.columns) == ["file", "row", "what", "how to fix"]
    assert (result.problems["how to fix"] != "").all()
    assert repr(result).startswith("ReadResult(Dataset(") and "5 problems" in repr(result)


def test_hidden_files_and_folders_are_no_pictures(tmp_path):
    hidden = {"__MACOSX__x__._a_png": b"junk", "x__.git__b_png": b"junk", "x__._a_png": b"junk"}
    result = datasets.from_folder(put(tmp_path, x__a_png=png(1), x__Thumbs_db=b"junk", **hidden))
    assert result.dataset.facts["file"].tolist() == ["x/a.png"] and not len(result.problems)


def test_a_series_comes_in_its_order_whatever_its_files_are_called(tmp_path):
    for name, number in {"zeta": 1, "alpha": 2, "mid": 10}.items():
        elements = {"InstanceNumber": number, "SeriesInstanceUID": "1.2.3"}
        put(tmp_path, **{f"x__{name}_dcm": mutations.dicom(DEEP * number, **elements)})
    data = datasets.from_folder(tmp_path).dataset
    assert data.facts["file"].tolist() == ["x/zeta.dcm", "x/alpha.dcm", "x/mid.dcm"]
    assert data.facts["index_in_series"].tolist() == [1, 2, 10]
    assert len(set(data.facts["series"])) == len(set(data.patients)) == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"size": 5}, "size must be"),
        ({"layout": "ward"}, "layout must be"),
        ({"layout": "class/class"}, "layout must be"),
        ({"window": (1, 0)}, "window must be"),
        ({"slices": 0}, "slices must be"),
        ({"rename": {"x": 3}}, "rename maps labels to labels"),
    ],
)
def test_senseless_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_folder(tmp_path, **arguments)


def test_a_missing_folder_names_its_neighbour(tmp_path):
    (tmp_path / "scans").mkdir()
    with pytest.raises(ValueError, match=r"no folder.*do you mean 'scans'"):
        datasets.from_folder(tmp_path / "scan")
    assert "no file to read" in what(datasets.from_folder(tmp_path))


def test_window_and_slices_reach_the_format(tmp_path):
    put(tmp_path, x__v_nii=mutations.sound("nifti"))
    assert len(datasets.from_folder(tmp_path, slices=3).dataset) == 3
    bright = datasets.from_folder(tmp_path, window=(50, 50)).dataset.images
    dark = datasets.from_folder(tmp_path, window=(300, 50)).dataset.images
    assert bright.mean() > dark.mean()


def test_paths_may_hold_spaces_and_any_letters(tmp_path):
    root = tmp_path / "Ärzte öffnen 影像" / "un dossier à part"
    mask = encoded(np.eye(48, dtype=np.uint8) * 255)
    put(root, **{"kl é__ü 1_png": png(1), "mäsken__ü 1_png": mask})
    (root / "tabelle ß.csv").write_text("file,label\nkl é/ü 1.png,ß\n", encoding="utf-8")
    (root / "ü.xml").write_bytes(mutations.sound("voc").replace(b"a.png", "kl é/ü 1.png".encode()))
    results = [
        datasets.from_folder(root / "kl é", layout=""),
        datasets.from_table(root / "tabelle ß.csv"),
        datasets.from_boxes(root, size=48),
        datasets.from_masks(root / "kl é", root / "mäsken", size=48),
    ]
    for result in results:
        assert len(result.dataset) == 1 and result.dataset.facts["file"][0].endswith("ü 1.png")


# ---- copies --------------------------------------------------------------------------------------


def resaved(seed):
    """The picture of `png(seed)`, a little brighter and compressed."""
    brighter = np.clip(mutations.picture(seed).astype(int) + 2, 0, 255).astype(np.uint8)
    return encoded(brighter, "JPEG", quality=90)


def test_copies_of_unknown_patients_are_problems_and_kept(tmp_path):
    copy = {"x__b_png": png(1, compress_level=0), "x__c_png": resaved(1)}
    result = datasets.from_folder(put(tmp_path, x__a_png=png(1), x__d_png=png(9), **copy))
    assert len(result.dataset) == 4
    assert what(result) == (
        "the picture is the same as that of x/a.png | "
        "the picture is nearly the same as that of x/a.png"
    )


def test_copies_within_one_patient_are_no_problem_but_across_patients_they_are(tmp_path):
    put(tmp_path, x__Ann__a_png=png(1), x__Ann__b_png=png(1, compress_level=0))
    put(tmp_path, x__Ann__c_png=resaved(1), x__Bob__d_png=resaved(1), x__Bob__e_png=png(3))
    result = datasets.from_folder(tmp_path, layout="class/patient")
    (file,) = result.problems["file"]
    assert len(result.dataset) == 5 and file.endswith("/d.png")
    assert "the picture is the same as that of x/p-" in what(result)
    assert what(result).endswith("/c.png")
    assert "the same patient" in result.problems["how to fix"][0]


def test_copies_with_two_labels_are_a_problem_even_within_one_patient(tmp_path):
    put(tmp_path, ill__Ann__a_png=png(1), well__Ann__b_png=png(1, compress_level=0))
    result = datasets.from_folder(tmp_path, layout="class/patient")
    assert "/a.png, but the labels differ: 'well' here, 'ill' there" in what(result)
    assert "which label is right" in result.problems["how to fix"][0]


def test_neighbouring_slices_of_a_series_are_no_copies(tmp_path):
    for number in range(6):
        label = "ill" if number < 3 else "well"
        values = np.add.outer(np.arange(40), np.arange(40)).astype(np.uint16) * 9
        values[5 : 20 + number, 8:30] += 300
        elements = {"InstanceNumber": number, "SeriesInstanceUID": "1.2.3"}
        put(tmp_path, **{f"{label}__{number}_dcm": mutations.dicom(values, **elements)})
    assert not len(datasets.from_folder(tmp_path, size=40).problems)


def test_many_equal_blank_pictures_are_named_once_each(tmp_path):
    blank = encoded(np.full((40, 40), 200, np.uint8))
    for number in range(5):
        put(tmp_path, **{f"x__{number}_png": blank})
    result = datasets.from_folder(tmp_path, size=32)
    copies = result.problems[result.problems["what"].str.contains("the same as")]
    assert copies["file"].tolist() == [f"x/{number}.png" for number in range(1, 5)]


# ---- tables --------------------------------------------------------------------------------------

ROWS = [
    ["file", "label", "patient", "site"],
    ["a.png", "x", "7", "north"],
    ["gone.png", "y", "8", "north"],
    ["b.png", "", "8", "north"],
    ["a.png", "x", "7", "north"],
    ["c.png", "y", "9", "south"],
    ["", "y", "9", "south"],
]
GOOD = "file,label,patient,site\na.png,x,7,n\nb.png,y,8,n\n"


@pytest.fixture
def read(tmp_path):
    """A folder with three pictures, and a function that reads a table of them, text or bytes."""
    put(tmp_path, a_png=png(1), b_png=png(2), sub__c_png=png(3))

    def read_table(table, **options):
        (tmp_path / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
        return datasets.from_table(tmp_path / "t.csv", size=32, **options)

    return read_table


def expect_good(result):
    data = result.dataset
    assert not len(result.problems), what(result)
    assert data.labels.tolist() == [0, 1] and data.classes == ("x", "y")
    assert data.patients_known and data.domains.tolist() == ["n", "n"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_bad_rows_of_a_table_are_listed_with_their_number(tmp_path, ending):
    put(tmp_path, a_png=png(1), b_png=png(2), c_png=png(3))
    path = tmp_path / f"t.{ending}"
    if ending == "xlsx":
        book = openpyxl.Workbook()
        for row in ROWS:
            book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
        book.save(path)
    else:
        path.write_text("\n".join(",".join(row) for row in ROWS))
    result = datasets.from_table(path, size=32)
    assert result.dataset.domains.tolist() == ["north", "south"] and result.dataset.patients_known
    assert result.dataset.labels.tolist() == [0, 1]
    assert result.problems["row"].tolist() == ["3", "4", "5", "7"]
    for sentence in ("no such file", "no label", "same file", "names no file"):
        assert sentence in what(result)


def test_a_table_reads_the_same_however_it_was_saved(read):
    tables = {
        "plain": GOOD,
        "semicolons": GOOD.replace(",", ";"),
        "tabs": GOOD.replace(",", "\t"),
        "bars": GOOD.replace(",", "|"),
        "sep line": "sep=;\n" + GOOD.replace(",", ";"),
        "windows lines": GOOD.replace("\n", "\r\n"),
        "bom": "\ufeff" + GOOD,
        "utf-16": GOOD.encode("utf-16"),
        "empty line first": "\n" + GOOD,
        "spaces": GOOD.replace(",x", ", x ").replace("a.png", " a.png "),
        "capitals": GOOD.replace("file", "File").replace("site", "SITE"),
        "quotes": GOOD.replace("a.png", '"a.png"').replace("patient", '"patient"'),
        "backslashes": GOOD.replace("a.png", ".\\a.png"),
    }
    decimal_commas = GOOD.replace(",", ";").replace("\na", "\n61,5;a").replace("\nb", "\n48,2;b")
    for table in [*tables.values(), "age;" + decimal_commas]:
        expect_good(read(table))
    latin = read(GOOD.replace(",n\n", ",süd\n").encode("latin-1"))
    assert latin.dataset.domains.tolist() == ["süd", "süd"]


def test_columns_and_root_can_be_named(tmp_path):
    put(tmp_path, pictures__a_png=png(1), t_csv=b"path,kind,who,where\na.png,x,1,n\n")
    names = {"file": "path", "label": "kind", "patient": "who", "site": "where"}
    result = datasets.from_table(tmp_path / "t.csv", root=tmp_path / "pictures", **names)
    assert result.dataset.classes == ("x",) and result.dataset.domains.tolist() == ["n"]
    with pytest.raises(ValueError, match=r"has no column 'pat'.*perhaps pass file='path'"):
        datasets.from_table(tmp_path / "t.csv", file="pat")


@pytest.mark.parametrize(
    "role, heading, advice",
    [
        ("label", "Labels", "perhaps pass label='Labels'"),
        ("patient", "patient_id", "perhaps pass patient='patient_id'"),
        ("site", "ward", ""),
    ],
)
def test_a_missing_column_is_a_problem_with_what_follows(read, role, heading, advice):
    table = GOOD.replace(role, heading, 1)
    result = read(table)
    rows = result.problems[result.problems["what"].str.contains(f"no column '{role}'")]
    assert len(rows) == (role != "site") and all(advice in fix for fix in rows["how to fix"])
    assert (result.dataset.labels is None) == (role == "label")
    assert result.dataset.patients_known == (role != "patient")
    expect_good(read(table, **{role: heading}))
    assert not len(read(table, **{role: None}).problems)


def test_a_named_site_that_is_missing_is_a_problem(read):
    assert "no column 'ward': all images count as one site" in what(read(GOOD, site="ward"))


def test_what_means_nothing_is_nothing(read):
    for empty in ("", "NA", " nan "):
        result = read(f"file,label,patient\na.png,x,7\nb.png,{empty},8\n")
        assert what(result) == "the row has no label" and result.dataset.classes == ("x",)
        result = read(f"file,label,patient\na.png,x,7\nb.png,y,{empty}\n")
        assert what(result).startswith("the row names no patient")
        assert result.problems["row"].tolist() == ["3"] and not result.dataset.patients_known
        result = read(f"file,label,patient\na.png,x,{empty}\nb.png,y,{empty}\n")
        assert "names nobody" in what(result)


@pytest.mark.parametrize(
    "labels, sentence",
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
def test_labels_that_are_one_class_misspelt_are_problems(labels, sentence):
    problems = Problems()
    _words.report_similar_labels(labels, "t.csv", problems)
    rows = problems.table()
    assert len(rows) == bool(sentence) and sentence in " ".join(rows["what"])


def test_labels_can_be_renamed_in_tables_and_folders(read, tmp_path):
    result = read("file,label\na.png,x\nb.png,X\n", patient=None, rename={"X": "x"})
    assert result.dataset.classes == ("x",) and not len(result.problems)
    put(tmp_path, f__A__a_png=png(1), f__b__b_png=png(2))
    assert datasets.from_folder(tmp_path / "f", rename={"A": "b"}).dataset.classes == ("b",)


def test_a_missing_table_names_those_that_are_there(read, tmp_path):
    read(GOOD)
    with pytest.raises(ValueError, match=r"There is no table 'home.csv' in .*; there are t.csv"):
        datasets.from_table(tmp_path / "home.csv")
    with pytest.raises(ValueError, match="no other table either"):
        datasets.from_table(tmp_path / "sub" / "home.csv")
    with pytest.raises(ValueError, match="There is no folder"):
        datasets.from_table(tmp_path / "nowhere" / "home.csv")


def test_a_path_of_another_machine_is_a_problem(read):
    result = read("file,label\nD:\\study\\a.png,x\n", patient=None)
    assert "such as D:/study/a.png to a.png" in what(result) and len(result.dataset) == 1
    result = read("file,label\nD:\\study\\nowhere.png,x\n", patient=None)
    assert "no such file" in what(result)
    assert "paths start from root" in result.problems["how to fix"][0]


def test_rows_of_another_width_are_problems(read):
    result = read("file,label,patient\na.png,x,1\nb.png,y\n")
    assert "the row has 2 cells, and the heading 3" in what(result) and len(result.dataset) == 1


def test_workbooks_that_cannot_be_read_are_refused(read, tmp_path):
    with pytest.raises(ValueError, match=r"old kind .*\.xls.* or has a password; save it as .xlsx"):
        read(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(ValueError, match="it is damaged"):
        read(b"PK\x03\x04" + bytes(600))
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(_sheets.MAX_BYTES + 1))
    with pytest.raises(ValueError, match="would unpack to more than"):
        datasets.from_table(tmp_path / "bomb.xlsx")


def test_numbers_of_a_workbook_are_those_of_a_csv_file(read, tmp_path):
    book = openpyxl.Workbook()
    book.active.append([None] * 4)
    book.active.append([None, "file", "label", "patient"])  # pandas writes an index without a name
    book.active.append([0, "a.png", "x", 7.0])
    book.active.append([1, "b.png", "y", 7.5])
    book.save(tmp_path / "t.xlsx")
    data = datasets.from_table(tmp_path / "t.xlsx", size=32).dataset
    expected = read("file,label,patient\na.png,x,7\nb.png,y,7.5\n").dataset
    assert data.labels.tolist() == [0, 1] and data.patients.tolist() == expected.patients.tolist()


# ---- boxes ---------------------------------------------------------------------------------------


def test_boxes_of_coco_and_voc_agree(tmp_path):
    put(tmp_path, a_png=png(1), t_xml=mutations.sound("voc"))
    voc = datasets.from_boxes(tmp_path, size=48).dataset
    np.testing.assert_allclose(voc.boxes[0][0], [2, 1, 30, 20, 0])
    content = json.loads(mutations.sound("coco"))
    boxes = [(1, [1, 2, 19, 28]), (1, [1, 2, 0, 3]), (5, [1, 2, 3, 3]), (1, [1, 2, 999, 3])]
    content["annotations"] = [
        {"image_id": image, "category_id": 2, "bbox": box} for image, box in boxes
    ]
    (tmp_path / "t.json").write_text(json.dumps(content))
    coco = datasets.from_boxes(tmp_path / "t.json", pictures=tmp_path, size=48)
    np.testing.assert_allclose(coco.dataset.boxes[0], voc.boxes[0][:1])
    assert coco.dataset.classes == ("cell",)
    for sentence in ("it has no area", "the id '5'", "reaches beyond the picture"):
        assert sentence in what(coco)


def test_annotations_that_cannot_be_read_are_refused_or_listed(tmp_path):
    put(tmp_path, t_json=b"[1, 2", a_xml=b"no xml", b_xml=b"<annotation></annotation>")
    with pytest.raises(ValueError, match=r"'t.json' cannot be read: it is no COCO file"):
        datasets.from_boxes(tmp_path / "t.json")
    result = datasets.from_boxes(tmp_path)
    assert not len(result.dataset)
    for sentence in ("it is no XML", "it names no picture", "no picture with annotations"):
        assert sentence in what(result)


def test_bad_objects_of_voc_are_listed(tmp_path):
    corners = b"<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>nan</ymax></bndbox>"
    objects = b"<object><name>cell</name>" + corners + b"</object><object></object>"
    head = b"<annotation><filename>a.png</filename>"
    put(tmp_path, a_png=png(1), t_xml=head + objects + b"</annotation>")
    result = datasets.from_boxes(tmp_path, size=48)
    assert len(result.dataset.boxes[0]) == 0
    assert "an edge is no number" in what(result) and "names no class" in what(result)


def test_entities_in_xml_are_refused(tmp_path):
    bombs = {
        "a": '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]>',
        "b": '<!DOCTYPE a SYSTEM "file:///etc/hostname">',
    }
    for name, head in bombs.items():
        put(tmp_path, **{f"{name}_xml": head.encode() + mutations.sound("voc")})
    result = datasets.from_boxes(put(tmp_path, a_png=png(1)))
    assert not len(result.dataset) and what(result).count("entities") == 2


# ---- masks ---------------------------------------------------------------------------------------


def test_masks(tmp_path):
    outline = np.zeros((48, 48), np.uint8)
    outline[10:20, 5:30] = 255
    colours = np.repeat(outline[..., None], 3, axis=-1)
    put(tmp_path, p__a_jpg=png(1), p__b_png=png(2), p__c_png=png(3), p__d_png=png(4))
    put(tmp_path, m__a_png=encoded(outline), m__b_png=encoded(outline[:30]))
    put(tmp_path, m__d_png=encoded(colours * np.uint8([1, 0, 1])), p__e_png=png(5))
    put(tmp_path, m__e_png=encoded(colours), p__f_png=png(6), m__f_png=b"no picture")
    folders = (tmp_path / "p", tmp_path / "m")
    result = datasets.from_masks(*folders, size=48)
    np.testing.assert_array_equal(result.dataset.masks, [outline > 0, outline > 0])
    assert result.dataset.mask_classes == ("background", "object")
    for sentence in (
        "30 x 48 pixels",
        "no mask of that name",
        "has colours",
        "its mask is of an unknown format",
    ):
        assert sentence in what(result)
    three = {"classes": ("none", "edge", "cell"), "size": 48}
    assert "greys [255]" in what(datasets.from_masks(*folders, **three))
    mapped = datasets.from_masks(*folders, values={0: 0, 255: 2}, **three).dataset
    assert np.unique(mapped.masks).tolist() == [0, 2]
    with pytest.raises(ValueError, match="values must map greys to 0 to 2"):
        datasets.from_masks(*folders, values={0: 3}, **three)


def test_each_picture_is_decoded_once(tmp_path, monkeypatch):
    decoded, original = [], _formats.read

    def counting(path, *arguments):
        decoded.append(path.name)
        return original(path, *arguments)

    monkeypatch.setattr(_formats, "read", counting)
    put(tmp_path, p__a_png=png(1), m__a_png=png(1), a_png=png(1), t_xml=mutations.sound("voc"))
    datasets.from_masks(tmp_path / "p", tmp_path / "m", size=32)
    datasets.from_boxes(tmp_path, size=32)
    assert decoded == ["a.png", "a.png"]


# ---- broken files --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", mutations.FORMATS)
def test_a_few_broken_files_become_rows_of_problems(kind):
    """`trial` raises if a broken file does more than that; the long run is marked slow."""
    outcomes = Counter(mutations.trial(kind, seed)["outcome"] for seed in range(15))
    assert outcomes["problem"] + outcomes["refused"] > 0


CHILD = """
import json, resource, signal, sys
from common import mutations
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for kind in mutations.FORMATS:
    trials = []
    for seed in range(int(sys.argv[1])):
        signal.alarm(10)  # a hang ends the child
        trials.append(mutations.trial(kind, seed)["outcome"])
    print(json.dumps([kind, {outcome: trials.count(outcome) for outcome in set(trials)}]))
# Not ru_maxrss, which would count the parent's memory.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
assert int(peak.split()[1]) < 600_000, f"more than 600 MB: {peak}"
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="bounds of memory are Linux's")
def test_many_broken_files_become_rows_of_problems():
    """150 files of each format: only rows of problems and sentences, within 10 s and 600 MB."""
    benchmarks = Path(mutations.__file__).parents[1]
    command = [sys.executable, "-c", CHILD, "150"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=benchmarks)
    assert ended.returncode == 0, ended.stderr[-3000:]
    counts = dict(json.loads(line) for line in ended.stdout.splitlines())
    assert set(counts) == set(mutations.FORMATS)
    for kind, outcomes in counts.items():
        assert sum(outcomes.values()) == 150 and outcomes.get("read", 0) < 150, kind
    # The mutations do harm, and do not always.
    assert counts["tiff"]["read"] > 25 and counts["dicom"]["problem"] > 25


def test_mutations_are_seeded():
    sound = mutations.sound("png")
    assert mutations.mutated(sound, 3) == mutations.mutated(sound, 3)
    assert len({mutations.mutated(sound, seed) for seed in range(20)}) > 15


# ---- the practice folder -------------------------------------------------------------------------


def test_the_practice_folder_has_the_faults_that_it_promises(tmp_path):
    home = datasets.load("smear", domain="lab-a", count=40, size=64, seed=0)
    away = datasets.load("smear", domain="lab-b", count=40, size=64, seed=0)
    assert practice.write(home, away, tmp_path) == tmp_path
    result = datasets.from_table(tmp_path / practice.HOME, size=64)
    data = result.dataset
    certain = result.problems[~result.problems["what"].str.contains("nearly")]
    assert len(data) == 40 - 3 - 2 + 1 and data.patients_known
    assert len(certain) == 3 + 3 + 1 + 1 + 1
    assert "'NEUTROPHIL' (once) looks like 'neutrophil'" in what(result)
    renamed = datasets.from_table(
        tmp_path / practice.HOME, size=64, rename={"NEUTROPHIL": "neutrophil"}
    )
    assert renamed.dataset.classes == tuple(sorted(home.classes))
    indices = {Path(file).name: index for index, file in enumerate(data.facts["file"])}
    for number, name in [(0, "0000.jpg"), (1, "0001.jpg"), (6, "0006.dcm")]:
        # Turned, in CMYK, and DICOM: read as they were meant.
        (index,) = [indices[file] for file in indices if name in file]
        assert np.abs(data.images[index].astype(int) - home.images[number]).mean() < 8
    target = datasets.from_table(tmp_path / practice.AWAY, size=64).dataset
    later = datasets.from_table(tmp_path / practice.LATER, size=64).dataset
    assert target.labels is None
    expected = [away.classes[label] for label in away.labels]
    assert [later.classes[label] for label in later.labels] == expected
    sums = [np.sort(images.sum((1, 2, 3))) for images in (target.images, away.images)]
    np.testing.assert_array_equal(*sums)
    whole = datasets.from_folder(tmp_path / "home", size=64, layout="class/patient").dataset
    assert len(whole) == 40 - 3 + 1


def test_a_practice_folder_without_patients_has_no_column_of_them(tmp_path):
    data = replace(datasets.load("smear", domain="lab-a", count=20, size=64), patients_known=False)
    practice.write(data, data, tmp_path)
    result = datasets.from_table(tmp_path / practice.HOME, size=64)
    assert not result.dataset.patients_known and "no column 'patient'" in what(result)
    assert (tmp_path / practice.HOME).read_text().splitlines()[0] == "file,label,site"
    with pytest.raises(ValueError, match="at least twenty images"):
        practice.write(data.take(slice(5)), data, tmp_path)
