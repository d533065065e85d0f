"""Simulated sets in the cache: equal to what was simulated, never stale, never damaged."""

import dataclasses

import numpy as np
import pytest

from medlearn import datasets
from medlearn.datasets import _simulated, _virtual

COUNT = 4
SETS = [("smear", "lab-b", 32), ("smear-fields", None, 64), ("brain-mri", "PD", 32)]


@pytest.fixture
def simulated(tmp_path, monkeypatch):
    """The sets that were simulated, in a list; all sets are large enough to be kept."""
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(_simulated, "FEWEST", 1)
    calls = []
    simulate = _virtual._all

    def counted(*arguments):
        calls.append(arguments)
        return simulate(*arguments)

    monkeypatch.setattr(_virtual, "_all", counted)
    return calls


def kept_files(tmp_path):
    return sorted(tmp_path.glob("simulated/*"))


def assert_equal(first, second):
    for column in dataclasses.fields(first):
        a, b = getattr(first, column.name), getattr(second, column.name)
        assert type(a) is type(b), column.name
        if isinstance(a, dict):
            assert a.keys() == b.keys()
        pairs = zip(a.values(), b.values(), strict=True) if isinstance(a, dict) else [(a, b)]
        for one, other in pairs:
            if isinstance(one, list):
                assert [table.tolist() for table in one] == [table.tolist() for table in other]
            else:
                np.testing.assert_array_equal(one, other)
                assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


@pytest.mark.parametrize(("name", "domain", "size"), SETS)
def test_a_kept_set_is_what_was_simulated(simulated, name, domain, size):
    first, second = (datasets.load(name, domain, COUNT, size, seed=3) for _ in range(2))
    assert len(simulated) == 1
    assert_equal(first, second)
    second.images[0] = 0  # a learner may paint in it
    assert_equal(first, datasets.load(name, domain, COUNT, size, seed=3))


def test_whatever_makes_a_set_tells_kept_sets_apart(simulated, monkeypatch):
    calls = [
        ("smear", "lab-a", 4, 32, 0),
        ("smear", "lab-b", 4, 32, 0),
        ("smear", "lab-a", 5, 32, 0),
    ]
    calls += [("smear", "lab-a", 4, 40, 0), ("smear", "lab-a", 4, 32, 1)]
    for arguments in calls:
        datasets.load(*arguments)
    assert len(simulated) == len(calls)
    monkeypatch.setattr(_simulated, "_version", lambda: "another version of the instruments")
    datasets.load(*calls[0])
    assert len(simulated) == len(calls) + 1


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-100], lambda data: b"", lambda data: b"\0" + data[1:]]
)
def test_a_damaged_file_is_simulated_anew(simulated, tmp_path, damage):
    first = datasets.load("smear", "lab-a", COUNT, 32)
    (path,) = kept_files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert_equal(first, datasets.load("smear", "lab-a", COUNT, 32))
    assert len(simulated) == 2
    datasets.load("smear", "lab-a", COUNT, 32)
    assert len(simulated) == 2


def test_the_sets_that_were_read_last_stay(simulated, tmp_path, monkeypatch):
    datasets.load("smear", "lab-a", COUNT, 32, seed=0)
    size = kept_files(tmp_path)[0].stat().st_size
    monkeypatch.setattr(_simulated, "MOST_BYTES", 2.5 * size)
    own = tmp_path / "simulated" / "own.simulated"
    own.write_bytes(bytes(3 * size))
    for seed in (1, 0, 2):
        datasets.load("smear", "lab-a", COUNT, 32, seed=seed)
    assert len(kept_files(tmp_path)) == 2 + 1 and len(simulated) == 3
    datasets.load("smear", "lab-a", COUNT, 32, seed=0)
    assert len(simulated) == 3
    datasets.load("smear", "lab-a", COUNT, 32, seed=1)
    assert len(simulated) == 4 and own.exists()


def test_without_a_folder_a_set_is_simulated(simulated, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "file"))
    assert len(datasets.load("smear", "lab-a", COUNT, 32)) == COUNT
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    (tmp_path / "simulated").touch()
    with pytest.warns(UserWarning, match="Simulated images are not kept"):
        assert len(datasets.load("smear", "lab-a", COUNT, 32)) == COUNT


def test_a_few_images_are_not_kept(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(_simulated, "FEWEST", COUNT + 1)
    datasets.load("smear", "lab-a", COUNT, 32)
    assert not kept_files(tmp_path)
