"""ComBat: equal to neuroCombat, new domains change nothing old, and its harm with other shares."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from medlearn.adaptation import harmonisation

FEATURES = np.array(
    [
        [-0.8, -1.32, -0.25, 0.42],
        [1.14, 0.11, -0.55, -0.78],
        [0.75, 1.63, 0.27, -1.23],
        [0.54, 3.1, 1.7, -0.23],
        [1.42, 0.34, 0.87, 1.01],
        [0.79, 2.05, 1.44, 0.91],
        [0.82, 1.66, -3.28, -0.52],
        [-1.96, -0.34, -2.58, 0.04],
        [-0.08, -0.6, -2.1, -0.8],
    ]
)
DOMAINS = np.repeat(["a", "b", "c"], 3)
AGES = np.array([3.0, 1, 2, 5, 4, 1, 2, 2, 6])
# What neuroCombat 0.2.12 returns for these features, without and with the ages as a covariate.
WITHOUT_AGES = [
    [-0.57367, -0.62259, -0.40768, 0.45956],
    [0.97134, 0.50582, -0.64678, -0.47036],
    [0.66075, 1.70525, 0.00676, -0.81909],
    [-0.19116, 1.84605, -0.04491, -0.91898],
    [0.73553, -0.77563, -0.85183, 0.25986],
    [0.07211, 0.84867, -0.29768, 0.16479],
    [1.27655, 2.0056, -1.07767, -0.16808],
    [-0.82656, 0.35457, -0.53729, 0.31325],
    [0.59569, 0.13994, -0.16675, -0.40875],
]
WITH_AGES = [
    [-0.56282, -0.45272, -0.50227, 0.49452],
    [0.96492, 0.73792, -0.78887, -0.32643],
    [0.65393, 1.86227, -0.12682, -0.68154],
    [-0.18164, 1.62475, -0.01383, -0.9489],
    [0.69104, -0.7554, -0.74667, 0.20073],
    [0.06722, 0.8104, -0.30412, 0.13236],
    [1.31814, 2.09444, -1.09432, -0.24711],
    [-0.91413, 0.17115, -0.45386, 0.33388],
    [0.57219, -0.10894, 0.02625, -0.52266],
]


def fitted(**options):
    return harmonisation.ComBat(**options).fit(FEATURES, DOMAINS)


def test_it_equals_neurocombat():
    actual = fitted().transform(FEATURES, DOMAINS)
    np.testing.assert_allclose(actual, WITHOUT_AGES, atol=3e-5)
    combat = harmonisation.ComBat().fit(FEATURES, DOMAINS, AGES)
    np.testing.assert_allclose(combat.transform(FEATURES, DOMAINS, AGES), WITH_AGES, atol=3e-5)


def test_without_bayes_every_domain_has_the_same_mean_and_variance():
    harmonised = fitted(empirical_bayes=False).transform(FEATURES, DOMAINS)
    parts = [harmonised[name == DOMAINS] for name in "abc"]
    for part in parts:
        np.testing.assert_allclose(part.mean(0), FEATURES.mean(0), atol=1e-12)
        np.testing.assert_allclose(part.std(0), parts[0].std(0), atol=1e-12)


def test_rows_are_harmonised_one_by_one():
    combat, order = fitted(), np.array([8, 0, 4])
    whole = combat.transform(FEATURES, DOMAINS)
    np.testing.assert_allclose(combat.transform(FEATURES[order], DOMAINS[order]), whole[order])


def test_a_new_domain_changes_nothing_that_was_learned():
    combat = fitted()
    before = combat.transform(FEATURES, DOMAINS)
    more = combat.with_domain("d", FEATURES[:3])
    np.testing.assert_array_equal(more.transform(FEATURES, DOMAINS), before)
    # The same images under another name are harmonised as the domain that they come from.
    np.testing.assert_allclose(more.transform(FEATURES[:3], ["d"] * 3), before[:3])
    with pytest.raises(ValueError, match="no domain 'd'.*with_domain"):
        combat.transform(FEATURES[:3], ["d"] * 3)
    with pytest.raises(ValueError, match="knows the domain 'd' already"):
        more.with_domain("d", FEATURES[:3])


def test_it_removes_the_laboratory_and_with_other_shares_a_part_of_the_class():
    random = np.random.default_rng(0)
    labels = np.tile([0, 1], 100)
    domains = np.repeat(["a", "b"], 100)
    noise = random.normal(size=(200, 8))
    both = noise + 2.0 * labels[:, None] + 3.0 * (domains == "b")[:, None]

    def gap(labels_now, features):
        harmonised = harmonisation.ComBat().fit(features, domains).transform(features, domains)
        model = LogisticRegression().fit(harmonised, domains)
        between_classes = harmonised[labels_now == 1].mean() - harmonised[labels_now == 0].mean()
        return model.score(harmonised, domains), between_classes

    laboratory, classes = gap(labels, both)
    assert laboratory < 0.65 and classes == pytest.approx(2.0, abs=0.15)
    one_sided = np.where(np.arange(200) % 10 == 0, 1 - (domains == "b"), domains == "b").astype(int)
    unequal = noise + 2.0 * one_sided[:, None] + 3.0 * (domains == "b")[:, None]
    assert gap(one_sided, unequal)[1] < 1.2  # most of the class went with the laboratory


def test_a_column_without_variance_stays():
    features = np.column_stack([FEATURES, np.full(9, 7.0)])
    harmonised = harmonisation.ComBat().fit(features, DOMAINS).transform(features, DOMAINS)
    np.testing.assert_allclose(harmonised[:, 4], 7.0)
    np.testing.assert_allclose(harmonised[:, :4], WITHOUT_AGES, atol=3e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FEATURES, DOMAINS[:8]), "domain of each of the 9 images"),
        ((FEATURES, ["a"] * 8 + ["b"]), "'b' has 1 image"),
        ((FEATURES * np.nan, DOMAINS), "NaN"),
        ((FEATURES, DOMAINS, DOMAINS == "a"), "computed from the domains"),
        ((FEATURES, DOMAINS, AGES[:8]), "8"),
    ],
)
def test_a_fit_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        harmonisation.ComBat().fit(*arguments)


def test_other_columns_are_refused():
    with pytest.raises(ValueError, match="was not fitted"):
        harmonisation.ComBat().transform(FEATURES, DOMAINS)
    with pytest.raises(ValueError, match="2 columns, but ComBat was fitted to 4"):
        fitted().transform(FEATURES[:, :2], DOMAINS)
    with pytest.raises(ValueError, match="0 columns of covariates and was given 1"):
        fitted().transform(FEATURES, DOMAINS, AGES)
