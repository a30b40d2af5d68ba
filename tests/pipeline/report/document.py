"""Reads the page as a browser does, but strictly: each element is closed where HTML says so."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "hr"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Return the elements of a name inside, in order."""
        own = [self] if self.name == name else []
        return [*own, *(found for child in self.children for found in child.all(name))]

    @property
    def text(self) -> str:
        return " ".join(" ".join([*self.texts, *(child.text for child in self.children)]).split())


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attrs) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data) -> None:
        self.open[-1].texts.append(data)


def read(page: str) -> Element:
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].name}> is not closed"
    return parser.open[0]


def figures(page: Element) -> dict[str, Element]:
    """Return the figures by their titles."""
    return {figure.all("h3")[0].text: figure for figure in page.all("figure")}


def tables(figure: Element) -> list[list[dict[str, str]]]:
    """Return the CSV files that can be downloaded from a figure."""
    found = []
    for link in figure.all("a"):
        assert link.attributes["download"].endswith(".csv")
        kind, _, content = link.attributes["href"].partition(";base64,")
        assert kind == "data:text/csv"
        found.append(list(csv.DictReader(io.StringIO(base64.b64decode(content).decode()))))
    return found
