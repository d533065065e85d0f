"""What a class hands in to a challenge: forgiven spellings, and what is refused and why."""

import csv
import io
import os
import re
import zipfile

import numpy as np
import pytest
import sealed_hospitals as made
from PIL import Image

from medlearn.teaching import challenge
from tools import commands

KINDS, OUTLINES = made.kinds(), made.outlines()
TABLE = made.table(KINDS)
LINES = TABLE.splitlines()


def marked(folder, seal=KINDS):
    """Rows of hand-ins by name, and what was refused."""
    board = challenge.mark_folder(folder, seal)
    return {row.name: row for row in board.rows if not row.is_line}, dict(board.refused)


def put(folder, name, content=TABLE):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


SHUFFLED = "\n".join([*LINES[:2], *LINES[:1:-1]])
FORGIVEN = {
    "semicolons": made.table(KINDS, separator=";"),
    "tabs": made.table(KINDS, separator="\t"),
    "byte order mark": b"\xef\xbb\xbf" + TABLE.encode(),
    "UTF-16": made.table(KINDS, separator="\t").encode("utf-16"),
    "Windows letters": TABLE.replace("my own", "Größe").encode("cp1252"),
    "other order": SHUFFLED,
    "Windows lines": TABLE.replace("\n", "\r\n"),
    "indices": made.table(KINDS, [str(label) for label in KINDS.truth.labels]),
    "floats": made.table(KINDS, [f"{label}.0" for label in KINDS.truth.labels]),
    "capitals": TABLE.upper().replace("ID,PREDICTION", "ID,Prediction"),
    "folders and endings": re.sub(r"(cell-\d+)", r"target/\1.png", TABLE),
    "further columns": re.sub(r"(?m)^((?:id|cell).*)$", r"0,\1,x", TABLE).replace("0,id", "n,id"),
    "quoted, and a row of separators": re.sub(r"(cell-\d+)", r'"\1"', TABLE) + ",,\n;;\n",
    "sep line": "sep=;\n" + made.table(KINDS, separator=";"),
    "no method": "\n".join(LINES[1:]),
}


@pytest.mark.parametrize("kind", FORGIVEN)
def test_spellings_of_a_right_table_are_forgiven(kind, tmp_path):
    put(tmp_path, "anna.csv", FORGIVEN[kind])
    rows, refused = marked(tmp_path)
    assert not refused and rows["anna"].score.value == 1


def without(line):
    return "\n".join(row for row in LINES if not row.startswith(line))


HUGE = "id,prediction\n" + "cell-001,neutrophil\n" * 30_000
REFUSED = {
    "missing": (without("cell-003"), r"ids that are missing \(1\): cell-003"),
    "invented": (TABLE + "cell-999,monocyte\n", r"does not have \(1\): cell-999"),
    "twice": (TABLE + "cell-001,monocyte\n", r"ids that occur twice \(1\): cell-001"),
    "empty": (
        TABLE.replace("cell-002,lymphocyte", "cell-002,"),
        r"without a prediction \(1\): cell-002",
    ),
    "unfilled": (re.sub(r"(?m)^(cell-\d+),.*$", r"\1,", TABLE), r"ids without a prediction \(24\)"),
    "other class": (TABLE.replace("cell-002,lymphocyte", "cell-002,lympho"), "do you mean"),
    "index": (TABLE.replace("cell-002,lymphocyte", "cell-002,3"), "no class '3'"),
    "negative": (TABLE.replace("cell-002,lymphocyte", "cell-002,-1"), "no class"),
    "no header": ("\n".join(LINES[2:]), "should name the columns"),
    "nothing": ("", "should name the columns"),
    "two columns": (TABLE.replace("id,prediction", "id,prediction,prediction"), "should name"),
    "many rows": (HUGE, "more than 20000 rows"),
    "large": (b"x" * 1_000_001, "larger than 1 MB"),
    "bytes": (bytes(range(256)) * 4, "should name the columns"),
    "long field": ('id,prediction\n"' + "x" * 200_000, "no table"),
    "terminal": (TABLE.replace("cell-002", "\x1b[2J"), re.escape("does not have (1): ?[2j")),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_tables_are_refused_with_the_reason_and_the_rest_is_marked(kind, tmp_path):
    content, reason = REFUSED[kind]
    put(tmp_path, "anna.csv")
    put(tmp_path, "bert.csv", content)
    rows, refused = marked(tmp_path)
    assert list(rows) == ["anna"]
    assert re.search(reason, refused["bert"]), refused


def test_five_ids_are_named_and_the_others_counted(tmp_path):
    put(tmp_path, "anna.csv", "\n".join(LINES[:10]))
    _, refused = marked(tmp_path)
    assert refused["anna"].startswith("ids that are missing (16): cell-009, cell-010, ")
    assert refused["anna"].endswith("cell-013 and 11 more")


def test_a_million_notes_are_read_in_a_moment(tmp_path):
    put(tmp_path, "anna.csv", "#\n" * 400_000 + TABLE)
    assert marked(tmp_path)[0]["anna"].score.value == 1


def test_the_method_stands_in_the_table_or_in_a_text_and_is_cut(tmp_path):
    put(tmp_path, "a.csv", made.table(KINDS, method='"# Method: CORAL, then luck",'))
    put(tmp_path, "b/table.csv")
    put(tmp_path, "b/method.txt", "first\nsecond \x1b[2J" + "x" * 1000)
    put(tmp_path, "c.csv")
    put(tmp_path, "c.txt", "in a text")
    put(tmp_path, "d.csv", made.table(KINDS, method="# method: one sentence"))
    rows, _ = marked(tmp_path)
    assert rows["a"].method == "CORAL, then luck"
    assert rows["b"].method.startswith("first second ?[2Jxxx") and len(rows["b"].method) == 300
    assert rows["c"].method == "in a text"
    assert rows["d"].method == ""  # the template's own words


def test_two_hand_ins_of_one_name_are_both_refused(tmp_path):
    for name in ("anna.csv", "Anna/mine.csv", "bert/1.csv", "bert/2.csv", "carl.csv"):
        put(tmp_path, name)
    rows, refused = marked(tmp_path)
    assert list(rows) == ["carl"]
    assert "two hand-ins have this name" in refused["anna"] == refused["Anna"]
    assert "2 files, expected one table" in refused["bert"]


def test_links_hidden_files_and_the_envelope_are_not_read(tmp_path):
    outside = put(tmp_path, "outside/secret.csv")
    folder = tmp_path / "in"
    put(folder, "anna.csv")
    put(folder, ".hidden.csv")
    put(folder, "c.envelope.npz", b"x")
    os.symlink(outside, folder / "link.csv")
    os.symlink(outside.parent, folder / "linked")
    assert marked(folder) == (marked(folder)[0], {})
    assert list(marked(folder)[0]) == ["anna"]


def test_nothing_that_students_hand_in_is_run(tmp_path):
    put(tmp_path, "anna/predict.py", "raise SystemExit")
    put(tmp_path, "anna/model.pkl", b"cos\nsystem\n(S'false'\ntR.")
    put(tmp_path, "anna/table.csv")
    assert marked(tmp_path)[0]["anna"].score.value == 1


def png(array, **options):
    data = io.BytesIO()
    Image.fromarray(array).save(data, "PNG", **options)
    return data.getvalue()


MASK = OUTLINES.truth.labels[0]


def put_masks(folder, name, **changes):
    for id in OUTLINES.ids:
        put(folder, f"{name}/masks/{id}.png", changes.get(id, png(MASK)))


def npz(**arrays):
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def test_masks_are_read_from_pictures_and_from_an_archive_in_any_order(tmp_path):
    put_masks(tmp_path, "anna")
    put(tmp_path, "anna/method.txt", "by eye")
    order = np.random.default_rng(0).permutation(len(OUTLINES.ids))
    ids, masks = np.array(OUTLINES.ids)[order], OUTLINES.truth.labels[order].astype(np.int64)
    put(tmp_path, "bert.npz", npz(ids=ids, masks=masks))
    rows, refused = marked(tmp_path, OUTLINES)
    assert not refused
    assert rows["anna"].score.value == rows["bert"].score.value == 1
    assert rows["anna"].method == "by eye"


def liar(shape, descr="<i8"):
    """An archive whose array says it is larger than it is."""
    header = io.BytesIO()
    facts = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    data = io.BytesIO(npz(ids=np.array(OUTLINES.ids)))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("masks.npy", header.getvalue())
    return data.getvalue()


def bomb():
    """A small archive that unpacks to 200 MB."""
    data = io.BytesIO(npz(ids=np.array(OUTLINES.ids)))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("masks.npy", bytes(200_000_000))
    return data.getvalue()


IDS = np.array(OUTLINES.ids)
GOOD = OUTLINES.truth.labels
ARCHIVES = {
    "objects": (npz(ids=IDS, masks=np.array([print] * 12)), "'masks' should be"),
    "pickled ids": (npz(ids=np.array([print] * 12), masks=GOOD), "'ids' should be"),
    "a huge shape": (liar((12, 8, 10**12)), "'masks' should be"),
    "no data": (liar((12, 8, 8)), "'masks' should be"),
    "bomb": (bomb(), "'masks' should be"),
    "no archive": (b"text", "'ids' should be"),
    "other size": (npz(ids=IDS, masks=GOOD[:, :4]), "'masks' should be"),
    "floats": (npz(ids=IDS, masks=GOOD.astype(float)), "'masks' should be"),
    "class 3": (npz(ids=IDS, masks=GOOD + 1), "whole numbers from 0 to 2"),
    "negative": (npz(ids=IDS, masks=GOOD.astype(int) - 1), "whole numbers from 0 to 2"),
    "twice": (npz(ids=np.append(IDS[:-1], IDS[0]), masks=GOOD), "occur twice (1): cell-001"),
    "invented": (npz(ids=np.append(IDS[:-1], "cell-099"), masks=GOOD), "not have (1): cell-099"),
    "large": (b"x" * 5_000_001, "larger than 5 MB"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_other_archives_are_refused(kind, tmp_path):
    content, reason = ARCHIVES[kind]
    put(tmp_path, "anna.npz", content)
    rows, refused = marked(tmp_path, OUTLINES)
    assert not rows and reason in refused["anna"], refused


PICTURES = {
    "large picture": (png(np.zeros((3000, 3000), np.uint8)), "3000 x 3000 pixels"),
    "colour": (png(np.zeros((8, 8, 3), np.uint8)), "of mode RGB"),
    "grey levels": (png(MASK * 100), "whole numbers from 0 to 2"),
    "cut off": (png(MASK)[:40], "cannot be read"),
    "no picture": (b"text", "cannot be read"),
    "large file": (b"x" * 200_001, "larger than 200 kB"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_other_pictures_are_refused(kind, tmp_path):
    content, reason = PICTURES[kind]
    put_masks(tmp_path, "anna", **{"cell-002": content})
    rows, refused = marked(tmp_path, OUTLINES)
    assert not rows and reason in refused["anna"], refused


def test_missing_invented_and_repeated_masks_are_refused(tmp_path):
    put_masks(tmp_path, "anna")
    (tmp_path / "anna/masks/cell-004.png").unlink()
    put_masks(tmp_path, "bert")
    put(tmp_path, "bert/masks/mine.png", png(MASK))
    put_masks(tmp_path, "carl")
    put(tmp_path, "carl/cell-001.png", png(MASK))
    rows, refused = marked(tmp_path, OUTLINES)
    assert not rows
    assert "missing (1): cell-004" in refused["anna"] and "not have (1): mine" in refused["bert"]
    assert "there twice (1): cell-001" in refused["carl"]


@pytest.fixture
def envelope(tmp_path):
    KINDS.save(tmp_path / "teacher.envelope.npz")
    return tmp_path / "teacher.envelope.npz"


def run(*words):
    return commands.main(["challenge", *map(str, words)])


def test_the_command_marks_and_says_loudly_what_it_refused(tmp_path, envelope, capsys):
    folder = tmp_path / "handed in"
    put(folder, "anna.csv")
    put(folder, "=bert.csv", without("cell-003"))
    words = ("mark", folder, "--envelope", envelope, "--to", tmp_path / "board.html")
    assert run(*words) == 0
    printed = capsys.readouterr().out
    assert "REFUSED '=bert: ids that are missing (1): cell-003" in printed
    assert "1 marked, 1 refused" in printed and (tmp_path / "board.csv").exists()
    assert run(*words) == 1
    assert "add --force" in capsys.readouterr().err
    assert run(*words, "--force") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mark", "nowhere", "--envelope", "E", "--to", "b.html"), "is not a folder"),
        (("mark", "empty", "--envelope", "E", "--to", "b.html"), "holds no hand-in"),
        (("mark", "empty", "--envelope", "none.npz", "--to", "b.html"), "There is no file"),
        (("mark", "empty", "--envelope", "E", "--to", "b.csv"), "should end in .html"),
        (("mark", "empty", "--envelope", "E", "--to", "no/b.html"), "There is no folder"),
        (("new", "--to", "full"), "holds something"),
        (("new", "--to", "full/a.txt"), "is a file"),
        (("new", "--to", "new", "--envelope", "new/e.npz"), "where all could open it"),
        (("new", "--to", "new", "--envelope", "E"), "cannot be marked"),
        (("new", "--to", "new", "--envelope", "e.zip"), "should end in .npz"),
    ],
)
def test_a_mistake_is_one_sentence(words, message, tmp_path, envelope, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    put(tmp_path, "full/a.txt", "x")
    assert run(*(envelope if word == "E" else word for word in words)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def mean_masks_as_pictures(to, folder):
    """What a student makes of the folder alone: the most frequent class of each pixel of home."""
    with (to / "home.csv").open(encoding="utf-8", newline="") as file:
        masks = [np.asarray(Image.open(to / row["mask"])) for row in csv.DictReader(file)]
    mean_mask = np.argmax([(np.array(masks) == part).mean(0) for part in range(3)], 0)
    folder.mkdir()
    for path in (to / "target").iterdir():
        Image.fromarray(mean_mask.astype(np.uint8)).save(folder / path.name)
    (folder / "method.txt").write_text("The mean of home.", "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("task", challenge.TASKS)
def test_a_class_plays_a_challenge(task, tmp_path, capsys):
    """From `new` to the board: the template, filled in by a guess, is marked."""
    to = tmp_path / "class"
    assert run("new", "--to", to, "--task", task) == 0
    seal = challenge.open_envelope(tmp_path / "class.envelope.npz")
    assert seal.commitment in (to / "README.md").read_text("utf-8")
    files = [path for path in to.rglob("*") if path.is_file()]
    assert not any(seal.seed.encode() in path.read_bytes() for path in files)
    assert {path.suffix for path in files} == {".md", ".csv", ".png"}
    hospital, truth = challenge.draw(task, seal.seed)
    assert np.array_equal(truth.labels, seal.truth.labels)
    first = np.asarray(Image.open(to / "target/cell-001.png"))
    assert np.array_equal(first, hospital.target_images[0])
    folder = tmp_path / "handed in"
    if task == "kinds":
        template = (to / "template.csv").read_text("utf-8")
        put(folder, "anna.csv", re.sub(r"(?m)^(cell-\d+),$", r"\1,monocyte", template))
        expected = 0.2
    else:
        ids = np.array((to / "template.csv").read_text("utf-8").split()[1:])
        put(folder, "anna.npz", npz(ids=ids, masks=truth.labels))
        expected = 1.0
        mean_masks_as_pictures(to, folder / "Bert")
    words = ("mark", folder, "--envelope", tmp_path / "class.envelope.npz")
    assert run(*words, "--to", tmp_path / "board.html") == 0
    rows, refused = marked(folder, seal)
    assert not refused and rows["anna"].score.value == pytest.approx(expected)
    if task == "outlines":
        assert 0.1 < rows["Bert"].score.value < 0.9 and rows["Bert"].method == "The mean of home."
        assert "class shares" not in (to / "README.md").read_text("utf-8")
    with pytest.raises(FileExistsError, match="holds something"):
        challenge.write(to, task)
