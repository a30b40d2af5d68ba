"""Deletes the CloudFormation stack of ``make bootstrap``, without its bucket if this contains objects of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

from pipeline.errors import UserError
from pipeline.operate.stack import failures_of_deletion

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef, WaiterConfigTypeDef
    from types_boto3_s3 import S3Client

_BUCKET = "Bucket"
"""The bucket's logical ID in infra/bootstrap.yaml."""

_WAIT: WaiterConfigTypeDef = {"Delay": 3, "MaxAttempts": 400}


def is_stack_of(pipeline_name: str, stack: StackTypeDef) -> bool:
    """Return whether ``make bootstrap`` created a stack for a pipeline."""
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
    return parameters.get("PipelineName") == pipeline_name


class StackDeletion:
    """Deletes one stack.

    Args:
        cloudformation: boto3's CloudFormation client.
        s3: boto3's S3 client.
        name: the stack's name.
        stack_id: its ARN.
        bucket: the bucket's name.
    """

    def __init__(
        self, cloudformation: CloudFormationClient, s3: S3Client, name: str, stack_id: str, bucket: str
    ) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._name = name
        self._stack_id = stack_id
        self._bucket = bucket

    def __call__(self) -> str | None:
        """Delete the stack and wait until it is gone.

        Returns:
            What is kept, if anything.

        Raises:
            UserError: a resource could not be deleted.
        """
        if not (reasons := self._failures([])):
            return None
        others = self._other_objects() if [*reasons] == [_BUCKET] else []
        if others:
            reasons = self._failures([_BUCKET])
        if reasons:
            raise UserError("; ".join(f"{resource}: {reason}" for resource, reason in reasons.items()))
        return (
            f"the bucket {self._bucket}, which contains objects of others, such as {', '.join(others)}. "
            "Before the next 'make bootstrap', empty and delete it"
        )

    def _failures(self, retained: list[str]) -> dict[str, str]:
        """Try to delete the stack.

        Args:
            retained: logical IDs of resources to keep, which AWS allows only after a failure.

        Returns:
            Why resources could not be deleted, by their logical IDs.
        """
        retain: dict[str, Any] = {"RetainResources": retained} if retained else {}
        self._cloudformation.delete_stack(StackName=self._name, **retain)
        try:
            waiter = self._cloudformation.get_waiter("stack_delete_complete")
            waiter.wait(StackName=self._stack_id, WaiterConfig=_WAIT)
        except WaiterError as error:
            return failures_of_deletion(self._cloudformation, self._stack_id) or {self._name: str(error)}
        return {}

    def _other_objects(self) -> list[str]:
        """Return the first few keys of the bucket, those of old versions too."""
        found = self._s3.list_object_versions(Bucket=self._bucket, MaxKeys=5)
        keys = [item["Key"] for item in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]
        return sorted(set(keys))
