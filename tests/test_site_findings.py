"""The pages of the benchmarks: sentences whose numbers are the table's, and a chart of each."""

import re

import numpy as np
import pytest

from tools.site import dots, findings, tables


def test_each_table_has_a_finding_in_sentences_and_a_chart(tmp_path):
    names = {path.stem for path in tables.paths()}
    assert set(findings.read()) == names, "docs/findings.toml"
    for name, finding in findings.read().items():
        text = finding.sentences()
        assert 2 <= len(re.findall(r"[.?!:](?: |$)", text)) <= 6 and "{" not in text, name
        assert not re.search(r"\d\.\d{3}", text), name
        says = re.search(r"\[-?\d*\.\d\d, -?\d*\.\d\d\]|interval|one run|one seed|seeds", text)
        assert says, f"{name}: how sure?"
    dots.draw(tmp_path)
    drawn = {path.stem for path in tmp_path.glob("*.svg") if path.stat().st_size < 300_000}
    assert drawn == {finding.table for finding in findings.read().values()}


def test_numbers_of_a_finding_come_from_one_row_or_say_how_they_are_joined():
    where = {"method": "frozen", "images": "10", "seed": "0"}
    table = {"table": "outlines_by_images", "title": "", "chart": {}}
    value = {**where, "show": "dice"}
    assert findings.Finding(says="{x}", values={"x": value}, **table).sentences() == (
        ".87 [.85, .90]"
    )
    several = {"method": "frozen", "seed": "0", "show": "dice"}
    with pytest.raises(LookupError, match="3 rows"):
        findings.Finding(says="{x}", values={"x": several}, **table).sentences()
    for how, shown in (("count", "3"), ("lowest", ".87"), ("highest", ".92")):
        joined = {"x": {**several, "how": how}}
        assert findings.Finding(says="{x}", values=joined, **table).sentences() == shown
    assert findings.interval({"a": "0.36 [0.32, 0.41]"}, "a") == (0.36, 0.32, 0.41)
    row = {"a": "0.5", "low": "0.6", "high": "0.7"}
    assert np.isnan(findings.interval(row, "a").low), "the interval of another column"
    assert findings.interval({"a": ""}, "a") is None
