"""The virtual MRI scanner: contract, physics in closed form, paired anatomy, noise, bad input."""

import hashlib
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medlearn import _files
from medlearn.instruments import mri
from medlearn.instruments.mri import _atlas, _preparation, _scanner, _slices, physics

SIZE = 64
LESION = mri.MASK_CLASSES.index("lesion")
CLEAN = mri.Site("clean", 3.0, "T1w-IR", 2300, 3, ti_ms=950, noise=0, bias=0, matrix=1024)


@pytest.fixture(scope="module")
def batch():
    return mri.slices("3T-FLAIR", 32, size=SIZE, seed=5)


@pytest.fixture(scope="module")
def healthy():
    return mri.prepare("healthy", seed=2, size=128)


def mean_by_class(image, mask):
    inner = [ndimage.binary_erosion(mask == index) for index in range(len(mri.MASK_CLASSES))]
    return [image[..., 0][pixels].mean() if pixels.any() else np.nan for pixels in inner]


def changed_share(image, other):
    return (image != other).mean()


# ---- the contract ----


def test_slices_have_the_promised_shapes_and_types(batch):
    assert batch.images.shape == (32, SIZE, SIZE, 3) and batch.images.dtype == np.uint8
    assert batch.masks.shape == (32, SIZE, SIZE) and batch.masks.dtype == np.uint8
    assert batch.labels.shape == (32,) and batch.labels.dtype == np.int64
    ages = batch.facts["age"]
    assert ages.shape == (32,) and ages.min() >= 20 and ages.max() <= 85
    np.testing.assert_array_equal(batch.spacing, np.full((32, 2), 220 / SIZE))
    assert set(batch.domains) == {"3T-FLAIR"} and batch.patients[4] == "s5-subject-0001"
    np.testing.assert_array_equal(batch.images[..., 0], batch.images[..., 2])


def test_the_named_sites_come_in_their_order():
    assert tuple(mri.SITES) == ("3T-FLAIR", "1.5T-FLAIR", "3T-T1w", "1.5T-T1w", "3T-T2w", "PD")
    assert all(site.name == name for name, site in mri.SITES.items())


def test_classes_are_balanced_and_each_subject_has_one_class_and_age(batch):
    np.testing.assert_array_equal(np.bincount(batch.labels), [8, 8, 8, 8])
    for patient in set(batch.patients):
        of_patient = batch.take(batch.patients == patient)
        assert len(of_patient) == 4 and len(set(of_patient.labels)) == 1
        assert len(set(of_patient.facts["age"])) == 1


def test_slices_of_a_subject_differ(batch):
    for masks in batch.masks.reshape(8, 4, -1):
        assert all((masks[0] != mask).any() for mask in masks[1:])


def test_a_label_is_what_its_slice_shows(batch):
    lesion = (batch.masks == LESION).sum(axis=(1, 2)) * (220 / SIZE) ** 2
    assert (lesion[batch.labels == 0] == 0).all()
    assert (lesion[batch.labels > 0] > 30).all()


def test_boxes_frame_exactly_the_islands_of_lesion(batch):
    for mask, boxes, label in zip(batch.masks, batch.boxes, batch.labels, strict=True):
        framed = np.zeros(mask.shape, bool)
        for y0, x0, y1, x1, box_class in boxes:
            frame = slice(int(y0), int(y1)), slice(int(x0), int(x1))
            island = mask[frame] == LESION
            assert island.any(axis=0)[[0, -1]].all() and island.any(axis=1)[[0, -1]].all()
            assert box_class == label
            framed[frame] = True
        assert not (mask == LESION)[~framed].any()
        assert len(boxes) == ndimage.label(mask == LESION, np.ones((3, 3)))[1]


def test_a_part_of_a_series_is_the_same_as_in_the_whole(batch):
    part = mri.slices("3T-FLAIR", 7, size=SIZE, seed=5, first=3)
    np.testing.assert_array_equal(part.images, batch.images[3:10])
    np.testing.assert_array_equal(part.masks, batch.masks[3:10])
    np.testing.assert_equal(part.boxes, batch.boxes[3:10])


def test_another_seed_brings_other_subjects(batch):
    other = mri.slices("3T-FLAIR", 4, size=SIZE, seed=6)
    assert changed_share(other.images, batch.images[:4]) > 0.3
    assert other.patients[0] == "s6-subject-0000"


def test_further_sites_see_the_same_subjects(batch):
    flair, t2w = mri.paired_slices(["3T-FLAIR", "3T-T2w"], 8, size=SIZE, seed=5)
    np.testing.assert_array_equal(flair.images, batch.images[:8])
    np.testing.assert_array_equal(t2w.masks, flair.masks)
    np.testing.assert_array_equal(t2w.patients, flair.patients)
    np.testing.assert_array_equal(t2w.facts["age"], flair.facts["age"])
    assert set(t2w.domains) == {"3T-T2w"}
    alone = mri.slices("3T-T2w", 8, size=SIZE, seed=5)
    np.testing.assert_array_equal(t2w.images, alone.images)
    assert changed_share(t2w.images, flair.images) > 0.3


def test_stacks_hold_whole_subjects_the_same_as_slices(batch):
    stacks = mri.stacks("3T-FLAIR", 8, heights=5, size=SIZE, seed=5)
    assert stacks.images.shape == (40, SIZE, SIZE, 3) and stacks.masks.shape == (40, SIZE, SIZE)
    np.testing.assert_array_equal(stacks.patients[::5], batch.patients[::4])
    np.testing.assert_array_equal(stacks.labels, np.repeat(batch.labels[::4], 5))
    np.testing.assert_array_equal(stacks.facts["age"][::5], batch.facts["age"][::4])
    shows = (stacks.masks == LESION).any(axis=(1, 2))
    assert not shows[stacks.labels == 0].any() and 0.2 < shows[stacks.labels > 0].mean() < 0.95


def test_heights_of_a_stack_run_evenly_from_below_upwards():
    stack = mri.stacks("3T-FLAIR", 1, heights=3, size=SIZE, seed=3)
    finer = mri.stacks("3T-FLAIR", 1, heights=5, size=SIZE, seed=3)
    np.testing.assert_array_equal(stack.masks, finer.masks[::2])
    subject = mri.prepare(int(stack.labels[0]), seed=3, subject=0, size=SIZE).subject
    highest = _slices.prepare_level(subject, 48.0, SIZE)
    np.testing.assert_array_equal(highest.mask, stack.masks[-1])


@pytest.mark.parametrize("label", range(4))
def test_a_flat_lesion_shows_on_fewer_slices_of_the_same_head(label):
    whole, flat = (
        mri.stacks("3T-FLAIR", 4, heights=12, size=SIZE, seed=5, extent=extent)
        for extent in (1.0, 0.3)
    )
    rows = np.flatnonzero(whole.labels == label)
    np.testing.assert_array_equal(flat.patients, whole.patients)
    shows, still_shows = (np.any(batch.masks[rows] == LESION, (1, 2)) for batch in (whole, flat))
    if label == 0:
        np.testing.assert_array_equal(flat.images[rows], whole.images[rows])
    else:
        assert 0 < still_shows.sum() < shows.sum()


def test_random_sites_vary_and_repeat():
    sites = [mri.random_site(seed) for seed in range(60)]
    assert {site.sequence for site in sites} == set(mri.SEQUENCES)
    assert {site.field_tesla for site in sites} == {1.5, 3.0} and len(set(sites)) == 60
    assert mri.random_site(7) == mri.random_site(7)
    series, again = (mri.slices("random", 4, size=SIZE, seed=1) for _ in range(2))
    np.testing.assert_array_equal(series.images, again.images)
    assert set(series.domains) == {"random"}


def test_one_slice_is_prepare_and_scan():
    image, mask = mri.one_slice("PD", "stroke", seed=3, subject=4, height=5, size=SIZE)
    prepared = mri.prepare(3, seed=3, subject=4, height=5, size=SIZE)
    np.testing.assert_array_equal(image, mri.scan(prepared, mri.SITES["PD"]))
    np.testing.assert_array_equal(mask, prepared.mask)
    random, _ = mri.one_slice("random", "stroke", seed=3, subject=4, height=5, size=SIZE)
    np.testing.assert_array_equal(random, mri.scan(prepared, mri.random_site(3)))


def test_each_argument_of_prepare_matters():
    arguments = {"label": "stroke", "seed": 3, "subject": 4, "height": 0.0, "size": SIZE}
    mask = mri.prepare(**arguments).mask
    for change in ({"seed": 4}, {"subject": 5}, {"height": -5.0}, {"label": "healthy"}):
        assert (mask != mri.prepare(**arguments | change).mask).any(), change


def test_every_class_has_the_same_head():
    heads = [mri.prepare(label, seed=1, subject=3, size=SIZE).subject.head for label in mri.CLASSES]
    assert len({head.age for head in heads}) == 1
    assert all(np.array_equal(head.spots, heads[0].spots) for head in heads)


def test_spots_of_age_are_no_lesion_and_come_in_the_healthy():
    spots_of_young = spots_of_old = 0
    for subject in range(60):
        head = mri.prepare("healthy", seed=0, subject=subject, size=32).subject.head
        if head.age > 60:
            spots_of_old += len(head.spots)
        else:
            spots_of_young += len(head.spots)
    assert spots_of_old > 3 * spots_of_young > 0


# ---- physics ----


def test_spin_echo_at_its_limits():
    t1, t2, density = 800.0, 80.0, 0.7
    assert physics.spin_echo(t1, t2, density, 1e9, 0) == pytest.approx(density)
    half_times = physics.spin_echo(t1, t2, density, t1 * np.log(2), t2 * np.log(2))
    assert half_times == pytest.approx(density / 4)


def test_spoiled_gradient_echo_peaks_at_the_ernst_angle():
    flips = np.linspace(1, 90, 8901)
    signal = physics.spoiled_gradient_echo(900.0, 80.0, 1.0, 100.0, 0.0, flips)
    ernst_angle = np.rad2deg(np.arccos(np.exp(-100 / 900)))
    assert flips[signal.argmax()] == pytest.approx(ernst_angle, abs=0.02)
    at_right_angle = physics.spoiled_gradient_echo(900.0, 80.0, 1.0, 100.0, 20.0, 90.0)
    assert at_right_angle == pytest.approx(physics.spin_echo(900.0, 80.0, 1.0, 100.0, 20.0))


def test_gradient_echo_reaches_the_steady_state_of_repeated_pulses():
    t1, tr, flip = 900.0, 100.0, np.deg2rad(30)
    along = 1.0
    for _ in range(400):
        across, along = along * np.sin(flip), 1 - (1 - along * np.cos(flip)) * np.exp(-tr / t1)
    assert physics.spoiled_gradient_echo(t1, 80.0, 1.0, tr, 0.0, 30.0) == pytest.approx(across)


@settings(max_examples=30)
@given(t1=st.floats(200, 4500), tr=st.floats(1000, 12000))
def test_inversion_nulls_a_tissue_at_its_null_time(t1, tr):
    null = t1 * (np.log(2) - np.log1p(np.exp(-tr / t1)))
    assert physics.inversion_recovery(t1, 80.0, 1.0, tr, 10.0, null) == pytest.approx(0, abs=1e-9)
    assert physics.inversion_recovery(t1, 80.0, 1.0, tr, 10.0, 0.9 * null) < 0


def test_the_protocol_of_flair_nulls_the_fluid():
    signals = physics.signals(mri.SITES["3T-FLAIR"])
    signal_of = dict(zip(physics.TISSUES, signals, strict=True))
    assert abs(signal_of["cerebrospinal fluid"]) < 0.05 * signal_of["white matter"]
    for name in ("tumour", "oedema", "plaque", "infarct grey"):
        assert signal_of[name] > 1.1 * signal_of["grey matter"], name


def test_relaxation_between_the_fields_lies_between():
    low, middle, high = (physics.tissue_table(field) for field in (1.5, 2.1, 3.0))
    assert (np.minimum(low, high) <= middle + 1e-9).all()
    assert (middle <= np.maximum(low, high) + 1e-9).all()
    assert high[physics.TISSUES.index("grey matter"), 0] == pytest.approx(1607)
    assert low[physics.TISSUES.index("white matter"), 0] == pytest.approx(646)


def test_each_contrast_orders_the_tissues(healthy):
    fluid, grey, white = mri.MASK_CLASSES[1:4]
    orders = {
        "3T-T1w": (fluid, grey, white),
        "1.5T-T1w": (fluid, grey, white),
        "3T-T2w": (white, grey, fluid),
        "3T-FLAIR": (fluid, white, grey),
    }
    for name, (dark, middle, bright) in orders.items():
        site = replace(mri.SITES[name], bias=0, noise=0.01)
        image = mri.scan(healthy, site)
        means = dict(zip(mri.MASK_CLASSES, mean_by_class(image, healthy.mask), strict=True))
        assert means[dark] + 8 < means[middle] < means[bright] - 8, name


# ---- the scanner ----


def test_noise_in_air_is_rayleigh_and_follows_the_dial(healthy):
    rng = np.random.default_rng(0)
    for matrix in (64, 128):
        image = np.abs(_scanner.acquire(np.zeros((128, 128), np.float32), matrix, 0.1, rng))
        assert image.mean() == pytest.approx(0.1 * np.sqrt(np.pi / 2), rel=0.03)
        assert image.std() == pytest.approx(0.1 * np.sqrt(2 - np.pi / 2), rel=0.05)
    quiet, loud = (mri.scan(healthy, replace(CLEAN, noise=noise)) for noise in (0.02, 0.1))
    assert loud[:20, :20].mean() > 3 * quiet[:20, :20].mean()


def test_noise_around_a_strong_signal_is_gaussian():
    flat = np.full((128, 128), 5, np.float32)
    image = np.abs(_scanner.acquire(flat, 128, 0.1, np.random.default_rng(0)))
    assert image.mean() == pytest.approx(np.sqrt(25 + 0.01), rel=1e-3)
    assert image.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("size", [64, 65])
@pytest.mark.parametrize("matrix", [31, 32, 200])
def test_a_small_matrix_keeps_the_mean_and_loses_detail(size, matrix):
    image = np.random.default_rng(0).random((size, size), np.float32)
    acquired = np.abs(_scanner.acquire(image, matrix, 0.0, np.random.default_rng(0)))
    assert acquired.mean() == pytest.approx(image.mean(), rel=0.01)
    detail = np.abs(np.fft.fftshift(np.fft.fft2(acquired)))
    assert (detail[0, :].max() < 1e-2) == (matrix < size)


def test_the_receive_field_spans_its_dial(healthy):
    for spread in (0.0, 0.4):
        field = _scanner._receive_field(np.random.default_rng(0), healthy.plane, spread)
        assert field.min() == pytest.approx(1 - spread / 2, abs=1e-5)
        assert field.max() == pytest.approx(1 + spread / 2, abs=1e-5)


def test_each_dial_changes_the_image(healthy):
    dials = {
        "field_tesla": 1.5,
        "tr_ms": 1500,
        "te_ms": 60,
        "ti_ms": 400,
        "noise": 0.1,
        "bias": 0.8,
        "matrix": 50,
        "thickness_mm": 8,
        "sequence": "PD",
    }
    clean = mri.scan(healthy, CLEAN)
    for dial, value in dials.items():
        image = mri.scan(healthy, replace(CLEAN, **{dial: value}))
        assert changed_share(image, clean) > 0.05, dial
    gradient_echo = mri.SITES["1.5T-T1w"]
    flipped = mri.scan(healthy, replace(gradient_echo, flip_deg=20))
    assert changed_share(flipped, mri.scan(healthy, gradient_echo)) > 0.05


def test_thickness_averages_the_anatomy(healthy):
    thin, thick = healthy.fractions(1.0), healthy.fractions(10.0)
    assert thick.sum(axis=0) == pytest.approx(thin.sum(axis=0), abs=0.02)
    assert thick[:3].max(axis=0).mean() < thin[:3].max(axis=0).mean() - 0.02


def test_a_slab_is_the_mean_of_its_planes():
    rng = np.random.default_rng(0)
    points = rng.uniform([-60, -90, 0], [60, 50, 40], (500, 3)).T.astype(np.float32)
    steps = np.zeros((10, 3, 1), np.float32)
    steps[:, 2, 0] = np.arange(-2.25, 2.5, 0.5)
    planes = [_atlas.slab(points + step, 0.5) for step in steps]
    assert np.abs(_atlas.slab(points, 5.0) - np.mean(planes, axis=0)).max() < 1e-3


def test_tissue_fractions_are_fractions():
    for label in mri.CLASSES:
        for subject in range(3):
            fractions = mri.prepare(label, seed=8, subject=subject, size=SIZE).fractions(3.0)
            assert fractions.min() > -0.005 and fractions.sum(axis=0).max() < 1.01, label


def test_brains_have_no_holes_and_heads_are_inside_the_image():
    for number in range(40):
        prepared = mri.prepare(mri.CLASSES[number % 4], seed=4, subject=number // 4, size=SIZE)
        brain = prepared.mask > 0
        assert not (ndimage.binary_fill_holes(brain) & ~brain).any(), number
        head = np.zeros(SIZE * SIZE)
        head[prepared.plane.pixels] = prepared.fractions(3.0).sum(axis=0)
        head = head.reshape(SIZE, SIZE)
        border = np.concatenate([head[0], head[-1], head[:, 0], head[:, -1]])
        assert border.max() < 0.5, number


@pytest.mark.parametrize("label", mri.CLASSES[1:])
def test_lesions_are_brighter_than_white_matter_on_flair(label):
    brighter = 0
    for subject in range(6):
        prepared = mri.prepare(label, seed=9, subject=subject, size=SIZE)
        image = mri.scan(prepared, "3T-FLAIR")[..., 0]
        white_matter = image[prepared.mask == 3].mean()
        brighter += image[prepared.mask == LESION].mean() > white_matter + 10
    assert brighter >= 5


# ---- determinism and the cache ----


def fingerprint() -> str:
    parts = mri.paired_slices(["3T-FLAIR", "random"], 8, size=48, seed=3)
    pixels = b"".join(part.images.tobytes() + part.masks.tobytes() for part in parts)
    return hashlib.sha256(pixels).hexdigest()


@pytest.mark.slow
def test_a_second_process_makes_the_same_images():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_mri; "
        "print(test_mri.fingerprint())"
    )
    command = [sys.executable, "-c", code, __file__.rsplit("test_mri", 1)[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == fingerprint()


@pytest.mark.slow
def test_the_preparation_builds_what_the_cache_holds():
    for name, array in _preparation.build().items():
        np.testing.assert_array_equal(array, getattr(_atlas.atlas(), name))


def test_a_damaged_cache_is_rebuilt(monkeypatch, tmp_path):
    built = {field.name: np.full(5, 7, np.uint8) for field in fields(_atlas.Atlas)}
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(_preparation, "build", lambda: built)
    path = tmp_path / _atlas.FILE
    _atlas.atlas.__wrapped__()
    for content in (b"", b"not an archive", path.read_bytes()[:-100]):
        path.write_bytes(content)
        for _ in range(2):  # built anew, then read
            atlas = _atlas.atlas.__wrapped__()
            np.testing.assert_array_equal(atlas.hemisphere, built["hemisphere"])
        kept = [file.name for file in tmp_path.iterdir() if file.name != _files.MARK]
        assert kept == [_atlas.FILE]


# ---- bad input ----


IMPOSSIBLE_SITES = [
    ({"te_ms": 3000}, "te_ms must be from 0.1 to 1000 ms"),
    ({"tr_ms": 500, "te_ms": 600}, r"te_ms must be from 0.1 to 500 \(tr_ms"),
    ({"ti_ms": 2400}, r"ti_ms must be from 0 to 2300 \(tr_ms"),
    ({"ti_ms": 2299}, "at most tr_ms - te_ms"),
    ({"ti_ms": 0}, "needs ti_ms above 0"),
    ({"noise": float("nan")}, "noise must be from 0 to 1"),
    ({"thickness_mm": "thin"}, "thickness_mm must be from 1 to 10"),
    ({"matrix": 99.5}, "whole number"),
    ({"sequence": "T3w"}, "no sequence 'T3w'; do you mean"),
    ({"name": ""}, "name"),
]


def test_impossible_sites_are_refused():
    for changes, words in IMPOSSIBLE_SITES:
        with pytest.raises(ValueError, match=words):
            replace(CLEAN, **changes)


BAD_CALLS = [
    (mri.slices, {"site": "7T-FLAIR", "count": 4}, "no site '7T-FLAIR'; do you mean"),
    (mri.paired_slices, {"sites": [], "count": 4}, "at least one"),
    (mri.slices, {"site": "PD", "count": 40001}, "count must be a whole number from 1"),
    (mri.slices, {"site": "PD", "count": 4, "size": 8}, "size must be"),
    (mri.slices, {"site": "PD", "count": 4, "seed": -1}, "seed must be"),
    (mri.stacks, {"site": "random", "count": 4}, "site"),
    (mri.stacks, {"site": "PD", "count": 1, "heights": 1}, "heights must be"),
    (mri.stacks, {"site": "PD", "count": 1, "extent": 0}, "extent must be"),
    (mri.prepare, {"label": "flu"}, "no class 'flu'"),
    (mri.prepare, {"label": 4}, "no class 4"),
    (mri.prepare, {"label": True}, "no class True"),
    (mri.prepare, {"label": "healthy", "subject": 10000}, "subject must be"),
    (mri.prepare, {"label": "healthy", "height": float("nan")}, "height must be from -30"),
    (mri.one_slice, {"site": 3, "label": "healthy"}, "no site 3"),
    (mri.random_site, {"seed": -1}, "seed must be"),
]


def test_bad_calls_say_what_is_allowed():
    for function, arguments, words in BAD_CALLS:
        with pytest.raises(ValueError, match=words):
            function(**arguments)
