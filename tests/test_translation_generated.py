"""What the builder of the site writes itself, in Chinese: nothing is forgotten."""

import tomllib

import pytest
from babel.messages.catalog import Catalog
from matplotlib import font_manager

from medlearn.teaching import language
from tools import claims, lessons
from tools.site import data, dots, evidence, findings, front, results
from tools.translation import exchange, generated, pages_of_site, sources

CODE = """
HEAD = "# A title"
NEVER_SAID = "no text"
CHARTS = {"name": (draw, "table_name", "A sentence of a chart.")}
page = say(HEAD) + say("one" if x else "{count} others", count=x) + say(unknown)
ax.set_xlabel("a label")
"""


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "zh")


def test_texts_are_found_in_code():
    said = [text for context, text in generated.of_code(CODE) if context == generated.PAGE]
    assert sorted(said) == ["# A title", "A sentence of a chart.", "one", "{count} others"]
    assert ("label", "a label") in set(generated.of_code(CODE, draws=True))


def test_captions_claims_findings_and_cards_are_among_the_texts():
    texts = {source.text for source in sources.read(generated.PART)}
    assert {"Learn", front.LESSONS, data.HEAD, evidence.HEAD, results.HEAD} <= texts
    assert set(claims.texts()) <= texts
    assert {finding.title for finding in findings.read().values()} <= texts
    card = tomllib.loads((lessons.ROOT / "datasets" / "wbc.toml").read_text(encoding="utf-8"))
    assert {card["title"], *card["notes"]} <= texts


def test_pages_speak_the_readers_language(chinese, tmp_path):
    data.write(tmp_path)
    page = (tmp_path / "data.md").read_text("utf-8")
    assert page.startswith("# 数据") and "- **许可：** GPL-3.0" in page
    finding = findings.read()["transfer_summary"]
    assert "没有显示出来" in finding.sentences() and "{" not in finding.sentences()
    assert dots.alternative(finding).startswith("圆点")
    assert "验证性" in evidence.text() and "| claim |" not in evidence.text()
    assert evidence.text().count("\n| ") == english(evidence.text).count("\n| ")


def english(write):
    with pages_of_site.speaking(None):
        return write()


def test_words_of_pages_are_no_labels_of_figures(chinese):
    assert language.say("harm") == "损坏"
    assert language.label("Look up") == "Look up" and language.say("Look up") == "查阅"


def test_what_is_imported_keeps_the_empty_lines_around_the_english():
    catalogue = Catalog()
    catalogue.add("# A\n\n", context="page")
    (message,) = [message for message in catalogue if message.id]
    assert exchange.take_over(catalogue, f"=== {exchange.key(message)}\n# 甲\n") == []
    assert message.string == "# 甲\n\n"


def test_a_font_that_was_installed_after_matplotlib_listed_them_is_found(monkeypatch):
    fonts = font_manager.fontManager.ttflist
    monkeypatch.setattr(
        font_manager.fontManager, "ttflist", [font for font in fonts if font.name != "DejaVu Serif"]
    )
    monkeypatch.setitem(language.FONTS, "zh_CN", ("DejaVu Serif",))
    files = [font.fname for font in fonts if font.name == "DejaVu Serif"]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [*files, "no_such_font.ttf"])
    assert language._font("zh_CN") == "DejaVu Serif"
