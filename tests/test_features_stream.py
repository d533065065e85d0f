"""Features of more images than fit into memory: by batches, shared by workers."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlearn import features
from medlearn._keras import keras

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 16, 20, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, name="edges"),
            keras.layers.ReLU(name="out"),
        ]
    )


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 5), st.sampled_from([None, "edges"]))
def test_workers_share_all_items_and_their_vectors_are_those_of_extract(
    encoder, batch_size, workers, layer
):
    items, vectors = range(len(IMAGES)), np.full((len(IMAGES), 4), np.nan, np.float32)
    for worker in range(workers):
        options = {"batch_size": batch_size, "shard": (worker, workers)}
        for indices, batch in features.stream(encoder, items, IMAGES.__getitem__, layer, **options):
            assert len(indices) == len(batch) <= batch_size
            assert (indices % workers == worker).all()
            assert np.isnan(vectors[indices]).all()  # nobody else had them
            vectors[indices] = batch
    expected = features.extract(encoder, IMAGES, layer, cache=False)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_items_are_read_only_when_their_batch_comes(encoder):
    indices = []

    def read(index):
        indices.append(index)
        return IMAGES[index]

    batches = features.stream(encoder, range(23), read, batch_size=4, shard=(1, 2))
    assert indices == []
    next(batches)
    assert indices == [1, 3, 5, 7]


def test_what_cannot_be_streamed_is_refused(encoder):
    for changes, message in [
        ({"shard": (2, 2)}, r"shard=\(2, 2\) is not"),
        ({"shard": (-1, 2)}, "share of worker"),
        ({"batch_size": 0}, "at least 1"),
        ({"layer": "edgs"}, "do you mean 'edges'"),
        ({"read": lambda index: IMAGES[index][index % 2 :]}, r"Item 1 is uint8 .*one size"),
        ({"read": lambda index: IMAGES[index] / 255}, "run from 0"),
    ]:
        options = {"read": IMAGES.__getitem__} | changes
        with pytest.raises(ValueError, match=message):
            list(features.stream(encoder, range(23), **options))


def test_a_dark_batch_is_no_reason_to_stop(encoder):
    """Slices at the end of a volume may hold nothing above 1."""
    images = IMAGES.copy()
    images[20:] = 1
    (indices, _), *_ = features.stream(encoder, range(23), images.__getitem__, shard=(1, 2))
    assert len(indices) == 11
    batches = features.stream(encoder, range(23), images.__getitem__, batch_size=4)
    assert sum(len(vectors) for _, vectors in batches) == 23


GROWTH = """
import pathlib, sys
import numpy as np
from PIL import Image
from medlearn import features
from medlearn._keras import keras

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)
Image.fromarray(noise).save(sys.argv[1])
def read(path):
    return np.asarray(Image.open(path))

encoder = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, strides=4)])
for count in (2000, 8000):
    for indices, vectors in features.stream(encoder, [sys.argv[1]] * count, read):
        pass
    print(peak(), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="only Linux tells a process its peak memory this way",
)
def test_memory_stays_the_same_however_many_files(tmp_path):
    """6,000 further images of 48 kB, 281 MB in all, may not show."""
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path / "same.png")], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    after_few, after_many = map(float, ended.stdout.split())
    assert after_many - after_few < 20, (after_few, after_many)
