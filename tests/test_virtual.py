"""Virtual sets: what `datasets.load` adds to the instruments."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from medlearn import datasets
from medlearn.datasets import _crop, _virtual
from medlearn.instruments import mri, smear

VIRTUAL = [name for name in datasets.names() if datasets.card(name).kind == "virtual"]


def test_cards_agree_with_the_instruments():
    simulated = {
        "smear": smear.single_cells("lab-a", 1, size=32),
        "smear-fields": smear.fields("field-lab", 1, 32, 32),
        "brain-mri": mri.slices("PD", 1, size=32),
    }
    for name, data in simulated.items():
        card = datasets.card(name)
        for field in ("name", "licence", "twin", "classes", "mask_classes", "patients_known"):
            assert getattr(card, field) == getattr(data, field), (name, field)
    assert set(datasets.card("brain-mri").domains) == set(mri.SITES)


@pytest.mark.parametrize("name", VIRTUAL)
def test_domains_share_the_count_and_the_patients(name):
    card = datasets.card(name)
    data = datasets.load(name, count=2 * len(card.domains) + 1, size=64, seed=3)
    by_domain = [data.take(data.domains == domain) for domain in card.domains]
    assert list(map(len, by_domain)) == [3] + [2] * (len(card.domains) - 1)
    assert data.images.shape == (len(data), 64, 64, 3) and data.images.dtype == np.uint8
    for part in by_domain:
        np.testing.assert_array_equal(part.patients[:2], by_domain[0].patients[:2])
        if data.labels is not None:
            np.testing.assert_array_equal(part.labels[:2], by_domain[0].labels[:2])


@pytest.mark.parametrize("name", VIRTUAL)
def test_domain_seed_and_size_are_heeded(name):
    card = datasets.card(name)
    domain = (*card.domains, *card.more_domains)[-1]
    data = datasets.load(name, domain=domain, count=1, seed=1)
    assert set(data.domains) == {domain} and len(data) == 1
    again, another = (datasets.load(name, domain=domain, count=1, seed=seed) for seed in (1, 2))
    assert np.array_equal(data.images, again.images)
    assert not np.array_equal(data.images, another.images)
    small = datasets.load(name, domain=domain, count=1, size=32, seed=1)
    assert small.images.shape == (1, 32, 32, 3)
    assert data.spacing.shape == (1, 2) and (small.spacing > data.spacing).all()


def test_fields_are_whole_unless_a_size_is_given():
    whole, square = (datasets.load("smear-fields", count=1, size=size) for size in (None, 240))
    assert whole.images.shape == (1, 480, 640, 3) and whole.labels is None
    assert square.images.shape == (1, 240, 240, 3)
    expected = _crop.square_boxes(whole.boxes[0], 480, 640, 240)
    assert np.array_equal(square.boxes[0], expected) and 0 < len(expected) < len(whole.boxes[0])
    assert np.allclose(square.spacing, 2 * whole.spacing)


@pytest.mark.parametrize(
    "name, domain, count",
    [("smear", None, 9), ("smear-fields", "random", 3), ("brain-mri", None, 14)],
)
def test_chunks_of_a_virtual_set_make_the_whole(name, domain, count, monkeypatch):
    """What the processes do, in this one: two images of each domain, cutting through patients."""
    whole = datasets.load(name, domain, count=count, size=64, seed=3)
    monkeypatch.setattr(_virtual, "_CHUNK", 2)
    monkeypatch.setattr(
        _virtual, "ProcessPoolExecutor", lambda workers, mp_context: InThisProcess()
    )
    expect_same(datasets.load(name, domain, count=count, size=64, seed=3, workers=3), whole)


class InThisProcess:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    map = staticmethod(map)


def expect_same(data, expected):
    for field in dataclasses.fields(datasets.Dataset):
        np.testing.assert_equal(getattr(data, field.name), getattr(expected, field.name))


SCRIPT = """
import sys
import numpy as np
from medlearn import datasets

if {guard}:
    cells = datasets.load("smear", count=12, size=32, seed=5, workers=2)
    assert np.array_equal(cells.images, datasets.load("smear", count=12, size=32, seed=5).images)
    print("alike")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "guard, output", [('__name__ == "__main__"', "alike"), ("True", "below the line")]
)
def test_processes_make_the_same_images_and_an_unguarded_script_learns_why_not(
    tmp_path, guard, output
):
    script = tmp_path / "make cells.py"
    script.write_text(SCRIPT.format(guard=guard))
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120
    )
    assert output in ended.stdout + ended.stderr
    assert (ended.returncode == 0) == (output == "alike")
