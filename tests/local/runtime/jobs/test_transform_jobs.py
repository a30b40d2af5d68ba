"""Batch transform with linear-learner's models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.algorithms.linear_learner.inference import Model
from local.core.errors import ServiceError
from tests.local.runtime.jobs.conftest import BUCKET, LINEAR_LEARNER, ROLE, Jobs, training_request

pytestmark = pytest.mark.usefixtures("rows")
LINES = ["0.5,0.5,0", "-1,0,1", "0,0,0"]


@pytest.fixture(scope="module")
def artifact(jobs: Jobs, rows: None) -> str:
    name = jobs.name("for-transform")
    jobs.call("CreateTrainingJob", **training_request(name))
    uri = jobs.wait("training-job", name)["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": LINEAR_LEARNER, "ModelDataUrl": uri}
    jobs.call("CreateModel", ModelName="transformer", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return uri


def _transform(jobs: Jobs, key: str, content: str, **changes: Any) -> dict[str, Any]:
    name = jobs.name("transform")
    uri = jobs.put(key, content)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    request = {
        "TransformJobName": name,
        "ModelName": "transformer",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/transformed/{name}",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for member, value in changes.items():
        request[member] = request[member] | value if member in request and isinstance(value, dict) else value  # type: ignore[operator]
    jobs.call("CreateTransformJob", **request)
    return jobs.wait("transform-job", name)


def _scores(jobs: Jobs, description: dict[str, Any], key: str) -> list[dict[str, Any]]:
    text = jobs.read(f"{description['TransformOutput']['S3OutputPath']}/{key}.out")
    return [json.loads(line) for line in text.splitlines()]


def _expected(jobs: Jobs, artifact: str) -> list[dict[str, Any]]:
    body, _ = Model.load(jobs.parts.objects.path(artifact)).invoke(
        "\n".join(LINES).encode(), "text/csv", "application/jsonlines"
    )
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize("batch", [{}, {"BatchStrategy": "SingleRecord"}, {"MaxPayloadInMB": 1}])
def test_every_record_gets_its_score(jobs: Jobs, artifact: str, batch: dict[str, Any]) -> None:
    description = _transform(jobs, "batch/in.csv", "\n".join(LINES) + "\n", **batch)
    assert description["TransformJobStatus"] == "Completed"
    assert _scores(jobs, description, "in.csv") == _expected(jobs, artifact)


def test_a_whole_object_is_one_request_without_a_split(jobs: Jobs, artifact: str) -> None:
    description = _transform(
        jobs,
        "whole/in.csv",
        "\n".join(LINES),
        TransformInput={"SplitType": "None"},
        TransformOutput={"Accept": "application/json", "AssembleWith": "None"},
    )
    (answer,) = _scores(jobs, description, "in.csv")
    assert answer == {"predictions": _expected(jobs, artifact)}


def test_the_input_filter_drops_columns(jobs: Jobs, artifact: str) -> None:
    labelled = "".join(f"99,{line}\n" for line in LINES)
    description = _transform(jobs, "labelled/in.csv", labelled, DataProcessing={"InputFilter": "$[1:]"})
    assert _scores(jobs, description, "in.csv") == _expected(jobs, artifact)


def test_answers_are_joined_to_their_records(jobs: Jobs, artifact: str) -> None:
    records = [{"id": index, "features": json.loads(f"[{line}]")} for index, line in enumerate(LINES)]
    description = _transform(
        jobs,
        "joined/in.jsonl",
        "".join(json.dumps(record) + "\n" for record in records),
        TransformInput={"ContentType": "application/jsonlines"},
        DataProcessing={"JoinSource": "Input"},
    )
    assert _scores(jobs, description, "in.jsonl") == [
        record | {"SageMakerOutput": score} for record, score in zip(records, _expected(jobs, artifact), strict=True)
    ]


def test_the_output_filter_keeps_parts_of_the_joined_record(jobs: Jobs, artifact: str) -> None:
    records = [{"id": index, "features": json.loads(f"[{line}]")} for index, line in enumerate(LINES)]
    description = _transform(
        jobs,
        "kept/in.jsonl",
        "".join(json.dumps(record) + "\n" for record in records),
        TransformInput={"ContentType": "application/jsonlines"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
    )
    assert _scores(jobs, description, "in.jsonl") == [
        {"id": record["id"], "SageMakerOutput": score}
        for record, score in zip(records, _expected(jobs, artifact), strict=True)
    ]


def test_a_line_break_within_quotes_fails_the_job_as_batch_transform_does_not_support_it(jobs, artifact) -> None:
    content = f'"two\nlines",{LINES[0]}\n'
    description = _transform(jobs, "quoted/in.csv", content, DataProcessing={"InputFilter": "$[1:]"})
    assert description["TransformJobStatus"] == "Failed"
    assert "without line breaks in its fields" in description["FailureReason"]


def test_a_record_that_the_model_cannot_read_fails_the_job_but_not_other_objects(jobs: Jobs, artifact: str) -> None:
    jobs.put("faulty/sound.csv", "\n".join(LINES))
    jobs.put("faulty/in.csv", "1,2\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/faulty/"}}
    description = _transform(jobs, "unused", "", TransformInput={"DataSource": source})
    assert description["TransformJobStatus"] == "Failed"
    assert _scores(jobs, description, "sound.csv") == _expected(jobs, artifact)
    assert not jobs.keys(f"{description['TransformOutput']['S3OutputPath']}/in.csv")
    assert "faulty/in.csv" in description["FailureReason"]
    assert "(400)" in description["FailureReason"]


@pytest.mark.parametrize("split", ["Line", "None"])
def test_what_does_not_fit_into_a_payload_fails_the_job(jobs: Jobs, artifact: str, split: str) -> None:
    wide = "0" * 1024**2 + ",0,0\n"
    description = _transform(jobs, f"wide-{split}/in.csv", wide, TransformInput={"SplitType": split}, MaxPayloadInMB=1)
    assert description["TransformJobStatus"] == "Failed"
    assert "Too much data for max payload size: MaxPayloadInMB is 1" in description["FailureReason"]


def test_a_job_that_is_stopped_during_its_last_request_stores_nothing(
    jobs: Jobs, artifact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke = Model.invoke

    def stopped(model: Model, *request: Any) -> tuple[bytes, str]:
        (name,) = [
            found["TransformJobName"]
            for found in jobs.call("ListTransformJobs", StatusEquals="InProgress")["TransformJobSummaries"]
        ]
        jobs.call("StopTransformJob", TransformJobName=name)
        return invoke(model, *request)

    monkeypatch.setattr(Model, "invoke", stopped)
    description = _transform(jobs, "stopped/in.csv", "\n".join(LINES))
    assert description["TransformJobStatus"] == "Stopped"
    assert not jobs.keys(description["TransformOutput"]["S3OutputPath"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelName": "no-such-model"}, "Could not find model"),
        ({"MaxPayloadInMB": 101}, "cannot be greater than 100 MB"),
        ({"MaxPayloadInMB": 26, "MaxConcurrentTransforms": 4}, "cannot exceed 100 MB"),
        ({"ExperimentConfig": {"TrialName": "t"}}, "ExperimentConfig: not implemented"),
        ({"MaxPayloadInMB": 0}, "MaxPayloadInMB 0: not implemented"),
        ({"TransformInput": {"SplitType": "TFRecord"}}, "SplitType TFRecord: not implemented"),
        ({"DataProcessing": {"OutputFilter": "$.x["}}, "is not a JSONPath"),
        ({"DataProcessing": {"InputFilter": "$.x"}}, "InputFilter .* numbered fields only"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource Input needs ContentType and Accept of the same"),
    ],
)
def test_what_cannot_be_done_is_refused(jobs: Jobs, artifact: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        _transform(jobs, "refused/in.csv", "1\n", **changes)
