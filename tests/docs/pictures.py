"""Takes the pictures of README.md anew, of a run of config.yaml in a folder of its own: ``make pictures``."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.config.loading import load_config
from pipeline.config.models import Config
from pipeline.operate.results import results_of
from scripts.console import aws_session
from scripts.local_runs import follow_to_the_end, publish_and_start, start_service
from scripts.report_page import draw_page, write_page
from studio.aws import Aws
from studio.server import Server

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# README.md shows 330 pixels of the report and 500 of Studio. What says little at that size is left out.
REPORT_WIDTH, STUDIO_WIDTH = 480, 1120
PIXELS = 1400
"""The width of a picture: sharp on any screen, and a small file."""
REPORT = """
body { padding: 1rem; font-size: 16px }
h1 { font-size: 1.5rem }
.numbers { gap: 2rem; margin: .4rem 0 0 }
.numbers dd { font-size: 1.15rem }
.numbers > :nth-child(n + 3), .id, .facts, .wide, figcaption, h2 { display: none }
section:first-of-type, section:nth-of-type(n + 4), figure:nth-of-type(n + 2) { display: none }
section { margin-top: 1.1rem }
"""
STUDIO = """
body { font: 24px sans-serif }
main { padding: .5rem 1rem }
section { border: 0; background: none; padding: 0; margin: 0 }
.crumbs, .facts, h2, section:not(:has(.graph)) { display: none }
.step .name, .step .detail, .label { font-size: 16.5px }
"""


def take_pictures(config: Config) -> None:
    service = start_service(Path(".local"), config.aws.region)
    session = aws_session(config)
    state = follow_to_the_end(session, publish_and_start(session, config))
    report = write_page(state, draw_page(session, state, results_of(session, state))).absolute()
    execution = f"/pipelines/{config.pipeline.name}/executions/{state.arn.rpartition('/')[2]}"
    with sync_playwright() as playwright, serving(Aws(session)) as studio:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = page_at(browser, report.as_uri(), REPORT_WIDTH)
        page.add_style_tag(content=REPORT)
        page.screenshot(path=IMAGES / "report.png", full_page=True)
        page = page_at(browser, studio.url, STUDIO_WIDTH)
        page.goto(studio.address + execution)
        page.add_style_tag(content=STUDIO)
        page.screenshot(path=IMAGES / "studio.png", full_page=True)
        browser.close()
    service.stop()


@contextmanager
def serving(aws: Aws) -> Iterator[Server]:
    with Server(aws, 0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


def page_at(browser: Browser, address: str, width: int) -> Page:
    """Show a page in light colours; it takes styles that its own rules would refuse."""
    page = browser.new_context(
        viewport={"width": width, "height": 400},
        device_scale_factor=min(2, PIXELS / width),
        color_scheme="light",
        bypass_csp=True,
    ).new_page()
    page.goto(address)
    return page


if __name__ == "__main__":
    os.chdir(ROOT)
    insurance = load_config(Path("config.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        take_pictures(insurance.with_input(str(ROOT / insurance.dataset.input)))
        os.chdir(ROOT)
