"""The operation GetObjectAttributes."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from starlette.responses import Response

from local.api.s3.descriptions import checksum_members
from local.api.s3.errors import invalid_argument, invalid_request
from local.api.s3.files import ObjectFiles
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.api.s3.xml import xml_response

_HEADER = "x-amz-object-attributes"
_MOST_PARTS = 1000
_NAMES = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}


class Attributes:
    """The handler of GetObjectAttributes.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html

    Args:
        files: buckets and objects.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files

    def read(self, request: S3Request) -> Response:
        """Handle GetObjectAttributes."""
        wanted = {name.strip() for name in request.headers.get(_HEADER, "").split(",")}
        if wanted == {""}:
            raise invalid_request(
                f"The {_HEADER} header specifying the attributes to be retrieved is either missing or empty"
            )
        if unknown := wanted - _NAMES:
            raise invalid_argument("Invalid attribute name specified.", _HEADER, min(unknown))
        info = self._files.info(request.bucket, request.key)
        members = {
            "ETag": info.etag.strip('"'),
            "Checksum": checksum_members(info.checksum) or None,
            "ObjectParts": _parts(request, info) if info.part_sizes else None,
            "StorageClass": info.storage_class,
            "ObjectSize": info.size,
        }
        last_modified = format_datetime(info.last_modified.replace(microsecond=0), usegmt=True)
        shown = {name: value for name, value in members.items() if name in wanted}
        return xml_response("GetObjectAttributesResponse", shown, {"Last-Modified": last_modified})


def _parts(request: S3Request, info: ObjectInfo) -> dict[str, Any]:
    """Return the member ObjectParts. Like S3, it lists the parts only if they have checksums."""
    if not info.part_checksums:
        return {"PartsCount": len(info.part_sizes)}
    marker = _number(request, "x-amz-part-number-marker", 0)
    most = min(_number(request, "x-amz-max-parts", _MOST_PARTS), _MOST_PARTS)
    numbered = list(enumerate(zip(info.part_sizes, info.part_checksums, strict=True), 1))[marker:]
    shown = numbered[:most]
    name = f"Checksum{info.checksum['algorithm']}"
    return {
        "PartsCount": len(info.part_sizes),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1][0] if shown else marker,
        "MaxParts": most,
        "IsTruncated": len(numbered) > len(shown) > 0,
        "Part": [{"PartNumber": number, "Size": size, name: checksum} for number, (size, checksum) in shown],
    }


def _number(request: S3Request, name: str, default: int) -> int:
    text = request.headers.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise invalid_argument(f"Provided {name} not an integer or within integer range", name, text)
    return int(text)
