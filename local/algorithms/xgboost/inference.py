"""The model container's responses to requests, for endpoints and batch transform.

Source: https://github.com/aws/sagemaker-xgboost-container, serve.py and serve_utils.py.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix

from local.algorithms.csv_rows import CsvError, parse_csv
from local.algorithms.errors import ClientError, InferenceError
from local.algorithms.recordio import RecordIOError, decode_features
from local.algorithms.sparse_rows import SparseRows
from local.algorithms.xgboost import artifact
from local.algorithms.xgboost.channels import CONTENT_TYPES, compressed, first_lines, sniff

MAXIMUM_BODY_BYTES: Final = 6_291_456
_CSV, _JSON = "text/csv", "application/json"
_ACCEPTED: Final = [_JSON, "application/jsonlines", "application/x-recordio-protobuf", _CSV]
_SNIFFED_BYTES = 512
_LARGEST_COLUMN = 2**24
_LIBSVM_VALUE = re.compile(rb"([0-9]{1,9}):([^:\s]+)")


class Model:
    """A model that responds to requests. Threads can share it."""

    def __init__(self, booster: xgboost.Booster, *, batch: bool = False) -> None:
        """Serve a model.

        Args:
            booster: The model.
            batch: Whether requests are those of a batch transform job.
        """
        self._booster = booster
        self._batch = batch
        self._features: int = booster.num_features()
        kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
        # Predictions are thread-safe for trees only:
        # https://xgboost.readthedocs.io/en/stable/prediction.html#thread-safety
        self._turn: AbstractContextManager[Any] = threading.Lock() if kind == "gblinear" else nullcontext()

    @classmethod
    def load(cls, model_tar_gz: Path, *, batch: bool = False) -> Model:
        """Load an artifact that was made here or by SageMaker.

        Raises:
            ValueError: The file is not an artifact of XGBoost 3.2.
        """
        return cls(artifact.read(model_tar_gz), batch=batch)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Respond to one request.

        Args:
            body: One or more rows of features.
            content_type: text/csv, text/libsvm, text/x-libsvm or application/x-recordio-protobuf; empty means libsvm.
            accept: text/csv (the default, also for ``*/*``) or application/json.

        Returns:
            The response's body and content type. Both are empty for an empty request.

        Raises:
            InferenceError: The request is invalid; the error has the container's status and message.
        """
        if len(body) > MAXIMUM_BODY_BYTES:
            raise InferenceError(413, f"payload of {len(body)} bytes is over the limit of {MAXIMUM_BODY_BYTES}")
        if not body:
            return b"", ""
        rows, kind = self._rows(body, content_type)
        scores = self._predict(rows, kind)
        response_type = _response_type(accept)
        if self._batch:
            return b"".join(f"{score}\n".encode() for score in scores), response_type
        if response_type == _JSON:
            document = {"predictions": [{"score": score} for score in scores]}
            return json.dumps(document).encode(), response_type
        if response_type == _CSV:
            return b"".join(_csv_line(score) for score in scores), response_type
        raise InferenceError(500, f"{response_type} needs SAGEMAKER_INFERENCE_OUTPUT, which is not set")

    def _rows(self, body: bytes, content_type: str) -> tuple[Any, str]:
        kind = _kind(content_type)
        try:
            if kind == "csv":
                return _csv_rows(body), kind
            if kind == "libsvm":
                return self._libsvm_rows(body), kind
            if kind == "recordio-protobuf":
                rows = decode_features(body, self._features)
                return compressed(rows) if isinstance(rows, SparseRows) else rows, kind
        except (ClientError, CsvError, RecordIOError, ValueError) as error:
            raise InferenceError(
                415,
                f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n "
                f"{type(error)}\n {error}",
            ) from error
        raise InferenceError(415, f"Content-type {content_type} is not supported.")

    def _libsvm_rows(self, body: bytes) -> csr_matrix:
        """Read rows of ``index:value``. Items without a colon, such as a label, are left out, as the container does."""
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        lines = body.strip().split(b"\n")
        for number, line in enumerate(lines):
            for item in line.split():
                if b":" not in item:
                    continue
                found = _LIBSVM_VALUE.fullmatch(item)
                if found is None or int(found[1]) > _LARGEST_COLUMN:
                    raise ValueError(f"row {number + 1}: {item[:40]!r} is not index:value")
                rows.append(number)
                columns.append(int(found[1]))
                values.append(float(found[2]))
        width = max(columns, default=-1) + 1
        return csr_matrix((np.array(values), (rows, columns)), shape=(len(lines), max(width, self._features)))

    def _predict(self, rows: Any, kind: str) -> list[Any]:
        found = rows.shape[1]
        if found != self._features:
            relation = "is larger than" if kind == "libsvm" else "is not consistent with"
            raise _cannot_evaluate(
                f"Feature size of {kind} inference data {found} {relation} feature size of trained model "
                f"{self._features}."
            )
        try:
            data = xgboost.DMatrix(rows, nthread=1)
            with self._turn:
                scores: npt.NDArray[np.float32] = self._booster.predict(data, validate_features=False)
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise _cannot_evaluate(first_lines(error)) from error
        result: list[Any] = scores.tolist()
        return result


def _kind(content_type: str) -> str:
    """Return a request's format.

    Raises:
        InferenceError: The container does not support the content type.
    """
    media_type, _, parameters = content_type.lower().partition(";")
    if not media_type.strip():
        return "libsvm"
    kind = CONTENT_TYPES.get(media_type.strip())
    if kind is None:
        raise InferenceError(415, f"{content_type} is not an accepted ContentType: {', '.join(CONTENT_TYPES)}.")
    if kind == "csv" and (size := re.search(r"label_size\s*=\s*\"?([^;\"\s]*)", parameters)) and size[1] != "1":
        raise InferenceError(
            415,
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1",
        )
    return kind


def _csv_rows(body: bytes) -> npt.NDArray[np.float64]:
    text = body.strip()
    first = text.partition(b"\n")[0][:_SNIFFED_BYTES]
    try:
        delimiter = sniff(first)
    except ClientError:
        # A row of one feature has no delimiter. The container takes a comma if it finds a letter or digit.
        delimiter = b","
    return parse_csv(text, delimiter=delimiter, missing=True)


def _response_type(accept: str) -> str:
    media_type = accept.partition(";")[0].strip().lower()
    if media_type in ("", "*/*"):
        return _CSV
    if media_type not in _ACCEPTED:
        raise InferenceError(
            406, f"Accept type {accept} is not supported. Please use supported accept types: {_ACCEPTED}."
        )
    return media_type


def _csv_line(score: float | list[float]) -> bytes:
    text = ",".join(map(str, score)) if isinstance(score, list) else str(score)
    return f"{text}\n".encode()


def _cannot_evaluate(reason: str) -> InferenceError:
    return InferenceError(400, f"Unable to evaluate payload provided: {reason}")
