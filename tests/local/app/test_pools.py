"""Requests of one kind, however slow and many, do not keep others from being answered."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.app.pools import RequestPools
from local.aws.wire import RequestHead
from local.runtime.functions.invocation import Invocation, InvocationResult
from tests.local.interpreter.conftest import Pipelines
from tests.local.interpreter.documents import fail

pytestmark = pytest.mark.slow

NESTED = """
import json, os, boto3

def handler(event, context):
    if event["depth"] == 0:
        return 0
    payload = json.dumps({"depth": event["depth"] - 1})
    answer = boto3.client("lambda").invoke(FunctionName=context.function_name, Payload=payload)
    return json.loads(answer["Payload"].read()) + 1
"""


@pytest.fixture
def held(service, monkeypatch):
    """Invocations that last until the event is set, without processes of their own."""
    release, started = threading.Event(), threading.Semaphore(0)

    def run(*_: Any) -> InvocationResult:
        started.release()
        assert release.wait(60)
        return InvocationResult(None)

    monkeypatch.setattr(Invocation, "run", run)
    yield release, started
    release.set()


def test_slow_invocations_block_no_other_operation_and_too_many_are_refused(service, held) -> None:
    release, started = held
    most = 64
    vars(service.parts.functions)["_free"] = threading.Semaphore(most)
    pipelines = Pipelines(service)
    pipelines.function("slow", "")
    name = pipelines.create(fail("Step"))
    client = service.client("lambda", max_pool_connections=most, read_timeout=60)
    with ThreadPoolExecutor(most) as callers:
        answers = [callers.submit(client.invoke, FunctionName="slow") for _ in range(most)]
        for _ in range(most):
            assert started.acquire(timeout=60)
        with pytest.raises(ClientError, match="Rate Exceeded") as refusal:
            client.invoke(FunctionName="slow")
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert service.client("sagemaker").describe_pipeline(PipelineName=name)["PipelineName"] == name
        assert client.get_function(FunctionName="slow")["Configuration"]["FunctionName"] == "slow"
        assert service.client("iam").list_roles()["Roles"] == []
        assert service.client("s3").list_buckets()["Buckets"]
        assert service.client("logs").describe_log_groups()["logGroups"] == []
        release.set()
        assert {answer.result()["StatusCode"] for answer in answers} == {200}


def test_events_wait_for_one_of_a_few_threads(service, held) -> None:
    release, started = held
    client = service.client("lambda")
    Pipelines(service).function("later", "")
    before = threading.active_count()
    for _ in range(120):
        assert client.invoke(FunctionName="later", InvocationType="Event")["StatusCode"] == 202
    assert threading.active_count() - before < 80
    release.set()
    for _ in range(120):
        assert started.acquire(timeout=60)


def test_a_function_may_invoke_functions(service) -> None:
    Pipelines(service).function("nested", NESTED, Timeout=60)
    answer = service.client("lambda").invoke(FunctionName="nested", Payload=json.dumps({"depth": 1}))
    assert json.loads(answer["Payload"].read()) == 1


@pytest.mark.parametrize(
    ("service", "path", "kind"),
    [
        ("lambda", b"/2015-03-31/functions/f/invocations", "functions"),
        ("lambda", b"/2015-03-31/functions/invocations", "lambda"),
        ("sagemaker", b"/endpoints/e/invocations", "predictions"),
        ("sagemaker", b"/", "sagemaker"),
        ("iam", b"/", "others"),
    ],
)
def test_the_kind_of_a_request(service: str, path: bytes, kind: str) -> None:
    pools = RequestPools(frozenset({"lambda", "sagemaker"}))
    assert pools.kind(service, RequestHead("POST", path, b"", {})) == kind
