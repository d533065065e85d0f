"""The nuclei benchmark: tiles of one field stay together, and masks of the target steer nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from common import tiles

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def made_field(seed, side=128):
    """A smooth grey field with detail everywhere, uint8 (side, side, 3)."""
    noise = np.random.default_rng(seed).normal(size=(side, side))
    smooth = ndimage.gaussian_filter(noise, 5)
    grey = 128 + 40 * smooth / smooth.std()
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def quarters(field):
    half = len(field) // 2
    return [field[:half, :half], field[:half, half:], field[half:, :half], field[half:, half:]]


def test_tiles_of_one_field_are_one_group_and_others_are_not():
    first, second = quarters(made_field(0)), quarters(made_field(1))
    alone = made_field(2, 64)
    images = [first[0], second[3], first[3], alone, second[0], first[1], second[1], first[2]]
    assert tiles.groups(images).tolist() == [0, 1, 0, 2, 1, 0, 1, 0]
    assert len(tiles.neighbours(images, mirrored=True)) == 0


def test_flat_borders_and_other_sizes_tie_nothing():
    black = np.zeros((64, 64, 3), np.uint8)
    field = made_field(3)
    small = field[:64, 64:96]  # continues the first, but was not cut by the same grid
    assert tiles.groups([black, black.copy(), field[:64, :64], small]).tolist() == [0, 1, 2, 3]


def test_agreement_falls_where_brightness_differs():
    border = np.linspace(10, 60, 20)[None]
    assert tiles.agreement(border, border)[0, 0] == pytest.approx(1)
    assert tiles.agreement(border, border + 60)[0, 0] < 0.3
    assert tiles.agreement(border, border[:, ::-1])[0, 0] < 0


PERMUTED_MASKS = """
import numpy as np
import pandas as pd
import nuclei
import nuclei_summary
from common import nuclei_pairs, segmenter_candidates, segmenters

random = np.random.default_rng(0)
images = random.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
masks = (images[..., 0] > 180).astype(np.uint8)
domains = {
    "stained": nuclei_pairs.Nuclei(images, masks, np.repeat(np.arange(6), 2)),
    "fluorescence": nuclei_pairs.Nuclei(255 - images, masks, np.repeat(np.arange(6), 2)),
}
def segment(weights, images):
    nucleus = (images[..., 0] / 255.0) ** 2
    return np.stack([1 - nucleus, nucleus, 0 * nucleus], axis=-1)
nuclei_pairs.load = domains.get
segmenters.train_once = lambda *arguments: ([], 0.0)   # a model that finds bright pixels
segmenters.segment = segmenter_candidates.segment = segment
segmenter_candidates._changed = lambda change, source, *rest: source.weights
pair = "fluorescence>stained"
before = [nuclei.measure(pair, name, 0) for name in ("source only", "negative", "histograms")]
domains["stained"] = domains["stained"]._replace(masks=masks[::-1])
after = [nuclei.measure(pair, name, 0) for name in ("source only", "negative", "histograms")]
for first, second in zip(before, after):
    assert all(first[name] == second[name] for name in nuclei_pairs.VALIDATORS)
    assert first["dice"] != second["dice"]
assert before[0]["dice"] == before[0]["transductive"] > 0.99 and before[1]["dice"] < 0.01
assert len(before[0]["certainty"].split()) == 2
assert [len(part.split()) for part in before[0]["dice_per_image"].split("; ")] == [12, 12]
adapted, predicted = nuclei_pairs.halves(domains["stained"], 0)[0]
groups = domains["stained"].groups
assert not set(groups[adapted]) & set(groups[predicted])
flood = np.zeros((1, 8, 8, 3)); flood[..., 1] = 1
assert nuclei_pairs.validator_values(flood, np.zeros((1, 8, 8), int))["amounts"] == -1

names = ("source only", "negative", "oracle")
rows = pd.DataFrame({"method": names, "certainty": ["-2 -1", "-1 -2", ""]})
for validator in ("source_dice", "information", "amounts"):
    rows[validator] = ["1 1", "0 0", ""]
rows["dice_per_image"] = ["100 200; 300 400", "500 nan; 700 800", "900 900; 900 900"]
sides = [(np.array([0]), np.array([1])), (np.array([1]), np.array([0]))]
runs = nuclei_summary.runs_of_seed(rows, sides)
committed = runs["committed by certainty"]            # negative by image 0, source only by image 1
assert committed.methods == ("negative", "source only")
np.testing.assert_array_equal(committed.dice, [[0.1, np.nan], [0.7, 0.4]])
assert runs["chosen by amounts"].methods == ("source only", "source only")
assert runs["best candidate"].methods == ("negative",) and runs["oracle"].dice[0, 0] == 0.9
print("done")
"""


@pytest.mark.slow  # TensorFlow in a process of its own
def test_masks_of_the_target_change_no_validator_and_no_prediction(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", PERMUTED_MASKS],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        env=os.environ | {"MEDLEARN_RESULTS": str(tmp_path)},
    )
    assert ran.stdout.strip().endswith("done"), ran.stderr[-2000:]
    openings = (tmp_path / "labels_opened.csv").read_text().splitlines()
    assert len(openings) == 7 and openings[-1].endswith(
        "nuclei,fluorescence>stained,0,histograms,score"
    )
