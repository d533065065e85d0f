"""The virtual MRI scanner: contract, physics against closed forms, paired anatomy, noise, determinism, bad input."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medlearn.instruments import mri
from medlearn.instruments.mri import _atlas, _scanner, physics

SIZE = 64
DISEASES = mri.CLASSES[1:]
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


# the contract


def test_a_batch_has_the_promised_shapes_and_types(batch):
    assert batch.images.shape == (32, SIZE, SIZE, 3) and batch.images.dtype == np.uint8
    assert batch.masks.shape == (32, SIZE, SIZE) and batch.masks.dtype == np.uint8
    assert batch.labels.shape == (32,) and batch.labels.dtype == np.int64
    assert batch.facts["age"].shape == (32,) and batch.facts["age"].min() >= 20 and batch.facts["age"].max() <= 85
    assert np.array_equal(batch.spacing, np.full((32, 2), 220 / SIZE))
    assert set(batch.domains) == {"3T-FLAIR"} and batch.patients[4] == "s5-subject-0001"
    assert np.array_equal(batch.images[..., 0], batch.images[..., 2])


def test_the_named_sites_come_in_their_order():
    assert tuple(mri.SITES) == ("3T-FLAIR", "1.5T-FLAIR", "3T-T1w", "1.5T-T1w", "3T-T2w", "PD")
    assert all(site.name == name for name, site in mri.SITES.items())


def test_classes_are_balanced_and_each_subject_has_one(batch):
    assert np.array_equal(np.bincount(batch.labels), [8, 8, 8, 8])
    for patient in set(batch.patients):
        own = batch.patients == patient
        assert (
            own.sum() == 4 and len(set(batch.labels[own])) == 1 and len(set(batch.facts["age"][own])) == 1
        )


def test_slices_of_a_subject_differ(batch):
    masks = batch.masks.reshape(8, 4, -1)
    assert all((one[0] != other).any() for one in masks for other in one[1:])


def test_a_label_is_what_its_slice_shows(batch):
    lesion = (batch.masks == 4).sum(axis=(1, 2)) * (220 / SIZE) ** 2
    assert (lesion[batch.labels == 0] == 0).all()
    assert (lesion[batch.labels > 0] > 30).all()


def test_boxes_frame_exactly_the_islands_of_lesion(batch):
    for mask, boxes, label in zip(batch.masks, batch.boxes, batch.labels):
        framed = np.zeros(mask.shape, bool)
        for y0, x0, y1, x1, kind in boxes:
            island = mask[int(y0) : int(y1), int(x0) : int(x1)] == 4
            assert (
                island.any(axis=0)[[0, -1]].all()
                and island.any(axis=1)[[0, -1]].all()
                and kind == label
            )
            framed[int(y0) : int(y1), int(x0) : int(x1)] = True
        assert not (mask == 4)[~framed].any()
        assert len(boxes) == ndimage.label(mask == 4, np.ones((3, 3)))[1]


def test_the_first_of_a_longer_batch_are_the_shorter_batch(batch):
    first = mri.slices("3T-FLAIR", 7, size=SIZE, seed=5)
    assert np.array_equal(first.images, batch.images[:7]) and np.array_equal(
        first.masks, batch.masks[:7]
    )
    assert all(np.array_equal(one, other) for one, other in zip(first.boxes, batch.boxes))


def test_another_seed_brings_other_subjects(batch):
    other = mri.slices("3T-FLAIR", 4, size=SIZE, seed=6)
    assert (other.images != batch.images[:4]).mean() > 0.3 and other.patients[
        0
    ] == "s6-subject-0000"


def test_further_sites_see_the_same_subjects(batch):
    flair, t2w = mri.slices(["3T-FLAIR", "3T-T2w"], 8, size=SIZE, seed=5)
    assert np.array_equal(flair.images, batch.images[:8])
    assert np.array_equal(t2w.masks, flair.masks) and np.array_equal(t2w.patients, flair.patients)
    assert np.array_equal(t2w.facts["age"], flair.facts["age"]) and set(t2w.domains) == {"3T-T2w"}
    assert np.array_equal(t2w.images, mri.slices("3T-T2w", 8, size=SIZE, seed=5).images)
    assert (t2w.images != flair.images).mean() > 0.3


def test_stacks_hold_whole_subjects_the_same_as_slices(batch):
    stacks = mri.stacks("3T-FLAIR", 8, heights=5, size=SIZE, seed=5)
    assert stacks.images.shape == (40, SIZE, SIZE, 3) and stacks.masks.shape == (40, SIZE, SIZE)
    assert stacks.patients[::5].tolist() == batch.patients[::4].tolist()
    assert np.array_equal(stacks.labels[::5], batch.labels[::4]) and np.array_equal(
        stacks.facts["age"][::5], batch.facts["age"][::4]
    )
    assert all(len(set(stacks.labels[start : start + 5])) == 1 for start in range(0, 40, 5))
    shows = (stacks.masks == mri.MASK_CLASSES.index("lesion")).any(axis=(1, 2))
    assert not shows[stacks.labels == 0].any() and 0.2 < shows[stacks.labels > 0].mean() < 0.95


def test_heights_of_a_stack_run_evenly_from_below_upwards():
    stack, finer = (
        mri.stacks("3T-FLAIR", 1, heights=heights, size=SIZE, seed=3) for heights in (3, 5)
    )
    assert np.array_equal(stack.masks, finer.masks[::2])
    who = mri.prepare(int(stack.labels[0]), seed=3, subject=0, size=SIZE).subject
    assert np.array_equal(_scanner.prepare_level(who, 48.0, SIZE).mask, stack.masks[-1])
    assert not np.array_equal(
        mri.stacks("PD", 1, heights=3, size=SIZE, seed=3).images, stack.images
    )


def test_random_sites_vary_and_repeat():
    sites = [mri.random_site(seed) for seed in range(60)]
    assert {site.sequence for site in sites} == {"T1w", "T1w-IR", "T2w", "PD", "FLAIR"}
    assert {site.field_tesla for site in sites} == {1.5, 3.0} and len(set(sites)) == 60
    assert mri.random_site(7) == mri.random_site(7)
    one, two = (mri.slices("random", 4, size=SIZE, seed=1) for _ in range(2))
    assert np.array_equal(one.images, two.images) and set(one.domains) == {"random"}


def test_one_slice_is_prepare_and_scan():
    image, mask = mri.one_slice("PD", "stroke", seed=3, subject=4, height=5, size=SIZE)
    ready = mri.prepare(3, seed=3, subject=4, height=5, size=SIZE)
    assert np.array_equal(image, mri.scan(ready, mri.SITES["PD"])) and np.array_equal(
        mask, ready.mask
    )


@pytest.mark.parametrize(
    "changed", [{"seed": 4}, {"subject": 5}, {"height": -5.0}, {"label": "healthy"}]
)
def test_each_argument_of_prepare_matters(changed):
    same = {"label": "stroke", "seed": 3, "subject": 4, "height": 0.0, "size": SIZE}
    assert (mri.prepare(**same).mask != mri.prepare(**(same | changed)).mask).any()


def test_every_class_has_the_same_head():
    heads = [mri.prepare(label, seed=1, subject=3, size=SIZE).subject.head for label in mri.CLASSES]
    assert len({head.age for head in heads}) == 1
    assert all(np.array_equal(head.spots, heads[0].spots) for head in heads)


def test_spots_of_age_are_no_lesion_and_come_in_the_healthy():
    spots = {age > 60: 0 for age in (20, 80)}
    for subject in range(60):
        head = mri.prepare("healthy", seed=0, subject=subject, size=32).subject.head
        spots[head.age > 60] += len(head.spots)
    assert spots[True] > 3 * spots[False] > 0


# physics


def test_spin_echo_at_its_limits():
    t1, t2, density = 800.0, 80.0, 0.7
    assert physics.spin_echo(t1, t2, density, 1e9, 0) == pytest.approx(density)
    assert physics.spin_echo(t1, t2, density, t1 * np.log(2), t2 * np.log(2)) == pytest.approx(
        density / 4
    )


def test_spoiled_gradient_echo_peaks_at_the_ernst_angle():
    flips = np.linspace(1, 90, 8901)
    signal = physics.spoiled_gradient_echo(900.0, 80.0, 1.0, 100.0, 0.0, flips)
    assert flips[signal.argmax()] == pytest.approx(
        np.rad2deg(np.arccos(np.exp(-100 / 900))), abs=0.02
    )
    assert physics.spoiled_gradient_echo(900.0, 80.0, 1.0, 100.0, 20.0, 90.0) == pytest.approx(
        physics.spin_echo(900.0, 80.0, 1.0, 100.0, 20.0)
    )


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
    tissue = dict(zip(physics.TISSUES, physics.signals(mri.SITES["3T-FLAIR"])))
    assert abs(tissue["cerebrospinal fluid"]) < 0.05 * tissue["white matter"]
    assert all(
        tissue[name] > 1.1 * tissue["grey matter"]
        for name in ("tumour", "oedema", "plaque", "infarct grey")
    )


def test_relaxation_between_the_fields_lies_between():
    low, middle, high = (physics.tissue_table(field) for field in (1.5, 2.1, 3.0))
    assert (np.minimum(low, high) <= middle + 1e-9).all() and (
        middle <= np.maximum(low, high) + 1e-9
    ).all()
    names = list(physics.TISSUES)
    assert high[names.index("grey matter"), 0] == pytest.approx(1607) and low[
        names.index("white matter"), 0
    ] == pytest.approx(646)


@pytest.mark.parametrize(
    "name, order",
    [
        ("3T-T1w", ("cerebrospinal fluid", "grey matter", "white matter")),
        ("1.5T-T1w", ("cerebrospinal fluid", "grey matter", "white matter")),
        ("3T-T2w", ("white matter", "grey matter", "cerebrospinal fluid")),
        ("3T-FLAIR", ("cerebrospinal fluid", "white matter", "grey matter")),
    ],
)
def test_each_contrast_orders_the_tissues(name, order, healthy):
    site = replace(mri.SITES[name], bias=0, noise=0.01)
    means = dict(zip(mri.MASK_CLASSES, mean_by_class(mri.scan(healthy, site), healthy.mask)))
    assert means[order[0]] + 8 < means[order[1]] < means[order[2]] - 8


# the scanner


def test_noise_in_air_is_rayleigh_and_follows_the_dial(healthy):
    rng = np.random.default_rng(0)
    for matrix in (64, 128):
        image = np.abs(_scanner._acquire(np.zeros((128, 128), np.float32), matrix, 0.1, rng))
        assert image.mean() == pytest.approx(0.1 * np.sqrt(np.pi / 2), rel=0.03)
        assert image.std() == pytest.approx(0.1 * np.sqrt(2 - np.pi / 2), rel=0.05)
    few, many = (mri.scan(healthy, replace(CLEAN, noise=noise)) for noise in (0.02, 0.1))
    assert many[:20, :20].mean() > 3 * few[:20, :20].mean()


def test_noise_around_a_strong_signal_is_gaussian():
    image = np.abs(
        _scanner._acquire(np.full((128, 128), 5, np.float32), 128, 0.1, np.random.default_rng(0))
    )
    assert image.mean() == pytest.approx(
        np.sqrt(25 + 0.01), rel=1e-3
    ) and image.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("size", [64, 65])
@pytest.mark.parametrize("matrix", [31, 32, 200])
def test_a_small_matrix_keeps_the_mean_and_loses_detail(size, matrix):
    image = np.random.default_rng(0).random((size, size), np.float32)
    seen = np.abs(_scanner._acquire(image, matrix, 0.0, np.random.default_rng(0)))
    assert seen.mean() == pytest.approx(image.mean(), rel=0.01)
    detail = np.abs(np.fft.fftshift(np.fft.fft2(seen)))
    assert (detail[0, :].max() < 1e-2) == (matrix < size)


def test_the_receive_field_spans_its_dial(healthy):
    for spread in (0.0, 0.4):
        field = _scanner._receive_field(np.random.default_rng(0), healthy.plane, spread)
        assert field.min() == pytest.approx(
            1 - spread / 2, abs=1e-5
        ) and field.max() == pytest.approx(1 + spread / 2, abs=1e-5)


@pytest.mark.parametrize(
    "dial",
    [
        {"field_tesla": 1.5},
        {"tr_ms": 1500},
        {"te_ms": 60},
        {"ti_ms": 400},
        {"noise": 0.1},
        {"bias": 0.8},
        {"matrix": 50},
        {"thickness_mm": 8},
        {"sequence": "PD"},
    ],
)
def test_each_dial_changes_the_image(dial, healthy):
    assert (mri.scan(healthy, CLEAN) != mri.scan(healthy, replace(CLEAN, **dial))).mean() > 0.05


def test_the_flip_angle_changes_a_gradient_echo(healthy):
    assert (
        mri.scan(healthy, "1.5T-T1w")
        != mri.scan(healthy, replace(mri.SITES["1.5T-T1w"], flip_deg=20))
    ).mean() > 0.05


def test_thickness_averages_the_anatomy(healthy):
    thin, thick = healthy.maps(1.0), healthy.maps(10.0)
    assert thick.sum(axis=0) == pytest.approx(thin.sum(axis=0), abs=0.02)
    assert thick[:3].max(axis=0).mean() < thin[:3].max(axis=0).mean() - 0.02


def test_a_slab_is_the_mean_of_its_planes():
    rng = np.random.default_rng(0)
    x, y, z = rng.uniform([-60, -90, 0], [60, 50, 40], (500, 3)).T.astype(np.float32)
    thin = np.mean(
        [_atlas.slab(x, y, z + step, 0.5) for step in np.arange(-2.25, 2.5, 0.5)], axis=0
    )
    assert np.abs(_atlas.slab(x, y, z, 5.0) - thin).max() < 1e-3


@pytest.mark.parametrize("label", mri.CLASSES)
def test_tissue_fractions_are_fractions(label):
    for subject in range(3):
        maps = mri.prepare(label, seed=8, subject=subject, size=SIZE).maps(3.0)
        assert maps.min() > -0.005 and maps.sum(axis=0).max() < 1.01


@pytest.mark.parametrize("label", mri.CLASSES)
def test_brains_have_no_holes_and_heads_are_inside_the_image(label):
    for subject in range(15):
        ready = mri.prepare(label, seed=4, subject=subject, size=SIZE)
        assert ndimage.label(ndimage.binary_fill_holes(ready.mask > 0) & (ready.mask == 0))[1] == 0
        head = np.zeros(SIZE * SIZE)
        head[ready.plane.pixels] = ready.maps(3.0).sum(axis=0)
        head = head.reshape(SIZE, SIZE)
        assert max(edge.max() for edge in (head[0], head[-1], head[:, 0], head[:, -1])) < 0.5


@pytest.mark.parametrize("label", DISEASES)
def test_lesions_are_brighter_than_white_matter_on_flair(label):
    brighter = []
    for subject in range(6):
        ready = mri.prepare(label, seed=9, subject=subject, size=SIZE)
        image = mri.scan(ready, "3T-FLAIR")[..., 0]
        brighter.append(image[ready.mask == 4].mean() > image[ready.mask == 3].mean() + 10)
    assert sum(brighter) >= 5


# determinism, cache


def fingerprint() -> str:
    batch = mri.slices(["3T-FLAIR", "random"], 8, size=48, seed=3)
    return hashlib.sha256(
        b"".join(one.images.tobytes() + one.masks.tobytes() for one in batch)
    ).hexdigest()


def test_a_second_process_makes_the_same_images():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_mri; print(test_mri.fingerprint())"
    run = subprocess.run(
        [sys.executable, "-c", code, __file__.rsplit("test_mri", 1)[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == fingerprint()


def test_a_damaged_cache_is_rebuilt(monkeypatch, tmp_path):
    known = _atlas.atlas()
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(
        _atlas, "_build", lambda: known
    )  # the real build takes seconds; its result is `known`
    path = tmp_path / _atlas.FILE
    for content in (None, b"", b"not an archive", "truncated"):
        if content == "truncated":
            content = path.read_bytes()[:-1000]
        if content is not None:
            path.write_bytes(content)
        found = _atlas.atlas.__wrapped__()
        assert np.array_equal(found.tissue, known.tissue)
        assert (
            np.array_equal(_atlas.atlas.__wrapped__().hemisphere, known.hemisphere)
            and path.stat().st_size > 1e6
        )
    assert [file.name for file in tmp_path.iterdir()] == [_atlas.FILE]


# bad input


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"te_ms": 3000}, "te_ms must be from 0.1 to"),
        ({"tr_ms": 500, "te_ms": 600}, "te_ms must be from 0.1 to tr_ms = 500"),
        ({"ti_ms": 2400}, "ti_ms must be from 0 to tr_ms = 2300"),
        ({"ti_ms": 2299}, "at most tr_ms - te_ms"),
        ({"ti_ms": 0}, "needs ti_ms above 0"),
        ({"tr_ms": -1}, "tr_ms must be from 1"),
        ({"noise": -0.1}, "noise must be from 0 to 1"),
        ({"noise": float("nan")}, "noise must be from 0 to 1"),
        ({"bias": -0.1}, "bias must be from 0"),
        ({"flip_deg": 0}, "flip_deg must be from 1 to 180"),
        ({"field_tesla": 7}, "field_tesla must be from 1.5 to 3"),
        ({"matrix": 0}, "matrix must be from 16"),
        ({"matrix": 99.5}, "whole number"),
        ({"thickness_mm": 0}, "thickness_mm must be from 1 to 10"),
        ({"thickness_mm": "thin"}, "thickness_mm must be from 1 to 10"),
        ({"sequence": "T3w"}, "unknown sequence 'T3w'"),
        ({"name": ""}, "name"),
    ],
)
def test_impossible_sites_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(CLEAN, **changes)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: mri.slices("7T-FLAIR", 4), "Unknown site '7T-FLAIR'; choose one of"),
        (lambda: mri.slices([], 4), "at least one"),
        (lambda: mri.slices("PD", 0), "count must be a whole number from 1 to 40000"),
        (lambda: mri.slices("PD", 40001), "count must be"),
        (lambda: mri.slices("PD", 4, size=8), "size must be a whole number from 32 to 512"),
        (lambda: mri.slices("PD", 4, seed=-1), "seed must be"),
        (lambda: mri.stacks("7T-FLAIR", 4), "Unknown site '7T-FLAIR'; choose one of"),
        (lambda: mri.stacks("PD", 0), "count must be a whole number from 1 to 10000"),
        (lambda: mri.stacks("PD", 1, heights=1), "heights must be a whole number from 2 to 26"),
        (lambda: mri.stacks("PD", 1, size=8), "size must be"),
        (lambda: mri.stacks("PD", 1, seed=-1), "seed must be"),
        (lambda: mri.prepare("flu"), "Unknown class 'flu'; choose one of"),
        (lambda: mri.prepare(4), "Unknown class 4"),
        (
            lambda: mri.prepare("healthy", subject=10000),
            "subject must be a whole number from 0 to 9999",
        ),
        (lambda: mri.prepare("healthy", subject=-1), "subject must be"),
        (lambda: mri.prepare("healthy", height=31), "height must be from -30 to 30"),
        (lambda: mri.prepare("healthy", height=float("nan")), "height must be"),
        (lambda: mri.scan(mri.prepare("healthy", size=32), "nowhere"), "Unknown site"),
        (lambda: mri.one_slice(3, "healthy"), "Unknown site 3"),
        (lambda: mri.random_site(-1), "seed must be"),
    ],
)
def test_bad_calls_say_what_is_allowed(call, words):
    with pytest.raises(ValueError, match=words):
        call()
