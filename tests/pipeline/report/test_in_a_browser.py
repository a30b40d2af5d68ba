"""A browser shows the page without a complaint, and prints it on two sheets, that of classes on three at most."""

from __future__ import annotations

import re

import pytest

from pipeline.report.page import rendered
from tests.pipeline.report.browser import CHROMIUM, show
from tests.pipeline.report.made import make_evidence
from tests.pipeline.report.made_classes import make_class_evidence

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
]


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(rendered(make_evidence(rows=1000, folds=5)), "utf-8")
    return path


def test_the_console_stays_empty(page, tmp_path) -> None:
    assert "CONSOLE" not in show(page, f"--screenshot={tmp_path / 'page.png'}")
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("</main>", '<img src="https://example.com/a.png"></main>'))
    assert "CONSOLE" in show(broken, f"--screenshot={tmp_path / 'broken.png'}")


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_the_page_of_classes_is_shown_and_printed(classes, tmp_path) -> None:
    path, printed = tmp_path / "report.html", tmp_path / "page.pdf"
    path.write_text(rendered(make_class_evidence(classes, rows=1000)), "utf-8")
    assert "CONSOLE" not in show(path, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    assert len(re.findall(rb"/Type */Page\b", printed.read_bytes())) <= 3


def test_it_is_printed_on_two_sheets(page, tmp_path) -> None:
    printed = tmp_path / "page.pdf"
    show(page, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    assert len(re.findall(rb"/Type */Page\b", printed.read_bytes())) == 2
