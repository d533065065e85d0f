"""Data by name: cards, readers on files made here, virtual sets, and the real sets where a mirror holds them."""

import gzip
import io
import os
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.transform import resize

from medlearn import datasets
from medlearn.datasets import _catalogue, _crop, _real
from medlearn.datasets._real_sets import bccd, hippocampus, wbc
from medlearn.datasets._store import verified

REAL = [name for name in datasets.names() if datasets.card(name).kind == "real"]


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


# Cards


def test_every_promised_set_has_a_card():
    assert set(datasets.names()) == {
        "smear",
        "smear-fields",
        "brain-mri",
        "wbc",
        "bccd",
        "hippocampus",
        "pneumonia",
        "breast",
        "retina",
        "blood",
        "path",
        "derma",
        "organ",
        "nuclei",
        "drive",
        "chase",
    }


@pytest.mark.parametrize("name", [name for name in datasets.names() if datasets.card(name).twin])
def test_twins_are_mutual_and_of_the_other_kind(name):
    card = datasets.card(name)
    twin = datasets.card(card.twin)
    assert twin.twin == name and {card.kind, twin.kind} == {"real", "virtual"}


@pytest.mark.parametrize("name", ["smear", "smear-fields"])
def test_twins_share_classes_and_their_order(name):
    assert datasets.card(name).classes == datasets.card(datasets.card(name).twin).classes


@pytest.mark.parametrize("name", ["wbc", "bccd", "hippocampus"])
def test_real_cards_list_every_file(name):
    sums = _catalogue.checksums(name)
    assert len(sums) > 500 and all(len(bytes.fromhex(digest)) == 32 for digest in sums.values())
    assert not any(path.startswith(("/", "..")) or "\\" in path for path in sums)


def test_a_card_reads_as_a_page():
    page = str(datasets.card("wbc"))
    assert "GPL-3.0" in page and "smear" in page and "white background" in page


def test_importing_datasets_stays_cheap():
    heavy = {
        "tensorflow",
        "keras",
        "torch",
        "nilearn",
        "nibabel",
        "pandas",
        "medlearn.instruments.smear",
    }
    code = f"import sys, medlearn.datasets; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


# ---- wrong arguments ---------------------------------------------------------------------------------


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
        ({"count": 0}, "count must be.*0"),
        ({"size": 8}, "size must be.*8"),
        ({"seed": None}, "seed must be.*None"),
        ({"workers": 0}, "workers must be.*0"),
    ],
)
def test_wrong_arguments_are_answered_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        datasets.load("smear", **arguments)


# Images


def test_the_crop_is_central_and_keeps_the_aspect():
    image = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    assert np.array_equal(_crop.square(image, 40), image[:, 15:55])
    assert np.array_equal(
        _crop.square(image.transpose(1, 0, 2), 40), image.transpose(1, 0, 2)[15:55]
    )
    assert _crop.square(image, None) is image


def test_reduction_does_not_alias_and_agrees_with_scikit_image():
    fine = np.indices((256, 256)).sum(0) % 2 * 255
    grey = _crop.square(fine.astype(np.uint8), 64).astype(int)
    assert np.abs(grey - 127).max() <= 4  # a checkerboard becomes grey
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
def test_boxes_go_where_their_pixels_go(y, x, tall, wide, size):
    mask = np.zeros((80, 110), np.uint8)
    mask[y : y + tall, x : x + wide] = 1
    box = np.array([[y, x, min(y + tall, 80), min(x + wide, 110), 2]], float)
    moved = _crop.square_boxes(box, 80, 110, size)
    centre = (box[0, 1] + box[0, 3]) / 2
    assert len(moved) == (15 <= centre < 95)
    if len(moved):
        ys, xs = np.nonzero(_crop.square(mask, size, labels=True))
        painted = np.array([ys.min(), xs.min(), ys.max() + 1, xs.max() + 1])
        assert np.abs(moved[0, :4] - painted).max() <= 1 and moved[0, 4] == 2


def test_spacing_follows_the_size():
    assert np.allclose(_crop.square_spacing(np.array([[1.0, 2.0]]), 40, 70, 80), [[0.5, 1.0]])
    assert np.allclose(_crop.square_spacing(np.array([[1.0, 2.0]]), 40, 70, None), [[1.0, 2.0]])


# Readers, on files made here


def made_wbc():
    """Twelve neutrophils and two basophils in lab-a, ten lymphocytes in lab-b; images 268 and 112, 139 among them."""
    files = {}
    for folder, cells in (
        ("Dataset 1", {**dict.fromkeys((*range(1, 10), 112, 139, 268), 1), 50: 5, 51: 5}),
        ("Dataset 2", dict.fromkeys(range(1, 11), 2)),
    ):
        files[f"Class Labels of {folder}.csv"] = "\n".join(
            ["image ID,class label", *(f"{c},{label}" for c, label in cells.items())]
        ).encode()
        for cell in cells:
            mask = np.zeros((40, 50), np.uint8)
            mask[10:30, 10:40], mask[15:25, 20:30] = 128, 255
            files[f"{folder}/{cell:03d}.bmp"] = png(np.full((40, 50, 3), cell % 256, np.uint8))
            files[f"{folder}/{cell:03d}.png"] = png(mask)
    return files


@pytest.fixture
def no_disk(monkeypatch):
    files = made_wbc()
    monkeypatch.setattr(verified, "files", lambda card, checksums: files)
    monkeypatch.setattr(_real, "_printed", set())


def test_rare_classes_are_left_out_and_said_so_once(no_disk, capsys):
    cells = datasets.load("wbc")
    assert np.bincount(cells.labels).tolist() == [12, 10] and "basophil" in cells.classes
    datasets.load("wbc")
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "GPL-3.0" in out and "basophil (2)" in out
    assert np.bincount(datasets.load("wbc", rare=True).labels).tolist() == [12, 10, 0, 0, 2]


def test_repeated_images_share_a_patient_and_doubts_are_noted(no_disk):
    cells = datasets.load("wbc", domain="lab-a", size=40)
    by_file = {name[-7:-4]: i for i, name in enumerate(cells.facts["file"])}
    assert cells.patients[by_file["112"]] == cells.patients[by_file["139"]] == "lab-a-112+139"
    assert len(np.unique(cells.patients)) == 11 and not cells.patients_known
    assert cells.facts["note"][by_file["268"]] == "doubtful label; white background"
    assert cells.facts["note"][by_file["001"]] == ""
    assert (cells.images[by_file["112"]] == 112).all()
    assert np.bincount(cells.masks[0].ravel()).tolist() == [1600 - 600, 500, 100]


def test_count_is_at_most_and_the_seed_chooses(no_disk):
    some = datasets.load("wbc", count=6, seed=1).facts["file"]
    assert len(some) == 6 and len(datasets.load("wbc", count=1000)) == 22
    assert np.array_equal(some, datasets.load("wbc", count=6, seed=1).facts["file"])
    assert not np.array_equal(some, datasets.load("wbc", count=6, seed=2).facts["file"])
    assert set(some) < set(datasets.load("wbc", count=12, seed=1).facts["file"])


def test_stray_greys_become_the_nearest_class():
    assert wbc.mask_classes(np.array([0, 9, 63, 64, 128, 191, 192, 255])).tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
    ]


def test_boxes_count_from_zero_and_need_an_area():
    def thing(name, *box):
        corners = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box))
        return f"<object><name>{name}</name><bndbox>{corners}</bndbox></object>"

    things = (
        thing("WBC", 1, 2, 30, 40)
        + thing("RBC", 504, 337, 504, 337)
        + thing("Platelets", 5, 6, 7, 8)
    )
    assert bccd.boxes(f"<a>{things}</a>".encode()).tolist() == [[1, 0, 40, 30, 1], [5, 4, 8, 7, 2]]
    assert bccd.boxes(b"<a/>").shape == (0, 5)


def nifti(volume, affine):
    return gzip.compress(nibabel.Nifti1Image(volume, affine).to_bytes())


@pytest.mark.parametrize("flipped", [False, True])
def test_slices_stand_upright_whatever_the_storage_order(flipped):
    volume, truth = np.zeros((20, 30, 24), np.float32), np.zeros((20, 30, 24), np.float32)
    volume[:, :, 18:] = 500  # superior is bright
    truth[14:, :, :] = 2  # the patient's right
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    if flipped:
        volume, truth, affine = volume[::-1], truth[::-1], affine @ np.diag([-1, 1, 1, 1.0])
    names = [f"data/TrainingSet/{kind}/hippocampus_007.nii.gz" for kind in ("images", "labels")]
    files = dict(zip(names, (nifti(volume, affine), nifti(truth, affine))))
    columns = hippocampus.index(datasets.card("hippocampus"), files)
    read = hippocampus.read(columns, files, 40)
    assert read["images"].shape == (6, 40, 40, 3) and set(columns["patients"]) == {
        "hippocampus-007+008"
    }
    assert (read["images"][:, :5] == 255).all() and (read["images"][:, 12:] == 0).all()
    assert (read["masks"][:, :, :11] == 2).all() and (read["masks"][:, :, 13:] == 0).all()
    assert np.allclose(read["spacing"], [1.0, 0.5])  # 20 voxels of 2 x 1 mm became 40 pixels


def test_windowing_forgets_the_unit_but_not_the_order():
    volume = np.random.default_rng(0).normal(size=(9, 9, 9))
    grey = hippocampus.windowed(volume)
    assert np.array_equal(grey, hippocampus.windowed(1000 * volume + 77)) and (
        grey.min(),
        grey.max(),
    ) == (0, 255)
    assert (np.diff(grey.ravel()[np.argsort(volume.ravel())].astype(int)) >= 0).all()
    assert (hippocampus.windowed(np.ones((3, 3, 3))) == 0).all()


# Real sets


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    if not os.environ.get("MEDLEARN_MIRROR"):
        pytest.skip("MEDLEARN_MIRROR does not say where the real sets are")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def one_side(data, groups):
    """Whether no patient occurs in two of the groups."""
    sets = [set(data.patients[data.split == group]) for group in groups]
    return not any(a & b for i, a in enumerate(sets) for b in sets[:i])


def test_real_wbc(mirror):
    cells = datasets.load("wbc")
    assert np.bincount(cells.labels).tolist() == [176 + 33, 53 + 37, 48 + 15, 22 + 12]
    assert (
        cells.images.shape == (396, 128, 128, 3)
        and cells.twin == "smear"
        and np.isnan(cells.spacing).all()
    )
    lab_a = cells.take(cells.domains == "lab-a")
    assert len(lab_a) == 299 and len(np.unique(lab_a.patients)) == 295
    assert set(np.unique(cells.masks)) == {0, 1, 2} and all(
        (mask == 2).any() for mask in cells.masks
    )
    white = np.array(["white" in note for note in lab_a.facts["note"]])
    assert np.allclose(
        [white[lab_a.labels == c].mean() for c in range(4)], [0.415, 0.113, 0.188, 0.5], atol=1e-3
    )
    corners = lab_a.images[:, [0, 0, -1, -1], [0, -1, 0, -1], 2].mean(1)  # blue: yellow lacks it
    assert np.median(corners[white]) > np.median(corners[~white]) + 50
    same = lab_a.patients == "lab-a-112+139"
    assert same.sum() == 2 and np.ptp(lab_a.images[same].astype(int), axis=0).max() == 0


def test_real_bccd(mirror):
    fields = datasets.load("bccd")
    assert (
        fields.images.shape == (364, 480, 640, 3) and fields.labels is None and fields.masks is None
    )
    assert [int((fields.split == part).sum()) for part in ("train", "val", "test")] == [205, 87, 72]
    boxes = np.concatenate(fields.boxes)
    assert np.bincount(boxes[:, 4].astype(int)).tolist() == [4155 - 2, 372, 361]
    assert (
        (boxes[:, 2:4] > boxes[:, :2]).all()
        and (boxes[:, :2] >= 0).all()
        and (boxes[:, 2:4] <= [480, 640]).all()
    )
    assert not one_side(fields, ["train", "test"]), (
        "the official split leaks, and the patients show it"
    )
    assert datasets.load("bccd", count=3, size=320).images.shape == (3, 320, 320, 3)


def test_real_hippocampus(mirror):
    slices = datasets.load("hippocampus")
    assert (
        slices.images.shape == (1560, 64, 64, 3) and slices.labels is None and slices.patients_known
    )
    assert len(np.unique(slices.facts["case"])) == 260 and len(np.unique(slices.patients)) == 170
    assert set(np.unique(slices.masks)) == {0, 1, 2}
    front = slices.facts["position"] > 0.7
    assert (slices.masks[front] == 1).sum() > 20 * (
        slices.masks[front] == 2
    ).sum()  # the head lies in front
    assert (slices.spacing > 0.3).all() and (slices.spacing < 0.8).all()
    assert len(datasets.load("hippocampus", count=7)) == 7
