"""The model container's responses to requests, for endpoints and batch transform.

Source: Amazon SageMaker developer guide, "Linear learner response formats" and "Common data formats for
inference". The error texts come from public bug reports.
"""

import json
import re
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from local.algorithms.csv_rows import CsvError, first_width, parse_csv
from local.algorithms.errors import InferenceError
from local.algorithms.linear_learner import artifact, links
from local.algorithms.recordio import RecordIOError, decode_features, encode_predictions, encode_scores
from local.algorithms.sparse_rows import Keys, SparseRows, Vector

Array = npt.NDArray[np.float64]

_BRACKETS = 8
_BYTES_PER_BRACKET = 8
"""A body with more brackets than one in 8 bytes is refused. The shortest instance, ``{"features":[1]},``, has two
brackets in 17 bytes."""

MAXIMUM_BODY_BYTES = 6_291_456
_UNDECODABLE = "unable to evaluate payload provided"
_JSON, _JSON_LINES, _RECORDIO = "application/json", "application/jsonlines", "application/x-recordio-protobuf"


class Model:
    """A linear model that responds to requests. It has no state, so threads can share it."""

    def __init__(self, parameters: artifact.Parameters) -> None:
        self._weights = parameters.weights
        self._bias = parameters.bias
        self._output = parameters.output
        self._threshold = parameters.threshold
        self._features = parameters.weights.shape[-1]

    @classmethod
    def load(cls, model_tar_gz: Path) -> "Model":
        """Load an artifact that was made here or by SageMaker.

        Raises:
            ValueError: The file is not the artifact of a linear-learner model.
        """
        return cls(artifact.read(model_tar_gz))

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Respond to one request.

        Args:
            body: One or more rows of features, in raw units.
            content_type: text/csv (with ``label_size=n``, the first n columns are ignored),
                application/json, application/jsonlines or application/x-recordio-protobuf.
            accept: application/json (the default, also for ``*/*``), application/jsonlines or
                application/x-recordio-protobuf.

        Returns:
            The response's body and content type.

        Raises:
            InferenceError: The request is invalid; the error has the container's status and message.
        """
        if len(body) > MAXIMUM_BODY_BYTES:
            raise InferenceError(413, f"payload of {len(body)} bytes is over the limit of {MAXIMUM_BODY_BYTES}")
        response_type = _response_type(accept)
        scores = links.scores_of(self._output, self._sums(self._decode(body, content_type)))
        if not np.isfinite(scores).all():
            raise _undecodable("a prediction does not fit float32")
        if self._output == links.IDENTITY:
            return _ENCODERS[response_type](scores.tolist()), response_type
        if self._threshold is None:
            labels = scores.argmax(axis=1).tolist()
        else:
            labels = (scores >= self._threshold).astype(np.int_).tolist()
        return _encode_classes(response_type, scores.tolist(), labels), response_type

    def _sums(self, rows: Array | SparseRows) -> Array:
        """Return the weighted sums with the bias, of shape (rows,), or (rows, classes) of a multiclass classifier."""
        # In double precision, so that a row's score does not depend on the other rows of the request.
        if isinstance(rows, SparseRows):
            columns = [rows.dot(weights) for weights in np.atleast_2d(self._weights)]
            sums = np.stack(columns, axis=-1) if self._weights.ndim > 1 else columns[0]
        else:
            sums = np.einsum("ij,j->i" if self._weights.ndim == 1 else "ij,kj->ik", rows, self._weights)
        sums += self._bias
        return sums

    def _decode(self, body: bytes, content_type: str) -> Array | SparseRows:
        media_type, _, parameters = content_type.lower().partition(";")
        media_type = media_type.strip()
        if not body:
            raise _undecodable("the body is empty")
        if media_type == "text/csv":
            return self._decode_csv(body, parameters)
        if media_type == _JSON:
            return self._decode_json(body)
        if media_type in (_JSON_LINES, "application/x-jsonlines"):
            return self._rows([_load_json(line) for line in body.splitlines() if line.strip()], body)
        if media_type == _RECORDIO:
            return self._decode_recordio(body)
        raise InferenceError(
            415,
            f"content type '{content_type}' is not supported: use text/csv, {_JSON}, {_JSON_LINES} or {_RECORDIO}",
        )

    def _decode_csv(self, body: bytes, parameters: str) -> Array:
        labels = _label_size(parameters)
        width = first_width(body)
        if width not in (0, self._features + labels):
            raise self._wrong_dimension(width - labels)
        try:
            return parse_csv(body, self._features + labels)[:, labels:]
        except CsvError as error:
            raise _undecodable(str(error)) from error

    def _decode_json(self, body: bytes) -> Array | SparseRows:
        document = _load_json(body)
        instances = document.get("instances") if isinstance(document, dict) else None
        if not isinstance(instances, list):
            raise _undecodable("the body has no list 'instances'")
        return self._rows(instances, body)

    def _rows(self, instances: list[Any], body: bytes) -> Array | SparseRows:
        """Return the rows of instances, which have three documented forms."""
        if not instances:
            raise _undecodable("the body has no instances")
        parsed = [self._features_of(instance, number) for number, instance in enumerate(instances, 1)]
        for keys, values in parsed:
            if keys is None and len(values) != self._features:
                raise self._wrong_dimension(len(values))
        rows = [values for _, values in parsed]
        # The conversion to numbers accepts true as 1. Checking every value is slow; searching the body is fast.
        may_have_booleans = b"true" in body or b"false" in body
        numbers = None if may_have_booleans and _first_invalid_row(rows) else _numbers(rows)
        if numbers is None:
            raise _undecodable(f"instance {_first_invalid_row(rows)} has a value that is not a finite number")
        if all(keys is None for keys, _ in parsed):
            return numbers.reshape(len(rows), self._features)
        ends = np.cumsum([len(row) for row in rows])[:-1]
        parts = np.split(numbers, ends)
        return SparseRows(
            [Vector(keys, values, self._features) for (keys, _), values in zip(parsed, parts, strict=True)]
        )

    def _features_of(self, instance: Any, number: int) -> tuple[Keys | None, list[Any]]:
        """Return the keys and values of an instance. The keys are None if the instance is dense."""
        try:
            features = instance["features"] if "features" in instance else instance["data"]["features"]
            if isinstance(features, dict):
                if features.get("keys"):
                    return self._sparse(features)
                features = features["values"]
            if isinstance(features, list):
                return None, features
        except (KeyError, TypeError, IndexError, ValueError, OverflowError):
            pass
        raise _undecodable(
            f"instance {number} is not {{'features': [...]}} or {{'data': {{'features': {{'values': [...]}}}}}}, "
            "and has no valid 'keys' and 'shape'"
        )

    def _sparse(self, features: dict[str, Any]) -> tuple[Keys, list[Any]]:
        keys, values, shape = features["keys"], features["values"], features.get("shape") or [self._features]
        if shape != [self._features]:
            raise self._wrong_dimension(int(shape[0]))
        if not isinstance(values, list) or len(keys) != len(values):
            raise ValueError("keys and values differ in number")
        if not all(type(key) is int and 0 <= key < self._features for key in keys):
            raise IndexError("a key is not the index of a feature")
        return np.array(keys, dtype=np.int64), values

    def _decode_recordio(self, body: bytes) -> Array | SparseRows:
        try:
            rows = decode_features(body, self._features)
        except RecordIOError as error:
            raise _undecodable(str(error)) from error
        if rows.shape[1] != self._features:
            raise self._wrong_dimension(rows.shape[1])
        if not (rows.all_finite() if isinstance(rows, SparseRows) else np.isfinite(rows).all()):
            raise _undecodable("a record has a number that is not finite")
        return rows

    def _wrong_dimension(self, found: int) -> InferenceError:
        return _undecodable(
            f"Customer Error: The feature dimension of the input: {found} does not match the feature dimension "
            f"of the model: {self._features}. Please fix the input and try again."
        )


def _undecodable(reason: str) -> InferenceError:
    """Return the error for a request that cannot be decoded.

    SageMaker sends only the fixed text, and writes the reason to the endpoint's log. Here the caller sees both.
    """
    return InferenceError(400, f"{_UNDECODABLE}: {reason}")


def _load_json(text: bytes) -> Any:
    # Limits memory: Python needs 56 bytes for an empty list, so a body of only brackets would take a hundred times
    # its size.
    if text.count(b"[") + text.count(b"{") > _BRACKETS + len(text) // _BYTES_PER_BRACKET:
        raise _undecodable("the body has too many lists and objects for instances of numbers")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _undecodable(f"the body is not JSON: {error}") from error


def _numbers(rows: list[list[Any]]) -> Array | None:
    """Return all rows' values as one array, or None if a value is not a finite number."""
    values = array("d")
    try:
        for row in rows:
            values.fromlist(row)
    except (TypeError, OverflowError):
        return None
    numbers = np.frombuffer(values)
    return numbers if np.isfinite(numbers).all() else None


def _first_invalid_row(rows: list[list[Any]]) -> int | None:
    """Return the first row, counted from 1, with a value that is not a finite number."""
    for number, row in enumerate(rows, 1):
        if any(isinstance(value, bool) for value in row) or _numbers([row]) is None:
            return number
    return None


def _label_size(parameters: str) -> int:
    """Return the number of CSV columns before the features."""
    name, _, value = parameters.strip().partition("=")
    if name != "label_size":
        return 0
    if not re.fullmatch("[0-9]{1,9}", value):
        raise _undecodable(f"label_size={value} is not a number of columns")
    return int(value)


def _response_type(accept: str) -> str:
    media_type = accept.partition(";")[0].strip().lower()
    if media_type in ("", "*/*", _JSON):
        return _JSON
    if media_type in (_JSON_LINES, "application/x-jsonlines"):
        return _JSON_LINES
    if media_type == _RECORDIO:
        return _RECORDIO
    raise InferenceError(415, f"accept '{accept}' is not supported: use {_JSON}, {_JSON_LINES} or {_RECORDIO}")


def encode_json(scores: list[float]) -> bytes:
    """Return the same bytes as ``json.dumps`` with its default separators."""
    return b'{"predictions": [{"score": %b}]}' % _joined(scores, b'}, {"score": ')


def _encode_json_lines(scores: list[float]) -> bytes:
    return b'{"score": %b}\n' % _joined(scores, b'}\n{"score": ')


def _joined(scores: list[float], separator: bytes) -> bytes:
    """Return the numbers as Python prints them, joined by a separator.

    orjson is faster than Python, and prints only numbers with an exponent differently.
    """
    text = orjson.dumps(scores)
    if b"e" in text or b"0.0000" in text:
        return separator.join(repr(score).encode() for score in scores)
    return text[1:-1].replace(b",", separator)


_ENCODERS: dict[str, Callable[[list[float]], bytes]] = {
    _JSON: encode_json,
    _JSON_LINES: _encode_json_lines,
    _RECORDIO: encode_scores,
}


def _encode_classes(response_type: str, scores: Sequence[Any], labels: Sequence[int]) -> bytes:
    """Return a classifier's predictions. A score is a number, or a list with a number per class."""
    if response_type == _RECORDIO:
        return encode_predictions([score if isinstance(score, list) else [score] for score in scores], labels)
    predictions = [{"score": score, "predicted_label": label} for score, label in zip(scores, labels, strict=True)]
    if response_type == _JSON_LINES:
        return b"".join(json.dumps(prediction).encode() + b"\n" for prediction in predictions)
    return json.dumps({"predictions": predictions}).encode()
