"""Near-duplicates: planted copies are found, other cells are not; the real repeats of wbc, where the data are at hand."""

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
from medlearn.instruments import smear

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
    """Features of our own, so that the tests need no network: the quantiles of each colour, whatever the place."""
    return (
        np.quantile(images.reshape(len(images), -1, 3), np.linspace(0.05, 0.95, 10), axis=1)
        .transpose(1, 0, 2)
        .reshape(len(images), -1)
    )


@pytest.mark.parametrize("copy", COPIES)
def test_planted_copies_are_found_and_other_cells_are_not(cells, copy):
    images = np.concatenate([cells, [copy(cell) for cell in cells[:10]]])
    groups = duplicates.find(images, colours(images), nearest=len(images))
    assert groups.tolist() == [*range(COUNT), *range(10)]


def test_a_chain_of_copies_is_one_group(cells):
    images = np.stack([cells[0], cells[1], turned(cells[0]), shifted(turned(cells[0]))])
    assert duplicates.find(images, colours(images)).tolist() == [0, 1, 0, 0]


def test_candidates_are_the_neighbours_of_the_cosine():
    vectors = np.random.default_rng(0).normal(size=(30, 4))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T + 9 * np.eye(30)
    wanted = {
        tuple(sorted((i, j))) for i in range(30) for j in np.argsort(distance[i])[:3].tolist()
    }
    assert {tuple(pair) for pair in duplicates.candidates(vectors, 3).tolist()} == wanted
    assert len(duplicates.candidates(vectors, 99)) == 30 * 29 // 2


def test_likeness_is_the_correlation_of_fine_detail(cells):
    pair = cells[:2].mean(axis=3).reshape(2, 64, 2, 64, 2).mean(axis=(2, 4))
    fine = np.stack([each - ndimage.gaussian_filter(each, 3.0) for each in pair])
    wanted = max(
        np.corrcoef(fine[0].ravel(), np.rot90(fine[1], turns).ravel())[0, 1] for turns in range(4)
    )
    assert duplicates.likeness(cells, [(0, 1)], shift=0)[0] == pytest.approx(wanted, abs=1e-6)
    assert duplicates.likeness(cells, [(2, 2), (0, 1), (1, 0)])[[0]] == pytest.approx(1)


def test_each_argument_matters(cells):
    images = np.stack([cells[0], shifted(cells[0]), cells[1]])
    near, still = (
        duplicates.likeness(images, [(0, 1)]),
        duplicates.likeness(images, [(0, 1)], shift=0),
    )
    assert near > 0.85 > still
    assert duplicates.find(images, colours(images), alike=0.999).tolist() == [0, 1, 2]
    assert duplicates.find(images, colours(images), shift=0).tolist() == [0, 1, 2]
    far = np.array(
        [[1, 0], [0, 1], [0.9, 0.1]]
    )  # these vectors hide the pair from its only neighbour
    assert duplicates.find(images, far, nearest=1).tolist() == [0, 1, 2]
    assert duplicates.find(images, far, nearest=2).tolist() == [0, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abcdef")), min_size=1, max_size=20))
def test_joined_is_the_closure_of_all_ties(ids):
    one, other = zip(*ids)
    tie = np.array([[a == c or b == d for c, d in ids] for a, b in ids], dtype=int)
    groups = duplicates.joined(one, other)
    for _ in range(len(ids)):  # the oracle: spread the lowest number until nothing moves
        tie = (tie @ tie > 0).astype(int)
    assert ((groups[:, None] == groups) == (tie > 0)).all()
    assert list(dict.fromkeys(groups.tolist())) == list(range(groups.max() + 1))


@pytest.mark.parametrize("groupings", [(), ([1, 2], [1]), ([[1]],)])
def test_joined_says_what_it_needs(groupings):
    with pytest.raises(ValueError, match="equally long"):
        duplicates.joined(*groupings)


def test_grey_images_and_blank_ones(cells):
    grey = cells[:2].mean(axis=3).astype(np.uint8)
    assert duplicates.likeness(grey, [(0, 0)]) == pytest.approx(1)
    blank = np.full((2, 64, 64, 3), 7, np.uint8)
    assert duplicates.likeness(blank, [(0, 1)]).tolist() == [0]
    assert duplicates.likeness(grey, np.zeros((0, 2), int)).shape == (0,)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"alike": 0}, "alike is a correlation"),
        ({"alike": 1.5}, "alike is a correlation"),
        ({"nearest": 0}, "number of neighbours"),
        ({"shift": 0.6}, "share of the side"),
        ({"vectors": np.ones((3, 2))}, "3 vectors"),
        ({"vectors": np.ones(2)}, "finite features"),
        ({"vectors": np.full((2, 2), np.nan)}, "finite features"),
        ({"images": np.zeros((2, 64, 65, 3))}, "square"),
        ({"images": np.zeros((2, 32, 32, 3))}, "at least 64"),
    ],
)
def test_bad_input_gets_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        duplicates.find(
            **({"images": np.zeros((2, 64, 64, 3), np.uint8), "vectors": np.ones((2, 3))} | change)
        )


def test_the_real_repeats():
    if not os.environ.get("MEDLEARN_MIRROR"):
        pytest.skip("MEDLEARN_MIRROR does not say where the real sets are")
    data = datasets.load("wbc", domain="lab-a", rare=True)
    number = np.array([int(name[-7:-4]) for name in data.facts["file"]])
    groups = duplicates.find(data.images, colours(data.images), nearest=60)
    found = {
        (a, b)
        for a, b in combinations(number.tolist(), 2)
        if groups[number == a][0] == groups[number == b][0]
    }
    assert found == {(112, 139), (157, 158), (166, 171), (167, 169)}
