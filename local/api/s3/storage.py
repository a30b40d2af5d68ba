"""S3 objects as nanio keeps them, made fit for files that jobs write into the buckets without it.

Nanio notes an object's ETag, content type and more in a sidecar file. A job that writes the object's file knows
nothing of that, so a sidecar counts only while the file is the very one that it was written for.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from nanio.errors import BadDigest, BucketNotEmpty, InvalidArgument, NoSuchKey, S3Error
from nanio.storage.backend import GetObjectResult, ListResult, ObjectInfo
from nanio.storage.filesystem import FilesystemStorage
from nanio.storage.metadata import read_metadata, write_metadata

from local.core.errors import ServiceError
from local.storage.object_paths import RefusedNameError
from local.storage.objects import Objects

_AFTER_ALL = "\U0010ffff"


class InvalidRange(S3Error):  # type: ignore[misc]  # noqa: N818
    """A range that begins beyond the object's end."""

    code = "InvalidRange"
    message = "The requested range is not satisfiable"
    http_status = 416


class BucketFiles(FilesystemStorage):  # type: ignore[misc]
    """Buckets and objects on the file system."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(objects.root)
        self._objects = objects
        self.uploads = objects.root / ".nanio" / "uploads"
        # What an earlier run did not finish.
        shutil.rmtree(self.uploads, ignore_errors=True)
        self.uploads.mkdir(parents=True)

    async def put_object(  # noqa: PLR0913 - nanio's interface
        self,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        *,
        content_type: str = "application/octet-stream",
        user_metadata: Mapping[str, str] | None = None,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        cache_control: str | None = None,
        expected_md5: str | None = None,
    ) -> ObjectInfo:
        """Write an object; it is there as a whole once this returns, and not at all if it raises."""
        self._require_bucket_dir(bucket)
        target = self.path(bucket, key)
        unfinished = self.uploads / uuid.uuid4().hex
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        try:
            with unfinished.open("xb") as file:
                async for part in body:
                    await asyncio.to_thread(file.write, part)
                    digest.update(part)
                    size += len(part)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            if expected_md5 not in (None, base64.b64encode(digest.digest()).decode()):
                raise BadDigest
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        info = ObjectInfo(
            key=key,
            size=size,
            etag=f'"{digest.hexdigest()}"',
            last_modified=datetime.now(UTC),
            content_type=content_type,
            user_metadata=dict(user_metadata or {}),
            content_encoding=content_encoding,
            content_disposition=content_disposition,
            cache_control=cache_control,
        )
        write_metadata(self._sidecar(bucket, key), info)
        self.stamp(bucket, key)
        return info

    def bucket_path(self, bucket: str) -> Path:
        """Return the folder of a bucket, there or not.

        Raises:
            S3Error: no bucket can have that name.
        """
        try:
            return self._objects.paths.bucket(bucket)
        except RefusedNameError as error:
            raise _as_s3_error(error) from None

    def path(self, bucket: str, key: str) -> Path:
        """Return the file of an object, there or not; nanio makes its own paths only of keys that passed here.

        Raises:
            S3Error: the bucket's name or the key has no path here.
        """
        try:
            return self._objects.paths.object(bucket, key)
        except RefusedNameError as error:
            raise _as_s3_error(error) from None

    def _sidecar(self, bucket: str, key: str) -> Path:
        return self._objects.paths.sidecar(bucket, key)

    def stamp(self, bucket: str, key: str) -> None:
        """Give an object's file the time that its sidecar notes: the mark of the pair."""
        noted = read_metadata(self._sidecar(bucket, key), key).last_modified
        nanoseconds = round(noted.timestamp() * 1_000_000) * 1000
        os.utime(self.path(bucket, key), ns=(nanoseconds, nanoseconds))

    async def get_object(
        self, bucket: str, key: str, *, range_start: int | None = None, range_end: int | None = None
    ) -> GetObjectResult:
        """Read an object, or a part of it; a range that goes beyond the end gives what there is."""
        size = self.head_object(bucket, key).size
        if range_start is not None:
            if range_start >= size:
                raise InvalidRange
            range_end = size - 1 if range_end is None else min(range_end, size - 1)
        return await super().get_object(bucket, key, range_start=range_start, range_end=range_end)

    def delete_object(self, bucket: str, key: str) -> None:
        """Remove an object; a key that is only the beginning of others is no object."""
        if not self.path(bucket, key).is_dir():
            super().delete_object(bucket, key)

    def delete_bucket(self, bucket: str) -> None:
        """Remove a bucket without objects."""
        folder = self._require_bucket_dir(bucket)
        if self._objects.keys(f"s3://{bucket}/"):
            raise BucketNotEmpty(resource=bucket)
        shutil.rmtree(folder)

    def list_objects(  # noqa: PLR0913 - nanio's interface
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        max_keys: int = 1000,
        continuation_token: str | None = None,
        start_after: str | None = None,
    ) -> ListResult:
        """List keys in order, with those that share a beginning up to the delimiter rolled into one."""
        self._require_bucket_dir(bucket)
        after = _resume(continuation_token) if continuation_token else start_after or ""
        contents: list[ObjectInfo] = []
        common: list[str] = []
        last = ""
        for key in self._beginning_with(bucket, prefix):
            if key <= after or (common and key.startswith(common[-1])):
                continue
            if len(contents) + len(common) == max_keys:
                return ListResult(contents, common, max_keys > 0, _token(last))
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                common.append(key[: cut + len(delimiter or "")])
                last = common[-1] + _AFTER_ALL
            else:
                contents.extend(self._listed(bucket, key))
                last = key
        return ListResult(contents, common, False, None)

    def _beginning_with(self, bucket: str, prefix: str) -> Iterator[str]:
        # The end of a prefix need not be the end of a key's part: it may be "." where that of a key may not.
        folder, slash, _ = prefix.rpartition("/")
        try:
            keys = self._objects.keys(f"s3://{bucket}/{folder}{slash}")
        except ServiceError:
            # No key that begins so can be kept here.
            return
        yield from (key for key in keys if key.startswith(prefix))

    def _listed(self, bucket: str, key: str) -> list[ObjectInfo]:
        try:
            return [self._read_or_synthesize_metadata(bucket, key, self.path(bucket, key))]
        except (NoSuchKey, FileNotFoundError):
            return []

    def _read_or_synthesize_metadata(self, bucket: str, key: str, opath: Path) -> ObjectInfo:
        try:
            stat = opath.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchKey(resource=f"{bucket}/{key}") from None
        try:
            noted: ObjectInfo = read_metadata(self._sidecar(bucket, key), key)
        except (OSError, ValueError, KeyError):
            noted = None
        if noted is not None and noted.size == stat.st_size:
            marked = round(noted.last_modified.timestamp() * 1_000_000) * 1000
            if marked == stat.st_mtime_ns:
                return noted
        state = f"{stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"
        # An ETag with a dash is not taken for the content's MD5, which would have to be computed.
        digest = hashlib.md5(state.encode(), usedforsecurity=False).hexdigest()
        modified = datetime.fromtimestamp(stat.st_mtime, UTC)
        return ObjectInfo(key=key, size=stat.st_size, etag=f'"{digest}-1"', last_modified=modified)


def _as_s3_error(error: RefusedNameError) -> S3Error:
    fault = S3Error(error.message)
    fault.code, fault.http_status = error.s3_code, error.s3_status
    return fault


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _resume(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidArgument("The continuation token provided is incorrect") from None
