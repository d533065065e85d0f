"""Magnification matched without labels, beside simulated domains whose magnification is known."""

import numpy as np
import pytest

from medlearn.adaptation import scale
from medlearn.instruments import smear


@pytest.fixture(scope="module")
def cells():
    return smear.single_cells("lab-a", 40, size=96, seed=0).images


@pytest.mark.parametrize("um_per_px", [0.13, 0.20])
def test_the_factor_is_that_of_the_magnifications(cells, um_per_px):
    laboratory = smear.adjust("lab-a", um_per_px=um_per_px)
    images = smear.single_cells(laboratory, 40, size=96, seed=0).images
    assert scale.factor(images, cells) == pytest.approx(um_per_px / 0.158, rel=0.06)
    assert scale.factor(scale.match_scale(images, cells), cells) == pytest.approx(1, rel=0.06)


def test_zoom_enlarges_about_the_centre():
    image = np.zeros((1, 41, 31, 3), np.uint8)
    image[:, 18:23, 13:18] = 200  # 5 by 5 about (20, 15)
    for by, side in ((2.0, 10), (1.0, 5), (0.6, 3)):
        rows, columns = np.nonzero(scale.zoom(image, by)[0, ..., 0] > 100)
        assert np.ptp(rows) + 1 == pytest.approx(side, abs=1)
        assert np.ptp(columns) + 1 == pytest.approx(side, abs=1)
        assert rows.mean() == pytest.approx(20, abs=0.6)
        assert columns.mean() == pytest.approx(15, abs=0.6)
    np.testing.assert_array_equal(scale.zoom(image, 1.0), image)


def test_another_measure_of_size_is_used(cells):
    areas = iter([np.full(40, 100.0), np.full(40, 225.0)])
    assert scale.factor(cells, cells, size=lambda images: next(areas)) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda cells: scale.zoom(cells, 0), "by=0"),
        (lambda cells: scale.match_scale(cells[:0], cells), "no image"),
        (
            lambda cells: scale.match_scale(np.full_like(cells, 200), cells),
            "median areas are 0 and",
        ),
    ],
)
def test_what_does_not_fit_is_refused(cells, call, message):
    with pytest.raises(ValueError, match=message):
        call(cells)
