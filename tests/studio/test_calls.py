"""Few calls of AWS for 10,000 executions; an account is named where it costs money; errors of AWS are sentences."""

from __future__ import annotations

import re
from unittest.mock import PropertyMock, patch

import boto3
import pytest

from local.records import executions as records
from studio.aws import Aws
from tests.local.interpreter.documents import fail, parameter
from tests.studio.conftest import Browser, serving

MANY = 10_000


@pytest.fixture(scope="module")
def many(pipelines) -> str:
    """A pipeline with many executions: copies of one, written straight into the records."""
    name = pipelines.create(fail("Stop"), parameters=[parameter("Rows", "Integer", 1)])
    arn = pipelines.wait(pipelines.start(name)).arn
    store = pipelines.parts.store
    document = records.execution(store, arn)
    with store.transaction():
        for number in range(MANY - 1):
            copy = f"{arn.rpartition('/')[0]}/{number:012d}"
            display = f"copy-{number}"
            time = document["CreationTime"] - MANY + number
            store.insert(
                records.EXECUTION,
                copy,
                document
                | {
                    "PipelineExecutionArn": copy,
                    "PipelineExecutionDisplayName": display,
                    "CreationTime": time,
                    "StartTime": time,
                },
            )
    return name


def count(calls, browser, path: str) -> tuple[str, dict[str, int]]:
    calls.clear()
    answer = browser.get(path)
    assert answer.status == 200, answer.body
    return answer.body, dict(calls)


def test_a_list_of_many_executions_is_one_call_a_page(browser, calls, many) -> None:
    path = f"/pipelines/{many}/executions"
    shown: list[str] = []
    for _ in range(3):
        page, made = count(calls, browser, path)
        assert made == {"ListPipelineExecutions": 1}
        shown += re.findall(rf'/pipelines/{many}/executions/(\w+)"', page)
        path = f"/pipelines/{many}/executions" + re.findall(r'href="(\?after[^"]+)"', page)[-1].replace("&amp;", "&")
    assert len(shown) == len(set(shown)) == 150
    assert shown[1] == f"{MANY - 2:012d}"


@pytest.mark.slow
def test_a_search_stops_after_a_thousand_executions_and_goes_on_when_asked(browser, calls, many) -> None:
    path = f"/pipelines/{many}/executions?search=copy-8888"
    page, made = count(calls, browser, path)
    assert made == {"ListPipelineExecutions": 10}
    assert "0 of 1000 executions" in page
    older = re.findall(r'href="(\?after[^"]+)"', page)[-1].replace("&amp;", "&")
    page, made = count(calls, browser, f"/pipelines/{many}/executions{older}")
    assert made == {"ListPipelineExecutions": 10}
    assert "copy-8888" in page


def test_an_id_among_many_is_found_at_once(browser, calls, many) -> None:
    calls.clear()
    answer = browser.get(f"/pipelines/{many}/executions?search=000000000017")
    assert answer.headers["location"] == f"/pipelines/{many}/executions/000000000017"
    assert calls.total() <= 2


def test_the_other_pages_make_few_calls(browser, calls, many) -> None:
    assert count(calls, browser, "/")[1] == {"ListPipelines": 1}
    assert count(calls, browser, f"/pipelines/{many}/last")[1] == {"ListPipelineExecutions": 1}
    assert count(calls, browser, f"/pipelines/{many}")[1] == {"DescribePipeline": 1, "ListPipelineVersions": 1}
    assert count(calls, browser, f"/pipelines/{many}/start")[1] == {"DescribePipeline": 1}
    execution = f"/pipelines/{many}/executions/000000000018"
    browser.get(execution)
    assert count(calls, browser, execution)[1] == {"DescribePipelineExecution": 1, "ListPipelineExecutionSteps": 1}


def test_a_real_account_is_named_and_must_be_agreed_to(service, studio, browser, pipelines, many) -> None:
    started = pipelines.client.list_pipeline_executions(PipelineName=many)["PipelineExecutionSummaries"][0]
    with patch.object(Aws, "is_local", PropertyMock(return_value=False)):
        page = browser.get(f"/pipelines/{many}/start")
        assert "AWS account 123456789012" in page.body
        assert "us-east-1" in page.body
        assert "as user/local" in page.body
        refused = browser.post(f"/pipelines/{many}/start", csrf=page.csrf, **{"parameter:Rows": "1"})
        assert refused.status == 422
        assert "costs money" in refused.body
        execution = f"/pipelines/{many}/executions/{started['PipelineExecutionArn'].rpartition('/')[2]}"
        assert "AWS bills the jobs to account 123456789012" in browser.get(execution).body
    newest = pipelines.client.list_pipeline_executions(PipelineName=many)["PipelineExecutionSummaries"][0]
    assert newest == started, "nothing was started"


def test_a_pipeline_of_two_hundred_steps_is_drawn_whole_with_as_few_calls(browser, calls, pipelines) -> None:
    def layer(number: int) -> list[str]:
        return [f"Step{number}x{place}" for place in range(10)]

    steps = [
        fail(name, DependsOn=[layer(number - 1)[place], layer(number - 1)[place - 1]] if number else [])
        for number in range(20)
        for place, name in enumerate(layer(number))
    ]
    small, large = pipelines.create(fail("Stop")), pipelines.create(*steps)
    _, few = count(calls, browser, f"/pipelines/{small}")
    page, made = count(calls, browser, f"/pipelines/{large}")
    assert made == few
    assert all(f"step-{step['Name']}" in page for step in steps)


@pytest.mark.parametrize(
    ("secret", "endpoint", "title"),
    [
        ("wrong", None, "AWS does not accept your credentials"),
        ("wrong", "http://127.0.0.1:9", "AWS does not answer"),
    ],
)
def test_an_error_of_aws_is_a_page_with_a_sentence(service, monkeypatch, secret, endpoint, title) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint or service.settings.endpoint_url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with serving(Aws(boto3.Session("local", secret, region_name="us-east-1"))) as server:
        answer = Browser(server).let_in().get("/")
    assert answer.status == 502
    assert title in answer.body
    assert "make local" in answer.body
    assert "Traceback" not in answer.body
