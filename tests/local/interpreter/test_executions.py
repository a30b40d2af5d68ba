"""Executions of steps that do real work: processing jobs, functions, the model registry."""

from __future__ import annotations

import pytest

from tests.local.interpreter.documents import (
    FALSE,
    ROLE,
    TRUE,
    compare,
    condition,
    fail,
    function,
    get,
    join,
    json_get,
    parameter,
    processing,
)

ECHO = "import json\ndef handler(event, context):\n    return {**event, 'statusCode': 200}\n"
WRITE = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
SLEEP = "import time; time.sleep(600)"


def python(name, code, *arguments, **members):
    return processing(name, "python3", "-c", code, *arguments, **members)


@pytest.fixture(scope="module")
def echo(pipelines):
    return pipelines.function("echo", ECHO)


def test_values_flow_from_step_to_step(pipelines, echo) -> None:
    scores = [{"PropertyFileName": "Scores", "OutputName": "scores", "FilePath": "scores.json"}]
    content = '{"metrics": [{"validation:mse": 2.5}], "name": "best"}'
    uri = join("/", "s3:/", "bucket", get("Execution.PipelineExecutionId"), "scores")
    make = python(
        "Make",
        WRITE,
        "/opt/ml/processing/output/scores/scores.json",
        content,
        outputs={"scores": uri},
        PropertyFiles=scores,
        DisplayName="Make scores",
        Description="Writes a file",
    )
    call = function(
        "Call",
        echo,
        {
            "mse": json_get("Make", "Scores", "metrics[0]['validation:mse']"),
            "uri": get("Steps.Make.ProcessingOutputConfig.Outputs['scores'].S3Output.S3Uri"),
            "count": get("Parameters.Count"),
            "execution": get("Execution.PipelineExecutionArn"),
        },
        {"mse": "Float", "uri": "String", "count": "Integer"},
    )
    gate = condition(
        "Gate",
        [compare("LessThan", get("Steps.Call.OutputParameters['mse']"), 3), TRUE],
        then=[
            fail("Stop", join(" ", "count is", get("Steps.Call.OutputParameters['count']"), get("Steps.Gate.Outcome")))
        ],
    )
    outcome = pipelines.run(gate, call, make, parameters=[parameter("Count", "Integer", 7)], values={"Count": "12"})

    assert outcome.statuses() == {"Make": "Succeeded", "Call": "Succeeded", "Gate": "Succeeded", "Stop": "Failed"}
    assert list(outcome.steps) == ["Make", "Call", "Gate", "Stop"]
    assert (outcome.status, outcome.reason) == ("Failed", "Step failure: One or multiple steps failed.")
    assert outcome.steps["Make"]["StepDisplayName"] == "Make scores"
    assert outcome.steps["Make"]["StepDescription"] == "Writes a file"
    job = outcome.steps["Make"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert job.startswith(f"pipelines-{outcome.id}-Make-")
    assert {
        item["Name"]: item["Value"] for item in outcome.steps["Call"]["Metadata"]["Lambda"]["OutputParameters"]
    } == {
        "mse": "2.5",
        "uri": f"s3://bucket/{outcome.id}/scores",
        "count": "12",
    }
    assert outcome.steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert outcome.steps["Stop"]["Metadata"] == {"Fail": {"ErrorMessage": "count is 12 true"}}
    assert outcome.steps["Stop"]["FailureReason"] == "count is 12 true"
    assert pipelines.read(f"s3://bucket/{outcome.id}/scores/scores.json")["name"] == "best"


def test_a_job_has_the_pipelines_role_and_tags_and_text_for_numbers(pipelines) -> None:
    step = python(
        "Make",
        "pass",
        arguments={
            "Environment": {"N": join("", get("Parameters.N")), "ME": get("Execution.ProcessingJobName")},
            "Tags": [{"Key": "a", "Value": "b"}],
        },
    )
    del step["Arguments"]["RoleArn"]
    outcome = pipelines.run(step, parameters=[parameter("N", "Integer", 3)])
    arn = outcome.steps["Make"]["Metadata"]["ProcessingJob"]["Arn"]
    described = pipelines.client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
    assert described["RoleArn"] == ROLE
    assert described["Environment"] == {"N": "3", "ME": described["ProcessingJobName"]}
    tags = {tag["Key"]: tag["Value"] for tag in pipelines.client.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {
        "a": "b",
        "sagemaker:pipeline-arn": outcome.arn.partition("/execution/")[0],
        "sagemaker:pipeline-execution-arn": outcome.arn,
        "sagemaker:pipeline-step-name": "Make",
    }


def test_a_custom_job_prefix_is_kept(pipelines) -> None:
    step = python("Make", "pass", arguments={"ProcessingJobName": "my-own-prefix"})
    outcome = pipelines.run(step)
    assert f"processing-job/my-own-prefix-{outcome.id}-" in outcome.steps["Make"]["Metadata"]["ProcessingJob"]["Arn"]


def test_steps_behind_a_branch_not_taken_do_not_run_nor_does_what_depends_on_them(pipelines, echo) -> None:
    outcome = pipelines.run(
        function("After", echo, {"x": get("Steps.Taken.OutputParameters['x']")}),
        function("Never", echo, {"x": get("Steps.Left.OutputParameters['x']")}),
        function("NeverEither", echo, DependsOn=["Never"]),
        condition(
            "Outer",
            FALSE,
            then=[
                function("Left", echo, {"x": 1}, {"x": "Integer"}),
                condition("InLeft", TRUE, then=[fail("Deep")]),
            ],
            otherwise=[
                function("Taken", echo, {"x": 1}, {"x": "Integer"}),
                condition("Inner", TRUE, otherwise=[fail("Deeper")]),
            ],
        ),
    )
    assert outcome.status == "Succeeded"
    assert set(outcome.steps) == {"Outer", "Taken", "Inner", "After"}


def test_a_step_may_depend_on_a_condition_step(pipelines, echo) -> None:
    outcome = pipelines.run(function("After", echo, DependsOn=["Gate"]), condition("Gate", FALSE))
    assert list(outcome.steps) == ["Gate", "After"]
    assert outcome.status == "Succeeded"


def test_after_a_failure_running_steps_finish_and_no_other_starts(pipelines) -> None:
    wait = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)"
    # Beside the service's own folder, which jobs do not see.
    flag = pipelines.service.settings.root.parent / "flag"
    name = pipelines.create(
        fail("Broken"),
        python("Slow", wait, str(flag)),
        python("Next", "pass", DependsOn=["Slow"]),
    )
    arn = pipelines.start(name)
    pipelines.wait_for_step(arn, "Broken", "Failed")
    pipelines.wait_for_step(arn, "Slow", "Executing")
    assert (
        pipelines.client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing"
    )
    flag.touch()
    outcome = pipelines.wait(arn)
    assert outcome.statuses() == {"Broken": "Failed", "Slow": "Succeeded"}
    assert outcome.status == "Failed"


def test_a_failed_job_fails_its_step_with_the_jobs_reason(pipelines) -> None:
    outcome = pipelines.run(python("Make", "raise SystemExit(3)"))
    arn = outcome.steps["Make"]["Metadata"]["ProcessingJob"]["Arn"]
    described = pipelines.client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
    assert outcome.status == "Failed"
    assert outcome.steps["Make"]["FailureReason"] == f"ClientError: {described['FailureReason']}"
    assert described["FailureReason"].startswith("AlgorithmError: ")
    assert "3" in described["FailureReason"]


def test_a_request_that_is_refused_fails_the_step_in_sagemakers_words(pipelines) -> None:
    step = python("Make", "pass", outputs={"a": get("Parameters.Place")})
    outcome = pipelines.run(step, parameters=[parameter("Place", "String", "http://example.com/")])
    reason = outcome.steps["Make"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: ")
    assert "http://example.com/" in reason


@pytest.mark.parametrize(
    ("content", "path", "expected"),
    [
        (None, "a", "the S3 object s3://bucket/files/none/scores.json does not exist"),
        ("{", "a", "is not JSON"),
        ('{"b": 1}', "a", "there is no a"),
        ('{"a": []}', "a", "is no text, number or boolean"),
    ],
)
def test_a_property_file_without_the_value_fails_the_step(pipelines, content, path, expected) -> None:
    kind = "none" if content is None else str(len(content))
    code = f"import sys\nif {content!r} is not None: open(sys.argv[1], 'w').write({content!r})"
    make = python(
        "Make",
        code,
        "/opt/ml/processing/output/a/scores.json",
        outputs={"a": f"s3://bucket/files/{kind}"},
        PropertyFiles=[{"PropertyFileName": "Scores", "OutputName": "a", "FilePath": "scores.json"}],
    )
    outcome = pipelines.run(make, condition("Gate", compare("LessThan", json_get("Make", "Scores", path), 1)))
    assert outcome.statuses() == {"Make": "Succeeded", "Gate": "Failed"}
    assert expected in outcome.steps["Gate"]["FailureReason"]
    assert outcome.steps["Gate"]["FailureReason"].startswith("ClientError: ")


def test_a_functions_error_is_its_steps_failure(pipelines) -> None:
    arn = pipelines.function("broken", "def handler(event, context):\n    raise KeyError('colour')\n")
    outcome = pipelines.run(function("Call", arn))
    reason = outcome.steps["Call"]["FailureReason"]
    assert outcome.status == "Failed"
    assert "KeyError" in reason
    assert "colour" in reason


def test_a_function_that_is_not_there_fails_its_step(pipelines) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:nowhere"
    reason = pipelines.run(function("Call", arn)).steps["Call"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke lambda:Invoke. Error Details: ")
    assert "nowhere" in reason


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ({}, "String", "did not return output parameter 'x'"),
        ({"x": [1]}, "String", "not of type String"),
        ({"x": 1.5}, "Integer", "not of type Integer"),
        ({"x": "1"}, "Integer", "not of type Integer"),
        ({"x": 1}, "Boolean", "not of type Boolean"),
        ({"x": True}, "Integer", "not of type Integer"),
        ({"x": "true"}, "Boolean", "not of type Boolean"),
        ({"x": "1.5"}, "Float", "not of type Float"),
    ],
)
def test_a_function_has_to_return_what_the_step_declares(pipelines, echo, given, kind, expected) -> None:
    outcome = pipelines.run(function("Call", echo, given, {"x": kind}))
    assert outcome.status == "Failed"
    assert expected in outcome.steps["Call"]["FailureReason"]


def test_outputs_of_a_function_are_recorded_in_their_declared_types(pipelines, echo) -> None:
    given = {"code": 200, "ratio": 0.25, "flag": True, "count": 3.0, "mse": 2, "word": "7"}
    kinds = {
        "code": "String",
        "ratio": "String",
        "flag": "String",
        "count": "Integer",
        "mse": "Float",
        "word": "String",
    }
    outcome = pipelines.run(
        function("Call", echo, given, kinds),
        condition("Gate", [compare("Equals", get("Steps.Call.OutputParameters['code']"), "200.0")]),
    )
    assert outcome.status == "Succeeded"
    assert {
        item["Name"]: item["Value"] for item in outcome.steps["Call"]["Metadata"]["Lambda"]["OutputParameters"]
    } == {
        "code": "200.0",
        "ratio": "0.25",
        "flag": "true",
        "count": "3",
        "mse": "2.0",
        "word": "7",
    }
    assert outcome.steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}


def test_a_function_that_takes_longer_than_a_step_may_is_cut_off(pipelines, monkeypatch) -> None:
    monkeypatch.setattr("local.interpreter.lambda_steps.TIME_LIMIT", 0.2)
    arn = pipelines.function("slow", "import time\ndef handler(event, context):\n    time.sleep(5)\n", Timeout=10)
    outcome = pipelines.run(function("Call", arn))
    assert outcome.status == "Failed"
    assert "exceeded the limit of 0.2 seconds" in outcome.steps["Call"]["FailureReason"]


def test_no_more_steps_run_at_once_than_the_configuration_allows(pipelines) -> None:
    steps = [python(f"Step{number}", "import time; time.sleep(0.05)") for number in range(5)]
    arn = pipelines.start(pipelines.create(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    outcome = pipelines.wait(arn)
    assert outcome.status == "Succeeded"
    moments = [(step["StartTime"], 1) for step in outcome.steps.values()]
    moments += [(step["EndTime"], -1) for step in outcome.steps.values()]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    assert most == 2


def test_independent_steps_run_at_the_same_time(pipelines) -> None:
    # Each waits for the other's file, so neither can finish alone.
    code = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)"
    )
    here, there = (str(pipelines.service.settings.root.parent / name) for name in ("here", "there"))
    outcome = pipelines.run(python("One", code, here, there), python("Other", code, there, here))
    assert outcome.status == "Succeeded"


def test_two_executions_of_one_pipeline_run_side_by_side(pipelines) -> None:
    code = (
        "import pathlib, sys, time\n"
        "here, there = sys.argv[1:]\n"
        "pathlib.Path(here).touch()\n"
        "while not pathlib.Path(there).exists(): time.sleep(0.01)"
    )
    folder = str(pipelines.service.settings.root.parent)
    step = python("Meet", code, join("/", folder, get("Parameters.Me")), join("/", folder, get("Parameters.You")))
    name = pipelines.create(step, parameters=[parameter("Me", "String"), parameter("You", "String")])
    first = pipelines.start(name, {"Me": "romeo", "You": "juliet"})
    second = pipelines.start(name, {"Me": "juliet", "You": "romeo"})
    outcomes = [pipelines.wait(first), pipelines.wait(second)]
    assert [outcome.status for outcome in outcomes] == ["Succeeded", "Succeeded"]
    jobs = {outcome.steps["Meet"]["Metadata"]["ProcessingJob"]["Arn"] for outcome in outcomes}
    assert len(jobs) == 2


def test_registering_makes_the_group_that_is_not_there(pipelines) -> None:
    pipelines.write("s3://bucket/model/model.tar.gz", {})
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "insurance",
            "ModelApprovalStatus": get("Parameters.Status"),
            "CustomerMetadataProperties": {
                "execution": get("Execution.PipelineExecutionArn"),
                "fold": join("", get("Parameters.Fold")),
            },
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
                        "ModelDataUrl": join("/", "s3://bucket/model", "model.tar.gz"),
                    }
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        },
    }
    last = fail("Last", join(" ", get("Steps.Register.ModelPackageArn"), get("Steps.Register.ModelPackageVersion")))
    parameters = [parameter("Status", "String", "Approved"), parameter("Fold", "Integer", 3)]
    outcomes = [pipelines.run(register, last, parameters=parameters) for _ in range(2)]
    for version, outcome in enumerate(outcomes, start=1):
        arn = outcome.steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
        assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:model-package/insurance/{version}"
        assert outcome.steps["Last"]["FailureReason"] == f"{arn} {version}"
    described = pipelines.client.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["CustomerMetadataProperties"] == {"execution": outcomes[1].arn, "fold": "3"}


def test_the_newest_step_is_listed_first_and_the_list_has_pages(pipelines, echo) -> None:
    names = ["First", "Second", "Third"]
    steps = [function(name, echo, DependsOn=names[:position]) for position, name in enumerate(names)]
    arn = pipelines.run(*steps).arn
    listed = pipelines.client.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert [step["StepName"] for step in listed] == names[::-1]
    pages = pipelines.client.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    assert [step["StepName"] for page in pages for step in page["PipelineExecutionSteps"]] == names


def test_the_experiment_is_named_as_the_definition_says(pipelines, echo) -> None:
    experiment = {
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": join("-", "run", get("Execution.PipelineExecutionId")),
    }
    call = function("Call", echo, {"trial": get("PipelineExperimentConfig.TrialName")}, {"trial": "String"})
    name = pipelines.create(call, PipelineExperimentConfig=experiment)
    outcome = pipelines.wait(pipelines.start(name))
    described = pipelines.client.describe_pipeline_execution(PipelineExecutionArn=outcome.arn)
    assert described["PipelineExperimentConfig"] == {"ExperimentName": name, "TrialName": f"run-{outcome.id}"}
    assert outcome.steps["Call"]["Metadata"]["Lambda"]["OutputParameters"][0]["Value"] == f"run-{outcome.id}"
