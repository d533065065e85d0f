"""The robustness index beside scikit-learn's neighbours and cases counted by hand."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from medlearn.metrics import robustness_index


def study(seed=0, class_size=1.0, domain_size=1.0, n=80):
    random = np.random.default_rng(seed)
    labels, domains = random.integers(0, 3, n), random.integers(0, 2, n)
    class_part = class_size * np.eye(5)[labels]
    domain_part = domain_size * np.eye(5)[3 + domains]
    features = class_part + domain_part + random.normal(scale=0.4, size=(n, 5))
    return features, labels, np.array(["home", "away"])[domains]


@pytest.mark.parametrize("seed", range(5))
def test_it_counts_the_neighbours_that_scikit_learn_finds(seed):
    features, labels, domains = study(seed)
    search = NearestNeighbors(n_neighbors=7, metric="cosine").fit(features)
    pairs = search.kneighbors(return_distance=False)  # without the image itself
    same_class = labels[pairs] == labels[:, None]
    same_domain = domains[pairs] == domains[:, None]
    sort = (same_class & ~same_domain).sum(), (~same_class & same_domain).sum()
    assert robustness_index(features, labels, domains, neighbours=7) == sort[0] / sum(sort)


def test_it_is_high_where_the_class_decides_and_low_where_the_domain_does():
    by_class = robustness_index(*study(class_size=4, domain_size=0.2))
    by_domain = robustness_index(*study(class_size=0.2, domain_size=4))
    assert by_class > 0.95 and by_domain < 0.2


def test_images_of_the_same_patient_are_no_neighbours():
    features = [[1, 0], [1, 0.01], [1, 0.3], [0, 1]]
    labels, domains = [0, 1, 0, 1], ["a", "a", "b", "b"]
    assert robustness_index(features, labels, domains, neighbours=1) == 0
    patients = ["x", "x", "y", "z"]
    assert robustness_index(features, labels, domains, patients, neighbours=1) == 1 / 2


def test_without_a_neighbour_of_either_sort_it_is_undefined():
    assert np.isnan(robustness_index([[1, 0], [0, 1]], [0, 1], ["a", "b"], neighbours=1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains": ["a"] * 80}, "one domain, 'a'"),
        ({"labels": [0, 1]}, "labels"),
        ({"patients": [1]}, "patients"),
        ({"neighbours": 80}, "neighbours"),
        ({"features": np.zeros(80)}, "one vector per image"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    features, labels, domains = study()
    given = {"features": features, "labels": labels, "domains": domains} | changes
    with pytest.raises(ValueError, match=message):
        robustness_index(**given)
