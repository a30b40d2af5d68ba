"""The model container's answer to a request: endpoints and batch transform both use it.

Source: Amazon SageMaker developer guide, "Linear learner response formats" and "Common data formats for
inference"; the texts of errors are those of public reports.
"""

import re
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from local.algorithms.linear_learner import artifact
from local.algorithms.linear_learner.csv_rows import CsvError, first_width, parse_csv
from local.algorithms.linear_learner.errors import InferenceError
from local.algorithms.linear_learner.recordio import RecordIOError, decode_features, encode_scores
from local.algorithms.linear_learner.sparse_rows import Keys, SparseRows, Vector

Array = npt.NDArray[np.float64]

_BRACKETS = 8
_BYTES_PER_BRACKET = 8
"""The shortest instance, ``{"features":[1]},``, has two brackets in 17 bytes."""

MAXIMUM_BODY_BYTES = 6_291_456
_UNDECODABLE = "unable to evaluate payload provided"
_JSON, _JSON_LINES, _RECORDIO = "application/json", "application/jsonlines", "application/x-recordio-protobuf"


class Model:
    """A linear model that answers requests. It holds no state between them and may serve them concurrently."""

    def __init__(self, parameters: artifact.Parameters) -> None:
        self._weights = parameters.weights
        self._bias = parameters.bias
        self._features = len(parameters.weights)

    @classmethod
    def load(cls, model_tar_gz: Path) -> "Model":
        """Load an artifact that was trained here or by SageMaker.

        Raises:
            ValueError: if it is not the artifact of a linear-learner regressor.
        """
        return cls(artifact.read(model_tar_gz))

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer one request.

        Args:
            body: one or more rows of raw features.
            content_type: text/csv (with ``label_size=n``, the first n columns are ignored),
                application/json, application/jsonlines or application/x-recordio-protobuf.
            accept: application/json (also if empty or ``*/*``), application/jsonlines or
                application/x-recordio-protobuf.

        Returns:
            The response's body and content type.

        Raises:
            InferenceError: with the container's status and text.
        """
        if len(body) > MAXIMUM_BODY_BYTES:
            raise InferenceError(413, f"payload of {len(body)} bytes is over the limit of {MAXIMUM_BODY_BYTES}")
        encode, answered = _encoder(accept)
        rows = self._decode(body, content_type)
        # In double precision, so that a row's score does not depend on the rows it is sent with.
        scores = rows.dot(self._weights) if isinstance(rows, SparseRows) else np.einsum("ij,j->i", rows, self._weights)
        scores += self._bias
        # The container's float32, widened to the double that JSON prints.
        with np.errstate(over="ignore"):
            answers = scores.astype(np.float32).astype(np.float64)
        if not np.isfinite(answers).all():
            raise _undecodable("a prediction does not fit float32")
        return encode(answers.tolist()), answered

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
        """Rows from the three documented shapes of an instance."""
        if not instances:
            raise _undecodable("there is no instance")
        given = [self._features_of(instance, number) for number, instance in enumerate(instances, 1)]
        for keys, values in given:
            if keys is None and len(values) != self._features:
                raise self._wrong_dimension(len(values))
        rows = [values for _, values in given]
        # A conversion to numbers takes true for 1; to look at every value is slow, to look for the word is not.
        words = b"true" in body or b"false" in body
        numbers = None if words and _first_without_numbers(rows) else _numbers(rows)
        if numbers is None:
            raise _undecodable(f"instance {_first_without_numbers(rows)} holds something else than finite numbers")
        if all(keys is None for keys, _ in given):
            return numbers.reshape(len(rows), self._features)
        ends = np.cumsum([len(row) for row in rows])[:-1]
        parts = np.split(numbers, ends)
        return SparseRows(
            [Vector(keys, values, self._features) for (keys, _), values in zip(given, parts, strict=True)]
        )

    def _features_of(self, instance: Any, number: int) -> tuple[Keys | None, list[Any]]:
        """The values of an instance, and which features they are of unless they are of all."""
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
            f"instance {number} is none of {{'features': [...]}}, {{'data': {{'features': {{'values': [...]}}}}}} "
            "and the latter with 'keys' and 'shape'"
        )

    def _sparse(self, features: dict[str, Any]) -> tuple[Keys, list[Any]]:
        keys, values, shape = features["keys"], features["values"], features.get("shape") or [self._features]
        if shape != [self._features]:
            raise self._wrong_dimension(int(shape[0]))
        if not isinstance(values, list) or len(keys) != len(values):
            raise ValueError("one value for each key")
        if not all(type(key) is int and 0 <= key < self._features for key in keys):
            raise IndexError("a key that no feature has")
        return np.array(keys, dtype=np.int64), values

    def _decode_recordio(self, body: bytes) -> Array | SparseRows:
        try:
            rows = decode_features(body, self._features)
        except RecordIOError as error:
            raise _undecodable(str(error)) from error
        if rows.shape[1] != self._features:
            raise self._wrong_dimension(rows.shape[1])
        if not (rows.all_finite() if isinstance(rows, SparseRows) else np.isfinite(rows).all()):
            raise _undecodable("a record holds a number that is not finite")
        return rows

    def _wrong_dimension(self, found: int) -> InferenceError:
        return _undecodable(
            f"Customer Error: The feature dimension of the input: {found} does not match the feature dimension "
            f"of the model: {self._features}. Please fix the input and try again."
        )


def _undecodable(reason: str) -> InferenceError:
    """The text that a caller gets, with the reason that SageMaker writes to the endpoint's log only."""
    return InferenceError(400, f"{_UNDECODABLE}: {reason}")


def _load_json(text: bytes) -> Any:
    # An empty list becomes an object of 56 bytes: a body of nothing else would take a hundred times its size.
    if text.count(b"[") + text.count(b"{") > _BRACKETS + len(text) // _BYTES_PER_BRACKET:
        raise _undecodable("the body has more lists and objects than instances of numbers have")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _undecodable(f"the body is not JSON: {error}") from error


def _numbers(rows: list[list[Any]]) -> Array | None:
    """All values of rows one after the other if they are nothing but finite numbers, else None."""
    values = array("d")
    try:
        for row in rows:
            values.fromlist(row)
    except (TypeError, OverflowError):
        return None
    numbers = np.frombuffer(values)
    return numbers if np.isfinite(numbers).all() else None


def _first_without_numbers(rows: list[list[Any]]) -> int | None:
    """Which row, counted from 1, is the first with something else than finite numbers."""
    for number, row in enumerate(rows, 1):
        if any(isinstance(value, bool) for value in row) or _numbers([row]) is None:
            return number
    return None


def _label_size(parameters: str) -> int:
    """How many columns of a CSV row come before the features."""
    name, _, value = parameters.strip().partition("=")
    if name != "label_size":
        return 0
    if not re.fullmatch("[0-9]{1,9}", value):
        raise _undecodable(f"label_size={value} is not a number of columns")
    return int(value)


def _encoder(accept: str) -> tuple[Callable[[list[float]], bytes], str]:
    media_type = accept.partition(";")[0].strip().lower()
    if media_type in ("", "*/*", _JSON):
        return _encode_json, _JSON
    if media_type in (_JSON_LINES, "application/x-jsonlines"):
        return _encode_json_lines, _JSON_LINES
    if media_type == _RECORDIO:
        return encode_scores, _RECORDIO
    raise InferenceError(415, f"accept '{accept}' is not supported: use {_JSON}, {_JSON_LINES} or {_RECORDIO}")


def _encode_json(scores: list[float]) -> bytes:
    """What ``json.dumps`` with its default separators writes."""
    return b'{"predictions": [{"score": %b}]}' % _joined(scores, b'}, {"score": ')


def _encode_json_lines(scores: list[float]) -> bytes:
    return b'{"score": %b}\n' % _joined(scores, b'}\n{"score": ')


def _joined(scores: list[float], separator: bytes) -> bytes:
    """Numbers as Python prints them: orjson is faster, and differs only for those with an exponent."""
    text = orjson.dumps(scores)
    if b"e" in text or b"0.0000" in text:
        return separator.join(repr(score).encode() for score in scores)
    return text[1:-1].replace(b",", separator)
