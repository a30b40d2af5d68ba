"""Multipart uploads under way, as folders: what they will make, and the parts that have come.

    <buckets>/.nanio/multipart/<upload id>/upload.json
    <buckets>/.nanio/multipart/<upload id>/00001.<MD5>.<checksum>    one file a part

A part's name holds its digests, so that it is there with them or not at all.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.api.s3.checksums import BodyDigests
from local.api.s3.errors import s3_error
from local.api.s3.files import ObjectFiles, now, write_durably
from local.core.files import replacing

_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r"(\d{5})\.([0-9a-f]{32})\.([0-9a-f]*)")


@dataclass(frozen=True)
class Upload:
    """An upload under way.

    Attributes:
        id: random.
        bucket: of the object to be.
        key: of the object to be.
        headers: of the object to be, see ``ObjectInfo``.
        algorithm: of the checksums of its parts, or empty.
        checksum_type: how the object's checksum is made of them, or empty.
        initiated: when it was begun, ISO 8601.
    """

    id: str
    bucket: str
    key: str
    headers: dict[str, str]
    algorithm: str
    checksum_type: str
    initiated: str

    @property
    def began(self) -> datetime:
        """When it was begun."""
        return datetime.fromisoformat(self.initiated)


@dataclass(frozen=True)
class Part:
    """A part that has come.

    Attributes:
        number: from 1.
        path: its file.
        md5: in hexadecimal.
        checksum: of the upload's algorithm, in base64, or empty.
        size: in bytes.
        last_modified: when it came.
    """

    number: int
    path: Path
    md5: str
    checksum: str
    size: int
    last_modified: datetime


class Uploads:
    """The uploads under way; they survive the service.

    Args:
        files: buckets and objects.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._root = files.internal / "multipart"
        self._root.mkdir(exist_ok=True)
        self._change = threading.RLock()

    def begin(self, bucket: str, key: str, headers: dict[str, str], algorithm: str, checksum_type: str) -> Upload:
        """Begin an upload."""
        upload = Upload(secrets.token_urlsafe(24), bucket, key, headers, algorithm, checksum_type, now().isoformat())
        folder = self._root / upload.id
        folder.mkdir()
        with replacing(folder / "upload.json") as unfinished:
            write_durably(unfinished, json.dumps(asdict(upload)).encode())
        return upload

    def find(self, upload_id: str, bucket: str, key: str) -> Upload:
        """Return an upload.

        Raises:
            ServiceError: NoSuchUpload, the id names no upload of this object.
        """
        upload = self._load(upload_id) if _UPLOAD_ID.fullmatch(upload_id) else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise s3_error("NoSuchUpload")
        return upload

    def of_bucket(self, bucket: str) -> list[Upload]:
        """Return the uploads into a bucket, by key and id."""
        found = [upload for upload in self._all() if upload.bucket == bucket]
        return sorted(found, key=lambda upload: (upload.key, upload.id))

    def add_part(self, upload: Upload, number: int, unfinished: Path, digests: BodyDigests) -> Part:
        """Put a part into place; it replaces the one that had its number.

        Raises:
            ServiceError: NoSuchUpload, it has ended meanwhile.
        """
        checksum = digests.checksum(upload.algorithm) if upload.algorithm else ""
        name = f"{number:05}.{digests.md5}.{base64.b64decode(checksum).hex()}"
        path = self._root / upload.id / name
        with self._change:
            if self._load(upload.id) is None:
                raise s3_error("NoSuchUpload")
            before = [part.path for part in self.parts(upload) if part.number == number]
            unfinished.replace(path)
            for old in before:
                if old != path:
                    old.unlink()
            return _part(path)

    def parts(self, upload: Upload) -> list[Part]:
        """Return the parts that have come, by number.

        Raises:
            ServiceError: NoSuchUpload, it has ended meanwhile.
        """
        try:
            with self._change:
                found = [_part(path) for path in (self._root / upload.id).iterdir() if _PART.fullmatch(path.name)]
        except FileNotFoundError:
            raise s3_error("NoSuchUpload") from None
        # A kill may leave two of a number: the later one counts.
        latest = {part.number: part for part in sorted(found, key=lambda part: part.last_modified)}
        return [latest[number] for number in sorted(latest)]

    def end(self, upload: Upload) -> None:
        """Forget an upload and its parts."""
        with self._change:
            folder = self._root / upload.id
            (folder / "upload.json").unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def forget_bucket(self, bucket: str) -> None:
        """Forget the uploads into a bucket that is deleted."""
        for upload in self.of_bucket(bucket):
            self.end(upload)

    def _all(self) -> Iterator[Upload]:
        for folder in self._root.iterdir():
            if (upload := self._load(folder.name)) is not None:
                yield upload

    def _load(self, upload_id: str) -> Upload | None:
        try:
            return Upload(**json.loads((self._root / upload_id / "upload.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def _part(path: Path) -> Part:
    match = _PART.fullmatch(path.name)
    assert match is not None
    stat = path.stat()
    checksum = base64.b64encode(bytes.fromhex(match[3])).decode()
    return Part(int(match[1]), path, match[2], checksum, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
