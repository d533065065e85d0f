"""The real sets beyond the first three, on archives of their formats made here.

The true files were never seen: the network is not at hand where the course is built. What is
proven is that files of the published format are read, verified and refused as the cards say.
"""

import hashlib
import tracemalloc
import zipfile

import made_archives as made
import numpy as np
import pytest

from medlearn import _files, datasets
from medlearn.datasets import _catalogue, _load
from medlearn.datasets._real_sets import medmnist, nuclei
from medlearn.datasets._store import archive, download, npz, sources
from tools import commands

MEDMNIST = [name for name in datasets.names() if datasets.card(name).reader == "medmnist"]
REAL = [name for name in datasets.names() if datasets.card(name).kind == "real"]
VESSELS = made.vessel_files("chase")


@pytest.fixture(autouse=True)
def stick(monkeypatch, tmp_path):
    """An empty cache, and a folder with spaces and accents as the mirror."""
    folder = tmp_path / "clé usb"
    folder.mkdir()
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "un cache é"))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(folder))
    monkeypatch.setenv("no_proxy", "*")
    return folder


@pytest.fixture
def chase(stick):
    """A mirror of the set `chase`."""
    made.mirrored(stick, datasets.card("chase").origin, made.zipped(VESSELS))


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(download, "_resolves", lambda address: False)


@pytest.fixture
def use(monkeypatch):
    """`use(card)` puts a card made here in the place of the real one."""

    def replace(card):
        original = _catalogue.card

        def card_of(name):
            return card if name == card.name else original(name)

        for module in (datasets, _load):
            monkeypatch.setattr(module, "card", card_of)
        return card

    return replace


# ---- cards ---------------------------------------------------------------------------------------


def test_real_cards_say_where_from_under_what_terms_and_how_they_are_checked():
    for card in map(datasets.card, REAL):
        assert card.origin.startswith("https://") and len(card.notes) >= 3, card.name
        assert card.citation and card.licence and card.download, card.name
        assert card.check in {"files", "archive", "first use"}, card.name
        assert (card.limit > 0) == (card.check != "archive"), card.name
        assert "twin" in str(card) and card.licence in str(card), card.name
    assert "not for commercial use" in datasets.card("derma").licence
    assert "26 of the 156" in " ".join(datasets.card("breast").notes)


def test_every_size_of_every_domain_has_the_checksum_of_the_publishers():
    for card in map(datasets.card, MEDMNIST):
        files = card.details["files"]
        assert tuple(files) == card.domains
        sizes = [set(part["md5"]) for part in files.values()]
        assert sizes == [set(map(str, medmnist.SIZES))] * len(card.domains)
        sums = [md5 for part in files.values() for md5 in part["md5"].values()]
        assert len(set(sums)) == 4 * len(card.domains)
        assert all(len(bytes.fromhex(md5)) == 16 for md5 in sums)


def test_the_page_of_the_catalogue_lists_every_card_as_it_is():
    page = (_files.folder("datasets") / "README.md").read_text(encoding="utf-8")
    for card in map(datasets.card, datasets.names()):
        (line,) = [row for row in page.splitlines() if row.startswith(f"| `{card.name}` |")]
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        patients = "known" if card.patients_known else "unknown"
        twin = f"`{card.twin}`" if card.twin else "-"
        check = card.check if card.kind == "real" else "-"
        assert cells[1] == card.title and cells[3:5] == [", ".join(card.domains), patients]
        assert card.licence.startswith(cells[5]) and cells[6:8] == [twin, check]


# ---- MedMNIST ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEDMNIST)
def test_medmnist_comes_with_its_labels_split_and_pixels(stick, use, name):
    card, arrays = made.medmnist_mirror(stick, name, flat=MEDMNIST.index(name) % 2 == 0)
    use(card)
    data = datasets.load(name, size=28, rare=True)
    assert len(data) == 24 * len(card.domains) and data.images.shape[1:] == (28, 28, 3)
    assert not data.patients_known and len(set(data.patients)) == len(data)
    for domain, parts in arrays.items():
        for split in ("train", "val", "test"):
            chosen = (data.domains == domain) & (data.split == split)
            images = parts[f"{split}_images"]
            images = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
            np.testing.assert_array_equal(data.images[chosen], images)
            labels = parts[f"{split}_labels"].reshape(-1)
            np.testing.assert_array_equal(data.labels[chosen], labels)


def test_one_domain_fetches_one_file(stick, use):
    card, _ = made.medmnist_mirror(stick, "organ")
    use(card)
    for domain in ("axial", "sagittal"):
        (stick / medmnist.origin(card, domain, 28).removeprefix("https://")).unlink()
    data = datasets.load("organ", domain="coronal", rare=True)
    assert set(data.domains) == {"coronal"} and len(data) == 24


@pytest.mark.parametrize("size, file", [(28, 28), (40, 64), (64, 64), (200, 224), (300, 224)])
def test_the_smallest_file_with_enough_pixels_is_read(stick, use, size, file):
    card, _ = made.medmnist_mirror(stick, pixels=file, counts=(3, 2, 2))
    use(card)
    images = datasets.load("pneumonia", size=size, rare=True).images
    assert images.shape == (7, size, size, 3)


def test_a_choice_of_images_reads_the_same_pixels(stick, use):
    card, _ = made.medmnist_mirror(stick)
    use(card)
    whole = datasets.load("pneumonia", size=28, rare=True)
    chosen = datasets.load("pneumonia", size=28, rare=True, count=5, seed=3)
    index = {patient: number for number, patient in enumerate(whole.patients)}
    rows = [index[patient] for patient in chosen.patients]
    np.testing.assert_array_equal(chosen.images, whole.images[rows])


def digests_of(arrays):
    """The checksums of a card for the arrays of `pneumonia`."""
    return {
        f"pneumoniamnist/{name}": hashlib.sha256(array.tobytes()).hexdigest()
        for name, array in arrays["pneumonia"].items()
    }


def test_an_archive_packed_otherwise_is_refused_unless_its_arrays_are_listed(
    stick, use, monkeypatch, offline
):
    card, arrays = made.medmnist_mirror(stick)
    use(card)
    packed = made.saved(arrays["pneumonia"], np.savez)
    made.mirrored(stick, medmnist.origin(card, "pneumonia", 28), packed)
    with pytest.raises(ValueError, match=r"MD5.*not the published.*no checksums of the arrays"):
        datasets.load("pneumonia", size=28)
    digests = digests_of(arrays)
    monkeypatch.setattr(_catalogue, "checksums", lambda name: digests)
    assert len(datasets.load("pneumonia", size=28, rare=True)) == 24


def test_altered_pixels_are_refused_even_if_well_packed(stick, use, monkeypatch, offline):
    card, arrays = made.medmnist_mirror(stick)
    use(card)
    digests = digests_of(arrays)
    arrays["pneumonia"]["test_images"][0, 0, 0] ^= 1
    made.mirrored(stick, medmnist.origin(card, "pneumonia", 28), made.saved(arrays["pneumonia"]))
    monkeypatch.setattr(_catalogue, "checksums", lambda name: digests)
    with pytest.raises(ValueError, match="'test_images' is altered; replace that copy"):
        datasets.load("pneumonia", size=28)


def test_a_cached_file_that_goes_bad_is_named_and_fetched_anew(stick, use, tmp_path):
    card, _ = made.medmnist_mirror(stick)
    use(card)
    good = datasets.load("pneumonia", size=28, rare=True)
    (cached,) = tmp_path.rglob("un cache é/datasets/*/*.npz")
    data = bytearray(cached.read_bytes())
    data[len(data) // 3] ^= 255
    cached.write_bytes(data)
    with pytest.raises(ValueError, match=r"pneumoniamnist.npz was damaged.*load again"):
        datasets.load("pneumonia", size=28)
    again = datasets.load("pneumonia", size=28, rare=True)
    np.testing.assert_array_equal(again.images, good.images)


def test_labels_without_a_class_are_refused(stick, use):
    card, arrays = made.medmnist_mirror(stick)
    arrays["pneumonia"]["val_labels"][0] = 9
    contents = {"pneumonia": made.saved(arrays["pneumonia"])}
    use(made.medmnist_card(contents))
    made.mirrored(stick, medmnist.origin(card, "pneumonia", 28), contents["pneumonia"])
    with pytest.raises(ValueError, match="labels from 0 to 9, but 'pneumonia' has 2 classes"):
        datasets.load("pneumonia", size=28)


# ---- arrays --------------------------------------------------------------------------------------


def write(path, arrays, **options):
    path.write_bytes(made.saved(arrays, **options))
    return path


@pytest.mark.parametrize(
    "array, sentence",
    [
        (np.array([{"a": 1}], dtype=object), "not one of plain whole numbers"),
        (np.zeros((3, 4), np.float32), "not one of plain whole numbers"),
        (np.asfortranarray(np.zeros((3, 4), np.uint8)), "not one of plain whole numbers"),
        (np.zeros((3, 5), np.uint8), r"shape \(3, 5\) and not \(3, 4\)"),
    ],
)
def test_arrays_of_another_type_or_shape_are_refused(tmp_path, array, sentence):
    with pytest.raises(ValueError, match=sentence):
        npz.read(write(tmp_path / "a.npz", {"x": array}), "x", ((3, 4),))


def test_a_missing_or_doubled_array_is_refused(tmp_path):
    path = write(tmp_path / "a.npz", {"y": np.zeros(3, np.uint8)})
    with pytest.raises(ValueError, match="'x' 0 times"):
        npz.read(path, "x", ((3,),))
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "a") as twice:
        twice.writestr("y.npy", b"")
    with pytest.raises(ValueError, match="'y' 2 times"):
        npz.read(path, "y", ((3,),))


def test_memory_holds_the_chosen_rows_only_and_a_bomb_is_not_inflated(tmp_path):
    big = np.random.default_rng(0).integers(0, 256, (4000, 64, 64), dtype=np.uint8)
    path = write(tmp_path / "a.npz", {"x": big}, save=np.savez)
    bomb = write(tmp_path / "bomb.npz", {"x": np.zeros(20_000_000, np.uint8)})
    rows = np.array([0, 257, 3999])
    tracemalloc.start()
    np.testing.assert_array_equal(npz.read(path, "x", (big.shape,), rows), big[rows])
    with pytest.raises(ValueError, match="has the shape"):
        npz.read(bomb, "x", ((3, 4),))
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


# ---- nuclei and vessels --------------------------------------------------------------------------


def test_nuclei_have_masks_boxes_and_a_modality(stick):
    root = "kaggle-dsbowl-2018-dataset-fixes-master"
    files = {f"{root}/{path}": data for path, data in made.nuclei_files().items()}
    files[f"{root}/README.rst"] = b""
    made.mirrored(stick, datasets.card("nuclei").origin, made.zipped(files))
    data = datasets.load("nuclei", size=40)
    assert data.domains.tolist() == ["fluorescence", "fluorescence", "stained"]
    assert data.images.shape == (3, 40, 40, 3) and set(np.unique(data.masks)) == {0, 1}
    assert [len(boxes) for boxes in data.boxes] == [2, 2, 2]
    assert data.boxes[0][0].tolist() == [12, 2, 20, 12, 0]  # 10 columns are cropped at each side
    assert data.masks[0][12:20, 2:12].all() and data.masks[0].sum() == 2 * 80
    assert set(datasets.load("nuclei", domain="stained").domains) == {"stained"}


def test_the_modality_is_read_off_the_pixels():
    dark, light = np.full((4, 4, 3), 20, np.uint8), np.full((4, 4, 3), 230, np.uint8)
    coloured = dark.copy()
    coloured[..., 0] = 80
    modalities = [nuclei.modality(image) for image in (dark, light, coloured)]
    assert modalities == ["fluorescence", "stained", "stained"]


def test_eyes_of_one_child_share_a_patient(chase):
    data = datasets.load("chase", size=48)
    assert len(data) == 28 and len(set(data.patients)) == 14
    assert data.patients_known and data.split is None
    np.testing.assert_array_equal(data.masks == 1, data.images[..., 0] > 120)


def test_the_user_supplies_drive_in_one_archive_or_two():
    folder = sources.supplied_folder(datasets.card("drive"))
    with pytest.raises(ConnectionError) as raised:
        datasets.load("drive")
    assert "drive.grand-challenge.org" in str(raised.value) and str(folder) in str(raised.value)
    files = made.vessel_files("drive")
    folder.mkdir(parents=True)
    for part in ("training", "test"):
        inside = {path: data for path, data in files.items() if f"/{part}/" in path}
        (folder / f"{part}.zip").write_bytes(made.zipped(inside))
    data = datasets.load("drive", size=48)
    assert len(data) == 20 and set(data.split) == {"train"} and data.masks.max() == 1


def test_what_came_the_first_time_is_held_to(chase):
    datasets.load("chase", size=48)
    folder = sources.cache_folder("chase")
    (folder / "Image_03L.jpg").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"Image_03L.jpg.*load again"):
        datasets.load("chase", size=48)
    assert len(datasets.load("chase", size=48)) == 28
    (folder / archive.RECORD).unlink()
    with pytest.raises(ValueError, match=r"record of what the data set 'chase' was.*load again"):
        datasets.load("chase", size=48)
    assert len(datasets.load("chase", size=48)) == 28


NOT_THE_SET = {
    "nothing": ("chase", {"readme.txt": b""}, "none of the files"),
    "half": ("chase", dict(list(VESSELS.items())[:30]), "outline instead of at least 28"),
    "no image": ("chase", VESSELS | {"Image_01L.jpg": b"no"}, "cannot be read as an image"),
    "no mask": ("nuclei", {f"stage1_train/{'0' * 64}/images/a.png": b""}, "no picture with a mask"),
    "escape": ("nuclei", {"../stage1_train/a": b""}, "refused because its member"),
}


@pytest.mark.parametrize("case", NOT_THE_SET)
def test_archives_of_something_else_are_answered_in_one_sentence(stick, offline, case):
    name, files, sentence = NOT_THE_SET[case]
    made.mirrored(stick, datasets.card(name).origin, made.zipped(files))
    with pytest.raises(ValueError, match=sentence) as raised:
        datasets.load(name)
    assert "\n" not in str(raised.value)


# ---- course.py data ------------------------------------------------------------------------------


def test_data_lists_every_set(capsys, chase):
    assert commands.main(["data", "fetch", "chase"]) == 0
    assert commands.main(["data"]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    lines = {line.split()[0]: line for line in printed}
    assert set(datasets.names()) <= set(lines)
    assert "cached, 1 MB" in lines["chase"] and "simulated" in lines["smear"]
    assert "yours to supply" in lines["drive"] and " no " in lines["blood"]
    assert "CC BY-NC 4.0" in lines["derma"]


def test_a_mirror_serves_a_machine_without_a_network(stick, tmp_path, monkeypatch, use, chase):
    card, _ = made.medmnist_mirror(stick, "organ")
    use(card)
    monkeypatch.setattr("tools.data.datasets.card", datasets.card)
    folder = sources.supplied_folder(datasets.card("drive"))
    folder.mkdir(parents=True)
    (folder / "drive.zip").write_bytes(made.zipped(made.vessel_files("drive")))
    names = ["organ", "chase", "drive"]
    expected = {name: datasets.load(name, rare=True) for name in names}
    packed = tmp_path / "to the class"
    assert commands.main(["data", "mirror", "--to", str(packed), *names]) == 0
    assert not list(packed.rglob("*.partial"))
    monkeypatch.setenv("MEDLEARN_MIRROR", str(packed))
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "another cache"))
    monkeypatch.setattr(download, "_resolves", lambda address: pytest.fail("it asked the network"))
    for name in names:
        images = datasets.load(name, rare=True).images
        np.testing.assert_array_equal(images, expected[name].images)


def test_a_stick_is_mended_where_another_system_packed_it_otherwise(tmp_path, capsys, chase):
    to = tmp_path / "stick"
    mirror = ["data", "mirror", "--to", str(to), "chase"]
    assert commands.main(mirror) == 0
    packed = to / sources.path_in_mirror(datasets.card("chase").origin)
    whole = packed.read_bytes()
    with zipfile.ZipFile(packed) as archive_:
        assert {entry.create_system for entry in archive_.infolist()} == {3}
        files = {entry: archive_.read(entry) for entry in archive_.namelist()}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive_:
        for name, data in files.items():
            archive_.writestr(name, data)
    assert packed.read_bytes() != whole and commands.main(mirror) == 0
    assert packed.read_bytes() == whole
    made.mirrored(to, datasets.card("chase").origin, made.zipped(files | {"mine": b""}))
    assert commands.main(mirror) == 1 and "may be your own" in capsys.readouterr().err
    packed.write_bytes(whole[: len(whole) // 2])
    assert commands.main(mirror) == 1
    assert "a damaged copy; move it away, and run this again" in capsys.readouterr().err
    packed.unlink()
    assert commands.main(mirror) == 0 and packed.read_bytes() == whole


def test_what_a_user_gets_wrong_is_one_sentence(capsys, chase, tmp_path):
    (tmp_path / "file").write_text("")
    own = made.mirrored(tmp_path / "own", datasets.card("chase").origin, b"my own")
    mistakes = {
        "it may be your own": ["mirror", "--to", str(tmp_path / "own"), "chase"],
        "'smear' is simulated": ["fetch", "smear"],
        "no data set 'organs'; do you mean 'organ'": ["fetch", "organs"],
        "--size must be one of 28, 64, 128, 224; it was 30": ["fetch", "blood", "--size", "30"],
        "given out by its authors": ["fetch", "drive"],
        "cannot be written": ["mirror", "--to", str(tmp_path / "file"), "chase"],
    }
    for sentence, arguments in mistakes.items():
        assert commands.main(["data", *arguments]) == 1
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1 and sentence in printed
    assert own.read_bytes() == b"my own" and len(list(own.parent.iterdir())) == 1
