"""Reads request bodies with limits on memory and time.

Most clients do not send a body's hash, so a signature can be verified only after the whole body has been read. Until
then, the sender may be anyone, and the limits protect the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from starlette.types import Message, Receive

from local.core.errors import ServiceError

AT_ONCE = 8
"""Number of bodies that are read at the same time.

Bodies that arrive in one piece do not count, because the HTTP server holds them anyway.
"""
IN_MEMORY = 16 * 1024 * 1024
"""Bytes of memory for all of these bodies together. A body that does not fit is written to a temporary file."""
SECONDS = 60.0
"""Seconds within which a body must arrive, so that slow clients do not block others."""


class ClientDisconnectedError(Exception):
    """The client disconnected before its request was complete. The request had no effect."""


class BodyReader:
    """Reads bodies for all connections.

    Args:
        folder: The folder for temporary files, which have no name. They hold bodies that do not fit in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._room = _Room(IN_MEMORY)

    async def read(self, receive: Receive, limit: int, verify: Callable[[bytes], None]) -> bytes:
        """Return a request's body.

        A body that is too long is read to its end all the same, because clients read no response while they send.

        Args:
            receive: Returns the next message of the ASGI server.
            limit: The maximum length in bytes.
            verify: Is called with the body's SHA-256 in hexadecimal, and raises if the hash was not signed.

        Raises:
            ClientDisconnectedError: The client disconnected.
            ServiceError: The body is longer than ``limit``, or did not arrive in time.
        """
        message = await _next(receive)
        part: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if len(part) > limit:
                raise _too_long(limit)
            verify(hashlib.sha256(part).hexdigest().encode())
            return part
        async with self._turns:
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._read_on(part, receive, limit, verify)
            except TimeoutError:
                said = f"The request's body did not come within {SECONDS:.0f} seconds."
                raise ServiceError("RequestTimeout", said, 408) from None

    async def _read_on(self, part: bytes, receive: Receive, limit: int, verify: Callable[[bytes], None]) -> bytes:
        digest, size, more = hashlib.sha256(), 0, True
        with contextlib.closing(_Body(self._room, self._folder)) as body:
            while True:
                size += len(part)
                if size <= limit:
                    digest.update(part)
                    await body.add(part)
                if not more:
                    break
                message = await _next(receive)
                part, more = message.get("body", b""), bool(message.get("more_body"))
            if size > limit:
                raise _too_long(limit)
            verify(digest.hexdigest().encode())
            return await body.content()


class _Room:
    """The memory left for bodies, in bytes."""

    def __init__(self, left: int) -> None:
        self.left = left


class _Body:
    """The part of a body read so far, in memory or, if it does not fit there, in a temporary file."""

    def __init__(self, room: _Room, folder: Path) -> None:
        self._room = room
        self._folder = folder
        self._in_memory = 0
        self._memory = io.BytesIO()
        self._file: IO[bytes] | None = None

    async def add(self, part: bytes) -> None:
        if self._file is None and len(part) > self._room.left:
            self._file = await asyncio.to_thread(self._move)
            self._free()
        if self._file is not None:
            await asyncio.to_thread(self._file.write, part)
        else:
            self._memory.write(part)
            self._in_memory += len(part)
            self._room.left -= len(part)

    async def content(self) -> bytes:
        if self._file is None:
            return self._memory.getvalue()
        self._file.seek(0)
        return await asyncio.to_thread(self._file.read)

    def close(self) -> None:
        self._free()
        if self._file is not None:
            self._file.close()

    def _move(self) -> IO[bytes]:
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - close() closes it
        file.write(self._memory.getbuffer())
        return file

    def _free(self) -> None:
        self._memory = io.BytesIO()
        self._room.left += self._in_memory
        self._in_memory = 0


async def discard(receive: Receive) -> None:
    """Read a body to its end, or until the client disconnects, without keeping any of it."""
    with contextlib.suppress(ClientDisconnectedError):
        while (await _next(receive)).get("more_body"):
            pass


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnectedError
    return message


def _too_long(limit: int) -> ServiceError:
    # SageMaker and API Gateway send this sentence without an error code.
    return ServiceError("", f"HTTP content length exceeded {limit} bytes.", 413)
