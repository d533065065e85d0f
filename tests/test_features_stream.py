"""Features of more images than fit into memory: batch by batch, shared by workers, in constant memory."""

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
    found = np.full((len(IMAGES), 4), np.nan, np.float32)
    for worker in range(workers):
        for places, vectors in features.stream(
            encoder,
            range(len(IMAGES)),
            IMAGES.__getitem__,
            layer,
            batch_size=batch_size,
            shard=(worker, workers),
        ):
            assert len(places) == len(vectors) <= batch_size and (places % workers == worker).all()
            assert np.isnan(found[places]).all()  # nobody else had them
            found[places] = vectors
    np.testing.assert_allclose(
        found, features.extract(encoder, IMAGES, layer, cache=False), atol=1e-5
    )


def test_items_are_read_only_when_their_batch_comes(encoder):
    read = []
    batches = features.stream(
        encoder,
        range(23),
        lambda item: read.append(item) or IMAGES[item],
        batch_size=4,
        shard=(1, 2),
    )
    assert read == []
    next(batches)
    assert read == [1, 3, 5, 7]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"shard": (2, 2)}, r"shard=\(2, 2\) is not"),
        ({"shard": (-1, 2)}, "share of worker"),
        ({"batch_size": 0}, "at least 1"),
        ({"layer": "edgs"}, "do you mean edges"),
        ({"read": lambda item: IMAGES[item][item % 2 :]}, "Item 1 is uint8 .*one size"),
        ({"read": lambda item: IMAGES[item] / 255}, "run from 0"),
    ],
)
def test_what_cannot_be_streamed_is_one_sentence(encoder, changes, said):
    with pytest.raises(ValueError, match=said):
        list(features.stream(encoder, range(23), **{"read": IMAGES.__getitem__} | changes))


GROWTH = """
import pathlib, sys
import numpy as np
from PIL import Image
from medlearn import features
from medlearn._keras import keras

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)).save(sys.argv[1])
encoder = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, strides=4)])
for count in (2000, 8000):
    for places, vectors in features.stream(encoder, [sys.argv[1]] * count, lambda path: np.asarray(Image.open(path))):
        pass
    print(peak(), flush=True)
"""


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
