"""The lint and the local service agree on every request of publishing and of a pipeline's steps."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definition_language.models import input_shape
from definition_language.requests import Request, request_faults
from definition_language.steps import STEP_REQUESTS
from local.errors import ServiceError
from local.sagemaker.validation import validate_request
from tests.local.conftest import RunningService
from tests.local.pipelines.documents import definition, fail

PUBLISHED = [
    ("sagemaker", "CreatePipeline"),
    ("sagemaker", "UpdatePipeline"),
    ("sagemaker", "StartPipelineExecution"),
    ("sagemaker", "AddTags"),
    ("sagemaker", "CreateEndpoint"),
    ("sagemaker", "CreateEndpointConfig"),
    ("lambda", "CreateFunction"),
    ("lambda", "UpdateFunctionConfiguration"),
    ("lambda", "AddPermission"),
    ("events", "PutRule"),
    ("events", "PutTargets"),
]
OF_STEPS = sorted({("sagemaker", request.create) for request in STEP_REQUESTS.values()})

AWKWARD = ["", "a", "a\n", "a\nb", "\r", "a\u2028b", "ä", "名前", "a" * 300, "s3://bucket/key", "arn:aws:iam::1:role/r"]
texts = st.sampled_from(AWKWARD) | st.text(max_size=8)


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, many of them with something that AWS refuses."""
    if depth > 4 and isinstance(shape, StructureShape | MapShape | ListShape):
        return st.just([] if isinstance(shape, ListShape) else {})
    if isinstance(shape, StructureShape):
        required = {name: values(shape.members[name], depth + 1) for name in shape.required_members}
        optional = {name: values(member, depth + 1) for name, member in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(texts, values(shape.value, depth + 1), max_size=2)
    if shape.type_name == "string":
        enum = shape.metadata.get("enum")
        return st.sampled_from(enum) | texts if enum else texts
    if shape.type_name in ("integer", "long"):
        return st.integers(-2, 10**7)
    if shape.type_name in ("float", "double"):
        return st.floats(-2, 1e7)
    if shape.type_name == "boolean":
        return st.booleans() | st.just("true")
    return st.just(b"x") if shape.type_name == "blob" else st.just(1.0)


def flat(shape: StructureShape) -> st.SearchStrategy[dict[str, Any]]:
    """Requests whose required members are there, with a few of the others and sometimes one that is unknown."""
    required = {name: values(shape.members[name]) for name in shape.required_members}
    others = [name for name in shape.members if name not in required]
    chosen = st.lists(st.sampled_from(others), max_size=3, unique=True) if others else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries(
            required | {name: values(shape.members[name]) for name in names}, optional={"NoSuchMember": st.just(1)}
        )
    )


def refused(shape: StructureShape, members: dict[str, Any]) -> bool:
    """Whether the local service refuses a request."""
    try:
        validate_request(shape, members)
    except ServiceError:
        return True
    return False


@pytest.mark.parametrize(("service", "operation"), PUBLISHED + OF_STEPS)
def test_what_the_lint_passes_the_local_service_takes_and_the_other_way_round(service, operation):
    shape = input_shape(service, operation)

    @settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(flat(shape))
    def agree(members: dict[str, Any]) -> None:
        found = list(request_faults(Request(service, operation, members)))
        assert found == [] or refused(shape, members), found
        assert found or not refused(shape, members)

    agree()


REQUESTS = [
    ({"PipelineDescription": "one line"}, True),
    ({"PipelineDescription": "two\nlines"}, False),
    ({"PipelineDescription": "ends\n"}, False),
    ({"PipelineDescription": "x" * 3073}, False),
    ({"PipelineDisplayName": "a b"}, False),
    ({"PipelineDisplayName": "a-b"}, True),
    ({"ParallelismConfiguration": {"MaxParallelExecutionSteps": 0}}, False),
    ({"Tags": [{"Key": "aws", "Value": "x" * 257}]}, False),
    ({"Tags": [{"Key": "k", "Value": "line\nbreak"}]}, False),
]


@pytest.mark.parametrize(("changed", "good"), REQUESTS)
def test_over_http_the_service_takes_what_the_lint_passes(service: RunningService, changed, good):
    members = {
        "PipelineName": "lint",
        "PipelineDefinition": definition(fail("Ends")),
        "ClientRequestToken": "t" * 32,
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        **changed,
    }
    faults = list(request_faults(Request("sagemaker", "CreatePipeline", members)))
    assert (faults == []) is good, faults
    client = service.client("sagemaker", parameter_validation=False)
    if good:
        client.create_pipeline(**members)
        client.delete_pipeline(PipelineName="lint", ClientRequestToken="t" * 32)
    else:
        with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
            client.create_pipeline(**members)
