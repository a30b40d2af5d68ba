"""The service's one door: checks who asks, and hands each request to the service that it is signed for."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from local.errors import ServiceError
from local.functions import api as functions_api
from local.http.access import check_sender, read_signature, verify
from local.http.refusals import SignatureRefused
from local.http.wire import Head, Protocol, Reply, closing, error_reply, protocol_of
from local.logs import api as logs_api
from local.moto import cloudformation, events
from local.s3.server import S3
from local.sagemaker import http as sagemaker_http

if TYPE_CHECKING:
    from local.context import Context

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = Callable[["Context", Head, bytes], Reply]

LARGEST_BODY = 100 * 1024 * 1024
_THREADS = 64
_log = logging.getLogger(__name__)


class ClientGone(Exception):  # noqa: N818 - the word says it
    """The client went away before its request was complete; nothing was done."""


class Gateway:
    """The ASGI application."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(_THREADS, "operation")
        self._s3 = S3(context)
        self._services: dict[str, Answer] = {
            "sagemaker": sagemaker_http.answer,
            "lambda": functions_api.answer,
            "logs": logs_api.answer,
            "events": events.answer,
            "cloudformation": cloudformation.answer,
        }

    def close(self) -> None:
        """Take no more requests."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        head = _head(scope)
        protocol, body_is_read = Protocol.REST_JSON, False
        try:
            check_sender(head.headers)
            signature = read_signature(head)
            protocol = protocol_of(signature.service, head.headers)
            if signature.service == "s3":
                await self._s3(signature, head, scope, receive, send)
                return
            invocation = signature.service == "sagemaker" and head.raw_path.startswith(b"/endpoints/")
            body = await _read(receive, sagemaker_http.LARGEST_INVOCATION if invocation else LARGEST_BODY)
            body_is_read = True
            verify(signature, head, hashlib.sha256(body).hexdigest().encode())
            if invocation:
                reply = sagemaker_http.invoke(self._context, head, body)
            else:
                answer = self._services.get(signature.service, self._context.moto.answer)
                loop = asyncio.get_running_loop()
                reply = await loop.run_in_executor(self._threads, answer, self._context, head, body)
        except ClientGone:
            return
        except SignatureRefused as refusal:
            reply = error_reply(refusal.as_error(protocol), protocol)
        except ServiceError as error:
            reply = error_reply(error, protocol)
        except Exception as error:
            reply = error_reply(_unexpected(error), protocol)
        await _send(send, reply if body_is_read else closing(reply))


def _head(scope: Scope) -> Head:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b"," + value if name in headers else value
    return Head(scope["method"], scope["raw_path"], scope["query_string"], headers)


async def _read(receive: Receive, limit: int) -> bytes:
    """Read a request's body.

    Raises:
        ClientGone: the client went away.
        ServiceError: it is larger than ``limit`` bytes. It was read to its end all the same, because a client
            that still sends does not hear an answer.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        else:
            parts.clear()
        if not message.get("more_body"):
            break
    if size > limit:
        # SageMaker and API Gateway send this sentence without an error code.
        raise ServiceError("", f"HTTP content length exceeded {limit} bytes.", 413)
    return b"".join(parts)


def _unexpected(error: Exception) -> ServiceError:
    if _disk_is_full(error):
        message = "no space is left on the disk that holds the local service's state: free some and try again"
        return ServiceError("InsufficientStorage", message, 507)
    _log.error("a request failed", exc_info=error)
    message = f"the local service failed: {type(error).__name__}: {error} (service.log has the details)"
    return ServiceError("InternalFailure", message, 500)


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def _send(send: Send, reply: Reply) -> None:
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
