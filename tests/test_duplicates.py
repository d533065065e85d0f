"""Near-duplicates: planted copies are found, other cells are not; so are the repeats of wbc."""

import io
import os
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from medlearn import datasets
from medlearn.curation import duplicates
from medlearn.instruments import mri, smear
from medlearn.teaching import practice

COUNT = 60


def shifted(image):
    return np.pad(image, ((6, 0), (0, 5), (0, 0)), mode="edge")[:128, 5:]


def compressed(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=40)
    return np.asarray(Image.open(file))


def turned(image):
    return np.rot90(image)


def darker(image):
    return (0.8 * image).astype(np.uint8)


COPIES = [shifted, compressed, turned, darker]


@pytest.fixture(scope="module")
def cells():
    return smear.single_cells("lab-a", COUNT, size=128, seed=3).images


def colours(images):
    """Features that need no network: the quantiles of each colour over the whole image."""
    pixels = images.reshape(len(images), -1, 3)
    quantiles = np.quantile(pixels, np.linspace(0.05, 0.95, 10), axis=1)
    return quantiles.transpose(1, 0, 2).reshape(len(images), -1)


def test_planted_copies_are_found_and_other_cells_are_not(cells):
    copies = [copy(cell) for copy in COPIES for cell in cells[:10]]
    images = np.concatenate([cells, copies])
    groups = duplicates.find(images, colours(images), neighbours=len(images))
    assert groups.tolist() == [*range(COUNT), *list(range(10)) * len(COPIES)]


def test_without_features_copies_that_were_saved_anew_or_darkened_are_found(cells):
    copies = [copy(cell) for copy in (compressed, darker) for cell in cells[:10]]
    groups = duplicates.find(np.concatenate([cells, copies]))
    assert groups.tolist() == [*range(COUNT), *range(10), *range(10)]


def test_a_chain_of_copies_is_one_group(cells):
    images = np.stack([cells[0], cells[1], turned(cells[0]), shifted(turned(cells[0]))])
    assert duplicates.find(images, colours(images)).tolist() == [0, 1, 0, 0]


def test_candidate_pairs_are_the_neighbours_of_the_cosine():
    vectors = np.random.default_rng(0).normal(size=(30, 4))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T + 9 * np.eye(30)
    neighbours = [(i, j) for i in range(30) for j in np.argsort(distance[i])[:3].tolist()]
    expected = {tuple(sorted(pair)) for pair in neighbours}
    assert {tuple(pair) for pair in duplicates.candidate_pairs(vectors, 3).tolist()} == expected
    assert len(duplicates.candidate_pairs(vectors, 99)) == 30 * 29 // 2
    assert duplicates.candidate_pairs(vectors[:1]).shape == (0, 2)
    patients = np.arange(30) // 2
    first, second = duplicates.candidate_pairs(vectors, 99, patients).T
    assert (patients[first] != patients[second]).all() and len(first) == 30 * 28 // 2


def test_similarity_is_the_correlation_of_fine_detail(cells):
    pair = cells[:2].mean(axis=3).reshape(2, 64, 2, 64, 2).mean(axis=(2, 4))
    fine = np.stack([grey - ndimage.gaussian_filter(grey, 3.0) for grey in pair])
    turns = [np.rot90(fine[1], count) for count in range(4)]
    expected = max(np.corrcoef(fine[0].ravel(), turn.ravel())[0, 1] for turn in turns)
    assert duplicates.similarity(cells, [(0, 1)], max_shift=0)[0] == pytest.approx(
        expected, abs=1e-6
    )
    assert duplicates.similarity(cells, [(2, 2), (0, 1), (1, 0)])[[0]] == pytest.approx(1)


def test_each_argument_matters(cells):
    images = np.stack([cells[0], shifted(cells[0]), cells[1]])
    features = colours(images)
    moved = duplicates.similarity(images, [(0, 1)])
    assert moved > 0.85 > duplicates.similarity(images, [(0, 1)], max_shift=0)
    assert duplicates.find(images, features, min_similarity=0.999).tolist() == [0, 1, 2]
    assert duplicates.find(images, features, max_shift=0).tolist() == [0, 1, 2]
    far = np.array([[1, 0], [0, 1], [0.9, 0.1]])  # the copy is not the nearest neighbour
    assert duplicates.find(images, far, neighbours=1).tolist() == [0, 1, 2]
    assert duplicates.find(images, far, neighbours=2).tolist() == [0, 0, 1]


@pytest.fixture(scope="module")
def slices():
    return mri.slices("3T-FLAIR", 80, seed=0, size=128)


def test_neighbouring_slices_of_a_patient_are_no_copies(slices):
    """They are as similar as copies; without ids the copy finder ties them."""
    vectors = colours(slices.images)
    without_ids = duplicates.find(slices.images, vectors, neighbours=79)
    with_ids = duplicates.find(slices.images, vectors, slices.patients, neighbours=79)
    assert len(set(without_ids)) < 60  # 80 slices of 20 patients
    assert with_ids.tolist() == list(range(80))
    assert duplicates.find(slices.images, patients=slices.patients).tolist() == list(range(80))


def test_a_slice_under_another_patient_ties_the_two_patients(slices):
    images = np.concatenate([slices.images, [compressed(slices.images[5])]])
    patients = np.append(slices.patients, "renamed")
    for features in (colours(images), None):
        groups = duplicates.find(images, features, patients, neighbours=80)
        tied = duplicates.merge_groups(patients, groups)
        assert groups[80] == groups[5] and len(set(tied)) == len(set(slices.patients))
        assert set(patients[tied == tied[80]]) == {"renamed", slices.patients[5]}


def test_a_limit_lies_between_different_patients_and_copies(slices):
    """For two kinds of images, and with copies among the candidates."""
    cells = smear.single_cells("lab-a", 100, size=128, seed=3)
    copies = [shifted, compressed, turned]
    for data in (slices, cells):
        copied = [copies[index % 3](data.images[index]) for index in range(12)]
        pictures = np.concatenate([data.images, copied])
        ids = np.append(data.patients, [f"new {index}" for index in range(12)])
        pairs = duplicates.candidate_pairs(colours(pictures), 20, patients=ids)
        similarity = duplicates.similarity(pictures, pairs)
        limit = duplicates.suggest_min_similarity(similarity)
        is_original = pairs.max(axis=1) < len(data)
        assert np.mean(similarity[is_original] >= limit) < 0.002
        source = np.append(np.arange(len(data)), range(12))
        is_copy = source[pairs[:, 0]] == source[pairs[:, 1]]
        assert is_copy.sum() > 7 and np.mean(similarity[is_copy] >= limit) > 0.7


def test_a_limit_stays_in_its_range_and_needs_a_hundred_pairs():
    narrow, wide = np.linspace(0.1, 0.11, 100), np.linspace(-0.9, 0.9, 100)
    assert duplicates.suggest_min_similarity(narrow) == 0.75
    assert duplicates.suggest_min_similarity(wide) == 0.95
    with pytest.raises(ValueError, match="at least 100 pairs, not 99"):
        duplicates.suggest_min_similarity(narrow[:99])
    with pytest.raises(ValueError, match="correlations"):
        duplicates.suggest_min_similarity(wide * 2)


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abcdef")), min_size=1, max_size=20))
def test_merged_groups_are_the_closure_of_all_ties(ids):
    first, second = (np.array(column) for column in zip(*ids))
    tied = (first[:, None] == first) | (second[:, None] == second)
    groups = duplicates.merge_groups(first, second)
    for _ in range(len(ids)):  # the oracle: spread the ties until nothing moves
        tied = tied.astype(int) @ tied > 0
    assert ((groups[:, None] == groups) == tied).all()
    assert list(dict.fromkeys(groups.tolist())) == list(range(groups.max() + 1))


def test_grey_images_and_blank_ones(cells):
    grey = cells[:2].mean(axis=3).astype(np.uint8)
    assert duplicates.similarity(grey, [(0, 0)]) == pytest.approx(1)
    blank = np.full((2, 64, 64, 3), 7, np.uint8)
    assert duplicates.similarity(blank, [(0, 1)]).tolist() == [0]
    assert duplicates.similarity(grey, np.zeros((0, 2), int)).shape == (0,)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"min_similarity": 0}, "min_similarity is a correlation"),
        ({"neighbours": 0}, "neighbours must be a whole number"),
        ({"max_shift": 0.6}, "share of the side"),
        ({"features": np.ones((3, 2))}, "2 images, 3 features"),
        ({"patients": ["p"]}, "1 patients, 2 images"),
        ({"features": np.full((2, 2), np.nan)}, "NaN"),
        ({"images": np.zeros((2, 64, 65, 3))}, "square"),
        ({"images": np.zeros((2, 32, 32, 3))}, "at least 64"),
    ],
)
def test_bad_input_gets_one_sentence(change, sentence):
    good = {"images": np.zeros((2, 64, 64, 3), np.uint8), "features": np.ones((2, 3))}
    with pytest.raises(ValueError, match=sentence):
        duplicates.find(**(good | change))


def test_merge_groups_refuses_lists_of_different_lengths():
    for groupings in [(), ([1, 2], [1]), ([[1]],)]:
        with pytest.raises(ValueError, match="equally long"):
            duplicates.merge_groups(*groupings)


def test_the_real_repeats():
    if not os.environ.get("MEDLEARN_MIRROR"):
        pytest.skip("MEDLEARN_MIRROR does not say where the real sets are")
    data = datasets.load("wbc", domain="lab-a", rare=True)
    number = np.array([int(name[-7:-4]) for name in data.facts["file"]])
    groups = duplicates.find(data.images, colours(data.images), neighbours=60)
    group = dict(zip(number.tolist(), groups.tolist()))
    repeats = {(a, b) for a, b in combinations(group, 2) if group[a] == group[b]}
    assert repeats == {(112, 139), (157, 158), (166, 171), (167, 169)}


def test_a_table_of_files_leaks_in_three_ways():
    files, images = practice.leaky_files()
    assert list(files) == ["file", "patient", "cell", "split"] and len(files) == len(images)
    in_test = (files["split"] == "test").to_numpy()
    written = files["patient"].to_numpy()
    assert set(written[in_test]) & set(written[~in_test])
    one_spelling = [patient.lower().replace("-", "") for patient in written]
    assert len(set(one_spelling)) == len(set(written)) - 2
    copies = duplicates.find(images)
    assert len(set(copies)) == len(files) - 8
    assert len(set(duplicates.merge_groups(one_spelling, copies))) == 12
