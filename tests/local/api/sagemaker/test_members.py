"""Every member of a request to SageMaker is kept and described, or refused by its name, or has an effect named here."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from definition_language.models import input_shape
from local.api.sagemaker import endpoints
from local.core.errors import ServiceError
from local.core.settings import Settings
from tests.local.api.members import Path as Members
from tests.local.api.members import leaves, merged, shape_at, valid, values, values_at
from tests.local.conftest import IMAGE, ROLE, open_parts

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
    {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "made-by-test", "Type": "String", "DefaultValue": "a"}],
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}],
    }
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


def made(call: Any, operation: str, make: Callable[[Any], Request], *names: str) -> Request:
    """Make what a resource needs, once in a test; return its members with these names."""
    kept = call.__self__.__dict__.setdefault("_made_by_test", {})
    if operation not in kept:
        request = make(call)
        kept[operation] = {**request, **call(operation, request)}
    return {name: kept[operation][name] for name in names}


def model(call: Any) -> Request:
    return {"ModelName": new(), "PrimaryContainer": CONTAINER}


def config(call: Any) -> Request:
    name = made(call, "CreateModel", model, "ModelName")
    variant = {"VariantName": "v", **name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    return {"EndpointConfigName": new(), "ProductionVariants": [variant]}


def endpoint(call: Any) -> Request:
    return {"EndpointName": new(), **made(call, "CreateEndpointConfig", config, "EndpointConfigName")}


def endpoint_in_service(call: Any) -> Request:
    given = made(call, "CreateEndpoint", endpoint, "EndpointName", "EndpointConfigName")
    while call("DescribeEndpoint", {"EndpointName": given["EndpointName"]})["EndpointStatus"] != "InService":
        pass
    return given


def group(call: Any) -> Request:
    return {"ModelPackageGroupName": new()}


def package(call: Any) -> Request:
    return made(call, "CreateModelPackageGroup", group, "ModelPackageGroupName")


def execution(call: Any) -> Request:
    return {**made(call, "CreatePipeline", pipeline, "PipelineName"), "ClientRequestToken": f"{new()}-{'b' * 32}"}


KINDS: dict[str, Kind] = {
    "CreatePipeline": Kind(pipeline, ("DescribePipeline", ("PipelineName",))),
    "UpdatePipeline": Kind(
        lambda call: made(call, "CreatePipeline", pipeline, "PipelineName", "PipelineDefinition"),
        ("DescribePipeline", ("PipelineName",)),
    ),
    "UpdatePipelineVersion": Kind(
        lambda call: {**made(call, "CreatePipeline", pipeline, "PipelineArn"), "PipelineVersionId": 1},
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
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "l1", "MinValue": "0.1", "MaxValue": "1"}],
                    "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "100", "MaxValue": "200"}],
                    "CategoricalParameterRanges": [{"Name": "use_bias", "Values": ["true", "false"]}],
                },
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
            **made(call, "CreateModel", model, "ModelName"),
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


def _operations() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        parts = open_parts(Settings(Path(folder) / ".local"))
        try:
            return list(parts.sagemaker.operations)
        finally:
            parts.close()


OPERATIONS = _operations()


@pytest.fixture
def call(parts, put_model, monkeypatch):
    """Calls an operation; jobs are only recorded, but endpoints change."""
    run = type(parts.supervisor).run_in_background

    def run_changes(supervisor: Any, work: Any, name: str) -> bool:
        return run(supervisor, work, name) if name.startswith("change of endpoint") else False

    monkeypatch.setattr(type(parts.supervisor), "run_in_background", run_changes)
    monkeypatch.setattr(endpoints, "DESCRIBE_PATIENCE", 5.0)
    # Hundreds of records need not outlive a loss of power.
    parts.store._database.execute("PRAGMA synchronous = OFF")
    put_model("s3://bucket/made.tar.gz")
    put_model("s3://bucket/made/by/test")
    yield parts.sagemaker.call
    parts.stop_work()


def outcome(call: Any, operation: str, path: Members, other: int) -> str:
    """What becomes of a member: kept, refused, or else what the service says."""
    kind, shape = KINDS[operation], input_shape("sagemaker", operation)
    base = kind.base(call)
    request = base
    if not values_at(base, path):
        added = valid(shape, path, other)
        # Of the added request only the member's own branch, with what its structures require.
        request = merged({path[0]: added[path[0]]}, base)
    [wanted, *_] = values_at(request, path)
    try:
        made_here = call(operation, request)
    except ServiceError as error:
        said = error.message.lower()
        own = [name for number, name in enumerate(path, 1) if not values_at(base, path[:number])]
        if any(name.lower() in said for name in own) or (isinstance(wanted, str) and wanted.lower() in said):
            return "refused"
        return f"refused without its name: {error.message[:300]}"
    place = (kind.renamed.get(path[0], path[0]), *path[1:])
    found = values_at(_described(call, kind, {**made_here, **request}), place)
    return "kept" if wanted in found else f"dropped: {wanted!r}, described as {found[:3]!r}"


def _described(call: Any, kind: Kind, given: Request) -> Request:
    describe, members = kind.describe
    names = {DESCRIBED_BY.get((describe, member), member): given[member] for member in members}
    described = call(describe, names)
    if describe == "DescribePipelineExecution":
        return {**described, **call("ListPipelineParametersForExecution", names)}
    arn = next(given[name] for name in ("PipelineArn", *given) if name in given and ":sagemaker:" in str(given[name]))
    return {**described, "Tags": call("ListTags", {"ResourceArn": arn})["Tags"]}


DESCRIBED_BY = {
    ("DescribeModelPackage", "ModelPackageArn"): "ModelPackageName",
    ("DescribePipeline", "PipelineArn"): "PipelineName",
}
"""The members whose name in the description's request is another one."""

OF_LISTS = {
    "SortBy": "listing.page sorts by it",
    "SortOrder": "listing.page sorts in this order",
    "NextToken": "listing.page goes on after the item that it names",
    "MaxResults": "listing.page ends after so many items",
}
HANDLED: dict[str, dict[str, str]] = {
    "CreatePipeline": {
        "PipelineDefinitionS3Location.Bucket": "the object there is the definition",
        "PipelineDefinitionS3Location.ObjectKey": "the object there is the definition",
        "PipelineDefinitionS3Location.VersionId": "refused by name, if there is no definition beside it",
        "ClientRequestToken": "a second request with it makes no second pipeline",
    },
    "UpdatePipeline": {
        "PipelineDefinitionS3Location.Bucket": "the object there is the new definition",
        "PipelineDefinitionS3Location.ObjectKey": "the object there is the new definition",
        "PipelineDefinitionS3Location.VersionId": "refused by name, if there is no definition beside it",
    },
    "StartPipelineExecution": {
        "PipelineName": "the pipeline that is run",
        "ClientRequestToken": "a second request with it starts no second execution",
        "SelectiveExecutionConfig.SourcePipelineExecutionArn": "the execution whose steps are reused",
        "PipelineVersionId": "the version that is run",
    },
    "CreateTrainingJob": {
        "AlgorithmSpecification.MetricDefinitions.Name": "refused, in SageMaker's own words",
        "AlgorithmSpecification.MetricDefinitions.Regex": "refused, in SageMaker's own words",
        "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": "always true for SageMaker's own algorithms",
    },
    "CreateHyperParameterTuningJob": {
        "TrainingJobDefinition.AlgorithmSpecification.MetricDefinitions.Name": "refused, in SageMaker's own words",
        "TrainingJobDefinition.AlgorithmSpecification.MetricDefinitions.Regex": "refused, in SageMaker's own words",
    },
    "CreateModelPackage": {"ClientToken": "a second request with it makes no second version"},
    "UpdateModelPackage": {
        "CustomerMetadataPropertiesToRemove": "the properties that are removed",
        "ClientToken": "a second update with the same members changes nothing, with a token or without",
    },
    "UpdateEndpoint": {
        "RetainAllVariantProperties": "the variants keep their weights and numbers of instances",
        "RetainDeploymentConfig": "the deployment configuration stays",
    },
    "UpdatePipelineVersion": {"PipelineVersionId": "the version that is changed"},
    "UpdateEndpointWeightsAndCapacities": {
        "EndpointName": "the endpoint that is changed",
        "DesiredWeightsAndCapacities": "the variants' weights and numbers of instances",
    },
    "SendPipelineExecutionStepSuccess": {
        "CallbackToken": "the step that waits for it",
        "OutputParameters": "the step's metadata and properties show them",
        "ClientRequestToken": "a second request with it does nothing",
    },
    "SendPipelineExecutionStepFailure": {
        "CallbackToken": "the step that waits for it",
        "FailureReason": "the step's FailureReason",
        "ClientRequestToken": "a second request with it does nothing",
    },
    "RetryPipelineExecution": {
        "PipelineExecutionArn": "the execution that goes on",
        "ClientRequestToken": "a second request with it does nothing",
        "ParallelismConfiguration": "DescribePipelineExecution shows it",
    },
    "StopPipelineExecution": {
        "PipelineExecutionArn": "the execution that ends",
        "ClientRequestToken": "an execution that is Stopping is stopped again without effect",
    },
    "DeletePipeline": {
        "PipelineName": "the pipeline that is deleted",
        "ClientRequestToken": "a deleted pipeline is not found again, with a token or without",
    },
    "DescribePipeline": {
        "PipelineName": "the pipeline that is described",
        "PipelineVersionId": "the version whose definition is shown",
        "PipelineVersionAlias": "refused by name",
    },
    "DescribeModelPackage": {
        "ModelPackageName": "the package",
        "IncludedData": "whether the model card is shown",
    },
    "BatchDescribeModelPackage": {"ModelPackageArnList": "the packages that are described"},
    "AddTags": {"ResourceArn": "the resource", "Tags": "ListTags shows them"},
    "ListTags": {"ResourceArn": "the resource"},
    "Search": {
        "Resource": "the kind that is searched",
        "SearchExpression": "what the results satisfy",
        "SortBy": "the order of the results",
        "SortOrder": "the order of the results",
        "NextToken": "the next page",
        "MaxResults": "the size of a page",
        "CrossAccountFilterOption": "refused by name, except SameAccount",
        "VisibilityConditions": "refused by name",
    },
    "DeleteTags": {"ResourceArn": "the resource", "TagKeys": "the tags that are removed"},
    "ListPipelineVersions": {"PipelineName": "the pipeline"},
    "ListPipelineExecutions": {"PipelineName": "the pipeline", "PipelineVersionAlias": "refused by name"},
    "ListPipelineExecutionSteps": {"PipelineExecutionArn": "the execution"},
    "ListPipelineParametersForExecution": {"PipelineExecutionArn": "the execution"},
    "ListTrainingJobsForHyperParameterTuningJob": {"HyperParameterTuningJobName": "the tuning job"},
    "ListModelPackages": {
        "ModelPackageGroupName": "the group",
        "ModelPackageType": "versions, or others, or both",
    },
}
"""Members that are neither described nor refused, and where their effect is."""


MANY = (
    "CreateModelPackage",
    "UpdateModelPackage",
    "CreateHyperParameterTuningJob",
    "CreateTrainingJob",
    "UpdateEndpoint",
)


@pytest.mark.parametrize("operation", [name for name in KINDS if name not in MANY])
def test_every_member_is_kept_or_refused_or_handled(call, operation) -> None:
    _check_members(call, operation, every_value=False)


@pytest.mark.slow
@pytest.mark.parametrize("operation", KINDS)
def test_every_value_of_a_member_is_kept_or_refused_or_handled(call, operation) -> None:
    _check_members(call, operation, every_value=True)


def _check_members(call: Any, operation: str, *, every_value: bool) -> None:
    shape, handled = input_shape("sagemaker", operation), HANDLED.get(operation, {})
    left, unneeded = [], set(handled)
    for path in leaves(shape):
        for other in range(len(values(shape_at(shape, path))) if every_value else 1):
            found, name = outcome(call, operation, path, other), ".".join(path)
            if found in ("kept", "refused"):
                continue
            unneeded.discard(name)
            if name not in handled:
                left.append(f"{name}: {found}")
    assert not left, "\n".join(left)
    assert not unneeded, "kept or refused, so that no reason need be given"


def _one(operation: str) -> bool:
    """Whether an operation only names one resource, which it describes, stops or deletes."""
    return (
        operation.startswith(("Describe", "Stop", "Delete")) and len(input_shape("sagemaker", operation).members) == 1
    )


FAR, LONG_AGO = 32_503_680_000, 0
NOTHING_BY_SUFFIX = {"After": FAR, "Before": LONG_AGO, "NameContains": "zzz", "NamePrefix": "zzz"}
"""Values with which a filter leaves nothing."""
NOTHING = {
    "StatusEquals": "Stopped",
    "ModelApprovalStatus": "Rejected",
    "CrossAccountFilterOption": "CrossAccount",
    "ManagedBy": "AWS",
    "WarmPoolStatusEquals": "Available",
    "TrainingPlanArnEquals": "arn:aws:sagemaker:us-east-1:123456789012:training-plan/made",
}
FILTERS = {
    name: [
        member
        for member in input_shape("sagemaker", name).members
        if member in NOTHING or member.endswith(tuple(NOTHING_BY_SUFFIX))
    ]
    for name in OPERATIONS
    if name.startswith("List")
}


def test_every_member_of_the_other_operations_has_an_effect_with_a_name() -> None:
    for operation in set(OPERATIONS) - set(KINDS):
        known = {*HANDLED.get(operation, {}), *FILTERS.get(operation, ()), *(OF_LISTS if operation in FILTERS else ())}
        members = set(input_shape("sagemaker", operation).members)
        assert _one(operation) or members <= known, (operation, members - known)


def test_every_filter_of_a_list_leaves_out_what_it_says(call) -> None:
    for operation in KINDS:
        if operation.startswith(("Create", "Start")):
            call(operation, KINDS[operation].base(call))
    pipelines = call("ListPipelines", {})["PipelineSummaries"]
    runs = [each for p in pipelines for each in _listed(call, "ListPipelineExecutions", PipelineName=p["PipelineName"])]
    tuning = call("ListHyperParameterTuningJobs", {})["HyperParameterTuningJobSummaries"][0]
    needed = {
        "PipelineName": next(p["PipelineName"] for p in pipelines if "LastExecutionTime" in p),
        "PipelineExecutionArn": runs[0]["PipelineExecutionArn"],
        "HyperParameterTuningJobName": tuning["HyperParameterTuningJobName"],
        "ModelPackageGroupName": call("ListModelPackages", {"ModelPackageType": "Both"})["ModelPackageSummaryList"][0][
            "ModelPackageGroupName"
        ],
    }
    for operation, filters in FILTERS.items():
        members = input_shape("sagemaker", operation).members
        base = {name: value for name, value in needed.items() if name in members}
        if filters and operation != "ListTrainingJobsForHyperParameterTuningJob":
            assert _listed(call, operation, **base), operation
        for member in filters:
            suffix = next((each for each in NOTHING_BY_SUFFIX if member.endswith(each)), "")
            nothing = NOTHING_BY_SUFFIX[suffix] if suffix else NOTHING[member]
            if member == "StatusEquals" and operation == "ListEndpoints":
                nothing = "Failed"
            assert _is_left_out(call, operation, {**base, member: nothing}, member), (operation, member)


def _is_left_out(call: Any, operation: str, request: Request, member: str) -> bool:
    """Whether the list is empty, or the member is refused by its name."""
    try:
        return _listed(call, operation, **request) == []
    except ServiceError as error:
        return member in error.message


def _listed(call: Any, operation: str, **request: Any) -> list[Any]:
    [found] = [value for value in call(operation, request).values() if isinstance(value, list)]
    return list(found)
