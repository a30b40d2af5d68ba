"""``make predict BATCH=1`` on a local service: the same scores as from the endpoint, and nothing left behind."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from definition_language.requests import Request, request_faults
from local.app.server import LocalService
from local.core.settings import Settings
from local.runtime.jobs import transform
from pipeline.config.loading import load_config
from pipeline.definition.resources import conventional_resources
from pipeline.errors import UserError
from pipeline.operate import transform_objects
from pipeline.operate.batch_prediction import predict_in_batch
from pipeline.operate.estimate import DEFAULT_PRICES, load_prices
from pipeline.operate.transform_job import charge, transform_request
from pipeline.operate.transform_model import model_request
from pipeline.operate.transform_objects import TransformObjects
from tests.commands import ROOT
from tests.infra.conftest import configured
from tests.scripts.test_predict import BUCKET, COLUMNS, HEADER, IMAGE, NAME, PACKAGE, ROWS, SCORES, WEIGHTS, Account

PIPELINE_BUCKET = f"{NAME}-123456789012-us-east-1"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    with LocalService(Settings(folder / ".local", port=0)) as service:
        account = Account(service.settings, folder)
        for bucket in (BUCKET, PIPELINE_BUCKET):
            account.client("s3").create_bucket(Bucket=bucket)
        account.serve(NAME, WEIGHTS, COLUMNS)
        account.serve("precise", [number / 7 for number in range(1, 12)], COLUMNS)
        account.serve("narrow", [1.0, 2.0], None)
        yield account


@pytest.fixture
def rows(tmp_path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


@pytest.fixture
def as_client(account, monkeypatch):
    """An environment whose AWS is the local service."""
    for name, value in account.settings.client_environment().items():
        monkeypatch.setenv(name, value)


def without_endpoint(folder: Path, group: str = NAME) -> str:
    """Write a configuration whose endpoint does not exist; return its path."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["deploy"]["endpoint_name"] = "absent"
    document["registry"]["group"] = group
    (folder / "other.yaml").write_text(yaml.safe_dump(document))
    return str(folder / "other.yaml")


def leftovers(account: Account) -> list[str]:
    """Return what a run left: objects with their versions, and models."""
    versions = account.client("s3").list_object_versions(Bucket=PIPELINE_BUCKET)
    objects = [item["Key"] for kind in ("Versions", "DeleteMarkers") for item in versions.get(kind, [])]
    models = account.client("sagemaker").list_models(NameContains="-batch-")["Models"]
    return objects + [model["ModelName"] for model in models]


def last_job(account: Account) -> dict[str, Any]:
    sagemaker = account.client("sagemaker")
    newest = sagemaker.list_transform_jobs(SortBy="CreationTime", SortOrder="Descending")["TransformJobSummaries"][0]
    found: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=newest["TransformJobName"])
    return found


def test_the_scores_are_those_of_the_endpoint(account, tmp_path) -> None:
    options = {"INPUT": "data/insurance.csv", "ENDPOINT": "precise"}
    endpoint, batch = account.predict(**options), account.predict(**options, BATCH="1")
    assert batch.returncode == endpoint.returncode == 0, batch.stderr
    assert len(batch.stdout.splitlines()) == 1338
    assert batch.stdout == endpoint.stdout
    files = tmp_path / "endpoint.csv", tmp_path / "batch.csv"
    account.predict(**options, OUTPUT=str(files[0]))
    written = account.predict(**options, OUTPUT=str(files[1]), BATCH="1")
    assert files[0].read_bytes() == files[1].read_bytes()
    job = last_job(account)
    name = job["TransformJobName"]
    told = written.stderr.splitlines()
    assert told[:2] == [
        f"The transform job uses the model of the endpoint precise: {PACKAGE}/precise/1.",
        "The job runs on 1 instance of ml.m5.large.",
    ]
    assert told[2] == f"Sent 1,338 rows to {job['TransformInput']['DataSource']['S3DataSource']['S3Uri']}"
    assert told[3] == f"Transform job {name}: InProgress"
    assert told[4].startswith(f"Transform job {name}: Completed after ")
    assert told[5:] == [f"{files[1]} has the predictions of 1,338 rows."]
    assert leftovers(account) == []


def test_scores_of_a_model_of_logarithms_are_in_the_labels_unit(account, rows) -> None:
    record = COLUMNS | {"preparation": {"numeric": ["age", "bmi", "children"], "label_transform": "log1p"}}
    account.serve("logarithms", [0.1] + [0.0] * 10, record)
    endpoint, batch = (account.predict(INPUT=str(rows), ENDPOINT="logarithms", BATCH=on) for on in ("", "1"))
    assert batch.returncode == 0, batch.stderr
    assert batch.stdout == endpoint.stdout
    assert float(batch.stdout.splitlines()[0]) == pytest.approx(math.expm1(1.9))


def test_bad_rows_are_named_and_not_sent(account, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, ROWS[0], "old,male,27.9,0,yes,southwest", "19,male", ROWS[1]]) + "\n")
    endpoint, batch = account.predict(INPUT=str(path)), account.predict(INPUT=str(path), BATCH="1")
    assert batch.returncode == endpoint.returncode == 1
    assert batch.stdout == endpoint.stdout == "1019.0\n\n\n18.0\n"
    assert f"{path}:3: age is 'old': a finite number is expected\n" in batch.stderr
    assert "Sent 2 rows to " in batch.stderr
    assert batch.stderr.endswith("2 of 4 rows could not be scored.\n")


def test_without_a_good_row_no_job_is_started(account, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}\nold,male,27.9,0,yes,southwest\n")
    before = len(account.client("sagemaker").list_transform_jobs(MaxResults=100)["TransformJobSummaries"])
    finished = account.predict(INPUT=str(path), BATCH="1")
    assert (finished.returncode, finished.stdout) == (1, "\n")
    assert "No row can be scored: no transform job was started.\n" in finished.stderr
    assert len(account.client("sagemaker").list_transform_jobs(MaxResults=100)["TransformJobSummaries"]) == before


def test_without_an_endpoint_the_newest_approved_package_is_used(account, tmp_path, rows) -> None:
    account.serve("versions", WEIGHTS, COLUMNS)
    sagemaker = account.client("sagemaker")
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/precise/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/jsonlines"],
    }
    sagemaker.create_model_package(
        ModelPackageGroupName="versions",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=specification,
    )
    finished = account.predict(INPUT=str(rows), BATCH="1", CONFIG=without_endpoint(tmp_path, "versions"))
    assert finished.returncode == 0, finished.stderr
    assert [float(line) for line in finished.stdout.splitlines()] == SCORES
    assert finished.stderr.startswith(
        "The transform job uses the newest approved version of the model package group versions: "
        f"{PACKAGE}/versions/1.\n"
    )
    job = last_job(account)
    assert job["ModelName"] == job["TransformJobName"]
    assert leftovers(account) == []


@pytest.mark.parametrize("group", ["nobody", "rejected"])
def test_without_an_endpoint_and_a_package_there_is_nothing_to_score_with(account, tmp_path, rows, group) -> None:
    if group == "rejected":
        account.serve(group, WEIGHTS, COLUMNS)
        account.client("sagemaker").update_model_package(
            ModelPackageArn=f"{PACKAGE}/{group}/1", ModelApprovalStatus="Rejected"
        )
    finished = account.predict(INPUT=str(rows), BATCH="1", CONFIG=without_endpoint(tmp_path, group))
    assert finished.returncode == 1
    assert finished.stderr == (
        "There is no endpoint absent: start the pipeline, or name another one: ENDPOINT=name. "
        f"The model package group {group} has no approved version either.\n"
    )


def test_an_endpoint_that_is_named_must_exist(account, rows) -> None:
    finished = account.predict(INPUT=str(rows), BATCH="1", ENDPOINT="absent")
    assert finished.returncode == 1
    assert finished.stderr == "There is no endpoint absent: start the pipeline, or name another one: ENDPOINT=name.\n"


def test_a_failed_job_says_why_and_where_its_log_is(account, tmp_path, rows) -> None:
    output = tmp_path / "scored.csv"
    finished = account.predict(INPUT=str(rows), BATCH="1", OUTPUT=str(output), ENDPOINT="narrow")
    assert finished.returncode == 1
    assert "The transform job did not complete: ClientError: " in finished.stderr
    assert "does not match the feature dimension of the model: 2" in finished.stderr
    command = finished.stderr.splitlines()[-1].removeprefix("Its log: aws logs filter-log-events --log-group-name ")
    group, _, stream = command.partition(" --log-stream-name-prefix ")
    events = account.client("logs").filter_log_events(logGroupName=group, logStreamNamePrefix=stream)["events"]
    assert any("feature dimension" in event["message"] for event in events)
    assert not output.exists()
    assert leftovers(account) == []


@pytest.mark.parametrize(
    ("output", "sentence"),
    [("nowhere/scored.csv", "nowhere/scored.csv: cannot be written"), ("docs", "OUTPUT=docs is a folder: name a file")],
)
def test_an_output_that_cannot_be_written_starts_no_job(account, rows, output, sentence) -> None:
    finished = account.predict(INPUT=str(rows), BATCH="1", OUTPUT=output)
    assert finished.returncode == 1
    assert sentence in finished.stderr
    assert "Sent" not in finished.stderr


def test_a_bucket_that_is_missing_is_a_sentence(account, tmp_path, rows) -> None:
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["aws"]["bucket"] = "nobodys-bucket"
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(document))
    other = tmp_path / "other.yaml"
    finished = account.predict(INPUT=str(rows), BATCH="1", CONFIG=str(other))
    assert finished.returncode == 1
    # Repeated as it is, the command is about the same configuration.
    assert finished.stderr.endswith(
        f"The bucket nobodys-bucket does not exist: run 'make bootstrap CONFIG={other}', or set aws.bucket\n"
    )


@pytest.mark.usefixtures("as_client")
def test_ctrl_c_stops_the_job_and_leaves_nothing(account, tmp_path, rows, monkeypatch) -> None:
    run = transform._Transform.run

    def run_slowly(job: Any) -> Any:
        name = job._record["TransformJobName"]
        while job._runner.store.get(transform.KIND, name)["TransformJobStatus"] != "Stopping":
            time.sleep(0.01)
        return run(job)

    monkeypatch.setattr(transform._Transform, "run", run_slowly)
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        if "InProgress" in sentence:
            raise KeyboardInterrupt

    config = load_config(Path(without_endpoint(tmp_path)))
    with pytest.raises(KeyboardInterrupt):
        list(predict_in_batch(account.session, config, str(rows), note=note, pause=0.05))
    job = last_job(account)
    assert job["TransformJobStatus"] == "Stopped"
    assert notes[-1] == f"Stopping the transform job {job['TransformJobName']}"
    assert leftovers(account) == []


@pytest.mark.slow
@pytest.mark.usefixtures("as_client")
def test_many_parts_are_joined_in_their_order(account, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(transform_objects, "_PART_BYTES", 1)
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *(f"{age},male,33.75,1,no,southeast" for age in range(60_000))]))
    config = load_config(ROOT / "config.yaml")
    found = [row.prediction for row in predict_in_batch(account.session, config, str(path), pause=0.05)]
    assert found == list(range(60_000))
    assert leftovers(account) == []


@pytest.mark.usefixtures("as_client")
@pytest.mark.parametrize("change", ["more", "fewer", "other"])
def test_a_file_that_changes_meanwhile_is_an_error(account, rows, change) -> None:
    changed = {"more": [*ROWS, ROWS[0]], "fewer": [], "other": [*ROWS[:2], ROWS[0]]}

    def note(sentence: str) -> None:
        if "Completed" in sentence:
            rows.write_text("\n".join([HEADER, *changed[change]]))

    config = load_config(ROOT / "config.yaml")
    with pytest.raises(UserError, match=r"^A file of INPUT changed while the transform job ran"):
        list(predict_in_batch(account.session, config, str(rows), note=note, pause=0.05))


@pytest.mark.usefixtures("as_client")
def test_scores_survive_objects_that_cannot_be_deleted(account, rows, monkeypatch) -> None:
    delete = TransformObjects.delete

    def refuse(objects: TransformObjects) -> None:
        delete(objects)
        raise ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {}}, "DeleteObjects")  # type: ignore[typeddict-item]

    monkeypatch.setattr(TransformObjects, "delete", refuse)
    notes: list[str] = []
    config = load_config(ROOT / "config.yaml")
    found = predict_in_batch(account.session, config, str(rows), limit=2, note=notes.append, pause=0.05)
    assert [row.prediction for row in found] == SCORES[:2]
    assert notes[-1].startswith(f"Could not delete s3://{PIPELINE_BUCKET}/{NAME}/batch/")
    assert notes[-1].endswith("/: your identity may not call DeleteObjects. Delete it yourself.")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({}, "The transform job completed, but .* has no part-00000.csv.out"),
        ({"part-00000.csv.out": '{"score": 1.0}\n'}, "gave 1 prediction for the 2 rows of part-00000.csv.out"),
        ({"part-00000.csv.out": '{"label": 1.0}\n'}, "does not have an answer of the model in each line: KeyError"),
        ({"part-00000.csv.out": "1.0\n2.0\n"}, "does not have an answer of the model in each line: TypeError"),
    ],
)
def test_an_output_that_does_not_fit_the_rows_is_an_error(account, output, sentence) -> None:
    s3 = account.client("s3")
    objects = TransformObjects(s3, BUCKET, "checked", {})
    sent = objects.send([["1,2"], ["3,4"]])
    for name, text in output.items():
        s3.put_object(Bucket=BUCKET, Key=f"checked/output/{name}", Body=text)
    with pytest.raises(UserError, match=sentence):
        list(objects.answers(sent, "application/jsonlines", 1))
    objects.delete()
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="checked/")["KeyCount"] == 0


def test_outputs_are_found_in_folders_below_the_prefix(account) -> None:
    # AWS documents a folder, which the local service does not make.
    s3 = account.client("s3")
    objects = TransformObjects(s3, BUCKET, "foldered", {})
    sent = objects.send([["1,2", "3,4"]])
    lines = "\n".join(json.dumps({"score": number}) for number in (1.5, 2.5))
    s3.put_object(Bucket=BUCKET, Key="foldered/output/input/part-00000.csv.out", Body=f"{lines}\n\n")
    assert [list(part) for part in objects.answers(sent, "application/jsonlines", 1)] == [[1.5, 2.5]]


@pytest.mark.parametrize(
    "aws", [{}, {"kms_key_arn": KEY, "vpc": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}}]
)
def test_aws_takes_the_requests(aws) -> None:
    config = configured(aws=aws)
    resources = conventional_resources(config)
    model = model_request(config, resources, "made", resources.arn("sagemaker", "model-package/group/1"))
    job = transform_request(config, "job", "made", "s3://bucket/in/", "s3://bucket/out/", accept="text/csv")
    assert not list(request_faults(Request("sagemaker", "CreateModel", model)))
    assert not list(request_faults(Request("sagemaker", "CreateTransformJob", job)))
    assert model["ExecutionRoleArn"] == resources.job_role_arn
    assert ("VpcConfig" in model, job["TransformOutput"].get("KmsKeyId")) == (bool(aws), aws.get("kms_key_arn"))


def test_the_price_is_said() -> None:
    prices = load_prices(DEFAULT_PRICES)
    assert charge(configured(), None) == "The job runs on 1 instance of ml.m5.large."
    assert charge(configured(), prices) == (
        "The job runs on 1 instance of ml.m5.large. AWS charges 0.115 dollars an hour while it runs "
        "(us-east-1, 2025-06)."
    )
    unknown = configured(registry={"transform_instances": ["ml.m4.xlarge"]})
    assert charge(unknown, prices) == (
        "The job runs on 1 instance of ml.m4.xlarge. AWS charges for the time that it runs; infra/prices.yaml has no "
        "price for it."
    )
