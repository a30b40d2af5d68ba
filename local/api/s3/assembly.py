"""Assemble the parts of a multipart upload into an object."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from xml.etree.ElementTree import Element

from local.api.s3.checksums import (
    ALGORITHMS,
    COMPOSITE,
    Digest,
    check_value,
    checksum_header,
    known_algorithm,
    to_base64,
)
from local.api.s3.errors import invalid_argument, invalid_request, s3_error
from local.api.s3.requests import S3Request
from local.api.s3.uploads import Part, Upload

_SMALLEST = 5 * 1024 * 1024
_MOST_PARTS = 10_000
_LONGEST_NUMBER = 10
_CHUNK = 1024 * 1024


def chosen_parts(upload: Upload, wanted: list[Element], there: list[Part]) -> list[Part]:
    """Return the parts of the object, as listed in the request.

    Args:
        upload: the upload.
        wanted: the elements of the request's XML.
        there: the parts that were uploaded.

    Returns:
        The listed parts, by number.

    Raises:
        ServiceError: the list is malformed or out of order, or a listed part is missing, differs or is too small.
    """
    if not 1 <= len(wanted) <= _MOST_PARTS or any(element.tag != "Part" for element in wanted):
        raise s3_error("MalformedXML")
    parts: list[Part] = []
    by_number = {part.number: part for part in there}
    for element in wanted:
        members = {member.tag: (member.text or "").strip() for member in element}
        number, etag = _named(members)
        if parts and number <= parts[-1].number:
            raise s3_error("InvalidPartOrder", UploadId=upload.id)
        part = by_number.get(number)
        if part is None or etag != part.md5:
            raise s3_error("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=etag)
        _check_part(upload, part, members)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < _SMALLEST:
            raise s3_error(
                "EntityTooSmall",
                ProposedSize=part.size,
                MinSizeAllowed=_SMALLEST,
                PartNumber=part.number,
                ETag=part.md5,
            )
    return parts


def named_parts(wanted: list[Element]) -> list[tuple[int, str]]:
    """Return the numbers and the ETags (without quotes) of the parts in a request's XML.

    Raises:
        ServiceError: MalformedXML.
    """
    return [_named({member.tag: (member.text or "").strip() for member in element}) for element in wanted]


def _named(members: dict[str, str]) -> tuple[int, str]:
    """Remove a part's number and its ETag from its members, and return them."""
    number, etag = members.pop("PartNumber", ""), members.pop("ETag", None)
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER) or etag is None:
        raise s3_error("MalformedXML")
    return int(number), etag.strip('"')


def _check_part(upload: Upload, part: Part, given: dict[str, str]) -> None:
    """Check the checksums that the request gives for a part.

    Args:
        upload: the upload.
        part: the part that was uploaded.
        given: members of the request's part element; PartNumber and ETag are left out.

    Raises:
        ServiceError: a checksum differs or is missing.
    """
    own = f"Checksum{upload.algorithm}"
    for name, value in given.items():
        known_algorithm(name.removeprefix("Checksum"))
        # An upload without an algorithm keeps no checksums: each was checked when its part was uploaded.
        if upload.algorithm and (name != own or value != part.checksum):
            raise s3_error("InvalidPart")
    if upload.checksum_type == COMPOSITE and own not in given:
        raise invalid_request(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include"
            f" the checksum for each part. It was missing for part {part.number} in the request."
        )


def join(parts: list[Part], path: Path, whole: Digest | None) -> None:
    """Concatenate parts into a new file and sync the file to disk.

    Args:
        parts: the parts, in order.
        path: the new file.
        whole: the digest to update with all bytes, or None.
    """
    with path.open("xb") as joined:
        for part in parts:
            with part.path.open("rb") as file:
                while content := file.read(_CHUNK):
                    joined.write(content)
                    if whole is not None:
                        whole.update(content)
        joined.flush()
        os.fsync(joined.fileno())


def object_checksum(upload: Upload, parts: list[Part], whole: Digest | None) -> dict[str, str]:
    """Return the checksum of the object.

    Args:
        upload: the upload.
        parts: the object's parts, in order.
        whole: the digest of all bytes (FULL_OBJECT). If None, the checksum of the parts' checksums is returned
            (COMPOSITE).

    Returns:
        Algorithm, value and type, as in ``ObjectInfo``; empty if the upload has no algorithm.
    """
    if not upload.algorithm:
        return {}
    if whole is not None:
        value = to_base64(whole.digest())
    else:
        of_parts = ALGORITHMS[upload.algorithm]()
        of_parts.update(b"".join(base64.b64decode(part.checksum) for part in parts))
        value = f"{to_base64(of_parts.digest())}-{len(parts)}"
    return {"algorithm": upload.algorithm, "value": value, "type": upload.checksum_type}


def check_checksum(request: S3Request, checksum: dict[str, str]) -> None:
    """Check the whole object's checksum against the request's headers.

    Args:
        request: the request that completes the upload.
        checksum: the object's checksum, as returned by ``object_checksum``.

    Raises:
        ServiceError: the type, the algorithm or the value differs.
    """
    kind, given = request.headers.get("x-amz-checksum-type"), checksum_header(request.headers)
    if kind is not None and kind != checksum.get("type"):
        raise invalid_request(
            f"The upload was created using the {checksum.get('type')} checksum mode."
            " The complete request must use the same checksum mode."
        )
    if given is None:
        return
    if given[0] != checksum.get("algorithm"):
        raise invalid_argument(f"The upload was not created with the checksum algorithm {given[0]}")
    check_value(given[0], given[1].partition("-")[0], checksum["value"].partition("-")[0])
