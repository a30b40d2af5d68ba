"""Read the input channels of a training job as the library's matrices."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.sparse import csr_matrix, vstack

from definition_language.text import number_of
from local.algorithms.csv_rows import CsvError, parse_csv
from local.algorithms.errors import ClientError
from local.algorithms.recordio import RecordIOError, decode_labelled
from local.algorithms.rows import CHUNK_BYTES, LONGEST_PIECE, RowBuffer, whole_lines
from local.algorithms.sparse_rows import SparseRows
from local.algorithms.xgboost.hyperparameters import cores

Array = npt.NDArray[np.float64]

CONTENT_TYPES: Final = {
    "csv": "csv",
    "libsvm": "libsvm",
    "parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "text/csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "application/x-recordio-protobuf": "recordio-protobuf",
}
"""Formats by content type."""
_DEFAULT_CONTENT_TYPE = "text/libsvm"
_DEEPEST_FOLDER = 3
_CHANNELS = ("train", "validation")
_DATA = "/opt/ml/input/data"

_NUMBER = rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_LIBSVM_LINE = re.compile(rb"%b(?::%b)?(?:[ \t]+qid:[0-9]+)?(?:[ \t]+[0-9]+:%b)*\s*" % (_NUMBER, _NUMBER, _NUMBER))


@dataclass(frozen=True)
class Channel:
    """Locates a channel and reads it.

    Attributes:
        name: ``train`` or ``validation``.
        folder: The folder that contains the files.
        kind: ``csv``, ``libsvm``, ``parquet`` or ``recordio-protobuf``.
        weighted: Whether the second column of CSV holds weights.
    """

    name: str
    folder: Path
    kind: str
    weighted: bool

    def files(self) -> list[Path]:
        """Return the channel's files in the order of their names, without empty ones.

        Raises:
            ClientError: A file is hidden, or deeper than the container reads.
        """
        found = []
        for folder, _, names in os.walk(self.folder, followlinks=True):
            depth = 1 + len(Path(folder).relative_to(self.folder).parts)
            for name in names:
                if name.startswith("."):
                    raise ClientError("Hidden file found in the data path! Remove that before training.")
                if depth > _DEEPEST_FOLDER:
                    raise ClientError(
                        f"Folder depth exceed the limit: {_DEEPEST_FOLDER}. {name} of the channel {self.name} is in a "
                        "deeper folder; which files the container would read is not certain."
                    )
                found.append(Path(folder, name))
        return sorted(path for path in found if path.stat().st_size > 0)

    def identity(self) -> tuple[object, ...]:
        """Return a key that is equal for channels with the same files in the same format, also in other jobs."""
        stats = [path.stat() for path in self.files()]
        return (self.name, self.kind, self.weighted, *((stat.st_dev, stat.st_ino) for stat in stats))

    def read(self) -> xgboost.DMatrix:
        """Read all files.

        Raises:
            ClientError: There is no data, or a file does not match the content type.
        """
        files = self.files()
        if not files:
            kind = "training" if self.name == "train" else self.name
            raise ClientError(f"No data in {kind} channel path {_DATA}/{self.name}")
        try:
            return _READERS[self.kind](self, files)
        except ClientError:
            raise
        except (xgboost.core.XGBoostError, OSError, ValueError, TypeError) as error:
            raise ClientError(f"Failed to load {self.kind} data with exception:\n{first_lines(error)}") from error

    def place(self, path: Path) -> str:
        """Return a file's path in the container, for messages."""
        return f"{_DATA}/{self.name}/{path.relative_to(self.folder).as_posix()}"


def channels(root: Path, config: Mapping[str, Mapping[str, str]], *, weighted: bool) -> list[Channel]:
    """Check the channels of a training job.

    Args:
        root: The folder that replaces ``/opt/ml``.
        config: The content of ``inputdataconfig.json``.
        weighted: Whether ``csv_weights`` is 1.

    Returns:
        The train channel, and the validation channel if there is one.

    Raises:
        ClientError: A channel is missing, unknown, or has a configuration that is not supported.
    """
    if "train" not in config:
        raise ClientError("Missing required channel: train")
    for name, channel in config.items():
        if name == "code":
            raise ClientError("channel code: script mode of the XGBoost image is not implemented by the local service")
        if name not in _CHANNELS:
            raise ClientError(f"Extraneous channel found: {name}")
        _check_configuration(name, channel)
    kinds = {name: CONTENT_TYPES[_content_type(channel)] for name, channel in config.items()}
    if len(set(kinds.values())) > 1:
        raise ClientError(
            f"The channels have different formats: {kinds}. The container reads both in the format of the train channel"
        )
    if weighted and kinds["train"] != "csv":
        raise ClientError(f"Hyperparameter csv_weights: it is for CSV, and the channels are {kinds['train']}")
    return [Channel(name, root / "input/data" / name, kinds[name], weighted) for name in _CHANNELS if name in config]


def _content_type(channel: Mapping[str, str]) -> str:
    return channel.get("ContentType") or _DEFAULT_CONTENT_TYPE


def _check_configuration(name: str, channel: Mapping[str, str]) -> None:
    piped = channel.get("TrainingInputMode") == "Pipe"
    kind = CONTENT_TYPES.get(_content_type(channel))
    if kind is None or (piped and kind == "libsvm"):
        shown = {"ContentType": _content_type(channel), **{key: value for key, value in channel.items() if value}}
        raise ClientError(f"Channel configuration for '{name}' channel is not supported: {shown}")
    for member in ("CompressionType", "RecordWrapperType"):
        if (value := channel.get(member, "None")) != "None":
            raise ClientError(f"channel {name}: {member} {value} is not implemented for XGBoost by the local service")


def _read_csv(channel: Channel, files: Sequence[Path]) -> xgboost.DMatrix:
    with files[0].open("rb") as file:
        delimiter = sniff(file.readline(CHUNK_BYTES))
    rows = RowBuffer(sum(1 + path.stat().st_size // CHUNK_BYTES for path in files))
    for path in files:
        for part in _csv_parts(channel, path, delimiter, rows.width):
            rows.add(part)
    data = rows.array()
    first = 2 if channel.weighted else 1
    if data.shape[1] <= first:
        raise ClientError(
            f"The {channel.name} channel has {number_of(data.shape[1], 'column')}: a row needs at least one feature"
        )
    wrong = np.flatnonzero(~np.isfinite(data[:, :first]).all(axis=1))
    if wrong.size:
        raise ClientError(f"Row {wrong[0] + 1} of the {channel.name} channel has no label, or no weight")
    weight = data[:, 1] if channel.weighted else None
    return _dense(data[:, first:], data[:, 0], weight)


def sniff(line: bytes) -> bytes:
    """Return the delimiter of CSV by its first line, as the container does with Python's ``csv.Sniffer``.

    Raises:
        ClientError: The line has no delimiter.
    """
    if b"," in line and b'"' not in line and b"'" not in line:
        return b","
    text = line.decode("utf-8", "replace")
    try:
        delimiter = csv.Sniffer().sniff(text).delimiter
    except csv.Error as error:
        raise ClientError(f"Could not determine delimiter on line {text[:50]}:\n{error}") from None
    if delimiter.isalnum() or delimiter in "+-.\r\n\"'" or not delimiter.isascii():
        raise ClientError(f"Could not determine delimiter on line {text[:50]}:\nit has no delimiter")
    return delimiter.encode()


def _csv_parts(channel: Channel, path: Path, delimiter: bytes, width: int | None) -> Iterator[Array]:
    before = 0
    with path.open("rb") as file:
        for text in whole_lines(file):
            if len(text) > LONGEST_PIECE:
                raise ClientError(f"{channel.place(path)}: row {before + 1} is longer than {LONGEST_PIECE} bytes")
            try:
                rows = parse_csv(text, width, delimiter=delimiter, missing=True)
            except CsvError as error:
                raise ClientError(
                    f"Failed to load csv data with exception:\n{channel.place(path)}: row {before + error.row} "
                    f"{error.reason}"
                ) from error
            yield rows
            width = rows.shape[1]
            before += len(rows)


def _read_libsvm(channel: Channel, files: Sequence[Path]) -> xgboost.DMatrix:
    """Read with the library's own reader, which the container uses. It reads one folder."""
    for path in files:
        with path.open("rb") as file:
            for line in file:
                if line.strip() and not _LIBSVM_LINE.fullmatch(line):
                    shown = line[:50].decode("utf-8", "replace").rstrip()
                    raise ClientError(
                        f"First line '{shown}...' of file '{path.name}' is not 'LIBSVM' format. Please ensure the file "
                        "is in 'LIBSVM' format."
                    )
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(files):
            Path(folder, f"{number:08d}").symlink_to(path.resolve())
        return xgboost.DMatrix(f"{folder}?format=libsvm")


def _read_parquet(channel: Channel, files: Sequence[Path]) -> xgboost.DMatrix:
    import pyarrow  # noqa: PLC0415 - slow to import, and few jobs need it
    import pyarrow.parquet  # noqa: PLC0415

    tables = []
    for path in files:
        try:
            tables.append(pyarrow.parquet.ParquetFile(path).read())
        except (pyarrow.ArrowException, OSError) as error:
            raise ClientError(
                f"Failed to load parquet data with exception:\n{channel.place(path)}: {first_lines(error)}"
            ) from error
    frame = pyarrow.concat_tables(tables).to_pandas()
    data: Any = frame.to_numpy().astype(np.float64)
    if data.shape[1] < 2:
        raise ClientError(f"The {channel.name} channel has one column: a row needs the label and at least one feature")
    return _dense(data[:, 1:], data[:, 0])


def _read_records(channel: Channel, files: Sequence[Path]) -> xgboost.DMatrix:
    parts, labels = [], []
    for path in files:
        try:
            features, label = decode_labelled(path.read_bytes())
        except RecordIOError as error:
            raise ClientError(
                f"Failed to load recordio-protobuf data with exception:\n{channel.place(path)}: {error}"
            ) from error
        if label is None:
            raise ClientError("Got input data without labels. Please check the input data set.")
        parts.append(features)
        labels.append(label)
    label = np.concatenate(labels)
    dense = [part for part in parts if isinstance(part, np.ndarray)]
    if len(dense) == len(parts):
        return _dense(np.vstack(dense), label)
    return xgboost.DMatrix(vstack([compressed(part) for part in parts]).tocsr(), label=label, nthread=cores())


def compressed(rows: Array | SparseRows) -> Any:
    """Return rows as a SciPy matrix in CSR form, whose absent values are missing values to the library."""
    if not isinstance(rows, SparseRows):
        return csr_matrix(rows)
    numbers, columns, values = rows.coordinates()
    return csr_matrix((values, (numbers, columns)), shape=rows.shape)


def _dense(features: Array, label: Array, weight: Array | None = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(features, label=label, weight=weight, nthread=cores())


def first_lines(error: Exception) -> str:
    """Return an error's text without the library's stack trace and without its time and place."""
    text = str(error).partition("Stack trace:")[0].strip()
    return re.sub(r"^\[[0-9:]+\] \S+: ", "", text)


_READERS: Final = {
    "csv": _read_csv,
    "libsvm": _read_libsvm,
    "parquet": _read_parquet,
    "recordio-protobuf": _read_records,
}
