"""Read and write the objects of S3, which are files.

The object ``s3://bucket/key`` is the file ``<buckets>/bucket/key`` wherever that is possible, see ``object_places``.
The S3 server stores an object's other properties, for example its ETag, in a sidecar under ``<bucket>/.nanio-meta/``.
Objects written by jobs have no sidecar.
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
from local.storage.key_listing import FolderNames, KeyListing
from local.storage.object_paths import INTERNAL_PREFIX, BucketPaths, RefusedNameError, check_key
from local.storage.object_places import ObjectPlaces

_S3_URI = re.compile(r"s3://([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class S3Uri:
    """A bucket and a key or prefix of keys.

    Attributes:
        bucket: name of the bucket.
        key: key or prefix; may be empty.
    """

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Parse an ``s3://bucket/key`` URI. As in SageMaker, ``s3a`` and ``https`` are refused.

        Raises:
            ServiceError: ValidationException, the text is not an S3 URI, or no key can begin with its key.
        """
        match = _S3_URI.fullmatch(uri)
        if match is None:
            raise validation_error(f"{uri!r} is not an S3 URI: s3://bucket/key is expected")
        if match[2]:
            check_key(match[2])
        return cls(match[1], match[2] or "")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectTooLargeError(Exception):
    """An object is larger than the limit. The text has both sizes."""


class UploadError(Exception):
    """A file of a job's output cannot be an object. The text has its path and the reason."""


class Objects:
    """The objects in all buckets.

    Args:
        root: the folder that contains the buckets; it is created if it does not exist.

    Attributes:
        paths: the paths of buckets and keys.
        places: the places of the objects' files.
        root: the folder, with symbolic links resolved.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.paths = BucketPaths(root)
        self.places = ObjectPlaces(self.paths)
        self.root = self.paths.root
        self._names = FolderNames()

    def path(self, uri: str) -> Path:
        """Return the path of an object's file.

        Raises:
            FileNotFoundError: the object does not exist.
            ServiceError: ValidationException, not the URI of an object, or the object's key is refused.
        """
        parsed = S3Uri.parse(uri)
        path = self.places.find(parsed.bucket, parsed.key)
        if path is None:
            raise FileNotFoundError(f"{uri} does not exist")
        return path

    def bucket_exists(self, uri: str) -> bool:
        """Return whether the bucket of a URI exists."""
        return self.paths.bucket(S3Uri.parse(uri).bucket).is_dir()

    def exists(self, uri: str) -> bool:
        """Return whether an object with exactly this key exists."""
        parsed = S3Uri.parse(uri)
        return parsed.key != "" and self.places.find(parsed.bucket, parsed.key) is not None

    def read(self, uri: str, at_most: int | None = None) -> bytes:
        """Return an object's content.

        Args:
            uri: the object's URI.
            at_most: maximum size in bytes, or None.

        Raises:
            FileNotFoundError: the object does not exist.
            ObjectTooLargeError: the object has more than ``at_most`` bytes.
        """
        parsed = S3Uri.parse(uri)
        with self.places.open(parsed.bucket, parsed.key) as file:
            if at_most is not None and (size := os.fstat(file.fileno()).st_size) > at_most:
                raise ObjectTooLargeError(f"{uri} has {size} bytes, and at most {at_most} are read")
            return file.read()

    def write(self, uri: str, content: bytes) -> None:
        """Write an object. Readers see the old content or the new content, never a part."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix=INTERNAL_PREFIX) as folder:
            source = Path(folder) / "object"
            source.write_bytes(content)
            self.put(uri, source)

    def put(self, uri: str, source: Path) -> None:
        """Move a file to an object. The file must be on the same file system as the buckets."""
        parsed = S3Uri.parse(uri)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        with self.places.change:
            self.places.put(parsed.bucket, parsed.key, source)
            # It counts no more: it records another modification time.
            self.places.remove_sidecar(parsed.bucket, parsed.key)

    def keys(self, prefix_uri: str) -> list[str]:
        """Return the keys that begin with the URI's key, sorted as by ListObjectsV2."""
        parsed = S3Uri.parse(prefix_uri)
        return list(self.listing(parsed.bucket, parsed.key))

    def listing(self, bucket: str, prefix: str, after: str = "") -> KeyListing:
        """Return the keys that begin with a prefix and follow a key, in order."""
        return KeyListing(self.paths, self._names, bucket, prefix, after)

    def keys_without_path(self, prefix_uri: str) -> list[str]:
        """Return the keys that begin with the URI's key and whose objects are not plain files at their own paths.

        Programs that read a bucket as a folder do not find them. Folder markers are left out.
        """
        parsed = S3Uri.parse(prefix_uri)
        found = []
        for key in self.listing(parsed.bucket, parsed.key).escaped():
            path = self.places.find(parsed.bucket, key)
            if path not in (None, self.paths.plain(parsed.bucket, key)) and not self.is_folder_marker(
                S3Uri(parsed.bucket, key)
            ):
                found.append(key)
        return found

    def is_folder_marker(self, uri: S3Uri) -> bool:
        """Return whether an object only stands for a folder: it is empty, and its key ends with a slash."""
        return uri.key.endswith("/") and self.exists(str(uri)) and self.path(str(uri)).stat().st_size == 0

    def upload(self, folder: Path, uri: str) -> list[str]:
        """Copy all files under a folder to objects under a URI.

        Returns:
            The objects' keys.

        Raises:
            UploadError: a file cannot be an object. No file was copied.
        """
        parsed = S3Uri.parse(uri)
        uris = {file: self.uri_of(file, folder, parsed) for file in files_to_upload(folder)}
        for file, target in uris.items():
            self.copy_in(file, str(target))
        return [target.key for target in uris.values()]

    def uri_of(self, file: Path, folder: Path, uri: S3Uri) -> S3Uri:
        """Return the URI of the object that a file is uploaded to.

        Args:
            file: a file under the folder.
            folder: the folder to upload.
            uri: the prefix to upload the folder to.

        Raises:
            UploadError: the file cannot be an object.
        """
        place = file.relative_to(folder).as_posix()
        target = S3Uri(uri.bucket, "/".join(part for part in (uri.key.rstrip("/"), place) if part))
        try:
            self.paths.plain(target.bucket, target.key)
        except RefusedNameError as error:
            raise UploadError(f"{place!r} cannot be an object: {error.message}") from None
        return target

    def delete(self, uri: str) -> None:
        """Delete an object, if it exists."""
        parsed = S3Uri.parse(uri)
        self.places.remove(parsed.bucket, parsed.key)

    def copy_in(self, file: Path, uri: str) -> None:
        """Copy a file to an object."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix=INTERNAL_PREFIX) as folder:
            copy = Path(folder) / "object"
            shutil.copyfile(file, copy)
            self.put(uri, copy)


def files_to_upload(folder: Path) -> Iterator[Path]:
    """Yield the files under a job's output folder, sorted.

    Raises:
        UploadError: a symbolic link points outside the folder, to a file that is not the job's output.
    """
    inside = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and inside not in path.resolve().parents:
            place = path.relative_to(folder).as_posix()
            raise UploadError(f"{place!r} is a symbolic link to a target outside the output's folder")
        if path.is_file():
            yield path
