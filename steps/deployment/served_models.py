"""Creates the models and endpoint configurations of an endpoint, and deletes old ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.aws_refusals import ExpectedRefusal, says
from deployment.endpoint_names import VARIANT, Target, stem_of, version_of

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef, TagTypeDef


class ServedModels:
    """Creates and deletes models and endpoint configurations.

    Attributes:
        sagemaker: boto3's client.
        options: the static options of the deployment.
        tags: the tags of every created resource.
    """

    def __init__(self, sagemaker: SageMakerClient, options: dict[str, Any], tags: list[TagTypeDef]) -> None:
        self.sagemaker = sagemaker
        self.options = options
        self.tags = tags

    def create(self, target: Target, name: str) -> None:
        """Create the model and the endpoint configuration of a name, unless they exist already."""
        self._create_model(target, name)
        self._create_endpoint_config(target, name)

    def clean_up(self, endpoint_name: str, kept: set[str], is_latest: Callable[[], bool]) -> None:
        """Delete this endpoint's old models and configurations.

        Args:
            endpoint_name: the endpoint.
            kept: the names that stay.
            is_latest: whether no other call has begun to deploy to the endpoint. It is asked before every deletion,
                because another call may deploy one of the names that were found.
        """
        stem = stem_of(endpoint_name)
        configs = self.sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=stem)
        models = self.sagemaker.get_paginator("list_models").paginate(NameContains=stem)
        found_configs = [found["EndpointConfigName"] for page in configs for found in page["EndpointConfigs"]]
        found_models = [found["ModelName"] for page in models for found in page["Models"]]

        def stale(found: list[str]) -> list[str]:
            return [old for old in found if version_of(old, endpoint_name) is not None and old not in kept]

        for old in stale(found_configs):
            if not is_latest():
                return
            with ExpectedRefusal("could not find"):
                self.sagemaker.delete_endpoint_config(EndpointConfigName=old)
        for old in stale(found_models):
            if not is_latest():
                return
            with ExpectedRefusal("could not find"):
                self.sagemaker.delete_model(ModelName=old)

    def _create_model(self, target: Target, name: str) -> None:
        request: dict[str, Any] = {
            "ModelName": name,
            "Containers": [{"ModelPackageName": target.model_package_arn}],
            "ExecutionRoleArn": self.options["role_arn"],
            "Tags": self.tags,
        }
        if vpc := self.options["vpc"]:
            request["VpcConfig"] = {"Subnets": vpc["subnets"], "SecurityGroupIds": vpc["security_group_ids"]}
        with ExpectedRefusal("already existing"):
            self.sagemaker.create_model(**request)

    def _create_endpoint_config(self, target: Target, name: str) -> None:
        variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": name}
        if serverless := self.options["serverless"]:
            variant["ServerlessConfig"] = {
                "MemorySizeInMB": serverless["memory_megabytes"],
                "MaxConcurrency": serverless["max_concurrency"],
            }
        else:
            variant["InstanceType"] = target.instance_type
            variant["InitialInstanceCount"] = target.instance_count
            variant["InitialVariantWeight"] = 1.0
        request: dict[str, Any] = {"EndpointConfigName": name, "ProductionVariants": [variant], "Tags": self.tags}
        if key := self.options["kms_key_arn"]:
            request["KmsKeyId"] = key
        if capture := self.options["data_capture"]:
            request["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": capture["percentage"],
                "DestinationS3Uri": capture["s3_uri"],
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
                **({"KmsKeyId": key} if key else {}),
            }
        with ExpectedRefusal("already existing"):
            self.sagemaker.create_endpoint_config(**request)


def find_endpoint(sagemaker: SageMakerClient, name: str) -> DescribeEndpointOutputTypeDef | None:
    """Return the description of an endpoint, or None if it does not exist."""
    try:
        return sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if says(error, "could not find"):
            return None
        raise


def pending_config(endpoint: DescribeEndpointOutputTypeDef) -> str:
    """Return the configuration of the endpoint's pending deployment, or else the one that it serves."""
    return str(endpoint.get("PendingDeploymentSummary", endpoint)["EndpointConfigName"])
