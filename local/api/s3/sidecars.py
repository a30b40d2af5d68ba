"""Read and write sidecars: the files with an object's properties, for example its ETag.

Jobs write objects without sidecars. A sidecar is therefore valid only while its object's file has the size and the
modification time that the sidecar records.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_DEFAULT_TYPE = "binary/octet-stream"


@dataclass(frozen=True)
class ObjectInfo:
    """The properties of an object.

    Attributes:
        etag: the ETag, with its quotes.
        size: size in bytes.
        last_modified: modification time of the object's file, with microseconds.
        headers: headers of responses about the object, by lower-case name: content type, metadata, encryption.
        checksum: algorithm, value and type of the object's checksum, or empty.
        part_sizes: size in bytes of each part of a multipart upload, or empty.
        part_checksums: checksum (base64) of each part of a multipart upload with an algorithm, or empty.
        tags: the object's tags.
    """

    etag: str
    size: int
    last_modified: datetime
    headers: dict[str, str]
    checksum: dict[str, str] = field(default_factory=dict)
    part_sizes: list[int] = field(default_factory=list)
    part_checksums: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def storage_class(self) -> str:
        """The storage class; STANDARD by default."""
        return self.headers.get("x-amz-storage-class", "STANDARD")

    @property
    def nanoseconds(self) -> int:
        """The modification time of the object's file in nanoseconds since the epoch."""
        return round(self.last_modified.timestamp() * 1_000_000) * 1000


def info_of(path: Path, stat: os.stat_result) -> ObjectInfo:
    """Return an object's properties.

    Args:
        path: the object's sidecar, which need not exist.
        stat: the status of the object's file.
    """
    for noted in _read(path):
        # The times of files that jobs wrote have nanoseconds, those of properties microseconds.
        if noted.size == stat.st_size and abs(noted.nanoseconds - stat.st_mtime_ns) < 1000:
            return noted
    state = f"{stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"
    # Computing the MD5 would require reading the file. Clients do not take an ETag with a dash for an MD5.
    digest = hashlib.md5(state.encode(), usedforsecurity=False).hexdigest()
    headers = {"content-type": _DEFAULT_TYPE, "x-amz-server-side-encryption": "AES256"}
    return ObjectInfo(f'"{digest}-1"', stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), headers)


def sidecar_content(info: ObjectInfo, path: Path) -> bytes:
    """Return the content of the sidecar for a new object.

    The sidecar is written before the object's file is replaced. It also keeps the previous properties, which stay
    valid if the file is never replaced.

    Args:
        info: the new object's properties.
        path: the existing sidecar, which need not exist.
    """
    before = _load(path)
    before.pop("previous", None)
    return json.dumps({**to_json(info), "previous": before}, separators=(",", ":")).encode()


def to_json(info: ObjectInfo) -> dict[str, Any]:
    """Return an object's properties as JSON members."""
    return {
        "etag": info.etag,
        "size": info.size,
        "last_modified": info.last_modified.isoformat(),
        "headers": info.headers,
        "checksum": info.checksum,
        "part_sizes": info.part_sizes,
        "part_checksums": info.part_checksums,
        "tags": info.tags,
    }


def _read(path: Path) -> list[ObjectInfo]:
    noted, found = _load(path), []
    for each in (noted, noted.get("previous")):
        # A damaged part of the sidecar does not hide the other one.
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            found.append(from_json(each or {}))
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        noted = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def from_json(noted: dict[str, Any]) -> ObjectInfo:
    """Return the properties that ``to_json`` or an earlier version wrote.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the members are not properties.
    """
    return ObjectInfo(
        etag=noted["etag"],
        size=noted["size"],
        last_modified=datetime.fromisoformat(noted["last_modified"]),
        headers=noted["headers"] if "headers" in noted else _headers_of_before(noted),
        checksum=noted.get("checksum") or {},
        part_sizes=noted.get("part_sizes") or [],
        part_checksums=noted.get("part_checksums") or [],
        tags=noted.get("tags") or {},
    )


def _headers_of_before(noted: dict[str, Any]) -> dict[str, str]:
    """Return the headers in a sidecar written by an earlier version."""
    names = ("content_type", "content_encoding", "content_disposition", "cache_control")
    kept = {name.replace("_", "-"): noted[name] for name in names if noted.get(name)}
    return {**kept, **noted["user_metadata"], "x-amz-server-side-encryption": "AES256"}
