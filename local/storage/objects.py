"""S3 objects as files: what a job reads and writes there *is* in S3.

The object ``s3://bucket/key`` is the file ``<buckets>/bucket/key``. The S3 server keeps what else it knows of an
object (its ETag, content type) beside it under ``<bucket>/.nanio-meta/``; an object that a job wrote has none.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.core.errors import validation_error
from local.storage.object_paths import INTERNAL_PREFIX, BucketPaths, RefusedNameError, check_key

_S3_URI = re.compile(r"s3://([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class S3Uri:
    """A bucket and a key (or the beginning of keys)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Take an ``s3://bucket/key`` URI apart; ``s3a`` and ``https`` are not S3 URIs to SageMaker.

        Raises:
            ServiceError: ValidationException, the text is not an S3 URI, or no key that begins so can be kept here.
        """
        match = _S3_URI.fullmatch(uri)
        if match is None:
            raise validation_error(f"{uri!r} is not an S3 URI: s3://bucket/key is expected")
        # A prefix may end with a slash, or within a name.
        if prefix := (match[2] or "").removesuffix("/"):
            check_key(prefix)
        elif match[2]:
            raise validation_error(f"{uri!r}: a key that begins with a slash is not implemented by the local service")
        return cls(match[1], match[2] or "")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectTooLargeError(Exception):
    """An object is larger than its reader takes; the text says by how much."""


class UploadError(Exception):
    """A file of a job's output cannot be an object; the text names it and says why."""


class Objects:
    """The buckets' files."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.paths = BucketPaths(root)
        self.root = self.paths.root

    def path(self, uri: str) -> Path:
        """Return the file of an object, there or not.

        Raises:
            ServiceError: ValidationException, not the URI of an object that can be kept here.
        """
        parsed = S3Uri.parse(uri)
        return self.paths.object(parsed.bucket, parsed.key)

    def bucket_exists(self, uri: str) -> bool:
        """Return whether the bucket that the URI names exists."""
        return self.paths.bucket(S3Uri.parse(uri).bucket).is_dir()

    def exists(self, uri: str) -> bool:
        """Return whether an object of exactly this key exists."""
        # A prefix that ends with a slash is no object.
        key = S3Uri.parse(uri).key
        return key != "" and not key.endswith("/") and self.path(uri).is_file()

    def read(self, uri: str, at_most: int | None = None) -> bytes:
        """Return an object's bytes.

        Args:
            uri: the object.
            at_most: how many bytes it may have.

        Raises:
            FileNotFoundError: no such object.
            ObjectTooLargeError: it has more than ``at_most`` bytes.
        """
        with self.path(uri).open("rb") as file:
            if at_most is not None and (size := os.fstat(file.fileno()).st_size) > at_most:
                raise ObjectTooLargeError(f"{uri} has {size} bytes, and at most {at_most} are read")
            return file.read()

    def write(self, uri: str, content: bytes) -> None:
        """Write an object; a reader sees the old one or the new one, never a part."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix=INTERNAL_PREFIX) as folder:
            source = Path(folder) / "object"
            source.write_bytes(content)
            self.put(uri, source)

    def put(self, uri: str, source: Path) -> None:
        """Move a file of the same file system into the object's place."""
        target = self.path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        self._forget_metadata(uri)
        source.replace(target)

    def keys(self, prefix_uri: str) -> list[str]:
        """Return keys that begin with the URI's key, sorted: what ListObjectsV2 gives for that prefix."""
        parsed = S3Uri.parse(prefix_uri)
        bucket, folder = self.paths.bucket(parsed.bucket), parsed.key.rpartition("/")[0]
        start = self.paths.object(parsed.bucket, folder) if folder else bucket
        # Paths with os.sep are keys, as the parts of a key are those of its path.
        found = (path[len(str(bucket)) + 1 :] for path in _files_under(start))
        return sorted(key for key in found if key.startswith(parsed.key))

    def upload(self, folder: Path, uri: str) -> list[str]:
        """Copy every file under a folder to keys under the URI; return the keys.

        Raises:
            UploadError: a file cannot be an object; none was copied.
        """
        parsed = S3Uri.parse(uri)
        uris = {file: self.uri_of(file, folder, parsed) for file in files_to_upload(folder)}
        for file, target in uris.items():
            self.copy_in(file, str(target))
        return [target.key for target in uris.values()]

    def uri_of(self, file: Path, folder: Path, uri: S3Uri) -> S3Uri:
        """Return the object that a file under a folder becomes under a URI.

        Raises:
            UploadError: it cannot be one.
        """
        place = file.relative_to(folder).as_posix()
        target = S3Uri(uri.bucket, "/".join(part for part in (uri.key.rstrip("/"), place) if part))
        try:
            self.paths.object(target.bucket, target.key)
        except RefusedNameError as error:
            raise UploadError(f"{place!r} cannot be an object: {error.message}") from None
        return target

    def delete(self, uri: str) -> None:
        """Remove an object; one that is not there is no error."""
        self._forget_metadata(uri)
        self.path(uri).unlink(missing_ok=True)

    def copy_in(self, file: Path, uri: str) -> None:
        """Copy a file into the object's place."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix=INTERNAL_PREFIX) as folder:
            copy = Path(folder) / "object"
            shutil.copyfile(file, copy)
            self.put(uri, copy)

    def _forget_metadata(self, uri: str) -> None:
        parsed = S3Uri.parse(uri)
        self.paths.sidecar(parsed.bucket, parsed.key).unlink(missing_ok=True)


def _files_under(folder: Path) -> Iterator[str]:
    """Plain files: a symbolic link that somebody put into a bucket is no object."""
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(INTERNAL_PREFIX)]
        for name in files:
            path = os.path.join(directory, name)  # noqa: PTH118 - a bucket may hold a hundred thousand files
            if not os.path.islink(path):  # noqa: PTH114
                yield path


def files_to_upload(folder: Path) -> Iterator[Path]:
    """The files under a job's output folder, sorted.

    Raises:
        UploadError: a symbolic link leads out of the folder: what it names is not the job's output.
    """
    inside = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and inside not in path.resolve().parents:
            place = path.relative_to(folder).as_posix()
            raise UploadError(f"{place!r} is a symbolic link that leads out of the output's folder")
        if path.is_file():
            yield path
