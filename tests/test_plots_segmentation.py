"""What the figures of masks show is what they were given."""

import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401

from medlearn import plots

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)
MASKS = RANDOM.integers(0, 3, (3, 16, 16))
CLASSES = ("background", "cytoplasm", "nucleus")


def test_painting_leaves_the_background_and_mixes_the_rest():
    grey = PICTURES[0] / 255
    clear, half, full = (
        plots.blend_mask(PICTURES[0], MASKS[0], opacity) for opacity in (0, 0.5, 1)
    )
    np.testing.assert_allclose(clear, grey)
    np.testing.assert_allclose(half, (clear + full) / 2)
    np.testing.assert_allclose(full[MASKS[0] == 0], grey[MASKS[0] == 0])
    colours = [np.unique(full[MASKS[0] == value], axis=0) for value in (1, 2)]
    assert [len(each) for each in colours] == [1, 1] and np.abs(colours[0] - colours[1]).max() > 0.2
    assert PICTURES[0].dtype == np.uint8 and not np.shares_memory(clear, PICTURES)


def test_overlays_shows_bare_and_painted_rows_and_names_the_classes():
    figure = plots.overlays(
        {"image": (PICTURES, None), "mask": (PICTURES, MASKS)}, list("abc"), CLASSES, opacity=0.7
    )
    shown = [ax.images[0].get_array() for ax in figure.axes]
    np.testing.assert_array_equal(shown[1], PICTURES[1])
    np.testing.assert_allclose(shown[5], plots.blend_mask(PICTURES[2], MASKS[2], 0.7))
    assert {"a", "b", "c", "image", "mask", "cytoplasm", "nucleus"} <= set(
        texts(figure)
    ) and "background" not in texts(figure)


def test_doubt_shows_the_share_of_wrong_pixels_and_the_entropy():
    sure = np.eye(3)[MASKS[0]]
    sure[:8] = 1 / 3  # the upper half knows nothing, and argmax says background
    figure = plots.segmentation_uncertainty(PICTURES[0], MASKS[0], sure, CLASSES, title="a cell")
    wrong = (sure.argmax(-1) != MASKS[0]).mean()
    assert {f"wrong: {wrong:.1%} of pixels", "a cell", "truth", "prediction", "uncertainty"} <= set(
        texts(figure)
    )
    entropy = np.asarray(figure.axes[3].images[0].get_array())
    np.testing.assert_allclose(entropy[:8], 1, atol=1e-6)
    np.testing.assert_allclose(entropy[8:], 0, atol=1e-4)
    np.testing.assert_allclose(
        figure.axes[1].images[0].get_array(), plots.blend_mask(PICTURES[0], sure.argmax(-1), 0.5)
    )


def test_by_size_plots_each_score_over_the_areas():
    areas, scores = np.array([10, 100, 1000]), np.array([0.2, 0.5, 0.9])
    figure = plots.score_by_size(
        {"Dice": scores, "other": 1 - scores}, areas, xlabel="pixels", ylabel="score"
    )
    np.testing.assert_allclose(
        figure.axes[1].collections[0].get_offsets(), np.stack([areas, 1 - scores], axis=1)
    )
    assert figure.axes[0].get_xscale() == "log" and {"Dice", "other", "pixels", "score"} <= set(
        texts(figure)
    )


def test_contest_shows_every_seed_and_the_mean():
    figure = plots.scores_by_dataset(
        {"cells": {"frozen": [0.8, 0.9], "random": [0.7]}, "slices": {"frozen": [0.5]}},
        label="Dice",
    )
    mean, seeds = figure.axes[0].lines[:2]
    assert mean.get_xdata()[0] == pytest.approx(0.85) and list(seeds.get_xdata()) == [0.8, 0.9]
    assert {"cells", "slices", "frozen", "random", "Dice"} <= set(texts(figure)) and len(
        figure.axes
    ) == 2
