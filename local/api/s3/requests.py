"""Parse the requests to S3."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_to_bytes

from local.api.s3.checksums import BodyDigests
from local.api.s3.chunked import Body
from local.api.s3.errors import invalid_argument, invalid_request, s3_error
from local.aws.hosts import bucket_of_host
from local.aws.wire import RequestHead, new_request_id

_LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Bytes of an XML body. A thousand escaped keys of a thousand bytes fit, and so do ten thousand parts' checksums."""

_PRESIGNED = {
    *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"),
    *("x-amz-signature", "x-amz-security-token", "x-amz-content-sha256"),
    *("AWSAccessKeyId", "Signature", "Expires"),
}
_NAMES_ONLY = {"x-id"}
"""Parameters that SDKs add to name the operation in access logs."""

_HEADERS_IN_QUERY = {"content-md5", "content-type"}
"""Headers that boto3 moves into URLs with a version 2 signature, in addition to those with ``x-amz-``."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9._-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")


@dataclass(frozen=True)
class S3Request:
    """A request to S3.

    Attributes:
        head: the request line and headers, as received.
        bucket: the bucket's name, or empty.
        key: the object's key, or empty.
        query: the query's parameters, without those of a presigned URL's signature.
        headers: headers by lower-case name, with the ``x-amz-`` parameters of the query.
        body: the verified and decoded body.
        id: the request's id, which its response names.
    """

    head: RequestHead
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    id: str = field(default_factory=new_request_id)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.head.method

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body in parts."""
        while not self.body.ended:
            yield (await self.body())["body"]

    async def document(self, *, must_be_checked: bool = False, carries_checksum: bool = True) -> bytes:
        """Read a small body.

        Args:
            must_be_checked: whether the operation requires a digest of the body.
            carries_checksum: whether the checksum headers are about the body. If not, they are about an object.

        Raises:
            ServiceError: the body is too large, or does not match its digests.
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
        """Return an integer parameter of the query.

        Args:
            name: the parameter.
            default: the value if the parameter is missing.
            most: the upper limit. Larger values are reduced to it, as by S3.

        Raises:
            ServiceError: InvalidArgument, not an integer from 0 to 2**31 - 1.
        """
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= 2**31 - 1):
            raise invalid_argument(f"Provided {name} not an integer or within integer range")
        return min(int(text), most)

    def flag(self, name: str) -> bool:
        """Return a Boolean parameter of the query, which is false if it is missing.

        Raises:
            ServiceError: InvalidArgument, neither ``true`` nor ``false``.
        """
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise invalid_argument(f"{name} must be true or false")
        return text == "true"


def read_request(head: RequestHead, body: Body, *, is_chunked: bool) -> S3Request:
    """Parse a request.

    Args:
        head: the request line and headers.
        body: the request's body.
        is_chunked: whether the body is aws-chunked.

    Raises:
        ServiceError: InvalidURI, the path or query is not UTF-8 text: replacing the invalid bytes could turn two keys
            into one. InvalidArgument, a header in the URL is not valid.
    """
    try:
        path = unquote_to_bytes(head.raw_path).decode()
        fields = dict(parse_qsl(head.query.decode("latin-1"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise s3_error("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8 text.") from None
    if named := bucket_of_host(head.headers):
        path = f"/{named}{path}"
    bucket, _, key = path.removeprefix("/").partition("/")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()}
    query = {}
    for name, value in fields.items():
        if name in _PRESIGNED or name.lower() in _PRESIGNED or name in _NAMES_ONLY:
            continue
        if name.lower().startswith(("x-amz-", "response-", "content-")) and not (
            _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        ):
            raise invalid_argument("a header in the URL has a character that is not allowed in headers")
        if name.lower().startswith("x-amz-") or name in _HEADERS_IN_QUERY:
            # Some SDKs move the headers of a presigned request into its URL.
            headers.setdefault(name.lower(), value)
        else:
            query[name] = value
    if is_chunked and "content-encoding" in headers:
        codings = [coding.strip() for coding in headers.pop("content-encoding").split(",")]
        if kept := ", ".join(coding for coding in codings if coding != "aws-chunked"):
            headers["content-encoding"] = kept
    return S3Request(head, bucket, key, query, headers, body)
