"""Conversion of arrays."""

from __future__ import annotations

from typing import Any

from model_server.formats import FLASK_DECODERS, FLASK_ENCODERS, array_to_json, array_to_npy, convert
from model_server.formats import flask_array_to_csv as array_to_csv
from model_server.formats import flask_csv_to_array as csv_to_numpy
from model_server.formats import json_to_array as json_to_numpy
from model_server.formats import npy_to_array as npy_to_numpy

__all__ = [
    "array_to_csv",
    "array_to_json",
    "array_to_npy",
    "csv_to_numpy",
    "decode",
    "encode",
    "json_to_numpy",
    "npy_to_numpy",
]


def decode(obj: Any, content_type: str) -> Any:
    """Return the array of a body."""
    return convert(FLASK_DECODERS, obj, content_type)


def encode(array_like: Any, content_type: str) -> Any:
    """Return an array as a body."""
    return convert(FLASK_ENCODERS, array_like, content_type)
