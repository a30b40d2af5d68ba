"""Evaluate the conditions and ranges of requests.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and RFC 9110, sections 13, 14
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from local.api.s3.errors import invalid_argument, invalid_request, not_implemented, s3_error
from local.api.s3.files import Condition
from local.api.s3.sidecars import ObjectInfo

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?|bytes=-(\d{1,18})")
_COPY_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})")
_PRECEDING = "x-amz-copy-source-"


def is_not_modified(headers: Mapping[str, str], info: ObjectInfo) -> bool:
    """Return whether the client already has the object.

    A condition on the ETag takes precedence over the corresponding condition on the time.

    Args:
        headers: the request's headers, by lower-case name.
        info: the object.

    Raises:
        ServiceError: PreconditionFailed.
    """
    _check_unchanged(headers, info)
    return _is_unmodified(headers, info)


def check_copy_source(headers: Mapping[str, str], info: ObjectInfo) -> None:
    """Check the conditions of a copy request on its source.

    Raises:
        ServiceError: PreconditionFailed.
    """
    given = {name.removeprefix(_PRECEDING): value for name, value in headers.items() if name.startswith(_PRECEDING)}
    _check_unchanged(given, info)
    if _is_unmodified(given, info):
        raise s3_error("PreconditionFailed", Condition=f"{_PRECEDING}If-None-Match")


def write_condition(headers: Mapping[str, str]) -> Condition:
    """Return the condition of a request that writes or deletes an object.

    Raises:
        ServiceError: NotImplemented, the request has a condition that S3 supports for reads only.
    """
    expected, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if unwanted not in (None, "*"):
        raise not_implemented("a write with If-None-Match other than *")

    def check(info: ObjectInfo | None) -> None:
        if unwanted is not None and info is not None:
            raise s3_error("PreconditionFailed", Condition="If-None-Match")
        if expected is not None:
            if info is None:
                raise s3_error("NoSuchKey")
            if not _matches(expected, info):
                raise s3_error("PreconditionFailed", Condition="If-Match")

    return check


def find_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the range of a Range header.

    Args:
        header: the header, or None.
        size: size of the object in bytes.

    Returns:
        The offset of the first byte and the number of bytes. None without a header, or if the header is to be ignored:
        S3 ignores several ranges, other units and malformed headers.

    Raises:
        ServiceError: InvalidRange, the range has no byte of the object.
    """
    match = _RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or (match[2] and int(match[2]) < int(match[1])):
        return None
    if match[3] is not None:
        start, end = max(0, size - int(match[3])), size - 1
    else:
        start, end = int(match[1]), min(int(match[2] or size), size - 1)
    if start >= size:
        raise s3_error("InvalidRange", RangeRequested=header, ActualObjectSize=size)
    return start, end + 1 - start


def find_part(text: str, info: ObjectInfo) -> tuple[int, int]:
    """Return the offset of the first byte and the number of bytes of a part of an object.

    Args:
        text: the part's number, as in the query.
        info: the object.

    Raises:
        ServiceError: the number is malformed, or the object has no such part.
    """
    number, sizes = part_number(text), info.part_sizes or [info.size]
    if number > len(sizes):
        raise s3_error("InvalidPartNumber")
    return sum(sizes[: number - 1]), sizes[number - 1]


def part_number(text: str) -> int:
    """Parse a part's number.

    Raises:
        ServiceError: InvalidArgument, the text is not a number from 1 to 10000.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 10_000):
        raise invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
    return int(text)


def find_copy_range(header: str | None, size: int) -> tuple[int, int]:
    """Return the range of the source that UploadPartCopy copies.

    Args:
        header: the header ``x-amz-copy-source-range``, or None.
        size: size of the source in bytes.

    Returns:
        The offset of the first byte and the number of bytes; the whole source without a header.

    Raises:
        ServiceError: the range is malformed, or not within the source.
    """
    if header is None:
        return 0, size
    match = _COPY_RANGE.fullmatch(header)
    if match is None:
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy"
        )
    start, end = int(match[1]), int(match[2])
    if end < start or end >= size:
        raise invalid_request(f"Range specified is not valid for source object of size: {size}")
    return start, end + 1 - start


def _check_unchanged(headers: Mapping[str, str], info: ObjectInfo) -> None:
    if "if-match" in headers:
        if not _matches(headers["if-match"], info):
            raise s3_error("PreconditionFailed", Condition="If-Match")
        return
    since = _time(headers.get("if-unmodified-since"))
    if since is not None and _seconds(info) > since:
        raise s3_error("PreconditionFailed", Condition="If-Unmodified-Since")


def _is_unmodified(headers: Mapping[str, str], info: ObjectInfo) -> bool:
    if "if-none-match" in headers:
        return _matches(headers["if-none-match"], info)
    since = _time(headers.get("if-modified-since"))
    return since is not None and _seconds(info) <= since


def _matches(header: str, info: ObjectInfo) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    return "*" in tags or info.etag.strip('"') in tags


def _seconds(info: ObjectInfo) -> datetime:
    # HTTP dates have whole seconds.
    return info.last_modified.replace(microsecond=0)


def _time(header: str | None) -> datetime | None:
    if header is None:
        return None
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        raise invalid_argument(f"not an HTTP date: {header!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
