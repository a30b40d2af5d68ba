"""Paths into JSON: of step properties (``Outputs['folds'].S3Output``) and of property files (JSONPath)."""

from __future__ import annotations

import re
from typing import Any

Token = str | int
"""A member's or item's name, or an item's position."""

_TOKEN = re.compile(
    r"""
    \.(?P<name>[^.\[\]'"\s*?@$()]+)       # a member:  .value
    | \[\s*(?P<index>[0-9]{1,18})\s*\]     # a position:  [0]
    | \[\s*'(?P<single>[^']*)'\s*\]        # a quoted name:  ['validation:mse']
    | \[\s*"(?P<double>[^"]*)"\s*\]
    """,
    re.VERBOSE,
)

_NAMING_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "Name", "VariantName")
"""Members that SageMaker uses to select the items of a list in a step's properties."""


class PathError(ValueError):
    """A path is malformed, or does not exist in a value."""


def parse_path(text: str) -> tuple[Token, ...]:
    """Parse a path.

    A JSONPath's leading ``$`` may be there. Wildcards, filters, slices and ``..`` are refused: a path has to
    lead to one value.

    Raises:
        PathError: the text is not such a path.
    """
    body = text[1:].removeprefix(".") if text.startswith("$") else text
    if not body.startswith("["):
        body = f".{body}"
    position = 0
    tokens: list[Token] = []
    while position < len(body):
        match = _TOKEN.match(body, position)
        if match is None:
            raise PathError(f"{text!r} is not a path to one value: cannot read {body[position:]!r}")
        tokens.append(_token(match))
        position = match.end()
    return tuple(tokens)


def follow(value: Any, path: tuple[Token, ...], *, named_items: bool = True) -> Any:
    """Return the value at a path.

    A name leads to an object's member or, in a list, to the item of that name: SageMaker addresses processing
    outputs by OutputName and final metrics by MetricName though Describe operations answer with lists.

    Args:
        value: JSON.
        path: names and positions, from the outside in.
        named_items: whether a name may lead to a list's item, as in a step's properties.

    Raises:
        PathError: the path does not exist; the message names the part that is missing.
    """
    for depth, token in enumerate(path):
        found, value = _child(value, token, named_items)
        if not found:
            raise PathError(f"there is no {show(path[: depth + 1])}")
    return value


def show(path: tuple[Token, ...]) -> str:
    """Return the path as text, with dots where the names allow it."""
    shown = ""
    for token in path:
        if isinstance(token, int):
            shown += f"[{token}]"
        elif re.fullmatch(r"\w+", token):
            shown += f".{token}" if shown else token
        else:
            shown += f"['{token}']"
    return shown


def _token(match: re.Match[str]) -> Token:
    if match.group("index") is not None:
        return int(match.group("index"))
    return next(match.group(kind) for kind in ("name", "single", "double") if match.group(kind) is not None)


def _child(value: Any, token: Token, named_items: bool) -> tuple[bool, Any]:
    if isinstance(value, dict):
        return str(token) in value, value.get(str(token))
    if isinstance(value, list):
        if isinstance(token, int):
            return token < len(value), value[token] if token < len(value) else None
        for item in value if named_items else ():
            if isinstance(item, dict) and token in [item.get(member) for member in _NAMING_MEMBERS]:
                return True, item
    return False, None
