"""The course as its users start it, and a page of a real browser that notes what it asks for."""

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
    || [...document.querySelectorAll('.jp-InputPrompt')]
        .some(prompt => prompt.textContent.includes('*')))"""
PICTURE = "img.widget-image, .widget-image img"
START_SECONDS, RUN_SECONDS = 90, 240


def missing():
    """Why browser tests cannot run here, or an empty string."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return "browser tests run alone, not beside other workers: python3 course.py test does so"
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if CHROMIUM else "no chromium on this machine"


def starting():
    """The command that opens the course: course.py, or `tools` where course.py would set up."""
    spec = importlib.util.spec_from_file_location("course_script", ROOT / "course.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    if script.ready():
        return [sys.executable, str(ROOT / "course.py")]
    return [sys.executable, "-P", "-m", "tools"]


@contextmanager
def course(folder, command=None):
    """Serve the course; gives its address, its token and its process.

    `folder` holds JupyterLab's settings and the server's log. `command`, to which the options are
    added, is another way to start it.
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
        text = log.read_text(errors="replace")
        match = re.search(r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)", text)
        if match:
            return match[1], match[2]
        time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def watched(browser, address):
    """A fresh page; when it closes, it must have asked the course's own server only."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    addresses = []
    context.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda socket: addresses.append(socket.url))
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert addresses and outside(addresses, address) == []


def outside(addresses, address):
    """Those of the addresses that lead away from the server."""
    home = urlsplit(address).netloc
    return sorted({url for url in addresses if not _is_of(home, urlsplit(url))})


def _is_of(home, url):
    return url.scheme in ("data", "blob", "about") or url.netloc == home


def open_lesson(page, address, token, path):
    """Open a lesson in an empty workspace and wait until its kernel is idle."""
    workspace = f"{address}/lab/workspaces/{path.stem}"
    page.goto(
        f"{workspace}/tree/notebooks/{path.name}?reset&token={token}", wait_until="domcontentloaded"
    )
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=30_000)
    # The page calls a kernel idle before it has one, and would then ask which kernel to take. The
    # server knows.
    deadline = time.monotonic() + 60
    while not _has_kernel(page, address, token, path.name):
        assert time.monotonic() < deadline, f"no kernel for {path.name} after a minute"
        page.wait_for_timeout(250)
    page.wait_for_timeout(500)


def _has_kernel(page, address, token, name):
    sessions = page.request.get(f"{address}/api/sessions?token={token}").json()
    kernels = [session["kernel"] for session in sessions if session["path"].endswith(name)]
    return any(map(_is_idle, kernels))


def _is_idle(kernel):
    return kernel["connections"] > 0 and kernel["execution_state"] == "idle"


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
    """Wait until no cell runs or waits; between two cells the kernel may look idle for a moment."""
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < 4:
        assert time.monotonic() < deadline, f"the cells took more than {seconds} s"
        page.wait_for_timeout(250)
        quiet = 0 if page.evaluate(BUSY) else quiet + 1


def errors(page):
    """The texts of error outputs, which JupyterLab shows as it shows stderr."""
    outputs = page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()
    return [text for text in outputs if "Traceback (most recent call last)" in text]


def panels(page):
    """The cells whose output holds a widget with a picture."""
    return page.locator(".jp-CodeCell:has(.jp-OutputArea .widget-image)").all()


def picture(panel):
    """The address of the panel's picture, which changes with the picture."""
    return panel.locator(PICTURE).first.get_attribute("src")


def changed(page, panel, before, seconds=30):
    """Wait until the panel shows another picture, whole; returns whether it did."""
    for _ in range(seconds * 5):
        if picture(panel) != before and _is_loaded(panel):
            return True
        page.wait_for_timeout(200)
    return False


def _is_loaded(panel):
    return panel.locator(PICTURE).first.evaluate("image => image.naturalWidth > 0")


def turn(page, panel):
    """Turn the panel's first slider, or choose from its first menu; returns whether it answered."""
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
    menu.select_option(index=1)  # JupyterLab takes arrow keys for itself
    return changed(page, panel, before)
