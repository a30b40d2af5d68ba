"""Every member of a request to SageMaker is kept and described, or refused by its name, or has an effect that is named here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from definition_language.models import input_shape
from local.api.sagemaker import endpoints
from local.core.errors import ServiceError
from tests.local.api.members import Path, leaves, merged, shape_at, valid, values, values_at
from tests.local.conftest import IMAGE, ROLE

NUMBERS = itertools.count()
Request = dict[str, Any]


def new() -> str:
    return f"made-{next(NUMBERS)}"


@dataclass(frozen=True)
class Kind:
    """How a request with a member is made, and how the result is described.

    Attributes:
        base: makes a valid request, and what it needs.
        describe: the operation that describes the result, and the members that it shares with the request.
        renamed: the members that have another name in the description.
    """

    base: Callable[[Any], Request]
    describe: tuple[str, tuple[str, ...]]
    renamed: dict[str, str] = field(default_factory=dict)


DEFINITION = json.dumps(
    {"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}]}
)
STOP = {"MaxRuntimeInSeconds": 60}
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/made/by/test"}},
}
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "InputDataConfig": [CHANNEL],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "StoppingCondition": STOP,
}
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/made.tar.gz"}


def pipeline(call: Any) -> Request:
    return {"PipelineName": new(), "RoleArn": ROLE, "PipelineDefinition": DEFINITION, "ClientRequestToken": "a" * 32}


def made(call: Any, operation: str, request: Request, *names: str) -> Request:
    call(operation, request)
    return {name: request[name] for name in names}


def model(call: Any) -> Request:
    return {"ModelName": new(), "PrimaryContainer": CONTAINER}


def config(call: Any) -> Request:
    name = made(call, "CreateModel", model(call), "ModelName")
    variant = {"VariantName": "v", **name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    return {"EndpointConfigName": new(), "ProductionVariants": [variant]}


def endpoint(call: Any) -> Request:
    return {"EndpointName": new(), **made(call, "CreateEndpointConfig", config(call), "EndpointConfigName")}


def endpoint_in_service(call: Any) -> Request:
    given = endpoint(call)
    call("CreateEndpoint", given)
    while call("DescribeEndpoint", {"EndpointName": given["EndpointName"]})["EndpointStatus"] != "InService":
        pass
    return given


def group(call: Any) -> Request:
    return {"ModelPackageGroupName": new()}


def package(call: Any) -> Request:
    return made(call, "CreateModelPackageGroup", group(call), "ModelPackageGroupName")


def execution(call: Any) -> Request:
    return {**made(call, "CreatePipeline", pipeline(call), "PipelineName"), "ClientRequestToken": "b" * 32}


KINDS: dict[str, Kind] = {
    "CreatePipeline": Kind(pipeline, ("DescribePipeline", ("PipelineName",))),
    "UpdatePipeline": Kind(
        lambda call: made(call, "CreatePipeline", pipeline(call), "PipelineName"),
        ("DescribePipeline", ("PipelineName",)),
    ),
    "UpdatePipelineVersion": Kind(
        lambda call: {"PipelineArn": call("CreatePipeline", pipeline(call))["PipelineArn"], "PipelineVersionId": 1},
        ("DescribePipeline", ("PipelineArn",)),
    ),
    "StartPipelineExecution": Kind(execution, ("DescribePipelineExecution", ("PipelineExecutionArn",))),
    "UpdatePipelineExecution": Kind(
        lambda call: call("StartPipelineExecution", execution(call)),
        ("DescribePipelineExecution", ("PipelineExecutionArn",)),
    ),
    "CreateProcessingJob": Kind(
        lambda call: {
            "ProcessingJobName": new(),
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "AppSpecification": {"ImageUri": IMAGE},
            "RoleArn": ROLE,
        },
        ("DescribeProcessingJob", ("ProcessingJobName",)),
    ),
    "CreateTrainingJob": Kind(
        lambda call: {"TrainingJobName": new(), "ResourceConfig": CLUSTER, **TRAINING},
        ("DescribeTrainingJob", ("TrainingJobName",)),
    ),
    "CreateHyperParameterTuningJob": Kind(
        lambda call: {
            "HyperParameterTuningJobName": new(),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:mse"},
                "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 1},
                "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "l1", "MinValue": "0.1", "MaxValue": "1"}]},
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"predictor_type": "regressor"},
                "ResourceConfig": CLUSTER,
                **TRAINING,
            },
        },
        ("DescribeHyperParameterTuningJob", ("HyperParameterTuningJobName",)),
    ),
    "CreateTransformJob": Kind(
        lambda call: {
            "TransformJobName": new(),
            **made(call, "CreateModel", model(call), "ModelName"),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/made/by/test"}},
                "ContentType": "text/csv",
            },
            "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
        ("DescribeTransformJob", ("TransformJobName",)),
    ),
    "CreateModel": Kind(model, ("DescribeModel", ("ModelName",))),
    "CreateModelPackageGroup": Kind(group, ("DescribeModelPackageGroup", ("ModelPackageGroupName",))),
    "CreateModelPackage": Kind(
        package, ("DescribeModelPackage", ("ModelPackageArn",)), {"ModelPackageName": "ModelPackageName"}
    ),
    "UpdateModelPackage": Kind(
        lambda call: call("CreateModelPackage", package(call)),
        ("DescribeModelPackage", ("ModelPackageArn",)),
        {"AdditionalInferenceSpecificationsToAdd": "AdditionalInferenceSpecifications"},
    ),
    "CreateEndpointConfig": Kind(config, ("DescribeEndpointConfig", ("EndpointConfigName",))),
    "CreateEndpoint": Kind(
        endpoint, ("DescribeEndpoint", ("EndpointName",)), {"DeploymentConfig": "LastDeploymentConfig"}
    ),
    "UpdateEndpoint": Kind(
        endpoint_in_service, ("DescribeEndpoint", ("EndpointName",)), {"DeploymentConfig": "LastDeploymentConfig"}
    ),
}


@pytest.fixture
def call(parts, put_model, monkeypatch):
    """Calls an operation; jobs are only recorded."""
    monkeypatch.setattr(type(parts.supervisor), "run_in_background", lambda *_: None)
    monkeypatch.setattr(endpoints, "DESCRIBE_PATIENCE", 5.0)
    put_model("s3://bucket/made.tar.gz")
    put_model("s3://bucket/made/by/test")
    yield parts.sagemaker.call
    parts.supervisor.stop_all()


def outcome(call: Any, operation: str, path: Path, other: int) -> str:
    """What becomes of a member: kept, refused, or else what the service says."""
    kind, shape = KINDS[operation], input_shape("sagemaker", operation)
    base = kind.base(call)
    request = merged(base, valid(shape, path, other))
    for name in base:
        if name not in path[:1]:
            request[name] = base[name]
    # Only the member itself and what its own structures require.
    request = {name: value for name, value in request.items() if name in base or name == path[0]}
    [wanted, *_] = values_at(request, path)
    try:
        made_here = call(operation, request)
    except ServiceError as error:
        said = error.message.lower()
        new_names = [name for name in path if not values_at(base, path[: path.index(name) + 1])] or path[-1:]
        return (
            "refused"
            if any(name.lower() in said for name in new_names)
            else f"refused without its name: {error.message[:300]}"
        )
    describe, members = kind.describe
    given = {**made_here, **request}
    if describe == "DescribeModelPackage":
        described = call(describe, {"ModelPackageName": given["ModelPackageArn"]})
    elif members == ("PipelineArn",):
        described = call(describe, {"PipelineName": given["PipelineArn"]})
    else:
        described = call(describe, {member: given[member] for member in members})
    if path[0] == "Tags":
        arn = next(value for name, value in described.items() if name.endswith("Arn") and name not in ("RoleArn",))
        described = {"Tags": call("ListTags", {"ResourceArn": arn})["Tags"]}
    place = (kind.renamed.get(path[0], path[0]), *path[1:])
    found = values_at(described, place)
    return "kept" if wanted in found else f"dropped: {wanted!r}, described as {found[:3]!r}"


HANDLED: dict[str, dict[str, str]] = {}


@pytest.mark.parametrize("operation", KINDS)
def test_members(call, operation) -> None:
    shape = input_shape("sagemaker", operation)
    left = []
    for path in leaves(shape):
        for other in range(len(values(shape_at(shape, path)))):
            found = outcome(call, operation, path, other)
            if found not in ("kept", "refused"):
                left.append((".".join(path), found))
    with open("/tmp/members.txt", "a") as f:
        for l in left:
            print(operation, *l, file=f)
