"""The handouts of the instructor kit: whole pages, printed where a browser is."""

import pytest

from medlearn.teaching import language
from tools import commands, handouts

NEEDS_A_BROWSER = pytest.mark.skipif(handouts.find_browser() is None, reason="no browser here")


def test_without_a_browser_the_pages_and_a_sentence_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(handouts, "find_browser", lambda: None)
    lines = list(handouts.write(tmp_path / "class"))
    assert len(lines) == 1 and "no Chromium" in lines[0] and "Ctrl-P" in lines[0]
    written = {path.stem for path in (tmp_path / "class").iterdir()}
    assert written == set(handouts.NAMES)


@pytest.mark.parametrize("name", [f"{handouts.NAMES[-1]}.html", f"{handouts.NAMES[-1]}.pdf"])
def test_a_file_that_differs_is_refused_before_anything_is_written(tmp_path, name, capsys):
    (tmp_path / name).write_bytes(b"my own")
    assert commands.main(["handouts", "--to", str(tmp_path)]) == 1
    error = capsys.readouterr().err.strip()
    assert name in error and "choose another folder" in error and "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"my own"


def test_pdfs_without_their_pages_are_counted(tmp_path, capsys):
    for name in handouts.NAMES[:3]:
        (tmp_path / f"{name}.pdf").write_bytes(b"printed, and the page was removed")
    assert commands.main(["handouts", "--to", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "3 of 7 have none" in error and "or of an earlier run" in error


def test_a_second_run_keeps_the_pdfs_of_the_first(tmp_path, monkeypatch):
    def printed(browser, page, to):
        to.write_text(browser)
        return True

    monkeypatch.setattr(handouts, "print_pdf", printed)
    for browser in ("first", "second"):
        monkeypatch.setattr(handouts, "find_browser", lambda browser=browser: browser)
        assert len(list(handouts.write(tmp_path))) == len(handouts.NAMES)
    assert {path.read_text() for path in tmp_path.glob("*.pdf")} == {"first"}


def test_handouts_speak_chinese_where_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(handouts, "find_browser", lambda: None)
    monkeypatch.setenv(language.VARIABLE, "zh")
    list(handouts.write(tmp_path))
    pages = {path.stem: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert all('<html lang="zh-CN">' in page for page in pages.values())
    for name, words in (("quiz_before", "课前测验"), ("sheet_transfer", "速查表：迁移学习")):
        assert f"<title>{words}</title>" in pages[name]


def test_a_page_keeps_tables_and_words_and_loses_addresses_and_markup():
    page = handouts.as_html("# A <sheet>\n\n| a | b |\n|---|---|\n| [x](y.md) | <b>z</b> |\n")
    assert "<title>A &lt;sheet&gt;</title>" in page and "<td>x</td>" in page
    assert "y.md" not in page and "<td>&lt;b&gt;z&lt;/b&gt;</td>" in page


def test_a_browser_that_fails_leaves_no_half_pdf(tmp_path):
    page = tmp_path / "a.html"
    page.write_text("a")
    assert not handouts.print_pdf("/nonexistent", page, tmp_path / "a.pdf")
    assert not handouts.print_pdf("true", page, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_a_file_in_the_place_of_the_folder_is_a_sentence(tmp_path, capsys):
    (tmp_path / "class").write_text("mine")
    assert commands.main(["handouts", "--to", str(tmp_path / "class")]) == 1
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "class").read_text() == "mine"


@NEEDS_A_BROWSER
@pytest.mark.slow
def test_a_browser_prints_a_whole_pdf(tmp_path):
    page = tmp_path / "sheet é.html"
    page.write_text(handouts.as_html(handouts._text("sheet_transfer")), encoding="utf-8")
    assert handouts.print_pdf(handouts.find_browser(), page, tmp_path / "sheet é.pdf")
    assert (tmp_path / "sheet é.pdf").read_bytes().startswith(b"%PDF")
