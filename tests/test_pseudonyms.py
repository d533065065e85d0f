"""Patients of an own folder: unreadable ids, the same split everywhere, no names near ids."""

import os
import re
import shlex
import stat
import subprocess

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


NAMES = ("700101a", "700101L", "IMG700101", "700101_1", "1700101", "700101", "7001012")


def test_record_numbers_beside_letters_are_hidden_in_files_and_problems(tmp_path, use_cache):
    use_cache("one")
    folder = tmp_path / "study" / "ill" / "700101"
    for name in NAMES:
        save_picture(folder / f"{name}.png")
        (folder / f"{name}x.png").write_bytes(b"\x89PNG nothing")
    result = datasets.from_folder(tmp_path / "study", layout="class/patient", size=64)
    shown = [*result.dataset.facts["file"], *result.problems["file"]]
    assert len(result.dataset) == 7 and len(set(shown)) == 14
    assert not any("700101" in name for name in [*shown, result.problems.to_string()])
    assert {result.paths[name].parent.name for name in shown} == {"700101"}


@pytest.mark.parametrize(
    ("name", "identifier", "shown"),
    [
        ("a/IMG700101b.png", "700101", "a/IMG{}b.png"),
        ("a/700101/700101.700101x", "700101", "a/{}/{}.{}x"),
        ("2012/12L.png", "12", "2012/12L.png"),  # two characters are too few to be sure
        ("Smith2/1smith.PNG", "SMITH", "{}2/1{}.PNG"),
        ("ill/ab12.png", "700101", "ill/ab12.png"),
    ],
)
def test_a_digit_beside_a_letter_ends_an_identifier(name, identifier, shown, use_cache):
    use_cache("one")
    expected = shown.replace("{}", _identity.pseudonym(identifier))
    assert _identity.hidden(name, identifier) == expected


@pytest.mark.parametrize("name", ["SmithJohn.png", "goldsmith.2smiths", "x.smithx", "Smithé.tiff"])
def test_a_part_that_may_hold_a_name_is_hidden_as_a_whole(name, use_cache):
    use_cache("one")
    shown = _identity.hidden(f"ill/{name}/{name}", "Smith")
    assert shown.startswith("ill/p-") and "smith" not in shown.lower()


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_secret_is_refused(content, tmp_path, use_cache):
    use_cache("one")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "patients.salt").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged: it has \d+ bytes.*splits do not"):
        _identity.pseudonym("12")


def secret_file(folder, content, rights=0o600):
    """The place of a secret with some content, so that no secret is made there."""
    folder.mkdir(exist_ok=True)
    path = folder / "patients.salt"
    path.write_bytes(content)
    path.chmod(rights)
    return path


@pytest.mark.parametrize("content", [bytes(32), b"ab" * 16, bytes(range(7)) + bytes(25)])
def test_a_secret_of_few_bytes_is_refused(content, tmp_path, use_cache):
    use_cache("one")
    secret_file(tmp_path / "one", content)
    with pytest.raises(ValueError, match=r"8 different bytes or more, and this one has [127]\. R"):
        _identity.pseudonym("12")


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_secret_that_is_no_file_is_refused(tmp_path, use_cache):
    use_cache("one")
    path = secret_file(tmp_path / "one", b"")
    for make in (os.mkfifo, os.mkdir):
        path.unlink()
        make(path)
        with pytest.raises(ValueError, match="is no file but a folder, a pipe or a device"):
            _identity.pseudonym("12")


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
@pytest.mark.parametrize("rights", [0o644, 0o640, 0o602])
def test_a_secret_that_others_may_read_is_closed(rights, tmp_path, use_cache):
    use_cache("one")
    path = secret_file(tmp_path / "one", bytes(range(32)), rights)
    with pytest.warns(UserWarning, match="could be read by others and is closed now"):
        assert _identity.secret() == bytes(range(32))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
@pytest.mark.parametrize("rights", [0o644, 0o640, 0o602])
def test_the_open_secret_of_somebody_else_is_refused(rights, tmp_path, use_cache, monkeypatch):
    use_cache("on e")
    path = secret_file(tmp_path / "on e", bytes(range(32)), rights)

    def not_ours(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(_identity.os, "chmod", not_ours)
    with pytest.raises(ValueError, match=rf"rights are {rights:o}\)") as refused:
        _identity.pseudonym("12")
    command = re.search("chmod .*?'[^']+'", str(refused.value)).group()
    subprocess.run(shlex.split(command), check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _identity.secret() == bytes(range(32))


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_a_secret_in_a_folder_that_is_only_read_is_taken(tmp_path, use_cache, monkeypatch):
    use_cache("one")
    path = secret_file(tmp_path / "one", bytes(range(32)), 0o644)

    def read_only(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_identity.tempfile, "TemporaryFile", read_only)
    assert _identity.secret() == bytes(range(32))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


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
