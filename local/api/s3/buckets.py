"""Operations on buckets and their settings."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from local.api.moto.services import MotoFailedError, MotoServices
from local.api.s3.bucket_settings import (
    READ_ONLY,
    RECORDED,
    check_change,
    check_method,
    default_encryption_answer,
    fixed_answer,
)
from local.api.s3.errors import not_implemented, s3_error
from local.api.s3.files import ObjectFiles
from local.api.s3.members import check_owner
from local.api.s3.requests import S3Request
from local.api.s3.uploads import Uploads
from local.api.s3.xml import parse_xml, xml_response
from local.aws.wire import RequestHead

_WITHOUT_CONSTRAINT = "us-east-1"
"""The region of a bucket without a location constraint; no constraint names this region."""


def setting_of(request: S3Request) -> str | None:
    """Return the name of the bucket setting that a request reads or changes, or None."""
    if request.key or not request.bucket:
        return None
    return min(set(request.query) & (RECORDED | READ_ONLY), default=None)


class Buckets:
    """The handlers of operations on buckets.

    Args:
        files: buckets and objects.
        uploads: multipart uploads. Those into a deleted bucket are removed.
        moto: stores the settings.
        region: the region of all buckets.
    """

    def __init__(self, files: ObjectFiles, uploads: Uploads, moto: MotoServices, region: str) -> None:
        self._files, self._uploads, self._moto, self._region = files, uploads, moto, region

    async def create(self, request: S3Request) -> Response:
        """Handle CreateBucket."""
        constraint = ""
        if body := await request.document():
            for element in parse_xml(body, "CreateBucketConfiguration"):
                if element.tag != "LocationConstraint":
                    raise not_implemented(f"CreateBucket with {element.tag}")
                constraint = element.text or ""
        _check_constraint(constraint, self._region)
        # In this region alone, S3 lets an owner create a bucket again:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, BucketAlreadyOwnedByYou.
        self._files.create_bucket(request.bucket, again=self._region == _WITHOUT_CONSTRAINT)
        return Response(headers={"Location": f"/{request.bucket}"})

    def head(self, request: S3Request) -> Response:
        """Handle HeadBucket."""
        self._files.bucket(request.bucket)
        return Response(headers={"x-amz-bucket-region": self._region, "x-amz-access-point-alias": "false"})

    def location(self, request: S3Request) -> Response:
        """Handle GetBucketLocation. The location of us-east-1 is null."""
        self._files.bucket(request.bucket)
        return xml_response("LocationConstraint", {"": None if self._region == _WITHOUT_CONSTRAINT else self._region})

    def delete(self, request: S3Request) -> Response:
        """Handle DeleteBucket."""
        self._files.delete_bucket(request.bucket)
        self._uploads.forget_bucket(request.bucket)
        self._moto.forget_bucket(request.bucket)
        return Response(status_code=204)

    def default_encryption(self, bucket: str) -> dict[str, str]:
        """Return a bucket's default encryption, as headers of a request; empty for that of S3."""
        rule = self._moto.bucket_encryption(bucket)
        if not rule:
            return {}
        default = rule["ApplyServerSideEncryptionByDefault"]
        headers = {"": default["SSEAlgorithm"], "-aws-kms-key-id": default.get("KMSMasterKeyID")}
        if str(rule.get("BucketKeyEnabled")).lower() == "true":
            headers["-bucket-key-enabled"] = "true"
        return {f"x-amz-server-side-encryption{name}": value for name, value in headers.items() if value}

    async def settings(self, request: S3Request, name: str) -> Response:
        """Handle the operations on a bucket's settings."""
        check_owner(request)
        self._files.bucket(request.bucket)
        check_method(name, request.method)
        body = await request.document()
        if request.method != "GET":
            check_change(name, request.method, body)
        if (answer := fixed_answer(name, request.method)) is not None:
            return answer
        is_read = request.method == "GET"
        if name == "encryption" and is_read and not await asyncio.to_thread(self.default_encryption, request.bucket):
            return default_encryption_answer()
        headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in request.headers.items()}
        head = RequestHead(request.method, f"/{request.bucket}".encode(), request.head.query, headers)
        try:
            reply = await asyncio.to_thread(self._moto.answer_about_bucket, request.bucket, head, body)
        except MotoFailedError:
            # Moto expects documents of S3's schema.
            raise s3_error("MalformedXML") from None
        shown = {name.decode(): value.decode("latin-1") for name, value in reply.headers}
        return Response(reply.body, reply.status, shown)


def _check_constraint(constraint: str, region: str) -> None:
    """Check that a location constraint names the service's region.

    Args:
        constraint: the request's location constraint; empty if the request has none.
        region: the service's region.

    Raises:
        ServiceError: IllegalLocationConstraintException or InvalidLocationConstraint.
    """
    if constraint == region == _WITHOUT_CONSTRAINT:
        raise s3_error("InvalidLocationConstraint")
    # EU is an older name of eu-west-1.
    wanted = {"": _WITHOUT_CONSTRAINT, "EU": "eu-west-1"}.get(constraint, constraint)
    if wanted != region:
        raise s3_error(
            "IllegalLocationConstraintException",
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            " this request was sent to.",
        )
