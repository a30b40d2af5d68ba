"""Store multipart uploads in progress and their parts.

    <buckets>/.nanio/multipart/<upload id>/upload.json
    <buckets>/.nanio/multipart/<upload id>/00001.<MD5>.<checksum>    one file per part

A part's digests are in its file's name, so that one atomic rename stores both.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
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
    """An upload in progress.

    Attributes:
        id: random ID.
        bucket: the bucket of the object to create.
        key: the key of the object to create.
        headers: the headers of the object to create, see ``ObjectInfo``.
        algorithm: the algorithm of its checksums, or empty.
        checksum_type: COMPOSITE or FULL_OBJECT, or empty.
        initiated: the time of its creation, in ISO 8601.
        tags: the tags of the object to create.
    """

    id: str
    bucket: str
    key: str
    headers: dict[str, str]
    algorithm: str
    checksum_type: str
    initiated: str
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        """The time of its creation."""
        return datetime.fromisoformat(self.initiated)


@dataclass(frozen=True)
class Part:
    """An uploaded part.

    Attributes:
        number: number from 1.
        path: the part's file.
        md5: MD5 in hexadecimal.
        checksum: checksum with the upload's algorithm, in base64, or empty.
        size: size in bytes.
        last_modified: modification time of the part's file.
    """

    number: int
    path: Path
    md5: str
    checksum: str
    size: int
    last_modified: datetime


class Uploads:
    """The uploads in progress. They survive a restart of the service.

    Args:
        files: buckets and objects.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._root = files.internal / "multipart"
        self._root.mkdir(exist_ok=True)
        self._change = threading.RLock()

    def begin(
        self, bucket: str, key: str, headers: dict[str, str], tags: dict[str, str], checksum: tuple[str, str]
    ) -> Upload:
        """Create an upload. The arguments are those of ``Upload``; ``checksum`` is the algorithm and the type."""
        # S3 sorts the uploads of a key by their time, and continues a listing by their IDs.
        upload_id = f"{time.time_ns():016x}{secrets.token_urlsafe(24)}"
        upload = Upload(upload_id, bucket, key, headers, *checksum, now().isoformat(), tags)
        folder = self._root / upload.id
        folder.mkdir()
        with replacing(folder / "upload.json") as unfinished:
            write_durably(unfinished, json.dumps(asdict(upload)).encode())
        return upload

    def find(self, upload_id: str, bucket: str, key: str) -> Upload:
        """Return an upload.

        Raises:
            ServiceError: NoSuchUpload, this object has no upload with this ID.
        """
        upload = self._load(upload_id) if _UPLOAD_ID.fullmatch(upload_id) else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise s3_error("NoSuchUpload")
        return upload

    def of_bucket(self, bucket: str) -> list[Upload]:
        """Return the uploads into a bucket, sorted by key and ID."""
        found = [upload for upload in self._all() if upload.bucket == bucket]
        return sorted(found, key=lambda upload: (upload.key, upload.id))

    def add_part(self, upload: Upload, number: int, unfinished: Path, digests: BodyDigests) -> Part:
        """Store a part. It replaces an earlier part with the same number.

        Args:
            upload: the upload.
            number: the part's number.
            unfinished: the part's complete file, which is moved.
            digests: the digests of the part's content.

        Raises:
            ServiceError: NoSuchUpload, the upload has ended meanwhile.
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
        """Return the uploaded parts, sorted by number.

        Raises:
            ServiceError: NoSuchUpload, the upload has ended meanwhile.
        """
        try:
            with self._change:
                found = [_part(path) for path in (self._root / upload.id).iterdir() if _PART.fullmatch(path.name)]
        except FileNotFoundError:
            raise s3_error("NoSuchUpload") from None
        # If the service was killed, two files may have the same number. The newer one is valid.
        latest = {part.number: part for part in sorted(found, key=lambda part: part.last_modified)}
        return [latest[number] for number in sorted(latest)]

    def end(self, upload: Upload) -> None:
        """Delete an upload and its parts."""
        with self._change:
            folder = self._root / upload.id
            (folder / "upload.json").unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def forget_bucket(self, bucket: str) -> None:
        """Delete the uploads into a deleted bucket."""
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
