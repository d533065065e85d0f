"""A browser, and a folder for its screenshots."""

import os
from pathlib import Path

import pytest
import served


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Where screenshots go: MEDLEARN_SCREENSHOTS, or a temporary folder."""
    folder = Path(os.environ.get("MEDLEARN_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=served.CHROMIUM, headless=True, args=served.QUIET
        )
        yield browser
        browser.close()
