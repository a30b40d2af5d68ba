"""S3 objects as files: what a job reads and writes there *is* in S3.

The object ``s3://bucket/key`` is the file ``<buckets>/bucket/key``. The S3 server keeps what else it knows of an
object (its ETag, content type) beside it under ``<bucket>/.nanio-meta/``; an object that a job wrote has none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.errors import validation_error

METADATA_FOLDER = ".nanio-meta"
_INTERNAL_PREFIX = ".nanio"
_UNFINISHED_PREFIX = ".tmp."


@dataclass(frozen=True)
class S3Uri:
    """A bucket and a key (or the beginning of keys)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Take an ``s3://bucket/key`` URI apart; ``s3a`` and ``https`` are not S3 URIs to SageMaker.

        Raises:
            ServiceError: ValidationException, the text is not an S3 URI, or its key has a ``.`` or ``..`` segment.
        """
        parts = urlsplit(uri, allow_fragments=False)
        key = uri.split("/", 3)[3] if uri.count("/") >= 3 else ""
        if parts.scheme != "s3" or not parts.netloc:
            raise validation_error(f"{uri!r} is not an S3 URI: s3://bucket/key is expected")
        if any(segment in (".", "..") for segment in key.split("/")) or parts.netloc in (".", ".."):
            raise validation_error(f"{uri!r}: a key with the segment '.' or '..' is refused")
        return cls(parts.netloc, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Objects:
    """The buckets' files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def path(self, uri: str) -> Path:
        """The file of an object, there or not.

        Raises:
            ServiceError: ValidationException, not an S3 URI, or one that would leave its bucket.
        """
        parsed = S3Uri.parse(uri)
        return self.root / parsed.bucket / parsed.key

    def bucket_exists(self, uri: str) -> bool:
        """Whether the bucket that the URI names exists."""
        return (self.root / S3Uri.parse(uri).bucket).is_dir()

    def exists(self, uri: str) -> bool:
        """Whether an object of exactly this key exists."""
        return self.path(uri).is_file()

    def read(self, uri: str) -> bytes:
        """An object's bytes.

        Raises:
            FileNotFoundError: no such object.
        """
        return self.path(uri).read_bytes()

    def write(self, uri: str, content: bytes) -> None:
        """Write an object; a reader sees the old one or the new one, never a part."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix=_INTERNAL_PREFIX) as folder:
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
        """Keys that begin with the URI's key, sorted: what ListObjectsV2 gives for that prefix."""
        parsed = S3Uri.parse(prefix_uri)
        bucket = self.root / parsed.bucket
        folder = bucket / parsed.key.rpartition("/")[0]
        return sorted(key for key in _keys_under(folder, bucket) if key.startswith(parsed.key))

    def upload(self, folder: Path, uri: str) -> list[str]:
        """Copy every file under a folder to keys under the URI; return the keys."""
        parsed = S3Uri.parse(uri)
        keys = []
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            key = "/".join(part for part in (parsed.key.rstrip("/"), file.relative_to(folder).as_posix()) if part)
            self._copy_in(file, str(S3Uri(parsed.bucket, key)))
            keys.append(key)
        return keys

    def delete(self, uri: str) -> None:
        """Remove an object; one that is not there is no error."""
        self._forget_metadata(uri)
        self.path(uri).unlink(missing_ok=True)

    def _copy_in(self, file: Path, uri: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.root, prefix=_INTERNAL_PREFIX) as folder:
            copy = Path(folder) / "object"
            shutil.copyfile(file, copy)
            self.put(uri, copy)

    def _forget_metadata(self, uri: str) -> None:
        parsed = S3Uri.parse(uri)
        (self.root / parsed.bucket / METADATA_FOLDER / f"{parsed.key}.json").unlink(missing_ok=True)


def _keys_under(folder: Path, bucket: Path) -> Iterator[str]:
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_INTERNAL_PREFIX)]
        for name in files:
            if not name.startswith(_UNFINISHED_PREFIX):
                yield (Path(directory) / name).relative_to(bucket).as_posix()
