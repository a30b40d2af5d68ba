"""A definition that the SageMaker SDK v2 wrote, with a step of nearly every type, runs from end to end."""

from __future__ import annotations

import pytest

from tests.local.interpreter.documents import DEFINITIONS, ROLE

PREPARE = """
import random, sys
from pathlib import Path

random.seed(1)
root = Path(sys.argv[0]).parents[2]
count = len((root / "input/data/rows.csv").read_text().split())
rows = [(random.random(), random.random()) for _ in range(count)]
text = [f"{2 * a + 3 * b},{a},{b}\\n" for a, b in rows]
for name, lines in {
    "train": text[:80],
    "validation": text[80:],
    "rows": [line.partition(",")[2] for line in text[80:]],
}.items():
    folder = root / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "part.csv").write_text("".join(lines))
"""
SCORE = """
import json, statistics, sys
from pathlib import Path

root = Path(sys.argv[0]).parents[2]
_, _, best, _, worst = sys.argv
lines = [line for file in root.glob("input/*/*.out") for line in file.read_text().splitlines()]
variance = statistics.pvariance(json.loads(line)["score"] for line in lines)
folder = root / "output/scores"
folder.mkdir(parents=True, exist_ok=True)
scores = {"regression_metrics": {"mse": {"value": variance}}, "rows": len(lines), "best": best, "worst": worst}
(folder / "scores.json").write_text(json.dumps(scores))
"""
NOTIFY = "def handler(event, context):\n    return {'message': 'registered ' + event['package']}\n"


@pytest.fixture(scope="module")
def demo(pipelines):
    objects = pipelines.parts.objects
    objects.root.joinpath("demo-bucket").mkdir()
    objects.root.joinpath("sagemaker-us-east-1-123456789012").mkdir(exist_ok=True)
    objects.write("s3://demo-bucket/raw/rows.csv", b"row\n" * 100)
    objects.write("s3://demo-bucket/code/prepare.py", PREPARE.encode())
    objects.write("s3://demo-bucket/code/score.py", SCORE.encode())
    pipelines.function("notify", NOTIFY)
    text = (DEFINITIONS / "sdk_v2.json").read_text()
    pipelines.client.create_pipeline(PipelineName="demo", PipelineDefinition=text, RoleArn=ROLE)
    return pipelines.wait(pipelines.start("demo"))


def test_every_step_of_the_definition_succeeds(demo) -> None:
    assert [step["FailureReason"] for step in demo.steps.values() if "FailureReason" in step] == []
    assert demo.status == "Succeeded"
    expected = [
        "Prepare",
        "Train",
        "Tune",
        "Best-CreateModel",
        "Predict",
        "Score",
        "Gate",
        "Register-RegisterModel",
        "Notify",
    ]
    assert demo.statuses() == dict.fromkeys(expected, "Succeeded")
    assert demo.steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    kinds = [next(iter(step["Metadata"])) for step in demo.steps.values()]
    assert kinds == [
        "ProcessingJob",
        "TrainingJob",
        "TuningJob",
        "Model",
        "TransformJob",
        "ProcessingJob",
        "Condition",
        "RegisterModel",
        "Lambda",
    ]


def test_what_the_steps_made_is_what_they_say(pipelines, demo) -> None:
    arns = {name: next(iter(step["Metadata"].values())).get("Arn") for name, step in demo.steps.items()}
    message = demo.steps["Notify"]["Metadata"]["Lambda"]["OutputParameters"]
    assert message == [{"Name": "message", "Value": f"registered {arns['Register-RegisterModel']}"}]
    tuning = arns["Tune"].rpartition("/")[2]
    assert len(tuning) <= 32
    tuned = pipelines.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    model = next(
        item for item in pipelines.client.list_models()["Models"] if item["ModelArn"] == arns["Best-CreateModel"]
    )
    container = pipelines.client.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    best = tuned["BestTrainingJob"]["TrainingJobName"]
    assert container["ModelDataUrl"] == f"s3://demo-bucket/models/{best}/output/model.tar.gz"
    scores = scores_of(pipelines, arns["Score"])
    listed = pipelines.client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuning, SortBy="FinalObjectiveMetricValue", MaxResults=50
    )["TrainingJobSummaries"]
    assert (scores["rows"], scores["best"], scores["worst"]) == (20, best, listed[10]["TrainingJobName"])


def test_a_second_run_uses_the_cached_step_again_and_can_be_rejected(pipelines, demo) -> None:
    outcome = pipelines.wait(pipelines.start("demo", {"MaxMse": "1e-9"}))
    assert outcome.status == "Failed"
    assert outcome.steps["Prepare"]["CacheHitResult"] == {"SourcePipelineExecutionArn": demo.arn}
    assert outcome.steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    value = scores_of(pipelines, outcome.steps["Score"]["Metadata"]["ProcessingJob"]["Arn"])["regression_metrics"][
        "mse"
    ]["value"]
    assert value > 0
    assert outcome.steps["Reject"]["FailureReason"] == f"MSE {value} > 1e-09"
    assert "Register-RegisterModel" not in outcome.steps


def scores_of(pipelines, arn):
    """The property file that the processing job of an ARN wrote."""
    config = pipelines.client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])[
        "ProcessingOutputConfig"
    ]
    return pipelines.read(config["Outputs"][0]["S3Output"]["S3Uri"] + "/scores.json")
