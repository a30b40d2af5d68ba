"""Decide where an object's file is.

An object is a plain file at its key's path whenever that is possible. Two kinds of objects are in the bucket's folder
of escaped keys: those whose key cannot be a path, and those whose path is the folder of other objects (``a`` beside
``a/b``). If a key has both files, the plain one is the object: it is the newer one.

Every step is one rename, so that each object is there if the process ends at any moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from local.storage.object_paths import ESCAPED_FOLDER, METADATA_FOLDER, BucketPaths

_ATTEMPTS = 3
_Result = TypeVar("_Result")
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class ObjectPlaces:
    """The files of the objects.

    Args:
        paths: the paths of buckets and keys.

    Attributes:
        change: held during each change, so that two changes never meet. It may be acquired again by its holder.
    """

    def __init__(self, paths: BucketPaths) -> None:
        self._paths = paths
        self.change = threading.RLock()

    def find(self, bucket: str, key: str) -> Path | None:
        """Return the path of an object's file, or None if the object does not exist."""
        plain = self._paths.plain(bucket, key)
        if plain is not None and plain.is_file():
            return plain
        escaped = self._paths.escaped(bucket, key)
        for _ in range(_ATTEMPTS):
            if escaped.is_file():
                return escaped
            # Meanwhile, another thread may have moved the file from one place to the other.
            if plain is not None and plain.is_file():
                return plain
        return None

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Open an object.

        Raises:
            FileNotFoundError: the object does not exist.
        """
        return self._with_file(bucket, key, lambda path: path.open("rb"))

    def status(self, bucket: str, key: str) -> os.stat_result:
        """Return the status of an object's file.

        Raises:
            FileNotFoundError: the object does not exist.
        """
        return self._with_file(bucket, key, Path.lstat)

    def sidecar(self, bucket: str, key: str) -> Path:
        """Return the path of an object's sidecar, which need not exist."""
        target = None
        for path in self._paths.sidecars(bucket, key):
            if path.is_file():
                return path
            # An earlier version may have made the folder of another key's sidecar of the path.
            if target is None and not path.is_dir():
                target = path
        return target or path

    def put(self, bucket: str, key: str, source: Path) -> None:
        """Move a file to an object. The file must be on the same file system as the buckets."""
        with self.change:
            plain, escaped = self._paths.plain(bucket, key), self._paths.escaped(bucket, key)
            if plain is not None and self._make_folder(bucket, key, plain.parent) and _moved(source, plain):
                _remove_escaped(escaped)
                return
            escaped.parent.mkdir(parents=True, exist_ok=True)
            source.replace(escaped)

    def remove(self, bucket: str, key: str) -> None:
        """Delete an object and its sidecar, if they exist."""
        with self.change:
            # The plain file comes last: until then, it is the object.
            _remove_escaped(self._paths.escaped(bucket, key))
            plain = self._paths.plain(bucket, key)
            if plain is not None and plain.is_file():
                plain.unlink()
            self.remove_sidecar(bucket, key)
            if plain is not None:
                self._remove_empty(bucket, plain.parent)

    def remove_sidecar(self, bucket: str, key: str) -> None:
        """Delete an object's sidecar, if it exists."""
        for path in self._paths.sidecars(bucket, key):
            if path.is_file():
                path.unlink()

    def remove_bucket(self, bucket: str) -> bool:
        """Delete a bucket if it has no object and no other file; return whether it was deleted."""
        with self.change:
            folder = self._paths.bucket(bucket)
            if any(_content(folder)):
                return False
            for name in (METADATA_FOLDER, ESCAPED_FOLDER):
                shutil.rmtree(folder / name, ignore_errors=True)
            try:
                _remove_empty_tree(folder)
            except OSError:
                # A job has just written to it.
                return False
            return True

    def _with_file(self, bucket: str, key: str, use: Callable[[Path], _Result]) -> _Result:
        for _ in range(_ATTEMPTS):
            if (path := self.find(bucket, key)) is None:
                break
            with contextlib.suppress(*_ABSENT):
                return use(path)
        raise FileNotFoundError(f"s3://{bucket}/{key} does not exist")

    def _make_folder(self, bucket: str, key: str, folder: Path) -> bool:
        """Make the folder of a plain object. Objects whose paths are in the way move to the escaped keys."""
        segments = key.split("/")
        for depth in range(1, len(segments)):
            above = "/".join(segments[:depth])
            path = self._paths.bucket(bucket) / above
            if path.is_file():
                escaped = self._paths.escaped(bucket, above)
                escaped.parent.mkdir(parents=True, exist_ok=True)
                path.replace(escaped)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            return False
        return True

    def _remove_empty(self, bucket: str, folder: Path) -> None:
        """Remove a folder and its parents while they are empty. Objects that they displaced return to their paths."""
        root = self._paths.bucket(bucket)
        while folder != root:
            try:
                folder.rmdir()
            except OSError:
                return
            displaced = self._paths.escaped(bucket, folder.relative_to(root).as_posix())
            if displaced.is_file():
                displaced.replace(folder)
                return
            folder = folder.parent


def _moved(source: Path, target: Path) -> bool:
    """Move a file, unless the target is a folder with files or its folder is gone; return whether it was moved."""
    try:
        if target.is_dir():
            # A job may have left it, empty.
            target.rmdir()
        source.replace(target)
    except OSError as error:
        if isinstance(error, _ABSENT) or error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _remove_escaped(escaped: Path) -> None:
    """Remove an object's file from the folder of escaped keys, and the folders that are empty then."""
    try:
        escaped.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    for folder in escaped.parents:
        with contextlib.suppress(OSError):
            folder.rmdir()
        if folder.name == ESCAPED_FOLDER:
            return


def _content(bucket: Path) -> Iterator[str]:
    """Yield the paths of a bucket's files, without sidecars and symbolic links."""
    for directory, folders, files in os.walk(bucket):
        if Path(directory) == bucket and METADATA_FOLDER in folders:
            folders.remove(METADATA_FOLDER)
        is_escaped = (bucket / ESCAPED_FOLDER) in (Path(directory), *Path(directory).parents)
        for name in files:
            path = os.path.join(directory, name)  # noqa: PTH118 - a bucket may hold a hundred thousand files
            if not os.path.islink(path) and (not is_escaped or not name.endswith(".json")):  # noqa: PTH114
                yield path


def _remove_empty_tree(folder: Path) -> None:
    """Remove a folder whose folders have only symbolic links.

    Raises:
        OSError: there is a file. It is not removed.
    """
    for directory, folders, files in os.walk(folder, topdown=False):
        for path in (Path(directory) / name for name in [*folders, *files]):
            if path.is_symlink():
                path.unlink()
        Path(directory).rmdir()
