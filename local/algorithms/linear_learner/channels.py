"""Read the input channels of a training job as rows of numbers.

A channel is a folder. In every input mode, its files are complete before training starts. Source: Amazon SageMaker
developer guide, "How Amazon SageMaker provides training information" and "Common data formats for training".
"""

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from definition_language.text import number_of
from local.algorithms.csv_rows import CsvError, parse_csv
from local.algorithms.errors import ClientError
from local.algorithms.recordio import RecordIOError, Records, decode, decode_messages, half_of_memory
from local.algorithms.rows import CHUNK_BYTES, LONGEST_PIECE, RowBuffer, whole_lines

Array = npt.NDArray[np.float64]

_CONTAINER_FOLDER = "/opt/ml/input/data"


@dataclass(frozen=True)
class Channel:
    """Locates a channel of a training job and reads it.

    Attributes:
        name: ``train``, ``validation`` or ``test``.
        folder: The folder that contains the files, at any depth.
        content_type: ``text/csv`` or ``application/x-recordio-protobuf``, without parameters.
        gzipped: Whether CompressionType is Gzip.
        wrapped: Whether RecordWrapperType is RecordIO. Then each file is one record.
    """

    name: str
    folder: Path
    content_type: str
    gzipped: bool
    wrapped: bool

    @classmethod
    def from_config(cls, folder: Path, name: str, config: Mapping[str, str]) -> "Channel":
        """Read a channel's entry of ``inputdataconfig.json``.

        Raises:
            ClientError: linear-learner does not support the content type.
        """
        content_type, *parameters = [part.strip() for part in config.get("ContentType", "").lower().split(";")]
        # The SDK's RecordSet names no type: its data are RecordIO.
        content_type = content_type or "application/x-recordio-protobuf"
        if content_type not in ("text/csv", "application/x-recordio-protobuf"):
            raise ClientError(
                f"No iterator has been registered for ContentType ('{content_type}', '1.0'): channel {name} "
                "needs text/csv or application/x-recordio-protobuf"
            )
        label_size = dict(part.split("=", 1) for part in parameters if "=" in part).get("label_size", "1")
        if label_size != "1":
            raise ClientError(
                f"channel {name}: label_size={label_size} is not supported: "
                "a training row has one label, in the first column"
            )
        gzipped = config.get("CompressionType", "None") == "Gzip"
        return cls(name, folder, content_type, gzipped, config.get("RecordWrapperType", "None") == "RecordIO")

    def files(self) -> list[Path]:
        """Return the channel's files in the order of their names, without empty and hidden files."""
        found = [Path(folder, name) for folder, _, names in os.walk(self.folder, followlinks=True) for name in names]
        return sorted(path for path in found if not path.name.startswith(".") and path.stat().st_size > 0)

    def identity(self) -> tuple[object, ...]:
        """Return a key that is equal for channels with the same files in the same format, also in other jobs."""
        stats = [path.stat() for path in self.files()]
        return (self.name, self.content_type, self.gzipped, self.wrapped, *((s.st_dev, s.st_ino) for s in stats))

    def read(self, feature_dim: int | None = None) -> Array:
        """Read all files.

        Args:
            feature_dim: The number of features of sparse records without a shape.

        Returns:
            Finite numbers, of shape (rows, 1 + features), with the label first.

        Raises:
            ClientError: There is no data, or a file does not match the content type.
        """
        files = self.files()
        rows = RowBuffer(sum(self._parts(path) for path in files))
        for path in files:
            for part in self._read_file(path, rows.width, feature_dim):
                rows.add(part)
        if rows.width is None:
            raise ClientError(f"The {self.name} channel has no data: it has no files, or all its files are empty")
        if rows.width < 2:
            raise ClientError(f"The {self.name} channel has one column: a row needs the label and at least one feature")
        return rows.array()

    @property
    def _is_csv(self) -> bool:
        return self.content_type == "text/csv"

    def _parts(self, path: Path) -> int:
        """Estimate the number of parts in which ``_read_file`` yields a file's rows."""
        return 1 + path.stat().st_size // CHUNK_BYTES if self._is_csv else 1

    def _container_path(self, path: Path) -> str:
        return f"{_CONTAINER_FOLDER}/{self.name}/{path.relative_to(self.folder).as_posix()}"

    def _open(self, path: Path) -> BinaryIO:
        return gzip.open(path) if self.gzipped else path.open("rb")  # type: ignore[return-value]

    def _read_file(self, path: Path, width: int | None, feature_dim: int | None) -> Iterator[Array]:
        try:
            with self._open(path) as file:
                if self._is_csv:
                    yield from self._read_csv(path, file, width)
                else:
                    yield self._read_records(path, self._read_whole(path, file), width, feature_dim)
        except (OSError, EOFError, zlib.error) as error:
            raise ClientError(f"Unable to read file {self._container_path(path)}: {error}") from error

    def _read_whole(self, path: Path, file: BinaryIO) -> bytes:
        limit, data = half_of_memory(), bytearray()
        while chunk := file.read(CHUNK_BYTES):
            data += chunk
            if len(data) > limit:
                raise ClientError(
                    f"Unable to read file {self._container_path(path)}: it needs more than half of the memory"
                )
        return bytes(data)

    def _read_csv(self, path: Path, file: BinaryIO, width: int | None) -> Iterator[Array]:
        rows_before = 0
        for text in whole_lines(file):
            if len(text) > LONGEST_PIECE:
                raise self._csv_error(path, rows_before + 1, f"is longer than {LONGEST_PIECE} bytes", text)
            try:
                rows = parse_csv(text, width)
            except CsvError as error:
                raise self._csv_error(path, rows_before + error.row, error.reason, text) from error
            yield rows
            width = rows.shape[1]
            rows_before += len(rows)

    def _csv_error(self, path: Path, row: int, reason: str, text: bytes) -> ClientError:
        if text.startswith(b"\x1f\x8b"):
            reason = "the file is gzip, which needs CompressionType Gzip"
        return ClientError(f"Unable to parse csv: rows {row}-{row}, file {self._container_path(path)}: {reason}")

    def _read_records(self, path: Path, data: bytes, width: int | None, feature_dim: int | None) -> Array:
        try:
            features = feature_dim if width is None else width - 1
            records = decode_messages([data], features) if self.wrapped else decode(data, features)
            return _training_rows(records, width)
        except RecordIOError as error:
            raise ClientError(
                f"Unable to parse recordio-protobuf: file {self._container_path(path)}: {error}"
            ) from error


def read_once(channels: Sequence[Channel], feature_dim: int | None) -> dict[str, Array]:
    """Read all channels of a job.

    Args:
        channels: The channels, with the train channel among them.
        feature_dim: The number of features of sparse records without a shape.

    Returns:
        Each channel's rows, by channel name.

    Raises:
        ClientError: A channel cannot be read, or the channels differ in the number of features.
    """
    rows = {channel.name: channel.read(feature_dim) for channel in channels}
    features = rows["train"].shape[1] - 1
    for name, data in rows.items():
        if data.shape[1] - 1 != features:
            raise ClientError(
                f"The {name} channel has {number_of(data.shape[1] - 1, 'feature')}, the train channel {features}"
            )
    return rows


def _training_rows(records: Records, width: int | None) -> Array:
    if records.labels is None:
        raise RecordIOError("record 1: has no label")
    rows = np.column_stack([records.labels, records.features])
    if width is not None and width != rows.shape[1]:
        raise RecordIOError(
            f"record 1: has {number_of(rows.shape[1] - 1, 'feature')} where "
            f"{number_of(width - 1, 'is', 'are')} expected"
        )
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if wrong.size:
        raise RecordIOError(f"record {wrong[0] + 1}: has a number that is not finite")
    return rows
