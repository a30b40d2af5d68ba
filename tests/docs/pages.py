"""The pages of the documentation, as GitHub shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "data/*.md", "examples/*.md") for path in ROOT.glob(pattern)
)


@dataclass(frozen=True)
class Page:
    """What a page refers to, and what can be referred to.

    Attributes:
        links: the targets of its links and pictures, as they are written.
        anchors: the anchors of its headings, as GitHub makes them.
    """

    links: list[str]
    anchors: list[str]


@cache
def tokens_of(path: Path) -> list[Token]:
    """Return what a page consists of."""
    return MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))


@cache
def read(path: Path) -> Page:
    """Return a page's links and anchors."""
    tokens = tokens_of(path)
    headings = [tokens[place + 1] for place, token in enumerate(tokens) if token.type == "heading_open"]
    return Page([link for token in tokens for link in _links(token)], _anchors(headings))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _links(token: Token) -> list[str]:
    """Return the targets in a block; pictures that have a width are HTML."""
    attributes = [child.attrs.get("href") or child.attrs.get("src") for child in token.children or ()]
    html = token.content if token.type == "html_block" else ""
    return [unquote(str(target)) for target in attributes if target] + re.findall(r'(?:src|href)="([^"]+)"', html)


def _anchors(headings: list[Token]) -> list[str]:
    """https://docs.github.com/en/get-started/writing-on-github: letters, digits, - and _; repeated ones are counted."""
    seen: dict[str, int] = {}
    anchors = []
    for heading in headings:
        text = "".join(child.content for child in heading.children or () if child.type in ("text", "code_inline"))
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        anchors.append(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
    return anchors
