"""The workers of lesson 24: one alone, two that end equal, and one that is killed."""

import shutil

import numpy as np
import pytest

from medlearn.teaching import workers


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (48, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "cells.npz", images=images, labels=np.arange(48) % 3, classes=3)
    return tmp_path / "cells.npz"


def test_the_network_has_the_classes_and_synchronised_statistics():
    model = workers.build(32, 3)
    norms = [layer for layer in model.layers if hasattr(layer, "synchronized")]
    assert model.output_shape == (None, 3)
    assert len(norms) == 2 and all(norm.synchronized for norm in norms)


@pytest.mark.slow
def test_two_workers_of_which_one_is_killed_end_where_one_process_ends(data, tmp_path):
    """The run is gone on with by one process, and once more by two workers."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    workers.finish(workers.start(data, alone, epochs=4, every=1))
    report = workers.report(alone)
    assert report["replicas"] == 1 and report["seconds"] > 0
    crashed = workers.start(data, together, workers=2, epochs=4, every=1)
    workers.kill_after_checkpoint(crashed, together, number=9)  # four checkpoints in an epoch
    with pytest.raises(RuntimeError, match="A worker went away in epoch 2"):
        workers.finish(crashed)
    assert workers.report(together)["replicas"] == 2
    again = tmp_path / "again"
    shutil.copytree(together, again)
    workers.finish(workers.start(data, together, epochs=4))
    workers.finish(workers.start(data, again, workers=2, epochs=4))
    for folder in (together, again):
        for weights, expected in zip(workers.weights(folder), workers.weights(alone), strict=True):
            np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-5)


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"FileNotFoundError.*none\.npz"):
        workers.finish(workers.start(tmp_path / "none.npz", tmp_path / "run"))
