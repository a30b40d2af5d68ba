"""The objects under a prefix of a bucket, with all their versions: counting and deleting them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


class StoredObjects:
    """All objects under a prefix, those included that only older versions are left of.

    Attributes:
        uri: the prefix as an S3 URI.
    """

    def __init__(self, s3: S3Client, bucket: str, prefix: str) -> None:
        self.uri = f"s3://{bucket}/{prefix}"
        self._s3, self._bucket, self._prefix = s3, bucket, prefix

    def count(self) -> int:
        """How many versions and markers of deleted objects there are; none in a bucket that is not there."""
        return sum(len(batch) for batch in self._batches())

    def delete(self) -> None:
        """Delete them for good.

        Raises:
            botocore.exceptions.ClientError: S3 refuses to delete one of them.
        """
        for batch in self._batches():
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", [])[:1]:
                message = f"{error['Key']}: {error.get('Message', '')}"
                raise ClientError({"Error": {"Code": error["Code"], "Message": message}}, "DeleteObjects")

    def _batches(self) -> Iterator[list[ObjectIdentifierTypeDef]]:
        """At most a thousand at a time, which is as many as one request may delete."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=self._prefix)
        try:
            for page in pages:
                found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                if found:
                    yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
