"""Where buckets and objects lie: the one place that turns a bucket and a key into a path.

The object ``s3://bucket/key`` is the file ``<buckets>/bucket/key``. A key that cannot be kept in that way is refused:
neither may a request reach beyond its bucket's folder, nor may two keys share a file.
"""

from __future__ import annotations

import re
from pathlib import Path

from local.core.errors import ServiceError
from local.core.paths import SegmentTooLongError, UnsafeNameError, below, passes_link

INTERNAL_PREFIX = ".nanio"
"""What the names of the S3 server's own folders begin with.

It is the name of the S3 server of earlier versions: folders that exist keep their sidecars.
"""

METADATA_FOLDER = ".nanio-meta"
_SIDECAR_SUFFIX = ".json"
_SIDECAR_BEING_WRITTEN = ".json.tmp"
_LONGEST_KEY = 1024
_SHOWN = 200
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)


class RefusedNameError(ServiceError):
    """A bucket's name or a key that has no path here.

    Operations other than S3's answer with ValidationException.

    Attributes:
        s3_code: the error that S3 answers with.
        s3_status: its HTTP status.
    """

    def __init__(self, s3_code: str, s3_status: int, message: str) -> None:
        super().__init__("ValidationException", message)
        self.s3_code = s3_code
        self.s3_status = s3_status


class BucketPaths:
    """Paths of buckets, objects and what the S3 server notes of objects.

    Args:
        root: the folder of the buckets.
    """

    def __init__(self, root: Path) -> None:
        # Links above the buckets are the user's own.
        self.root = root.resolve()

    def bucket(self, bucket: str) -> Path:
        """Return a bucket's folder, there or not.

        Raises:
            RefusedNameError: no bucket can have that name, or its folder is a symbolic link.
        """
        if _BUCKET.fullmatch(bucket) is None:
            raise RefusedNameError("InvalidBucketName", 400, f"the specified bucket is not valid: {_shown(bucket)}")
        return self._plain(self.root / bucket, bucket)

    def object(self, bucket: str, key: str) -> Path:
        """Return an object's file, there or not.

        Raises:
            RefusedNameError: the bucket's name or the key has no path here, see ``check_key``, or there is a symbolic
                link on the way.
        """
        check_key(key)
        return self._plain(self.bucket(bucket) / key, f"{bucket}/{key}")

    def sidecar(self, bucket: str, key: str) -> Path:
        """Return the file with what the S3 server notes of an object.

        Raises:
            RefusedNameError: as ``object`` does.
        """
        check_key(key)
        path = self.bucket(bucket) / METADATA_FOLDER / f"{key}{_SIDECAR_SUFFIX}"
        return self._plain(path, f"{bucket}/{key}")

    def _plain(self, path: Path, shown: str) -> Path:
        if passes_link(path, self.root):
            message = f"{_shown(shown)}: there is a symbolic link in the buckets' folder, and none is followed"
            raise RefusedNameError("AccessDenied", 403, message)
        return path


def check_key(key: str) -> None:
    """Refuse a key that cannot be kept as a file of that name.

    S3 itself has keys with empty segments and with ``.`` and ``..``, which no file system has: for those the error is
    ``NotImplemented``.

    Raises:
        RefusedNameError: the key is empty, longer than S3's 1024 bytes, or no path below a folder; its name or that of
            its sidecar is too long for a file; or it begins with what the S3 server keeps for itself.
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
        message = f"names with {INTERNAL_PREFIX} are the local service's own: the key {_shown(key)}"
        raise RefusedNameError("NotImplemented", 501, f"not implemented by the local service: {message}")


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
