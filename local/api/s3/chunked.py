"""Bodies of S3 uploads as they come: checked against their signature, and freed of the aws-chunked framing.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and .../sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from nanio.errors import InvalidRequest, S3Error, SignatureDoesNotMatch

from local.aws.sigv4 import UNSIGNED_PAYLOAD, Signature

Receive = Callable[[], Awaitable[Any]]

_HASH = re.compile(rb"[0-9a-f]{64}")
_SIGNED = {b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
_UNSIGNED = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_LONGEST_LINE = 4096


class ContentMismatch(S3Error):  # type: ignore[misc]  # noqa: N818
    """The body is not the one that was signed."""

    code = "XAmzContentSHA256Mismatch"
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    http_status = 400


class UploadAborted(Exception):  # noqa: N818 - the word says it
    """The client went away in the midst of a body."""


def is_chunked(payload_hash: bytes) -> bool:
    """Whether a body comes in the aws-chunked framing."""
    return payload_hash in _SIGNED or payload_hash == _UNSIGNED


class Body:
    """A request's body as an ASGI ``receive``: checked and plain.

    Args:
        receive: gives the body as it was sent.
        payload_hash: the header ``x-amz-content-sha256``.
        signature: the request's signature, already verified.
        signing_key: what signed it, and signs the body's chunks.

    Attributes:
        ended: whether all of it was read.

    Raises:
        S3Error: the header is not one that S3 has.
    """

    def __init__(self, receive: Receive, payload_hash: bytes, signature: Signature, signing_key: bytes) -> None:
        self.ended = False
        self._receive = receive
        self._parts = _parts(receive)
        if is_chunked(payload_hash):
            self._parts = _dechunked(self._parts, (signature, signing_key) if payload_hash in _SIGNED else None)
        elif _HASH.fullmatch(payload_hash):
            self._parts = _hashed(self._parts, payload_hash)
        elif payload_hash != UNSIGNED_PAYLOAD:
            raise InvalidRequest("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming word or a SHA-256")

    async def __call__(self) -> Any:
        """The next message of the body."""
        if self.ended:
            # A handler that streams its answer asks on, to hear that the client goes away.
            return await self._receive()
        async for part in self._parts:
            return {"type": "http.request", "body": part, "more_body": True}
        self.ended = True
        return {"type": "http.request", "body": b"", "more_body": False}


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise UploadAborted
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def _hashed(parts: AsyncIterator[bytes], expected: bytes) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    async for part in parts:
        digest.update(part)
        yield part
    if digest.hexdigest().encode() != expected:
        raise ContentMismatch


async def _dechunked(parts: AsyncIterator[bytes], signed: tuple[Signature, bytes] | None) -> AsyncIterator[bytes]:
    """Take the frames away; check each chunk's signature if ``signed`` gives one to start from, and its key."""
    reader = _Reader(parts)
    previous = "" if signed is None else signed[0].value.decode()
    while True:
        size_text, _, extension = (await reader.line()).partition(b";")
        if re.fullmatch(rb"[0-9a-fA-F]{1,8}", size_text) is None:
            raise InvalidRequest("a chunk of the body has no valid size")
        size = int(size_text, 16)
        digest = hashlib.sha256()
        # A chunk may have gigabytes: it is handed on as it comes. Nothing is stored if its signature proves wrong.
        async for data in reader.exactly(size):
            digest.update(data)
            yield data
        if signed is not None:
            given = extension.partition(b"chunk-signature=")[2].decode("latin-1").strip()
            previous = _chunk_signature(*signed, previous, digest.hexdigest())
            if not hmac.compare_digest(previous.encode(), given.encode()):
                raise SignatureDoesNotMatch
        if size == 0:
            # What follows are trailing headers with checksums.
            await reader.rest()
            return
        if await reader.line() != b"":
            raise InvalidRequest("a chunk of the body is longer than its size")


def _chunk_signature(signature: Signature, signing_key: bytes, previous: str, data_hash: str) -> str:
    text = "\n".join(
        (
            "AWS4-HMAC-SHA256-PAYLOAD",
            signature.time.decode(),
            "/".join((*signature.scope, "aws4_request")),
            previous,
            _EMPTY_HASH,
            data_hash,
        )
    )
    return hmac.digest(signing_key, text.encode(), "sha256").hex()


class _Reader:
    """Lines and counted bytes out of parts of any size."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts
        self._held = bytearray()

    async def line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > _LONGEST_LINE:
                raise InvalidRequest("a chunk of the body has no valid size")
            await self._more()
        line = bytes(self._held[:end])
        del self._held[: end + 2]
        return line

    async def exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            if not self._held:
                await self._more()
            data = bytes(self._held[:size])
            del self._held[:size]
            size -= len(data)
            yield data

    async def rest(self) -> None:
        async for _ in self._parts:
            pass

    async def _more(self) -> None:
        async for part in self._parts:
            self._held += part
            return
        raise InvalidRequest("the body ends within a chunk")
