"""Metrics of volumes: by hand on boxes, by a search among all points on blobs; what is refused."""

import numpy as np
import pytest
from scipy import ndimage, spatial

from medlearn import metrics
from medlearn.metrics import _surfaces

SPACING = (3.0, 1.5, 1.0)


def box(z, y, x, shape=(12, 20, 24)):
    mask = np.zeros(shape, np.uint8)
    mask[slice(*z), slice(*y), slice(*x)] = 1
    return mask


def blobs(shape, seed):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    return np.digitize(noise, [0.02, 0.08]).astype(np.uint8)


BOX = box((2, 8), (4, 14), (6, 18))


# ---- overlap ----


def test_dice_of_shifted_boxes_by_hand():
    moved = box((4, 10), (4, 14), (6, 18))
    assert metrics.dice([BOX], [moved]).tolist() == [pytest.approx(4 / 6)]
    assert metrics.iou(BOX[None], moved[None]).tolist() == [pytest.approx(4 / 8)]


def test_volumes_of_different_sizes_are_scored_together():
    small = box((0, 2), (0, 2), (0, 2), (3, 4, 5))
    masks, predictions = (BOX, small, small * 0), (BOX, small * 0, small * 0)
    np.testing.assert_array_equal(metrics.dice(masks, predictions), [1, 0, np.nan])
    np.testing.assert_array_equal(metrics.hd95(masks, predictions), [0, np.inf, np.nan])
    by_patient = metrics.dice(masks, predictions, patients=["a", "a", "b"])
    np.testing.assert_allclose(by_patient, [2 * BOX.sum() / (2 * BOX.sum() + 8), np.nan])


# ---- distances ----


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_box_that_moved_by_two_voxels_is_two_lengths_away(axis):
    moved = np.roll(BOX, 2, axis)
    for spacing in (1.0, SPACING):
        length = 2 * np.broadcast_to(spacing, 3)[axis]
        assert metrics.hd95([BOX], [moved], spacing=spacing) == pytest.approx(length)
    near = metrics.surface_dice([BOX], [moved], spacing=SPACING, tolerance=length)
    assert near.tolist() == [1]


def test_the_mean_distance_between_the_faces_of_two_flat_boxes():
    """Two large plates: all but their rims is on faces that are three voxels of 3 mm apart."""
    shape = (20, 120, 120)
    plate, far = (box((z, 20), (0, 120), (0, 120), shape) for z in (8, 11))
    # Of each surface the upper faces are 9 mm apart, the lower ones agree, and the sides hardly
    # count: the mean is near 4.5.
    mean = metrics.mean_surface_distance([plate], [far], spacing=(3, 30, 30))
    assert mean[0] == pytest.approx(4.5, rel=0.03)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), SPACING])
def test_distances_are_those_of_a_search_among_all_corners(spacing):
    mask, prediction = blobs((14, 18, 20), 0), blobs((14, 18, 20), 1)
    for value in (1, 2):
        points, weights = zip(*(corners(volume == value, spacing) for volume in (mask, prediction)))
        away = [spatial.KDTree(other).query(own)[0] for own, other in zip(points, reversed(points))]
        score = metrics.hd95([mask], [prediction], value, spacing=spacing)
        assert score == pytest.approx(max(map(percentile, away, weights)))
        mean = metrics.mean_surface_distance([mask], [prediction], value, spacing=spacing)
        assert mean == pytest.approx(np.average(np.concatenate(away), weights=np.hstack(weights)))


def corners(region, spacing):
    """Places in mm of the corners on a surface, and the area that each stands for."""
    areas = _surfaces._corner_lengths(region, np.array(spacing))
    return np.argwhere(areas) * spacing, areas[areas > 0]


def percentile(distances, weights):
    order = np.argsort(distances)
    reached = np.cumsum(weights[order]) / weights.sum()
    return distances[order][np.argmax(reached >= 0.95)]


def test_a_corner_stands_for_the_area_of_the_surface_around_it():
    lengths = np.array(SPACING)
    flat = _surfaces._corner_lengths(BOX[2:8, 4:14, 6:18], lengths)
    assert flat[0, 5, 5] == 1.5 * 1.0 and flat[3, 0, 5] == 3 * 1.0 and flat[3, 5, 0] == 3 * 1.5
    assert flat[3, 5, 5] == 0  # inside
    z, y, x = np.indices((30, 30, 30))
    slanted = _surfaces._corner_lengths(z + y < 29, np.ones(3))[10:20, 10:20, 10:20].sum()
    assert slanted == pytest.approx(10 * 19 / 2**0.5)  # 19 halves of a diagonal, not the stairs
    ball = (z - 15) ** 2 + (y - 15) ** 2 + (x - 15) ** 2 < 144
    area = _surfaces._corner_lengths(ball, np.ones(3)).sum()
    assert area == pytest.approx(4 * np.pi * 144, rel=0.08)


def test_every_mixed_pattern_around_a_corner_is_on_the_surface():
    for dimensions in (2, 3):
        normals = _surfaces._normals(dimensions).sum(axis=(1, 2))
        assert (normals[1:-1] > 0).all() and normals[0] == normals[-1] == 0


def test_each_volume_has_its_own_spacing():
    moved = np.roll(BOX, 2, 0)
    far = metrics.hd95([BOX, BOX], [moved, moved], spacing=[SPACING, (1, 1, 1)])
    np.testing.assert_allclose(far, [6, 2])


# ---- what is refused ----


@pytest.mark.parametrize(
    "masks, predictions, message",
    [
        ([BOX], [BOX, BOX], "1 masks of volumes but 2 predictions"),
        ([BOX, BOX], [BOX, BOX[1:]], "Volume 1: masks are"),
        ([BOX], [BOX / 2], "Volume 0: predictions are float64"),
        (np.eye(3, dtype=int)[np.zeros((2, 4, 4), int)],) * 2 + ("one-hot",),
    ],
)
def test_volumes_that_do_not_fit_are_refused(masks, predictions, message):
    with pytest.raises(ValueError, match=message):
        metrics.dice(masks, predictions)


def test_a_spacing_of_two_lengths_is_refused():
    with pytest.raises(ValueError, match=r"three lengths \(z, y, x\)"):
        metrics.hd95([BOX], [BOX], spacing=(1, 1))
