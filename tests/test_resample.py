"""Resampling: centres of voxels stay where they are; affines agree with the arrays."""

import nibabel
import numpy as np
import pytest
from nibabel import processing

from medlearn import datasets
from medlearn._volumes import Volumes


def ramp(shape, spacing, middle=(0, 0, 0)):
    """A linear function of place in mm, whose origin is the middle of the grid."""
    axes = [
        (np.arange(length) - (length - 1) / 2) * side + start
        for length, side, start in zip(shape, spacing, middle)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return 2 * z - 3 * y + 0.5 * x


@pytest.mark.parametrize("new_spacing", [(1, 1, 1), (1.5, 0.7, 2.5), (6, 2, 2), (4.1, 1.3, 0.9)])
def test_a_ramp_stays_the_same_function_of_place(new_spacing):
    spacing = (3, 1.5, 1.5)
    after = datasets.resample(ramp((10, 24, 20), spacing), spacing, new_spacing)
    expected = ramp(after.shape, new_spacing)
    inner = tuple(slice(length // 3, -(length // 3)) for length in after.shape)
    np.testing.assert_allclose(after[inner], expected[inner], atol=1e-3)


def test_the_field_of_view_stays_to_half_a_voxel():
    for length in range(1, 30):
        for new in (0.3, 0.7, 1.0, 1.9, 2.0, 7.0):
            after = datasets.resample(np.ones((length, 1, 1)), (1, 1, 1), (new, 1, 1))
            assert abs(len(after) * new - length) <= new / 2 + 1e-9 or len(after) == 1
            assert (after == 1).all()


def test_back_on_the_old_grid_a_mask_is_what_it_was():
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (7, 9, 8)).astype(np.uint8)
    fine = datasets.resample(mask, (3, 1.5, 1.5), (1, 0.5, 0.5), 0)
    assert fine.dtype == np.uint8 and set(np.unique(fine)) == {0, 1, 2}
    assert fine.shape == (21, 27, 24)
    np.testing.assert_array_equal(fine[1::3, 1::3, 1::3], mask)  # by hand: 3 voxels for each
    back = datasets.resample(fine, (1, 0.5, 0.5), (3, 1.5, 1.5), 0, shape=mask.shape)
    np.testing.assert_array_equal(back, mask)


def test_the_volume_of_an_ellipsoid_stays():
    z, y, x = np.indices((24, 64, 64)) - np.array([11.5, 31.5, 31.5]).reshape(3, 1, 1, 1)
    mask = ((3 * z / 25) ** 2 + (y / 22) ** 2 + (x / 18) ** 2 < 1).astype(np.uint8)
    truth = 4 / 3 * np.pi * 25 * 22 * 18
    for spacing in ((1, 1, 1), (3, 2, 2), (4, 1.2, 1.2)):
        after = datasets.resample(mask, (3, 1, 1), spacing, 0)
        assert after.sum() * np.prod(spacing) == pytest.approx(truth, rel=0.03)


def test_a_coarser_grid_takes_means_and_not_samples():
    stripes = np.tile([0.0, 1.0], 12).reshape(24, 1, 1)
    after = datasets.resample(stripes, (1, 1, 1), (4, 1, 1))
    assert np.abs(after[1:-1] - 0.5).max() < 0.15


def test_a_finer_grid_agrees_with_nibabel():
    rng = np.random.default_rng(0)
    volume = rng.normal(100, 20, (6, 9, 8)).astype(np.float32)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    image = nibabel.Nifti1Image(volume.T, affine)  # x, y, z
    fine = processing.resample_to_output(image, (1, 1, 1), order=1)
    after = datasets.resample(volume, (3, 2, 2), (1, 1, 1))
    # nibabel begins at the middle of the first voxel, and ours at its edge: one voxel of 1 mm
    # further in along z, half a one along y and x, where we look at the mean of two neighbours.
    np.testing.assert_allclose(after.shape, (18, 18, 16))
    theirs = fine.get_fdata().T
    between = (
        theirs[:, :-1, :-1] + theirs[:, 1:, :-1] + theirs[:, :-1, 1:] + theirs[:, 1:, 1:]
    ) / 4
    np.testing.assert_allclose(after[1:-1, 1:-1, 1:-1], between, atol=1e-3)


def test_affines_of_resampled_volumes_lead_to_the_same_places():
    """An image that holds its own place in mm still does, with an affine that turns and mirrors."""
    turn = np.array([[0, -2, 0], [-1.5, 0, 0], [0, 0, 3]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, (7, -20, 40)
    shape = (8, 20, 24)
    index = np.indices(shape)[::-1].reshape(3, -1)  # x, y, z
    places = (turn @ index + affine[:3, 3:]).reshape(3, *shape)
    volumes = Volumes(
        "places",
        tuple(place.astype(np.float32) for place in places),
        patients=np.array(["a"] * 3),
        domains=np.array(["b"] * 3),
        spacing=np.tile([3, 2, 1.5], (3, 1)),
        affines=np.stack([affine] * 3),
        patients_known=True,
    )
    after = datasets.resampled(volumes, (2, 2, 1))
    assert after.masks is None and after.spacing.tolist() == [[2, 2, 1]] * 3
    point = np.array([11, 5, 6])  # x, y, z, well inside
    there = after.affines[0] @ [*point, 1]
    found = [image[tuple(point[::-1])] for image in after.images]
    np.testing.assert_allclose(found, there[:3], atol=1e-3)


def test_what_is_no_volume_or_no_spacing_is_refused():
    with pytest.raises(ValueError, match="one class of probabilities"):
        datasets.resample(np.zeros((2, 3, 3, 4)), (1, 1, 1), (2, 2, 2))
    with pytest.raises(ValueError, match="new_spacing must be three lengths"):
        datasets.resample(np.zeros((2, 3, 3)), (1, 1, 1), (2, np.nan, 2))
