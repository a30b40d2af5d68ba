"""Find, write and delete buckets and objects, which are folders and files."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from local.api.s3.errors import s3_error
from local.api.s3.sidecars import ObjectInfo, info_of, sidecar_content
from local.core.errors import ServiceError
from local.storage.key_listing import KeyListing
from local.storage.object_paths import INTERNAL_PREFIX, RefusedNameError
from local.storage.objects import Objects

_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
"""Of buckets' names. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

Condition = Callable[[ObjectInfo | None], None]
"""Raises a ServiceError if the existing object, or None, does not permit the change."""


class ObjectFiles:
    """The files behind S3.

    Only one change is made at a time, so that a condition still holds when its change is made.

    Args:
        objects: the folders and files.

    Attributes:
        internal: the folder for the server's own files. It is on the same file system as the buckets.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._places = objects.places
        self._change = objects.places.change
        self.internal = objects.root / INTERNAL_PREFIX
        self._unfinished = self.internal / "uploads"
        # Files that an earlier run left unfinished.
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(parents=True)

    def buckets(self) -> list[tuple[str, datetime]]:
        """Return the buckets' names, sorted, with the times at which their folders last changed."""
        found = []
        for entry in os.scandir(self._objects.root):
            with contextlib.suppress(ServiceError, FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    folder = self.bucket(entry.name)
                    found.append((entry.name, datetime.fromtimestamp(folder.stat().st_ctime, UTC)))
        return sorted(found)

    def bucket(self, bucket: str) -> Path:
        """Return a bucket's folder.

        Raises:
            ServiceError: the bucket does not exist, or the name is not valid.
        """
        folder = self._bucket_path(bucket)
        if not folder.is_dir():
            raise s3_error("NoSuchBucket")
        return folder

    def create_bucket(self, bucket: str, *, again: bool) -> None:
        """Create a bucket.

        Args:
            bucket: the bucket's name.
            again: whether the bucket may exist.

        Raises:
            ServiceError: the bucket exists, or the name is not valid.
        """
        folder = self._bucket_path(bucket)
        if bucket.startswith(_RESERVED_PREFIXES) or bucket.endswith(_RESERVED_SUFFIXES):
            raise s3_error("InvalidBucketName", f"the specified bucket is not valid: {bucket}: S3 reserves such names")
        try:
            folder.mkdir()
        except FileExistsError:
            if not (again and folder.is_dir()):
                raise s3_error("BucketAlreadyOwnedByYou") from None

    def delete_bucket(self, bucket: str) -> None:
        """Delete an empty bucket.

        Raises:
            ServiceError: the bucket has objects or does not exist.
        """
        self.bucket(bucket)
        if not self._places.remove_bucket(bucket):
            raise s3_error("BucketNotEmpty")

    def check(self, bucket: str, key: str) -> None:
        """Check that an object can have a key. It need not exist.

        Raises:
            ServiceError: the bucket does not exist, or S3 refuses the key.
        """
        with _s3_names():
            self._objects.paths.plain(bucket, key)
        self.bucket(bucket)

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Return an object's properties.

        Raises:
            ServiceError: the object does not exist.
        """
        info = self.find(bucket, key)
        if info is None:
            raise s3_error("NoSuchKey")
        return info

    def find(self, bucket: str, key: str) -> ObjectInfo | None:
        """Return an object's properties, or None if it does not exist."""
        try:
            with _s3_names():
                status = self._places.status(bucket, key)
        except FileNotFoundError:
            self.bucket(bucket)
            return None
        return info_of(self._places.sidecar(bucket, key), status)

    def open(self, bucket: str, key: str) -> tuple[IO[bytes], ObjectInfo]:
        """Open an object.

        Returns:
            The open file and the properties of exactly this file, even if the object is replaced meanwhile.

        Raises:
            ServiceError: the object does not exist.
        """
        try:
            with _s3_names():
                file = self._places.open(bucket, key)
        except FileNotFoundError:
            self.bucket(bucket)
            raise s3_error("NoSuchKey") from None
        return file, info_of(self._places.sidecar(bucket, key), os.fstat(file.fileno()))

    def keys(self, bucket: str, prefix: str, after: str = "") -> KeyListing:
        """Return the keys that begin with a prefix and follow a key, in order."""
        self.bucket(bucket)
        return self._objects.listing(bucket, prefix, after)

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Provide the path of a temporary file, which is removed at the end unless it was moved."""
        path = self._unfinished / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(self, bucket: str, key: str, unfinished: Path, info: ObjectInfo, condition: Condition) -> None:
        """Make a file an object. If the process ends meanwhile, the object is the old one or the new one.

        Args:
            bucket: the bucket.
            key: the object's key.
            unfinished: the complete file, synced to disk.
            info: the object's properties.
            condition: called with the existing object before the change.

        Raises:
            ServiceError: the condition is not met, or the bucket does not exist.
        """
        os.utime(unfinished, ns=(info.nanoseconds, info.nanoseconds))
        with self._change, self.unfinished() as noted:
            condition(self.find(bucket, key))
            sidecar = self._places.sidecar(bucket, key)
            sidecar.parent.mkdir(parents=True, exist_ok=True)
            write_durably(noted, sidecar_content(info, sidecar))
            noted.replace(sidecar)
            self._places.put(bucket, key, unfinished)

    def change(self, bucket: str, key: str, update: Callable[[ObjectInfo], ObjectInfo]) -> None:
        """Change an object's properties, but not its content.

        Args:
            bucket: the bucket.
            key: the object's key.
            update: returns the new properties. Size and modification time must be the same.

        Raises:
            ServiceError: the object does not exist.
        """
        with self._change, self.unfinished() as noted:
            info, sidecar = update(self.info(bucket, key)), self._places.sidecar(bucket, key)
            sidecar.parent.mkdir(parents=True, exist_ok=True)
            write_durably(noted, sidecar_content(info, sidecar))
            noted.replace(sidecar)

    def delete(self, bucket: str, key: str, condition: Condition) -> None:
        """Delete an object, if it exists.

        Raises:
            ServiceError: the condition is not met, or the bucket does not exist.
        """
        with self._change:
            condition(self.find(bucket, key))
            self._places.remove(bucket, key)

    def _bucket_path(self, bucket: str) -> Path:
        with _s3_names():
            return self._objects.paths.bucket(bucket)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file and sync it to disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


@contextmanager
def _s3_names() -> Iterator[None]:
    try:
        yield
    except RefusedNameError as error:
        raise ServiceError(error.s3_code, error.message, error.s3_status) from None
