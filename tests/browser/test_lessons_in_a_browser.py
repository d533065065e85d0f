"""Lessons in a real browser: run, turn the dials, use the keyboard, ask nothing of a network."""

import hashlib

import pytest
import served

pytestmark = pytest.mark.skipif(bool(served.missing()), reason=served.missing() or "-")
WIDGETS = {"00": 3, "02": 1, "09": 1, "18": 1}  # lessons, and how many widgets each has
NAME_OF_DIAL = (  # what stands beside the dial that has the focus
    "document.activeElement.closest('.widget-hslider').querySelector('.widget-label').innerText"
)
NUMBERS = [pytest.param(n, marks=() if n == "00" else pytest.mark.slow) for n in WIDGETS]
PATHS = {number: next((served.ROOT / "notebooks").glob(f"{number}_*.ipynb")) for number in WIDGETS}


def digests():
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in PATHS.values()}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    before = digests()
    with served.course(tmp_path_factory.mktemp("jupyter")) as (address, token, process):
        yield address, token
    assert process.poll() is not None
    assert digests() == before, "looking at lessons in the browser changed their files"


@pytest.fixture
def page(chromium, course, shots, request):
    with served.watched(chromium, course[0]) as page:
        yield page
        page.screenshot(path=shots / f"{request.node.name}.png")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_runs_without_an_error_and_its_dials_answer(number, page, course, shots):
    served.open_lesson(page, *course, PATHS[number])
    served.run_all(page)
    assert served.errors(page) == []
    panels = served.panels(page)
    assert len(panels) == WIDGETS[number]
    if number == "00":  # measuring the consoles' pace moves a dial, which must be back afterwards
        assert "0.00" in panels[0].locator(".widget-hslider:has-text('defocus')").inner_text()
    for index, panel in enumerate(panels):
        panel.scroll_into_view_if_needed()
        assert panel.locator(".widget-image").first.is_visible()
        answered = served.turn(page, panel)
        panel.screenshot(path=shots / f"{number}_widget_{index}.png")
        assert answered, f"the first dial of widget {index} of lesson {number} changed nothing"
    page.screenshot(path=shots / f"{number}_end.png")


def test_the_keyboard_alone_is_enough(page, course, shots):
    served.open_lesson(page, *course, PATHS["00"])
    for _ in range(30):  # on from wherever the focus is: no mouse
        page.keyboard.press("Shift+Enter")
        served.settle(page, seconds=60)
        if served.panels(page):
            break
    panel = served.panels(page)[0]
    on_slider = "document.activeElement.classList.contains('noUi-handle')"
    in_editor = "!!document.activeElement.closest('.cm-editor')"
    for _ in range(20):  # back: the focus has moved on to the cell below the panel
        if page.evaluate(on_slider):
            break
        page.keyboard.press("Escape" if page.evaluate(in_editor) else "Shift+Tab")
    page.screenshot(path=shots / "keyboard.png")
    assert page.evaluate(on_slider), "Shift+Tab never reached a slider"
    before = served.picture(panel)
    page.keyboard.press("ArrowRight")
    assert served.changed(page, panel, before), "the arrow key moved nothing"
    names = {page.evaluate(NAME_OF_DIAL)}
    for _ in range(8):  # on to the dial above: its readout lies between
        page.keyboard.press("Shift+Tab")
        if page.evaluate(on_slider):
            names.add(page.evaluate(NAME_OF_DIAL))
    assert len(names) > 1 and all(names), f"Shift+Tab reached dials with the names {names}"


def test_a_request_to_elsewhere_would_be_seen(course):
    address, _ = course
    home, away = f"{address}/lab", "https://cdn.example.org/require.js"
    assert served.outside([home, away, "data:image/png;base64,xx"], address) == [away]
