"""Patients of an own folder: unreadable ids, the same split everywhere, no names near ids."""

import os
import stat

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medlearn import _pseudonyms, datasets, splits
from medlearn.datasets.readers import _identity

RANDOM = np.random.default_rng(0)


def save_picture(path, side=64):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 255, (side, side, 3)).astype(np.uint8)).save(path)


@pytest.fixture
def study(tmp_path):
    """Twelve patients by record number, two images each, in two classes."""
    for number in range(12):
        for index in range(2):
            label = "ill" if number % 3 == 0 else "well"
            save_picture(tmp_path / "study" / label / f"{700100 + 37 * number}" / f"{index}.png")
    return tmp_path / "study"


@pytest.fixture
def use_cache(monkeypatch, tmp_path):
    def use(name):
        monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / name))

    return use


def test_the_same_folder_is_split_in_the_same_way_in_every_cache(study, use_cache):
    tested, folds, names = [], [], []
    for cache in ("one", "two", "three", "four"):
        use_cache(cache)
        data = datasets.from_folder(study, layout="class/patient", size=64).dataset
        tested.append(splits.by_patient(data.patients, data.labels, seed=3)[1].tolist())
        folds.append(
            [test.tolist() for _, test in splits.folds(data.patients, data.labels, k=3, seed=1)]
        )
        names.append(set(data.patients))
    assert all(other == tested[0] for other in tested[1:])
    assert all(other == folds[0] for other in folds[1:])
    assert not names[0] & names[1]


def test_named_patients_are_ordered_by_name_whatever_the_order_of_images():
    patients = np.array(["cleo", "ann", "bob", "ann", "dan", "eve"])
    order = np.array([5, 2, 0, 4, 1, 3])
    tested = patients[splits.by_patient(patients, seed=2)[1]]
    again = patients[order][splits.by_patient(patients[order], seed=2)[1]]
    assert set(tested) == set(again)


def test_pseudonyms_are_numbered_by_appearance():
    ids = np.array([_pseudonyms.pseudonym(name, bytes(32)) for name in "cabac"])
    names, codes = _pseudonyms.numbered(ids)
    assert codes.tolist() == [0, 1, 2, 1, 0]
    assert names.tolist() == ids[:3].tolist()


def test_record_numbers_are_neither_ids_nor_in_file_names(study, use_cache):
    use_cache("one")
    (study / "ill" / "700100" / "broken.png").write_bytes(b"\x89PNG nothing")
    result = datasets.from_folder(study, layout="class/patient", size=64)
    data = result.dataset
    shown = " ".join([*data.patients, *data.facts["file"], result.problems.to_string()])
    assert not any(str(700100 + 37 * number) in shown for number in range(12))
    assert "700100" not in repr(result)
    for file in [*data.facts["file"], *result.problems["file"]]:
        assert result.paths[file].is_file()


def test_one_patient_has_one_pseudonym_in_all_folders_of_a_study(study, tmp_path, use_cache):
    use_cache("one")
    save_picture(tmp_path / "away" / "a.png")
    pd.DataFrame({"file": ["a.png"], "patient": ["700100"], "label": ["ill"]}).to_csv(
        tmp_path / "away" / "t.csv", index=False
    )

    def patients_of(study_name):
        home = datasets.from_folder(study, layout="class/patient", size=64, study=study_name)
        away = datasets.from_table(tmp_path / "away" / "t.csv", size=64, study=study_name)
        return set(home.dataset.patients), set(away.dataset.patients)

    home, away = patients_of("lung 2026")
    assert away <= home
    other_home, _ = patients_of(None)
    assert not home & other_home


def test_the_identifier_is_hidden_where_it_stands_alone(use_cache):
    use_cache("one")
    pseudonym = _identity.pseudonym("Smith")
    assert _identity.hidden("ward/SMITH_john/1.png", "Smith") == f"ward/{pseudonym}_john/1.png" or (
        pseudonym in _identity.hidden("ward/SMITH/1.png", "Smith")
    )
    assert _identity.hidden("2012/12.png", "12").startswith("2012/p-")
    assert _identity.hidden("a/b.png", "") == "a/b.png"


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_secret_is_refused(content, tmp_path, use_cache):
    use_cache("one")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "patients.salt").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged: it has \d+ bytes.*splits do not"):
        _identity.pseudonym("12")


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_only_the_owner_may_read_the_secret(tmp_path, use_cache):
    use_cache("one")
    _identity.pseudonym("12")
    mode = (tmp_path / "one" / "patients.salt").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_where_nothing_can_be_kept_pictures_are_read_all_the_same(study, use_cache, monkeypatch):
    use_cache("one")

    def read_only(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_identity._files, "write_atomically", read_only)
    with pytest.warns(UserWarning, match="splits do not"):
        result = datasets.from_folder(study, layout="class/patient", size=64)
    assert len(result.dataset) == 24 and result.dataset.patients_known
    assert len(set(result.dataset.patients)) == 12


def test_a_study_has_a_plain_name(study, use_cache):
    use_cache("one")
    with pytest.raises(ValueError, match="study must be a name"):
        datasets.from_folder(study, layout="class/patient", size=64, study="../x")
