"""Greys of MR images: computed by hand, and free of the scanner's scale and curve."""

import numpy as np
import pytest

from medlearn.adaptation import harmonisation
from medlearn.instruments import mri


def test_zscore_is_that_of_the_pixels_that_count():
    image = np.array([[[0.0, 0.0], [10.0, 20.0]]])
    by_default = harmonisation.zscore(image)  # 10 and 20 lie above the mean of 7.5
    np.testing.assert_allclose(by_default, [[[-3, -3], [-1, 1]]])
    everything = harmonisation.zscore(image, np.ones(image.shape, bool))
    assert abs(everything.mean()) < 1e-6 and everything.std() == pytest.approx(1)
    np.testing.assert_allclose(harmonisation.zscore(3 * image + 7), by_default, atol=1e-6)


def test_nyul_maps_landmarks_to_their_mean_place():
    """Two images of 101 greys: percentile p of the first is p, of the second p squared / 100."""
    ramp = np.arange(101.0)
    home = np.stack([ramp, ramp**2 / 100])
    everywhere = np.ones(home.shape, bool)
    nyul = harmonisation.Nyul(scale=(0, 98)).fit(home, everywhere)
    first = ramp[50] - 1  # percentile 1 goes to 0, and 98 greys of the first image to 98
    second = (25 - 0.01) * 98 / (98.01 - 0.01)
    middle = nyul.transform(home, everywhere)[:, 50]
    np.testing.assert_allclose(middle, (first + second) / 2, rtol=1e-5)
    ends = nyul.transform(home, everywhere)[:, [1, 99]]
    np.testing.assert_allclose(ends, [[0, 98], [0, 98]], atol=1e-4)
    assert (np.diff(nyul.transform(home, everywhere), axis=1) > 0).all()


def test_nyul_forgets_a_scanners_scale_and_goes_on_beyond_the_landmarks():
    random = np.random.default_rng(0)
    images = random.gamma(2.0, 50.0, (3, 40, 40))
    nyul = harmonisation.Nyul().fit(images)
    plain = nyul.transform(images)
    np.testing.assert_allclose(nyul.transform(3 * images + 11), plain, rtol=1e-4, atol=1e-3)
    brightest, next_to_it = np.sort(plain[0].ravel())[[-1, -2]]
    assert brightest > next_to_it > 220  # beyond percentile 99, not clipped


def test_greys_of_one_tissue_come_closer_together_over_scanners():
    sites = mri.paired_slices(["3T-T1w", "1.5T-T1w"], 8, size=64)
    white = sites[0].masks == sites[0].mask_classes.index("white matter")
    greys = [site.images[..., 0].astype(float) for site in sites]
    nyul = harmonisation.Nyul().fit(greys[0])

    def apart(images):
        means = [image[white].mean() for image in images]
        return abs(means[0] - means[1]) / images[0][white].std()

    assert apart([nyul.transform(image) for image in greys]) < apart(greys)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: harmonisation.Nyul().transform(np.eye(3)[None]), "not fitted"),
        (lambda: harmonisation.Nyul(scale=(5, 5)), "lower and a higher"),
        (lambda: harmonisation.zscore(np.full((1, 4, 4), 7.0)), "single grey"),
        (lambda: harmonisation.Nyul().fit(np.full((1, 4, 4), 7.0)), "single grey"),
        (lambda: harmonisation.zscore([[1.0, np.nan]]), "NaN"),
        (lambda: harmonisation.zscore(np.ones(4)), "at least one image"),
        (lambda: harmonisation.zscore(np.ones((2, 4)), np.ones((2, 5))), "one shape"),
    ],
)
def test_what_cannot_be_scaled_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
