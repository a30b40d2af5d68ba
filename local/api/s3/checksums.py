"""Compute the digests of bodies, and check the digests that clients send.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from local.api.s3.crc import Crc
from local.api.s3.errors import invalid_request, not_implemented, s3_error

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"
_PREFIX = "x-amz-checksum-"
_NO_VALUES = {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}


class Digest(Protocol):
    """The interface of a hash object of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """Return the digest of the bytes so far."""
        ...


class _Crc32:
    def __init__(self) -> None:
        self._state = 0

    def update(self, data: bytes, /) -> None:
        self._state = zlib.crc32(data, self._state)

    def digest(self) -> bytes:
        return self._state.to_bytes(4, "big")


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "CRC32": _Crc32,
    "CRC32C": lambda: Crc(0x82F63B78, 4),
    "CRC64NVME": lambda: Crc(0x9A6C9329AC4BC9B5, 8),
    "SHA1": _sha1,
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": _md5,
}
"""Digests by S3's name. XXHASH is missing, because Python and boto3 need an extra package for it."""


def header_of(algorithm: str) -> str:
    """Return the name of the header with an algorithm's checksum."""
    return _PREFIX + algorithm.lower()


def known_algorithm(name: str) -> str:
    """Return an algorithm's name as S3 spells it.

    Raises:
        ServiceError: NotImplemented, the algorithm is not supported.
    """
    if name.upper() not in ALGORITHMS:
        raise not_implemented(f"the checksum algorithm {name}")
    return name.upper()


def checksum_header(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the algorithm and the value (base64) of a request's checksum header, or None without such a header.

    Raises:
        ServiceError: there are several such headers, or the algorithm is not supported.
    """
    found = [name for name in headers if name.startswith(_PREFIX) and name not in _NO_VALUES]
    if len(found) > 1:
        raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    return (known_algorithm(found[0].removeprefix(_PREFIX)), headers[found[0]]) if found else None


class BodyDigests:
    """The digests of one body, computed while the body arrives.

    Args:
        headers: the request's headers, by lower-case name.
        also: algorithms to compute in addition to those in the headers.

    Attributes:
        algorithm: the algorithm of the client's checksum, or None.
        is_checked: whether the client sends a digest to check.

    Raises:
        ServiceError: the headers contradict each other, or an algorithm is not supported.
    """

    def __init__(self, headers: Mapping[str, str], also: Iterable[str] = ()) -> None:
        self.algorithm: str | None
        given = checksum_header(headers)
        self._md5 = _of_base64(headers["content-md5"], 16) if "content-md5" in headers else None
        self._trailer = headers.get("x-amz-trailer", "").strip().lower()
        if self._trailer:
            if not self._trailer.startswith(_PREFIX):
                raise not_implemented(f"x-amz-trailer: {self._trailer}")
            if given is not None:
                raise invalid_request("Expecting a single x-amz-checksum- header or trailer.")
            given = (known_algorithm(self._trailer.removeprefix(_PREFIX)), "")
        self.algorithm, self._value = (given[0], given[1]) if given is not None else (None, "")
        declared = headers.get("x-amz-sdk-checksum-algorithm")
        # For requests with Content-MD5, botocore declares an algorithm but sends no checksum.
        is_other = declared is not None and known_algorithm(declared) != self.algorithm
        if is_other and not (self.algorithm is None and self._md5):
            raise invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer"
                " headers were found."
            )
        wanted = {"MD5", *also, *([self.algorithm] if self.algorithm else [])}
        self._digests = {name: ALGORITHMS[name]() for name in wanted}
        self.is_checked = self._md5 is not None or self.algorithm is not None

    def update(self, data: bytes) -> None:
        """Add a part of the body."""
        for digest in self._digests.values():
            digest.update(data)

    def verify(self, trailers: Mapping[str, str]) -> None:
        """Check the client's digests against the whole body.

        Args:
            trailers: the body's trailing headers, by lower-case name.

        Raises:
            ServiceError: a digest differs (BadDigest), or the announced checksum is missing or malformed.
        """
        if self._md5 is not None and self._md5 != self._digests["MD5"].digest():
            raise s3_error("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if unexpected := set(trailers) - {self._trailer}:
            raise invalid_request(f"the trailer {min(unexpected)} was not announced by x-amz-trailer")
        if self.algorithm is None:
            return
        if self._trailer and self._trailer not in trailers:
            raise s3_error("MalformedTrailerError", f"the announced trailer {self._trailer} is missing")
        computed = self.checksum(self.algorithm)
        check_value(self.algorithm, trailers.get(self._trailer, self._value), computed)

    @property
    def md5(self) -> str:
        """The MD5 in hexadecimal, which is the object's ETag."""
        return self._digests["MD5"].digest().hex()

    def checksum(self, algorithm: str) -> str:
        """Return a checksum in base64, as in S3's headers."""
        return to_base64(self._digests[algorithm].digest())


def check_value(algorithm: str, given: str, computed: str) -> None:
    """Check a client's checksum.

    Args:
        algorithm: S3's name of the algorithm.
        given: the client's checksum, in base64.
        computed: the computed checksum, in base64.

    Raises:
        ServiceError: the client's checksum is malformed or differs.
    """
    if given == computed:
        return
    try:
        plausible = len(base64.b64decode(given, validate=True)) == len(ALGORITHMS[algorithm]().digest())
    except ValueError:
        plausible = False
    if not plausible:
        raise invalid_request(f"Value for {header_of(algorithm)} header is invalid.")
    raise s3_error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def to_base64(digest: bytes) -> str:
    """Return a digest in base64, as in S3's headers."""
    return base64.b64encode(digest).decode()


def _of_base64(text: str, size: int) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise s3_error("InvalidDigest") from None
    if len(decoded) != size:
        raise s3_error("InvalidDigest")
    return decoded
