"""What S3 knows of an object beside its bytes, and the sidecar file that keeps it.

A job that writes an object's file knows nothing of sidecars: one counts only while the file has the very size and
time that it was written for.
"""

from __future__ import annotations

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
    """What S3 knows of an object.

    Attributes:
        etag: with its quotes.
        size: in bytes.
        last_modified: when it was written, in microseconds: the time of its file.
        headers: which are given back with it, by lower-case name: content type, metadata, encryption.
        checksum: header, value and type of the checksum that is kept, or empty.
        part_sizes: bytes of the parts that it was uploaded in, or empty.
    """

    etag: str
    size: int
    last_modified: datetime
    headers: dict[str, str]
    checksum: dict[str, str] = field(default_factory=dict)
    part_sizes: list[int] = field(default_factory=list)

    @property
    def storage_class(self) -> str:
        """The storage class, STANDARD unless another was asked for."""
        return self.headers.get("x-amz-storage-class", "STANDARD")

    @property
    def nanoseconds(self) -> int:
        """The time that the object's file has."""
        return round(self.last_modified.timestamp() * 1_000_000) * 1000


def info_of(path: Path, stat: os.stat_result) -> ObjectInfo:
    """Return what is known of an object's file.

    Args:
        path: its sidecar, there or not.
        stat: the state of the object's file.
    """
    for noted in _read(path):
        if (noted.size, noted.nanoseconds) == (stat.st_size, stat.st_mtime_ns):
            return noted
    state = f"{stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"
    # An ETag with a dash is not taken for the content's MD5, which would have to be computed.
    digest = hashlib.md5(state.encode(), usedforsecurity=False).hexdigest()
    headers = {"content-type": _DEFAULT_TYPE, "x-amz-server-side-encryption": "AES256"}
    return ObjectInfo(f'"{digest}-1"', stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), headers)


def sidecar_content(info: ObjectInfo, path: Path) -> bytes:
    """Return what a sidecar holds before its object is put into place.

    What was known before stays in it, and counts again if the object never gets there.

    Args:
        info: what is known of the new object.
        path: the sidecar so far, there or not.
    """
    before = _load(path)
    before.pop("previous", None)
    return json.dumps({**_to_json(info), "previous": before}, separators=(",", ":")).encode()


def _to_json(info: ObjectInfo) -> dict[str, Any]:
    return {
        "etag": info.etag,
        "size": info.size,
        "last_modified": info.last_modified.isoformat(),
        "headers": info.headers,
        "checksum": info.checksum,
        "part_sizes": info.part_sizes,
    }


def _read(path: Path) -> list[ObjectInfo]:
    noted = _load(path)
    try:
        return [_from_json(each) for each in (noted, noted.get("previous")) if each]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _load(path: Path) -> dict[str, Any]:
    try:
        noted = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _from_json(noted: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        etag=noted["etag"],
        size=noted["size"],
        last_modified=datetime.fromisoformat(noted["last_modified"]),
        headers=noted["headers"] if "headers" in noted else _headers_of_before(noted),
        checksum=noted.get("checksum") or {},
        part_sizes=noted.get("part_sizes") or [],
    )


def _headers_of_before(noted: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a sidecar that an earlier version has written."""
    names = ("content_type", "content_encoding", "content_disposition", "cache_control")
    kept = {name.replace("_", "-"): noted[name] for name in names if noted.get(name)}
    return {**kept, **noted["user_metadata"], "x-amz-server-side-encryption": "AES256"}
