"""Rounding to uint8 and JPEG compression, beside NumPy and Pillow's file size."""

import numpy as np
import pytest

from medlearn import _images


def test_values_are_rounded_and_clipped():
    values = _images.to_uint8(np.array([[-0.6, 0.4], [254.6, 900.0]]))
    assert values.dtype == np.uint8
    assert values.tolist() == [[0, 0], [255, 255]]


@pytest.mark.parametrize("halve_colours", [True, False])
def test_jpeg_changes_more_at_a_lower_quality_and_leaves_the_image_given(halve_colours):
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    before = image.copy()
    coarse = _images.through_jpeg(image, 10, halve_colours=halve_colours)
    fine = _images.through_jpeg(image, 95, halve_colours=halve_colours)
    assert coarse.shape == image.shape and coarse.dtype == np.uint8
    assert np.abs(coarse.astype(int) - image).mean() > np.abs(fine.astype(int) - image).mean() > 0
    np.testing.assert_array_equal(image, before)
