"""List buckets, objects and versions in pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from starlette.responses import Response

from local.api.s3.errors import invalid_argument
from local.api.s3.files import ObjectFiles
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.api.s3.xml import xml_response
from local.core.errors import ServiceError
from local.core.settings import ACCOUNT_ID

OWNER = {"ID": ACCOUNT_ID, "DisplayName": "local"}
_MOST = 1000
_MOST_BUCKETS = 10_000
_TOKEN = "after:"  # noqa: S105 - no password
"""Begins each continuation token, so that text that is no token is refused."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Page(Generic[_Item]):
    """A page of a listing.

    Attributes:
        items: the items whose keys are not rolled up.
        prefixes: common prefixes. Each ends with the delimiter and stands for all keys that begin with it.
        truncated: whether another page follows.
        last: the last key or common prefix of this page.
    """

    items: list[_Item]
    prefixes: list[str]
    truncated: bool
    last: str

    @property
    def ends_with_prefix(self) -> bool:
        """Whether ``last`` is a common prefix."""
        return self.last in self.prefixes[-1:]


def page_of(  # noqa: PLR0913, PLR0917 - S3's own parameters
    entries: Iterable[tuple[str, _Item]],
    prefix: str,
    delimiter: str,
    after: str,
    most: int,
    skip: Callable[[str], None] = lambda _: None,
) -> Page[_Item]:
    """Return the first page of entries.

    Args:
        entries: keys and their items, sorted by key. All keys begin with the prefix and follow the previous page.
        prefix: the delimiter is searched for after it.
        delimiter: keys that contain it are rolled up into a common prefix; empty for none.
        after: the last key or common prefix of the previous page; empty on the first page.
        most: the maximum number of keys and common prefixes.
        skip: called with each common prefix. The entries need not continue with keys that begin with it.
    """
    items: list[_Item] = []
    prefixes: list[str] = []
    last = ""
    for key, item in entries:
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        rolled = key[: cut + len(delimiter)] if cut >= 0 else ""
        if rolled and rolled in (after, *prefixes[-1:]):
            skip(rolled)
            continue
        if len(items) + len(prefixes) == most:
            return Page(items, prefixes, most > 0, last)
        if rolled:
            prefixes.append(rolled)
            skip(rolled)
        else:
            items.append(item)
        last = rolled or key
    return Page(items, prefixes, truncated=False, last=last)


class Encoding:
    """Encodes a listing's keys: with ``url`` in percent-encoding, because XML does not allow every character."""

    def __init__(self, request: S3Request) -> None:
        self.name = request.query.get("encoding-type")

    def __call__(self, text: str | None) -> str | None:
        """Return a key as it appears in the listing."""
        return text if text is None or self.name is None else quote(text, safe="/*-._~")


class Listings:
    """The handlers of listings.

    Args:
        files: buckets and objects.
        region: the region of all buckets.
    """

    def __init__(self, files: ObjectFiles, region: str) -> None:
        self._files, self._region = files, region

    def buckets(self, request: S3Request) -> Response:
        """Handle ListBuckets."""
        query, most = request.query, request.number("max-buckets", _MOST_BUCKETS, _MOST_BUCKETS + 1)
        if not 1 <= most <= _MOST_BUCKETS:
            raise invalid_argument("Argument max-buckets must be an integer between 1 and 10000")
        prefix, after = query.get("prefix", ""), _resume(query.get("continuation-token") or None)
        found = [] if query.get("bucket-region", self._region) != self._region else self._files.buckets()
        entries = [(name, (name, made)) for name, made in found if name.startswith(prefix) and name > after]
        page = page_of(entries, prefix, "", "", most)
        # As in S3, only a request with parameters is answered with the buckets' regions.
        region = self._region if query else None
        shown = [{"Name": name, "CreationDate": made, "BucketRegion": region} for name, made in page.items]
        members = {
            "Owner": OWNER,
            "Buckets": {"Bucket": shown},
            "Prefix": query.get("prefix"),
            "ContinuationToken": _token(page.last) if page.truncated else None,
        }
        return xml_response("ListAllMyBucketsResult", members)

    def objects(self, request: S3Request) -> Response:
        """Handle ListObjects, whose pages are continued with a marker (a key or common prefix)."""
        encode, marker = Encoding(request), request.query.get("marker", "")
        page = self._page(request, marker, self._content(request, with_owner=True))
        goes_on = page.truncated and "delimiter" in request.query
        members = {"Marker": encode(marker), "NextMarker": encode(page.last) if goes_on else None}
        return xml_response("ListBucketResult", members | _shared(request, page, "Contents"))

    def objects_v2(self, request: S3Request) -> Response:
        """Handle ListObjectsV2."""
        query, encode = request.query, Encoding(request)
        token, start = query.get("continuation-token"), query.get("start-after")
        after = (start or "") if token is None else _resume(token)
        page = self._page(request, after, self._content(request, with_owner=request.flag("fetch-owner")))
        members = {
            "KeyCount": len(page.items) + len(page.prefixes),
            "StartAfter": encode(start),
            "ContinuationToken": token,
            "NextContinuationToken": _token(page.last) if page.truncated else None,
        }
        return xml_response("ListBucketResult", members | _shared(request, page, "Contents"))

    def versions(self, request: S3Request) -> Response:
        """Handle ListObjectVersions. Buckets have no versioning here, so each object has the one version ``null``."""
        encode, content = Encoding(request), self._content(request, with_owner=True)
        marker, version = request.query.get("key-marker", ""), request.query.get("version-id-marker")
        if version is not None and (not marker or version != "null"):
            raise invalid_argument(
                "A version-id marker cannot be specified without a key marker, and can only be null here"
            )
        page = self._page(
            request, marker, lambda key, info: content(key, info) | {"VersionId": "null", "IsLatest": True}
        )
        members = {
            "KeyMarker": encode(marker),
            "VersionIdMarker": version or "",
            "NextKeyMarker": encode(page.last) if page.truncated else None,
            "NextVersionIdMarker": "null" if page.truncated and not page.ends_with_prefix else None,
        }
        return xml_response("ListVersionsResult", members | _shared(request, page, "Version"))

    def _page(
        self, request: S3Request, after: str, shown: Callable[[str, ObjectInfo], dict[str, Any]]
    ) -> Page[dict[str, Any]]:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys = self._files.keys(request.bucket, prefix, after)
        most = request.number("max-keys", _MOST, _MOST)
        page = page_of(((key, key) for key in keys), prefix, delimiter, after, most, keys.skip)
        contents = []
        for key in page.items:
            try:
                contents.append(shown(key, self._files.info(request.bucket, key)))
            except ServiceError as error:
                # The object was deleted or replaced by a link after the keys were read.
                if error.code not in ("NoSuchKey", "AccessDenied"):
                    raise
        return Page(contents, page.prefixes, page.truncated, page.last)

    @staticmethod
    def _content(request: S3Request, *, with_owner: bool) -> Callable[[str, ObjectInfo], dict[str, Any]]:
        encode = Encoding(request)

        def shown(key: str, info: ObjectInfo) -> dict[str, Any]:
            return {
                "Key": encode(key),
                "LastModified": info.last_modified,
                "ETag": info.etag,
                "ChecksumAlgorithm": info.checksum.get("algorithm"),
                "ChecksumType": info.checksum.get("type"),
                "Size": info.size,
                "StorageClass": info.storage_class,
                "Owner": OWNER if with_owner else None,
            }

        return shown


def _shared(request: S3Request, page: Page[dict[str, Any]], name: str) -> dict[str, Any]:
    query, encode = request.query, Encoding(request)
    return {
        "Name": request.bucket,
        "Prefix": encode(query.get("prefix", "")),
        "Delimiter": encode(query.get("delimiter")),
        "MaxKeys": request.number("max-keys", _MOST, _MOST),
        "EncodingType": encode.name,
        "IsTruncated": page.truncated,
        name: page.items,
        "CommonPrefixes": [{"Prefix": encode(each)} for each in page.prefixes],
    }


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(f"{_TOKEN}{last}".encode()).decode()


def _resume(token: str | None) -> str:
    if token is None:
        return ""
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith(_TOKEN):
        raise invalid_argument("The continuation token provided is incorrect")
    return text.removeprefix(_TOKEN)
