"""The course as its users start it, and a page of a real browser on it that notes every address it asks for."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Nothing may be written into the lessons, and cells out of sight must be there to be looked at.
SETTINGS = {
    "@jupyterlab/docmanager-extension/plugin": '{"autosave": false}',
    "@jupyterlab/notebook-extension/tracker": '{"windowingMode": "none"}',
}
BUSY = """(document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status !== 'idle'
    || [...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.textContent.includes('*')))"""
START_SECONDS, RUN_SECONDS = 90, 240


def missing():
    """Why browser tests cannot run here, or an empty string."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return "browser tests run alone, not beside other workers: python3 course.py test does so"
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if CHROMIUM else "no chromium on this machine"


def starting():
    """The command that opens the course: course.py, or what it hands over to where it would set up first."""
    spec = importlib.util.spec_from_file_location("course_script", ROOT / "course.py")
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    return (
        [sys.executable, str(ROOT / "course.py")]
        if course.ready()
        else [sys.executable, "-P", "-m", "tools"]
    )


@contextmanager
def course(folder, command=None):
    """Serve the course; gives its address and token. `folder` holds JupyterLab's settings and the server's log.

    `command`, to which the options are added, is another way to start it.
    """
    for name, text in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
    }
    environment = os.environ | {name: str(path) for name, path in own.items()}
    command = [*(command or starting()), "--no-browser", "--port", str(port)]
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        yield *_opened(process, log), process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _opened(process, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(
            r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)", log.read_text(errors="replace")
        )
        if found:
            return found[1], found[2]
        time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def watched(browser, address):
    """A fresh page; when it closes, everything it asked for must have been the course's own server."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page, asked = context.new_page(), []
    context.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert asked and outside(asked, address) == []


def outside(asked, address):
    """The addresses among those asked for that lead away from the server."""
    home = urlsplit(address).netloc
    return sorted(
        {
            url
            for url in asked
            if urlsplit(url).scheme not in ("data", "blob", "about")
            and urlsplit(url).netloc != home
        }
    )


def open_lesson(page, address, token, path):
    """Open a lesson in an empty workspace and wait until its kernel is idle."""
    page.goto(
        f"{address}/lab/workspaces/{path.stem}/tree/notebooks/{path.name}?reset&token={token}",
        wait_until="domcontentloaded",
    )
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=30_000)
    # The page calls a kernel idle before it has one; told to run then, it asks which kernel to take. The server knows.
    deadline = time.monotonic() + 60
    while not _has_kernel(page, address, token, path.name):
        assert time.monotonic() < deadline, f"no kernel for {path.name} after a minute"
        page.wait_for_timeout(250)
    page.wait_for_timeout(500)


def _has_kernel(page, address, token, name):
    sessions = page.request.get(f"{address}/api/sessions?token={token}").json()
    kernels = [each["kernel"] for each in sessions if each["path"].endswith(name)]
    return any(
        kernel["connections"] > 0 and kernel["execution_state"] == "idle" for kernel in kernels
    )


def run_all(page):
    """Run all cells from the menu and wait for the last of them."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel").filter(has_text="Run All Cells").first.click(timeout=10_000)
    page.wait_for_function(f"() => {BUSY}", timeout=20_000)
    assert not page.locator(".jp-Dialog").count(), page.locator(".jp-Dialog").first.inner_text()
    settle(page, RUN_SECONDS)


def run_cell(page, cell):
    """Run one cell, which has not run before, from the keyboard and wait for it."""
    from playwright.sync_api import expect

    prompt = cell.locator(".jp-InputPrompt").first
    prompt.click()
    page.keyboard.press("Shift+Enter")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=RUN_SECONDS * 1000)
    settle(page, 30)


def settle(page, seconds):
    """Wait until no cell runs or waits to; between two cells the kernel may look idle for a moment."""
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < 4:
        assert time.monotonic() < deadline, f"the cells took more than {seconds} s"
        page.wait_for_timeout(250)
        quiet = 0 if page.evaluate(BUSY) else quiet + 1


def errors(page):
    """The texts of error outputs."""
    return page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()


def panels(page):
    """The cells whose output holds a widget with a picture."""
    return page.locator(".jp-CodeCell:has(.jp-OutputArea .widget-image)").all()


def picture(panel):
    return panel.locator("img.widget-image, .widget-image img").first.get_attribute("src")


def changed(page, panel, before, seconds=30):
    """Wait until the panel shows another picture, whole; says whether it did."""
    for _ in range(seconds * 5):
        now = picture(panel)
        if now != before and panel.locator("img.widget-image, .widget-image img").first.evaluate(
            "each => each.naturalWidth > 0"
        ):
            return True
        page.wait_for_timeout(200)
    return False


def turn(page, panel):
    """Turn the panel's first slider by an arrow key, or choose the next entry of its first menu; says whether it answered."""
    before = picture(panel)
    handle = panel.locator(".noUi-handle").first
    if not handle.count():
        return _choose(page, panel, before)
    handle.scroll_into_view_if_needed()
    handle.focus()
    for key in ("ArrowRight", "ArrowLeft"):  # at its end a slider moves one way only
        page.keyboard.press(key)
        if changed(page, panel, before, 15):
            return True
    return False


def _choose(page, panel, before):
    menu = panel.locator("select").first
    menu.scroll_into_view_if_needed()
    menu.select_option(
        index=1
    )  # its arrow keys JupyterLab takes for itself, to go from cell to cell
    return changed(page, panel, before)
