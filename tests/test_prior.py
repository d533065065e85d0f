"""Class shares of the target, beside two normal distributions whose posterior is known."""

import numpy as np
import pytest

from medlearn.adaptation import prior


def posterior(x, shares):
    """Probabilities of two normal classes at -1.5 and 1.5 that come in these shares."""
    joint = np.exp(-0.5 * (x[:, None] - np.array([-1.5, 1.5])) ** 2) * shares
    return joint / joint.sum(1, keepdims=True)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.8)])
def test_other_shares_are_found_and_corrected(shares):
    random = np.random.default_rng(0)
    labels = (random.random(4000) < shares[1]).astype(int)
    x = np.where(labels, 1.5, -1.5) + random.normal(size=4000)
    corrected = prior.correct(posterior(x, np.array([0.5, 0.5])), [0.5, 0.5])
    np.testing.assert_allclose(corrected.prior, shares, atol=0.03)
    np.testing.assert_allclose(corrected.probabilities, posterior(x, np.array(shares)), atol=0.05)


@pytest.mark.parametrize(
    ("probabilities", "shares", "message"),
    [
        ([[0.5, 0.5]], [1.0, 0.0], "shares above 0"),
        ([[0.5, 0.5]], [0.3, 0.3, 0.4], "2 shares above 0"),
        ([[0.5, 0.6]], [0.5, 0.5], "sum to one"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities, shares, message):
    with pytest.raises(ValueError, match=message):
        prior.correct(probabilities, shares)
