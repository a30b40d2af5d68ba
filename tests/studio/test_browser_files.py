"""A person's way from executions to their comparison, results and files in a real browser."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.studio.test_browser import accessible, pytestmark, window
from tests.studio.test_results import BEST, execute, name

__all__ = ["execute", "name", "pytestmark", "window"]


def fits(page: Page) -> None:
    """Check a page for everybody, and that it is not wider than a screen."""
    accessible(page)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_executions_are_compared_and_their_files_found(studio, window, service, execute, name) -> None:
    first, second = execute(BEST), execute(BEST, MaxMse="6.5")
    window.goto(f"{studio.address}/pipelines/{name}/executions")
    window.get_by_role("link", name="Compare").click()
    for each in (first, second):
        window.get_by_role("checkbox", name=each).check()
    fits(window)
    window.get_by_role("button", name="Compare").click()
    expect(window.get_by_role("row", name=re.compile("^MaxMse"))).to_contain_text("differs")
    expect(window.get_by_role("row", name=re.compile("^Estimated MSE"))).to_contain_text("same")
    fits(window)
    window.get_by_role("link", name=f"Results of {first}").click()
    expect(window.get_by_role("heading", level=1)).to_contain_text(first)
    fits(window)
    window.get_by_role("link", name="The step SelectBest").click()
    window.get_by_role("link", name=re.compile(r"results-\d+.best$")).first.click()
    fits(window)
    window.get_by_role("link", name="best.json", exact=True).click()
    expect(window.get_by_label("preview", exact=True)).to_contain_text('"rule": "lowest_mse"')
    fits(window)


@pytest.mark.parametrize("key", ["a b/x+y & 1%2F#.csv", "ä漢😀.csv"])
def test_a_table_is_shown_and_downloaded_under_its_name(studio, window, service, key) -> None:
    s3 = service.client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="tables")
    s3.put_object(Bucket="tables", Key=key, Body=b"name,note\nx,<i>y</i>\n")
    window.goto(f"{studio.address}/files")
    window.get_by_label("S3 URI").fill(f"s3://tables/{key}")
    window.get_by_role("button", name="Open").click()
    expect(window.get_by_role("cell", name="<i>y</i>")).to_be_visible()
    fits(window)
    with window.expect_download() as started:
        window.get_by_role("link", name="Download").click()
    assert started.value.suggested_filename == key.rpartition("/")[2]
    assert Path(started.value.path()).read_bytes() == b"name,note\nx,<i>y</i>\n"
