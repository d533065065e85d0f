"""The one table: what it accepts, `take`, and a data set made of arrays."""

import dataclasses

import numpy as np
import pytest

from medlearn import datasets
from medlearn._dataset import joined


def made(count=5, **changes):
    columns = {
        "name": "made",
        "patients_known": True,
        "images": np.arange(count * 12, dtype=np.uint8).reshape(count, 2, 2, 3),
        "patients": np.array([f"p{number}" for number in range(count)]),
        "domains": np.full(count, "lab"),
        "spacing": np.full((count, 2), np.nan),
        "labels": np.arange(count),
        "boxes": [np.full((number, 5), number, float) for number in range(count)],
        "facts": {"age": np.arange(count) * 10},
    }
    return datasets.Dataset(**columns | changes)


# ---- Dataset ----


@pytest.mark.parametrize(
    "indices", [[3, 0, 0], np.array([0, 1, 0, 1, 0], bool), slice(1, 3), np.array([], int)]
)
def test_take_moves_every_column_alike(indices):
    rows = np.arange(5)[indices]
    taken = made().take(indices)
    assert len(taken) == len(rows) and taken.masks is None and taken.split is None
    np.testing.assert_array_equal(taken.images, made().images[rows])
    np.testing.assert_array_equal(taken.labels, rows)
    np.testing.assert_array_equal(taken.facts["age"], rows * 10)
    assert [len(boxes) for boxes in taken.boxes] == rows.tolist()
    assert taken.patients.tolist() == [f"p{row}" for row in rows]


def test_take_expects_one_dimension_and_rows_that_exist():
    with pytest.raises(ValueError, match="one-dimensional"):
        made().take([[0, 1]])
    with pytest.raises(IndexError):
        made().take([5])


def test_joined_is_the_opposite_of_take():
    whole = made()
    again = joined([whole.take([0, 1]), whole.take([]), whole.take([2, 3, 4])])
    assert again.name == "made" and again.masks is None
    np.testing.assert_array_equal(again.images, whole.images)
    np.testing.assert_array_equal(again.facts["age"], whole.facts["age"])
    assert list(map(len, again.boxes)) == list(map(len, whole.boxes))


@pytest.mark.parametrize("column", ["labels", "boxes", "facts"])
def test_a_column_of_another_length_is_refused(column):
    with pytest.raises(ValueError, match="4 entries for 5 images"):
        made(**{column: {"age": np.zeros(4)} if column == "facts" else [0] * 4})


def test_a_dataset_is_frozen_and_describes_itself():
    with pytest.raises(dataclasses.FrozenInstanceError):
        made().labels = None
    text = "Dataset('made': images 5 x 2 x 2 x 3, labels, boxes, 5 patients, domains lab)"
    assert repr(made()) == text
    many = made(20, domains=np.array([f"lab-{number}" for number in range(20)]))
    assert repr(many).endswith("20 patients, 20 domains)")


# ---- from_arrays ----

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)


def test_images_alone_make_a_dataset():
    data = datasets.from_arrays(IMAGES)
    assert data.images is IMAGES and data.labels is None and data.classes == ()
    assert len(set(data.patients)) == 4 and not data.patients_known
    assert set(data.domains) == {"one site"} and np.isnan(data.spacing).all()
    assert data.spacing.shape == (4, 2) and data.name == "own data"


def test_every_column_is_taken_over():
    masks = np.zeros((4, 6, 8), int)
    masks[:, 2, 3] = 2
    data = datasets.from_arrays(
        np.clip(IMAGES + 0.2, 0, 255),
        [1, 0, 0, 1],
        classes=["well", "ill"],
        patients=[7, 7, 8, 9],
        domains="north",
        spacing=[0.5, 0.25],
        masks=masks,
        boxes=[[[0, 0, 6, 8, 1]], [], [], [[1, 1, 2, 2, 0], [2, 2, 3, 3, 1]]],
        name="mine",
    )
    np.testing.assert_array_equal(data.images, IMAGES)
    assert data.images.dtype == data.masks.dtype == np.uint8 and data.labels.dtype == np.int64
    assert data.labels.tolist() == [1, 0, 0, 1] and data.classes == ("well", "ill")
    assert data.patients.tolist() == ["7", "7", "8", "9"] and data.patients_known
    assert data.mask_classes == ("background", "1", "2") and set(data.domains) == {"north"}
    assert data.spacing.tolist() == [[0.5, 0.25]] * 4
    assert [boxes.shape for boxes in data.boxes] == [(1, 5), (0, 5), (0, 5), (2, 5)]
    assert len(data.take([0, 3]).boxes[1]) == 2


LABELS = [
    (["b", "a", "b", "b"], None, [1, 0, 1, 1], ("a", "b")),
    (["b", "a", "b", "b"], ["b", "c", "a"], [0, 2, 0, 0], ("b", "c", "a")),
    (np.array(["b", "a", "b", "b"], object), None, [1, 0, 1, 1], ("a", "b")),
    ([2, 0, 2, 2], None, [2, 0, 2, 2], ("0", "1", "2")),
    ([1.0, 0.0, 1.0, 1.0], ["no", "yes"], [1, 0, 1, 1], ("no", "yes")),
    ([True, False, True, True], None, [1, 0, 1, 1], ("0", "1")),
]


def test_labels_may_be_names_or_indices():
    for labels, classes, indices, names in LABELS:
        data = datasets.from_arrays(IMAGES, labels, classes=classes)
        assert data.labels.tolist() == indices and data.classes == names


def test_boxes_alone_name_their_classes():
    data = datasets.from_arrays(IMAGES, boxes=[[[0, 0, 1, 1, 1]], [], [], []])
    assert data.classes == ("0", "1")


MISFITS = [
    ({"labels": [0, 1]}, "labels has 2 entries for 4 images"),
    ({"labels": ["a", "b", None, None]}, "labels holds 2 missing among 4 entries"),
    ({"labels": ["a", "b", "c", "a"], "classes": ["a", "b"]}, "no class 'c'"),
    ({"labels": [0, 1, 2, 3], "classes": ["a", "b"]}, "2 classes have the indices 0 to 1"),
    ({"labels": [0, 0.5, 1, 1]}, "labels holds 0.5"),
    ({"labels": [-1, 0, 1, 1]}, "labels holds -1"),
    ({"classes": ["a", "a"]}, "a name twice"),
    ({"patients": ["p", "", "q", " "]}, "patients has 2 empty ids"),
    ({"spacing": [1, 2, 3]}, r"spacing .* the shape is \(3,\)"),
    ({"spacing": 0}, "above 0"),
    ({"masks": np.zeros((4, 8, 6), int)}, r"masks .* shape \(4, 6, 8\)"),
    ({"masks": np.zeros((4, 6, 8))}, "whole numbers"),
    ({"masks": np.full((4, 6, 8), 255)}, "divide them by 255"),
    ({"masks": np.full((4, 6, 8), 2), "mask_classes": ["no", "yes"]}, "values 0 to 1"),
    ({"boxes": [[], [], [[0, 0, 1, 1]], []]}, r"boxes of image 2 .* \(k, 5\)"),
    ({"boxes": [[], [[0, 0, 7, 8, 0]], [], []]}, "Image 1 of 6 x 8 pixels has the box"),
    ({"boxes": [[[2, 2, 2, 4, 0]], [], [], []]}, "y0 < y1"),
    ({"boxes": [[[0, 0, 1, 1, 1]], [], [], []], "classes": ["a"]}, "boxes holds 1"),
]


def test_arrays_that_do_not_fit_are_refused():
    for columns, words in MISFITS:
        with pytest.raises(ValueError, match=words):
            datasets.from_arrays(IMAGES, **columns)


def test_images_follow_the_rule_of_the_package():
    with pytest.raises(ValueError, match="images"):
        datasets.from_arrays(IMAGES / 255)
