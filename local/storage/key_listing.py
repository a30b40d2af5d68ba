"""List the keys of a bucket in S3's order, which is that of their UTF-8 bytes."""

from __future__ import annotations

import heapq
import os
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from local.storage.object_paths import (
    INTERNAL_PREFIX,
    LONGEST_KEY,
    BucketPaths,
    RefusedNameError,
    can_be_plain,
    escaped_key,
    is_key,
)

_LARGE = 500
_MOST_KEPT = 16
_SETTLED = 2.0
"""Seconds after which a folder's modification time tells whether its names changed. Its clock has coarse steps."""

_LAST = "\U0010ffff" * (LONGEST_KEY // 4)


class FolderNames:
    """The names in folders. Those of large folders are kept until the folder changes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, int], list[str]]] = {}

    def read(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; empty if it does not exist.

        The names of folders end with a slash, so that sorted names make sorted keys. Symbolic links and names that
        are not UTF-8 text are left out.
        """
        try:
            before = os.stat(folder)  # noqa: PTH116 - faster than Path
        except (FileNotFoundError, NotADirectoryError):
            return []
        state = (before.st_ino, before.st_mtime_ns)
        kept = self._kept.get(folder)
        if kept is not None and kept[0] == state:
            return kept[1]
        names = sorted(_names(folder))
        if len(names) >= _LARGE and time.time() - before.st_mtime > _SETTLED:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[folder] = (state, names)
        return names


def _names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if not name.isascii() and not is_key(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield f"{name}/"
                elif entry.is_file(follow_symlinks=False):
                    yield name
    except (FileNotFoundError, NotADirectoryError):
        return


class KeyListing:
    """The keys of a bucket that begin with a prefix, in order. They are read as the iteration proceeds.

    Args:
        paths: the paths of buckets.
        names: the names in folders.
        bucket: name of the bucket.
        prefix: the prefix of the keys, or empty.
        after: only keys after it are listed; may be empty.
    """

    def __init__(self, paths: BucketPaths, names: FolderNames, bucket: str, prefix: str, after: str = "") -> None:
        self._paths, self._names = paths, names
        self._bucket, self._prefix, self._after = bucket, prefix, after

    def __iter__(self) -> Iterator[str]:
        before = None
        for key in heapq.merge(self._plain(), self.escaped()):
            # A key with both files is listed once.
            if key != before and key > self._after:
                yield key
            before = key

    def skip(self, prefix: str) -> None:
        """Leave out the keys that begin with a prefix, and those before it."""
        self._after = prefix + _LAST

    def _plain(self) -> Iterator[str]:
        above, slash, _ = self._prefix.rpartition("/")
        if slash and not can_be_plain(above):
            return
        root = str(self._paths.bucket(self._bucket))
        try:
            if slash:
                self._paths.plain(self._bucket, above)
        except RefusedNameError:
            # No key has this prefix, or it leads through a symbolic link.
            return
        stack = [(above + slash, self._names.read(f"{root}/{above}"), 0)]
        while stack:
            base, names, index = stack.pop()
            index = _first(base, names, index, max(self._after, self._prefix))
            if index == len(names):
                continue
            name = names[index]
            key = base + name
            if not (key.startswith(self._prefix) or self._prefix.startswith(key)):
                if key < self._prefix:
                    stack.append((base, names, index + 1))
                continue
            stack.append((base, names, index + 1))
            if name.startswith(INTERNAL_PREFIX):
                continue
            if name.endswith("/"):
                stack.append((key, self._names.read(f"{root}/{key}"), 0))
            elif key.startswith(self._prefix) and len(key.encode()) <= LONGEST_KEY:
                yield key

    def escaped(self) -> list[str]:
        """Return the keys of the files in the bucket's folder of escaped keys, sorted."""
        folder = self._paths.escaped_keys(self._bucket)
        found = (escaped_key(place) for place in self._places(folder, ""))
        return sorted(key for key in found if key and key.startswith(self._prefix) and key > self._after)

    def _places(self, folder: Path, base: str) -> Iterator[str]:
        for name in self._names.read(f"{folder}/{base}"):
            if name.endswith("/"):
                yield from self._places(folder, base + name)
            else:
                yield base + name


def _first(base: str, names: list[str], index: int, least: str) -> int:
    """Return the index of the first name whose key, or a key in whose folder, may be at least ``least``.

    Args:
        base: prefix of the keys.
        names: sorted names that follow the prefix; those of folders end with a slash.
        index: the index to start at.
        least: the least key that is wanted.
    """
    if not least.startswith(base):
        return len(names) if least > base else index
    rest = least[len(base) :]
    found = bisect_left(names, rest, index)
    if found > index and names[found - 1].endswith("/") and rest.startswith(names[found - 1]):
        return found - 1
    return found
