"""Reads and writes files on this machine and in S3."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypedDict

from folds.errors import FoldError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef, ObjectIdentifierTypeDef

_COPIES_AT_ONCE = 64
LARGEST_COPY = 5 * 1024**3
"""The largest object that CopyObject copies, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html."""

UNFINISHED = "_unfinished-"
"""The beginning of the names of unfinished files."""

_HIDDEN_FILE = re.compile(r"\.|_[^=]*$|.*\._COPYING_$")
_HIDDEN_FOLDER = re.compile(r"\.|_(?!metadata|common_metadata)[^=]*$|.*\._COPYING_$")
"""Names of files that Spark does not read as data: ``HadoopFSUtils.shouldFilterOutPathName`` and, for files,
``isDataPath`` of ``PartitioningAwareFileIndex``."""

READ_AT_ONCE = 1024**2
LINE_BEYOND = 64 * 1024
"""The bytes to request beyond a span, for the rest of its last line."""


class Place(Protocol):
    """A file, or a folder of files whose names are relative to it, with ``/`` between their parts."""

    uri: str
    is_file: bool

    def files(self, prefix: str = "", *, linked: bool = False) -> dict[str, int]:
        """Return the sizes in bytes of the files whose names begin with a prefix; a single file has an empty name.

        Args:
            prefix: the prefix.
            linked: whether to include files in linked folders.
        """

    def delete(self, names: Iterable[str]) -> None:
        """Delete files."""

    def copy(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Copy files, each to one or more names, without reading them in this process."""

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a file to write. It appears complete when the context ends, or not at all if the context fails."""


def place(uri: str, kms_key: str | None = None) -> Place:
    """Return the file or folder of a URI.

    Args:
        uri: the URI.
        kms_key: the key that encrypts what is written to S3; None for the bucket's default.

    Raises:
        FoldError: the URI has another scheme or none.
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme in ("s3", "s3a"):
        bucket, _, prefix = rest.partition("/")
        if not bucket:
            raise FoldError(f"{uri!r} names no bucket: s3://bucket/prefix is expected")
        return S3Prefix(scheme, bucket, prefix, kms_key)
    if separator and scheme == "file" and rest.startswith("/"):
        return LocalFolder(Path(rest))
    raise FoldError(
        f"{uri!r} is no s3:// or file:/// URI. Without a scheme, a path would be in HDFS on SageMaker's cluster, "
        "where files are lost when the job ends"
    )


def find_input(uri: str) -> dict[str, int]:
    """Return the size in bytes of each input file of a URI, by the file's URI.

    A URI names a file, a folder with its subfolders, or in S3 a prefix of keys. A folder is read as a folder even if
    other keys begin with its name: next to ``data/insurance`` there is often ``data/insurance_folds``.

    Raises:
        FoldError: there are no files, or the URI is not valid.
    """
    source = place(uri)
    folder, sizes = source.uri, source.files(linked=True)
    if not sizes and isinstance(source, S3Prefix):
        folder, _, beginning = source.uri.rpartition("/")
        sizes = place(f"{folder}/").files(beginning) if not folder.endswith("/") else {}
    by_uri = {
        f"{folder}/{name}" if name else folder: size
        for name, size in sizes.items()
        # An object whose key ends with a slash marks a folder.
        if not name.endswith("/") and not _passed_over(name or folder.rpartition("/")[2])
    }
    if not by_uri:
        raise FoldError(f"the input {uri} is not there, or holds no files (but such as begin with a point or _)")
    return by_uri


def _passed_over(name: str) -> bool:
    """Return whether Spark and Hadoop ignore a file for its name or for the name of one of its folders."""
    *folders, file = name.split("/")
    return any(map(_HIDDEN_FOLDER.match, folders)) or _HIDDEN_FILE.match(file) is not None


def read_from(uri: str, start: int, end: int) -> BinaryIO:
    """Open a file for reading from one byte to another, and on to the end of the line."""
    scheme, _, rest = uri.partition("://")
    if scheme == "file":
        file = Path(rest).open("rb")  # noqa: SIM115 - closed by who reads it
        file.seek(start)
        return file
    bucket, _, key = rest.partition("/")
    return io.BufferedReader(_ObjectReader(bucket, key, start, end), READ_AT_ONCE)


class _ObjectReader(io.RawIOBase):
    """An S3 object, read by one request for a range, and by further requests if more is read."""

    def __init__(self, bucket: str, key: str, start: int, end: int) -> None:
        self._bucket, self._key = bucket, key
        self._position, self._end = start, end + LINE_BEYOND
        self._body: StreamingBody | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._body is None:
                self._body = self._request()
            if self._body is None:
                return 0
            data = self._body.read(len(buffer))
            if data:
                buffer[: len(data)] = data
                self._position += len(data)
                return len(data)
            self._body = None

    def _request(self) -> StreamingBody | None:
        """Request the next bytes; return None where there are no more."""
        end = max(self._end, self._position + READ_AT_ONCE)
        span = f"bytes={self._position}-{end - 1}"
        client = reading_client(os.environ.get("AWS_ENDPOINT_URL"))
        try:
            return client.get_object(Bucket=self._bucket, Key=self._key, Range=span)["Body"]
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRange":
                raise
            return None


class LocalFolder:
    """A file or folder on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.normpath(path))
        self.uri = f"file://{self._path}"
        self.is_file = self._path.is_file()

    def files(self, prefix: str = "", *, linked: bool = False) -> dict[str, int]:
        """Return the sizes in bytes of the files whose names begin with a prefix; a single file has an empty name.

        Raises:
            OSError: a folder cannot be read.
        """
        if self.is_file:
            return {"": self._path.stat().st_size}
        sizes = {}
        for folder, _, names in os.walk(self._path, onerror=_unless_absent, followlinks=linked):
            for path in (Path(folder, name) for name in names):
                name = path.relative_to(self._path).as_posix()
                # A task that ends may delete its unfinished file at this moment.
                with suppress(FileNotFoundError):
                    if name.startswith(prefix) and path.is_file():
                        sizes[name] = path.stat().st_size
        return sizes

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, and folders that become empty."""
        folders: set[Path] = set()
        for name in names:
            path = self._path / name
            path.unlink(missing_ok=True)
            folders.update(path.parents[: name.count("/")])
        for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def copy(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Link files, or copy them if the disk does not support links."""
        for source, names in targets.items():
            for name in names:
                target = self._path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(self._path / source, target)
                except OSError:
                    shutil.copyfile(self._path / source, target)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file to write. It appears complete when the context ends, or not at all if the context fails."""
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Unique per writer: Spark may rerun a task whose first attempt is still running.
        unfinished = target.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
        try:
            with unfinished.open("xb") as file:
                yield file
            unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


class _Encryption(TypedDict, total=False):
    """How S3 is to encrypt an object; empty for the bucket's default."""

    ServerSideEncryption: Literal["aws:kms"]
    SSEKMSKeyId: str


class S3Prefix:
    """An object, or the objects under a prefix."""

    def __init__(self, scheme: str, bucket: str, prefix: str, kms_key: str | None) -> None:
        self._bucket = bucket
        self._encryption: _Encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._client = _client()
        key = prefix.rstrip("/")
        # Keys are listed in order, so a key that equals the prefix comes first.
        self.is_file = bool(key) and next((name for name, _ in self._list(key)), None) == key
        self._key = key if self.is_file or not key else f"{key}/"
        self.uri = f"{scheme}://{bucket}/{key}".rstrip("/")

    def files(self, prefix: str = "", *, linked: bool = False) -> dict[str, int]:
        """Return the sizes in bytes of the objects whose names begin with a prefix; a single object has an empty name.

        Objects that mark folders, whose names end with a slash, are included.
        """
        sizes = {key[len(self._key) :]: size for key, size in self._list(self._key + prefix)}
        return {name: size for name, size in sizes.items() if name or self.is_file}

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects."""
        keys = [self._key + name for name in names]
        for start in range(0, len(keys), 1000):
            batch: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + 1000]]
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                raise FoldError(f"s3://{self._bucket}/{error['Key']} cannot be deleted: {error.get('Message')}")

    def copy(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Copy objects within S3."""
        beginning = os.path.commonprefix(list(targets))  # noqa: RUF071 - of names, that S3 lists by prefix
        sizes = self.files(beginning)
        with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
            copies = [
                pool.submit(self._copy, source, name, sizes[source])
                for source, names in targets.items()
                for name in names
            ]
        for copied in copies:
            copied.result()

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield an object to write. It appears complete when the context ends, or not at all if the context fails."""
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            self._client.upload_fileobj(file, self._bucket, self._key + name, ExtraArgs=dict(self._encryption))

    def _copy(self, source: str, target: str, size: int) -> None:
        origin: CopySourceTypeDef = {"Bucket": self._bucket, "Key": self._key + source}
        if size > LARGEST_COPY:
            self._client.copy(origin, self._bucket, self._key + target, ExtraArgs=dict(self._encryption))
        else:
            self._client.copy_object(Bucket=self._bucket, Key=self._key + target, CopySource=origin, **self._encryption)

    def _list(self, prefix: str) -> Iterator[tuple[str, int]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]


@lru_cache(maxsize=1)
def reading_client(_endpoint: str | None) -> S3Client:
    """Return the process's S3 client."""
    return _client()


def _client() -> S3Client:
    # Imported here, because the import takes a third of a second, and local files do not need it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    settings = Config(max_pool_connections=_COPIES_AT_ONCE, retries={"mode": "adaptive", "max_attempts": 10})
    # SageMaker gives its jobs AWS_REGION, which boto3 itself does not read.
    return boto3.client("s3", region_name=os.environ.get("AWS_REGION"), config=settings)
