"""Scores the rows of CSV files with an endpoint.

Rows are read, encoded, scored and returned as a stream, so memory does not grow with the files::

    config = load_config(Path("config.yaml"))
    for row in predict(boto3.Session(region_name=config.aws.region), config, "rows.csv"):
        print(row.prediction if row.error is None else f"{row.place}: {row.error}")
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from botocore.config import Config as ClientConfig

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.answers import Answer, AnswerError, answers_in
from pipeline.operate.bodies import read_body
from pipeline.operate.model_columns import ModelColumns
from pipeline.operate.row_batches import InputFile, RowBatch, input_files, row_batches
from pipeline.operate.row_files import find_files
from pipeline.operate.served_columns import EndpointModel, served_columns
from pipeline.text import number_of

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

_REQUESTS_AT_ONCE = 4
"""Less than the default concurrency of a serverless endpoint, which is 5."""

_MOST_REFUSED = 20
"""If the model refuses more rows of one request, the fault is in the file or the model rather than in a row."""

_BAD_INPUT = (400, 413, 422)
"""The statuses with which a container refuses rows."""


class ScoredRow(NamedTuple):
    """A row and its score.

    Attributes:
        file: the row's file.
        line: the line on which the row begins, from 1.
        fields: the row's fields, as they are in the file.
        prediction: the label, in its unit (dollars for the insurance dataset); or the class, as the files have it. None
            for a bad row.
        scores: with classes, the numbers of ``Predictions.score_columns``; else, and for a bad row, none.
        error: why a bad row has no prediction; else None.
    """

    file: InputFile
    line: int
    fields: Sequence[str]
    prediction: float | str | None
    scores: tuple[float, ...]
    error: str | None

    @property
    def place(self) -> str:
        """The file and the line, for messages."""
        return f"{self.file.name}:{self.line}"


def predict(  # noqa: PLR0913 - the options of make predict
    session: Session,
    config: Config,
    source: str,
    *,
    endpoint_name: str = "",
    limit: int | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Predictions:
    """Score the rows of files with an endpoint.

    The rows are encoded as the model package behind the endpoint records. The configuration only says how files are
    written (``delimiter``, ``encoding`` and ``header`` of its dataset).

    Args:
        session: a ``boto3.Session`` of the account.
        config: the configuration.
        source: a CSV file, a folder of CSV files, or the S3 URI of an object or a prefix. A file has a header that
            names the model's columns, in any order and possibly among others; or no header, and encoded features.
        endpoint_name: the endpoint; by default that of the configuration.
        limit: the maximum number of rows; None for all.
        note: takes sentences for the user, for example about a delimiter that was guessed.

    Returns:
        The scores, one for each row that is not blank, in the order of the files. Nothing is scored until they are
        iterated.

    Raises:
        UserError: there is no such file or endpoint, or a file has not the model's columns.
    """
    patient = ClientConfig(
        retries={"mode": "standard", "max_attempts": 6}, read_timeout=70, max_pool_connections=_REQUESTS_AT_ONCE
    )
    s3 = session.client("s3", config=patient)
    name = endpoint_name or config.deploy.endpoint_name
    endpoint = _Endpoint(session.client("sagemaker-runtime", config=patient), name)
    found = find_files(source, s3)
    model = EndpointModel(session.client("sagemaker", config=patient), name)
    columns = served_columns(model, s3, config.dataset, accepts=endpoint.accepts, note=note)
    files = input_files(found, columns, config.dataset, note)
    if not files:
        raise UserError(f"{source}: has no rows")
    batches = row_batches(files, columns, config.dataset.encoding, limit)
    endpoint.answer_length = columns.answer_length
    return Predictions(files, columns, _scored_by(endpoint, batches, model, note), gives_probabilities(config))


def gives_probabilities(config: Config) -> bool:
    """Return whether the scores of a configuration's models of classes are probabilities."""
    return config.algorithm.gives_probabilities(config.tuning.static_hyperparameters)


class Predictions:
    """The scored rows of some files. It can be iterated once.

    Args:
        files: the files, without those that are empty.
        columns: the model's columns.
        scored: the batches of their rows; with each batch, for each row that could be encoded, the model's answer or
            the reason for which the model refuses the row.
        gives_probabilities: whether the scores of classes are probabilities.

    Attributes:
        files: the files, without those that are empty.
        classes: the classes, in the order of their numbers; none if the label is a number.
        score_columns: what the scores of a row are: with classes ``probability_yes`` of two, or one for each of more.
            It is ``score_yes`` if scores are no probabilities. None if the label is a number.
        decimal: the decimal separator of the files' numbers.
        bytes: the total size of the files.
        bytes_scored: how many of these bytes have been scored so far.
        has_probabilities_only: whether the model has named no class so far, so that it was chosen by the probabilities.
    """

    def __init__(
        self,
        files: Sequence[InputFile],
        columns: ModelColumns,
        scored: Iterator[tuple[RowBatch, Sequence[Answer | str]]],
        gives_probabilities: bool,
    ) -> None:
        self.files = files
        self.classes = columns.classes
        kind = "probability" if gives_probabilities else "score"
        self.score_columns = tuple(f"{kind}_{name}" for name in columns.scored_classes)
        # Encoded features have a point, whatever the raw records have.
        self.decimal = "." if files[0].layout.encoded else columns.preparation.decimal
        self.bytes = sum(file.stored.size for file in files)
        self.bytes_scored = 0
        self.has_probabilities_only = False
        self._columns, self._scored = columns, scored

    def __iter__(self) -> Iterator[ScoredRow]:
        """Score the rows.

        Raises:
            UserError: a file cannot be read, or the rows cannot be scored.
        """
        for batch, scores in self._scored:
            answers = iter(scores)
            for index, (line, fields) in enumerate(zip(batch.lines, batch.rows, strict=True)):
                answer = batch.faults.get(index) or next(answers)
                if isinstance(answer, str):
                    yield ScoredRow(batch.file, line, fields, None, (), answer)
                else:
                    if self.classes and math.isnan(answer[-1]):
                        self.has_probabilities_only = True
                    value, of_classes = self._columns.prediction_of(answer)
                    yield ScoredRow(batch.file, line, fields, value, of_classes, None)
            self.bytes_scored = batch.end


class _Endpoint:
    """Scores encoded rows; several threads may call it at once.

    Attributes:
        answer_length: how many numbers the model answers for a row.
    """

    def __init__(self, runtime: SageMakerRuntimeClient, name: str) -> None:
        self._runtime, self._name = runtime, name
        self.answer_length = 1

    def accepts(self, features: str) -> bool:
        """Return whether the model accepts a row of features."""
        return isinstance(self._ask([features]), bytes)

    def answers(self, features: Sequence[str]) -> list[Answer | str]:
        """Return the model's answer for each row, or the reason for which it refuses the row.

        Raises:
            UserError: the model refuses many rows.
        """
        answers: list[Answer | str] = []
        pending = [features] if features else []
        refused = 0
        while pending:
            part = pending.pop()
            answer = self._ask(part)
            if not isinstance(answer, str):
                answers += self._numbers(answer, len(part))
            elif len(part) > 1:  # find the bad rows by halving: one bad row makes the model refuse a whole request
                half = len(part) // 2
                pending += [part[half:], part[:half]]
            else:
                answers.append(f"the model refuses the row: {answer}")
                refused += 1
                if refused > _MOST_REFUSED:
                    raise UserError(f"The endpoint {self._name} refuses many rows: {answer}")
        return answers

    def _ask(self, features: Sequence[str]) -> bytes | str:
        """Return the model's response to a request with rows, or the reason for which it refuses the request."""
        body = "\n".join(features).encode()
        try:
            return read_body(
                lambda: self._runtime.invoke_endpoint(
                    EndpointName=self._name, ContentType="text/csv", Accept="application/json", Body=body
                )["Body"]
            )
        except self._runtime.exceptions.ModelError as error:
            if error.response.get("OriginalStatusCode") not in _BAD_INPUT:
                raise
            return str(error.response.get("OriginalMessage") or error)

    def _numbers(self, response: bytes, rows: int) -> list[Answer]:
        try:
            answers = answers_in(response, self.answer_length)
        except AnswerError as error:
            raise UserError(f"The endpoint {self._name} does not answer as the model's columns say: {error}") from None
        if len(answers) != rows:
            raise UserError(
                f"The endpoint {self._name} gave {number_of(len(answers), 'prediction')} for {number_of(rows, 'row')}"
            )
        return answers


def _scored_by(
    endpoint: _Endpoint, batches: Iterator[RowBatch], model: EndpointModel, note: Callable[[str], None]
) -> Iterator[tuple[RowBatch, list[Answer | str]]]:
    """Score batches with an endpoint, and say so if it got another model meanwhile."""
    yield from _in_order(batches, endpoint.answers)
    if model.current_config_name() != model.endpoint_config_name:
        note("The endpoint was updated meanwhile: some rows may have been scored by another model.")


def _in_order(
    batches: Iterator[RowBatch], score: Callable[[Sequence[str]], list[Answer | str]]
) -> Iterator[tuple[RowBatch, list[Answer | str]]]:
    """Score some batches at once, and yield them in their order."""
    pending: deque[tuple[RowBatch, Future[list[Answer | str]]]] = deque()
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        try:
            for batch in batches:
                pending.append((batch, pool.submit(score, batch.features)))
                if len(pending) > _REQUESTS_AT_ONCE:
                    first, scores = pending.popleft()
                    yield first, scores.result()
            while pending:
                first, scores = pending.popleft()
                yield first, scores.result()
        finally:
            for _, scores in pending:
                scores.cancel()
