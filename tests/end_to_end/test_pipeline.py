"""The whole pipeline on the local service: real Spark, real training, driven by the real AWS CLI."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from sagemaker.core.shapes.model_card_shapes import ModelCardContent
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_validate

from local.algorithms.linear_learner.inference import Model
from studio.aws import Aws
from studio.text import number
from tests.end_to_end.conftest import AWS, ROOT
from tests.studio.conftest import Browser, serving

RECORDS = "19,27.9,0,1,0,0,0,0,1,0,1\n18,33.77,1,0,1,0,0,1,0,1,0\n28,33,3,0,1,0,0,1,0,1,0"
NAME = "insurance-cross-validation"


@pytest.fixture(scope="module")
def execution(shell) -> str:
    shell.succeed("upsert", YES="1")
    return shell.aws("sagemaker", "start-pipeline-execution", "--pipeline-name", NAME)["PipelineExecutionArn"]


@pytest.fixture(scope="module")
def succeeded(shell, execution) -> str:
    assert shell.finish(execution) == "Succeeded"
    return execution


@pytest.fixture(scope="module")
def steps(shell, succeeded) -> dict[str, dict[str, Any]]:
    listed = shell.aws("sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", succeeded)
    return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


@pytest.fixture(scope="module")
def best(shell, steps) -> dict[str, Any]:
    arn = steps["SelectBest"]["Metadata"]["ProcessingJob"]["Arn"]
    job = shell.aws("sagemaker", "describe-processing-job", "--processing-job-name", arn.rpartition("/")[2])
    outputs = {o["OutputName"]: o["S3Output"]["S3Uri"] for o in job["ProcessingOutputConfig"]["Outputs"]}
    return shell.aws("s3", "cp", f"{outputs['best']}/best.json", "-")


@pytest.fixture(scope="module")
def written(shell, succeeded, tmp_path_factory) -> Path:
    """What the execution wrote to S3, without the models."""
    folder: Path = tmp_path_factory.mktemp("written")
    place = f"s3://{NAME}-123456789012-us-east-1/{NAME}/executions/{succeeded.rpartition('/')[2]}"
    shell.aws("s3", "sync", "--quiet", "--exclude", "models/*", place, str(folder))
    return folder


def rows(folder: Path) -> np.ndarray:
    return np.concatenate([np.loadtxt(file, delimiter=",", ndmin=2) for file in sorted(folder.iterdir())])


def test_every_step_succeeds(steps) -> None:
    assert {name: step["StepStatus"] for name, step in steps.items()} == dict.fromkeys(
        [
            "MakeFolds",
            *(f"TuneFold{number}" for number in range(1, 6)),
            "SelectBest",
            "CheckQuality",
            "FindModel",
            "CheckNewModel",
            "CheckKnownModel",
            "RegisterModel",
            "DeployEndpoint",
            "VerifyEndpoint",
            "ConfirmEndpoint",
        ],
        "Succeeded",
    )


def processing_job(shell, name: str) -> dict[str, Any]:
    return shell.aws("sagemaker", "describe-processing-job", "--processing-job-name", name)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["MakeFolds", "SelectBest", "VerifyEndpoint"])
def test_each_script_runs_in_the_environment_of_its_container_alone(shell, steps, step) -> None:
    """Run a step's processing job again, without the variables that the pipeline sets."""
    ran = processing_job(shell, steps[step]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2])
    assert ran["Environment"] == {"AWS_DEFAULT_REGION": "us-east-1"}
    members = ("AppSpecification", "ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources", "RoleArn")
    request = {member: ran[member] for member in members} | {"ProcessingJobName": f"{step}-again"}
    for output in request["ProcessingOutputConfig"]["Outputs"]:
        output["S3Output"]["S3Uri"] += "-again"
    shell.aws("sagemaker", "create-processing-job", "--cli-input-json", json.dumps(request))
    while (again := processing_job(shell, f"{step}-again"))["ProcessingJobStatus"] == "InProgress":
        time.sleep(0.5)
    assert again["ProcessingJobStatus"] == "Completed", again["FailureReason"]
    assert "Environment" not in again


def test_the_best_error_is_that_of_least_squares_on_the_same_fold(best, written) -> None:
    train, test = (rows(written / f"folds/vc{best['fold']}/{part}") for part in ("train", "test"))
    assert len(train) + len(test) == 1338
    model = LinearRegression().fit(train[:, 1:], train[:, 0])
    least_squares = float(np.mean((model.predict(test[:, 1:]) - test[:, 0]) ** 2))
    assert best["mse"] == pytest.approx(least_squares, rel=0.03)


def test_the_registered_model_has_its_metrics_and_origin(shell, steps, best, succeeded) -> None:
    arn = steps["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    package = shell.aws("sagemaker", "describe-model-package", "--model-package-name", arn)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["training_job"] == best["training_job_name"]
    assert package["CustomerMetadataProperties"]["rows"] == "1338"
    assert package["CustomerMetadataProperties"]["pipeline_execution_arn"] == succeeded
    quality = shell.aws("s3", "cp", package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"], "-")
    assert quality["regression_metrics"]["mse"]["value"] == best["estimate"]["mse"]
    assert float(package["CustomerMetadataProperties"]["estimate_mse"]) == best["estimate"]["mse"]


def test_the_registered_model_explains_itself(shell, steps, best) -> None:
    arn = steps["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    package = shell.aws("sagemaker", "describe-model-package", "--model-package-name", arn)
    card = json.loads(package["ModelCard"]["ModelCardContent"])
    ModelCardContent.model_validate(card)
    assert package["ModelCard"]["ModelCardStatus"] == "Draft"
    for baselines in (package["DriftCheckBaselines"], package["ModelMetrics"]):
        statistics = shell.aws("s3", "cp", baselines["ModelDataQuality"]["Statistics"]["S3Uri"], "-")
        constraints = shell.aws("s3", "cp", baselines["ModelDataQuality"]["Constraints"]["S3Uri"], "-")
        assert statistics["dataset"]["item_count"] == 1338
        names = [feature["name"] for feature in statistics["features"]]
        assert names == [feature["name"] for feature in constraints["features"]]
        assert names[:4] == ["charges", "age", "bmi", "children"]
    assert shell.aws("s3", "ls", package["SamplePayloadUrl"])


def test_every_row_has_a_prediction_by_a_model_that_did_not_see_it(best, written) -> None:
    scores = np.loadtxt(written / "evaluation/out_of_fold.csv", delimiter=",", skiprows=1)
    assert len(scores) == 1338
    error = float(np.mean((scores[:, 2] - scores[:, 3]) ** 2))
    assert error == pytest.approx(best["estimate"]["mse"], rel=1e-6)
    tests = [rows(written / f"folds/vc{fold}/test") for fold in range(1, 6)]
    split = PredefinedSplit(np.repeat(range(5), [len(test) for test in tests]))
    table = np.concatenate(tests)
    crossed = cross_validate(LinearRegression(), table[:, 1:], table[:, 0], cv=split, scoring="neg_mean_squared_error")
    squares = float(np.average(-crossed["test_score"], weights=[len(test) for test in tests]))
    assert best["baselines"]["least_squares"] == pytest.approx(squares, rel=1e-6)
    assert best["estimate"]["mse"] == pytest.approx(squares, rel=0.03)


def test_the_endpoint_answers_the_cli(shell, succeeded, tmp_path) -> None:
    shell.aws(
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", NAME, "--content-type", "text/csv"),
        *("--body", RECORDS, str(tmp_path / "answer.json")),
    )
    scores = [p["score"] for p in json.loads((tmp_path / "answer.json").read_text())["predictions"]]
    assert len(scores) == 3
    assert scores[0] > 20_000 > scores[1] > 0  # a smoker, and a young man who is none


def test_the_readmes_aws_commands_work_with_the_projects_aws(shell, succeeded) -> None:
    text = (ROOT / "README.md").read_text().partition("## The local service")[2].partition("\n## ")[0]
    lines = text.replace("\\\n", " ").splitlines()
    commands = [line.strip() for line in lines if line.startswith("    aws ")]
    environment = shell.environment | {"PATH": f"{AWS.parent}:{shell.environment['PATH']}"}
    assert len(commands) >= 4
    for command in commands:
        ran = subprocess.run(
            ["/bin/sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        assert ran.stdout.strip(), command


def test_the_package_records_the_columns_that_predict_uses(shell, steps, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("age,sex,bmi,children,smoker\n19,female,27.9,0,yes\n")
    refused = shell.command("predict", INPUT=str(path))
    assert refused.returncode == 1
    arn = steps["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    assert f"{path}: the header lacks region, which the model package {arn} needs" in refused.stderr


def test_predict_prints_a_score_for_each_row(shell, succeeded, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "age,sex,bmi,children,smoker,region\n19,female,27.9,0,yes,southwest\n18,male,33.77,1,no,southeast\n"
    )
    scores = [float(line) for line in shell.succeed("predict", INPUT=str(path)).splitlines()]
    assert len(scores) == 2
    assert scores[0] > scores[1]


def test_the_report_names_the_winner(shell, succeeded, best) -> None:
    assert best["training_job_name"] in shell.succeed("report")


def test_studio_shows_the_results_and_leads_to_their_files(shell, succeeded, best, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", shell.environment["AWS_ENDPOINT_URL"])
    key, secret = (shell.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    with serving(Aws(boto3.Session(key, secret, region_name="us-east-1"))) as server:
        browser = Browser(server).let_in()
        execution = f"/pipelines/{NAME}/executions/{succeeded.rpartition('/')[2]}"
        page = browser.get(f"{execution}/results").body
        for value in (best["estimate"]["mse"], best["baselines"]["mean"], best["out_of_fold"]["rmse"]):
            assert number(value) in page
        assert all(number(error) in page for error in best["estimate"]["fold_mse"])
        assert best["training_job_name"] in page
        assert f'href="/endpoints/{NAME}">{NAME}</a>, verified' in page
        charts = browser.get(f"{execution}/results/charts").body
        assert charts.count("<figure>") == charts.count("<svg") > 5
        assert "style=" not in charts, "the policy of the pages forbids it"
        step = browser.get(f"{execution}/steps/SelectBest").body
        (link,) = set(re.findall(r'href="(/files\?uri=[^"]+%2Fevaluation)"', step))
        folder = browser.get(browser.get(link).headers["location"]).body
        assert "cv_results.csv" in folder
        (table,) = re.findall(r'href="(/files/[^"]+/object[^"]+out_of_fold.csv)"', folder)
        assert '<th scope="col">prediction</th>' in browser.get(table).body


def test_studio_shows_each_kind_of_job(shell, steps, best, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", shell.environment["AWS_ENDPOINT_URL"])
    key, secret = (shell.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    processing = steps["MakeFolds"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    with serving(Aws(boto3.Session(key, secret, region_name="us-east-1"))) as server:
        browser = Browser(server).let_in()
        for job in (f"processing-job/{processing}", f"training-job/{best['training_job_name']}"):
            shown = browser.get(f"/jobs/{job}")
            assert shown.status == 200
            assert "Ended" in shown.body
        search = browser.get(f"/jobs/hyper-parameter-tuning-job/{best['tuning_job_name']}").body
        assert search.count("<circle") == search.count("/jobs/training-job/") == 12
        assert f"<title>{best['training_job_name']}: {number(best['mse'])}</title>" in search


def test_job_logs_are_in_cloudwatch(shell, best) -> None:
    found = shell.aws(
        *("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs"),
        *("--log-stream-name-prefix", best["training_job_name"]),
    )
    assert any("validation mse <loss>=" in event["message"] for event in found["events"])


def test_a_second_execution_finds_its_jobs_in_the_cache_and_a_limit_rejects_the_model(shell, succeeded) -> None:
    shell.succeed("start", PARAMS="MaxMse=1000.5")
    result = shell.command("status")
    assert result.returncode == 1
    assert "MaxMse is 1000.5" in result.stdout
    latest = shell.aws("sagemaker", "list-pipeline-executions", "--pipeline-name", NAME, "--max-results", "1")
    arn = latest["PipelineExecutionSummaries"][0]["PipelineExecutionArn"]
    listed = shell.aws("sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", arn)
    cached = {step["StepName"] for step in listed["PipelineExecutionSteps"] if "CacheHitResult" in step}
    assert cached == {"MakeFolds", "SelectBest", *(f"TuneFold{number}" for number in range(1, 6))}
    assert "RegisterModel" not in {step["StepName"] for step in listed["PipelineExecutionSteps"]}


def repeat(shell, **parameters: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Execute the pipeline once more; return how it ended, and its steps."""
    given = [f"Name={name},Value={value}" for name, value in parameters.items()]
    options = ("--pipeline-parameters", *given) if given else ()
    arn = shell.aws("sagemaker", "start-pipeline-execution", "--pipeline-name", NAME, *options)["PipelineExecutionArn"]
    ended = shell.finish(arn)
    listed = shell.aws("sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", arn)
    return ended, {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def function_outputs(step: dict[str, Any]) -> dict[str, str]:
    return {output["Name"]: output["Value"] for output in step["Metadata"]["Lambda"]["OutputParameters"]}


def versions(shell) -> list[str]:
    group = ("--model-package-group-name", NAME)
    listed = shell.aws("sagemaker", "list-model-packages", *group)["ModelPackageSummaryList"]
    return [package["ModelPackageArn"] for package in listed]


def serving_configuration(shell) -> str:
    shell.aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", NAME)
    return shell.aws("sagemaker", "describe-endpoint", "--endpoint-name", NAME)["EndpointConfigName"]


@pytest.mark.slow
def test_a_repeat_with_nothing_new_registers_nothing_and_leaves_the_endpoint_alone(shell, steps) -> None:
    before = shell.aws("sagemaker", "describe-endpoint", "--endpoint-name", NAME)
    ended, repeated = repeat(shell)
    assert ended == "Succeeded"
    assert "RegisterModel" not in repeated
    assert function_outputs(repeated["DeployEndpointAgain"])["status"] == "InService"
    assert versions(shell) == [steps["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]]
    assert shell.aws("sagemaker", "describe-endpoint", "--endpoint-name", NAME) == before
    report = shell.succeed("report")
    assert "unchanged: registered by an earlier execution" in report
    assert "(verified)" in report


@pytest.mark.slow
def test_a_repeat_deploys_a_registered_model_whose_endpoint_is_gone_or_has_other_settings(shell, steps) -> None:
    shell.aws("sagemaker", "delete-endpoint", "--endpoint-name", NAME)
    ended, repeated = repeat(shell)
    assert (ended, function_outputs(repeated["DeployEndpointAgain"])["status"]) == ("Succeeded", "Deploying")
    first = serving_configuration(shell)
    ended, repeated = repeat(shell, EndpointInstanceCount="2")
    assert (ended, function_outputs(repeated["DeployEndpointAgain"])["status"]) == ("Succeeded", "Deploying")
    assert serving_configuration(shell) != first
    assert len(versions(shell)) == 1


@pytest.mark.slow
def test_an_endpoint_that_does_not_serve_the_model_goes_back_and_the_execution_says_so(
    shell, steps, monkeypatch
) -> None:
    before = serving_configuration(shell)
    load = Model.load
    loaded: list[Any] = []

    def load_another_model_once(path):
        model = load(path)
        if not loaded:
            model._weights = model._weights * 1.5
        loaded.append(path)
        return model

    monkeypatch.setattr("local.algorithms.linear_learner.inference.Model.load", load_another_model_once)
    ended, repeated = repeat(shell, EndpointInstanceType="ml.c5.large")
    assert ended.startswith("Failed")
    reason = repeated["ConfirmEndpoint" if "ConfirmEndpoint" in repeated else "ConfirmEndpointAgain"]["FailureReason"]
    assert "the endpoint's scores are not those of the model" in reason
    assert '"largest_difference"' in reason
    assert f"{NAME} goes back to {before}, which served before" in reason
    assert serving_configuration(shell) == before
    assert "failed its verification" in shell.command("report").stdout


@pytest.mark.slow
def test_calls_of_the_function_at_the_same_moment_leave_an_endpoint_that_serves(shell, steps) -> None:
    package = steps["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    deploy = {"model_package_arn": package, "endpoint_name": NAME, "instance_type": "ml.m5.large"}
    detail = {"ModelPackageArn": package, "ModelApprovalStatus": "Approved"}
    events = [
        deploy | {"instance_count": 1},
        deploy | {"instance_count": 3},
        deploy | {"instance_count": 3},
        {"detail-type": "SageMaker Model Package State Change", "detail": detail},
    ]
    together = threading.Barrier(len(events))

    def call(number: int) -> dict[str, Any]:
        function = shell.client("lambda")
        together.wait()
        answer = function.invoke(FunctionName=f"{NAME}-deploy", Payload=json.dumps(events[number]))
        assert "FunctionError" not in answer
        return json.loads(answer["Payload"].read())

    with ThreadPoolExecutor(len(events)) as callers:
        answers = list(callers.map(call, range(len(events))))
    assert {answer.get("status") for answer in answers} <= {"Deploying", "InService", "Deferred"}, answers
    serves = serving_configuration(shell)
    assert serves in {answer["endpoint_config_name"] for answer in answers}
    assert "FailureReason" not in shell.aws("sagemaker", "describe-endpoint", "--endpoint-name", NAME)
    variants = shell.aws("sagemaker", "describe-endpoint-config", "--endpoint-config-name", serves)
    model = variants["ProductionVariants"][0]["ModelName"]
    assert shell.aws("sagemaker", "describe-model", "--model-name", model)["ModelName"] == model


def test_a_wrong_parameter_is_a_sentence(shell, succeeded) -> None:
    result = shell.command("start", PARAMS="ModelApprovalStatus=Maybe")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "ModelApprovalStatus" in result.stderr
