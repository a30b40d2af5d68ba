"""Operations on multipart uploads."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from starlette.responses import Response

from local.api.s3.assembly import check_checksum, chosen_parts, join, named_parts, object_checksum
from local.api.s3.checksums import ALGORITHMS, COMPOSITE, FULL_OBJECT, BodyDigests, header_of, known_algorithm
from local.api.s3.completions import Completions
from local.api.s3.conditions import find_copy_range, part_number, write_condition
from local.api.s3.descriptions import checksum_members, encryption_headers, metadata_headers, storage_headers
from local.api.s3.errors import invalid_request, s3_error
from local.api.s3.events import ObjectEvents
from local.api.s3.files import ObjectFiles, now
from local.api.s3.listings import OWNER, Encoding, page_of
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.api.s3.sources import copy_range, open_source
from local.api.s3.tags import HEADER as TAGGING
from local.api.s3.tags import tags_of_header
from local.api.s3.uploads import Part, Upload, Uploads
from local.api.s3.writing import LARGEST, Encryption, receive
from local.api.s3.xml import parse_xml, xml_response
from local.core.errors import ServiceError

_MOST = 1000


class Multipart:
    """The handlers of operations on multipart uploads.

    Args:
        files: buckets and objects.
        uploads: uploads in progress.
        region: the region of all buckets.
        events: sends events about objects.
        encryption: returns a bucket's default encryption.
    """

    def __init__(
        self, files: ObjectFiles, uploads: Uploads, region: str, events: ObjectEvents, encryption: Encryption
    ) -> None:
        self._files, self._uploads, self._region, self._events = files, uploads, region, events
        self._encryption, self._completions = encryption, Completions(files)

    def create(self, request: S3Request) -> Response:
        """Handle CreateMultipartUpload."""
        self._files.check(request.bucket, request.key)
        default = self._encryption(request.bucket)
        headers = metadata_headers(request.headers) | storage_headers(request.headers, self._region, default)
        tags = tags_of_header(request.headers.get(TAGGING, ""))
        algorithm, checksum_type = checksum = _checksum_of_upload(request)
        upload = self._uploads.begin(request.bucket, request.key, headers, tags, checksum)
        said = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": checksum_type} if algorithm else {}
        members = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}
        return xml_response("InitiateMultipartUploadResult", members, encryption_headers(headers) | said)

    async def upload_part(self, request: S3Request) -> Response:
        """Handle UploadPart."""
        number, upload = part_number(request.query.get("partNumber", "")), self._find(request)
        digests = BodyDigests(request.headers, [upload.algorithm] if upload.algorithm else [])
        if upload.algorithm and digests.algorithm != upload.algorithm:
            raise invalid_request(
                f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()},"
                f" actual checksum Type: {(digests.algorithm or 'null').lower()}"
            )
        with self._files.unfinished() as path:
            await receive(request, path, digests)
            part = await asyncio.to_thread(self._uploads.add_part, upload, number, path, digests)
        given = {header_of(digests.algorithm): digests.checksum(digests.algorithm)} if digests.algorithm else {}
        return Response(headers={"ETag": f'"{part.md5}"', **encryption_headers(upload.headers), **given})

    def copy_part(self, request: S3Request) -> Response:
        """Handle UploadPartCopy."""
        number, upload = part_number(request.query.get("partNumber", "")), self._find(request)
        digests = BodyDigests({}, [upload.algorithm] if upload.algorithm else [])
        file, source = open_source(self._files, request)
        with file, self._files.unfinished() as path:
            wanted = find_copy_range(request.headers.get("x-amz-copy-source-range"), source.size)
            if wanted[1] > LARGEST:
                raise s3_error("EntityTooLarge")
            copy_range(file, wanted, path, digests)
            part = self._uploads.add_part(upload, number, path, digests)
        members = {"LastModified": part.last_modified, "ETag": f'"{part.md5}"', **_part_checksum(upload, part)}
        return xml_response("CopyPartResult", members, encryption_headers(upload.headers))

    def parts(self, request: S3Request) -> Response:
        """Handle ListParts."""
        upload = self._find(request)
        marker, most = request.number("part-number-marker", 0, 2**31 - 1), request.number("max-parts", _MOST, _MOST)
        found = [part for part in self._uploads.parts(upload) if part.number > marker]
        shown = found[:most]
        members = {
            **_names(upload),
            "Initiator": OWNER,
            "Owner": OWNER,
            "StorageClass": upload.headers.get("x-amz-storage-class", "STANDARD"),
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1].number if shown else marker,
            "MaxParts": most,
            "IsTruncated": len(found) > len(shown) > 0,
            **_algorithm_members(upload),
            "Part": [
                {
                    "PartNumber": part.number,
                    "LastModified": part.last_modified,
                    "ETag": f'"{part.md5}"',
                    "Size": part.size,
                    **_part_checksum(upload, part),
                }
                for part in shown
            ],
        }
        return xml_response("ListPartsResult", members)

    def uploads(self, request: S3Request) -> Response:
        """Handle ListMultipartUploads."""
        self._files.bucket(request.bucket)
        query, encode = request.query, Encoding(request)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        key_marker, id_marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
        most = request.number("max-uploads", _MOST, _MOST)
        entries = [
            (upload.key, upload)
            for upload in self._uploads.of_bucket(request.bucket)
            # Like S3, ignore an upload ID marker without a key marker.
            if upload.key.startswith(prefix)
            and (upload.key > key_marker or (id_marker and (upload.key, upload.id) > (key_marker, id_marker)))
        ]
        page = page_of(entries, prefix, delimiter or "", key_marker, most)
        last = page.items[-1] if page.truncated and page.items and page.items[-1].key == page.last else None
        members = {
            "Bucket": request.bucket,
            "KeyMarker": encode(key_marker),
            "UploadIdMarker": id_marker,
            "NextKeyMarker": encode(page.last) if page.truncated else None,
            "NextUploadIdMarker": last and last.id,
            "Prefix": encode(prefix),
            "Delimiter": encode(delimiter),
            "EncodingType": encode.name,
            "MaxUploads": most,
            "IsTruncated": page.truncated,
            "Upload": [_shown(upload, encode) for upload in page.items],
            "CommonPrefixes": [{"Prefix": encode(each)} for each in page.prefixes],
        }
        return xml_response("ListMultipartUploadsResult", members)

    def abort(self, request: S3Request) -> Response:
        """Handle AbortMultipartUpload."""
        self._uploads.end(self._find(request))
        return Response(status_code=204)

    async def complete(self, request: S3Request) -> Response:
        """Handle CompleteMultipartUpload."""
        self._files.check(request.bucket, request.key)
        body = await request.document(carries_checksum=False)
        wanted = await asyncio.to_thread(parse_xml, body, "CompleteMultipartUpload")
        info = await asyncio.to_thread(self._complete, request, list(wanted))
        host = request.headers["host"]
        members = {
            "Location": f"http://{host}/{request.bucket}/{quote(request.key)}",
            "Bucket": request.bucket,
            "Key": request.key,
            "ETag": info.etag,
            **checksum_members(info.checksum),
        }
        return xml_response("CompleteMultipartUploadResult", members, encryption_headers(info.headers))

    def _find(self, request: S3Request) -> Upload:
        self._files.check(request.bucket, request.key)
        return self._uploads.find(request.query["uploadId"], request.bucket, request.key)

    def _complete(self, request: S3Request, wanted: list[Element]) -> ObjectInfo:
        try:
            upload = self._find(request)
        except ServiceError:
            named = request.query["uploadId"], request.bucket, request.key
            if (info := self._completions.find(*named, named_parts(wanted))) is None:
                raise
            return info
        info = self._assemble(request, upload, wanted)
        self._events.created(upload.bucket, upload.key, info, "CompleteMultipartUpload")
        return info

    def _assemble(self, request: S3Request, upload: Upload, wanted: list[Element]) -> ObjectInfo:
        condition = write_condition(request.headers)
        parts = chosen_parts(upload, wanted, self._uploads.parts(upload))
        size = sum(part.size for part in parts)
        if request.headers.get("x-amz-mp-object-size", str(size)) != str(size):
            raise invalid_request(f"The provided 'x-amz-mp-object-size' does not match: the parts have {size} bytes")
        whole = ALGORITHMS[upload.algorithm]() if upload.checksum_type == FULL_OBJECT else None
        with self._files.unfinished() as path:
            join(parts, path, whole)
            checksum = object_checksum(upload, parts, whole)
            check_checksum(request, checksum)
            digest = hashlib.md5(b"".join(bytes.fromhex(part.md5) for part in parts), usedforsecurity=False)
            etag = f'"{digest.hexdigest()}-{len(parts)}"'
            sizes, checksums = [part.size for part in parts], [part.checksum for part in parts if part.checksum]
            info = ObjectInfo(etag, size, now(), upload.headers, checksum, sizes, checksums, upload.tags)
            self._files.put(upload.bucket, upload.key, path, info, condition)
        self._completions.add(upload.id, upload.bucket, upload.key, [(part.number, part.md5) for part in parts], info)
        self._uploads.end(upload)
        return info


def _checksum_of_upload(request: S3Request) -> tuple[str, str]:
    name, kind = request.headers.get("x-amz-checksum-algorithm"), request.headers.get("x-amz-checksum-type")
    if name is None:
        if kind is not None:
            raise invalid_request("The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm.")
        return "", ""
    algorithm = known_algorithm(name)
    possible = {"CRC64NVME": (FULL_OBJECT,)}.get(algorithm, (COMPOSITE, FULL_OBJECT))
    if not algorithm.startswith("CRC"):
        possible = (COMPOSITE,)
    if kind not in (None, *possible):
        raise invalid_request(f"The {kind} checksum type cannot be used with the {algorithm.lower()} algorithm.")
    return algorithm, kind or possible[0]


def _part_checksum(upload: Upload, part: Part) -> dict[str, str]:
    return {f"Checksum{upload.algorithm}": part.checksum} if upload.algorithm else {}


def _names(upload: Upload) -> dict[str, str]:
    return {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}


def _algorithm_members(upload: Upload) -> dict[str, Any]:
    return {"ChecksumAlgorithm": upload.algorithm or None, "ChecksumType": upload.checksum_type or None}


def _shown(upload: Upload, encode: Encoding) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Key": encode(upload.key),
        "Initiated": upload.began,
        "StorageClass": upload.headers.get("x-amz-storage-class", "STANDARD"),
        "Owner": OWNER,
        "Initiator": OWNER,
        **_algorithm_members(upload),
    }
