"""Links, anchors and the navigation of the documentation, without the generator of ``make docs``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import PAGES, ROOT, name_of, read

MENTIONING = [
    *ROOT.glob("*.yaml"),
    *ROOT.glob("infra/*.yaml"),
    ROOT / "Makefile",
    *(path for folder in ("local", "pipeline", "scripts", "steps", "studio") for path in (ROOT / folder).rglob("*.py")),
]


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names a function of Python."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def faults_of(target: str, page: Path) -> str:
    """Return what is wrong with a link on a page, or nothing."""
    place, _, anchor = target.partition("#")
    path = Path(os.path.normpath(page.parent / place)) if place else page
    if not path.is_file() or not path.is_relative_to(ROOT):
        return f"{name_of(page)}: {target}: there is no such file"
    if anchor and anchor not in read(path).anchors:
        return f"{name_of(page)}: {target}: there is no such heading"
    return ""


def shown(navigation: Any) -> list[str]:
    """Return the pages in the navigation, in its order."""
    if isinstance(navigation, str):
        return [navigation]
    items = navigation.values() if isinstance(navigation, dict) else navigation
    return [page for item in items for page in shown(item)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page) -> None:
    inside = [link for link in read(page).links if not link.startswith(("https://", "http://", "mailto:"))]
    assert [fault for link in inside if (fault := faults_of(link, page))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_heading_stands_twice(page) -> None:
    anchors = [] if page.name == "CHANGELOG.md" else read(page).anchors  # each version has its additions
    assert [anchor for anchor in anchors if re.search(r"-\d+$", anchor) and anchor.rpartition("-")[0] in anchors] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lists_mean_the_same_on_github_and_in_the_site(page) -> None:
    """GitHub takes two spaces for a block inside an item; Python-Markdown wants four, and a blank line after it."""
    outside_code = re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"\n\n {1,3}\S.*|\n {1,3}(?:[*-]|\d+\.) .*", outside_code) == []
    assert re.findall(r"\n\n {4}\S.*(?:\n {4}.*)*\n(?:[*-]|\d+\.) .*", outside_code) == []


def test_the_readme_in_spanish_links_to_the_same_pages() -> None:
    english, spanish = (
        [link for link in read(ROOT / name).links if not link.startswith(("#", "README"))]
        for name in ("README.md", "README.es.md")
    )
    assert "docs/tutorial.md" in english
    assert english == spanish


def test_the_navigation_of_the_site_has_every_page_once() -> None:
    navigation = yaml.load((ROOT / "mkdocs.yml").read_text(), _Loader)["nav"]
    assert sorted(shown(navigation)) == sorted(map(name_of, PAGES))


def test_the_index_links_to_every_page() -> None:
    index = ROOT / "docs/README.md"
    linked = {os.path.normpath(index.parent / link.partition("#")[0]) for link in read(index).links}
    assert [
        name_of(page) for page in PAGES if str(page) not in linked | {str(index)} and page.parent.name != "decisions"
    ] == []


def test_pages_that_the_code_mentions_are_there() -> None:
    mentions = {
        (path, name) for path in MENTIONING for name in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8"))
    }
    assert len(mentions) > 10
    assert [f"{path}: {name}" for path, name in mentions if not (ROOT / name).is_file()] == []
