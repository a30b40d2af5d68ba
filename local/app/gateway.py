"""Authenticate each request and route it by its signing name."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from local.api.moto.services import SERVICES
from local.api.sagemaker.http import LARGEST_INVOCATION
from local.app.parts import Parts
from local.app.pools import MODEL_SERVERS, RequestPools, is_prediction
from local.aws import credentials
from local.aws.bodies import BodyReader, ClientDisconnectedError, discard
from local.aws.refusals import SignatureError
from local.aws.regions import check_region
from local.aws.sigv4 import Signature, check_sender, find_signer, read_signature, verify
from local.aws.wire import HttpResponse, RequestHead, closing, error_reply, guess_protocol, protocol_of
from local.core.disk import insufficient_storage, is_full
from local.core.errors import ServiceError, validation_error
from local.core.paths import LONGEST_SEGMENT
from local.core.settings import Settings

_LARGEST_BODY = 8 * 1024 * 1024
"""Maximum bytes of a request's body. The largest is a pipeline definition: a million characters.
JSON may escape each character as six."""

_LARGEST_CODE = 69_905_067
"""Maximum bytes of a request with a function's code: a 50 MB zip file in base64."""

_LARGEST_INVOCATION_BODY = 6_291_556
"""Maximum bytes of an invocation's body; events of asynchronous ones are shorter. Lambda's errors state both limits.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
_QUICK_INVOCATION = 128 * 1024
"""Requests up to this size run in the event loop. Switching threads takes as long as predicting a row."""

_CREDENTIALS = credentials.PATH.encode()
_HASH_HEADER = b"x-amz-content-sha256"
_log = logging.getLogger(__name__)


class Gateway:
    """The ASGI application.

    Args:
        parts: the parts of the service.
        settings: its settings.
    """

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._parts, self._region = parts, settings.region
        self._pools = RequestPools(frozenset(parts.services))
        self._bodies = BodyReader(settings.root)

    def close(self) -> None:
        """Stop accepting requests."""
        self._pools.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        head = _head(scope)
        protocol, body_is_untouched, body_is_read = guess_protocol(head), True, False
        resource = head.raw_path.decode("latin-1")
        try:
            check_sender(head.headers)
            if head.raw_path.startswith(_CREDENTIALS) and head.method == "GET":
                await _send(send, self._answer_container(head))
                return
            signature = read_signature(head)
            protocol = protocol_of(signature.service, head.headers)
            if signature.service == "s3":
                await self._parts.s3(signature, head, scope, receive, send)
                return
            if signature.service in self._parts.services or signature.service in SERVICES:
                check_region(signature, self._region)
            verify_body = self._verifier(signature, head)
            body_is_untouched = False
            limit = _longest_body(signature.service, head)
            body = await self._bodies.read(receive, limit, verify_body)
            body_is_read = True
            prediction = is_prediction(signature.service, head)
            is_slow = prediction and self._parts.sagemaker_http.may_take_long(head)
            if prediction and not is_slow and len(body) <= _QUICK_INVOCATION:
                reply = self._parts.sagemaker_http.invoke(head, body)
            else:
                service = self._parts.services.get(signature.service, self._parts.moto.answer)
                answer = self._parts.sagemaker_http.invoke if prediction else service
                kind = MODEL_SERVERS if is_slow else self._pools.kind(signature.service, head)
                reply = await self._pools.run(kind, answer, head, body)
        except ClientDisconnectedError:
            return
        except SignatureError as refusal:
            reply = error_reply(refusal.as_error(protocol), protocol, resource)
        except ServiceError as error:
            reply = error_reply(error, protocol, resource)
        except Exception as error:
            reply = error_reply(_unexpected(error), protocol, resource)
        if body_is_untouched and b"expect" not in head.headers:
            # Read the rest of the body first: a client does not read the response while it sends.
            await discard(receive)
        await _send(send, reply if body_is_read else closing(reply))

    def _verifier(self, signature: Signature, head: RequestHead) -> Callable[[bytes], None]:
        """Return a function that verifies the request's signature from its body's hash.

        Raises:
            SignatureError: the signature is wrong for any body.
        """
        signer = find_signer(signature, head, self._parts.keys)
        said = head.headers.get(_HASH_HEADER)
        if said is not None and _HASH_HEADER in signature.signed_headers.split(b";"):
            verify(signature, head, said, signer)

        def verify_body(payload_hash: bytes) -> None:
            verify(signature, head, payload_hash, signer)

        return verify_body

    def _answer_container(self, head: RequestHead) -> HttpResponse:
        """Return a job's credentials. Only the job knows its path."""
        found = self._parts.keys.answer(head.raw_path.decode("latin-1"))
        headers = [(b"content-type", b"application/json")]
        if found is None:
            return HttpResponse(
                404, b'{"code": "NoSuchCredentials", "message": "no running job has this path"}', headers
            )
        return HttpResponse(200, json.dumps(found.document()).encode(), headers)


def _longest_body(service: str, head: RequestHead) -> int:
    if is_prediction(service, head):
        return LARGEST_INVOCATION
    if service == "lambda":
        return _LARGEST_INVOCATION_BODY if head.raw_path.endswith(b"/invocations") else _LARGEST_CODE
    return _LARGEST_BODY


def _head(scope: Scope) -> RequestHead:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b"," + value if name in headers else value
    return RequestHead(scope["method"], scope["raw_path"], scope["query_string"], headers)


def _unexpected(error: Exception) -> ServiceError:
    if is_full(error):
        return insufficient_storage()
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return validation_error(f"a name has too many bytes: it names a file here, of at most {LONGEST_SEGMENT} bytes")
    if isinstance(error, RecursionError):
        return ServiceError("SerializationException", "the request is nested too deeply")
    _log.error("a request failed", exc_info=error)
    message = f"the local service failed: {type(error).__name__}: {error} (service.log has the details)"
    return ServiceError("InternalFailure", message, 500)


async def _send(send: Send, reply: HttpResponse) -> None:
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
