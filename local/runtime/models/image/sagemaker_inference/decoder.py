"""Conversion of bodies to arrays."""

from __future__ import annotations

from typing import Any

from model_server.formats import TOOLKIT_DECODERS, convert


def decode(obj: Any, content_type: str) -> Any:
    """Return the array of a body."""
    return convert(TOOLKIT_DECODERS, obj, content_type)
