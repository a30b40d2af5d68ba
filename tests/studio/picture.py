"""Takes the picture of the documentation, of an execution in a running Studio:

.venv/bin/python tests/studio/picture.py '<address that make studio prints>' <path of the page> docs/images/studio.png
"""

from __future__ import annotations

import shutil
import sys
from urllib.parse import urljoin

from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main(address: str, path: str, picture: str) -> None:
    """Take the picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": 1280, "height": 1000})
        window.goto(address)
        window.goto(urljoin(address, path))
        window.wait_for_selector("svg")
        window.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
