"""Map buckets and keys to paths. No other module does this.

    <buckets>/<bucket>/<key>                        a plain object
    <buckets>/<bucket>/.nanio-meta/<key>.json       its sidecar
    <buckets>/<bucket>/.nanio-keys/<escaped key>.object     an object whose key cannot be a path
    <buckets>/<bucket>/.nanio-keys/<escaped key>.json       its sidecar

Keys that cannot be paths are, for example, ``dir/``, ``a//b``, ``a/../b`` and keys with a segment over 255 bytes. A
file's name gives its key, so no other file is needed to list it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from local.core.errors import ServiceError
from local.core.paths import LONGEST_SEGMENT, passes_link

INTERNAL_PREFIX = ".nanio"
"""Prefix of the names of the S3 server's own folders.

It is the name of the S3 server in earlier versions. It stays, so that existing sidecars are found.
"""

METADATA_FOLDER = ".nanio-meta"
ESCAPED_FOLDER = ".nanio-keys"
LONGEST_KEY = 1024
"""Bytes of the longest key of S3."""

_SIDECAR_SUFFIX = ".json"
_OBJECT_SUFFIX = ".object"
_PIECE = 240
"""Characters of an escaped key in one name. The names of folders end with ``+``, which no escaped key contains."""

_SHOWN = 200
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)


class RefusedNameError(ServiceError):
    """A bucket's name or a key is not valid, or its path is not usable.

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
        return self._without_links(self._folder(bucket), bucket)

    def plain(self, bucket: str, key: str) -> Path | None:
        """Return the path of a plain object, which need not exist, or None if the key cannot be a path.

        Raises:
            RefusedNameError: the bucket's name or the key is not valid, or the path contains a symbolic link.
        """
        check_key(key)
        folder = self._folder(bucket)
        return self._without_links(folder / key, f"{bucket}/{key}") if can_be_plain(key) else None

    def escaped(self, bucket: str, key: str) -> Path:
        """Return the path of an object in the bucket's folder of escaped keys. It need not exist.

        Raises:
            RefusedNameError: the bucket's name or the key is not valid, or the path contains a symbolic link.
        """
        return self._escaped(bucket, key, _OBJECT_SUFFIX)

    def sidecars(self, bucket: str, key: str) -> Iterator[Path]:
        """Yield the paths at which an object's sidecar may be, the preferred one first. None need exist.

        Raises:
            RefusedNameError: the bucket's name or the key is not valid, or the path contains a symbolic link.
        """
        check_key(key)
        can_be_both = can_be_plain(key) and can_be_plain(f"{key}{_SIDECAR_SUFFIX}")
        # The sidecar of "a" would be the folder of the sidecar of "a.json/b".
        is_clear = can_be_both and f"{_SIDECAR_SUFFIX}/" not in key
        if not is_clear:
            yield self._escaped(bucket, key, _SIDECAR_SUFFIX)
        if can_be_both:
            path = self._folder(bucket) / METADATA_FOLDER / f"{key}{_SIDECAR_SUFFIX}"
            yield self._without_links(path, f"{bucket}/{key}")
        if is_clear:
            yield self._escaped(bucket, key, _SIDECAR_SUFFIX)

    def escaped_keys(self, bucket: str) -> Path:
        """Return the bucket's folder of escaped keys, which need not exist."""
        return self._without_links(self.bucket(bucket) / ESCAPED_FOLDER, bucket)

    def _folder(self, bucket: str) -> Path:
        if _BUCKET.fullmatch(bucket) is None:
            raise RefusedNameError("InvalidBucketName", 400, f"the specified bucket is not valid: {_shown(bucket)}")
        return self.root / bucket

    def _escaped(self, bucket: str, key: str, suffix: str) -> Path:
        check_key(key)
        text = quote(key, safe="")
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        folders = [f"{piece}+" for piece in pieces[:-1]]
        path = (self._folder(bucket) / ESCAPED_FOLDER).joinpath(*folders, f"{pieces[-1]}{suffix}")
        return self._without_links(path, f"{bucket}/{key}")

    def _without_links(self, path: Path, shown: str) -> Path:
        if passes_link(path, self.root):
            message = (
                f"{_shown(shown)}: the path contains a symbolic link, and links in the buckets' folder are not followed"
            )
            raise RefusedNameError("AccessDenied", 403, message)
        return path


def escaped_key(place: str) -> str | None:
    """Return the key of a file in the folder of escaped keys.

    Args:
        place: the file's path relative to the folder.

    Returns:
        The key, or None if the file is not an object.
    """
    if not place.endswith(_OBJECT_SUFFIX):
        return None
    try:
        return unquote(place.removesuffix(_OBJECT_SUFFIX).replace("+/", ""), errors="strict")
    except UnicodeDecodeError:
        return None


def can_be_plain(key: str) -> bool:
    """Return whether a key can be the path of a file, and of no other key."""
    return "\0" not in key and all(
        segment not in ("", ".", "..")
        and not segment.startswith(INTERNAL_PREFIX)
        and len(segment.encode(errors="surrogatepass")) <= LONGEST_SEGMENT
        for segment in key.split("/")
    )


def is_key(key: str) -> bool:
    """Return whether S3 accepts a key."""
    try:
        check_key(key)
    except RefusedNameError:
        return False
    return True


def check_key(key: str) -> None:
    """Refuse a key that S3 refuses.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. From left to right, the ``..`` in
    a key never outnumber its other segments.

    Raises:
        RefusedNameError: the key is empty, not UTF-8 text or longer than 1024 bytes, or its ``..`` lead out.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise RefusedNameError("InvalidURI", 400, f"a key is UTF-8 text: {_shown(key)}") from None
    if not key:
        raise RefusedNameError("InvalidRequest", 400, "a key has at least one character")
    if size > LONGEST_KEY:
        raise RefusedNameError("KeyTooLongError", 400, f"Your key is too long: a key has at most {LONGEST_KEY} bytes")
    depth = 0
    for segment in key.split("/"):
        depth += -1 if segment == ".." else segment not in ("", ".")
        if depth < 0:
            message = f"Couldn't parse the specified URI: the segments '..' of the key {_shown(key)} lead out of it"
            raise RefusedNameError("InvalidURI", 400, message)


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
