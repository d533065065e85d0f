"""Volumes: the table, the virtual scanner's volumes, and the loader by name."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from medlearn import datasets
from medlearn.datasets.readers import _nifti_volumes
from medlearn.instruments import mri

COARSE = (6.0, 4.0, 4.0)
CLEAN = mri.Site("clean", 3.0, "T1w-IR", 2300, 3, ti_ms=950, noise=0, bias=0, matrix=1024)
LESION = mri.MASK_CLASSES.index("lesion")


@pytest.fixture(scope="module")
def heads():
    return mri.volumes("3T-FLAIR", 4, COARSE, seed=5)


# ---- the table ----


def test_the_columns_have_the_promised_shapes_and_types(heads):
    assert {image.shape for image in heads.images} == {(16, 48, 48)}
    assert all(image.dtype == np.float32 for image in heads.images)
    assert all(image.min() >= 0 and 200 < image.max() <= 255 for image in heads.images)
    assert all(mask.dtype == np.uint8 and mask.shape == (16, 48, 48) for mask in heads.masks)
    assert heads.spacing.tolist() == [[6, 4, 4]] * 4 and heads.affines.shape == (4, 4, 4)
    assert len(np.unique(heads.patients)) == 4 and heads.patients_known
    assert sorted(heads.facts["class"]) == sorted(mri.CLASSES)


def test_take_keeps_all_columns_together(heads):
    chosen = heads.take([2, 0])
    assert chosen.patients.tolist() == heads.patients[[2, 0]].tolist()
    assert chosen.images[1] is heads.images[0] and chosen.masks[0] is heads.masks[2]
    assert chosen.facts["age"].tolist() == heads.facts["age"][[2, 0]].tolist()
    assert len(heads.take(heads.facts["class"] == "healthy")) == 1
    with pytest.raises(ValueError, match="one-dimensional"):
        heads.take([[0]])


def test_the_representation_is_one_line_that_tells_sizes(heads):
    assert repr(heads.take([0])) == (
        "Volumes('brain-mri': 1 volume, 16 x 48 x 48 voxels of 6 x 4 x 4 mm, masks, 1 patients, "
        "domains 3T-FLAIR)"
    )
    other = mri.volumes("3T-FLAIR", 1, (8, 4, 4))
    both = replace(
        heads.take([0]),
        **{name: getattr(heads, name)[:1] + getattr(other, name) for name in ("images", "masks")},
        **{
            name: np.concatenate([getattr(heads, name)[:1], getattr(other, name)])
            for name in ("patients", "domains", "spacing", "affines")
        },
        facts={},
    )
    assert "12-16 x 48 x 48 voxels of 6-8 x 4 x 4 mm" in repr(both)


def test_columns_that_do_not_fit_are_refused(heads):
    with pytest.raises(ValueError, match="patients has 3 entries for 4 volumes"):
        replace(heads, patients=heads.patients[:3])
    with pytest.raises(ValueError, match="resample the mask"):
        replace(heads, masks=tuple(mask[1:] for mask in heads.masks))
    with pytest.raises(ValueError, match="its affine leads to voxels of 6 x 4 x 4 mm"):
        replace(heads, spacing=heads.spacing[:, ::-1])


# ---- the virtual scanner ----


def test_a_smaller_count_is_the_beginning_of_a_larger_one(heads):
    fewer = mri.volumes("3T-FLAIR", 2, COARSE, seed=5)
    for image, same in zip(fewer.images, heads.images):
        np.testing.assert_array_equal(image, same)
    last = mri.volumes("3T-FLAIR", 1, COARSE, seed=5, first=3)
    np.testing.assert_array_equal(last.images[0], heads.images[3])


def test_sites_show_the_same_heads_in_another_contrast(heads):
    flair, t1w = mri.paired_volumes(["3T-FLAIR", "3T-T1w"], 2, COARSE, seed=5)
    np.testing.assert_array_equal(flair.images[1], heads.images[1])
    for one, other in zip(flair.masks, t1w.masks):
        np.testing.assert_array_equal(one, other)
    white, fluid = (
        heads.masks[0] == mri.MASK_CLASSES.index(name)
        for name in ("white matter", "cerebrospinal fluid")
    )
    assert flair.images[0][white].mean() > 2 * flair.images[0][ndimage.binary_erosion(fluid)].mean()
    assert t1w.images[0][white].mean() > 2 * t1w.images[0][ndimage.binary_erosion(fluid)].mean()
    assert not np.allclose(flair.images[0], t1w.images[0], atol=30)


def test_without_a_spacing_the_slices_are_as_thick_as_the_site_makes_them():
    thin, thick = mri.paired_volumes(["3T-T1w", "1.5T-T1w"], 1)
    assert thin.images[0].shape == (32, 96, 96) and thin.spacing[0].tolist() == [3, 2, 2]
    assert thick.images[0].shape == (19, 96, 96) and thick.spacing[0].tolist() == [5, 2, 2]


def test_a_thick_slice_is_the_mean_of_thin_ones():
    thin, thick = (mri.volumes(CLEAN, 1, (height, 4, 4)).images[0] for height in (3, 6))
    means = thin.reshape(16, 2, 48, 48).mean(axis=1)
    # One grey scale each: compare the shapes of the signal, away from white that was cut off.
    inside = (means < 230) & (thick < 230)
    assert np.corrcoef(means[inside], thick[inside])[0, 1] > 0.995
    assert np.corrcoef(thin[1::2][inside], thick[inside])[0, 1] < 0.99


def test_a_slice_of_a_volume_is_the_slice_of_the_slice_simulator():
    """The same head at the same height: 220 mm in 110 pixels of 2 mm, of which 96 are kept."""
    subject = mri.volumes(CLEAN, 1, (3, 2, 2), seed=3)
    drawn = mri.CLASSES.index(subject.facts["class"][0])
    central = mri.prepare(drawn, seed=3, subject=0, size=110).level
    height = -28 + 1.5 + 3 * 14
    prepared = mri.prepare(drawn, seed=3, subject=0, height=height - central, size=110)
    agree = prepared.mask[7:-7, 7:-7] == subject.masks[0][14]
    assert agree.mean() > 0.995
    image = mri.scan(prepared, CLEAN)[7:-7, 7:-7, 0].astype(float)
    assert np.corrcoef(image.ravel(), subject.images[0][14].ravel())[0, 1] > 0.995


def test_lesions_appear_in_the_ill_only(heads):
    volumes_mm3 = np.array([(mask == LESION).sum() * 96 for mask in heads.masks])
    ill = heads.facts["class"] != "healthy"
    assert (volumes_mm3[~ill] == 0).all() and (volumes_mm3[ill] > 150).all()


def test_the_affine_puts_the_head_where_it_lies(heads):
    x, y, z = (heads.affines[0] @ [0, 0, 0, 1])[:3]
    assert (x, y, z) == (94, 94, -25)  # mm: the first voxel is right, in front, and low
    assert nibabel.aff2axcodes(heads.affines[0]) == ("L", "P", "S")


@pytest.mark.parametrize("spacing", [(3, 2), (3, 2, 1), (0.5, 2, 2), (3, 0.1, 0.1), "abc"])
def test_voxels_that_the_scanner_cannot_make_are_refused(spacing):
    with pytest.raises(ValueError, match="the virtual scanner takes"):
        mri.volumes("3T-FLAIR", 1, spacing)


# ---- by name ----


def test_domains_share_the_count_and_the_subjects():
    loaded = datasets.load_volumes("brain-mri", count=7, spacing=(8, 6, 6))
    card = datasets.card("brain-mri")
    assert loaded.domains.tolist() == [card.domains[0], *card.domains]
    assert len(np.unique(loaded.patients)) == 2
    assert loaded.licence == card.licence and loaded.twin == "hippocampus"
    assert loaded.mask_classes == card.mask_classes


def test_cards_count_the_volumes():
    counts = {name: datasets.card(name).volumes for name in datasets.names()}
    assert {name: count for name, count in counts.items() if count} == {
        "brain-mri": 12,
        "hippocampus": 260,
    }
    assert "Volumes: 12 by default" in str(datasets.card("brain-mri"))
    assert "Volumes" not in str(datasets.card("smear"))


def test_a_set_of_single_images_is_refused_with_the_names_of_others():
    with pytest.raises(ValueError, match="brain-mri, hippocampus"):
        datasets.load_volumes("smear")
    with pytest.raises(ValueError, match="domain"):
        datasets.load_volumes("brain-mri", domain="scanner-a")
    with pytest.raises(ValueError, match="three lengths above 0"):
        datasets.load_volumes("brain-mri", spacing=(3, 0, 2))


def test_a_nifti_volume_is_turned_to_our_axes_with_its_affine():
    """Whatever axes a file has, a voxel keeps its place in the patient."""
    places = {}
    for axes in ("RAS", "LPS", "ASR", "SPL"):
        turn = nibabel.orientations.axcodes2ornt(tuple(axes))
        base = np.zeros((6, 5, 4), np.float32)  # towards right, front, head
        base[1, 3, 2] = 9
        change = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), turn)
        affine = np.diag([1.5, 2, 3, 1]) @ nibabel.orientations.inv_ornt_aff(change, base.shape)
        image = nibabel.Nifti1Image(nibabel.apply_orientation(base, change), affine)
        assert nibabel.aff2axcodes(image.affine) == tuple(axes)
        voxels, found, axes_of_file = _nifti_volumes.read(image.to_bytes())
        assert axes_of_file == axes
        assert voxels.shape == (4, 5, 6) and nibabel.aff2axcodes(found) == ("L", "P", "S")
        z, y, x = np.argwhere(voxels == 9)[0]
        assert (z, y, x) == (2, 1, 4)  # 2 from below, 1 from the front, 4 from the right
        places[axes] = (found @ [x, y, z, 1]).round(6).tolist()
    assert set(map(tuple, places.values())) == {(1.5, 6, 6, 1)}
