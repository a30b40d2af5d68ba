"""What each page shows of a real local service."""

from __future__ import annotations

import json
import re

import pytest

from tests.local.interpreter.documents import (
    ROLE,
    TRUE,
    condition,
    definition,
    fail,
    function,
    get,
    parameter,
    processing,
)

SHOUT = "print('\x1b[31mred\x1b[0m <b>bold</b> \x1b]0;title\x07')"


@pytest.fixture(scope="module")
def pipeline(pipelines) -> str:
    """A pipeline with a job, a function, a condition and a failure."""
    arn = pipelines.function("double", "def handler(event, context):\n    print('called')\n    return {'twice': 2}")
    pipelines.client.create_pipeline(
        PipelineName="example",
        PipelineDescription="Tries <script>alert(1)</script> it. Parameters: Rows: How many. | Kind: <i>kind</i>.",
        RoleArn=ROLE,
        PipelineDefinition=definition(
            processing("Shout", "python3", "-c", SHOUT),
            function("Double", arn, {"rows": get("Parameters.Rows")}, {"twice": "Integer"}, DependsOn=["Shout"]),
            condition("Check", TRUE, [fail("Refuse", "It <b>must</b> fail")], [fail("Other")], DependsOn=["Double"]),
            parameters=[
                parameter("Rows", "Integer", 3),
                parameter("Kind", "String", "a", ["a", "b"]),
                parameter("Rate", "Float", 0.5),
                parameter("Sure", "Boolean", True),
            ],
        ),
    )
    return "example"


@pytest.fixture(scope="module")
def execution(pipelines, pipeline) -> str:
    return pipelines.wait(pipelines.start(pipeline, {"Rows": "7"})).id


@pytest.fixture(scope="module")
def address(pipeline, execution) -> str:
    return f"/pipelines/{pipeline}/executions/{execution}"


def test_the_pipelines_are_listed_with_their_last_execution(browser, pipeline, address) -> None:
    page = browser.get("/")
    assert 'href="/pipelines/example"' in page.body
    assert 'hx-get="/pipelines/example/last"' in page.body
    last = browser.get("/pipelines/example/last").body
    assert "Failed" in last
    assert f'href="{address}"' in last


def test_a_search_for_pipelines_asks_aws(browser, pipeline) -> None:
    assert "/pipelines/example" in browser.get("/?name=exam").body
    assert "/pipelines/example" not in browser.get("/?name=zzz").body


def test_a_pipeline_shows_its_steps_parameters_and_versions(browser, pipelines, pipeline) -> None:
    page = browser.get("/pipelines/example").body
    for text in ("Shout, Processing", "Double, Lambda", "Check, Condition", ">if<", ">else<"):
        assert text in page
    assert "How many." in page
    assert "Used by" in page
    assert "?version=1" in page


def test_text_from_outside_is_escaped(browser, pipeline) -> None:
    for path in ("/", "/pipelines/example", "/pipelines/example/start"):
        page = browser.get(path).body
        assert "<script>alert" not in page
        assert "<i>kind" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in browser.get("/").body


def test_changes_between_versions_are_shown(browser, pipelines) -> None:
    name = pipelines.create(fail("Stop", "first"))
    pipelines.client.update_pipeline(PipelineName=name, PipelineDefinition=definition(fail("Stop", "second")))
    assert f"/pipelines/{name}/changes/1/2" in browser.get(f"/pipelines/{name}").body
    page = browser.get(f"/pipelines/{name}/changes/1/2").body
    assert "<del>-        &#34;ErrorMessage&#34;: &#34;first&#34;</del>" in page
    assert "<ins>+        &#34;ErrorMessage&#34;: &#34;second&#34;</ins>" in page


def test_an_execution_shows_states_times_and_the_reason(browser, address) -> None:
    page = browser.get(address).body
    for name in ("Shout", "Double", "Check", "Refuse", "Other"):
        assert f'href="{address}/steps/{name}"' in page
    assert "It &lt;b&gt;must&lt;/b&gt; fail" in page
    assert "Not run" in page
    assert '<time datetime="20' in page
    assert f'action="{address}/retry"' in page
    assert f'action="{address}/stop"' not in page
    assert "hx-sse:connect" not in page, "nothing changes any more"


def test_a_step_shows_its_job_and_the_log_is_made_harmless(browser, address, pipelines) -> None:
    page = browser.get(f"{address}/steps/Shout").body
    assert "ProcessingResources" in page
    assert "What AWS says of the processing job" in page
    log = page.partition('hx-sse:connect="')[2].partition('"')[0]
    lines = browser.get(log).body
    assert "red &lt;b&gt;bold&lt;/b&gt; \\x1b]0;title\\x07" in lines
    assert "\x1b" not in lines
    assert lines.endswith("event: end\ndata: end\n\n")
    assert "red <b>bold</b>" in browser.get(f"{log}.txt").body


def test_a_function_step_shows_outputs_and_its_log(browser, address) -> None:
    page = browser.get(f"{address}/steps/Double").body
    assert "twice" in page
    assert "called" in browser.get(f"{address}/steps/Double/log.txt").body
    assert "called" in browser.get(f"{address}/steps/Double/log").body


@pytest.mark.slow
def test_a_log_of_several_answers_is_whole_and_nothing_is_twice(browser, service, pipelines) -> None:
    job = pipelines.run(processing("Count", "python3", "-c", "for n in range(12000): print('line', n, 'end')"))
    name = job.steps["Count"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    numbers = list(range(12000))
    for path in (f"/jobs/processing-job/{name}/log.txt", f"/jobs/processing-job/{name}/log"):
        assert [int(found) for found in re.findall(r"line (\d+) end", browser.get(path).body)] == numbers


def test_a_live_page_sends_what_changed_and_ends(browser, address) -> None:
    answer = browser.get(f"{address}/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.startswith("data: ")
    assert answer.body.endswith("event: end\ndata: end\n\n")


def test_executions_are_listed_and_found(browser, execution, address) -> None:
    page = browser.get("/pipelines/example/executions").body
    assert f'href="{address}"' in page
    assert ">7<" in browser.get(f"{address}/parameters").body
    assert address in browser.get("/pipelines/example/executions?search=fail").body
    assert address not in browser.get("/pipelines/example/executions?search=nowhere").body
    found = browser.get(f"/pipelines/example/executions?search={execution}")
    assert (found.status, found.headers["location"]) == (303, address)


def test_a_form_starts_an_execution_with_its_values(browser, pipelines, pipeline) -> None:
    form = browser.get("/pipelines/example/start")
    assert 'value="3"' in form.body
    once = form.body.partition('name="once" value="')[2].partition('"')[0]
    values = {"parameter:Rows": "9", "parameter:Kind": "b", "parameter:Rate": "0.5", "parameter:Sure": "true"}
    answers = [
        browser.post("/pipelines/example/start", csrf=form.csrf, once=once, description="from a form", **values)
        for _ in range(2)
    ]
    assert answers[0].status == 303
    assert answers[0].headers["location"] == answers[1].headers["location"], "sent twice, started once"
    arn = pipelines.client.list_pipeline_executions(PipelineName="example")["PipelineExecutionSummaries"][0]
    given = pipelines.client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn["PipelineExecutionArn"])
    assert {each["Name"]: each["Value"] for each in given["PipelineParameters"]} == {
        "Rows": "9",
        "Kind": "b",
        "Rate": "0.5",
        "Sure": "true",
    }
    again = browser.get(f"/pipelines/example/start?like={arn['PipelineExecutionArn'].rpartition('/')[2]}").body
    assert 'value="9"' in again


def test_a_wrong_value_is_named_and_the_others_are_kept(browser, pipeline) -> None:
    form = browser.get("/pipelines/example/start")
    values = {"parameter:Rows": "many", "parameter:Kind": "c", "parameter:Rate": "0.25", "parameter:Sure": "true"}
    answer = browser.post("/pipelines/example/start", csrf=form.csrf, once="x" * 32, **values)
    assert answer.status == 422
    assert "&#39;many&#39; is not a whole number" in answer.body
    assert "Choose one of a, b." in answer.body
    assert 'value="many"' in answer.body
    assert 'value="0.25"' in answer.body


def test_the_command_names_what_differs_from_the_defaults(browser, pipeline) -> None:
    csrf = browser.get("/pipelines/example/start").csrf
    values = {"parameter:Rows": "9", "parameter:Kind": "a"}
    page = browser.post("/pipelines/example/start/command", csrf=csrf, **values)
    assert "aws sagemaker start-pipeline-execution --pipeline-name example --pipeline-parameters" in page.body
    assert "&#34;Rows&#34;, &#34;Value&#34;: &#34;9&#34;" in page.body
    assert "Kind" not in page.body


def test_an_execution_is_stopped_and_retried(browser, pipelines) -> None:
    name = pipelines.create(processing("Wait", "python3", "-c", "import time; time.sleep(60)"))
    arn = pipelines.start(name)
    pipelines.wait_for_step(arn, "Wait", "Executing")
    path = f"/pipelines/{name}/executions/{arn.rpartition('/')[2]}"
    csrf = browser.get(path).csrf
    assert browser.post(f"{path}/stop", csrf=csrf).status == 303
    assert pipelines.wait(arn).status == "Stopped"
    assert browser.post(f"{path}/retry", csrf=csrf).status == 303
    assert browser.post(f"{path}/stop", csrf=csrf).status == 303
    assert pipelines.wait(arn).status == "Stopped"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/nowhere", "There is no such page"),
        ("/pipelines/nowhere", "There is no such thing"),
        ("/pipelines/example/executions/aaaaaaaaaaaa", "There is no such thing"),
        ("/jobs/training-job/nowhere", "There is no such thing"),
        ("/jobs/spaceship/nowhere", "Studio has no page for a spaceship"),
    ],
)
def test_what_is_not_there_is_a_page_with_a_sentence(browser, pipeline, path, sentence) -> None:
    answer = browser.get(path)
    assert answer.status == 404
    assert sentence in answer.body
    assert "Traceback" not in answer.body


def test_a_definition_can_be_copied_whole(browser, pipelines, pipeline) -> None:
    described = pipelines.client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    page = browser.get("/pipelines/example").body
    assert json.loads(described)["Steps"][0]["Arguments"]["AppSpecification"]["ImageUri"] in page
