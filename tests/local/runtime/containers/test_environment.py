"""What a job's program finds in its environment: what its container would, AWS_ENDPOINT_URL and the SDK's defaults."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.runtime.containers import container
from local.runtime.containers.isolation import container_of
from local.runtime.survivors import VARIABLE
from tests.local.runtime.jobs.conftest import BUCKET, SPARK, Jobs, processing_input, training_request

MACHINE = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ"}
AWS = {"AWS_REGION", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ENDPOINT_URL"}
PLATFORM = AWS | {"SAGEMAKER_USER_CONFIG_OVERRIDE"}
PYTHON = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING"}
# Python itself sets the last one where the locale is C.
SET_BY_PROGRAMS = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


def write_environment(key: str) -> str:
    return f"""
        import boto3, json, os
        session = boto3.Session(region_name=os.environ["AWS_REGION"])
        found = session.get_credentials()
        keys = list(found.get_frozen_credentials())
        seen = {{"environment": dict(os.environ), "found_by": found.method, "keys": keys}}
        seen["identity"] = session.client("sts").get_caller_identity()["Arn"]
        session.client("s3").put_object(Bucket="{BUCKET}", Key="{key}", Body=json.dumps(seen))
        """


def client_with(jobs: Jobs, keys: list[str], name: str = "sagemaker", **config: Any) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        name,
        region_name="us-east-1",
        endpoint_url=jobs.service.settings.endpoint_url,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.fixture(scope="module")
def script(jobs: Jobs) -> dict[str, Any]:
    """What a script saw, whose job has ended."""
    description = jobs.run_script(write_environment("script.json"), Environment={"OWN": "/opt/ml/x"})
    assert description["ProcessingJobStatus"] == "Completed"
    return json.loads(jobs.read(f"s3://{BUCKET}/script.json")) | {"name": description["ProcessingJobName"]}


def test_a_script_has_what_its_container_has_and_nothing_else(jobs: Jobs, script: dict[str, Any]) -> None:
    seen = script["environment"]
    of_image = {"SM_INPUT", "SM_INPUT_TRAINING_CONFIG_FILE", "SM_INPUT_DATA_CONFIG_FILE", "SM_CHECKPOINT_CONFIG_FILE"}
    expected = PLATFORM | PYTHON | of_image | {"SM_MODEL_DIR", "OWN"}
    assert expected - seen.keys() == set()
    assert seen.keys() - expected - MACHINE - SET_BY_PROGRAMS - {VARIABLE} == set()
    root = str(container_of(jobs.service.settings, jobs.service.settings.jobs / "processing" / script["name"]).seen)
    assert (seen["OWN"], seen["SM_MODEL_DIR"], seen["HOME"]) == (f"{root}/x", f"{root}/model", root)
    assert (seen["AWS_REGION"], seen["LANG"], seen["TZ"]) == ("us-east-1", "C.UTF-8", "UTC")


def test_the_region_and_the_credentials_are_where_a_container_has_them(script: dict[str, Any]) -> None:
    absent = {"AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}
    assert absent.isdisjoint(script["environment"])
    assert script["found_by"] == "container-role"
    assert script["identity"] == "arn:aws:sts::123456789012:assumed-role/jobs/SageMaker"
    access_key, secret_key, token = script["keys"][:3]
    assert access_key.startswith("ASIA")
    assert len(access_key) == 20
    assert secret_key
    assert token


def test_boto3_finds_no_region_in_a_container_unless_it_is_told(jobs: Jobs) -> None:
    description = jobs.run_script("import boto3; boto3.client('sagemaker')")
    assert description["ProcessingJobStatus"] == "Failed"
    assert "NoRegionError" in description["FailureReason"] or "NoRegionError" in str(
        jobs.script_log(description["ProcessingJobName"])
    )


def test_the_credentials_of_a_job_are_worth_nothing_once_it_has_ended(jobs: Jobs, script: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refusal:
        client_with(jobs, script["keys"]).list_pipelines()
    assert refusal.value.response["Error"]["Code"] == "UnrecognizedClientException"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(script["environment"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"])


def test_jobs_at_one_time_have_credentials_of_their_own(jobs: Jobs) -> None:
    wait_for_the_other = """
        import time
        s3 = session.client("s3")
        for _ in range(600):
            if "Contents" in s3.list_objects_v2(Bucket="{bucket}", Prefix="{other}.json"):
                break
            time.sleep(0.1)
        """
    names = []
    for own, other in (("one", "two"), ("two", "one")):
        waits = wait_for_the_other.format(bucket=BUCKET, other=other)
        names.append(jobs.start_script(write_environment(f"{own}.json") + waits))
    for name in names:
        assert jobs.wait("processing-job", name)["ProcessingJobStatus"] == "Completed"
    seen = [json.loads(jobs.read(f"s3://{BUCKET}/{own}.json")) for own in ("one", "two")]
    assert seen[0]["keys"][0] != seen[1]["keys"][0]
    uris = [each["environment"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"] for each in seen]
    assert uris[0] != uris[1]


@pytest.mark.slow
def test_spark_and_its_python_workers_have_what_their_container_has(jobs: Jobs) -> None:
    jobs.put(
        "code/environment/app.py",
        f"""
        import json, os, sys
        import boto3
        from pyspark.sql import SparkSession

        def seen(_):
            credentials = boto3.Session().get_credentials()
            return [(dict(os.environ), credentials.method)]

        spark = SparkSession.builder.getOrCreate()
        workers = spark.sparkContext.parallelize([1], 1).mapPartitions(seen).collect()
        rows = spark.createDataFrame([("a",)], ["letter"])
        rows.write.mode("overwrite").csv("s3://{BUCKET}/from-spark")
        text = json.dumps([seen(None)[0], workers[0]])
        s3 = boto3.client("s3", region_name=os.environ["AWS_REGION"])
        s3.put_object(Bucket="{BUCKET}", Key="spark.json", Body=text)
        """,
    )
    name = jobs.name()
    jobs.call(
        "CreateProcessingJob",
        ProcessingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/jobs",
        AppSpecification={
            "ImageUri": SPARK,
            "ContainerEntrypoint": ["smspark-submit", "/opt/ml/processing/input/code/app.py"],
        },
        ProcessingInputs=[
            processing_input("code", f"s3://{BUCKET}/code/environment/app.py", "/opt/ml/processing/input/code")
        ],
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    assert jobs.wait("processing-job", name, 120)["ProcessingJobStatus"] == "Completed", jobs.script_log(name)
    assert jobs.keys(f"s3://{BUCKET}/from-spark/")
    for environment, found_by in json.loads(jobs.read(f"s3://{BUCKET}/spark.json")):
        assert (PLATFORM | PYTHON | {"PYTHONHASHSEED"}) - environment.keys() == set()
        assert {name for name in environment if name.startswith("AWS_")} == AWS
        assert found_by == "container-role"


def test_a_training_program_has_what_its_container_has(jobs: Jobs, rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    start = jobs.parts.supervisor.start

    def watched(key: str, command: list[str], **rest: Any) -> Any:
        seen.update(rest["environment"])
        return start(key, command, **rest)

    monkeypatch.setattr(jobs.parts.supervisor, "start", watched)
    name = jobs.name("training")
    arn = jobs.call("CreateTrainingJob", **training_request(name))["TrainingJobArn"]
    assert jobs.wait("training-job", name)["TrainingJobStatus"] == "Completed"
    assert (seen["TRAINING_JOB_NAME"], seen["TRAINING_JOB_ARN"]) == (name, arn)
    assert {name for name in seen if name.startswith("AWS_")} == AWS


def test_nothing_of_the_users_own_goes_to_a_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "the-users-own")
    given = container.environment(jobs.service.settings, jobs.service.settings.root, "/path", {})
    assert "the-users-own" not in given.values()
    assert given["PATH"] == os.environ["PATH"]


def test_a_presigned_url_of_a_job_is_good_while_the_job_runs(jobs: Jobs) -> None:
    description = jobs.run_script(
        f"""
        import boto3, os, urllib.request
        from botocore.config import Config
        session = boto3.Session(region_name=os.environ["AWS_REGION"])
        session.client("s3").put_object(Bucket="{BUCKET}", Key="presigned", Body=b"content")
        for version in ("s3", "s3v4"):
            s3 = session.client("s3", config=Config(signature_version=version))
            url = s3.generate_presigned_url("get_object", Params={{"Bucket": "{BUCKET}", "Key": "presigned"}})
            assert urllib.request.urlopen(url).read() == b"content", url
            print(url)
        """
    )
    log = jobs.script_log(description["ProcessingJobName"])
    assert description["ProcessingJobStatus"] == "Completed", log
    version_2, version_4 = (line for line in log if line.startswith("http://"))
    assert "x-amz-security-token=" in version_2
    assert "X-Amz-Security-Token=" in version_4
    for url in (version_2, version_4):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(url)
