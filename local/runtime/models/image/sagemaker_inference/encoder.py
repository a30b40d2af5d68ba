"""Conversion of arrays to bodies."""

from __future__ import annotations

from typing import Any

from model_server.formats import CSV, JSON, NPY, TOOLKIT_ENCODERS, convert

SUPPORTED_CONTENT_TYPES = {JSON, CSV, NPY}


def encode(array_like: Any, content_type: str) -> Any:
    """Return an array as a body."""
    return convert(TOOLKIT_ENCODERS, array_like, content_type)
