"""A person approves a version and tries its endpoint in a real browser; nothing that axe-core objects to."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.scripts.test_operation import NAME
from tests.studio.accounts import RECORD, WEIGHTS, models_and_browser
from tests.studio.test_browser import SECONDS, accessible, pytestmark, window_at

__all__ = ["pytestmark"]


def test_a_version_is_approved_and_its_endpoint_tried(tmp_path: Path) -> None:
    with models_and_browser(tmp_path) as (models, browser), window_at(browser.server.url) as window:
        models.record(WEIGHTS, RECORD, approval="PendingManualApproval")
        window.set_viewport_size({"width": 390, "height": 800})

        def fits() -> None:
            window.wait_for_load_state()
            assert window.evaluate("document.documentElement.scrollWidth") <= 390, window.url
            accessible(window)

        window.get_by_role("link", name="Registry").click()
        fits()
        window.get_by_role("link", name=NAME).click()
        fits()
        window.get_by_role("link", name="1", exact=True).click()
        for title in ("Reject", "Approve"):
            window.locator("summary", has_text=title).click()
            fits()
        expect(window.get_by_role("button", name="Reject", exact=True)).to_be_hidden()
        window.get_by_label("Comment").locator("visible=true").fill("good")
        window.get_by_role("button", name="Approve", exact=True).click()
        expect(window.get_by_text(f"{NAME} serves this version.")).to_be_visible(timeout=SECONDS)
        fits()

        window.get_by_role("link", name="Show the endpoint").click()
        fits()
        window.get_by_role("link", name="Try it").click()
        fits()
        window.get_by_label("day").fill("02.01.2026")
        window.get_by_label("sex").select_option("m")
        window.get_by_label("place").fill("elsewhere")
        window.get_by_role("button", name="Predict").first.click()
        expect(window.locator(".score")).to_contain_text("charges")
        fits()
