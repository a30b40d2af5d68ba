"""Map buckets and keys to paths. No other module does this.

The object ``s3://bucket/key`` is the file ``<buckets>/bucket/key``. A key is refused if its path would leave the
bucket's folder, or if two keys would have the same path.
"""

from __future__ import annotations

import re
from pathlib import Path

from local.core.errors import ServiceError
from local.core.paths import SegmentTooLongError, UnsafeNameError, below, passes_link

INTERNAL_PREFIX = ".nanio"
"""Prefix of the names of the S3 server's own folders.

It is the name of the S3 server in earlier versions. It stays, so that existing sidecars are found.
"""

METADATA_FOLDER = ".nanio-meta"
_SIDECAR_SUFFIX = ".json"
_SIDECAR_BEING_WRITTEN = ".json.tmp"
_LONGEST_KEY = 1024
_SHOWN = 200
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)


class RefusedNameError(ServiceError):
    """A bucket's name or a key cannot be a path.

    S3 returns the error ``s3_code``; other services return ValidationException.

    Attributes:
        s3_code: S3's error code.
        s3_status: HTTP status of S3's error.
    """

    def __init__(self, s3_code: str, s3_status: int, message: str) -> None:
        super().__init__("ValidationException", message)
        self.s3_code = s3_code
        self.s3_status = s3_status


class BucketPaths:
    """The paths of buckets, objects and sidecars.

    Args:
        root: the folder that contains the buckets.
    """

    def __init__(self, root: Path) -> None:
        # Symbolic links above the buckets' folder are the user's, and are followed.
        self.root = root.resolve()

    def bucket(self, bucket: str) -> Path:
        """Return the path of a bucket, which need not exist.

        Raises:
            RefusedNameError: the name is not valid, or the folder is a symbolic link.
        """
        if _BUCKET.fullmatch(bucket) is None:
            raise RefusedNameError("InvalidBucketName", 400, f"the specified bucket is not valid: {_shown(bucket)}")
        return self._plain(self.root / bucket, bucket)

    def object(self, bucket: str, key: str) -> Path:
        """Return the path of an object, which need not exist.

        Raises:
            RefusedNameError: the bucket's name or the key is not valid (see ``check_key``), or the path contains a
                symbolic link.
        """
        check_key(key)
        return self._plain(self.bucket(bucket) / key, f"{bucket}/{key}")

    def sidecar(self, bucket: str, key: str) -> Path:
        """Return the path of an object's sidecar, which need not exist.

        Raises:
            RefusedNameError: as for ``object``.
        """
        check_key(key)
        path = self.bucket(bucket) / METADATA_FOLDER / f"{key}{_SIDECAR_SUFFIX}"
        return self._plain(path, f"{bucket}/{key}")

    def _plain(self, path: Path, shown: str) -> Path:
        if passes_link(path, self.root):
            message = (
                f"{_shown(shown)}: the path contains a symbolic link, and links in the buckets' folder are not followed"
            )
            raise RefusedNameError("AccessDenied", 403, message)
        return path


def check_key(key: str) -> None:
    """Refuse a key that cannot be the path of a file.

    S3 allows empty segments, ``.`` and ``..`` in keys. Here they are refused with ``NotImplemented``, because file
    systems cannot store them.

    Raises:
        RefusedNameError: the key is empty, is longer than S3's 1024 bytes or is not a path below a folder; a name is
            too long for the file or its sidecar; or a segment begins with ``INTERNAL_PREFIX``.
    """
    try:
        name = below(Path(), key)
        below(Path(), name.name + _SIDECAR_BEING_WRITTEN)
    except SegmentTooLongError:
        limit = f"255 bytes in each segment, the last {len(_SIDECAR_BEING_WRITTEN)} fewer"
        raise RefusedNameError("KeyTooLongError", 400, f"objects are files here: {limit}: {_shown(key)}") from None
    except UnsafeNameError as error:
        message = f"not implemented by the local service: objects are files here, and the key {_shown(key)} {error}"
        raise RefusedNameError("NotImplemented", 501, message) from None
    if len(key.encode()) > _LONGEST_KEY:
        raise RefusedNameError("KeyTooLongError", 400, f"a key has at most {_LONGEST_KEY} bytes: {_shown(key)}")
    if any(segment.startswith(INTERNAL_PREFIX) for segment in key.split("/")):
        message = f"names that begin with {INTERNAL_PREFIX} are reserved: the key {_shown(key)}"
        raise RefusedNameError("NotImplemented", 501, f"not implemented by the local service: {message}")


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
