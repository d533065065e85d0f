"""The site: built once, then its pages are read as files and, where Chromium is installed, opened on a desk and on a phone."""

import csv
import html
import importlib.util
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from medlearn import _files
from tools import lessons, running
from tools.site import building, charts, copies, reference, results, slides, vendor

BUILDERS = [module for module in building.NEEDED if importlib.util.find_spec(module) is None]
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
CAN_OPEN = CHROMIUM and importlib.util.find_spec("playwright")
NAMES = [path.stem for path in lessons.find([])]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Page(HTMLParser):
    """The links, targets and pictures of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.targets, self.pictures = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.targets.add(attrs.get("id"))
        self.links += [attrs[name] for name in ("href", "src") if attrs.get(name)]
        if tag == "img":
            self.pictures.append(attrs)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    if BUILDERS:
        pytest.skip(f"not installed: {', '.join(BUILDERS)} (the extra `docs`)")
    folder = tmp_path_factory.mktemp("site") / "built"
    building.write(folder)
    return folder


@pytest.fixture(scope="session")
def pages(site):
    return {
        path: Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


def test_each_lesson_has_a_page_and_slides(site):
    for name in NAMES:
        assert (site / "notebooks" / f"{name}.html").exists()
        assert (site / "slides" / f"{name[:2]}.html").exists()


def test_no_link_within_the_site_is_broken(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if not target.exists() or (
                parts.fragment and known and unquote(parts.fragment) not in known.targets
            ):
                broken.append(f"{path.name}: {link}")
    assert not broken


def test_nothing_a_page_loads_lies_on_another_server(site):
    loads = re.compile(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')
    found = {
        path.name: loads.findall(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
    }
    assert not {name: links for name, links in found.items() if links}


def test_every_picture_has_a_text_in_its_stead(pages):
    silent = [
        f"{path.name}: {picture['src'][:60]}"
        for path, page in pages.items()
        for picture in page.pictures
        if len(picture.get("alt") or "") < 15
        and not (picture.get("alt") == "" and "_static/figures" in picture["src"])
    ]
    assert not silent
    shown = [
        picture for path, page in pages.items() if path.stem in NAMES for picture in page.pictures
    ]
    assert len(shown) > 100 and all(
        len(picture["alt"]) > 15 for picture in shown
    )  # an empty one is for a card's picture only


def test_pages_show_what_was_committed(site):
    page = (site / "real.html").read_text(encoding="utf-8")
    _, real = results.real_runs()
    firsts = [html.escape(numbers.strip().split("\n")[0]) for _, numbers in real.values()]
    assert firsts and not [line for line in firsts if line not in page]
    card = (site / "data.html").read_text(encoding="utf-8")
    assert "GPL-3.0" in card and "virtual" in card
    assert "by_patient" in (site / "reference" / "splits.html").read_text(encoding="utf-8")


def test_names_in_a_tables_text_are_shown_as_they_are(site):
    escaped = {
        path.name: re.findall(r'<span class="pre">[^<]*\\_[^<]*', path.read_text(encoding="utf-8"))
        for path in (site / "results").glob("*.html")
    }
    assert len(escaped) > 10 and not [name for name, found in escaped.items() if found]


def test_every_page_names_its_icon(pages):
    """Else browsers ask the server for one that is not there."""
    assert not [
        path.name
        for path, page in pages.items()
        if not any(link.endswith("favicon.svg") for link in page.links)
    ]


@pytest.fixture(scope="session")
def browser():
    if not CAN_OPEN:
        pytest.skip("Chromium or playwright is not installed: nothing to open pages with")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def test_pages_open_without_an_error_a_request_outside_or_a_sideways_scroll(site, pages, browser):
    context, wrong = browser.new_context(viewport=DESK), []
    page = context.new_page()
    page.on(
        "console",
        lambda message: message.type == "error" and wrong.append(f"{page.url}: {message.text}"),
    )
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:", "blob:"))
            or wrong.append(f"asks {request.url}")
        ),
    )
    for path in pages:
        page.set_viewport_size(DESK)
        page.goto(path.as_uri(), wait_until="load")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                wrong.append(f"{path.relative_to(site)} scrolls sideways at {size['width']} px")
    context.close()
    assert not wrong


def test_the_search_finds_pages_in_a_folder_without_an_error(site, browser):
    page, wrong = browser.new_page(), []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.goto((site / "search.html").as_uri() + "?q=patient")
    page.wait_for_selector(".search-summary:has-text('Search finished')", timeout=20_000)
    assert page.locator("ul.search li").count() > 10 and not wrong
    page.close()


def test_slides_are_a_deck_on_a_desk_and_a_page_to_read_on_a_phone(site, browser):
    if not (site / "_static" / "vendor" / "reveal.js").exists():
        pytest.skip("no npm and no cache: slides are shown one below the other")
    for size, deck in ((DESK, True), (PHONE, False)):
        page = browser.new_page(viewport=size)
        page.goto((site / "slides" / "00.html").as_uri())
        assert page.evaluate("document.body.classList.contains('reveal-viewport')") is deck
        if not deck:
            sizes = page.evaluate(
                "[...document.querySelectorAll('p, li')].map(each => parseFloat(getComputedStyle(each).fontSize))"
            )
            assert min(sizes) >= 14
        page.close()


def test_formulas_are_set_by_the_local_mathjax(site, browser):
    if not (site / "_static" / "vendor" / "mathjax").exists():
        pytest.skip("no npm and no cache: formulas stay in TeX")
    page = browser.new_page()
    page.goto(next((site / "notebooks").glob("02_*.html")).as_uri())
    page.wait_for_selector("mjx-container", timeout=10_000)
    page.close()


# ---- the parts ------------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path):
    if BUILDERS:
        pytest.skip("the builders are not installed")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds other things than a site"):
        building.write(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_without_npm_and_cache_the_build_says_what_is_missing_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = vendor.fetch(tmp_path / "vendor")
    assert len(said) == len(vendor.PACKAGES) and all(
        "npm" in line and "all else works" in line for line in said
    )
    assert not (tmp_path / "vendor").exists()


def test_what_the_cache_holds_needs_no_npm(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for package in vendor.PACKAGES:
        (tmp_path / "cache" / "site" / package).mkdir(parents=True)
        (tmp_path / "cache" / "site" / package / "LICENSE").write_text("free")
    assert vendor.fetch(tmp_path / "vendor") == []
    assert sorted(os.listdir(tmp_path / "vendor")) == ["mathjax", "reveal.js"]


def cell(source="plots.curves(1, 2)", **metadata):
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def test_the_text_of_a_picture_names_the_chart_the_section_and_what_was_just_said():
    told = copies.alternative(
        cell(),
        "2 · The **curve**",
        "It rises.\n\nLook at the [slope](x.md) of it:",
        {"curves": "Learning curves."},
    )
    assert told == "Learning curves. Section “2 · The curve”. Look at the slope of it:"
    assert copies.alternative(cell(alt="A dog."), "Any", "Any.", {}) == "A dog."


def test_the_reference_reads_signatures_and_first_sentences():
    doors = reference.doors()
    assert {"splits", "metrics", "instruments.smear"} <= set(doors) and "course" not in doors
    assert "by_patient" in reference.public(
        doors["splits"]
    ) and "_patients" not in reference.public(doors["splits"])
    assert reference.first_sentences("splits")["by_patient"].startswith(
        "Split images into train and test"
    )


def test_a_long_table_loses_its_digits_and_keeps_its_columns():
    table = results.as_html([["macro_f1", "predictions", "note"], ["0.5", "0120", "a<b"]])
    assert "0120" not in table and "macro f1" in table and "a&lt;b" in table


def test_slides_keep_the_sentence_and_leave_out_solutions():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# 99 · Test\n\n1. **try**;"),
            nbformat.v4.new_markdown_cell("## 1 · First\n\nWhy?"),
            nbformat.v4.new_markdown_cell("**In one sentence: because.**\n\n## 2 · Second"),
            nbformat.v4.new_markdown_cell("secret", metadata={"tags": ["solution"]}),
        ]
    )
    made = slides.deck(
        copies.Lesson("99_test", "99 · Test", notebook), {"ask": "Who?", "answer": "You."}
    )
    assert "<h1>99 · Test</h1>" in made[0] and "try" in made[0]
    assert any("Because." in slide and "First" in slide for slide in made)
    assert "Who?" in made[-1] and not any("secret" in slide for slide in made)


def test_each_lesson_has_a_question_for_the_class():
    assert {name[:2] for name in NAMES} <= set(slides.questions())


def test_the_readmes_first_lines_say_what_the_tables_say():
    first = (lessons.ROOT / "README.md").read_text(encoding="utf-8").split("![")[0]
    assert (
        "nine blood cells in ten" in first
        and "most of the loss on simulated cells and a part of it on real ones" in first
    )
    for text in (
        running.result(nbformat.read(lessons.find(["10"])[0], as_version=4)),
        results.real_runs()[1]["10"][1],
    ):
        home, away = re.search(
            r"lab-a -> lab-b: accuracy (\.\d+) \[.*?\] -> (\.\d+)", text
        ).groups()
        assert 0.85 < float(home) < 0.95 and 0.25 < float(away) < 0.45
    share = {
        row["pair"]: float(row["share"])
        for row in charts.table("adaptation_summary")
        if row["choice"] == "chosen by consensus" and row["share"]
    }
    assert share["smear"] > 0.6 and all(
        0 < share[pair] < 0.6 for pair in share if pair.startswith("wbc")
    )


def minutes_of_whole_lessons(text):
    """For each row of a table that links to a lesson, its number and the first cell that is a number of minutes."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    found = [re.search(r"notebooks/(\d\d)_[^|]*\|\s*(\d+) min\s*\|", row) for row in rows]
    return [match.groups() for match in found if match]


def test_plans_give_the_minutes_of_computing_that_the_readme_gives():
    known = dict(minutes_of_whole_lessons((lessons.ROOT / "README.md").read_text(encoding="utf-8")))
    for name in ("one_day.md", "three_days.md"):
        planned = minutes_of_whole_lessons(
            (lessons.ROOT / "docs" / "instructor" / name).read_text(encoding="utf-8")
        )
        assert len(planned) > 5 and not [
            (name, *each) for each in planned if known.get(each[0]) != each[1]
        ]


def test_the_readme_gives_the_minutes_that_were_measured():
    known = dict(minutes_of_whole_lessons((lessons.ROOT / "README.md").read_text(encoding="utf-8")))
    with open(_files.folder("results") / "lessons.csv", encoding="utf-8", newline="") as stream:
        seconds = {row["lesson"][:2]: int(row["seconds"]) for row in csv.DictReader(stream)}
    assert known.keys() == seconds.keys()
    assert not [
        (number, seconds[number])
        for number, minutes in known.items()
        if abs(60 * int(minutes) - seconds[number]) >= 60
    ]


def test_plans_name_only_lessons_that_exist():
    for path in (lessons.ROOT / "docs" / "instructor").glob("*.md"):
        for link in re.findall(r"\.\./notebooks/([\w.]+)", path.read_text(encoding="utf-8")):
            assert (Path(lessons.FOLDER) / link).exists(), f"{path.name}: {link}"
