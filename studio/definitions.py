"""Reads a pipeline definition: steps, what they wait for, parameters and their descriptions."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from definition_language.documents import all_steps, branches, own_arguments, type_of
from definition_language.expressions import readable_references
from studio.text import pretty

Document = dict[str, Any]


@dataclass(frozen=True)
class Edge:
    """An arrow between two steps.

    Attributes:
        source: the step that comes first.
        target: the step that waits for it.
        label: ``if`` or ``else`` for the way into a condition's branch; otherwise empty.
    """

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a pipeline.

    Attributes:
        name: its name.
        type: String, Integer, Float or Boolean.
        default: its default as text; None if it must be given.
        choices: the values that it may have; empty if any.
        description: what the pipeline's description says of it, if anything.
        used_by: the names of the steps that read it.
    """

    name: str
    type: str
    default: str | None
    choices: tuple[str, ...]
    description: str
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """A pipeline definition.

    Attributes:
        document: its JSON.
        steps: all steps by name, with those in branches.
        edges: the arrows, without those that follow from others.
    """

    document: Document
    steps: dict[str, Document]
    edges: tuple[Edge, ...]

    def parameters(self, description: str = "") -> list[Parameter]:
        """Return the parameters.

        Args:
            description: the pipeline's description, which may describe parameters as ``Name: text | Name: text``.
        """
        readers = {name: _parameters_read(step) for name, step in self.steps.items()}
        described = _descriptions(description)
        return [
            Parameter(
                name=each["Name"],
                type=type_of(each),
                default=None if "DefaultValue" not in each else parameter_text(each["DefaultValue"]),
                choices=tuple(parameter_text(value) for value in each.get("EnumValues") or ()),
                description=each.get("Description") or described.get(each["Name"], ""),
                used_by=tuple(name for name, read in readers.items() if each["Name"] in read),
            )
            for each in self.document.get("Parameters") or []
        ]


@lru_cache(maxsize=256)
def read_definition(text: str) -> Definition:
    """Return the definition of a JSON text."""
    document = json.loads(text)
    steps = {step["Name"]: step for step in all_steps(document)}
    return Definition(document, steps, tuple(_without_shortcuts(list(_edges(steps)))))


def parameter_text(value: Any) -> str:
    """Return a parameter's value as AWS takes it: a text."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def changes(old: str, new: str) -> list[str]:
    """Return the lines of a comparison of two definitions: a line starts with ``+``, ``-``, ``@`` or a space."""
    before, after = (pretty(json.loads(text)).splitlines() for text in (old, new))
    return list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]


def _parameters_read(step: Document) -> set[str]:
    found = readable_references(own_arguments(step))
    return {each.name for each in found if each.root == "Parameters"}


def _descriptions(text: str) -> dict[str, str]:
    described = text.partition("Parameters: ")[2]
    pairs = (part.partition(": ") for part in described.split(" | "))
    return {name: rest for name, _, rest in pairs if re.fullmatch(r"[A-Za-z0-9\-_]+", name)}


def _edges(steps: dict[str, Document]) -> Iterator[Edge]:
    before = {name: sorted(_waits_for(step) & steps.keys() - {name}) for name, step in steps.items()}
    for name, others in before.items():
        yield from (Edge(other, name) for other in others)
    for name, step in steps.items():
        for label, branch in zip(("if", "else"), branches(step), strict=False):
            inside = {each["Name"] for each in all_steps({"Steps": branch})}
            first = (each["Name"] for each in branch if inside.isdisjoint(before[each["Name"]]))
            yield from (Edge(name, each, label) for each in first)


def _waits_for(step: Document) -> set[str]:
    read = {each.name for each in readable_references(own_arguments(step)) if each.root == "Steps"}
    return read.union(step.get("DependsOn") or [])


def _without_shortcuts(edges: list[Edge]) -> Iterator[Edge]:
    """Yield the arrows except those to a step that other arrows lead to anyway."""
    after: dict[str, set[str]] = {}
    for edge in edges:
        after.setdefault(edge.source, set()).add(edge.target)
    reached: dict[str, set[str]] = {}

    def beyond(name: str, way: tuple[str, ...] = ()) -> set[str]:
        if name not in reached and name not in way:
            nexts = after.get(name, set())
            reached[name] = nexts.union(*(beyond(each, (*way, name)) for each in nexts))
        return reached.get(name, set())

    for edge in edges:
        others = after[edge.source] - {edge.target}
        if edge.label or not any(edge.target in beyond(each) for each in others):
            yield edge
