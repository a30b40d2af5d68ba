"""The service's one door: checks who asks, and hands each request to the service that it is signed for."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.access import SignatureRefused, check_sender, read_signature, verify
from local.errors import ServiceError, not_implemented
from local.moto_services import MotoServices
from local.s3 import s3_application
from local.sagemaker import operations
from local.wire import Protocol, Reply, error_reply, json_reply, protocol_of

if TYPE_CHECKING:
    from local.context import Context

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LARGEST_INVOCATION = 6 * 1024 * 1024
LARGEST_BODY = 100 * 1024 * 1024
_THREADS = 32
_log = logging.getLogger(__name__)


class ClientGone(Exception):  # noqa: N818 - the word says it
    """The client went away before its request was complete; nothing was done."""


@dataclass
class Request:
    """One request: what it says before its body arrives."""

    scope: Scope
    receive: Receive

    def __post_init__(self) -> None:
        headers: dict[bytes, bytes] = {}
        for name, value in self.scope["headers"]:
            headers[name] = headers[name] + b"," + value if name in headers else value
        self.headers = headers

    async def body(self, limit: int) -> bytes:
        """Read the body.

        Raises:
            ClientGone: the client went away.
            ServiceError: the body is larger than ``limit`` bytes; it was read to its end, so that the client
                hears the answer.
        """
        parts, size = [], 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size <= limit:
                parts.append(part)
            if not message.get("more_body"):
                break
        if size > limit:
            raise ServiceError(
                "RequestEntityTooLargeException",
                f"the request's body has {size} bytes, more than the {limit} that are allowed",
                413,
            )
        return b"".join(parts)


class Gateway:
    """The ASGI application."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(_THREADS, "operation")
        self._s3 = s3_application(context.settings)
        self._moto = MotoServices(context)

    def close(self) -> None:
        """Take no more requests."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        protocol = Protocol.REST_JSON
        try:
            check_sender(request.headers)
            signature = read_signature(request.headers, scope["query_string"])
            protocol = protocol_of(signature.service, request.headers)
            if signature.service == "s3":
                payload_hash = request.headers.get(b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD")
                self._verify(request, signature, payload_hash)
                await self._s3(scope, receive, send)
                return
            invocation = signature.service == "sagemaker" and scope["path"].startswith("/endpoints/")
            body = await request.body(LARGEST_INVOCATION if invocation else LARGEST_BODY)
            self._verify(request, signature, hashlib.sha256(body).hexdigest().encode())
            if invocation:
                reply = self._invoke(request, body)
            elif signature.service == "sagemaker":
                reply = await self._in_thread(self._operation, request, body)
            else:
                await self._forward(scope, body, send)
                return
        except ClientGone:
            return
        except SignatureRefused as refusal:
            reply = error_reply(refusal.as_error(protocol), protocol)
        except ServiceError as error:
            reply = error_reply(error, protocol)
        except Exception as error:
            reply = error_reply(_unexpected(error), protocol)
        await _send(send, reply)

    def _verify(self, request: Request, signature: Any, payload_hash: bytes) -> None:
        scope = request.scope
        verify(
            signature,
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            request.headers,
            payload_hash,
        )

    def _operation(self, request: Request, body: bytes) -> Reply:
        target = request.headers.get(b"x-amz-target", b"").decode("latin-1")
        name = target.removeprefix("SageMaker.")
        if not target:
            raise not_implemented("sagemaker", f"{request.scope['method']} {request.scope['path']}")
        try:
            document = json.loads(body or b"{}")
        except ValueError:
            raise ServiceError("SerializationException", "the request's body is not JSON") from None
        return json_reply(operations.call(self._context, name, document))

    def _invoke(self, request: Request, body: bytes) -> Reply:
        name, _, rest = request.scope["path"].removeprefix("/endpoints/").partition("/")
        if rest != "invocations" or request.scope["method"] != "POST":
            raise not_implemented("sagemaker-runtime", f"{request.scope['method']} {request.scope['path']}")
        headers = request.headers
        status, answer_headers, answer = self._context.hosting.invoke(
            unquote(name),
            body,
            _text(headers.get(b"content-type")),
            _text(headers.get(b"accept")),
            _text(headers.get(b"x-amzn-sagemaker-target-variant")),
        )
        return Reply(status, answer, answer_headers)

    async def _forward(self, scope: Scope, body: bytes, send: Send) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        application = await self._in_thread(self._moto.application)
        await application(scope, receive, send)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _unexpected(error: Exception) -> ServiceError:
    if _disk_is_full(error):
        return ServiceError(
            "InsufficientStorage",
            "no space is left on the disk that holds the service's state: free some",
            507,
        )
    _log.error("an operation failed", exc_info=error)
    sentence = (
        f"the local service failed: {type(error).__name__}: {error} (.local/service.log has the details)"
    )
    return ServiceError("InternalFailure", sentence, 500)


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def _send(send: Send, reply: Reply) -> None:
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
