"""The S3 server: nanio, where an object is a plain file, mounted in this process."""

from __future__ import annotations

import errno
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from nanio.app import build_app
from nanio.auth.credentials import StaticCredentialResolver
from nanio.config import Settings as NanioSettings
from nanio.errors import S3Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.api.s3.chunked import Body, UploadAborted, is_chunked
from local.api.s3.operations import Operations
from local.api.s3.storage import BucketFiles
from local.aws.refusals import Fault, SignatureRefused
from local.aws.sigv4 import UNSIGNED_PAYLOAD, Signature, find_signer, signing_key, verify
from local.aws.wire import Head
from local.core.errors import ServiceError
from local.core.settings import ACCESS_KEY

if TYPE_CHECKING:
    from local.api.moto.services import MotoServices
    from local.aws.credentials import KeyRing
    from local.core.ports import EventBus
    from local.core.settings import Settings
    from local.runtime.supervisor import Supervisor
    from local.storage.objects import Objects

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST"]
_log = logging.getLogger(__name__)


class S3:
    """Checks a request's signature and body, and gives it to nanio."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a part of the service that S3 reaches
        self,
        settings: Settings,
        keys: KeyRing,
        objects: Objects,
        moto: MotoServices,
        events: EventBus,
        supervisor: Supervisor,
    ) -> None:
        self._keys = keys
        # Nanio wants credentials even where, as here, it checks nothing itself.
        credentials = StaticCredentialResolver({ACCESS_KEY: settings.secret_key})
        self._application = build_app(
            NanioSettings(
                data_dir=settings.buckets, region=settings.region, credentials=credentials, auth_disabled=True
            )
        )
        storage = BucketFiles(objects)
        self._application.state.storage = storage
        self._application.add_exception_handler(OSError, _file_error)
        operations = Operations(settings.region, storage, moto, events, supervisor)
        self._application.router.routes[1:] = [
            Route("/{bucket}", operations.of_bucket, methods=_METHODS),
            Route("/{bucket}/", operations.of_bucket, methods=_METHODS),
            Route("/{bucket}/{key:path}", operations.of_object, methods=_METHODS),
        ]

    async def __call__(self, signature: Signature, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            SignatureRefused: the signature does not count; nothing was sent.
        """
        payload_hash = _payload_hash(signature, head)
        signer = find_signer(signature, head, self._keys)
        verify(signature, head, payload_hash, signer)
        _check_path(head)
        try:
            body = Body(receive, payload_hash, signature, signing_key(signer.secret_key, signature.scope))
        except S3Error as error:
            raise ServiceError(error.code, error.message_text, error.http_status) from None
        expects_body = head.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in head.headers

        async def send_closing(message: Any) -> None:
            if message["type"] == "http.response.start" and expects_body and not body.ended:
                # What is still to come of the body would be read as the next request.
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._application(_plain(scope, head, payload_hash), body, send_closing)
        except UploadAborted:
            return
        except Exception:
            # Nanio has answered with InternalError before it lets an exception through.
            _log.exception("an S3 request failed")


def _check_path(head: Head) -> None:
    """Refuse a path that is not UTF-8 text: two such keys would become one.

    Raises:
        ServiceError: InvalidURI.
    """
    try:
        unquote_to_bytes(head.raw_path).decode()
    except UnicodeDecodeError:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8 text.") from None


def _payload_hash(signature: Signature, head: Head) -> bytes:
    given = head.headers.get(b"x-amz-content-sha256")
    if signature.expires is not None:
        return given if given and b"x-amz-content-sha256" in signature.signed_headers else UNSIGNED_PAYLOAD
    if given is None:
        raise SignatureRefused(Fault.MALFORMED, "Missing required header for this request: x-amz-content-sha256")
    return given


def _plain(scope: Scope, head: Head, payload_hash: bytes) -> Scope:
    """The request as nanio knows requests: the bucket in the path, no framing of the body."""
    plain = dict(scope)
    host = head.headers[b"host"].rpartition(b":")[0] or head.headers[b"host"]
    if host.endswith(b".localhost"):
        plain["path"] = f"/{host.removesuffix(b'.localhost').decode()}{scope['path']}"
    if is_chunked(payload_hash):
        encoding = head.headers.get(b"content-encoding", b"").replace(b"aws-chunked", b"").strip(b", ")
        plain["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-encoding"]
        if encoding:
            plain["headers"].append((b"content-encoding", encoding))
    return plain


async def _file_error(request: Request, error: Exception) -> Response:
    fault = S3Error(str(error))
    if not isinstance(error, OSError):
        raise error
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        fault.code, fault.http_status = "InsufficientStorage", 507
        fault.message_text = "no space is left on the disk that holds the buckets: free some and try again"
    elif error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY):
        fault.code, fault.http_status = "InvalidRequest", 409
        fault.message_text = "objects are files here: a key cannot be an object and the folder of other objects at once"
    elif error.errno == errno.ENAMETOOLONG:
        fault.code, fault.http_status = "KeyTooLongError", 400
        fault.message_text = "objects are files here: no part of a key between slashes may exceed 255 bytes"
    elif error.errno == errno.ENOENT:
        # A folder went away in between; a second try makes it anew.
        fault.code, fault.http_status = "SlowDown", 503
    else:
        _log.error("an S3 request failed", exc_info=error)
        fault.code, fault.http_status = "InternalError", 500
    return Response(fault.to_xml(), fault.http_status, media_type="application/xml")
