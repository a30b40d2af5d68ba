"""Imitates ``encoder``: from requests to XGBoost's matrices."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xgboost as xgb
from sagemaker_containers.beta.framework.errors import UnsupportedFormatError


def csv_to_dmatrix(input: str | bytes, dtype: Any = None) -> xgb.DMatrix:
    """Return the matrix of CSV text without labels. An empty value is missing; the delimiter is guessed."""
    text = input.decode() if isinstance(input, bytes) else input
    guess = csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter
    delimiter = "," if guess.isalnum() else guess
    rows = [[value or "nan" for value in line.split(delimiter)] for line in text.split("\n")]
    return xgb.DMatrix(np.array(rows).astype(dtype))


def libsvm_to_dmatrix(string_like: str | bytes) -> xgb.DMatrix:
    """Return the matrix of LIBSVM text. Indices count from one, unless one of them is zero."""
    text = string_like if isinstance(string_like, str) else bytes(string_like).decode()
    rows = [
        {int(index): float(value) for index, _, value in (part.partition(":") for part in line.split() if ":" in part)}
        for line in text.strip().split("\n")
    ]
    indices = [index for row in rows for index in row]
    if not indices:
        return xgb.DMatrix(np.empty((0, 0)))
    first = min([1, *indices])
    data = np.zeros((len(rows), max(indices) - first + 1))
    for number, row in enumerate(rows):
        for index, value in row.items():
            data[number, index - first] = value
    return xgb.DMatrix(data)


def json_to_jsonlines(json_data: Any) -> bytes:
    """Return JSON Lines for a JSON object with one list."""
    found = json_data if isinstance(json_data, dict) else json.loads(json_data)
    if len(found) != 1:
        raise ValueError("JSON response is not compatible for conversion to jsonlines.")
    return "".join(f"{json.dumps(entry)}\n" for value in found.values() for entry in value).encode()


_DECODERS: Mapping[str, Callable[..., xgb.DMatrix]] = {
    "text/csv": csv_to_dmatrix,
    "text/libsvm": libsvm_to_dmatrix,
    "text/x-libsvm": libsvm_to_dmatrix,
}


def decode(obj: Any, content_type: str) -> xgb.DMatrix:
    """Return the matrix of a request's body. The local service does not imitate RecordIO here."""
    kind = content_type.partition(";")[0].strip()
    if kind not in _DECODERS:
        raise UnsupportedFormatError(kind)
    return _DECODERS[kind](obj)
