"""A person's way through the pages in a real browser: no error in the console, and nothing that axe-core objects to."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.local.interpreter.documents import ROLE, compare, condition, definition, fail, get, parameter, processing

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
]


@contextmanager
def window_at(url: str) -> Iterator[Page]:
    """A window that Studio knows. Its console has no error at the end."""
    complaints: list[str] = []
    # Chromium's own sandbox does not work for root, as in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(SECONDS)
        page.goto(url)
        yield page
        browser.close()
    assert complaints == []


@pytest.fixture(scope="module")
def window(studio) -> Iterator[Page]:
    with window_at(studio.url) as page:
        yield page


@pytest.fixture(scope="module")
def pipeline(pipelines) -> str:
    script = "import sys, time; print('waiting for', sys.argv[1]); time.sleep(float(sys.argv[1]))"
    wait = processing("Wait", "python3", "-c", script, get("Parameters.Seconds"))
    check = condition(
        "Check",
        compare("Equals", get("Parameters.Kind"), "b"),
        [processing("Last", "python3", "-c", "0")],
        [fail("No")],
        DependsOn=["Wait"],
    )
    pipelines.client.create_pipeline(
        PipelineName="watched",
        PipelineDescription="Waits. Parameters: Seconds: How long. | Kind: Which branch.",
        RoleArn=ROLE,
        PipelineDefinition=definition(
            wait,
            check,
            parameters=[parameter("Seconds", "String", "4"), parameter("Kind", "String", "a", ["a", "b"])],
        ),
    )
    return "watched"


def accessible(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()


def test_a_pipeline_is_started_from_its_form_and_watched_to_the_end(studio, window, pipelines, pipeline) -> None:
    window.goto(f"{studio.address}/")
    accessible(window)
    window.get_by_role("link", name="watched", exact=True).click()
    accessible(window)
    window.get_by_role("link", name="Start an execution").click()
    window.get_by_label("Seconds").fill("3.5")
    window.get_by_label("Kind").select_option("b")
    command = window.locator("#command pre")
    expect(command).to_contain_text('"Value": "3.5"')
    window.get_by_role("button", name="Copy the command").click()
    assert window.evaluate("navigator.clipboard.readText()") == command.text_content()
    accessible(window)
    window.get_by_role("button", name="Start", exact=True).click()

    expect(window.get_by_role("link", name=re.compile("^Wait, Processing, Executing"))).to_be_visible()
    status = window.get_by_role("heading", level=1).get_by_role("status")
    expect(status).to_have_text("Executing")
    window.evaluate("window.isStillTheSamePage = true")
    expect(status).not_to_have_text("Executing", timeout=SECONDS)
    expect(status).to_have_text("Succeeded")
    assert window.evaluate("window.isStillTheSamePage"), "nothing was loaded anew"
    expect(window.get_by_role("link", name=re.compile("^Last, Processing, Succeeded"))).to_be_visible()
    expect(window.get_by_role("link", name=re.compile("^No, Fail, Not run"))).to_be_visible()
    accessible(window)

    window.get_by_role("link", name=re.compile("^Wait, Processing")).click()
    expect(window.get_by_role("log")).to_contain_text("waiting for 3.5")
    accessible(window)
    window.get_by_role("link", name="Executions").click()
    expect(window.get_by_role("cell", name="3.5")).to_be_visible()
    accessible(window)


def test_a_running_execution_is_stopped_after_a_question(studio, window, pipelines, pipeline) -> None:
    arn = pipelines.start(pipeline, {"Seconds": "100"})
    pipelines.wait_for_step(arn, "Wait", "Executing")
    window.goto(f"{studio.address}/pipelines/{pipeline}/executions/{arn.rpartition('/')[2]}/steps/Wait")
    expect(window.get_by_role("log")).to_contain_text("waiting for 100")
    window.goto(f"{studio.address}/pipelines/{pipeline}/executions/{arn.rpartition('/')[2]}")
    # With the keyboard; the page changes meanwhile, and the question stays open.
    window.locator("summary", has_text="Stop").focus()
    window.keyboard.press("Enter")
    window.wait_for_timeout(1500)
    expect(window.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    accessible(window)
    window.keyboard.press("Tab")
    window.keyboard.press("Enter")
    assert pipelines.wait(arn).status == "Stopped"
    expect(window.get_by_role("heading", level=1).get_by_role("status")).to_have_text("Stopped")


def test_a_page_is_live_when_a_script_is_late(studio, window, pipelines, pipeline) -> None:
    def late(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    arn = pipelines.wait(pipelines.start(pipeline, {"Seconds": "0"})).arn
    window.route("**/hx-sse.min.js", late)
    window.goto(f"{studio.address}/pipelines/{pipeline}/executions/{arn.rpartition('/')[2]}/steps/Wait")
    expect(window.get_by_role("log")).to_contain_text("waiting for 0")
    window.unroute("**/hx-sse.min.js")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(studio, window, pipelines, pipeline, width) -> None:
    window.set_viewport_size({"width": width, "height": 800})
    arn = pipelines.wait(pipelines.start(pipeline, {"Seconds": "0"})).arn
    execution = f"/pipelines/{pipeline}/executions/{arn.rpartition('/')[2]}"
    for path in ("/", f"/pipelines/{pipeline}", f"/pipelines/{pipeline}/start", execution, f"{execution}/steps/Wait"):
        window.goto(studio.address + path)
        assert window.evaluate("document.documentElement.scrollWidth") <= width, path
        accessible(window)
