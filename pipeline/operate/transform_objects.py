"""The objects of a transform job in S3: encoded rows go in, scores come out."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.operate.answers import AnswerError, answer_in_line
from pipeline.operate.encryption import Encryption
from pipeline.operate.row_files import find_files
from pipeline.operate.stored_objects import StoredObjects
from pipeline.text import number_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PART_BYTES = 1 << 24
"""A part is held in memory until it is sent."""


class TransformObjects:
    """The input and the output of one transform job.

    Args:
        s3: boto3's S3 client.
        bucket: the bucket.
        prefix: a prefix for this job alone, without a slash at its end.
        encryption: how S3 is to encrypt the input.

    Attributes:
        uri: the prefix of both as an S3 URI.
        input_uri: the prefix of the input.
        output_uri: the prefix of the output.
    """

    def __init__(self, s3: S3Client, bucket: str, prefix: str, encryption: Encryption) -> None:
        self._s3, self._bucket, self._prefix, self._encryption = s3, bucket, prefix, encryption
        self.uri = f"s3://{bucket}/{prefix}/"
        self.input_uri, self.output_uri = f"{self.uri}input/", f"{self.uri}output/"

    def send(self, batches: Iterable[Sequence[str]]) -> list[int]:
        """Upload rows as objects of some megabytes.

        Args:
            batches: the encoded rows.

        Returns:
            The number of rows of each object; empty without rows.

        Raises:
            UserError: the bucket does not exist.
        """
        sent: list[int] = []
        part, rows = io.BytesIO(), 0
        for batch in batches:
            part.write("".join(f"{row}\n" for row in batch).encode())
            rows += len(batch)
            if part.tell() >= _PART_BYTES:
                self._put(len(sent), part)
                sent.append(rows)
                part, rows = io.BytesIO(), 0
        if rows:
            self._put(len(sent), part)
            sent.append(rows)
        return sent

    def answers(self, sent: Sequence[int], content_type: str, length: int) -> Iterator[array[float]]:
        """Yield the model's answers for each object, in the order of its rows.

        Batch transform keeps the order of an object's records: it makes no output for an object of which a record
        fails, "as it can't maintain the same order". Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html

        Args:
            sent: the number of rows of each object.
            content_type: the type of the output.
            length: how many numbers an answer has.

        Raises:
            UserError: an output is missing, or does not have one answer a row.
        """
        outputs = self._outputs()
        for number, rows in enumerate(sent):
            name = f"{_part_name(number)}.out"
            if name not in outputs:
                raise UserError(f"The transform job completed, but {self.output_uri} has no {name}")
            answers = self._read(outputs[name], content_type, length)
            found = len(answers) // length
            if found != rows:
                raise UserError(
                    f"The transform job gave {number_of(found, 'prediction', form=',')} for the "
                    f"{number_of(rows, 'row', form=',')} of {name}"
                )
            yield answers

    def delete(self) -> None:
        """Delete input and output, with all their versions."""
        StoredObjects(self._s3, self._bucket, f"{self._prefix}/").delete()

    def _put(self, number: int, part: io.BytesIO) -> None:
        key = f"{self._prefix}/input/{_part_name(number)}"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=part.getvalue(), **self._encryption)
        except self._s3.exceptions.NoSuchBucket:
            raise UserError(
                f"The bucket {self._bucket} does not exist: run 'make bootstrap', or set aws.bucket"
            ) from None

    def _outputs(self) -> dict[str, str]:
        """Return the URIs of the outputs by their names. AWS may put them into a folder below the output's prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}/output/"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key.rpartition("/")[2]: f"s3://{self._bucket}/{key}" for key in keys}

    def _read(self, uri: str, content_type: str, length: int) -> array[float]:
        (file,) = find_files(uri, self._s3)
        try:
            with file.open("UTF-8") as lines:
                found = (answer_in_line(line, content_type, length) for line in lines if line.strip())
                return array("d", chain.from_iterable(found))
        except AnswerError as error:
            raise UserError(f"{uri} does not have an answer of the model in each line: {error}") from None


def _part_name(number: int) -> str:
    return f"part-{number:05}.csv"
