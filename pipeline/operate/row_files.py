"""Finds and reads the CSV files of a path or an S3 URI. No file is held in memory as a whole."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.operate.bodies import read_body
from pipeline.s3_uris import split_uri

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_SUFFIXES = (".csv", ".csv.gz")
_FIRST_BLOCK, _LARGEST_BLOCK = 1 << 18, 1 << 23
"""Sizes of an S3 object's blocks, in bytes. The first is small, because reading a header needs no more."""


class RowFile:
    """A CSV file on this machine or in S3; files named ``.gz`` are decompressed.

    Attributes:
        name: the path or the S3 URI.
        size: the number of stored bytes.
        has_mark: whether the file begins with UTF-8's byte order mark, as far as it was opened as UTF-8.
    """

    def __init__(self, name: str, size: int, open_bytes: Callable[[], io.RawIOBase]) -> None:
        self.name, self.size, self.has_mark = name, size, False
        self._open_bytes = open_bytes
        self._raw: io.RawIOBase | None = None

    @property
    def position(self) -> int:
        """The number of stored bytes that have been read; 0 if the file is not open."""
        return 0 if self._raw is None else self._raw.tell()

    @contextmanager
    def open(self, encoding: str) -> Iterator[io.TextIOWrapper]:
        """Open the file as text for the module ``csv``; invalid bytes become surrogates.

        Raises:
            UserError: the file cannot be read, or the encoding is not known.
        """
        try:
            codec = codecs.lookup(encoding).name
        except LookupError:
            raise UserError(f"dataset.encoding: {encoding} is not known: UTF-8 and ISO-8859-1 are usual") from None
        try:
            with self._open_bytes() as raw:
                self._raw = raw
                stored: Any = io.BufferedReader(raw, _FIRST_BLOCK)
                content = gzip.GzipFile(fileobj=stored) if self.name.endswith(".gz") else stored
                if codec == "utf-8":
                    self.has_mark = content.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8)
                yield io.TextIOWrapper(content, "utf-8-sig" if self.has_mark else codec, "surrogateescape", "")
        except (OSError, EOFError, UnicodeError, zlib.error) as error:
            raise UserError(f"{self.name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        finally:
            self._raw = None


def find_files(source: str, s3: S3Client) -> list[RowFile]:
    """Return the files of a path or an S3 URI, sorted by name.

    Args:
        source: a file or a folder on this machine, or the S3 URI of an object, a folder or another prefix. Of a folder
            or a prefix, the files are those that end with .csv or .csv.gz, also in folders below.
        s3: boto3's S3 client.

    Raises:
        UserError: there is no such file.
    """
    files = _stored_files(source, s3) if source.startswith("s3://") else _local_files(Path(source))
    if not files:
        raise UserError(f"{source}: has no files that end with {' or '.join(_SUFFIXES)}")
    return files


def _local_files(path: Path) -> list[RowFile]:
    if path.is_dir():
        return [_local_file(file) for file in sorted(path.rglob("*")) if _is_csv(file.name) and file.is_file()]
    return [_local_file(path)]


def _local_file(path: Path) -> RowFile:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if not path.is_file():
        # Files are opened twice, which a pipe does not allow.
        raise UserError(f"{path}: is neither a file nor a folder")
    return RowFile(str(path), size, lambda: path.open("rb", buffering=0))


def _stored_files(uri: str, s3: S3Client) -> list[RowFile]:
    bucket, prefix = split_uri(uri)
    if not bucket:
        raise UserError(f"{uri}: has no bucket: s3://bucket/prefix is expected")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found: dict[str, Any] = {item["Key"]: item for page in pages for item in page.get("Contents", [])}
    if not found:
        raise UserError(f"{uri}: there is no such object or prefix")
    return [_stored_file(s3, bucket, found[key]) for key in _chosen(found, prefix)]


def _chosen(keys: Sequence[str] | dict[str, Any], prefix: str) -> list[str]:
    """Return the object of this name, or else the files in this folder, or else those with this prefix."""
    if prefix in keys and not prefix.endswith("/"):
        return [prefix]
    named = sorted(key for key in keys if _is_csv(key.rpartition("/")[2]))
    folder = f"{prefix.rstrip('/')}/"
    return [key for key in named if key.startswith(folder)] or named


def _stored_file(s3: S3Client, bucket: str, item: dict[str, Any]) -> RowFile:
    key, size, etag = item["Key"], item["Size"], item["ETag"]
    return RowFile(f"s3://{bucket}/{key}", size, lambda: _StoredBytes(s3, bucket, key, size, etag))


def _is_csv(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not name.startswith((".", "_"))


class _StoredBytes(io.RawIOBase):
    """The bytes of an S3 object, read in blocks.

    Each block is a request of its own, which can be repeated. A connection that stays open for as long as the rows are
    scored would break sooner or later.
    """

    def __init__(self, s3: S3Client, bucket: str, key: str, size: int, etag: str) -> None:
        self._s3, self._bucket, self._key, self._size, self._etag = s3, bucket, key, size, etag
        self._block = memoryview(b"")
        self._next = 0
        self._length = _FIRST_BLOCK

    def readable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the number of bytes that have been read."""
        return self._next - len(self._block)

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer and return their number; 0 at the end."""
        if not self._block and self._next < self._size:
            self._block = memoryview(self._fetch())
            self._next += len(self._block)
        count = min(len(buffer), len(self._block))
        buffer[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def _fetch(self) -> bytes:
        last = min(self._next + self._length, self._size) - 1
        self._length = min(2 * self._length, _LARGEST_BLOCK)
        place: Any = {"Bucket": self._bucket, "Key": self._key, "Range": f"bytes={self._next}-{last}"}
        # IfMatch: blocks of two versions would make rows that are in neither.
        return read_body(lambda: self._s3.get_object(**place, IfMatch=self._etag)["Body"])
