"""A request to S3: which operation it asks for, of which bucket and key, and what it says with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

from local.api.s3.checksums import BodyDigests
from local.api.s3.chunked import Body
from local.api.s3.errors import invalid_argument, invalid_request, s3_error
from local.aws.wire import RequestHead

_LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Bytes of an XML body: a thousand keys of a thousand bytes that are escaped, or ten thousand parts' checksums."""

_PRESIGNED = {
    *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"),
    *("x-amz-signature", "x-amz-security-token", "x-amz-content-sha256"),
    *("AWSAccessKeyId", "Signature", "Expires"),
}
_NAMES_ONLY = {"x-id"}
"""What SDKs add for whoever reads a log."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9._-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")


@dataclass(frozen=True)
class S3Request:
    """One request.

    Attributes:
        head: as it came.
        bucket: the bucket's name, or empty.
        key: the object's key, or empty.
        query: without what signs a URL.
        headers: by lower-case name, with those that a presigned URL has in its query.
        body: checked and freed of its framing.
    """

    head: RequestHead
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.head.method

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the body in parts."""
        while not self.body.ended:
            yield (await self.body())["body"]

    async def document(self, *, must_be_checked: bool = False, carries_checksum: bool = True) -> bytes:
        """Return a small body whole.

        Args:
            must_be_checked: whether the operation wants a digest of it.
            carries_checksum: whether checksum headers are those of the body, not of an object.

        Raises:
            ServiceError: it is too large, or not what its digests say.
        """
        checked = {n: v for n, v in self.headers.items() if carries_checksum or n == "content-md5"}
        digests, content = BodyDigests(checked), bytearray()
        if must_be_checked and not digests.is_checked:
            raise invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        async for part in self.stream():
            content += part
            if len(content) > _LARGEST_DOCUMENT:
                raise s3_error("EntityTooLarge")
        digests.update(bytes(content))
        digests.verify(self.body.trailers if carries_checksum else {})
        return bytes(content)

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number of the query, not larger than the most that S3 answers with.

        Raises:
            ServiceError: InvalidArgument.
        """
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= 2**31 - 1):
            raise invalid_argument(f"Provided {name} not an integer or within integer range")
        return min(int(text), most)

    def flag(self, name: str) -> bool:
        """Return whether the query says ``true``.

        Raises:
            ServiceError: InvalidArgument, it says neither ``true`` nor ``false``.
        """
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise invalid_argument(f"{name} must be true or false")
        return text == "true"


def read_request(head: RequestHead, body: Body, *, is_chunked: bool) -> S3Request:
    """Take a request's line and headers apart.

    Raises:
        ServiceError: InvalidURI, its path or query is not UTF-8 text: two such keys would become one.
    """
    try:
        path = unquote_to_bytes(head.raw_path).decode()
        fields = dict(parse_qsl(head.query.decode("latin-1"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise s3_error("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8 text.") from None
    host = head.headers[b"host"].rpartition(b":")[0] or head.headers[b"host"]
    if host.endswith(b".localhost"):
        path = f"/{host.removesuffix(b'.localhost').decode()}{path}"
    bucket, _, key = path.removeprefix("/").partition("/")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()}
    query = {}
    for name, value in fields.items():
        if name in _PRESIGNED or name.lower() in _PRESIGNED or name in _NAMES_ONLY:
            continue
        if name.lower().startswith(("x-amz-", "response-")) and not (
            _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        ):
            raise invalid_argument("a header in the URL has a character that headers cannot have")
        if name.lower().startswith("x-amz-"):
            # Some SDKs put a presigned request's headers into its URL.
            headers.setdefault(name.lower(), value)
        else:
            query[name] = value
    if is_chunked and "content-encoding" in headers:
        codings = [coding.strip() for coding in headers.pop("content-encoding").split(",")]
        if kept := ", ".join(coding for coding in codings if coding != "aws-chunked"):
            headers["content-encoding"] = kept
    return S3Request(head, bucket, key, query, headers, body)
