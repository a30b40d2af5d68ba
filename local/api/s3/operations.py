"""S3 operations that nanio does not have or has in part, and the refusal of those that nobody has here."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode
from xml.sax.saxutils import escape

from nanio.errors import InvalidArgument, InvalidRequest, NoSuchUpload, NotImplemented_, PreconditionFailed
from nanio.handlers._body import extract_user_metadata, read_bounded_body
from nanio.handlers.bucket import dispatch_bucket
from nanio.handlers.object import dispatch_object
from nanio.storage.multipart import MultipartManager
from nanio.storage.paths import multipart_part_path
from nanio.xml import copy_object_result_xml
from starlette.requests import Request
from starlette.responses import Response

from local.aws.wire import Head, new_request_id
from local.core.arns import partition
from local.core.ports import EventBus
from local.core.settings import ACCOUNT_ID, HOST

if TYPE_CHECKING:
    from nanio.storage.backend import ObjectInfo
    from starlette.types import Message

    from local.api.moto.services import MotoServices
    from local.api.s3.storage import BucketFiles
    from local.runtime.supervisor import Supervisor

Handler = Callable[[Request], "Coroutine[Any, Any, Response]"]

_RECORDED = {
    "accelerate",
    "acl",
    "cors",
    "encryption",
    "lifecycle",
    "logging",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "website",
}
"""A bucket's settings: moto keeps them, so that they are described back."""

_WITHOUT_EFFECT = {"replication", "object-lock", "accelerate", "website", "versioning", "requestPayment"}
"""Settings that can be read but not made: a user would wait for their effect in vain."""

_BUCKET_QUERIES = {
    *("location", "uploads", "delete", "list-type", "prefix", "delimiter", "max-keys", "marker", "start-after"),
    *("continuation-token", "encoding-type", "fetch-owner", "versions", "versioning", "max-uploads", "x-id"),
    *("key-marker", "upload-id-marker", "version-id-marker", "expected-bucket-owner"),
}
_OBJECT_QUERIES = {"uploads", "uploadId", "partNumber", "versionId", "x-id", "max-parts", "part-number-marker"}
_SUFFIX_RANGE = re.compile(r"bytes=-(\d+)")
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]+")
_CHUNK = 1024 * 1024


class Operations:
    """The handlers of all requests but ListBuckets."""

    def __init__(
        self, region: str, storage: BucketFiles, moto: MotoServices, events: EventBus, supervisor: Supervisor
    ) -> None:
        self._region, self._storage, self._moto, self._events = region, storage, moto, events
        self._supervisor = supervisor

    async def of_bucket(self, request: Request) -> Response:
        """Answer a request whose path names a bucket."""
        bucket, query = request.path_params["bucket"], request.query_params
        self._storage.bucket_path(bucket)
        names = _names(request)
        for name in sorted(names & (_RECORDED | _WITHOUT_EFFECT)):
            return await self._settings(request, bucket, name)
        if unknown := names - _BUCKET_QUERIES:
            raise _not_implemented(f"?{min(unknown)} of a bucket")
        if "versions" in names:
            return await asyncio.to_thread(self._versions, request, bucket)
        if request.method == "GET" and not names & {"location", "uploads", "list-type"}:
            # The first version of ListObjects resumes after its marker.
            fields = {**query, "list-type": "2", "start-after": query.get("marker", "")}
            request.scope["query_string"] = urlencode(fields).encode()
            request = Request(request.scope, request.receive)
        response = await _in_thread(dispatch_bucket, request)
        if request.method == "DELETE" and response.status_code == 204:
            await asyncio.to_thread(self._moto.forget_bucket, bucket)
        return response

    async def of_object(self, request: Request) -> Response:
        """Answer a request whose path names an object."""
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        self._storage.path(bucket, key)
        names, headers = _names(request), request.headers
        if "uploadId" in names:
            self._check_upload(request.query_params["uploadId"], bucket, key)
        if request.method == "GET" and "tagging" in names:
            self._storage.head_object(bucket, key)
            return _xml("<Tagging><TagSet></TagSet></Tagging>")
        _refuse_what_objects_have_not(request)
        if request.method == "PUT" and "uploadId" in names:
            return await self._upload_part(request, bucket, key)
        self._check_conditions(request, bucket, key)
        if request.method == "PUT" and "x-amz-copy-source" in headers:
            return await self._copy(request, bucket, key)
        if match := _SUFFIX_RANGE.fullmatch(headers.get("range", "")):
            size = self._storage.head_object(bucket, key).size
            _replace_header(request, b"range", f"bytes={max(0, size - int(match[1]))}-".encode())
        etag = headers.get("if-none-match")
        if request.method in ("GET", "HEAD") and etag and etag == self._etag(bucket, key):
            return Response(status_code=304, headers={"ETag": etag})
        if request.method == "POST" and "uploadId" in names:
            return await self._complete_upload(request, bucket, key)
        response: Response = await dispatch_object(Request(request.scope, request.receive))
        if request.method == "PUT" and response.status_code == 200:
            self._tell(bucket, key, "PutObject")
        return response

    async def _complete_upload(self, request: Request, bucket: str, key: str) -> Response:
        response = await _in_thread(dispatch_object, request)
        if response.status_code == 200:
            self._storage.stamp(bucket, key)
            self._tell(bucket, key, "CompleteMultipartUpload")
        return response

    def _check_upload(self, upload: str, bucket: str, key: str) -> None:
        """Refuse an upload's id that names no upload of this object.

        Raises:
            NoSuchUpload: as S3 does.
        """
        if _UPLOAD_ID.fullmatch(upload):
            begun = MultipartManager(self._storage.data_dir).load_init(upload)
            if (begun.bucket, begun.key) == (bucket, key):
                return
        raise NoSuchUpload(resource=upload)

    def _tell(self, bucket: str, key: str, reason: str) -> None:
        """Have EventBridge hear of a new object.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        if not self._events.may_have_rules():
            return
        info = self._storage.head_object(bucket, key)
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": info.size, "etag": info.etag.strip('"'), "sequencer": f"{time.time_ns():X}"},
            "request-id": new_request_id(),
            "requester": ACCOUNT_ID,
            "source-ip-address": HOST,
            "reason": reason,
        }

        bucket_arn = f"arn:{partition(self._region)}:s3:::{bucket}"

        def emit() -> None:
            if self._moto.tells_events(bucket):
                self._events.emit("aws.s3", "Object Created", detail, [bucket_arn])

        self._supervisor.run_in_background(emit, f"object/{bucket}/{key}")

    def _check_conditions(self, request: Request, bucket: str, key: str) -> None:
        expected = request.headers.get("if-match")
        if expected is not None and expected not in ("*", self._etag(bucket, key)):
            raise PreconditionFailed
        if (
            request.method in ("PUT", "POST")
            and request.headers.get("if-none-match") == "*"
            and self._etag(bucket, key) is not None
        ):
            raise PreconditionFailed

    def _etag(self, bucket: str, key: str) -> str | None:
        if not self._storage.path(bucket, key).is_file():
            return None
        return str(self._storage.head_object(bucket, key).etag)

    async def _settings(self, request: Request, bucket: str, name: str) -> Response:
        self._storage.head_bucket(bucket)
        if name == "versioning" and request.method == "GET":
            return _xml("<VersioningConfiguration></VersioningConfiguration>")
        body = await read_bounded_body(request)
        if name in _WITHOUT_EFFECT and request.method != "GET":
            raise _not_implemented(f"?{name} of a bucket")
        if name == "notification" and re.search(rb"<(Queue|Topic|CloudFunction)Configuration>", body):
            raise _not_implemented("notifications other than to EventBridge")
        scope = request.scope
        head = Head(scope["method"], f"/{bucket}".encode(), scope["query_string"], dict(scope["headers"]))
        reply = await asyncio.to_thread(self._moto.answer_about_bucket, bucket, head, body)
        headers = {name.decode(): value.decode("latin-1") for name, value in reply.headers}
        return Response(reply.body, reply.status, headers)

    def _versions(self, request: Request, bucket: str) -> Response:
        """ListObjectVersions of a bucket without versions: each object's only version is ``null``."""
        prefix, after = request.query_params.get("prefix", ""), request.query_params.get("key-marker")
        if "delimiter" in request.query_params:
            raise _not_implemented("?versions with a delimiter")
        found = self._storage.list_objects(bucket, prefix=prefix, start_after=after)
        versions = "".join(_version(info) for info in found.contents)
        more = "true" if found.is_truncated else "false"
        marker = f"<NextKeyMarker>{escape(found.contents[-1].key)}</NextKeyMarker>" if found.is_truncated else ""
        return _xml(
            f"<ListVersionsResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<IsTruncated>{more}</IsTruncated>{marker}{versions}</ListVersionsResult>"
        )

    async def _copy(self, request: Request, bucket: str, key: str) -> Response:
        source_bucket, source_key = _copy_source(request)
        source = self._storage.path(source_bucket, source_key)
        info = self._storage.head_object(source_bucket, source_key)
        headers = request.headers
        replaced = headers.get("x-amz-metadata-directive") == "REPLACE"
        if (source_bucket, source_key) == (bucket, key) and not replaced:
            raise InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing"
                " the object's metadata, storage class, website redirect location or encryption attributes."
            )
        about: dict[str, Any] = {
            "content_type": headers.get("content-type", "binary/octet-stream") if replaced else info.content_type,
            "content_encoding": headers.get("content-encoding") if replaced else info.content_encoding,
            "content_disposition": headers.get("content-disposition") if replaced else info.content_disposition,
            "cache_control": headers.get("cache-control") if replaced else info.cache_control,
        }
        metadata = extract_user_metadata(request) if replaced else info.user_metadata
        content = _content(source, 0, info.size)
        copied = await self._storage.put_object(bucket, key, content, user_metadata=metadata, **about)
        self._tell(bucket, key, "CopyObject")
        return _xml(copy_object_result_xml(etag=copied.etag, last_modified=copied.last_modified))

    async def _upload_part(self, request: Request, bucket: str, key: str) -> Response:
        """UploadPart and UploadPartCopy."""
        query = request.query_params
        if not query.get("partNumber", "").isdecimal() or not 1 <= int(query["partNumber"]) <= 10_000:
            raise InvalidArgument("Part number must be an integer between 1 and 10000, inclusive")
        manager = MultipartManager(self._storage.data_dir)
        number, upload = int(query["partNumber"]), query["uploadId"]
        copies = "x-amz-copy-source" in request.headers
        stream = self._source_range(request) if copies else request.stream()
        part = await manager.upload_part(upload, number, stream)
        # Nanio does not notice a write that a full disk cuts short.
        written = multipart_part_path(self._storage.data_dir, upload, number).stat().st_size
        if written != part.size:
            raise InvalidRequest(f"only {written} of the part's {part.size} bytes could be written")
        if not copies:
            return Response(headers={"ETag": part.etag})
        return _xml(
            f"<CopyPartResult><ETag>{part.etag}</ETag>"
            f"<LastModified>{_iso(part.last_modified)}</LastModified></CopyPartResult>"
        )

    def _source_range(self, request: Request) -> AsyncIterator[bytes]:
        bucket, key = _copy_source(request)
        path, size = self._storage.path(bucket, key), self._storage.head_object(bucket, key).size
        given = request.headers.get("x-amz-copy-source-range", f"bytes=0-{size - 1}")
        match = _COPY_RANGE.fullmatch(given)
        if match is None or int(match[2]) >= size:
            raise InvalidArgument(f"The x-amz-copy-source-range {given!r} is not within the object")
        start, end = int(match[1]), int(match[2])
        return _content(path, start, end + 1 - start)


async def _content(path: Path, start: int, length: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (part := await asyncio.to_thread(file.read, min(_CHUNK, length))):
            length -= len(part)
            yield part


async def _in_thread(handler: Handler, request: Request) -> Response:
    """Answer a request in a thread: nanio's listings and copies of parts would hold up everybody's requests.

    The thread has an event loop of its own, in which the request's own ``receive`` cannot be awaited.
    """
    body = await read_bounded_body(request)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return await asyncio.to_thread(lambda: asyncio.run(handler(Request(request.scope, receive))))


def _refuse_what_objects_have_not(request: Request) -> None:
    if unknown := _names(request) - _OBJECT_QUERIES:
        raise _not_implemented(f"?{min(unknown)} of an object")
    if request.query_params.get("versionId", "null") != "null":
        raise InvalidArgument("Invalid version id specified: buckets here have no versions")
    headers = request.headers
    if "x-amz-tagging" in headers or "x-amz-server-side-encryption-customer-algorithm" in headers:
        raise _not_implemented("object tags and encryption with the customer's keys")


def _names(request: Request) -> set[str]:
    """The query's names without those of a presigned URL."""
    signing = ("X-Amz-", "x-amz-security-token", "AWSAccessKeyId", "Signature", "Expires", "response-")
    return {name for name in request.query_params if not name.startswith(signing)}


def _copy_source(request: Request) -> tuple[str, str]:
    try:
        text = unquote(request.headers["x-amz-copy-source"], errors="strict")
    except UnicodeDecodeError:
        raise InvalidArgument("Copy Source is not UTF-8 text") from None
    source, _, version = text.partition("?versionId=")
    bucket, _, key = source.removeprefix("/").partition("/")
    if not bucket or not key or version not in ("", "null"):
        raise InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key


def _replace_header(request: Request, name: bytes, value: bytes) -> None:
    others = [pair for pair in request.scope["headers"] if pair[0] != name]
    request.scope["headers"] = [*others, (name, value)]


def _version(info: ObjectInfo) -> str:
    return (
        f"<Version><Key>{escape(info.key)}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>"
        f"<LastModified>{_iso(info.last_modified)}</LastModified><ETag>{escape(info.etag)}</ETag>"
        f"<Size>{info.size}</Size><StorageClass>STANDARD</StorageClass></Version>"
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _xml(content: str | bytes) -> Response:
    return Response(content, media_type="application/xml")


def _not_implemented(what: str) -> NotImplemented_:
    return NotImplemented_(f"not implemented by the local service: s3:{what}")
