"""The tags of objects and buckets: their limits, and the operations on tags of objects.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html and, for the number of a bucket's
tags, https://github.com/versity/versitygw/pull/1209
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.responses import Response

from local.api.s3.errors import invalid_argument, s3_error
from local.api.s3.events import ObjectEvents
from local.api.s3.files import ObjectFiles
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.api.s3.xml import parse_xml, xml_response

HEADER = "x-amz-tagging"
_MOST_TAGS, _MOST_TAGS_OF_BUCKET = 10, 50
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")


class Tagging:
    """The handlers of operations on objects' tags.

    Args:
        files: buckets and objects.
        events: sends events about objects.
    """

    def __init__(self, files: ObjectFiles, events: ObjectEvents) -> None:
        self._files, self._events = files, events

    def read(self, request: S3Request) -> Response:
        """Handle GetObjectTagging."""
        tags = self._files.info(request.bucket, request.key).tags
        return xml_response("Tagging", {"TagSet": {"Tag": [{"Key": k, "Value": v} for k, v in tags.items()]}})

    async def write(self, request: S3Request) -> Response:
        """Handle PutObjectTagging."""
        body = await request.document(must_be_checked=True)
        await asyncio.to_thread(self._set, request, _checked(_tags_of_document(body)))
        return Response()

    def delete(self, request: S3Request) -> Response:
        """Handle DeleteObjectTagging."""
        self._set(request, {})
        return Response(status_code=204)

    def _set(self, request: S3Request, tags: dict[str, str]) -> None:
        changed: list[ObjectInfo] = []

        def update(info: ObjectInfo) -> ObjectInfo:
            changed.append(replace(info, tags=tags))
            return changed[-1]

        self._files.change(request.bucket, request.key, update)
        self._events.tagged(request.bucket, request.key, changed[-1])


def tags_of_header(text: str) -> dict[str, str]:
    """Parse the header ``x-amz-tagging``, which has the form of a query.

    Raises:
        ServiceError: the header is malformed (InvalidArgument), or a tag is not valid.
    """
    try:
        # The header arrives as Latin-1, but is ASCII once it is encoded.
        pairs = parse_qsl(text.encode("ascii").decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        pairs = []
    if text and (not pairs or len({key for key, _ in pairs}) < len(pairs)):
        message = (
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name"
            " duplicates."
        )
        raise invalid_argument(message, HEADER, text)
    return _checked(pairs)


def check_tags_of_bucket(body: bytes) -> None:
    """Check the document of a PutBucketTagging request.

    Raises:
        ServiceError: MalformedXML; BadRequest, because there are too many tags; or InvalidTag.
    """
    pairs = _tags_of_document(body)
    if len(pairs) > _MOST_TAGS_OF_BUCKET:
        raise s3_error("BadRequest", f"Bucket tag count cannot be greater than {_MOST_TAGS_OF_BUCKET}")
    _check_each(pairs)


def _tags_of_document(body: bytes) -> list[tuple[str, str]]:
    document = parse_xml(body, "Tagging")
    sets = list(document)
    if [element.tag for element in sets] != ["TagSet"]:
        raise s3_error("MalformedXML")
    pairs = []
    for tag in sets[0]:
        members = {member.tag: member.text or "" for member in tag}
        if tag.tag != "Tag" or set(members) != {"Key", "Value"} or len(tag) != 2:
            raise s3_error("MalformedXML")
        pairs.append((members["Key"], members["Value"]))
    if len({key for key, _ in pairs}) < len(pairs):
        raise s3_error("InvalidTag", "Cannot provide multiple Tags with the same key")
    return pairs


def _checked(pairs: list[tuple[str, str]]) -> dict[str, str]:
    if len(pairs) > _MOST_TAGS:
        raise s3_error("BadRequest", f"Object tags cannot be greater than {_MOST_TAGS}")
    _check_each(pairs)
    return dict(pairs)


def _check_each(pairs: list[tuple[str, str]]) -> None:
    for key, value in pairs:
        if not 1 <= len(key) <= _LONGEST_KEY or _ALLOWED.fullmatch(key) is None:
            raise s3_error("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if key.startswith("aws:"):
            raise s3_error("InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
        if len(value) > _LONGEST_VALUE or _ALLOWED.fullmatch(value) is None:
            raise s3_error("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
