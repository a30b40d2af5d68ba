"""Convert between the headers of requests and responses and the properties of objects."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from local.api.s3.checksums import header_of
from local.api.s3.errors import invalid_argument, s3_error
from local.api.s3.sidecars import ObjectInfo
from local.core.arns import partition
from local.core.settings import ACCOUNT_ID

_METADATA = "x-amz-meta-"
_MOST_METADATA = 2048
_KEPT = (*("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires"),)
_STORAGE_CLASS = "x-amz-storage-class"
_ENCRYPTION = "x-amz-server-side-encryption"
_REDIRECT = "x-amz-website-redirect-location"
_LONGEST_REDIRECT = 2048
_ENCODED_WORD = re.compile(r"=\?[\w-]+\?[bBqQ]\?[^?]*\?=")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_KMS_KEY, _BUCKET_KEY = f"{_ENCRYPTION}-aws-kms-key-id", f"{_ENCRYPTION}-bucket-key-enabled"


def metadata_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request that describe the object's content, and those with the user's metadata.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata

    Args:
        headers: the request's headers, by lower-case name.

    Returns:
        The headers by lower-case name. Encoded words of RFC 2047 in the user's metadata are decoded.

    Raises:
        ServiceError: MetadataTooLarge.
    """
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    metadata = {name: _decoded(value) for name, value in headers.items() if name.startswith(_METADATA)}
    size = sum(len(name.encode()) - len(_METADATA) + len(value.encode()) for name, value in metadata.items())
    if size > _MOST_METADATA:
        raise s3_error("MetadataTooLarge", Size=size, MaxSizeAllowed=_MOST_METADATA)
    return {"content-type": "binary/octet-stream", **kept, **metadata}


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an object's headers as responses have them: metadata that is not ASCII is encoded as in RFC 2047."""
    return {
        name: value if not name.startswith(_METADATA) or _PLAIN.fullmatch(value) else _encoded(value)
        for name, value in headers.items()
    }


def storage_headers(headers: Mapping[str, str], region: str, default: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that describe how the object is stored and served.

    They are its class, its encryption, which is only recorded, and its redirect for websites. A copy has its own.

    Args:
        headers: the request's headers, by lower-case name.
        region: the region of a KMS key that is given without its ARN.
        default: the bucket's default encryption, as headers.

    Raises:
        ServiceError: the request names a KMS key, but not KMS encryption; or the redirect is not valid.
    """
    return {
        **_encryption(headers if _ENCRYPTION in headers else {**default, **headers}, region),
        **({_STORAGE_CLASS: headers[_STORAGE_CLASS]} if headers.get(_STORAGE_CLASS, "STANDARD") != "STANDARD" else {}),
        **_redirect(headers.get(_REDIRECT)),
    }


def of_content(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an object's headers without those of ``storage_headers``."""
    return {
        name: value for name, value in headers.items() if not name.startswith((_STORAGE_CLASS, _ENCRYPTION, _REDIRECT))
    }


def _redirect(location: str | None) -> dict[str, str]:
    if location is None:
        return {}
    if not location.startswith(("/", "http://", "https://")) or len(location) > _LONGEST_REDIRECT:
        raise s3_error(
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        )
    return {_REDIRECT: location}


def _encryption(headers: Mapping[str, str], region: str) -> dict[str, str]:
    kept = {_ENCRYPTION: headers.get(_ENCRYPTION, "AES256")}
    if key := headers.get(_KMS_KEY):
        if kept[_ENCRYPTION] != "aws:kms":
            raise invalid_argument(
                f"Server Side Encryption with AWS KMS managed key requires HTTP header {_ENCRYPTION} : aws:kms"
            )
        kind = "" if key.startswith("alias/") else "key/"
        kept[_KMS_KEY] = key if key.startswith("arn:") else _key_arn(region, kind + key)
    if headers.get(_BUCKET_KEY) == "true":
        kept[_BUCKET_KEY] = "true"
    return kept


def encryption_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an object's headers about encryption, which every response about the object has."""
    return {name: value for name, value in headers.items() if name.startswith(_ENCRYPTION)}


def checksum_headers(checksum: Mapping[str, str]) -> dict[str, str]:
    """Return the response headers with an object's checksum; empty if it has none."""
    if not checksum:
        return {}
    return {header_of(checksum["algorithm"]): checksum["value"], "x-amz-checksum-type": checksum["type"]}


def checksum_members(checksum: Mapping[str, str]) -> dict[str, str]:
    """Return the XML members with an object's checksum; empty if it has none."""
    if not checksum:
        return {}
    return {f"Checksum{checksum['algorithm']}": checksum["value"], "ChecksumType": checksum["type"]}


def written_headers(info: ObjectInfo) -> dict[str, str]:
    """Return the response headers after an object was written."""
    return {"ETag": info.etag, **encryption_headers(info.headers), **checksum_headers(info.checksum)}


def _decoded(value: str) -> str:
    if _ENCODED_WORD.search(value) is None:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _encoded(value: str) -> str:
    return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="


def _key_arn(region: str, name: str) -> str:
    return f"arn:{partition(region)}:kms:{region}:{ACCOUNT_ID}:{name}"
