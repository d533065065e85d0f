"""Data by name: cards, the central square, and the first real sets, made here or from a mirror."""

import gzip
import os
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_files import encoded
from skimage.transform import resize

from medlearn import datasets
from medlearn.datasets import _catalogue, _crop, _real
from medlearn.datasets._real_sets import bccd, hippocampus, wbc
from medlearn.datasets._store import verified

VIRTUAL = {"smear", "smear-fields", "brain-mri"}
REAL = {"wbc", "bccd", "hippocampus", "nuclei", "drive", "chase"}
MEDMNIST = {"pneumonia", "breast", "retina", "blood", "path", "derma", "organ"}

# ---- cards ---------------------------------------------------------------------------------------


def test_every_promised_set_has_a_card_and_twins_fit_each_other():
    assert set(datasets.names()) == VIRTUAL | REAL | MEDMNIST
    for card in map(datasets.card, datasets.names()):
        if not card.twin:
            continue
        twin = datasets.card(card.twin)
        assert twin.twin == card.name and {card.kind, twin.kind} == {"real", "virtual"}
        if card.classes and twin.classes:
            assert card.classes == twin.classes


def test_real_cards_list_every_file():
    for name in ("wbc", "bccd", "hippocampus"):
        checksums = _catalogue.checksums(name)
        assert len(checksums) > 500
        assert all(len(bytes.fromhex(digest)) == 32 for digest in checksums.values())
        assert not any(path.startswith(("/", "..")) or "\\" in path for path in checksums)


def test_a_card_reads_as_a_page():
    page = str(datasets.card("wbc"))
    assert "GPL-3.0" in page and "smear" in page and "white background" in page


def test_importing_datasets_stays_cheap():
    heavy = {"tensorflow", "keras", "torch", "nilearn", "nibabel", "pandas"}
    heavy.add("medlearn.instruments.smear")
    code = f"import sys, medlearn.datasets; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "[]"


# ---- wrong arguments -----------------------------------------------------------------------------


def test_a_wrong_name_is_answered_with_the_nearest():
    for wrong, near in [("smaer", "smear"), ("WBC", "wbc"), ("brain_mri", "brain-mri")]:
        with pytest.raises(ValueError, match=f"no data set '{wrong}'; do you mean '{near}'"):
            datasets.load(wrong)
    with pytest.raises(ValueError, match="there are bccd, blood, brain-mri"):
        datasets.card("0123456789")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"domain": "lab-c"}, "'smear' has no domain 'lab-c'; do you mean 'lab-b'"),
        ({"count": 0}, "count must be"),
        ({"size": 8}, "size must be"),
        ({"seed": None}, "seed must be"),
        ({"workers": 0}, "workers must be"),
    ],
)
def test_wrong_arguments_are_answered_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        datasets.load("smear", **arguments)


# ---- the central square --------------------------------------------------------------------------


def test_the_crop_is_central_and_keeps_the_aspect():
    image = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    upright = image.transpose(1, 0, 2)
    np.testing.assert_array_equal(_crop.square(image, 40), image[:, 15:55])
    np.testing.assert_array_equal(_crop.square(upright, 40), upright[15:55])
    assert _crop.square(image, None) is image


def test_reduction_does_not_alias_and_agrees_with_scikit_image():
    checkerboard = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    assert np.abs(_crop.square(checkerboard, 64).astype(int) - 127).max() <= 4  # it becomes grey
    smooth = (np.indices((256, 256)).sum(0) / 2).astype(np.uint8)
    expected = resize(smooth, (64, 64), order=1, anti_aliasing=True, preserve_range=True)
    assert np.abs(_crop.square(smooth, 64)[2:-2, 2:-2] - expected[2:-2, 2:-2]).max() <= 2


@given(st.integers(40, 90), st.integers(40, 90), st.integers(32, 200), st.integers(0, 10**6))
def test_masks_get_no_new_classes(height, width, size, seed):
    mask = np.random.default_rng(seed).choice(np.array([0, 2], np.uint8), (height, width))
    assert set(np.unique(_crop.square(mask, size, labels=True))) <= {0, 2}


@given(
    st.integers(0, 60),
    st.integers(0, 90),
    st.integers(8, 30),
    st.integers(8, 30),
    st.integers(32, 200),
)
def test_boxes_go_where_their_pixels_go(y, x, height, width, size):
    mask = np.zeros((80, 110), np.uint8)
    mask[y : y + height, x : x + width] = 1
    box = np.array([[y, x, min(y + height, 80), min(x + width, 110), 2]], float)
    moved = _crop.square_boxes(box, 80, 110, size)
    assert len(moved) == (15 <= (box[0, 1] + box[0, 3]) / 2 < 95)
    if len(moved):
        ys, xs = np.nonzero(_crop.square(mask, size, labels=True))
        painted = np.array([ys.min(), xs.min(), ys.max() + 1, xs.max() + 1])
        assert np.abs(moved[0, :4] - painted).max() <= 1 and moved[0, 4] == 2


def test_spacing_follows_the_size():
    spacing = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(_crop.square_spacing(spacing, 40, 70, 80), [[0.5, 1.0]])
    assert _crop.square_spacing(spacing, 40, 70, None) is spacing


# ---- formats of real sets, on files made here ----------------------------------------------------


def made_wbc():
    """12 neutrophils (112, 139, 268 too) and 2 basophils of lab-a, 10 lymphocytes of lab-b."""
    neutrophils = (*range(1, 10), 112, 139, 268)
    cells_of = {
        "Dataset 1": dict.fromkeys(neutrophils, 1) | {50: 5, 51: 5},
        "Dataset 2": dict.fromkeys(range(1, 11), 2),
    }
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:40], mask[15:25, 20:30] = 128, 255
    files = {}
    for folder, cells in cells_of.items():
        lines = ["image ID,class label", *(f"{cell},{label}" for cell, label in cells.items())]
        files[f"Class Labels of {folder}.csv"] = "\n".join(lines).encode()
        for cell in cells:
            image = np.full((40, 50, 3), cell % 256, np.uint8)
            files[f"{folder}/{cell:03d}.bmp"] = encoded(image)
            files[f"{folder}/{cell:03d}.png"] = encoded(mask)
    return files


@pytest.fixture
def serve(monkeypatch):
    """`serve(files)` makes every real set consist of these files."""
    monkeypatch.setattr(_real, "_printed", set())

    def replace(files):
        monkeypatch.setattr(verified, "files", lambda card, checksums: files)

    return replace


def test_rare_classes_are_left_out_and_the_licence_is_printed_once(serve, capsys):
    serve(made_wbc())
    cells = datasets.load("wbc")
    assert np.bincount(cells.labels).tolist() == [12, 10] and "basophil" in cells.classes
    datasets.load("wbc")
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "GPL-3.0" in out and "basophil (2)" in out
    assert np.bincount(datasets.load("wbc", rare=True).labels).tolist() == [12, 10, 0, 0, 2]


def test_repeated_images_share_a_patient_and_doubts_are_noted(serve):
    serve(made_wbc())
    cells = datasets.load("wbc", domain="lab-a", size=40)
    index = {name[-7:-4]: number for number, name in enumerate(cells.facts["file"])}
    assert cells.patients[index["112"]] == cells.patients[index["139"]] == "lab-a-112+139"
    assert len(np.unique(cells.patients)) == 11 and not cells.patients_known
    assert cells.facts["note"][index["268"]] == "doubtful label; white background"
    assert cells.facts["note"][index["001"]] == ""
    assert (cells.images[index["112"]] == 112).all()
    assert np.bincount(cells.masks[0].ravel()).tolist() == [1600 - 600, 500, 100]
    stray = np.array([0, 9, 63, 64, 128, 191, 192, 255])
    assert wbc.mask_classes(stray).tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_count_is_at_most_and_the_seed_chooses(serve):
    serve(made_wbc())
    first, again, other = (
        datasets.load("wbc", count=6, seed=seed).facts["file"].tolist() for seed in (1, 1, 2)
    )
    assert len(first) == 6 and first == again != other
    assert set(first) < set(datasets.load("wbc", count=12, seed=1).facts["file"])
    assert len(datasets.load("wbc", count=1000)) == 22


def voc_object(name, *corners):
    edges = zip(("xmin", "ymin", "xmax", "ymax"), corners)
    box = "".join(f"<{edge}>{value}</{edge}>" for edge, value in edges)
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


def test_fields_come_with_their_boxes_and_share_patients(serve):
    annotation = "".join(
        [
            voc_object("WBC", 1, 2, 30, 40),
            voc_object("RBC", 504, 337, 504, 337),  # it has no area
            voc_object("Platelets", 5, 6, 7, 8),
        ]
    )
    shared = datasets.card("bccd").details["same_field"][0][:2]
    names = {"train": shared[0], "val": 1, "test": shared[1]}
    files = {}
    for split, number in names.items():
        name = f"BloodImage_{number:05d}"
        files[f"BCCD/ImageSets/Main/{split}.txt"] = f"{name}\n".encode()
        files[f"BCCD/JPEGImages/{name}.jpg"] = encoded(np.full((48, 64, 3), 90, np.uint8))
        files[f"BCCD/Annotations/{name}.xml"] = f"<a>{annotation}</a>".encode()
    serve(files)
    fields = datasets.load("bccd")
    assert fields.images.shape == (3, 48, 64, 3) and np.isnan(fields.spacing).all()
    assert fields.boxes[0].tolist() == [[1, 0, 40, 30, 1], [5, 4, 8, 7, 2]]  # counted from zero
    patients = dict(zip(fields.split, fields.patients))
    assert patients["train"] == patients["test"] != patients["val"]
    assert bccd.boxes(b"<a/>").shape == (0, 5)


@pytest.mark.parametrize("flipped", [False, True])
def test_slices_stand_upright_whatever_the_storage_order(flipped):
    volume, truth = np.zeros((2, 20, 30, 24), np.float32)
    volume[:, :, 18:] = 500  # superior is bright
    truth[14:, :, :] = 2  # the patient's right
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    if flipped:
        volume, truth, affine = volume[::-1], truth[::-1], affine @ np.diag([-1, 1, 1, 1.0])
    files = {}
    for folder, values in {"images": volume, "labels": truth}.items():
        data = gzip.compress(nibabel.Nifti1Image(values, affine).to_bytes())
        files[f"data/TrainingSet/{folder}/hippocampus_007.nii.gz"] = data
    columns = hippocampus.index(datasets.card("hippocampus"), files)
    read = hippocampus.read(columns, files, 40)
    assert read["images"].shape == (6, 40, 40, 3)
    assert set(columns["patients"]) == {"hippocampus-007+008"}
    assert (read["images"][:, :5] == 255).all() and (read["images"][:, 12:] == 0).all()
    assert (read["masks"][:, :, :11] == 2).all() and (read["masks"][:, :, 13:] == 0).all()
    assert np.allclose(read["spacing"], [1.0, 0.5])  # 20 voxels of 2 x 1 mm became 40 pixels


def test_windowing_forgets_the_unit_but_not_the_order():
    volume = np.random.default_rng(0).normal(size=(9, 9, 9))
    grey = hippocampus.windowed(volume)
    np.testing.assert_array_equal(grey, hippocampus.windowed(1000 * volume + 77))
    assert grey.min() == 0 and grey.max() == 255
    assert (np.diff(grey.ravel()[np.argsort(volume.ravel())].astype(int)) >= 0).all()
    assert (hippocampus.windowed(np.ones((3, 3, 3))) == 0).all()


# ---- the true files, where a mirror holds them ---------------------------------------------------


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    if not os.environ.get("MEDLEARN_MIRROR"):
        pytest.skip("MEDLEARN_MIRROR does not say where the real sets are")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.slow
def test_real_wbc(mirror):
    cells = datasets.load("wbc")
    assert np.bincount(cells.labels).tolist() == [176 + 33, 53 + 37, 48 + 15, 22 + 12]
    assert cells.images.shape == (396, 128, 128, 3) and cells.twin == "smear"
    assert np.isnan(cells.spacing).all()
    lab_a = cells.take(cells.domains == "lab-a")
    assert len(lab_a) == 299 and len(np.unique(lab_a.patients)) == 295
    assert set(np.unique(cells.masks)) == {0, 1, 2}
    assert all((mask == 2).any() for mask in cells.masks)
    white = np.array(["white" in note for note in lab_a.facts["note"]])
    shares = [white[lab_a.labels == label].mean() for label in range(4)]
    np.testing.assert_allclose(shares, [0.415, 0.113, 0.188, 0.5], atol=1e-3)
    corners = lab_a.images[:, [0, 0, -1, -1], [0, -1, 0, -1], 2].mean(1)  # blue: yellow lacks it
    assert np.median(corners[white]) > np.median(corners[~white]) + 50
    same = lab_a.images[lab_a.patients == "lab-a-112+139"]
    assert len(same) == 2 and (same[0] == same[1]).all()


@pytest.mark.slow
def test_real_bccd(mirror):
    fields = datasets.load("bccd")
    assert fields.images.shape == (364, 480, 640, 3)
    assert fields.labels is None and fields.masks is None
    counts = [int((fields.split == split).sum()) for split in ("train", "val", "test")]
    assert counts == [205, 87, 72]
    boxes = np.concatenate(fields.boxes)
    assert np.bincount(boxes[:, 4].astype(int)).tolist() == [4155 - 2, 372, 361]
    assert (boxes[:, 2:4] > boxes[:, :2]).all() and (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:4] <= [480, 640]).all()
    patients = {split: set(fields.patients[fields.split == split]) for split in ("train", "test")}
    assert patients["train"] & patients["test"], "the official split leaks, and patients show it"
    assert datasets.load("bccd", count=3, size=320).images.shape == (3, 320, 320, 3)


@pytest.mark.slow
def test_real_hippocampus(mirror):
    slices = datasets.load("hippocampus")
    assert slices.images.shape == (1560, 64, 64, 3) and slices.labels is None
    assert slices.patients_known and len(np.unique(slices.patients)) == 170
    assert len(np.unique(slices.facts["case"])) == 260
    assert set(np.unique(slices.masks)) == {0, 1, 2}
    front = slices.masks[slices.facts["position"] > 0.7]
    assert (front == 1).sum() > 20 * (front == 2).sum()  # the head lies in front
    assert (slices.spacing > 0.3).all() and (slices.spacing < 0.8).all()
    assert len(datasets.load("hippocampus", count=7)) == 7


def test_real_hippocampus_as_volumes(mirror):
    volumes = datasets.load_volumes("hippocampus", count=3)
    assert volumes.spacing.tolist() == [[1, 1, 1]] * 3 and len(volumes.facts["case"]) == 3
    for image, mask in zip(volumes.images, volumes.masks):
        assert set(np.unique(mask)) == {0, 1, 2} and image.min() == 0 and image.max() == 255
        front, back = (np.argwhere(mask == index)[:, 1].mean() for index in (1, 2))
        assert front + 5 < back  # the head lies in front, and y runs from front to back
    coarse = datasets.load_volumes("hippocampus", count=3, spacing=(2, 1, 1))
    heights = [len(image) for image in volumes.images]
    assert [len(image) for image in coarse.images] == [
        round(height / 2 - 0.1) for height in heights
    ]
