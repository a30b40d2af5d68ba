from __future__ import annotations

import pytest

from local.core.errors import ServiceError
from tests.local.conftest import IMAGE

VARIANT = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
WITHOUT_INSTANCES = {"VariantName": "s", "ModelName": "m", "ServerlessConfig": SERVERLESS}
CAPTURE = {
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://models/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
POOL = {"InstanceType": "ml.m5.large", "Priority": 1}
POOLED = {"VariantName": "p", "ModelName": "m", "InitialInstanceCount": 1, "InstancePools": [POOL]}
PREFIX_AWARE = {"RoutingStrategy": "PREFIX_AWARE"}
PREFIX = {"PrefixLength": 1024, "ConcurrencyThreshold": 1}
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config"


@pytest.fixture(autouse=True)
def model(parts, put_model) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": put_model()}
    parts.sagemaker.call("CreateModel", {"ModelName": "m", "PrimaryContainer": container})


def refusal(parts, operation, **members):
    with pytest.raises(ServiceError) as caught:
        parts.sagemaker.call(operation, members)
    return caught.value


def create(parts, *variants, name="c", **members):
    request = {"EndpointConfigName": name, "ProductionVariants": list(variants) or [VARIANT], **members}
    return parts.sagemaker.call("CreateEndpointConfig", request)


def test_a_configuration_is_described_as_it_was_made_with_a_weight_of_one(parts) -> None:
    capture = {"EnableCapture": True, **CAPTURE}
    arn = create(parts, DataCaptureConfig=capture, KmsKeyId="key")["EndpointConfigArn"]
    config = parts.sagemaker.call("DescribeEndpointConfig", {"EndpointConfigName": "c"})
    assert config["EndpointConfigArn"] == arn == f"{ARN}/c"
    assert config["ProductionVariants"] == [{**VARIANT, "InitialVariantWeight": 1.0}]
    assert config["DataCaptureConfig"] == capture
    assert config["KmsKeyId"] == "key"


def test_instance_pools_and_prefix_aware_routing_are_described(parts) -> None:
    variant = {**POOLED, "RoutingConfig": {**PREFIX_AWARE, "PrefixAwareRoutingConfig": PREFIX}}
    create(parts, variant)
    config = parts.sagemaker.call("DescribeEndpointConfig", {"EndpointConfigName": "c"})
    assert config["ProductionVariants"] == [{**variant, "InitialVariantWeight": 1.0}]


def test_the_newest_configuration_is_listed_first(parts) -> None:
    for name in ("c1", "c2", "c3"):
        create(parts, name=name)
    listed = parts.sagemaker.call("ListEndpointConfigs", {})["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in listed] == ["c3", "c2", "c1"]


def test_errors_use_the_words_that_clients_know(parts) -> None:
    create(parts)
    again = refusal(parts, "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[VARIANT])
    assert again.message == f'Cannot create already existing endpoint configuration "{ARN}/c".'
    for operation in ("DescribeEndpointConfig", "DeleteEndpointConfig"):
        error = refusal(parts, operation, EndpointConfigName="x")
        assert (error.code, error.message) == (
            "ValidationException",
            f'Could not find endpoint configuration "{ARN}/x".',
        )
    parts.sagemaker.call("DeleteEndpointConfig", {"EndpointConfigName": "c"})
    create(parts)


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([{**VARIANT, "ModelName": "absent"}], "Could not find model"),
        ([VARIANT, VARIANT], "different names"),
        ([{**VARIANT, "AcceleratorType": "ml.eia2.medium"}], "AcceleratorType is no longer supported"),
        ([{**VARIANT, "RoutingConfig": PREFIX_AWARE}], "PrefixAwareRoutingConfig is required for"),
        (
            [{**VARIANT, "RoutingConfig": {"RoutingStrategy": "RANDOM", "PrefixAwareRoutingConfig": PREFIX}}],
            "PrefixAwareRoutingConfig is required for",
        ),
        (
            [
                {
                    **VARIANT,
                    "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 1},
                }
            ],
            "ManagedInstanceScaling is only supported for inference component endpoints.",
        ),
        ([{"VariantName": "v", "ModelName": "m"}], "InstanceType or a ServerlessConfig"),
        (
            [{**VARIANT, "InitialVariantWeight": 0.0}, {**VARIANT, "VariantName": "b", "InitialVariantWeight": 0.0}],
            "weight",
        ),
    ],
)
def test_variants_that_cannot_be_are_refused(parts, variants, words) -> None:
    error = refusal(parts, "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
    assert error.code == "ValidationException"
    assert words in error.message


@pytest.mark.parametrize(
    ("variants", "members", "words"),
    [
        (
            [{**WITHOUT_INSTANCES, "ServerlessConfig": {**SERVERLESS, "MemorySizeInMB": 1500}}],
            {},
            "MemorySizeInMB 1500",
        ),
        (
            [{**WITHOUT_INSTANCES, "ServerlessConfig": {**SERVERLESS, "ProvisionedConcurrency": 6}}],
            {},
            "less than or equal to MaxConcurrency 5",
        ),
        ([{**WITHOUT_INSTANCES, "InstanceType": "ml.m5.large"}], {}, "InstanceType is for instances"),
        ([{**WITHOUT_INSTANCES, "InitialInstanceCount": 1}], {}, "InitialInstanceCount is for instances"),
        ([WITHOUT_INSTANCES, {**WITHOUT_INSTANCES, "VariantName": "t"}], {}, "multiple production variants"),
        ([VARIANT, WITHOUT_INSTANCES], {}, "multiple production variants"),
        ([WITHOUT_INSTANCES], {"DataCaptureConfig": CAPTURE}, "data capture"),
        ([WITHOUT_INSTANCES], {"VpcConfig": VPC}, "VpcConfig"),
        ([{**WITHOUT_INSTANCES, "ModelName": "in-vpc"}], {}, "VpcConfig"),
        ([{**WITHOUT_INSTANCES, "ModelName": "isolated"}], {}, "network isolation"),
        ([{**WITHOUT_INSTANCES, "ModelName": "two"}], {}, "inference pipelines"),
    ],
)
def test_what_serverless_endpoints_do_not_have_is_refused(parts, put_model, variants, members, words) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": put_model()}
    model = {"PrimaryContainer": container}
    parts.sagemaker.call("CreateModel", {"ModelName": "in-vpc", **model, "VpcConfig": VPC})
    parts.sagemaker.call("CreateModel", {"ModelName": "isolated", **model, "EnableNetworkIsolation": True})
    parts.sagemaker.call("CreateModel", {"ModelName": "two", "Containers": [container, container]})
    create(parts, WITHOUT_INSTANCES)
    request = {"EndpointConfigName": "d", "ProductionVariants": variants, **members}
    error = refusal(parts, "CreateEndpointConfig", **request)
    assert error.code == "ValidationException"
    assert words in error.message


@pytest.mark.parametrize(
    "members",
    [
        {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://models/out"}}},
        {"EnableNetworkIsolation": True},
        {"MetricsConfig": {"EnableEnhancedMetrics": True}},
        {"ProductionVariants": [{**VARIANT, "CoreDumpConfig": {"DestinationS3Uri": "s3://models/dumps"}}]},
        {"ProductionVariants": [{**VARIANT, "EnableSSMAccess": True}]},
        {"ProductionVariants": [{**POOLED, "InstancePools": [{**POOL, "ModelNameOverride": "m"}]}]},
        {"ShadowProductionVariants": [{**VARIANT, "VariantName": "shadow"}]},
        {"ProductionVariants": [{"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]},
    ],
)
def test_what_is_not_imitated_is_refused_rather_than_left_out(parts, members) -> None:
    request = {"EndpointConfigName": "c", "ProductionVariants": [VARIANT], **members}
    error = refusal(parts, "CreateEndpointConfig", **request)
    assert error.message.startswith("not implemented by the local service: sagemaker:CreateEndpointConfig ")
    assert error.status == 501
