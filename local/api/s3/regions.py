"""Refuse requests to buckets of another region, as S3 does, so that clients find out the right one."""

from __future__ import annotations

from local.api.s3.buckets import setting_of
from local.api.s3.errors import s3_error
from local.api.s3.members import find_operation
from local.api.s3.requests import S3Request
from local.aws.regions import is_for_global_endpoint, region_hint
from local.aws.sigv4 import Signature

_OF_GLOBAL_ENDPOINT = {"ListBuckets", "CreateBucket", "GetBucketLocation"}
"""The operations that S3's global endpoint carries out itself, wherever the bucket is.
Example: https://github.com/minio/minio-java/issues/670
"""


def check_region(signature: Signature, request: S3Request, region: str) -> None:
    """Refuse a request that is signed for another region than the bucket's.

    The response names the bucket's region, in which botocore then repeats the request. A new bucket must not be
    created by such a repetition, so the response to CreateBucket does not.

    Args:
        signature: The request's signature. Version 2 has no region.
        request: The request.
        region: The region of all buckets.

    Raises:
        ServiceError: AuthorizationHeaderMalformed, or AuthorizationQueryParametersError for a presigned URL.
    """
    if signature.is_version_2 or signature.region == region:
        return
    operation = "" if setting_of(request) else find_operation(request)
    if operation in _OF_GLOBAL_ENDPOINT and is_for_global_endpoint(signature, region):
        return
    code, part = "AuthorizationHeaderMalformed", "The authorization header is malformed"
    if signature.expires is not None:
        code, part = "AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter"
    message = f"{part}; the region {signature.region!r} is wrong; expecting {region!r} {region_hint(region)}"
    raise s3_error(code, message, **({} if operation == "CreateBucket" else {"Region": region}))
