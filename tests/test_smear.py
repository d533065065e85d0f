"""The virtual microscope: contract, truth, physics, paired laboratories, determinism, errors."""

import hashlib
import subprocess
import sys
import zlib
from dataclasses import fields as parameters

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medlearn.instruments import smear
from medlearn.instruments.smear import (
    _cells,
    _geometry,
    _laboratories,
    _microscope,
    _optics,
    _patients,
    _scene,
)

UM = 0.05
_OFF = (
    "strength_sd hue_sd haemoglobin_sd rgb_sd gradient um_per_px_sd blur_um blur_sd lateral_um "
    "longitudinal refraction noise chroma_noise sharpening film_texture debris_per_1000um2 "
    "platelets_per_1000um2 per_100um2 second_lot_share rim nuclear_edge"
)
QUIET = dict.fromkeys(_OFF.split(), 0) | {"jpeg_quality": 100}


@pytest.fixture(scope="module")
def batch():
    return smear.single_cells("lab-b", 20, seed=3)


def sharpness(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image[..., 1].astype(float), axis=0)).mean())


def red_minus_blue(image: np.ndarray) -> np.ndarray:
    return image[..., 0].astype(float) - image[..., 2]


def overlap(masks: np.ndarray, other_masks: np.ndarray) -> np.ndarray:
    """Intersection over union of the cells of each image."""
    cells, others = masks > 0, other_masks > 0
    return (cells & others).sum((1, 2)) / (cells | others).sum((1, 2))


# ---- the contract ----


def test_single_cells_keep_the_contract(batch):
    assert batch.images.shape == (20, 128, 128, 3) and batch.images.dtype == np.uint8
    assert batch.masks.shape == (20, 128, 128) and batch.masks.dtype == np.uint8
    assert batch.labels.shape == (20,) and batch.labels.dtype == np.int64
    assert batch.boxes is None and batch.spacing.shape == (20, 2) and batch.spacing.dtype == float
    assert set(batch.domains) == {"lab-b"} and batch.patients_known
    assert batch.patients.tolist() == ["s3-p0000"] * 10 + ["s3-p0001"] * 10


def test_classes_are_balanced_within_each_patient(batch):
    for patient in np.unique(batch.patients):
        assert np.bincount(batch.labels[batch.patients == patient]).tolist() == [2] * 5


def test_a_part_of_a_series_is_the_same_as_in_the_whole(batch):
    part = smear.single_cells("lab-b", 4, seed=3, first=8)
    np.testing.assert_array_equal(part.images, batch.images[8:12])
    np.testing.assert_array_equal(part.masks, batch.masks[8:12])
    np.testing.assert_array_equal(part.patients, batch.patients[8:12])


def test_no_image_is_a_dataset_too():
    assert smear.single_cells("lab-a", 0).images.shape == (0, 128, 128, 3)
    assert smear.fields("field-lab", 0).boxes == []


def test_seeds_show_different_cells(batch):
    assert not np.array_equal(smear.single_cells("lab-b", 3, seed=4).masks, batch.masks[:3])


def test_size_changes_pixels_but_not_the_piece_of_film():
    large, small = (smear.single_cells("lab-b", 5, size=size, seed=1) for size in (128, 64))
    assert np.allclose(small.spacing, 2 * large.spacing)
    areas = [(data.masks > 0).sum((1, 2)) * data.spacing.prod(1) for data in (large, small)]
    assert np.allclose(areas[0], areas[1], rtol=0.03)
    shrunk = large.images.reshape(5, 64, 2, 64, 2, 3).mean((2, 4))
    assert np.abs(shrunk - small.images).mean() < 12


# ---- the truth ----


def test_cells_have_the_diameter_of_their_class_in_micrometres():
    cells = smear.single_cells(smear.adjust("lab-a", um_per_px=0.26, warp_um=0), 60, seed=5)
    areas = (cells.masks > 0).sum((1, 2)) * cells.spacing.prod(1)
    diameters = 2 * np.sqrt(areas / np.pi)
    limits = [(10, 15), (8, 12), (12, 20), (10, 17), (8, 14)]
    medians = [np.median(diameters[cells.labels == index]) for index in range(5)]
    for median, (low, high) in zip(medians, limits, strict=True):
        assert low < median < high
    assert np.argmin(medians) == smear.CLASSES.index("lymphocyte")


def test_nuclei_are_darker_than_cytoplasm_and_cytoplasm_than_glass(batch):
    for image, mask in zip(batch.images[..., 1].astype(float), batch.masks, strict=True):
        nucleus, cytoplasm = image[mask == 2].mean(), image[mask == 1].mean()
        assert nucleus < cytoplasm - 10 and cytoplasm < np.percentile(image, 95) - 5


def test_mask_holds_only_the_cell_in_the_middle(monkeypatch):
    by_share = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(_microscope, "NEIGHBOUR_SHARE", share)
        by_share[share] = smear.single_cells("lab-a", 10, seed=2)
    np.testing.assert_array_equal(by_share[0.0].masks, by_share[1.0].masks)
    assert not np.array_equal(by_share[0.0].images, by_share[1.0].images)
    assert all(mask[56:72, 56:72].any() for mask in by_share[1.0].masks)


@pytest.mark.parametrize("laboratory", ["field-lab", "lab-b"])
def test_boxes_of_fields_fit_the_cells(laboratory):
    data = smear.fields(laboratory, 3, height=240, width=320, seed=1)
    assert data.images.shape == (3, 240, 320, 3) and data.labels is None and len(data.boxes) == 3
    for boxes, mask in zip(data.boxes, data.masks, strict=True):
        assert boxes.shape[1] == 5 and (boxes[:, :2] < boxes[:, 2:4]).all()
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:4] <= (240, 320)).all()
        assert (boxes[:, 4] == 0).sum() >= 3 and set(boxes[:, 4]) <= {0.0, 1.0, 2.0}
        white = boxes[boxes[:, 4] == smear.FIELD_CLASSES.index("white blood cell"), :4]
        # A second way to find the leukocytes: the islands of the mask.
        islands, _ = ndimage.label(ndimage.binary_opening(mask > 0, iterations=2))
        for rows, columns in ndimage.find_objects(islands):
            island = np.array([rows.start, columns.start, rows.stop, columns.stop])
            if (rows.stop - rows.start) * (columns.stop - columns.start) > 0.02 * mask.size:
                assert np.abs(white - island).max(1).min() <= 6


def test_red_cells_have_their_width_in_micrometres():
    data = smear.fields(smear.adjust("lab-b", per_100um2=0.4), 2, seed=7)
    widths = []
    for boxes, spacing in zip(data.boxes, data.spacing, strict=True):
        is_whole = (boxes[:, :2] > 0).all(1) & (boxes[:, 2:4] < (480, 640)).all(1)
        whole = boxes[is_whole & (boxes[:, 4] == 0)]
        widths += ((whole[:, 2:4] - whole[:, :2]).mean(1) * spacing[0]).tolist()
    assert 6.9 < np.median(widths) < 8.3


# ---- the same cell everywhere ----


def test_stain_light_focus_and_camera_leave_the_truth_alone(batch):
    factors = ["stain", "illuminant", "optics", "sensor", "red_cells"]
    mixed = smear.single_cells(smear.mix("lab-b", "lab-a", 1, factors), 6, seed=3)
    np.testing.assert_array_equal(mixed.masks, batch.masks[:6])
    np.testing.assert_array_equal(mixed.labels, batch.labels[:6])
    np.testing.assert_array_equal(mixed.patients, batch.patients[:6])


def test_magnification_and_preparation_keep_the_same_cell():
    dials = {"um_per_px": 0.2, "um_per_px_sd": 0, "monocyte_spread": 1}
    masks_a, masks_b = (
        smear.single_cells(smear.adjust(name, **dials), 10, seed=8).masks
        for name in ("lab-a", "lab-b")
    )
    same_cell = overlap(masks_a, masks_b)
    assert same_cell.min() > 0.75 and np.median(same_cell) > 0.85
    other_cell = overlap(masks_a, smear.single_cells("lab-b", 10, seed=9).masks)
    assert np.median(same_cell) > np.median(other_cell) + 0.1


def test_one_cell_is_the_same_cell_in_any_laboratory():
    cell_a, cell_b = (
        smear.one_cell(name, "monocyte", seed=4, patient=2) for name in ("lab-a", "lab-a-restained")
    )
    np.testing.assert_array_equal(cell_a.masks, cell_b.masks)
    assert cell_a.images.shape == (1, 128, 128, 3) and cell_a.labels.tolist() == [2]
    assert not np.array_equal(cell_a.images, cell_b.images)
    assert cell_a.patients.tolist() == cell_b.patients.tolist() == ["s0-p0002"]
    by_index = smear.one_cell("lab-a", 2, seed=4, patient=2)
    np.testing.assert_array_equal(by_index.images, cell_a.images)


def test_each_argument_of_one_cell_matters():
    usual = {"laboratory": "lab-b", "label": "neutrophil", "seed": 4, "patient": 2, "size": 64}
    image = smear.one_cell(**usual).images
    for change in ({"seed": 5}, {"patient": 3}, {"label": "basophil"}, {"laboratory": "random"}):
        assert not np.array_equal(smear.one_cell(**usual | change).images, image), change


def test_cells_of_one_patient_share_the_stain():
    laboratory = smear.adjust("lab-b", strength_sd=0.4)
    density = np.zeros((6, 5))
    for patient, seed in np.ndindex(density.shape):
        cell = smear.one_cell(laboratory, "lymphocyte", seed=seed, patient=patient)
        density[patient, seed] = -np.log(cell.images[0][cell.masks[0] == 2].mean() / 255)
    assert density.mean(1).std() > 1.5 * density.std(1).mean() / np.sqrt(5)


# ---- laboratories ----


def test_presets_say_that_they_are_calibrated():
    assert {"lab-a", "lab-b", "lab-a-restained", "field-lab"} <= set(smear.LABORATORIES)
    assert all(lab.calibrated and lab.name == name for name, lab in smear.LABORATORIES.items())
    assert not smear.random_laboratory(0).calibrated


def test_restained_partner_differs_in_stain_only():
    lab_a, restained = smear.LABORATORIES["lab-a"], smear.LABORATORIES["lab-a-restained"]
    changed = [name for name in smear.FACTORS if getattr(lab_a, name) != getattr(restained, name)]
    assert changed == ["stain"]


def test_each_factor_changes_only_itself_and_changes_the_image():
    lab_a = smear.LABORATORIES["lab-a"]
    image = smear.single_cells("lab-a", 1, size=64).images
    assert len(smear.FACTORS) == 7
    for factor in smear.FACTORS:
        mixed = smear.mix("lab-a", "lab-b", 1, [factor])
        changed = [name for name in smear.FACTORS if getattr(mixed, name) != getattr(lab_a, name)]
        assert changed == [factor]
        assert not np.array_equal(smear.single_cells(mixed, 1, size=64).images, image), factor


def test_severity_runs_evenly_from_one_laboratory_to_the_other():
    images = [
        smear.single_cells(smear.mix("lab-a", "lab-b", severity), 6, seed=1).images.astype(float)
        for severity in (0, 0.25, 0.5, 1)
    ]
    np.testing.assert_array_equal(images[0], smear.single_cells("lab-a", 6, seed=1).images)
    np.testing.assert_array_equal(images[3], smear.single_cells("lab-b", 6, seed=1).images)
    away = [np.abs(image - images[0]).mean() for image in images]
    assert away[0] < away[1] < away[2] < away[3]
    blur_a, blur_b = (smear.LABORATORIES[name].optics.blur_um for name in ("lab-a", "lab-b"))
    mixed = smear.mix("lab-a", "lab-b", 0.25)
    assert mixed.optics.blur_um == pytest.approx(0.75 * blur_a + 0.25 * blur_b)


def test_random_laboratories_are_drawn_per_image_and_can_be_drawn_again():
    cells = smear.single_cells("random", 12, size=48, seed=6)
    assert list(cells.domains) == [f"random-6-{number}" for number in range(12)]
    for number in (3, 11):
        again = smear.single_cells(smear.random_laboratory((6, number)), 12, size=48, seed=6)
        np.testing.assert_array_equal(again.images[number], cells.images[number])
    assert list(smear.fields("random", 2, 60, 80, seed=6).domains) == ["random-6-0", "random-6-1"]
    assert smear.random_laboratory(1) == smear.random_laboratory(1) != smear.random_laboratory(2)


def test_ranges_of_random_laboratories_are_frozen():
    """Ranges that are tuned later would spoil every experiment from simulated to real images."""
    laboratories = [smear.random_laboratory(seed) for seed in range(200)]
    for factor, name, low, high in [
        ("magnification", "um_per_px", 0.14, 0.26),
        ("optics", "blur_um", 0.09, 0.45),
        ("sensor", "noise", 0.5, 5),
        ("sensor", "jpeg_quality", 55, 96),
        ("red_cells", "per_100um2", 0.2, 2.6),
        ("preparation", "warp_um", 0.1, 0.4),
    ]:
        values = [getattr(getattr(laboratory, factor), name) for laboratory in laboratories]
        margin = 0.05 * (high - low)
        assert low <= min(values) < low + margin, name
        assert high - margin < max(values) <= high, name


def test_parameter_names_are_unique_over_the_factors():
    names = []
    for factor in smear.FACTORS:
        factor_of_lab = getattr(smear.LABORATORIES["lab-a"], factor)
        names += [parameter.name for parameter in parameters(factor_of_lab)]
    assert len(names) == len(set(names))


# ---- physics ----


def test_beer_lambert_holds_in_the_image():
    colours = {"azure": (0, 0, 0), "eosin": (0, 0, 0), "rgb": (250, 240, 230)}
    plain = smear.adjust("lab-b", **QUIET, **colours)
    single, double = (
        smear.one_cell(plain, "lymphocyte", seed=1, chromatin=chromatin)
        for chromatin in [(0.2, 0.4, 0.1), (0.4, 0.8, 0.2)]
    )
    inside = ndimage.binary_erosion(single.masks[0] == 2, iterations=3)
    thin, thick = (
        -np.log(cell.images[0][inside].mean(0) / (250, 240, 230)) for cell in (single, double)
    )
    assert thick == pytest.approx(2 * thin, rel=0.05)
    assert thin / thin[1] == pytest.approx([0.5, 1, 0.25], abs=0.06)
    glass = single.images[0][~ndimage.binary_dilation(single.masks[0] > 0, iterations=6)]
    assert np.median(glass, 0) == pytest.approx([250, 240, 230], abs=2)


def test_known_concentrations_give_the_intensities_of_beer_and_lambert():
    plain = smear.adjust("lab-b", **QUIET, rgb=(250, 240, 230))
    dyes = np.zeros((5, 40, 40), np.float32)
    dyes[0], dyes[2] = 0.5, 0.8
    film = _scene.Scene((40, 40), 0.2, dyes, np.zeros((40, 40), np.float32), None, None)
    rng = np.random.default_rng(0)
    exposure, patient = _optics.draw_exposure(rng), _patients.draw_patient(0)
    image = _optics.photograph(rng, film, exposure, plain, patient)
    density = 0.5 * np.array(plain.stain.chromatin) + 0.8 * np.array(plain.stain.eosin)
    expected = np.array([250, 240, 230]) * np.exp(-density)
    assert image.reshape(-1, 3).mean(0) == pytest.approx(expected, abs=1.0)


def leukocyte(label, laboratory, frame=(96, 96), centre=(48, 48), number=1):
    rng, patient = _patients.random_stream("cell", number), _patients.draw_patient(0)
    return _cells.draw_leukocyte(rng, label, patient, laboratory, frame, centre, 0.2)


def film_of(leukocytes, laboratory):
    rng, patient = _patients.random_stream("scene", 1), _patients.draw_patient(0)
    return _scene.compose(rng, leukocytes, laboratory.red_cells, patient, (96, 96), 0.2, 40)


def test_the_later_of_two_leukocytes_lies_on_top():
    laboratory = smear.adjust("lab-b", **QUIET)
    below = leukocyte("basophil", laboratory, number=0)
    above = leukocyte("lymphocyte", laboratory, number=1)
    film = film_of([below, above], laboratory)
    covered = above.cover > 0.99
    dyes = film.dyes[:, above.grid.window[0], above.grid.window[1]]
    assert np.allclose(dyes[:, covered], above.dyes[:, covered], atol=0.08)
    assert (film.mask[above.grid.window] == above.mask)[covered].all()


DIALS = [
    ("blur_um", 0.1, 0.6, lambda image: -sharpness(image)),
    ("noise", 0.0, 12.0, sharpness),
    ("sharpening", 0.0, 1.5, sharpness),
    ("jpeg_quality", 15, 80, lambda image: len(zlib.compress(image.tobytes()))),
    ("gamma", 1.3, 0.8, np.mean),
    ("contrast", 0.8, 1.3, np.std),
    ("gradient", 0.0, 0.6, lambda image: -image[[0, 0, -1, -1], [0, -1, 0, -1]].mean()),
    ("chroma_noise", 0.0, 8.0, lambda image: red_minus_blue(image).std()),
    ("lateral_um", 0.0, 0.5, lambda image: np.abs(red_minus_blue(image)).std()),
    ("per_100um2", 0.0, 3.0, lambda image: -image.mean()),
    ("refraction", 0.0, 2.0, sharpness),
]


def test_dials_do_what_they_say():
    base = smear.adjust("lab-b", **QUIET | {"per_100um2": 0.8})
    for dial, low, high, measure in DIALS:
        means = []
        for value in (low, high):
            laboratory = smear.adjust(base, **{dial: value})
            cells = [smear.one_cell(laboratory, "neutrophil", seed=seed) for seed in range(4)]
            means.append(np.mean([measure(cell.images[0]) for cell in cells]))
        assert means[1] > means[0], dial


def test_lens_keeps_flat_light_flat_and_shifts_red_against_blue():
    light = np.full((3, 40, 50), 100, np.float32)
    lab_a = smear.LABORATORIES["lab-a"]
    exposure = _optics.draw_exposure(np.random.default_rng(0))
    flat = _optics._lens(light, lab_a.optics, lab_a.sensor, exposure, 0.16)
    assert np.allclose(flat, 100, atol=0.05)
    light[:, 20, 25] = 1000
    slipping = _laboratories.Optics(lateral_um=0.32)
    red, _, blue = _optics._lens(light, slipping, lab_a.sensor, exposure, 0.16)
    centres = [ndimage.center_of_mass(np.maximum(plane - 101, 0)) for plane in (red, blue)]
    assert np.hypot(*np.subtract(*centres)) == pytest.approx(4.0, abs=0.3)


def test_everything_stays_in_single_precision():
    lab_a = smear.LABORATORIES["lab-a"]
    for label in smear.CLASSES:
        cell = leukocyte(label, lab_a)
        for array in (cell.dyes, cell.distance, cell.cover, cell.thickness):
            assert array.dtype == np.float32, label
    film = film_of([cell], lab_a)
    assert film.dyes.dtype == film.thickness.dtype == np.float32


# ---- geometry ----


@given(radius=st.floats(1, 6), x=st.floats(-1, 1), y=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_circles_have_exact_distances(radius, x, y):
    grid = _geometry.patch_grid((201, 201), (100, 100), 8.0, UM)
    exact = np.hypot(grid.x - x, grid.y - y) - radius
    outline = _geometry.wavy_outlines(radius, np.zeros((3, 2)))
    disc = _geometry.star_distance(grid.x - x, grid.y - y, outline)
    assert np.allclose(disc, exact, atol=1e-4)
    ellipse = _geometry.ellipse_distance(grid.x, grid.y, (x, y), (radius, radius), 1.0)
    assert np.allclose(ellipse, exact, atol=1e-4)
    rod = _geometry.rod_distance(grid.x, grid.y, (x, y), (x, y), radius, radius)
    assert np.allclose(rod, exact, atol=1e-3)


def test_waves_sit_at_their_true_angle():
    grid = _geometry.patch_grid((401, 401), (200, 200), 9.0, UM)
    angle = np.arctan2(grid.y, grid.x)
    radius = 4 * (1 + 0.1 * np.cos(3 * angle) - 0.05 * np.sin(2 * angle))
    expected = np.hypot(grid.x, grid.y) - radius
    outline = _geometry.wavy_outlines(4.0, np.array([[0, -0.05], [0.1, 0]]))
    distance = _geometry.star_distance(grid.x, grid.y, outline)
    assert np.abs(distance - expected).max() < 0.02


@given(radius=st.floats(1, 4), row=st.floats(80, 120), column=st.floats(80, 120))
@settings(max_examples=20, deadline=None)
def test_covered_pixels_add_up_to_the_area(radius, row, column):
    grid = _geometry.patch_grid((200, 200), (row, column), radius + 1, UM)
    outline = _geometry.wavy_outlines(radius, np.zeros((1, 2)))
    covered = _geometry.coverage(_geometry.star_distance(grid.x, grid.y, outline), UM)
    assert covered.sum() * UM**2 == pytest.approx(np.pi * radius**2, rel=0.01)


@given(blend=st.floats(0.1, 2))
@settings(max_examples=10, deadline=None)
def test_smooth_union_only_adds_a_fillet(blend):
    grid = _geometry.patch_grid((101, 101), (50, 50), 3, 0.06)
    left = _geometry.ellipse_distance(grid.x, grid.y, (-1, 0), (1, 1), 0)
    right = _geometry.ellipse_distance(grid.x, grid.y, (1, 0), (1, 1), 0)
    union = _geometry.smooth_union(left, right, blend)
    sharp = np.minimum(left, right)
    assert (union <= sharp + 1e-6).all() and (union >= sharp - blend / 4 - 1e-5).all()
    assert (_geometry.smooth_cut(left, right, blend) >= left - 1e-6).all()


def test_textures_are_standard_and_tied_to_the_film_not_to_the_pixels():
    corner = np.array([0.3, 0.8])
    noise = _geometry.texture(corner, _geometry.frame_grid((400, 400), 0.5), 1.0)
    assert abs(noise.mean()) < 0.1 and noise.std() == pytest.approx(1, abs=0.05)
    assert noise.dtype == np.float32
    fine, coarse = (
        _geometry.texture(corner, _geometry.frame_grid((side, side), 12.8 / side), 1.5)
        for side in (128, 64)
    )
    shrunk = fine.reshape(64, 2, 64, 2).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), coarse.ravel())[0, 1] > 0.99


def test_dots_have_the_size_and_position_of_their_centres():
    grid = _geometry.frame_grid((101, 101), 0.1)
    centres, radii, heights = np.array([[1.0, -2.0]]), np.array([0.8]), np.array([0.7])
    image = _geometry.dots(grid, centres, radii, heights, 0.1)
    assert image.max() == pytest.approx(0.7)
    assert (image > 0.35).sum() * 0.01 == pytest.approx(np.pi * 0.64, rel=0.05)
    row, column = ndimage.center_of_mass(image)
    assert (column, row) == pytest.approx((60, 30), abs=0.1)


def test_patches_outside_the_frame_are_empty_and_harmless():
    assert _geometry.patch_grid((50, 50), (200, 10), 1.0, 0.2).shape[0] == 0
    for label in smear.CLASSES:
        cell = leukocyte(label, smear.LABORATORIES["lab-b"], (50, 50), (500, 500))
        assert cell.mask.size == 0


# ---- determinism and errors ----


def fingerprint() -> str:
    cells, fields = smear.single_cells("random", 12, seed=5), smear.fields("lab-b", 1, 120, 160)
    arrays = (cells.images, cells.masks, fields.images, fields.boxes[0])
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.mark.slow
def test_another_process_makes_the_same_images():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_smear; "
        "print(test_smear.fingerprint())"
    )
    command = [sys.executable, "-c", code, __file__.rsplit("test_smear", 1)[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == fingerprint()


BAD_CALLS = [
    (smear.single_cells, ("lab-c", 1), "no laboratory 'lab-c'; do you mean 'lab-"),
    (smear.single_cells, (["lab-a"], 1), "no laboratory"),
    (smear.single_cells, ("lab-a", -1), "count must be a whole number of at least 0"),
    (smear.single_cells, ("lab-a", 1, 8), "size must be a whole number of at least 32"),
    (smear.single_cells, ("lab-a", 1, 64, -3), "seed must be"),
    (smear.fields, ("field-lab", 1, 0), "height must be"),
    (smear.one_cell, ("lab-a", "neutrofil"), "no class 'neutrofil'; do you mean 'neutrophil'"),
    (smear.one_cell, ("lab-a", 5), "no class 5"),
    (smear.mix, ("lab-a", "lab-b", 1.5), "severity must be a number from 0"),
    (smear.mix, ("lab-a", "lab-b", float("nan")), "severity must be .* nan"),
    (smear.mix, ("lab-a", "lab-b", 0.5, ["stein"]), "no factor 'stein'; do you mean 'stain'"),
    (smear.random_laboratory, (-1,), "seed must be .* -1"),
]


def test_bad_calls_say_what_is_allowed():
    for function, arguments, words in BAD_CALLS:
        with pytest.raises(ValueError, match=words):
            function(*arguments)


def test_unknown_and_impossible_dials_are_refused():
    with pytest.raises(ValueError, match="do you mean 'blur_um'"):
        smear.one_cell("lab-a", 0, blurr_um=1)
    with pytest.raises(ValueError, match=r"um_per_px .* positive"):
        smear.adjust("lab-a", um_per_px=0)


@pytest.mark.parametrize("margin", [0, 1, 5, 8])
def test_planes_are_mirrored_as_numpy_pads_them(margin):
    planes = np.random.default_rng(0).normal(size=(3, 8, 11)).astype(np.float32)
    border = (margin, margin)
    expected = np.pad(planes, ((0, 0), border, border), mode="symmetric")
    size = (8 + 2 * margin + 2, 11 + 2 * margin + 1)
    padded = _optics._mirrored(planes, margin, size)
    assert np.array_equal(padded[:, :-2, :-1], expected)
    assert padded.shape == (3, *size) and not padded[:, -2:].any() and not padded[..., -1:].any()
