"""Read untrusted archives within limits, because two kilobytes can unpack to gigabytes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Protocol

_LARGEST_DIRECTORY = 8 * 1024 * 1024
"""Limit of a zip file's central directory, in bytes. An entry takes 46 bytes plus its name; in Python's memory, ten
times as much."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIZE_OF_DIRECTORY = 5


class ArchiveError(ValueError):
    """The archive is damaged, of an unsupported kind, or exceeds a limit; the message says which."""


class Readable(Protocol):
    """A stream of bytes, for example a decompressor."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` of the next bytes."""


class LimitedReader(io.RawIOBase):
    """A stream that raises an error when it exceeds a limit.

    Args:
        stream: The underlying stream.
        limit: The largest allowed size, in bytes.
    """

    def __init__(self, stream: Readable, limit: int) -> None:
        super().__init__()
        self._stream = stream
        self._limit = limit
        self._left = limit

    def readable(self) -> bool:
        """Return True: the stream can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            ArchiveError: The stream has more bytes than the limit.
        """
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(f"it unpacks to more than {self._limit} bytes")
        return data


def tar_files(stream: Readable, *, most_bytes: int, most_members: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Read the regular files of an uncompressed tar stream, one after the other.

    Args:
        stream: The tar file, already decompressed.
        most_bytes: The largest allowed size, in bytes.
        most_members: The largest allowed number of files, folders and links.

    Yields:
        Each file's name and content. Read the content before you ask for the next file.

    Raises:
        ArchiveError: A limit is exceeded, or a file is sparse. A sparse file can be far larger than the stream.
        tarfile.TarError: The stream is not a tar file.
    """
    with tarfile.open(fileobj=LimitedReader(stream, most_bytes), mode="r|") as tar:
        for number, member in enumerate(tar, 1):
            if number > most_members:
                raise ArchiveError(f"it has more than {most_members} members")
            if member.issparse():
                raise ArchiveError(f"{member.name} is a sparse file")
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name, content


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip file after checking the size of its central directory.

    Raises:
        ArchiveError: The file is not a zip file, its directory is too large, or an entry is encrypted or uses a
            compression other than deflate.
    """
    try:
        # Checked first, because ZipFile reads the whole directory into memory.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[_SIZE_OF_DIRECTORY] > _LARGEST_DIRECTORY:
            raise ArchiveError(f"its list of files takes more than {_LARGEST_DIRECTORY} bytes")
        opened = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ArchiveError(str(error) or "it is not a zip file") from error
    for entry in opened.infolist():
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise ArchiveError(f"{entry.filename} is encrypted, or its compression is not deflate")
    return opened
