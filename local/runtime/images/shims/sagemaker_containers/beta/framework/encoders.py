"""Imitates ``encoders``: between NumPy's arrays and NPY, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .content_types import CSV, JSON, NPY
from .errors import ClientError, UnsupportedFormatError


def array_to_npy(array_like: Any) -> bytes:
    """Return an array in NPY format."""
    content = io.BytesIO()
    np.save(content, array_like)
    return content.getvalue()


def npy_to_numpy(npy_array: bytes) -> Any:
    """Return the array of NPY content."""
    return np.load(io.BytesIO(npy_array), allow_pickle=True)


def array_to_json(array_like: Any) -> str:
    """Return an array, or what holds arrays, as JSON."""
    return json.dumps(array_like, default=lambda value: value.tolist())


def json_to_numpy(string_like: str, dtype: Any = None) -> Any:
    """Return the array of JSON text."""
    return np.array(json.loads(string_like), dtype=dtype)


def csv_to_numpy(string_like: str, dtype: Any = None) -> Any:
    """Return the array of CSV text: of text, if not every value is a number."""
    try:
        array = np.array(list(csv.reader(io.StringIO(string_like), strict=True))).squeeze()
    except (csv.Error, ValueError) as error:
        raise ClientError(f"Error while decoding csv: {error}") from None
    try:
        return array.astype(dtype)
    except ValueError as error:
        if dtype is not None:
            raise ClientError(f"Error while writing numpy array: {error}. dtype is: {dtype}") from None
        return array


def array_to_csv(array_like: Any) -> str:
    """Return an array as CSV: one row a line, or one value a line of an array of one dimension."""
    array = np.array(array_like)
    rows = array.reshape(-1, 1) if array.ndim == 1 else array
    content = io.StringIO()
    csv.writer(content, lineterminator="\n", strict=True).writerows(rows)
    return content.getvalue()


_ENCODERS: Mapping[str, Callable[..., Any]] = {NPY: array_to_npy, CSV: array_to_csv, JSON: array_to_json}
_DECODERS: Mapping[str, Callable[..., Any]] = {NPY: npy_to_numpy, CSV: csv_to_numpy, JSON: json_to_numpy}


def decode(obj: Any, content_type: str) -> Any:
    """Return the array of a request's body."""
    if content_type not in _DECODERS:
        raise UnsupportedFormatError(content_type)
    return _DECODERS[content_type](obj)


def encode(array_like: Any, content_type: str) -> Any:
    """Return an array as the body of a response."""
    if content_type not in _ENCODERS:
        raise UnsupportedFormatError(content_type)
    return _ENCODERS[content_type](array_like)
