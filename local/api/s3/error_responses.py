"""Respond to requests that fail."""

from __future__ import annotations

from starlette.responses import Response

from local.api.s3.requests import S3Request
from local.aws.wire import s3_error_reply
from local.core.errors import ServiceError


def error_response(error: ServiceError, request: S3Request) -> Response:
    """Return the response for an error. Like S3, the error of a missing resource names it."""
    missing = {"NoSuchKey": ("Key", request.key), "NoSuchBucket": ("BucketName", request.bucket)}
    missing["NoSuchUpload"] = ("UploadId", request.query.get("uploadId", ""))
    if error.code in missing and not error.details:
        error.details = dict([missing[error.code]])
    reply = s3_error_reply(error, request.id, f"/{request.bucket}" + (f"/{request.key}" if request.key else ""))
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    if request.method == "HEAD":
        return Response(None, reply.status, headers)
    return Response(reply.body, reply.status, headers)
