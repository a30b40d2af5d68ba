"""Reads what a model package's metadata says about its origin and its deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment.endpoint_names import Target

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import DescribeModelPackageOutputTypeDef


def registering_execution(package: DescribeModelPackageOutputTypeDef) -> str:
    """Return the ARN of the pipeline execution that registered a package; empty if the metadata names none."""
    arn = package.get("CustomerMetadataProperties", {}).get("pipeline_execution_arn", "")
    return arn if ":pipeline/" in arn else ""


def is_execution_of(pipeline_name: str, execution_arn: str) -> bool:
    """Return whether an execution is a pipeline's. Case does not count: ARNs have pipelines' names in lower case."""
    return f":pipeline/{pipeline_name}/".lower() in execution_arn.lower()


def target_of(model_package_arn: str, package: DescribeModelPackageOutputTypeDef) -> Target | None:
    """Return where a package is to be deployed; None if its metadata does not say it."""
    metadata = package.get("CustomerMetadataProperties", {})
    try:
        return Target(
            model_package_arn=model_package_arn,
            endpoint_name=metadata["endpoint_name"],
            instance_type=metadata["endpoint_instance_type"],
            instance_count=int(metadata["endpoint_instance_count"]),
        )
    except (KeyError, ValueError):
        return None
