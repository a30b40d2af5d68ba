"""Store the logs of jobs, functions and endpoints as text files, which the API of CloudWatch Logs serves."""

from __future__ import annotations

import hashlib
import heapq
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from local.core.disk import Disk
from local.core.errors import ServiceError
from local.core.files import replacing
from local.core.paths import UnsafeNameError, below
from local.storage.set_aside import SetAside

_GROUP_FILE = ".log-group"
_APART = f"{_GROUP_FILE}s"
"""The folder of groups that cannot have their own: ``group`` beside ``/group``, ``a/b`` beside ``a``."""

_STEP = 4096
_BREAKS_AROUND_A_LINE = 3
"""With this many line breaks, text contains the last complete line, even if an incomplete one follows."""
_STAMP_LENGTH = len("2026-01-31T12:00:00.000Z")


@dataclass(frozen=True, order=True)
class Event:
    """A line of a log.

    Attributes:
        timestamp: milliseconds since the epoch.
        stream: name of the log stream.
        position: number of the line in its stream, from 0.
        message: the line without its time.
    """

    timestamp: int
    stream: str
    position: int
    message: str


class Logs:
    """Log groups and their streams as files ``<root>/<group>/<stream>.log``.

    Each line of a file has its time (UTC, with milliseconds), a space and the message.

    Args:
        root: the folder of all groups; it is created if it does not exist.
        disk: whom to tell about lines that wait for room on the disk.
    """

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._root = root
        self._disk = disk or Disk()
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def repair(self, aside: SetAside) -> None:
        """Set aside damaged files, and give groups that have lost their own file a new one.

        Args:
            aside: where damaged files go.
        """
        for marker in list(self._root.rglob(_GROUP_FILE)):
            if not _is_group_file(marker):
                folder = marker.parent
                place = folder.relative_to(self._root).as_posix()
                # The names of AWS's own groups begin with a slash.
                group = f"/{place}" if place.startswith("aws/") else place
                created = int(folder.stat().st_mtime * 1000)
                aside.file(marker, f"is not the description of a log group; the group {group} has a new one")
                self._write_document(group, {"name": group, "created": created, "tags": {}})

    def path(self, group: str, stream: str) -> Path:
        """Return the path of a stream's file, which need not exist."""
        return _below(self._folder(group), stream, ".log")

    def append(self, group: str, stream: str, text_lines: Iterable[str]) -> None:
        """Append lines with the present time to a stream. Create the group and the stream if they do not exist.

        Raises:
            OSError: as ``put``.
        """
        now = time.time_ns() // 1_000_000
        content = _content((now, line) for line in text_lines)
        self._disk.until_written(lambda: self._append(group, stream, content))

    def put(self, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Add messages to a stream, which stays sorted by time. Create the group and the stream if they do not exist.

        Args:
            group: name of the group.
            stream: name of the stream.
            events: times (milliseconds since the epoch) and messages, sorted by time. Each line of a message becomes
                an event.

        Raises:
            OSError: the lines cannot be written, and none of them was. On a full disk, a patient thread waits instead.
        """
        content = _content(events)
        self._disk.until_written(lambda: self._append(group, stream, content, in_order=True))

    def create_group(self, group: str, tags: dict[str, str] | None = None) -> bool:
        """Create a group.

        Returns:
            Whether the group is new.

        Raises:
            ServiceError: InvalidParameterException, the name is not valid.
        """
        with self._lock:
            return self._make_group(group, tags)

    def tags(self, group: str) -> dict[str, str]:
        """Return the tags that a group was created with."""
        tags: dict[str, str] = self._document(group).get("tags", {})
        return tags

    def delete_group(self, group: str) -> bool:
        """Delete a group with its streams; return whether it existed."""
        with self._lock:
            if not self.has_group(group):
                return False
            folder = self._folder(group)
            (folder / _GROUP_FILE).unlink()
            for path in _stream_files(folder):
                path.unlink()
            if not any(path.name == _GROUP_FILE for path in folder.rglob(_GROUP_FILE)):
                shutil.rmtree(folder)
            return True

    def retention(self, group: str) -> int | None:
        """Return the retention of a group in days, or None for ever. Nothing that is stored expires."""
        days: int | None = self._document(group).get("retention")
        return days

    def set_retention(self, group: str, days: int | None) -> None:
        """Record the retention of a group in days, or None for ever."""
        with self._lock:
            self._write_document(group, {**self._document(group), "retention": days})

    def delete_stream(self, group: str, stream: str) -> bool:
        """Delete a stream; return whether it existed."""
        with self._lock:
            path = self.path(group, stream)
            there = path.is_file()
            path.unlink(missing_ok=True)
            return there

    def has_group(self, group: str) -> bool:
        """Return whether the group exists."""
        marker = self._folder(group) / _GROUP_FILE
        # The folder may be that of "/group" if the group is "group".
        return marker.is_file() and json.loads(marker.read_text())["name"] == group

    def groups(self) -> list[tuple[str, int]]:
        """Return the groups' names, sorted, with their creation times in milliseconds since the epoch."""
        found = []
        for path in self._root.rglob(_GROUP_FILE):
            document = json.loads(path.read_text())
            found.append((str(document["name"]), int(document["created"])))
        return sorted(found)

    def streams(self, group: str) -> list[str]:
        """Return the names of a group's streams, sorted."""
        folder = self._folder(group)
        return sorted(path.relative_to(folder).as_posix()[: -len(".log")] for path in _stream_files(folder))

    def events(self, group: str, streams: Iterable[str]) -> Iterator[Event]:
        """Yield the events of several streams of a group, sorted by time."""
        return heapq.merge(*(self.stream_events(group, stream) for stream in streams))

    def ends(self, group: str, stream: str) -> tuple[int, int] | None:
        """Return the times (milliseconds since the epoch) of a stream's first and last line, or None without lines."""
        path = self.path(group, stream)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            first = file.read(_STAMP_LENGTH)
            last = _last_stamp(file)
        return (_milliseconds(first.decode()), _milliseconds(last.decode())) if last else None

    def stream_events(self, group: str, stream: str) -> Iterator[Event]:
        """Yield the events of a stream, in the order of its lines."""
        path = self.path(group, stream)
        if not path.is_file():
            return
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for position, line in enumerate(file):
                # A line without a line break is still being written.
                if line.endswith("\n"):
                    message = line[_STAMP_LENGTH + 1 : -1]
                    yield Event(_milliseconds(line[:_STAMP_LENGTH]), stream, position, message)

    def _append(self, group: str, stream: str, content: bytes, *, in_order: bool = False) -> None:
        with self._lock:
            self._make_group(group)
            path = self.path(group, stream)
            path.parent.mkdir(parents=True, exist_ok=True)
            if in_order and _is_newer(path, content[:_STAMP_LENGTH]):
                _merge(path, content)
                return
            with path.open("ab", buffering=0) as file:
                size = file.tell()
                try:
                    rest = memoryview(content)
                    while rest:
                        rest = rest[file.write(rest) :]
                except OSError:
                    file.truncate(size)
                    raise

    def _make_group(self, group: str, tags: dict[str, str] | None = None) -> bool:
        if self.has_group(group):
            return False
        folder = self._folder(group)
        if self._belongs_to_others(folder):
            folder = self._apart(group)
        folder.mkdir(parents=True, exist_ok=True)
        document = {"name": group, "created": time.time_ns() // 1_000_000, "tags": tags or {}}
        _write(folder / _GROUP_FILE, document)
        return True

    def _belongs_to_others(self, folder: Path) -> bool:
        """Return whether a folder is that of a group, or within one, or around one."""
        above = [folder, *folder.parents]
        return any((each / _GROUP_FILE).is_file() for each in above[: above.index(self._root)]) or any(
            folder.rglob(_GROUP_FILE)
        )

    def _document(self, group: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self._folder(group) / _GROUP_FILE).read_text())
        return document

    def _write_document(self, group: str, document: dict[str, Any]) -> None:
        _write(self._folder(group) / _GROUP_FILE, document)

    def _folder(self, group: str) -> Path:
        # The names of AWS's own groups begin with a slash.
        folder = _below(self._root, group.removeprefix("/"))
        apart = self._apart(group)
        return apart if (apart / _GROUP_FILE).is_file() else folder

    def _apart(self, group: str) -> Path:
        digest = hashlib.sha256(group.encode()).hexdigest()
        return self._root / _APART / digest[:16] / group.removeprefix("/")


def _write(marker: Path, document: dict[str, Any]) -> None:
    with replacing(marker) as unfinished:
        unfinished.write_text(json.dumps(document))


def _is_group_file(marker: Path) -> bool:
    try:
        document = json.loads(marker.read_bytes())
        name = below(Path(), document["name"].removeprefix("/"))
        is_valid = isinstance(document["created"], int) and isinstance(document.get("tags", {}), dict)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return is_valid and marker.parent.match(str(name))


def _stream_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a group's streams. Folders of other groups within the folder are left out."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if not (entry / _GROUP_FILE).is_file():
                yield from _stream_files(entry)
        elif entry.suffix == ".log":
            yield entry


def _content(events: Iterable[tuple[int, str]]) -> bytes:
    """Return the lines of events, each of which has a time (milliseconds since the epoch) and a message."""
    text = "".join(
        f"{_stamp(timestamp)} {line}\n" for timestamp, message in events for line in (message.splitlines() or [""])
    )
    return text.encode(errors="replace")


def _is_newer(path: Path, stamp: bytes) -> bool:
    """Return whether the last line of a stream's file is newer than a time."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return bool(stamp) and _last_stamp(file) > stamp


def _merge(path: Path, content: bytes) -> None:
    """Add lines to those of a stream's file, sorted by time. Lines of one time keep their order."""
    with replacing(path) as unfinished, path.open("rb") as old, unfinished.open("wb") as file:
        lines: Iterator[bytes] = heapq.merge(old, io.BytesIO(content), key=lambda line: line[:_STAMP_LENGTH])
        file.writelines(lines)


def _last_stamp(file: IO[bytes]) -> bytes:
    """Return the time of the last complete line, or nothing. Read backwards, because a log may have gigabytes."""
    tail, place = b"", file.seek(0, os.SEEK_END)
    while place and tail.count(b"\n") < _BREAKS_AROUND_A_LINE:
        place = max(0, place - max(_STEP, len(tail)))
        file.seek(place)
        tail = file.read()
    whole, ended, _ = tail.rpartition(b"\n")
    return whole[whole.rfind(b"\n") + 1 :][:_STAMP_LENGTH] if ended else b""


def _below(folder: Path, name: str, suffix: str = "") -> Path:
    try:
        below(folder, name)
        path = below(folder, name + suffix)
    except UnsafeNameError as error:
        message = f"{name[:512]!r} is not a valid name of a log group or stream: it {error}"
        raise ServiceError("InvalidParameterException", message) from None
    if any(part.startswith(_GROUP_FILE) for part in name.split("/")):
        message = f"{name!r} is not a valid name of a log group or stream: the local service reserves {_GROUP_FILE}"
        raise ServiceError("InvalidParameterException", message)
    return path


def _stamp(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def _milliseconds(stamp: str) -> int:
    moment = datetime.fromisoformat(stamp)
    return round(moment.timestamp() * 1000)
