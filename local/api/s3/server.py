"""Serve S3: verify a request's signature, find its operation and respond."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.responses import Response

from local.api.s3.attributes import Attributes
from local.api.s3.authorization import check_signed, payload_hash
from local.api.s3.buckets import Buckets, setting_of
from local.api.s3.chunked import Body, is_chunked
from local.api.s3.error_responses import error_response
from local.api.s3.errors import file_error
from local.api.s3.events import ObjectEvents
from local.api.s3.files import ObjectFiles
from local.api.s3.listings import Listings
from local.api.s3.members import check_members, find_operation
from local.api.s3.multipart import Multipart
from local.api.s3.reading import Reading
from local.api.s3.regions import check_region
from local.api.s3.requests import S3Request, read_request
from local.api.s3.tags import Tagging
from local.api.s3.uploads import Uploads
from local.api.s3.writing import Writing
from local.aws.bodies import ClientDisconnectedError, discard
from local.aws.sigv4 import Signature, find_signer, signing_key, verify
from local.aws.wire import RequestHead, s3_ids
from local.core.errors import ServiceError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from local.api.moto.services import MotoServices
    from local.aws.credentials import KeyRing
    from local.core.ports import EventBus
    from local.core.settings import Settings
    from local.storage.objects import Objects

Handler = Callable[[S3Request], Response]
AsyncHandler = Callable[[S3Request], Awaitable[Response]]

_THREADS = 32
_log = logging.getLogger(__name__)


class S3:
    """The ASGI application of S3."""

    def __init__(
        self,
        settings: Settings,
        keys: KeyRing,
        objects: Objects,
        moto: MotoServices,
        events: EventBus,
    ) -> None:
        self._keys, self._region = keys, settings.region
        region = settings.region
        # Copies of large objects take long. Their own threads keep them from delaying uploads, which use asyncio's.
        self._threads = ThreadPoolExecutor(_THREADS, "s3")
        files = ObjectFiles(objects)
        uploads = Uploads(files)
        self._buckets = buckets = Buckets(files, uploads, moto, region)
        listings, reading = Listings(files, region), Reading(files)
        object_events = ObjectEvents(region, moto, events)
        tagging = Tagging(files, object_events)
        writing = Writing(files, region, object_events, buckets.default_encryption)
        multipart = Multipart(files, uploads, region, object_events, buckets.default_encryption)
        # Handlers that read a body are coroutines and access files in threads. All other handlers run in a thread.
        self._with_body: dict[str, AsyncHandler] = {
            "CreateBucket": buckets.create,
            "PutObject": writing.put,
            "DeleteObjects": writing.delete_many,
            "PutObjectTagging": tagging.write,
            "UploadPart": multipart.upload_part,
            "CompleteMultipartUpload": multipart.complete,
        }
        self._without_body: dict[str, Handler] = {
            "ListBuckets": listings.buckets,
            "HeadBucket": buckets.head,
            "DeleteBucket": buckets.delete,
            "GetBucketLocation": buckets.location,
            "ListObjects": listings.objects,
            "ListObjectsV2": listings.objects_v2,
            "ListObjectVersions": listings.versions,
            "GetObject": reading.read,
            "HeadObject": reading.read,
            "GetObjectTagging": tagging.read,
            "DeleteObjectTagging": tagging.delete,
            "GetObjectAttributes": Attributes(files).read,
            "CopyObject": writing.copy,
            "DeleteObject": writing.delete,
            "CreateMultipartUpload": multipart.create,
            "UploadPartCopy": multipart.copy_part,
            "ListParts": multipart.parts,
            "ListMultipartUploads": multipart.uploads,
            "AbortMultipartUpload": multipart.abort,
        }

    async def __call__(
        self, signature: Signature, head: RequestHead, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Respond to a request.

        Raises:
            SignatureError: the signature is not valid. Nothing was sent.
        """
        check_signed(signature, head)
        hash_of_body = payload_hash(signature, head)
        signer = find_signer(signature, head, self._keys)
        verify(signature, head, hash_of_body, signer)
        body = Body(receive, hash_of_body, signature, signing_key(signer.secret_key, signature.scope))
        request = read_request(head, body, is_chunked=is_chunked(hash_of_body))
        has_body = head.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in head.headers
        response = await self._response(signature, request)
        must_close = has_body and not body.arrived
        if must_close and (body.begun or b"expect" not in head.headers):
            # A client reads the response only after it has sent the body.
            await discard(receive)

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                own = [(name, value) for name, value in s3_ids(request.id) if name not in there]
                # The rest of the body would be parsed as the next request.
                own += [(b"connection", b"close")] if must_close else []
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await response(scope, receive, send_closing)

    async def _response(self, signature: Signature, request: S3Request) -> Response:
        try:
            check_region(signature, request, self._region)
            if (setting := setting_of(request)) is not None:
                return await self._buckets.settings(request, setting)
            operation = find_operation(request)
            check_members(operation, request)
            if operation in self._with_body:
                return await self._with_body[operation](request)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._without_body[operation], request)
        except ClientDisconnectedError:
            raise
        except ServiceError as error:
            return error_response(error, request)
        except OSError as error:
            return error_response(file_error(error), request)
        except Exception:
            _log.exception("an S3 request failed")
            message = "We encountered an internal error. Please try again. (service.log has the details)"
            return error_response(ServiceError("InternalError", message, 500), request)
