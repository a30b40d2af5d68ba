"""The operations PutObject, CopyObject, DeleteObject and DeleteObjects."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from starlette.responses import Response

from local.api.s3.checksums import FULL_OBJECT, BodyDigests, known_algorithm
from local.api.s3.conditions import write_condition
from local.api.s3.descriptions import (
    checksum_members,
    encryption_headers,
    metadata_headers,
    of_content,
    storage_headers,
    written_headers,
)
from local.api.s3.errors import file_error, invalid_argument, invalid_request, not_implemented, s3_error
from local.api.s3.events import ObjectEvents
from local.api.s3.files import Condition, ObjectFiles, now
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.api.s3.sources import copy_range, copy_source, open_source
from local.api.s3.tags import HEADER as TAGGING
from local.api.s3.tags import tags_of_header
from local.api.s3.xml import parse_xml, xml_response
from local.core.errors import ServiceError

Encryption = Callable[[str], Mapping[str, str]]
"""Returns the default encryption of a bucket, as headers; empty for S3's own default."""

LARGEST = 5 * 1024**3
"""Maximum size in bytes of an object or part that one request writes."""

_BATCH = 1024 * 1024
_MOST_DELETED = 1000


class Writing:
    """The handlers of operations that write or delete objects.

    Args:
        files: buckets and objects.
        region: the region of all buckets.
        events: sends events about objects.
        encryption: returns a bucket's default encryption.
    """

    def __init__(self, files: ObjectFiles, region: str, events: ObjectEvents, encryption: Encryption) -> None:
        self._files, self._region, self._events, self._encryption = files, region, events, encryption

    async def put(self, request: S3Request) -> Response:
        """Handle PutObject."""
        default = await asyncio.to_thread(self._encryption, request.bucket)
        headers = metadata_headers(request.headers) | storage_headers(request.headers, self._region, default)
        tags = tags_of_header(request.headers.get(TAGGING, ""))
        condition, digests = write_condition(request.headers), BodyDigests(request.headers)
        # Checked before a large body is read, and again when the object is written.
        condition(self._files.find(request.bucket, request.key))
        with self._files.unfinished() as path:
            size = await receive(request, path, digests)
            info = replace(_info(digests, size, headers, digests.algorithm), tags=tags)
            await asyncio.to_thread(self._finish, request, path, info, condition)
        return Response(headers=written_headers(info))

    def _finish(self, request: S3Request, path: Path, info: ObjectInfo, condition: Condition) -> None:
        self._files.put(request.bucket, request.key, path, info, condition)
        self._events.created(request.bucket, request.key, info, "PutObject")

    def copy(self, request: S3Request) -> Response:
        """Handle CopyObject. As in S3, metadata in the request is used only with the directive REPLACE."""
        given = request.headers
        condition = write_condition(given)
        file, source = open_source(self._files, request)
        with file, self._files.unfinished() as path:
            replaces = given.get("x-amz-metadata-directive") == "REPLACE"
            own = storage_headers(given, self._region, self._encryption(request.bucket))
            changes = replaces or any(name in given for name in ("x-amz-storage-class", *own))
            if copy_source(request) == (request.bucket, request.key) and not changes:
                raise invalid_request(
                    "This copy request is illegal because it is trying to copy an object to itself without changing"
                    " the object's metadata, storage class, website redirect location or encryption attributes."
                )
            if source.size > LARGEST:
                raise invalid_request(f"The specified copy source is larger than the maximum allowable size: {LARGEST}")
            wanted = given.get("x-amz-checksum-algorithm") or source.checksum.get("algorithm")
            algorithm = known_algorithm(wanted) if wanted else None
            digests = BodyDigests({}, also=[algorithm] if algorithm else [])
            copy_range(file, (0, source.size), path, digests)
            headers = (metadata_headers(given) if replaces else of_content(source.headers)) | own
            replaces_tags = given.get(f"{TAGGING}-directive") == "REPLACE"
            tags = tags_of_header(given.get(TAGGING, "")) if replaces_tags else source.tags
            info = replace(_info(digests, source.size, headers, algorithm), tags=tags)
            self._files.put(request.bucket, request.key, path, info, condition)
        self._events.created(request.bucket, request.key, info, "CopyObject")
        members = {"LastModified": info.last_modified, "ETag": info.etag, **checksum_members(info.checksum)}
        return xml_response("CopyObjectResult", members, encryption_headers(info.headers))

    def delete(self, request: S3Request) -> Response:
        """Handle DeleteObject."""
        self._delete(request.bucket, request.key, write_condition(request.headers))
        return Response(status_code=204)

    def _delete(self, bucket: str, key: str, condition: Condition) -> None:
        found: list[ObjectInfo | None] = []

        def check(info: ObjectInfo | None) -> None:
            condition(info)
            found.append(info)

        self._files.delete(bucket, key, check)
        if found != [None]:
            self._events.deleted(bucket, key)

    async def delete_many(self, request: S3Request) -> Response:
        """Handle DeleteObjects."""
        self._files.bucket(request.bucket)
        wanted = await asyncio.to_thread(parse_xml, await request.document(must_be_checked=True), "Delete")
        found = [element for element in wanted if element.tag == "Object"]
        if not 1 <= len(found) <= _MOST_DELETED or {element.tag for element in wanted} - {"Object", "Quiet"}:
            raise s3_error("MalformedXML")
        is_quiet = wanted.findtext("Quiet", "false").strip().lower() == "true"
        outcomes = await asyncio.to_thread(lambda: [self._delete_one(request.bucket, each) for each in found])
        deleted = [] if is_quiet else [done for done in outcomes if "Code" not in done]
        errors = [failed for failed in outcomes if "Code" in failed]
        return xml_response("DeleteResult", {"Deleted": deleted, "Error": errors})

    def _delete_one(self, bucket: str, wanted: Element) -> dict[str, str]:
        members = {element.tag: element.text or "" for element in wanted}
        named = {name: value for name, value in members.items() if name in ("Key", "VersionId")}
        try:
            if unknown := set(members) - {"Key", "VersionId", "ETag"}:
                raise not_implemented(f"DeleteObjects with {min(unknown)}")
            if members.get("VersionId", "null") != "null":
                raise s3_error("NoSuchVersion", "The specified version does not exist.")
            condition = write_condition({"if-match": members["ETag"]} if "ETag" in members else {})
            self._delete(bucket, members.get("Key", ""), condition)
        except ServiceError as error:
            return {**named, "Code": error.code, "Message": error.message}
        except OSError as error:
            fault = file_error(error)
            return {**named, "Code": fault.code, "Message": fault.message}
        return named


async def receive(request: S3Request, path: Path, digests: BodyDigests) -> int:
    """Write a request's body to a new file, verify it and sync it to disk.

    Args:
        request: the request.
        path: the new file.
        digests: updated with the body.

    Returns:
        The body's size in bytes.

    Raises:
        ServiceError: the body is too large, or does not match its digests or its length.
    """
    announced = request.headers.get("x-amz-decoded-content-length")
    if announced is None and "content-length" not in request.headers:
        raise s3_error("MissingContentLength")
    for length in (announced, request.headers.get("content-length")):
        if length is not None and not length.isdecimal():
            raise invalid_argument(f"the length {length!r} is not a number")
        if int(length or 0) > LARGEST:
            raise s3_error("EntityTooLarge")
    with path.open("xb") as file:

        def write(parts: list[bytes]) -> None:
            content = b"".join(parts)
            file.write(content)
            digests.update(content)

        def finish() -> None:
            digests.verify(request.body.trailers)
            file.flush()
            os.fsync(file.fileno())

        size = await _in_batches(request.stream(), write)
        if announced is not None and int(announced) != size:
            raise s3_error("IncompleteBody")
        await asyncio.to_thread(finish)
    return size


async def _in_batches(parts: AsyncIterator[bytes], write: Callable[[list[bytes]], None]) -> int:
    """Write parts in a thread while the next ones arrive; return their size in bytes."""
    batch: list[bytes] = []
    size = waiting = 0
    # No batch is being written yet.
    writing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    writing.set_result(None)
    try:
        async for part in parts:
            batch.append(part)
            size, waiting = size + len(part), waiting + len(part)
            if size > LARGEST:
                raise s3_error("EntityTooLarge")
            if waiting >= _BATCH:
                await writing
                writing, batch, waiting = asyncio.create_task(asyncio.to_thread(write, batch)), [], 0
        await writing
        await asyncio.to_thread(write, batch)
    finally:
        # The caller closes the file, so no thread may still write to it.
        await asyncio.gather(writing, return_exceptions=True)
    return size


def _info(digests: BodyDigests, size: int, headers: dict[str, str], algorithm: str | None) -> ObjectInfo:
    checksum = {}
    if algorithm is not None:
        checksum = {"algorithm": algorithm, "value": digests.checksum(algorithm), "type": FULL_OBJECT}
    return ObjectInfo(f'"{digests.md5}"', size, now(), headers, checksum)
