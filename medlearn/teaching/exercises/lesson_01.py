"""Lesson 01: lengths in millimetres, a leak detector, and a split to be mended."""

import numpy as np

from medlearn.teaching import _leaky_files
from medlearn.teaching.exercises._forms import Condition, Function

_FILES, _PERSON, _ = _leaky_files.rows()
_WARD = np.array(["a", "a", "a", "b", "c", "c", "d", "e"])


def _in_pixels(first, second, spacing):
    return np.hypot(second[0] - first[0], second[1] - first[1])


def _one_factor(first, second, spacing):
    return _in_pixels(first, second, spacing) * spacing[0]


def _swapped(first, second, spacing):
    return np.hypot((second[0] - first[0]) * spacing[1], (second[1] - first[1]) * spacing[0])


def _added(first, second, spacing):
    return abs(second[0] - first[0]) * spacing[0] + abs(second[1] - first[1]) * spacing[1]


def _share_of_patients(patients, train, test):
    return len(set(patients[train]) & set(patients[test])) / len(set(patients[test]))


def _share_of_training(patients, train, test):
    return np.isin(patients[train], patients[test]).mean()


def _share_of_indices(patients, train, test):
    return np.isin(test, train).mean()


def _number_of_images(patients, train, test):
    return np.isin(patients[test], patients[train]).sum()


def _as_one_spelling(patients):
    return [patient.lower().replace("-", "") for patient in patients]


def _split_by(groups):
    """A split that keeps groups whole; every fourth group is in the test."""
    _, group = np.unique(groups, return_inverse=True)
    return np.where(group % 4 == 2, "test", "train").tolist()


def _parts(groups, split):
    """Whether a group has files on both sides."""
    sides = set(zip(groups, split, strict=True))
    return len(sides) > len(set(groups))


def _as_list(answer):
    return [str(text).strip().lower() for text in answer]


def _is_no_list(answer):
    if isinstance(answer, str) or len(answer) != len(_FILES):
        return True
    return not set(_as_list(answer)) <= {"train", "test"}


def _has_other_size(answer):
    share = np.mean(np.array(_as_list(answer)) == "test")
    return not 0.2 <= share <= 0.5


def _parts_patients(answer):
    return _parts(_FILES["patient"], _as_list(answer))


def _parts_spellings(answer):
    return _parts(_as_one_spelling(_FILES["patient"]), _as_list(answer))


def _parts_copies(answer):
    return _parts(_PERSON, _as_list(answer))


def _is_mended(answer):
    is_complete = not _is_no_list(answer) and not _has_other_size(answer)
    return is_complete and not _parts_copies(answer)


EXERCISES = [
    Function(
        id="01.1",
        name="length_mm",
        cases=[
            (((0, 0), (3, 4), (1.0, 1.0)), 5.0),
            (((2, 1), (5, 5), (5.0, 2.0)), 17.0),
            (((9, 9), (9, 4), (3.0, 0.5)), 2.5),
            (((7, 2), (1, 2), (0.7, 9.0)), 4.2),
            (((10, 20), (4, 12), (0.5, 0.75)), 45**0.5),
        ],
        wrong=[
            (_in_pixels, "That is a length in pixels; the spacing is not used."),
            (_one_factor, "One factor for both directions is right for square pixels only."),
            (
                _swapped,
                "The two spacings are swapped: the first belongs to the rows, that is, downwards.",
            ),
            (
                _added,
                "That is the way along the rows and the columns; the straight line is shorter.",
            ),
        ],
        hints=[
            "How many mm down, how many mm to the right?",
            "Three rows at 5 mm from row to row: how far down is that? Then the straight line.",
        ],
    ),
    Function(
        id="01.2",
        name="leaked",
        cases=[
            ((_WARD, np.array([0, 3, 4, 7]), np.array([1, 2, 5, 6])), 0.75),
            ((_WARD, np.array([0, 1, 2]), np.array([3, 6])), 0.0),
            ((_WARD, np.array([6, 0]), np.array([1, 3, 7])), 1 / 3),
            ((_WARD, np.array([4]), np.array([5])), 1.0),
        ],
        wrong=[
            (
                _share_of_patients,
                "That is the share of the test patients; a patient with many images counts more "
                "among the images.",
            ),
            (
                _share_of_training,
                "That is the share of the training images; look from the test's side.",
            ),
            (
                _share_of_indices,
                "That compares the indices of images; two images of one patient have different "
                "indices.",
            ),
            (_number_of_images, "That is a number of images; a share is asked for."),
        ],
        hints=[
            "Which patient does each test image belong to?",
            "`np.isin(a, b)` says of each entry of `a` whether it is in `b`.",
        ],
    ),
    Condition(
        id="01.3",
        name="mended_split",
        test=_is_mended,
        wrong=[
            (
                ["test"] * 3,
                _is_no_list,
                'One text per file is needed, in the order of the table: "train" or "test".',
            ),
            (
                ["train"] * len(_FILES),
                _has_other_size,
                "A fifth to a half of the files belong into the test.",
            ),
            (
                _FILES["split"].tolist(),
                _parts_patients,
                "A patient still has files on both sides; your `leaked` finds them.",
            ),
            (
                _split_by(_FILES["patient"].tolist()),
                _parts_spellings,
                "No id is on both sides, but a person is. Sort the ids and read them slowly.",
            ),
            (
                _split_by(_as_one_spelling(_FILES["patient"])),
                _parts_copies,
                "No person known by an id is on both sides, but a picture is. "
                "Who finds the same picture under two ids?",
            ),
        ],
        hints=[
            "Three things tie files together: the id, an id written in another way, the picture.",
            "Make one list of ids in one spelling, one of groups of copies, and merge the two; "
            "section 3 does so before it splits.",
        ],
    ),
]
