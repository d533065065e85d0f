"""The site: built once, its pages read as files and, where Chromium is, opened at two sizes."""

import base64
import csv
import html
import importlib
import importlib.util
import inspect
import io
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from PIL import Image

from medlearn import _files
from medlearn.teaching import door
from tools import lessons, running
from tools.site import building, copies, graph, markup, online, quiz, results, rooms, slides, vendor

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPOSITORY = "somebody/medlearn"
LARGEST_PAGE = 1_500_000  # bytes of a page and of the pictures that it loads at once
NAMES = [path.stem for path in lessons.find([])]
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
INSTRUCTOR_KIT = lessons.ROOT / "docs" / "instructor"


class Page(HTMLParser):
    """The links, targets and pictures of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.targets, self.pictures = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.targets.add(attributes.get("id"))
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        if tag == "img":
            self.pictures.append(attributes)


def read(path):
    return path.read_text(encoding="utf-8")


# ---- the built site ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    if building.missing_builders():
        pytest.skip(f"not installed: {', '.join(building.missing_builders())} (the extra `docs`)")
    folder = tmp_path_factory.mktemp("site") / "built"
    building.write(folder, REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def pages(site):
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path: Page(read(path)) for path in paths}


@pytest.mark.slow
def test_each_lesson_has_a_page_and_slides(site):
    for name in NAMES:
        assert (site / "notebooks" / f"{name}.html").exists()
        assert (site / "slides" / f"{name[:2]}.html").exists()


@pytest.mark.slow
def test_lessons_lead_to_their_files_and_services_and_the_front_page_says_how_to_clone(site):
    for name in NAMES:
        page = read(site / "notebooks" / f"{name}.html")
        for text in (f"../files/{name}.ipynb", "colab.research", "mybinder.org", REPOSITORY):
            assert text in page, (name, text)
        assert (site / "files" / f"{name}.ipynb").exists()
    front = read(site / "index.html")
    assert f"https://github.com/{REPOSITORY}" in front and 'href="cite.html"' in front
    assert "min" in front and "after 02" in front


@pytest.mark.slow
def test_pages_are_small_and_nothing_of_the_builder_is_published(site, pages):
    assert not (site / ".doctrees").exists() and not list(site.rglob("*.map"))
    too_large = []
    for path, page in pages.items():
        sources = {picture["src"] for picture in page.pictures if picture.get("loading") != "lazy"}
        files = [path.parent / unquote(name) for name in sources if not name.startswith("data:")]
        size = path.stat().st_size + sum(file.stat().st_size for file in files)
        if size > LARGEST_PAGE and path.parent.name != "slides":
            too_large.append(f"{path.relative_to(site)}: {size / 1e6:.1f} MB")
    assert not too_large


@pytest.mark.slow
def test_no_link_within_the_site_is_broken(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or link == "#":
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            if not target.exists() or not has_target(pages.get(target), unquote(address.fragment)):
                broken.append(f"{path.name}: {link}")
    assert not broken


def has_target(page, fragment):
    return page is None or not fragment or fragment in page.targets


@pytest.mark.slow
def test_pages_load_nothing_from_another_server_and_name_their_icon(site, pages):
    loads = re.compile(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')
    assert not [path.name for path in site.rglob("*.html") if loads.search(read(path))]
    # Without an icon, browsers ask the server for one that is not there.
    assert not [path.name for path, page in pages.items() if not has_icon(page)]


def has_icon(page):
    return any(link.endswith("favicon.svg") for link in page.links)


@pytest.mark.slow
def test_every_picture_has_a_text_in_its_stead(pages):
    silent = []
    for path, page in pages.items():
        for picture in page.pictures:
            alt = picture.get("alt")
            is_card = alt == "" and "_static/figures" in picture["src"]  # its title says the same
            if len(alt or "") < 15 and not is_card:
                silent.append(f"{path.name}: {picture['src'][:60]}")
    assert not silent
    assert sum(len(page.pictures) for path, page in pages.items() if path.stem in NAMES) > 100


@pytest.mark.slow
def test_pages_show_what_was_committed(site):
    page = read(site / "real.html")
    _, runs = results.real_runs()
    firsts = [html.escape(numbers.strip().split("\n")[0]) for _, numbers in runs.values()]
    assert firsts and not [line for line in firsts if line not in page]
    card = read(site / "data.html")
    assert "GPL-3.0" in card and "virtual" in card
    names_with_backslash = re.compile(r'<span class="pre">[^<]*\\_[^<]*')
    tables = list((site / "results").glob("*.html"))
    assert len(tables) > 10
    assert not [path.name for path in tables if names_with_backslash.search(read(path))]


@pytest.mark.slow
def test_the_reference_documents_every_public_function_of_every_room(pages, site):
    missing = []
    for room in rooms.rooms():
        page = pages[site / "reference" / f"{room}.html"]
        for name in public_functions(room):
            if not any(str(target).endswith(f".{name}") for target in page.targets):
                missing.append(f"{room}.{name}")
    assert not missing
    assert "Parameters" in read(site / "reference" / "splits.html")


def public_functions(room):
    """The functions and classes that a room's map offers."""
    module = importlib.import_module(f"medlearn.{room}")
    names = getattr(module, "__all__", [])
    return [name for name in names if is_documented(getattr(module, name))]


def is_documented(member):
    return inspect.isfunction(member) or inspect.isclass(member)


# ---- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM or importlib.util.find_spec("playwright") is None:
        pytest.skip("Chromium or playwright is not installed: nothing to open pages with")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def watch(page, problems):
    """Note the errors of a page and what it asks of the network."""

    def on_message(message):
        if message.type == "error":
            problems.append(f"{page.url}: {message.text}")

    def on_request(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            problems.append(f"{page.url} asks {request.url}")

    page.on("console", on_message)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("request", on_request)


@pytest.mark.slow
def test_pages_open_without_an_error_a_request_outside_or_a_sideways_scroll(site, pages, browser):
    problems = []
    page = browser.new_page(viewport=DESK)
    watch(page, problems)
    for path in pages:
        page.set_viewport_size(DESK)
        page.goto(path.as_uri(), wait_until="load")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                width = size["width"]
                problems.append(f"{path.relative_to(site)} scrolls sideways at {width} px")
    page.close()
    assert not problems


@pytest.mark.slow
def test_code_can_be_copied_and_figures_open_large(site, browser):
    page = browser.new_page(viewport=DESK)
    page.goto((site / "notebooks" / f"{NAMES[0]}.html").as_uri())
    button = page.locator("button.copy").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("button.copy:has-text('Copied')")
    link = page.locator(".cell_output a:has(img)").first
    assert link.evaluate("link => link.href") == link.locator("img").evaluate("image => image.src")
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("side", quiz.SIDES)
def test_a_quiz_marks_itself(side, site, browser):
    page = browser.new_page(viewport=DESK)
    page.goto((site / "instructor" / f"quiz_{side}.html").as_uri())
    for number, item in enumerate(quiz.items(), start=1):
        right = item[side]["right"]
        wrong = min(set(quiz.LETTERS) - {right})
        letter = right if number > 3 else wrong
        page.check(f"input[name={side}{number}][value={letter}]")
    page.click("form.quiz button")
    assert page.inner_text("form.quiz output") == "7 of 10 right"
    page.close()


@pytest.mark.slow
def test_the_search_finds_pages_in_a_folder_without_an_error(site, browser):
    problems = []
    page = browser.new_page()
    watch(page, problems)
    page.goto((site / "search.html").as_uri() + "?q=patient")
    page.wait_for_selector(".search-summary:has-text('Search finished')", timeout=20_000)
    assert page.locator("ul.search li").count() > 10 and not problems
    page.close()


@pytest.mark.slow
def test_slides_are_a_deck_on_a_desk_and_a_page_to_read_on_a_phone(site, browser):
    if not (site / "_static" / "vendor" / "reveal.js").exists():
        pytest.skip("no npm and no cache: slides are shown one below the other")
    for size, is_deck in ((DESK, True), (PHONE, False)):
        page = browser.new_page(viewport=size)
        page.goto((site / "slides" / "00.html").as_uri())
        assert page.evaluate("document.body.classList.contains('reveal-viewport')") is is_deck
        if not is_deck:
            texts = "[...document.querySelectorAll('p, li')]"
            sizes = page.evaluate(
                f"{texts}.map(text => parseFloat(getComputedStyle(text).fontSize))"
            )
            assert min(sizes) >= 14
        page.close()


@pytest.mark.slow
def test_formulas_are_set_by_the_local_mathjax(site, browser):
    if not (site / "_static" / "vendor" / "mathjax").exists():
        pytest.skip("no npm and no cache: formulas stay in TeX")
    page = browser.new_page()
    page.goto(next((site / "notebooks").glob("02_*.html")).as_uri())
    page.wait_for_selector("mjx-container", timeout=10_000)
    page.close()


# ---- the parts -----------------------------------------------------------------------------------


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path):
    if building.missing_builders():
        pytest.skip("the builders are not installed")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds other things than a site"):
        building.write(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_javascript_comes_from_the_cache_or_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm
    sentences = vendor.fetch(tmp_path / "without")
    assert len(sentences) == len(vendor.PACKAGES)
    assert all("npm" in line and "all else works" in line for line in sentences)
    assert not (tmp_path / "without").exists()
    for package in vendor.PACKAGES:
        (tmp_path / "cache" / "site" / package).mkdir(parents=True)
        (tmp_path / "cache" / "site" / package / "LICENSE").write_text("free")
    assert vendor.fetch(tmp_path / "with") == []
    assert sorted(os.listdir(tmp_path / "with")) == ["mathjax", "reveal.js"]


def test_the_text_of_a_picture_names_the_chart_the_section_and_the_sentence_before_it():
    cell = nbformat.v4.new_code_cell("plots.curves(1, 2)")
    text = "It rises.\n\nLook at the [slope](x.md) of it:"
    charts = {"curves": "Learning curves."}
    alt = copies.alternative(cell, "2 · The **curve**", text, charts)
    assert alt == "Learning curves. Section “2 · The curve”. Look at the slope of it:"
    cell.metadata["alt"] = "A dog."
    assert copies.alternative(cell, "Any", "Any.", {}) == "A dog."


def sharp_picture(width):
    """A code cell with a picture of twice as many pixels as its page shows."""
    memory = io.BytesIO()
    Image.new("RGB", (2 * width, width)).save(memory, "PNG")
    data = {"image/png": base64.b64encode(memory.getvalue()).decode()}
    size = {"image/png": {"width": width, "height": width // 2}}
    output = nbformat.v4.new_output("display_data", data=data, metadata=size)
    return nbformat.v4.new_code_cell("plot()", outputs=[output], metadata={"alt": "A line."})


def test_sharp_pictures_keep_the_size_in_which_the_lesson_shows_them(tmp_path, monkeypatch):
    texts = [nbformat.v4.new_markdown_cell(text) for text in ("# 01 · Test", "## 1 · First")]
    notebook = nbformat.v4.new_notebook(cells=[*texts, sharp_picture(600)])
    lessons.save(notebook, tmp_path / "01_test_pictures.ipynb")
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    (tmp_path / "source").mkdir()
    (lesson,) = copies.copy(tmp_path / "source")
    copied = lessons.read(tmp_path / "source" / "notebooks" / "01_test_pictures.ipynb")
    assert copied.cells[2].metadata.mystnb.image == {"alt": "A line.", "width": "600px"}
    assert copied.cells[2].outputs == notebook.cells[2].outputs
    with Image.open(tmp_path / "source" / lesson.figures[0].thumbnail) as thumbnail:
        assert thumbnail.size == (480, 240)
    assert '<img alt="A line." width="600" src="data:image/png' in slides.deck(lesson, None)[1]


def test_every_chart_has_a_sentence_that_begins_with_what_it_shows():
    sentences = copies.chart_sentences()
    assert len(sentences) > 20 and all(len(sentence) > 4 for sentence in sentences.values())
    beginnings = ("Draw", "Plot", "Show ", "Return")
    assert not [name for name, text in sentences.items() if text.startswith(beginnings)]


def test_the_rooms_of_the_reference_are_those_of_the_package():
    assert {"splits", "metrics", "instruments.smear"} <= set(rooms.rooms())
    assert not {"keras", "tf", "instruments"} & set(rooms.rooms())
    assert "matching" in rooms.submodules("adaptation") and not rooms.submodules("splits")


def test_signs_of_markdown_are_escaped_outside_of_code():
    assert markup.escaped("a_b `c_d` <e>") == "a\\_b `c_d` \\<e\\>"
    assert markup.plain("**bold** [link](x.md)\n`code`") == "bold link code"


def test_a_long_table_loses_its_digits_and_keeps_its_columns():
    table = results.as_html(["macro_f1", "predictions", "note"], [["0.5", "0120", "a<b"]])
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
    lesson = copies.Lesson("99_test", "99 · Test", notebook)
    deck = slides.deck(lesson, {"ask": "Who?", "answer": "You."})
    assert "<h1>99 · Test</h1>" in deck[0] and "try" in deck[0]
    assert any("Because." in slide and "First" in slide for slide in deck)
    assert "Who?" in deck[-1] and not any("secret" in slide for slide in deck)


def test_slides_keep_formulas_as_they_are():
    formula = r"$$\underbrace{a}_{\text{one}} * b * \underbrace{c}_{\text{two}}$$"
    texts = [
        "# 99 · Test",
        f"## 1 · First\n\nWhy $x_1$ and $x_2$ *here*?\n\n{formula}\n\n**In one sentence: so.**",
    ]
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    lesson = copies.Lesson("99_test", "99 · Test", nbformat.v4.new_notebook(cells=cells))
    slide = html.unescape(slides.deck(lesson, None)[1])
    assert formula in slide and "$x_1$ and $x_2$ <em>here</em>" in slide


def test_each_slide_of_a_section_has_notes_with_a_time_and_a_question():
    for path in lessons.find(["2", "12"]):
        lesson = copies.Lesson(path.stem, "title", lessons.read(path))
        notes = [slide for slide in slides.deck(lesson, None, 40) if "notes" in slide]
        assert len(notes) > 3 and all("minutes" in slide for slide in notes)
        assert "Ask: " in notes[1]


def test_formulas_of_all_lessons_reach_their_slides_whole():
    damaged = []
    for path in lessons.find([]):
        notebook = lessons.read(path)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        known = {"".join(formula.split()) for formula in FORMULA.findall(text)}
        for slide in slides.deck(copies.Lesson(path.stem, "title", notebook), None):
            words = html.unescape(re.sub(r'src="data:[^"]*"', "", slide))
            shown = {"".join(formula.split()) for formula in FORMULA.findall(words)}
            damaged += [f"{path.stem}: {formula}" for formula in shown - known]
    assert not damaged


# ---- what README and the instructor kit say ------------------------------------------------------


def test_each_lesson_has_a_question_for_the_class():
    assert {name[:2] for name in NAMES} <= set(slides.questions())


def test_the_readmes_first_lines_say_what_lesson_10_prints():
    first = read(lessons.ROOT / "README.md").split("![")[0]
    assert "nine blood cells in ten" in first and "three or four in ten" in first
    simulated = running.result(lessons.read(lessons.find(["15"])[0]))
    real = results.real_runs()[1]["15"][1]
    for text in (simulated, real):
        pattern = r"lab-a -> lab-b: accuracy (\.\d+) \[.*?\] -> (\.\d+)"
        home, away = map(float, re.search(pattern, text).groups())
        assert 0.85 < home < 0.95 and 0.25 < away < 0.45


def minutes_of_whole_lessons(path):
    """The number of each lesson that a table links to, and its first cell of minutes."""
    rows = [line for line in read(path).splitlines() if line.startswith("|")]
    pattern = r"notebooks/(\d\d)_[^|]*\|\s*(\d+) min\s*\|"
    matches = [re.search(pattern, row) for row in rows]
    return dict(match.groups() for match in matches if match)


def test_plans_give_the_minutes_that_the_readme_gives_and_that_were_measured():
    minutes = minutes_of_whole_lessons(lessons.ROOT / "README.md")
    for name in ("one_day.md", "three_days.md"):
        planned = minutes_of_whole_lessons(INSTRUCTOR_KIT / name)
        assert len(planned) > 3 and planned.items() <= minutes.items(), name
    with open(_files.folder("results") / "lessons.csv", encoding="utf-8", newline="") as stream:
        seconds = {row["lesson"][:2]: int(row["seconds"]) for row in csv.DictReader(stream)}
    assert minutes.keys() == seconds.keys()
    for number, minute in minutes.items():
        assert abs(60 * int(minute) - seconds[number]) < 60, number


def test_plans_name_only_lessons_that_exist():
    for path in INSTRUCTOR_KIT.glob("*.md"):
        for link in re.findall(r"\.\./notebooks/([\w.]+)", read(path)):
            assert (Path(lessons.FOLDER) / link).exists(), f"{path.name}: {link}"


def test_the_quizzes_are_matched_and_hold_no_key():
    assert len(quiz.items()) == 10
    for side in quiz.SIDES:
        page = read(INSTRUCTOR_KIT / f"quiz_{side}.md")
        assert page == quiz.as_markdown(side), "run `python3 -m tools.site.quiz`"
        for number, item in enumerate(quiz.items(), start=1):
            question = item[side]
            assert len(question["options"]) == 3 and question["right"] in quiz.LETTERS
            assert question["why"] not in page
            sums = {quiz.check_sum(f"{side}{number}", letter) for letter in quiz.LETTERS}
            assert len(sums) == 3
    assert {item["before"]["right"] for item in quiz.items()} == set(quiz.LETTERS)


def test_a_lesson_stands_right_of_all_that_it_needs():
    cards = door.cards(lessons.FOLDER)
    places = graph.layout(cards)
    assert len(set(places.values())) == len(cards)
    for card in cards:
        assert all(places[need][0] < places[card.number][0] for need in card.needs)
        assert card.title in html.unescape(graph.draw(cards))


def test_a_repository_is_a_name_on_github():
    assert "Colab" not in online.links("02_x.ipynb", None)
    with pytest.raises(ValueError, match="expected OWNER/NAME"):
        online.check("https://github.com/somebody/medlearn")


def test_tables_on_pages_are_rounded():
    cells = ["0.123456", "-.98765", "12", "0.5", "0.00412", "2382.125", "lab-a", "1.2.34567", ""]
    shown = ["0.12", "-0.99", "12", "0.5", "0.004", "2382", *cells[6:]]
    assert list(map(results.rounded, cells)) == shown
    wide = results.as_html(["score", "by_image"], [["0.5", "1;" * 100]])
    assert "1;1;" not in wide and "by image" not in wide
    assert "matching" in rooms.submodules("adaptation") and not rooms.submodules("splits")
