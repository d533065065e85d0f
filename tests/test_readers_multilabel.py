"""Tables with several labels per image: a column for each, or several names in one cell."""

import numpy as np
import pytest
from own_files import png, put, what

from medlearn import datasets


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    return put(tmp_path / "own", a_png=png(), b_png=png(1), c_png=png(2), d_png=png(3))


def read(folder, text, **options):
    (folder / "t.csv").write_text(text)
    return datasets.from_table(folder / "t.csv", patient=None, size=32, **options)


COLUMNS = "file,Mass,Effusion\na.png,1,0.0\nb.png,,-1\nc.png,1.0,1\nd.png,no,NaN\n"


def test_a_column_for_each_label(folder):
    result = read(folder, COLUMNS, label=["Effusion", "Mass"], rename={"Mass": "mass"})
    data = result.dataset
    assert data.classes == ("Effusion", "mass") and data.labels is None
    nan = np.nan
    expected = [[0, 1], [nan, nan], [1, 1], [nan, 0]]
    np.testing.assert_array_equal(data.facts["label_matrix"], expected)
    assert "1 labels are -1" in what(result) and len(result.problems) == 1
    part = data.take([2, 0])
    np.testing.assert_array_equal(part.facts["label_matrix"], [[1, 1], [0, 1]])


def test_columns_that_become_one_label(folder):
    rename = {"Mass": "any", "Effusion": "any"}
    data = read(folder, COLUMNS, label=["Effusion", "Mass"], rename=rename).dataset
    assert data.classes == ("any",)
    np.testing.assert_array_equal(data.facts["label_matrix"][:, 0], [1, np.nan, 1, 0])


def test_several_names_in_one_cell(folder):
    text = "file,label\na.png,Mass|Effusion\nb.png,No Finding\nc.png, Effusion \nd.png,\n"
    result = read(folder, text, label_separator="|")
    assert result.dataset.classes == ("Effusion", "Mass") and result.dataset.labels is None
    np.testing.assert_array_equal(result.dataset.facts["label_matrix"], [[1, 1], [0, 0], [1, 0]])
    assert "the row has no label" in what(result)  # an empty cell may mean anything


def test_names_in_one_cell_without_the_option_are_named(folder):
    text = "file,label\na.png,Mass|Effusion\nb.png,Mass\nc.png,ER+\nd.png,A|B\n"
    result = read(folder, text)
    assert "'Mass|Effusion' look like several labels" in what(result)
    assert len(result.dataset.classes) == 4


def test_bad_cells_and_repeated_rows_are_rows(folder):
    text = "file,Mass,Effusion\na.png,1,2\nb.png,1,0\nb.png,1,1\n"
    result = read(folder, text, label=("Mass", "Effusion"))
    assert "the column 'Effusion' holds '2', and 0, 1 or nothing is expected" in what(result)
    assert "lists the same file with another label" in what(result)
    assert result.dataset.facts["label_matrix"].tolist() == [[1, 0]]


def test_what_is_refused(folder):
    with pytest.raises(ValueError, match="no column 'Effusions'; do you mean 'Effusion'"):
        read(folder, COLUMNS, label=["Mass", "Effusions"])
    with pytest.raises(ValueError, match="one column per label"):
        read(folder, COLUMNS, label=["Mass"], label_separator="|")
    with pytest.raises(ValueError, match="label_separator is what stands between"):
        read(folder, COLUMNS, label="Mass", label_separator=" ")
