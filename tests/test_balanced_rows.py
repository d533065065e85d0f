"""A reference with the same number of each class."""

import numpy as np
import pytest

from medlearn import adaptation
from medlearn.adaptation import scale
from medlearn.instruments import smear

SORTED = np.repeat([0, 1, 2], [50, 10, 7])


def test_each_class_gives_the_same_number_of_rows():
    for per_class, expected in ((None, 7), (5, 5), (30, 7)):
        rows = adaptation.balanced_rows(SORTED, per_class, seed=1)
        assert np.bincount(SORTED[rows]).tolist() == [expected] * 3
        assert len(set(rows)) == len(rows) and (np.diff(rows) > 0).all()


def test_the_draw_depends_on_the_seed_alone():
    rows = adaptation.balanced_rows(SORTED, 5, seed=3)
    np.testing.assert_array_equal(rows, adaptation.balanced_rows(SORTED, 5, seed=3))
    assert rows.tolist() != adaptation.balanced_rows(SORTED, 5, seed=4).tolist()


def test_names_of_classes_are_labels_too_and_none_are_refused():
    assert adaptation.balanced_rows(["b", "a", "b"]).tolist() in ([0, 1], [1, 2])
    with pytest.raises(ValueError, match="labels is one entry per image"):
        adaptation.balanced_rows([])
    with pytest.raises(ValueError, match="per_class"):
        adaptation.balanced_rows(SORTED, 0)


def test_a_balanced_reference_keeps_the_scale_that_a_sorted_one_bends():
    cells = smear.single_cells("lab-a", 200, size=96, seed=0)
    order = np.argsort(cells.labels, kind="stable")
    images, labels = cells.images[order], cells.labels[order]
    others = smear.single_cells("lab-a", 100, size=96, seed=1).images
    balanced = images[adaptation.balanced_rows(labels, 8)]
    first = images[-40:]
    assert abs(np.log(scale.factor(others, balanced))) < abs(np.log(scale.factor(others, first)))
