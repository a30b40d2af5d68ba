"""Scores the rows of CSV files with a batch transform job, without an endpoint.

Rows are read and encoded on this machine, as for an endpoint. They are read twice: before the job to be sent, and after
it to be joined with their scores. So neither memory nor disk must hold them::

    config = load_config(Path("config.yaml"))
    for row in predict_in_batch(boto3.Session(region_name=config.aws.region), config, "rows.csv", note=print):
        print(row.prediction if row.error is None else f"{row.place}: {row.error}")
"""

from __future__ import annotations

import uuid
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources, find_resources
from pipeline.errors import UserError
from pipeline.operate.answers import Answer
from pipeline.operate.aws_errors import is_gone, reason
from pipeline.operate.encryption import encryption
from pipeline.operate.prediction import Predictions, gives_probabilities
from pipeline.operate.row_batches import RowBatch, input_files, row_batches
from pipeline.operate.row_files import find_files
from pipeline.operate.served_columns import served_columns
from pipeline.operate.transform_job import TransformJob, transform_request
from pipeline.operate.transform_model import TransformModel, find_model, model_request
from pipeline.operate.transform_objects import TransformObjects
from pipeline.text import number_of

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient


def predict_in_batch(  # noqa: PLR0913 - the options of make predict
    session: Session,
    config: Config,
    source: str,
    *,
    endpoint_name: str = "",
    limit: int | None = None,
    note: Callable[[str], None] = lambda _: None,
    pause: float = 10.0,
) -> Predictions:
    """Score the rows of files with a batch transform job.

    The rows are encoded as the model package records, like those for an endpoint (``predict``).

    Args:
        session: a ``boto3.Session`` of the account.
        config: the configuration.
        source: a CSV file, a folder of CSV files, or the S3 URI of an object or a prefix.
        endpoint_name: the endpoint whose model is used; by default that of the configuration. If the latter does not
            serve, the newest approved package of the configuration's group is used.
        limit: the maximum number of rows; None for all.
        note: takes sentences for the user: the model, and the progress of the job.
        pause: seconds between two looks at the job.

    Returns:
        The scores, one for each row that is not blank, in the order of the files. The job starts when they are
        iterated, and has ended before the first one. It leaves nothing in S3 or SageMaker but its own record.

    Raises:
        UserError: there is no such file or endpoint, no model package is approved, or a file has not the model's
            columns.
    """
    patient = ClientConfig(retries={"mode": "standard", "max_attempts": 6}, read_timeout=70)
    s3, sagemaker = session.client("s3", config=patient), session.client("sagemaker", config=patient)
    found = find_files(source, s3)
    model = find_model(sagemaker, config, endpoint_name)
    note(f"The transform job uses {model.scoring.described}.")
    # If a package without a record does not accept the configuration's features, the job fails and says so.
    columns = served_columns(model.scoring, s3, config.dataset, accepts=lambda _: True, note=note)
    files = input_files(found, columns, config.dataset, note)
    if not files:
        raise UserError(f"{source}: has no rows")
    resources = find_resources(config, session)
    batch_job = _BatchJob(config, resources, s3, sagemaker, model, columns.answer_length, note, pause)

    def batches() -> Iterator[RowBatch]:
        return row_batches(files, columns, config.dataset.encoding, limit)

    return Predictions(files, columns, _scored_by(batch_job, batches), gives_probabilities(config))


@dataclass(frozen=True)
class _BatchJob:
    config: Config
    resources: Resources
    s3: S3Client
    sagemaker: SageMakerClient
    model: TransformModel
    answer_length: int
    note: Callable[[str], None]
    pause: float

    def score(self, batches: Iterator[Sequence[str]], scores: IO[bytes]) -> None:
        """Score encoded rows, and write the model's answers as 64-bit floats.

        What the job needed is deleted, however it ends.

        Raises:
            UserError: the job did not complete, or its output is not one answer for each row.
        """
        run = uuid.uuid4().hex[:12]
        pipeline = self.config.pipeline.name
        name = f"{pipeline}-batch-{run}"
        accept = (self.model.algorithm or self.config.algorithm).batch_accept
        objects = TransformObjects(self.s3, self.resources.bucket, f"{pipeline}/batch/{run}", encryption(self.config))
        with ExitStack() as afterwards:
            afterwards.callback(self._delete, objects.uri, objects.delete)
            sent = objects.send(batches)
            if not sent:
                self.note("No row can be scored: no transform job was started.")
                return
            self.note(f"Sent {number_of(sum(sent), 'row', form=',')} to {objects.input_uri}")
            request = transform_request(
                self.config,
                name,
                self._model_name(name, afterwards),
                objects.input_uri,
                objects.output_uri,
                accept=accept,
            )
            job = TransformJob(self.sagemaker, request, self.pause, self.note)
            afterwards.callback(job.stop)
            job.run()
            for part in objects.answers(sent, accept, self.answer_length):
                part.tofile(scores)

    def _model_name(self, new_name: str, afterwards: ExitStack) -> str:
        """Return the endpoint's model, or make one for this job alone."""
        package = self.model.scoring.model_package
        if self.model.name is not None or package is None:
            return str(self.model.name)
        afterwards.callback(
            self._delete, f"the model {new_name}", lambda: self.sagemaker.delete_model(ModelName=new_name)
        )
        self.sagemaker.create_model(**model_request(self.config, self.resources, new_name, package))
        return new_name

    def _delete(self, what: str, delete: Callable[[], object]) -> None:
        """Delete something. A failure is a note: it must not take the place of the scores, or of the first error."""
        try:
            delete()
        except (ClientError, BotoCoreError) as error:
            if not is_gone(error):
                self.note(f"Could not delete {what}: {reason(error)}. Delete it yourself.")


def _scored_by(
    job: _BatchJob, batches: Callable[[], Iterator[RowBatch]]
) -> Iterator[tuple[RowBatch, Sequence[Answer]]]:
    """Yield batches and their scores when the job has ended."""
    sums: list[int] = []

    def features() -> Iterator[Sequence[str]]:
        for batch in batches():
            sums.append(_checksum(batch))
            yield batch.features

    with TemporaryFile() as scores:
        job.score(features(), scores)
        scores.seek(0)
        for batch, checksum in zip_longest(batches(), sums):
            if batch is None or _checksum(batch) != checksum:
                raise UserError("A file of INPUT changed while the transform job ran: run the command again")
            found = array("d")
            found.frombytes(scores.read(found.itemsize * job.answer_length * len(batch.features)))
            numbers = iter(found.tolist())
            yield batch, list(zip(*[numbers] * job.answer_length, strict=True))


def _checksum(batch: RowBatch) -> int:
    return zlib.crc32("\n".join(batch.features).encode())
