"""The lint and the local service agree on every request of publishing and of a pipeline's steps."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from definition_language.lint import check
from definition_language.models import input_shape
from definition_language.requests import Request, request_faults
from definition_language.steps import STEP_REQUESTS
from definition_language.training_jobs import training_job_faults
from local.aws.shapes import validate_request
from local.core.errors import ServiceError
from local.interpreter.parsing import parse
from pipeline.config.models import AutoscalingSection, VpcSection
from pipeline.definition.resources import conventional_resources
from tests.definition_language.requests import AWKWARD, requests
from tests.local.conftest import RunningService
from tests.local.interpreter.documents import DEFINITIONS, definition, fail, processing

OPERATIONS = [
    *(("sagemaker", name) for name in ("CreatePipeline", "UpdatePipeline", "StartPipelineExecution", "AddTags")),
    *(("sagemaker", name) for name in ("CreateEndpoint", "CreateEndpointConfig", "CreateModel", "UpdateEndpoint")),
    *(("lambda", name) for name in ("CreateFunction", "UpdateFunctionConfiguration", "AddPermission")),
    *(("events", name) for name in ("PutRule", "PutTargets")),
    *(("application-autoscaling", name) for name in ("RegisterScalableTarget", "PutScalingPolicy")),
    *sorted({("sagemaker", request.create) for request in STEP_REQUESTS.values()}),
]


def bounded(examples: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_any_request_is_refused_with_words_where_the_lint_finds_a_fault_and_only_there(service, operation) -> None:
    shape = input_shape(service, operation)

    @bounded(25)
    @given(requests(shape))
    def agree(members: dict[str, Any]) -> None:
        found = list(request_faults(Request(service, operation, members)))
        refused = False
        try:
            validate_request(shape, members)
        except ServiceError as error:
            refused = error.code == "ValidationException" and error.message != ""
        assert refused == (found != []), found

    agree()


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths to everything in a document."""
    if path:
        yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(child, (*path, key))


def replaced(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return changed


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


ROLE = "arn:aws:iam::123456789012:role/r"
MODEL_DATA = "s3://bucket/model/model.tar.gz"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
CHANNEL = {
    "ChannelName": "train",
    "ContentType": "text/csv",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
}
STEPS = [
    processing("Make", "python3", "make.py", outputs={"a": "s3://bucket/a"}, arguments={"Environment": {"A": "b\nc"}}),
    {
        "Name": "Train",
        "Type": "Training",
        "DisplayName": "Train a model",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {"predictor_type": "regressor"},
            "InputDataConfig": [CHANNEL],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": ROLE,
        },
    },
    {
        "Name": "Score",
        "Type": "Transform",
        "Description": "Score the rows",
        "Arguments": {
            "ModelName": "m",
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
            "TransformOutput": {"S3OutputPath": "s3://bucket/out", "Accept": "text/csv"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    },
    {
        "Name": "Model",
        "Type": "Model",
        "Arguments": {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": MODEL_DATA}, "ExecutionRoleArn": ROLE},
    },
    {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "group",
            "CustomerMetadataProperties": {"fold": "1"},
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": MODEL_DATA}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        },
    },
]


def refuses(text: str) -> bool:
    """Whether the local service refuses a definition."""
    try:
        parse(text)
    except ServiceError:
        return True
    return False


def _step_of_tuning() -> dict[str, Any]:
    steps = json.loads((DEFINITIONS / "sdk_v3.json").read_text())["Steps"]
    tuning = next(step for step in steps if step["Type"] == "Tuning")
    job = tuning["Arguments"]["TrainingJobDefinition"]
    job["ResourceConfig"] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for channel in job["InputDataConfig"]:
        channel["DataSource"]["S3DataSource"]["S3Uri"] = "s3://bucket/fold"
    return {name: tuning[name] for name in ("Name", "Type", "Arguments")}


EXPRESSIONS = [
    {"Get": "Execution.PipelineExecutionId"},
    {"Get": "Parameters.Count"},
    {"Get": "Parameters.Text"},
    {"Get": "Steps.Other.ProcessingJobName"},
    {"Get": "Steps.Other.ProcessingResources.ClusterConfig.InstanceCount"},
    {"Get": "Steps.Other.Environment"},
    {"Std:Join": {"On": "-", "Values": ["a", "b"]}},
    {"Std:Join": {"On": "\n", "Values": ["a", "b"]}},
    {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Parameters.Text"}]}},
    {"Std:JsonGet": {"S3Uri": "s3://bucket/file.json", "Path": "a.b"}},
]
PARAMETERS: list[dict[str, Any]] = [
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Text", "Type": "String", "DefaultValue": "t"},
]


def noticed_when_it_runs(step: dict[str, Any], fault: str) -> bool:
    """Whether a fault is no constraint of the model: the service notices it when the step runs, the lint before."""
    job = step["Arguments"].get("TrainingJobDefinition", step["Arguments"])
    return fault.endswith(tuple(training_job_faults(job))) or any(
        words in fault for words in ("the grid has", "must begin with /opt/ml/processing/")
    )


@pytest.mark.parametrize("step", [*STEPS, _step_of_tuning()], ids=lambda step: step["Type"])
def test_the_lint_and_the_local_service_take_and_refuse_the_same_steps(step) -> None:
    @bounded(60)
    @given(
        st.sampled_from([path for path in leaves(step) if path[0] not in ("Name", "Type") and len(path) > 1]),
        st.sampled_from([*AWKWARD, *EXPRESSIONS, -1, 0, 1, 10**7, 1.5, True, None, [], {}, ["a"], {"Extra": "a"}]),
    )
    def agree(path: tuple[str | int, ...], value: Any) -> None:
        changed = replaced(step, path, value)
        text = definition(processing("Other"), changed, parameters=PARAMETERS)
        found = check(json.loads(text)).faults
        if refuses(text):
            assert found != []
        else:
            assert [fault for fault in found if not noticed_when_it_runs(changed, fault)] == []

    agree()
    assert check(json.loads(definition(processing("Other"), step))).faults == []


@pytest.mark.parametrize("member", ["DisplayName", "Description"])
@pytest.mark.parametrize(("text", "good"), [("One line", True), ("two\nlines", False), ("x" * 3073, False)])
def test_texts_of_steps_are_checked_by_both(member, text, good) -> None:
    document = definition(fail("Last", **{member: text}))
    assert (check(json.loads(document)).faults == []) is good
    assert refuses(document) is not good


@pytest.fixture(scope="module")
def published(config) -> list[Request]:
    """Every request of publishing and deploying a configuration that uses all that one can."""
    from pipeline.operate.requests import publishing_requests

    vpc = VpcSection(subnets=["subnet-1"], security_group_ids=["sg-1"])
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    changes = {
        "aws": config.aws.model_copy(update={"vpc": vpc, "kms_key_arn": key}),
        "deploy": config.deploy.model_copy(
            update={"autoscaling": AutoscalingSection(), "data_capture_percentage": 5, "rollback_alarms": ["Errors"]}
        ),
        "dataset": config.dataset.model_copy(update={"input": "s3://bucket/rows/"}),
        "triggers": config.triggers.model_copy(update={"on_new_input": True}),
    }
    everything = config.model_copy(update=changes)
    return list(publishing_requests(everything, conventional_resources(everything)))


def places(request: Request) -> list[tuple[str | int, ...]]:
    """Where a request has a text or a number; what an event's pattern is, is not a matter of the request's shape."""
    return [
        path
        for path in leaves(request.members)
        if isinstance(at(request.members, path), str | int | float) and path[0] != "EventPattern"
    ]


@pytest.fixture(scope="module")
def clients(service: RunningService) -> dict[str, Any]:
    names = ("sagemaker", "lambda", "events", "application-autoscaling")
    return {name: service.client(name, parameter_validation=False) for name in names}


def breaks_a_constraint(clients: dict[str, Any], request: Request) -> bool:
    """Whether the service answers that a constraint of the model is broken; other refusals do not count."""
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in request.operation)[1:]
    try:
        getattr(clients[request.service], method)(**request.members)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        return "failed to satisfy constraint" in message or "Invalid type for parameter" in message
    return False


def test_publishing_sends_nothing_that_the_service_refuses(clients, published) -> None:
    assert {(request.service, request.operation) for request in published} >= {
        *(("sagemaker", name) for name in ("CreatePipeline", "UpdatePipeline", "AddTags", "CreateModel")),
        *(("sagemaker", name) for name in ("CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")),
        *(("lambda", name) for name in ("CreateFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode")),
        *(("lambda", "AddPermission"), ("events", "PutRule"), ("events", "PutTargets")),
        *(("application-autoscaling", name) for name in ("RegisterScalableTarget", "PutScalingPolicy")),
    }
    for request in published:
        assert list(request_faults(request)) == []
        assert not breaks_a_constraint(clients, request), request.operation


def test_over_http_the_service_refuses_what_the_lint_finds_and_nothing_else(clients, published) -> None:
    @bounded(150)
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(published))
        path = data.draw(st.sampled_from(places(request)))
        good = at(request.members, path)
        value = data.draw(st.sampled_from(AWKWARD if isinstance(good, str) else [-1, 0, 1, 10**7]))
        # Lambda has the function's name in the path, where nothing is another operation.
        assume(value != "" or path != ("FunctionName",))
        changed = Request(request.service, request.operation, replaced(request.members, path, value))
        try:
            refused = breaks_a_constraint(clients, changed)
        except ParamValidationError:
            assume(False)
        found = list(request_faults(changed))
        assert refused == (found != []), (request.operation, path, value, found)

    agree()


def test_a_fault_names_the_service_and_shows_the_value_as_it_is() -> None:
    (fault,) = request_faults(Request("events", "PutRule", {"Name": "SageMaker rule"}))
    assert fault.startswith("PutRule.Name: 'SageMaker rule' does not match")
