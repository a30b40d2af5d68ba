"""The operations GetObject and HeadObject."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import IO

from starlette.responses import Response, StreamingResponse

from local.api.s3.conditions import find_part, find_range, is_not_modified
from local.api.s3.descriptions import checksum_headers, shown_headers
from local.api.s3.error_responses import error_response
from local.api.s3.errors import invalid_request
from local.api.s3.files import ObjectFiles
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.core.errors import ServiceError

_CHUNK = 1024 * 1024


class Reading:
    """The handlers of operations that read an object.

    Args:
        files: buckets and objects.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files

    def read(self, request: S3Request) -> Response:
        """Handle GetObject and HeadObject."""
        file, info = self._files.open(request.bucket, request.key)
        try:
            status, headers, start = _answer(request, info)
        except ServiceError as error:
            file.close()
            response = error_response(error, request)
            if error.code == "InvalidRange":
                response.headers["Content-Range"] = f"bytes */{info.size}"
            return response
        except BaseException:
            file.close()
            raise
        if request.method == "HEAD" or status == 304:
            file.close()
            return Response(status_code=status, headers=headers)
        return StreamingResponse(_content(file, start, int(headers["Content-Length"])), status, headers)


def _answer(request: S3Request, info: ObjectInfo) -> tuple[int, dict[str, str], int]:
    """Return the response's status and headers, and the offset of its body in the file."""
    last_modified = format_datetime(info.last_modified.replace(microsecond=0), usegmt=True)
    if is_not_modified(request.headers, info):
        return 304, {"ETag": info.etag, "Last-Modified": last_modified}, 0
    headers = {**shown_headers(info.headers), "ETag": info.etag, "Last-Modified": last_modified}
    headers["Accept-Ranges"] = "bytes"
    if info.tags:
        headers["x-amz-tagging-count"] = str(len(info.tags))
    headers |= {name.removeprefix("response-"): v for name, v in request.query.items() if name.startswith("response-")}
    asked = find_range(request.headers.get("range"), info.size)
    if number := request.query.get("partNumber"):
        if asked is not None:
            raise invalid_request("Cannot specify both Range header and partNumber query parameter")
        asked = find_part(number, info)
        if info.part_sizes:
            headers["x-amz-mp-parts-count"] = str(len(info.part_sizes))
    start, length = asked or (0, info.size)
    if request.headers.get("x-amz-checksum-mode"):
        headers |= _checksum(info, int(number or 0), is_whole=length == info.size)
    headers["Content-Length"] = str(length)
    if asked is None:
        return 200, headers, 0
    if info.size:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{info.size}"
    return 206, headers, start


def _checksum(info: ObjectInfo, part: int, *, is_whole: bool) -> dict[str, str]:
    """Return the headers with the checksum of what is read: a part (0 for none), the whole object, or else nothing."""
    if part and info.part_checksums:
        return checksum_headers({**info.checksum, "value": info.part_checksums[part - 1]})
    return checksum_headers(info.checksum) if is_whole else {}


async def _content(file: IO[bytes], start: int, length: int) -> AsyncIterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (part := await asyncio.to_thread(file.read, min(_CHUNK, length))):
            length -= len(part)
            yield part
