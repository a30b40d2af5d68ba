"""Convert between the headers of requests and responses and the properties of objects."""

from __future__ import annotations

from collections.abc import Mapping

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
_KMS_KEY, _BUCKET_KEY = f"{_ENCRYPTION}-aws-kms-key-id", f"{_ENCRYPTION}-bucket-key-enabled"


def metadata_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request that describe the object's content, and those with the user's metadata.

    Args:
        headers: the request's headers, by lower-case name.

    Raises:
        ServiceError: MetadataTooLarge.
    """
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    metadata = {name: value for name, value in headers.items() if name.startswith(_METADATA)}
    size = sum(len(name) - len(_METADATA) + len(value) for name, value in metadata.items())
    if size > _MOST_METADATA:
        raise s3_error("MetadataTooLarge")
    return {"content-type": "binary/octet-stream", **kept, **metadata}


def storage_headers(headers: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the headers that describe the object's storage: its class and its encryption, which is only recorded.

    Args:
        headers: the request's headers, by lower-case name.
        region: the region of a KMS key that is given without its ARN.

    Raises:
        ServiceError: the request names a KMS key, but not KMS encryption.
    """
    kept = {_ENCRYPTION: headers.get(_ENCRYPTION, "AES256")}
    if headers.get(_STORAGE_CLASS, "STANDARD") != "STANDARD":
        kept[_STORAGE_CLASS] = headers[_STORAGE_CLASS]
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


def _key_arn(region: str, name: str) -> str:
    return f"arn:{partition(region)}:kms:{region}:{ACCOUNT_ID}:{name}"
