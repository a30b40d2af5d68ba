"""Buckets and objects as folders and files: found, put into place whole, removed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from local.api.s3.errors import s3_error
from local.api.s3.sidecars import ObjectInfo, info_of, sidecar_content
from local.core.errors import ServiceError
from local.storage.object_paths import INTERNAL_PREFIX, RefusedNameError
from local.storage.objects import Objects

Condition = Callable[[ObjectInfo | None], None]
"""Raises if an object, or that there is none, forbids what is to be done."""


class ObjectFiles:
    """The files behind S3.

    Changes are made one at a time, so that a condition holds when its change is made.

    Args:
        objects: where buckets and objects lie.

    Attributes:
        internal: the folder of what is no bucket's; it is on the buckets' file system.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._change = threading.Lock()
        self.internal = objects.root / INTERNAL_PREFIX
        self._unfinished = self.internal / "uploads"
        # What an earlier run did not finish.
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(parents=True)

    def buckets(self) -> list[tuple[str, datetime]]:
        """Return the buckets' names, sorted, with the times of their last changes."""
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
            ServiceError: there is none, or no bucket can have that name.
        """
        folder = self._bucket_path(bucket)
        if not folder.is_dir():
            raise s3_error("NoSuchBucket")
        return folder

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket.

        Raises:
            ServiceError: it exists, or no bucket can have that name.
        """
        try:
            self._bucket_path(bucket).mkdir()
        except FileExistsError:
            raise s3_error("BucketAlreadyOwnedByYou") from None

    def delete_bucket(self, bucket: str) -> None:
        """Remove a bucket without objects.

        Raises:
            ServiceError: it has objects, or is not there.
        """
        folder = self.bucket(bucket)
        with self._change:
            if self._objects.keys(f"s3://{bucket}/"):
                raise s3_error("BucketNotEmpty")
            shutil.rmtree(folder)

    def path(self, bucket: str, key: str) -> Path:
        """Return the file of an object, there or not.

        Raises:
            ServiceError: the bucket is not there, or the key has no path here.
        """
        with _s3_names():
            path = self._objects.paths.object(bucket, key)
        self.bucket(bucket)
        return path

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Return what is known of an object.

        Raises:
            ServiceError: it is not there.
        """
        info = self.find(bucket, key)
        if info is None:
            raise s3_error("NoSuchKey")
        return info

    def find(self, bucket: str, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None where there is none."""
        path = self.path(bucket, key)
        if not path.is_file():
            return None
        try:
            return info_of(self._objects.paths.sidecar(bucket, key), path.lstat())
        except FileNotFoundError:
            return None

    def open(self, bucket: str, key: str) -> tuple[IO[bytes], ObjectInfo]:
        """Open an object, and return what is known of the very file that was opened.

        Raises:
            ServiceError: it is not there.
        """
        path = self.path(bucket, key)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise s3_error("NoSuchKey") from None
        return file, info_of(self._objects.paths.sidecar(bucket, key), os.fstat(file.fileno()))

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Give the keys that begin with a prefix, in order."""
        self.bucket(bucket)
        # The end of a prefix need not be the end of a key's part: it may be "." where that of a key may not.
        folder, slash, _ = prefix.rpartition("/")
        try:
            keys = self._objects.keys(f"s3://{bucket}/{folder}{slash}")
        except ServiceError:
            # No key that begins so can be kept here.
            return
        yield from (key for key in keys if key.startswith(prefix))

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Give the path of a file to be; it is removed at the end, unless it was put into place."""
        path = self._unfinished / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(self, bucket: str, key: str, unfinished: Path, info: ObjectInfo, condition: Condition) -> None:
        """Put a file into an object's place, whole or not at all, whenever the process ends.

        Args:
            bucket: the bucket.
            key: the object's key.
            unfinished: the file, on the disk as a whole.
            info: what is known of it.
            condition: asked of the object that was there.

        Raises:
            ServiceError: the condition's, or the bucket is not there.
        """
        os.utime(unfinished, ns=(info.nanoseconds, info.nanoseconds))
        with self._change, self.unfinished() as noted:
            target, sidecar = self.path(bucket, key), self._objects.paths.sidecar(bucket, key)
            condition(self.find(bucket, key))
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "the key is a folder of others", key)
            target.parent.mkdir(parents=True, exist_ok=True)
            sidecar.parent.mkdir(parents=True, exist_ok=True)
            write_durably(noted, sidecar_content(info, sidecar))
            noted.replace(sidecar)
            unfinished.replace(target)

    def delete(self, bucket: str, key: str, condition: Condition) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            ServiceError: the condition's, or the bucket is not there.
        """
        with self._change:
            path = self.path(bucket, key)
            condition(self.find(bucket, key))
            if path.is_dir():
                # A key that is only the beginning of others is no object.
                return
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
                self._objects.paths.sidecar(bucket, key).unlink(missing_ok=True)
                _remove_empty(path.parent, self.bucket(bucket))

    def _bucket_path(self, bucket: str) -> Path:
        with _s3_names():
            return self._objects.paths.bucket(bucket)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file, and return once it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def now() -> datetime:
    """Return the time that an object is written at."""
    return datetime.now(UTC)


def _remove_empty(folder: Path, bucket: Path) -> None:
    """Remove the folders that an object was the last in: a key with a folder's name is free then."""
    while folder != bucket:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


@contextmanager
def _s3_names() -> Iterator[None]:
    try:
        yield
    except RefusedNameError as error:
        raise ServiceError(error.s3_code, error.message, error.s3_status) from None
