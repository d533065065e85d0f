"""NIfTI files of volumes: read in our axes, written back in the case's own; largest components."""

import nibabel
import numpy as np
import pytest
from nibabel.affines import from_matvec
from scipy import ndimage

from medlearn import datasets, inference


def oblique(axes=(1, 2, 0), signs=(1, -1, 1)):
    """An affine of voxels of 0.8 x 1.1 x 2.5 mm, tilted by 12 degrees, with axes in any order."""
    c, s = np.cos(0.2), np.sin(0.2)
    tilt = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    turn = (np.eye(3) * signs)[:, list(axes)]
    return from_matvec(tilt @ turn @ np.diag([0.8, 1.1, 2.5]), [12, -40, 7])


def save(path, values, affine):
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.fixture
def case(tmp_path):
    """An image with its mask on disk, its axes far from ours."""
    rng = np.random.default_rng(0)
    values = rng.normal(300, 50, (9, 12, 7)).astype(np.float32)
    mask = rng.integers(0, 3, values.shape).astype(np.uint8)
    image = save(tmp_path / "case.nii.gz", values, oblique())
    return image, save(tmp_path / "mask.nii", mask, oblique())


def test_a_mask_goes_back_into_the_geometry_of_its_case(case, tmp_path):
    image, mask = case
    volumes = datasets.from_niftis([image], [mask])
    assert volumes.masks[0].shape == volumes.images[0].shape
    assert nibabel.aff2axcodes(volumes.affines[0]) == ("L", "P", "S")
    np.testing.assert_allclose(sorted(volumes.spacing[0]), [0.8, 1.1, 2.5])
    back = inference.write_nifti(
        tmp_path / "back.nii.gz",
        volumes.masks[0],
        volumes.affines[0],
        axes=volumes.facts["axes"][0],
    )
    written, truth = nibabel.load(back), nibabel.load(mask)
    np.testing.assert_array_equal(written.get_fdata(), truth.get_fdata())
    np.testing.assert_allclose(written.affine, nibabel.load(image).affine, atol=1e-5)
    assert written.get_data_dtype() == np.uint8
    assert written.header.get_xyzt_units()[0] == "mm"


def test_without_axes_every_voxel_still_lies_where_it_did(case, tmp_path):
    image, mask = case
    volumes = datasets.from_niftis([image], [mask])
    path = inference.write_nifti(tmp_path / "ours.nii", volumes.masks[0], volumes.affines[0])
    written, truth = nibabel.load(path), nibabel.load(mask)
    for voxel in [(0, 0, 0), (8, 11, 6), (3, 5, 2)]:
        place = truth.affine @ [*voxel, 1]
        there = np.rint(np.linalg.inv(written.affine) @ place)[:3].astype(int)
        assert written.dataobj[tuple(there)] == truth.dataobj[voxel]


def test_own_volumes_are_windowed_and_described(case):
    image, _ = case
    volumes = datasets.from_niftis([image, image], domains="B", patients=[7, 7])
    assert volumes.masks is None and volumes.mask_classes == ()
    assert volumes.images[0].min() == 0 and volumes.images[0].max() == 255
    assert volumes.patients.tolist() == ["7", "7"] and volumes.patients_known
    assert volumes.domains.tolist() == ["B", "B"]
    alone = datasets.from_niftis([image])
    assert not alone.patients_known


def test_files_that_do_not_fit_are_named(case, tmp_path):
    image, mask = case
    values = np.zeros((9, 12, 7), np.uint8)
    elsewhere = save(tmp_path / "elsewhere.nii", values, oblique() @ np.diag([1, 1, 1.2, 1]))
    with pytest.raises(ValueError, match=r"elsewhere\.nii lies elsewhere than its image case"):
        datasets.from_niftis([image], [elsewhere])
    smaller = save(tmp_path / "smaller.nii", values[1:], oblique())
    with pytest.raises(ValueError, match=r"smaller\.nii has .* its image case"):
        datasets.from_niftis([image], [smaller])
    shares = save(tmp_path / "shares.nii", values + np.float32(0.5), oblique())
    with pytest.raises(ValueError, match=r"shares\.nii runs from 0.5 to 0.5"):
        datasets.from_niftis([image], [shares])
    (tmp_path / "broken.nii").write_bytes(image.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"broken\.nii"):
        datasets.from_niftis([tmp_path / "broken.nii"])
    with pytest.raises(ValueError, match="mask_classes names 2"):
        datasets.from_niftis([image], [mask], mask_classes=["background", "one"])
    with pytest.raises(ValueError, match="1 images but 2 masks"):
        datasets.from_niftis([image], [mask, mask])


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        (("a.txt", np.zeros((2, 2, 2)), np.eye(4)), {}, "should end with .nii"),
        (("a.nii", np.zeros((2, 2)), np.eye(4)), {}, "One volume"),
        (("a.nii", np.full((2, 2, 2), 300), np.eye(4)), {}, "whole numbers from 0 to 255"),
        (("a.nii", np.zeros((2, 2, 2)), np.eye(3)), {}, "volumes.affines"),
        (("a.nii", np.zeros((2, 2, 2)), np.eye(4)), {"axes": "RLS"}, "one of each pair"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, arguments, options, message):
    name, *rest = arguments
    with pytest.raises(ValueError, match=message):
        inference.write_nifti(tmp_path / name, *rest, **options)


def test_the_largest_component_is_that_of_a_count_by_hand():
    mask = np.zeros((6, 8, 8), np.uint8)
    mask[0:2, 0:2, 0:2] = 1  # 8 voxels
    mask[2, 2, 2] = 2  # touches them at a corner: 9 in all
    mask[4:6, 4:8, 4] = 2  # 8 voxels
    kept = inference.largest_component(mask)
    assert (kept > 0).sum() == 9 and kept[2, 2, 2] == 2 and kept.dtype == np.uint8
    per_class = inference.largest_component(mask, each_class=True)
    assert (per_class == 1).sum() == 8 and (per_class == 2).sum() == 8 and per_class[2, 2, 2] == 0
    assert mask[4, 4, 4] == 2  # the argument is unchanged


def test_the_largest_component_is_one_component_of_any_mask():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(12, 20, 20)), 1.5)
    mask = (noise > 0.05).astype(int)
    kept = inference.largest_component(mask)
    parts, count = ndimage.label(mask, np.ones((3, 3, 3)))
    assert count > 1 and kept.sum() == max(np.bincount(parts.ravel())[1:])
    assert ndimage.label(kept, np.ones((3, 3, 3)))[1] == 1
    empty = np.zeros((3, 3), int)
    assert (inference.largest_component(empty) == 0).all()
    with pytest.raises(ValueError, match="one mask at a time"):
        inference.largest_component(noise)
