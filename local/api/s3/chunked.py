"""Verify the bodies of S3 uploads, and decode aws-chunked bodies.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and .../sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from local.api.s3.errors import invalid_request, s3_error
from local.aws.bodies import ClientDisconnectedError
from local.aws.sigv4 import UNSIGNED_PAYLOAD, Signature

Receive = Callable[[], Awaitable[Any]]

_HASH = re.compile(rb"[0-9a-f]{64}")
_SIGNED = {b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_MOST_TRAILERS = 8
_UNSIGNED = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_LONGEST_LINE = 4096


def is_chunked(payload_hash: bytes) -> bool:
    """Return whether a body is aws-chunked.

    Args:
        payload_hash: the header ``x-amz-content-sha256``.
    """
    return payload_hash in _SIGNED or payload_hash == _UNSIGNED


class Body:
    """An ASGI ``receive`` that gives a request's body verified and decoded.

    Args:
        receive: gives the body as the client sends it.
        payload_hash: the header ``x-amz-content-sha256``.
        signature: the request's signature, already verified.
        signing_key: the key of that signature. It also signs the body's chunks.

    Attributes:
        ended: whether the whole body was read and is valid.
        begun: whether a part of the body was requested.
        arrived: whether the whole body has arrived, valid or not.
        trailers: the trailing headers of an aws-chunked body, by lower-case name; complete once the body has ended.

    Raises:
        ServiceError: the header has a value that S3 does not accept.
    """

    def __init__(self, receive: Receive, payload_hash: bytes, signature: Signature, signing_key: bytes) -> None:
        self.ended = self.begun = self.arrived = False
        self.trailers: dict[str, str] = {}
        self._receive = receive
        self._parts = self._arriving()
        if is_chunked(payload_hash):
            signer = _Signer(signature, signing_key) if payload_hash in _SIGNED else None
            self._parts = _dechunked(self._parts, signer, self.trailers, ends_signed=payload_hash.endswith(b"TRAILER"))
        elif _HASH.fullmatch(payload_hash):
            self._parts = _hashed(self._parts, payload_hash)
        elif payload_hash != UNSIGNED_PAYLOAD:
            raise invalid_request("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING-... value or a SHA-256")

    async def __call__(self) -> Any:
        """Return the next ASGI message of the body."""
        if self.ended:
            # A handler that streams its response waits here for the client to disconnect.
            return await self._receive()
        async for part in self._parts:
            return {"type": "http.request", "body": part, "more_body": True}
        self.ended = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _arriving(self) -> AsyncIterator[bytes]:
        while not self.arrived:
            self.begun = True
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnectedError
            self.arrived = not message.get("more_body")
            if message.get("body"):
                yield message["body"]


async def _hashed(parts: AsyncIterator[bytes], expected: bytes) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    async for part in parts:
        digest.update(part)
        yield part
    if digest.hexdigest().encode() != expected:
        raise s3_error("XAmzContentSHA256Mismatch")


class _Signer:
    """Checks the signatures of a body's chunks. Each signature covers the previous one."""

    def __init__(self, signature: Signature, key: bytes) -> None:
        self._time = signature.time.decode()
        self._scope = "/".join((*signature.scope, "aws4_request"))
        self._key = key
        self._previous = signature.value.decode()

    def check_chunk(self, data_hash: str, given: str) -> None:
        self._check(given, "AWS4-HMAC-SHA256-PAYLOAD", _EMPTY_HASH, data_hash)

    def check_trailers(self, trailers: dict[str, str]) -> None:
        given = trailers.pop(_TRAILER_SIGNATURE, "")
        signed = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        self._check(given, "AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(signed.encode()).hexdigest())

    def _check(self, given: str, algorithm: str, *hashes: str) -> None:
        text = "\n".join((algorithm, self._time, self._scope, self._previous, *hashes))
        self._previous = hmac.digest(self._key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(self._previous.encode(), given.encode()):
            raise s3_error("SignatureDoesNotMatch")


async def _dechunked(
    parts: AsyncIterator[bytes], signer: _Signer | None, trailers: dict[str, str], *, ends_signed: bool
) -> AsyncIterator[bytes]:
    """Decode an aws-chunked body.

    Args:
        parts: the body as it arrives.
        signer: checks each chunk's signature; None if chunks are not signed.
        trailers: filled with the trailing headers, by lower-case name.
        ends_signed: whether the trailing headers are signed, too.

    Yields:
        The content, in parts.

    Raises:
        ServiceError: the framing or a signature is invalid.
    """
    reader = _Reader(parts)
    while True:
        size_text, _, extension = (await reader.line()).partition(b";")
        if re.fullmatch(rb"[0-9a-fA-F]{1,8}", size_text) is None:
            raise invalid_request("the size of a chunk of the body is not valid")
        size = int(size_text, 16)
        digest = hashlib.sha256()
        # A chunk may have gigabytes, so it is passed on before its signature is checked. If the signature is wrong, the
        # request fails and nothing is stored.
        async for data in reader.exactly(size):
            digest.update(data)
            yield data
        if signer is not None:
            given = extension.partition(b"chunk-signature=")[2].decode("latin-1").strip()
            signer.check_chunk(digest.hexdigest(), given)
        if size == 0:
            break
        if await reader.line() != b"":
            raise invalid_request("a chunk of the body is longer than its size")
    while line := await reader.line():
        name, _, value = line.decode("latin-1").partition(":")
        if len(trailers) == _MOST_TRAILERS:
            raise s3_error("MalformedTrailerError", "the body has too many trailing headers")
        trailers[name.strip().lower()] = value.strip()
    if signer is not None and ends_signed:
        signer.check_trailers(trailers)
    await reader.end()


class _Reader:
    """Reads lines and byte counts from parts of any size."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts
        self._held = bytearray()

    async def line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > _LONGEST_LINE:
                raise invalid_request("the size of a chunk of the body is not valid")
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

    async def end(self) -> None:
        async for part in self._parts:
            self._held += part
            break
        if self._held:
            raise invalid_request("the body has data after its last chunk")

    async def _more(self) -> None:
        async for part in self._parts:
            self._held += part
            return
        raise invalid_request("the body ends within a chunk")
