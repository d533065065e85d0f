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
QUIET = dict.fromkeys(
    (
        "strength_sd",
        "hue_sd",
        "haemoglobin_sd",
        "rgb_sd",
        "gradient",
        "um_per_px_sd",
        "blur_um",
        "blur_sd",
        "lateral_um",
        "longitudinal",
        "refraction",
        "noise",
        "chroma_noise",
        "sharpening",
        "film_texture",
        "debris_per_1000um2",
        "platelets_per_1000um2",
        "per_100um2",
        "second_lot_share",
        "rim",
        "nuclear_edge",
    ),
    0,
) | dict(jpeg_quality=100)


@pytest.fixture(scope="module")
def batch():
    return smear.single_cells("lab-b", 20, seed=3)


def digest(images: np.ndarray) -> str:
    return hashlib.sha256(images.tobytes()).hexdigest()


# ---------------------------------------------------------------- contract


def test_single_cells_keep_the_contract(batch):
    assert batch.images.shape == (20, 128, 128, 3) and batch.images.dtype == np.uint8
    assert batch.masks.shape == (20, 128, 128) and batch.masks.dtype == np.uint8
    assert batch.labels.shape == (20,) and batch.labels.dtype == np.int64
    assert batch.boxes is None and batch.spacing.shape == (20, 2) and batch.spacing.dtype == float
    assert set(batch.domains) == {"lab-b"} and len(smear.MASK_CLASSES) == 3
    assert list(batch.patients) == ["s3-p0000"] * 10 + ["s3-p0001"] * 10


def test_classes_are_balanced_within_each_patient(batch):
    for patient in np.unique(batch.patients):
        assert np.bincount(batch.labels[batch.patients == patient]).tolist() == [2] * len(
            smear.CLASSES
        )


def test_first_cells_of_a_larger_batch_are_the_smaller_batch(batch):
    few = smear.single_cells("lab-b", 3, seed=3)
    assert np.array_equal(few.images, batch.images[:3]) and np.array_equal(
        few.masks, batch.masks[:3]
    )


def test_nothing_is_a_batch_too():
    assert smear.single_cells("lab-a", 0).images.shape == (0, 128, 128, 3)
    assert smear.fields("field-lab", 0).boxes == []


def test_seeds_show_different_cells(batch):
    assert not np.array_equal(smear.single_cells("lab-b", 3, seed=4).masks, batch.masks[:3])


def test_size_changes_pixels_but_not_the_piece_of_film():
    large, small = (smear.single_cells("lab-b", 5, size=size, seed=1) for size in (128, 64))
    assert np.allclose(small.spacing, 2 * large.spacing)
    areas = [(batch.masks > 0).sum((1, 2)) * batch.spacing.prod(1) for batch in (large, small)]
    assert np.allclose(areas[0], areas[1], rtol=0.03)
    shrunk = large.images.reshape(5, 64, 2, 64, 2, 3).mean((2, 4))
    assert np.abs(shrunk - small.images).mean() < 12


# ---------------------------------------------------------------- truth


def test_cells_have_the_diameter_of_their_class_in_micrometres():
    batch = smear.single_cells(smear.adjust("lab-a", um_per_px=0.26, warp_um=0), 60, seed=5)
    area = (batch.masks > 0).sum((1, 2)) * batch.spacing.prod(1)
    median = [np.median(2 * np.sqrt(area[batch.labels == c] / np.pi)) for c in range(5)]
    for diameter, (low, high) in zip(median, [(10, 15), (8, 12), (12, 20), (10, 17), (8, 14)]):
        assert low < diameter < high
    assert np.argmin(median) == smear.CLASSES.index("lymphocyte")


def test_nuclei_are_darker_than_cytoplasm_and_cytoplasm_than_glass(batch):
    green = batch.images[..., 1].astype(float)
    for image, mask in zip(green, batch.masks):
        nucleus, cytoplasm = image[mask == 2].mean(), image[mask == 1].mean()
        assert nucleus < cytoplasm - 10 and cytoplasm < np.percentile(image, 95) - 5


def test_mask_holds_only_the_cell_in_the_middle(monkeypatch):
    shown = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(_microscope, "NEIGHBOUR_SHARE", share)
        shown[share] = smear.single_cells("lab-a", 10, seed=2)
    assert np.array_equal(shown[0.0].masks, shown[1.0].masks)
    assert not np.array_equal(shown[0.0].images, shown[1.0].images)
    assert all(mask[56:72, 56:72].any() for mask in shown[1.0].masks)


@pytest.mark.parametrize("laboratory", ["field-lab", "lab-b"])
def test_boxes_of_fields_fit_the_cells(laboratory):
    batch = smear.fields(laboratory, 3, height=240, width=320, seed=1)
    assert batch.images.shape == (3, 240, 320, 3) and batch.labels is None and len(batch.boxes) == 3
    for boxes, mask in zip(batch.boxes, batch.masks):
        assert boxes.shape[1] == 5 and (boxes[:, :2] < boxes[:, 2:4]).all()
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:4] <= (240, 320)).all()
        assert (boxes[:, 4] == 0).sum() >= 3 and set(boxes[:, 4]) <= {0.0, 1.0, 2.0}
        parts, count = ndimage.label(ndimage.binary_opening(mask > 0, iterations=2))
        white = boxes[boxes[:, 4] == smear.FIELD_CLASSES.index("white blood cell"), :4]
        for rows, columns in ndimage.find_objects(parts):  # a second way to find the leukocytes
            part = np.array([rows.start, columns.start, rows.stop, columns.stop])
            if (rows.stop - rows.start) * (columns.stop - columns.start) > 0.02 * mask.size:
                assert np.abs(white - part).max(1).min() <= 6


def test_red_cells_have_their_width_in_micrometres():
    batch = smear.fields(smear.adjust("lab-b", per_100um2=0.4), 2, seed=7)
    widths = []
    for boxes, spacing in zip(batch.boxes, batch.spacing):
        inside = boxes[
            (boxes[:, 4] == 0) & (boxes[:, :2] > 0).all(1) & (boxes[:, 2:4] < (480, 640)).all(1)
        ]
        widths += ((inside[:, 2:4] - inside[:, :2]).mean(1) * spacing[0]).tolist()
    assert 6.9 < np.median(widths) < 8.3


# ---------------------------------------------------------------- the same cell everywhere


def test_stain_light_focus_and_camera_leave_the_truth_alone(batch):
    other = smear.mix("lab-b", "lab-a", 1, ["stain", "illuminant", "optics", "sensor", "red_cells"])
    seen = smear.single_cells(other, 6, seed=3)
    assert np.array_equal(seen.masks, batch.masks[:6]) and np.array_equal(
        seen.labels, batch.labels[:6]
    )
    assert list(seen.patients) == list(batch.patients[:6])


def test_magnification_and_preparation_keep_the_same_cell():
    same = dict(um_per_px=0.2, um_per_px_sd=0, monocyte_spread=1)
    one, two = (
        smear.single_cells(smear.adjust(name, **same), 10, seed=8) for name in ("lab-a", "lab-b")
    )
    overlap = ((one.masks > 0) & (two.masks > 0)).sum((1, 2)) / (
        (one.masks > 0) | (two.masks > 0)
    ).sum((1, 2))
    assert overlap.min() > 0.75 and np.median(overlap) > 0.85
    strangers = smear.single_cells("lab-b", 10, seed=9).masks > 0
    unlike = ((one.masks > 0) & strangers).sum((1, 2)) / ((one.masks > 0) | strangers).sum((1, 2))
    assert np.median(overlap) > np.median(unlike) + 0.1


def test_one_cell_is_the_same_cell_in_any_laboratory():
    here, there = (
        smear.one_cell(name, "monocyte", seed=4, patient=2) for name in ("lab-a", "lab-a-restained")
    )
    assert np.array_equal(here.masks, there.masks) and here.images.shape == (1, 128, 128, 3)
    assert not np.array_equal(here.images, there.images)
    assert here.labels.tolist() == [2] and list(here.patients) == ["s0-p0002"] == list(
        there.patients
    )
    assert np.array_equal(smear.one_cell("lab-a", 2, seed=4, patient=2).images, here.images)


@pytest.mark.parametrize("change", [dict(seed=5), dict(patient=3), dict(label="basophil")])
def test_one_cell_listens_to_each_argument(change):
    usual = dict(laboratory="lab-b", label="neutrophil", seed=4, patient=2)
    assert not np.array_equal(
        smear.one_cell(**usual | change).images, smear.one_cell(**usual).images
    )


def test_cells_of_one_patient_share_the_stain():
    lab = smear.adjust("lab-b", strength_sd=0.4)
    density = []
    for patient in range(6):
        shots = [smear.one_cell(lab, "lymphocyte", seed=seed, patient=patient) for seed in range(5)]
        density.append([-np.log(s.images[0][s.masks[0] == 2].mean() / 255) for s in shots])
    density = np.array(density)
    assert density.mean(1).std() > 1.5 * density.std(1).mean() / np.sqrt(5)


# ---------------------------------------------------------------- laboratories


def test_presets_say_that_they_are_calibrated():
    assert {"lab-a", "lab-b", "lab-a-restained", "field-lab"} <= set(smear.LABORATORIES)
    assert all(lab.calibrated and lab.name == name for name, lab in smear.LABORATORIES.items())
    assert not smear.random_laboratory(0).calibrated


def test_restained_partner_differs_in_stain_only():
    one, two = smear.LABORATORIES["lab-a"], smear.LABORATORIES["lab-a-restained"]
    assert [f for f in smear.FACTORS if getattr(one, f) != getattr(two, f)] == ["stain"]


@pytest.mark.parametrize("factor", smear.FACTORS)
def test_each_factor_changes_only_itself_and_changes_the_image(factor):
    mixed = smear.mix("lab-a", "lab-b", 1, [factor])
    changed = [
        f for f in smear.FACTORS if getattr(mixed, f) != getattr(smear.LABORATORIES["lab-a"], f)
    ]
    assert changed == [factor]
    assert not np.array_equal(
        smear.single_cells(mixed, 1).images, smear.single_cells("lab-a", 1).images
    )


def test_severity_runs_evenly_from_one_laboratory_to_the_other():
    images = [
        smear.single_cells(smear.mix("lab-a", "lab-b", s), 6, seed=1).images.astype(float)
        for s in (0, 0.25, 0.5, 1)
    ]
    assert np.array_equal(images[0], smear.single_cells("lab-a", 6, seed=1).images)
    assert np.array_equal(images[3], smear.single_cells("lab-b", 6, seed=1).images)
    away = [np.abs(image - images[0]).mean() for image in images]
    assert away[0] < away[1] < away[2] < away[3]
    assert smear.mix("lab-a", "lab-b", 0.25).optics.blur_um == pytest.approx(
        0.75 * smear.LABORATORIES["lab-a"].optics.blur_um
        + 0.25 * smear.LABORATORIES["lab-b"].optics.blur_um
    )


def test_random_laboratories_are_drawn_per_image_and_can_be_drawn_again():
    batch = smear.single_cells("random", 12, size=48, seed=6)
    assert list(batch.domains) == [f"random-6-{number}" for number in range(12)]
    for number in (3, 11):
        again = smear.single_cells(smear.random_laboratory((6, number)), 12, size=48, seed=6)
        assert np.array_equal(again.images[number], batch.images[number])
    assert list(smear.fields("random", 2, 60, 80, seed=6).domains) == ["random-6-0", "random-6-1"]
    assert smear.random_laboratory(1) == smear.random_laboratory(1) != smear.random_laboratory(2)


def test_ranges_of_random_laboratories_are_frozen():
    """Ranges that are tuned later would spoil every experiment from simulated to real images."""
    labs = [smear.random_laboratory(seed) for seed in range(200)]

    def span(factor: str, name: str) -> tuple[float, float]:
        values = [getattr(getattr(lab, factor), name) for lab in labs]
        return min(values), max(values)

    for factor, name, low, high in [
        ("magnification", "um_per_px", 0.14, 0.26),
        ("optics", "blur_um", 0.09, 0.45),
        ("sensor", "noise", 0.5, 5),
        ("sensor", "jpeg_quality", 55, 96),
        ("red_cells", "per_100um2", 0.2, 2.6),
        ("preparation", "warp_um", 0.1, 0.4),
    ]:
        least, most = span(factor, name)
        assert (
            low <= least < low + 0.05 * (high - low) and high - 0.05 * (high - low) < most <= high
        )


def test_parameter_names_are_unique_over_the_factors():
    lab = smear.LABORATORIES["lab-a"]
    names = [p.name for factor in smear.FACTORS for p in parameters(getattr(lab, factor))]
    assert len(names) == len(set(names))


# ---------------------------------------------------------------- physics


def test_beer_lambert_holds_in_the_image():
    plain = smear.adjust(
        "lab-b",
        **QUIET,
        chromatin=(0.2, 0.4, 0.1),
        azure=(0, 0, 0),
        eosin=(0, 0, 0),
        rgb=(250, 240, 230),
    )
    single, double = (
        smear.one_cell(smear.adjust(plain, chromatin=colour), "lymphocyte", seed=1)
        for colour in [(0.2, 0.4, 0.1), (0.4, 0.8, 0.2)]
    )
    inside = ndimage.binary_erosion(single.masks[0] == 2, iterations=3)
    density = [-np.log(s.images[0][inside].mean(0) / (250, 240, 230)) for s in (single, double)]
    assert density[1] == pytest.approx(2 * density[0], rel=0.05)
    assert density[0] / density[0][1] == pytest.approx([0.5, 1, 0.25], abs=0.06)
    glass = single.images[0][~ndimage.binary_dilation(single.masks[0] > 0, iterations=6)]
    assert np.median(glass, 0) == pytest.approx([250, 240, 230], abs=2)


def test_known_concentrations_give_the_intensities_of_beer_and_lambert():
    plain = smear.adjust("lab-b", **QUIET, rgb=(250, 240, 230))
    dyes = np.zeros((5, 40, 40), np.float32)
    dyes[0], dyes[2] = 0.5, 0.8
    film = _scene.Scene((40, 40), 0.2, dyes, np.zeros((40, 40), np.float32), None, None)
    rng = np.random.default_rng(0)
    image = _optics.photograph(
        rng, film, _optics.draw_exposure(rng), plain, _patients.draw_patient(0)
    )
    stain = plain.stain
    expected = np.array([250, 240, 230]) * np.exp(
        -0.5 * np.array(stain.chromatin) - 0.8 * np.array(stain.eosin)
    )
    assert image.reshape(-1, 3).mean(0) == pytest.approx(expected, abs=1.0)


def test_the_later_of_two_leukocytes_lies_on_top():
    lab, who = smear.adjust("lab-b", **QUIET), _patients.draw_patient(0)
    below, above = (
        _cells.leukocyte(_patients.stream("cell", n), label, who, lab, (96, 96), (48, 48), 0.2)
        for n, label in enumerate(["basophil", "lymphocyte"])
    )
    film = _scene.compose(
        _patients.stream("scene", 1), [below, above], lab.red_cells, who, (96, 96), 0.2, 40
    )
    covered = above.cover > 0.99
    assert np.allclose(
        film.dyes[:, above.grid.window[0], above.grid.window[1]][:, covered],
        above.dyes[:, covered],
        atol=0.08,
    )
    assert (film.mask[above.grid.window] == above.mask)[covered].all()


def sharpness(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image[..., 1].astype(float), axis=0)).mean())


@pytest.mark.parametrize(
    "dial, low, high, measure",
    [
        ("blur_um", 0.1, 0.6, lambda image: -sharpness(image)),
        ("noise", 0.0, 12.0, sharpness),
        ("sharpening", 0.0, 1.5, sharpness),
        ("jpeg_quality", 15, 80, lambda image: len(zlib.compress(image.tobytes()))),
        ("gamma", 1.3, 0.8, np.mean),
        ("contrast", 0.8, 1.3, np.std),
        ("gradient", 0.0, 0.6, lambda image: -float(image[[0, 0, -1, -1], [0, -1, 0, -1]].mean())),
        (
            "chroma_noise",
            0.0,
            8.0,
            lambda image: float((image[..., 0].astype(float) - image[..., 2]).std()),
        ),
        (
            "lateral_um",
            0.0,
            0.5,
            lambda image: float(np.abs(image[..., 0].astype(float) - image[..., 2]).std()),
        ),
        ("per_100um2", 0.0, 3.0, lambda image: -float(image.mean())),
        ("refraction", 0.0, 2.0, sharpness),
    ],
)
def test_dials_do_what_they_say(dial, low, high, measure):
    base = smear.adjust("lab-b", **QUIET | dict(per_100um2=0.8))
    values = [
        np.mean(
            [
                measure(smear.one_cell(base, "neutrophil", seed=seed, **{dial: value}).images[0])
                for seed in range(4)
            ]
        )
        for value in (low, high)
    ]
    assert values[1] > values[0]


def test_lens_keeps_flat_light_flat_and_shifts_red_against_blue():
    light = np.full((3, 40, 50), 100, np.float32)
    lab = smear.LABORATORIES["lab-a"]
    shot = _optics.draw_exposure(np.random.default_rng(0))
    assert np.allclose(_optics._lens(light, lab.optics, lab.sensor, shot, 0.16), 100, atol=0.05)
    light[:, 20, 25] = 1000
    red, _, blue = _optics._lens(
        light, _laboratories.Optics(lateral_um=0.32), lab.sensor, shot, 0.16
    )
    gap = np.subtract(
        *(ndimage.center_of_mass(np.maximum(plane - 101, 0)) for plane in (red, blue))
    )
    assert np.hypot(*gap) == pytest.approx(4.0, abs=0.3)


def test_everything_stays_in_single_precision():
    lab, who = smear.LABORATORIES["lab-a"], _patients.draw_patient(0)
    for label in smear.CLASSES:
        cell = _cells.leukocyte(
            _patients.stream("cell", 1), label, who, lab, (96, 96), (48, 48), 0.2
        )
        assert (
            cell.dyes.dtype
            == cell.distance.dtype
            == cell.cover.dtype
            == cell.thickness.dtype
            == np.float32
        )
    filled = _scene.compose(
        _patients.stream("scene", 1), [cell], lab.red_cells, who, (96, 96), 0.2, 40
    )
    assert filled.dyes.dtype == filled.thickness.dtype == np.float32


# ---------------------------------------------------------------- geometry


@given(radius=st.floats(1, 6), x=st.floats(-1, 1), y=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_circles_have_exact_distances(radius, x, y):
    where = _geometry.patch((201, 201), (100, 100), 8.0, UM)
    disc = _geometry.star(where.x - x, where.y - y, _geometry.outlines(radius, np.zeros((3, 2))))
    exact = np.hypot(where.x - x, where.y - y) - radius
    assert np.allclose(disc, exact, atol=1e-4)
    assert np.allclose(
        _geometry.ellipse(where.x, where.y, (x, y), (radius, radius), 1.0), exact, atol=1e-4
    )
    assert np.allclose(
        _geometry.capsule(where.x, where.y, (x, y), (x, y), radius, radius), exact, atol=1e-3
    )


def test_waves_sit_at_their_true_angle():
    where = _geometry.patch((401, 401), (200, 200), 9.0, UM)
    angle = np.arctan2(where.y, where.x)
    expected = np.hypot(where.x, where.y) - 4 * (
        1 + 0.1 * np.cos(3 * angle) - 0.05 * np.sin(2 * angle)
    )
    harmonics = np.array([[0, -0.05], [0.1, 0]])
    assert (
        np.abs(
            _geometry.star(where.x, where.y, _geometry.outlines(4.0, harmonics)) - expected
        ).max()
        < 0.02
    )


@given(radius=st.floats(1, 4), row=st.floats(80, 120), column=st.floats(80, 120))
@settings(max_examples=20, deadline=None)
def test_covered_pixels_add_up_to_the_area(radius, row, column):
    where = _geometry.patch((200, 200), (row, column), radius + 1, UM)
    distance = _geometry.star(where.x, where.y, _geometry.outlines(radius, np.zeros((1, 2))))
    assert _geometry.coverage(distance, UM).sum() * UM**2 == pytest.approx(
        np.pi * radius**2, rel=0.01
    )


@given(blend=st.floats(0.1, 2))
@settings(max_examples=10, deadline=None)
def test_smooth_union_only_adds_a_fillet(blend):
    where = _geometry.patch((101, 101), (50, 50), 3, 0.06)
    one = _geometry.ellipse(where.x, where.y, (-1, 0), (1, 1), 0)
    other = _geometry.ellipse(where.x, where.y, (1, 0), (1, 1), 0)
    union = _geometry.smooth_union(one, other, blend)
    sharp = np.minimum(one, other)
    assert (union <= sharp + 1e-6).all() and (union >= sharp - blend / 4 - 1e-5).all()
    assert (_geometry.smooth_cut(one, other, blend) >= one - 1e-6).all()


def test_textures_are_standard_and_tied_to_the_film_not_to_the_pixels():
    corner = np.array([0.3, 0.8])
    wide = _geometry.whole((400, 400), 0.5)
    noise = _geometry.texture(corner, wide, 1.0)
    assert (
        abs(noise.mean()) < 0.1
        and noise.std() == pytest.approx(1, abs=0.05)
        and noise.dtype == np.float32
    )
    fine, coarse = (
        _geometry.texture(corner, _geometry.patch((n, n), ((n - 1) / 2,) * 2, 50, 12.8 / n), 1.5)
        for n in (128, 64)
    )
    shrunk = fine.reshape(64, 2, 64, 2).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), coarse.ravel())[0, 1] > 0.99


def test_dots_have_the_size_and_place_asked_for():
    where = _geometry.whole((101, 101), 0.1)
    drawn = _geometry.dots(where, np.array([[1.0, -2.0]]), np.array([0.8]), np.array([0.7]), 0.1)
    assert drawn.max() == pytest.approx(0.7)
    assert (drawn > 0.35).sum() * 0.01 == pytest.approx(np.pi * 0.64, rel=0.05)
    row, column = ndimage.center_of_mass(drawn)
    assert (column, row) == pytest.approx((60, 30), abs=0.1)


def test_patches_outside_the_frame_are_empty_and_harmless():
    assert _geometry.patch((50, 50), (200, 10), 1.0, 0.2).shape[0] == 0
    lab, who = smear.LABORATORIES["lab-b"], _patients.draw_patient(0)
    for label in smear.CLASSES:
        cell = _cells.leukocyte(
            _patients.stream("cell", 1), label, who, lab, (50, 50), (500, 500), 0.2
        )
        assert cell.mask.size == 0


# ---------------------------------------------------------------- determinism and errors


def test_another_process_makes_the_same_images():
    script = (
        "import hashlib; from medlearn.instruments import smear; "
        "b = smear.single_cells('random', 12, seed=5); f = smear.fields('field-lab', 1, 120, 160, seed=5); "
        "print(*[hashlib.sha256(a.tobytes()).hexdigest() for a in (b.images, b.masks, f.images, f.boxes[0])])"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    cells_here, field = (
        smear.single_cells("random", 12, seed=5),
        smear.fields("field-lab", 1, 120, 160, seed=5),
    )
    here = [digest(a) for a in (cells_here.images, cells_here.masks, field.images, field.boxes[0])]
    assert other.stdout.split() == here


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: smear.single_cells("lab-c", 1), ["lab-c", "'lab-a'", "'random'", "Did you mean"]),
        (lambda: smear.single_cells(["lab-a"], 1), ["laboratory", "'lab-a'"]),
        (lambda: smear.single_cells("lab-a", -1), ["count", "at least 0", "-1"]),
        (lambda: smear.single_cells("lab-a", 2.5), ["count", "whole number"]),
        (lambda: smear.single_cells("lab-a", 1, size=8), ["size", "at least 32"]),
        (lambda: smear.single_cells("lab-a", 1, seed=-3), ["seed", "at least 0"]),
        (lambda: smear.fields("field-lab", 1, height=0), ["height", "at least 32"]),
        (lambda: smear.fields("fieldlab", 1), ["'field-lab'?"]),
        (lambda: smear.one_cell("lab-a", "neutrofil"), ["class", "Did you mean 'neutrophil'?"]),
        (lambda: smear.one_cell("lab-a", 5), ["class", "neutrophil"]),
        (lambda: smear.one_cell("lab-a", 0, blurr_um=1), ["parameter", "Did you mean 'blur_um'?"]),
        (lambda: smear.mix("lab-a", "lab-b", 1.5), ["severity", "0", "1", "1.5"]),
        (lambda: smear.mix("lab-a", "lab-b", float("nan")), ["severity", "nan"]),
        (
            lambda: smear.mix("lab-a", "lab-b", 0.5, ["stein"]),
            ["factor", "'illuminant'", "Did you mean 'stain'?"],
        ),
        (lambda: smear.mix("lab-a", "lab-x", 0.5), ["lab-x"]),
        (lambda: smear.adjust("lab-a", nois=3), ["'noise'?"]),
        (lambda: smear.adjust("lab-a", um_per_px=0), ["um_per_px", "positive", "0.0"]),
        (lambda: smear.random_laboratory(-1), ["seed", "-1"]),
    ],
)
def test_mistakes_are_told_in_one_sentence(call, words):
    with pytest.raises(ValueError) as mistake:
        call()
    message = str(mistake.value)
    assert all(word in message for word in words) and "\n" not in message
