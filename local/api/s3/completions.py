"""Remember completed multipart uploads, because a client may repeat the request that completes one.

    <buckets>/.nanio/completed/<upload id>

S3 returns the same response again: the client may not have received the first one.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from local.api.s3.files import ObjectFiles, write_durably
from local.api.s3.sidecars import ObjectInfo, from_json, to_json
from local.core.files import replacing

_ID = re.compile(r"[A-Za-z0-9_-]+")
_MOST = 1000
"""Completed uploads that are remembered."""


class Completions:
    """The completed uploads. They survive a restart of the service.

    Args:
        files: buckets and objects.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._root = files.internal / "completed"
        self._root.mkdir(exist_ok=True)

    def add(self, upload_id: str, bucket: str, key: str, parts: list[tuple[int, str]], info: ObjectInfo) -> None:
        """Remember an upload.

        Args:
            upload_id: the upload.
            bucket: the object's bucket.
            key: the object's key.
            parts: the object's parts, each with its number and its ETag without quotes.
            info: the object.
        """
        members = {"names": [bucket, key], "parts": parts, "info": to_json(info)}
        with replacing(self._root / upload_id) as unfinished:
            write_durably(unfinished, json.dumps(members).encode())
        there = list(self._root.iterdir())
        if len(there) > _MOST:
            for path in sorted(there, key=_time)[:-_MOST]:
                path.unlink(missing_ok=True)

    def find(self, upload_id: str, bucket: str, key: str, parts: list[tuple[int, str]]) -> ObjectInfo | None:
        """Return the object that an upload created, or None if there was no such upload of these parts."""
        if _ID.fullmatch(upload_id) is None:
            return None
        try:
            members = json.loads((self._root / upload_id).read_bytes())
            if members["names"] == [bucket, key] and members["parts"] == [list(part) for part in parts]:
                return from_json(members["info"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return None


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
