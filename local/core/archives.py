"""Archives that somebody else made, read within limits: two kilobytes may unpack to gigabytes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Protocol

_LARGEST_DIRECTORY = 8 * 1024 * 1024
"""Bytes of a zip file's list of files: 46 bytes and a name for each, of which Python makes ten times that."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIZE_OF_DIRECTORY = 5


class ArchiveError(ValueError):
    """An archive is damaged, of an unusual kind, or exceeds a limit, which the text names."""


class Readable(Protocol):
    """A stream of bytes, a decompressor for one."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, ``size`` at most."""


class LimitedReader(io.RawIOBase):
    """A stream that ends in an error instead of giving more than so many bytes.

    Args:
        stream: gives the bytes.
        limit: how many there may be.
    """

    def __init__(self, stream: Readable, limit: int) -> None:
        super().__init__()
        self._stream = stream
        self._limit = limit
        self._left = limit

    def readable(self) -> bool:
        """True: it is a stream to read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            ArchiveError: there are more than the limit.
        """
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(f"it unpacks to more than {self._limit} bytes")
        return data


def tar_files(stream: Readable, *, most_bytes: int, most_members: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Read the plain files of an uncompressed tar stream, one after the other.

    Args:
        stream: the tar file, as it comes out of a decompressor.
        most_bytes: how large it may be.
        most_members: how many files, folders and links it may have.

    Yields:
        A file's name, and its content, which is to be read before the next file.

    Raises:
        ArchiveError: a limit is exceeded; a file has holes, so that its size says nothing about the stream's.
        tarfile.TarError: it is not a tar file.
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
    """Open a zip file whose directory is of a usual size.

    Raises:
        ArchiveError: it is not a zip file, or its directory is too large, or its files are encrypted or compressed
            in another way than by deflate.
    """
    try:
        # What ZipFile itself is going to read into memory as a whole.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[_SIZE_OF_DIRECTORY] > _LARGEST_DIRECTORY:
            raise ArchiveError(f"its list of files takes more than {_LARGEST_DIRECTORY} bytes")
        opened = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ArchiveError(str(error) or "it is not a zip file") from error
    for entry in opened.infolist():
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise ArchiveError(f"{entry.filename} is encrypted, or compressed in another way than by deflate")
    return opened
