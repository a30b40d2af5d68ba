"""Reads bodies whose signature can only be checked once they have been read, and holds little of them until then.

Most clients do not say a body's hash beside its signature: only who has read the whole body can tell a right signature
from a wrong one. Until then a body may be anybody's.
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
"""Bodies that are read at a time, beside those that come in one piece, which the HTTP server holds anyway."""
IN_MEMORY = 16 * 1024 * 1024
"""Bytes of all those bodies together that are held in memory; a body for which there is no room goes to a file."""
SECONDS = 60.0
"""How long a body may take to come, so that slow clients do not keep the others waiting."""


class ClientDisconnectedError(Exception):
    """The client went away before its request was complete; nothing was done."""


class BodyReader:
    """Reads bodies for all connections.

    Args:
        folder: where bodies are kept for which there is no room in memory, in files without a name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._room = _Room(IN_MEMORY)

    async def read(self, receive: Receive, limit: int, verify: Callable[[bytes], None]) -> bytes:
        """Read a body.

        Args:
            receive: gives its parts.
            limit: bytes that it may have.
            verify: takes the body's SHA-256 in hexadecimal, and raises if it is not the one that was signed.

        Raises:
            ClientDisconnectedError: the client went away.
            ServiceError: it is longer than ``limit``, or did not come in time. One that is too long is read to its
                end all the same, because a client that still sends does not hear an answer.
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
    """The memory that is left for bodies, in bytes."""

    def __init__(self, left: int) -> None:
        self.left = left


class _Body:
    """What has come of one body: in memory, or in a file from the moment when there is no room for it."""

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
    """Read a body to its end, or until the client goes away, and keep nothing of it."""
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
