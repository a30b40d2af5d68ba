"""Processing jobs that run a Python script."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.core.errors import ServiceError
from local.runtime.containers import isolation
from tests.local.runtime.jobs.conftest import BUCKET, Jobs, processing_input, processing_output

OUT = "/opt/ml/processing/output/out"
BEGINNING = "must begin with /opt/ml/processing/"


def test_a_script_reads_its_input_and_what_it_writes_is_in_s3(jobs: Jobs) -> None:
    jobs.put("in/a.csv", "1,2\n")
    jobs.put("in/deeper/b.csv", "3,4\n")
    description = jobs.run_script(
        """
        import pathlib, sys
        source, target = map(pathlib.Path, sys.argv[1:3])
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(file.read_text() * 2)
        """,
        arguments=["/opt/ml/processing/input/data", OUT],
        inputs=[processing_input("data", f"s3://{BUCKET}/in/", "/opt/ml/processing/input/data")],
        outputs=[processing_output("out", f"s3://{BUCKET}/copied", OUT)],
    )
    assert description["ProcessingJobStatus"] == "Completed"
    assert description["ProcessingStartTime"] <= description["ProcessingEndTime"]
    assert jobs.keys(f"s3://{BUCKET}/copied/") == ["copied/a.csv", "copied/deeper/b.csv"]
    assert jobs.read(f"s3://{BUCKET}/copied/deeper/b.csv") == "3,4\n3,4\n"


def test_a_script_that_changes_its_input_leaves_the_object_as_it_is(jobs: Jobs) -> None:
    uri = jobs.put("kept/a.txt", "before")
    description = jobs.run_script(
        "import sys; open(sys.argv[1], 'r+').write('after')",
        arguments=["/opt/ml/processing/input/data/a.txt"],
        inputs=[processing_input("data", uri, "/opt/ml/processing/input/data")],
    )
    assert description["ProcessingJobStatus"] == "Completed"
    assert jobs.read(uri) == "before"


def test_container_paths_are_mapped_without_a_root_of_the_jobs_own(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    name = jobs.start_script(
        "import os, sys; print(*sys.argv[1:], os.environ['PLACE'], sep='\\n')",
        arguments=["--x=/opt/ml/a", "file:///opt/ml/b", "s3://bucket/opt/ml/c", "/opt/mlx"],
        Environment={"PLACE": "/opt/ml/processing"},
    )
    jobs.wait("processing-job", name)
    root = jobs.service.settings.jobs / "processing" / name
    assert jobs.script_log(name)[-5:] == [
        f"--x={root}/a",
        f"file://{root}/b",
        "s3://bucket/opt/ml/c",
        "/opt/mlx",
        f"{root}/processing",
    ]


def test_a_script_sees_this_service_and_nothing_of_the_users_environment(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-users-own")
    monkeypatch.setenv("SOME_API_KEY", "the-users-own")
    jobs.run_script(
        f"""
        import boto3, json, os
        boto3.client("s3").put_object(Bucket="{BUCKET}", Key="environment.json", Body=json.dumps(dict(os.environ)))
        """
    )
    seen = json.loads(jobs.read(f"s3://{BUCKET}/environment.json"))
    assert "the-users-own" not in seen.values()
    assert seen["AWS_ENDPOINT_URL"] == jobs.service.settings.endpoint_url


def test_the_job_finds_its_own_configuration_as_in_the_container(jobs: Jobs) -> None:
    description = jobs.run_script(
        """
        import json, sys
        job = json.load(open(sys.argv[1]))
        output = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
        with open(output["LocalPath"] + "/seen.json", "w") as file:
            json.dump([output["S3Uri"], json.load(open(sys.argv[2]))], file)
        """,
        arguments=["/opt/ml/config/processingjobconfig.json", "/opt/ml/config/resourceconfig.json"],
        outputs=[processing_output("out", f"s3://{BUCKET}/config", OUT)],
    )
    assert description["ProcessingJobStatus"] == "Completed"
    uri, resources = json.loads(jobs.read(f"s3://{BUCKET}/config/seen.json"))
    assert uri == f"s3://{BUCKET}/config"
    assert resources == {"current_host": "algo-1", "hosts": ["algo-1"]}


def test_a_failing_script_fails_its_job_and_says_why(jobs: Jobs) -> None:
    description = jobs.run_script("import sys; print('rows: 0'); sys.exit('no rows in the input')")
    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"] == "AlgorithmError: no rows in the input, exit code: 1"
    assert jobs.script_log(description["ProcessingJobName"])[-2:] == ["rows: 0", "no rows in the input"]


def test_outputs_of_a_failing_script_are_uploaded_too(jobs: Jobs) -> None:
    jobs.run_script(
        "import sys; open(sys.argv[1] + '/report', 'w').write('half'); sys.exit(3)",
        arguments=[OUT],
        outputs=[processing_output("out", f"s3://{BUCKET}/after-failure", OUT)],
    )
    assert jobs.read(f"s3://{BUCKET}/after-failure/report") == "half"


def test_the_exit_message_is_the_first_kilobyte_of_the_message_file(jobs: Jobs) -> None:
    description = jobs.run_script(
        "import os; open(os.environ['MESSAGE'], 'w').write('m' * 2000)",
        Environment={"MESSAGE": "/opt/ml/output/message"},
    )
    assert description["ProcessingJobStatus"] == "Completed"
    assert description["ExitMessage"] == "m" * 1024


def test_a_manifest_names_the_objects_of_an_input(jobs: Jobs) -> None:
    jobs.put("parts/one.csv", "1")
    jobs.put("parts/sub/two.csv", "2")
    jobs.put("parts/three.csv", "3")
    entries = [{"prefix": f"s3://{BUCKET}/parts/"}, "one.csv", "sub/two.csv"]
    manifest = jobs.put("parts.manifest", json.dumps(entries))
    name = jobs.start_script(
        "import os, sys; print(sorted(os.listdir(sys.argv[1])), os.listdir(sys.argv[1] + '/sub'))",
        arguments=["/opt/ml/processing/input/data"],
        inputs=[processing_input("data", manifest, "/opt/ml/processing/input/data", "ManifestFile")],
    )
    jobs.wait("processing-job", name)
    assert jobs.script_log(name)[-1] == "['one.csv', 'sub'] ['two.csv']"


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("[", "it is not JSON"),
        ("{}", "it is not a list"),
        ('["a"]', "its first element is not"),
        (f'[{{"prefix": "s3://{BUCKET}/"}}, "nowhere.csv"]', f"s3://{BUCKET}/nowhere.csv does not exist"),
        (f'[{{"prefix": "s3://{BUCKET}/"}}, "../../../etc/passwd"]', "lead out of it"),
    ],
)
def test_a_faulty_manifest_fails_the_job_with_the_reason(jobs: Jobs, manifest: str, reason: str) -> None:
    uri = jobs.put("faulty.manifest", manifest)
    description = jobs.run_script(
        "", inputs=[processing_input("data", uri, "/opt/ml/processing/input/data", "ManifestFile")]
    )
    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: Data download failed:manifest file")
    assert reason in description["FailureReason"]


def test_an_input_without_objects_fails_the_job(jobs: Jobs) -> None:
    nowhere = processing_input("data", f"s3://{BUCKET}/nowhere/", "/opt/ml/processing/input/data")
    description = jobs.run_script("", inputs=[nowhere])
    assert description["ProcessingJobStatus"] == "Failed"
    assert f"s3://{BUCKET}/nowhere/" in description["FailureReason"]


def test_an_output_bucket_that_does_not_exist_fails_the_job_and_is_not_made(jobs: Jobs) -> None:
    description = jobs.run_script("", outputs=[processing_output("out", "s3://no-such-bucket/x", OUT)])
    assert description["ProcessingJobStatus"] == "Failed"
    assert "no-such-bucket" in description["FailureReason"]
    assert not (jobs.service.settings.buckets / "no-such-bucket").exists()


def test_a_job_stops_when_told_to(jobs: Jobs) -> None:
    name = jobs.start_script("import time; print('started', flush=True); time.sleep(60)")
    assert jobs.parts.store.wait_until(lambda: _started(jobs, name), 20)
    jobs.call("StopProcessingJob", ProcessingJobName=name)
    description = jobs.wait("processing-job", name, seconds=20)
    assert description["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in description
    with pytest.raises(ServiceError, match="rejected because the processing job is in status Stopped"):
        jobs.call("StopProcessingJob", ProcessingJobName=name)


def test_a_job_is_stopped_when_its_time_is_up(jobs: Jobs) -> None:
    description = jobs.run_script("import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert description["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in description["FailureReason"]


def test_files_of_a_continuous_output_are_in_s3_while_the_job_runs(jobs: Jobs) -> None:
    name = jobs.start_script(
        f"""
        import boto3, sys, time
        open(sys.argv[1] + "/early.txt", "w").write("early")
        s3 = boto3.client("s3")
        while not s3.list_objects_v2(Bucket="{BUCKET}", Prefix="continuous/").get("Contents"):
            time.sleep(0.1)
        print("seen")
        """,
        arguments=[OUT],
        outputs=[processing_output("out", f"s3://{BUCKET}/continuous", OUT, "Continuous")],
        StoppingCondition={"MaxRuntimeInSeconds": 30},
    )
    assert jobs.wait("processing-job", name)["ProcessingJobStatus"] == "Completed"
    assert jobs.script_log(name)[-1] == "seen"


@pytest.mark.parametrize(
    "application",
    [
        {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own-image:1"},
        {"ImageUri": "own-image", "ContainerEntrypoint": ["/bin/bash", "run.sh"]},
    ],
)
def test_an_image_without_a_local_runtime_fails_the_job_and_names_what_is_supported(
    jobs: Jobs, application: dict[str, Any]
) -> None:
    description = jobs.run_script("", AppSpecification=application)
    assert description["ProcessingJobStatus"] == "Failed"
    assert str(application["ImageUri"]) in description["FailureReason"]
    assert "linear-learner" in description["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": [processing_output("o", f"s3://{BUCKET}/o", "/tmp/o")]}, BEGINNING),
        ({"outputs": [processing_output("o", f"s3://{BUCKET}/o", "/opt/ml/model")]}, BEGINNING),
        ({"outputs": [processing_output("o", f"s3://{BUCKET}/o", "/opt/ml/processing/../../../etc")]}, BEGINNING),
        ({"inputs": [processing_input("i", f"s3://{BUCKET}/i", "/opt/ml/config")]}, BEGINNING),
        ({"inputs": [processing_input("i", f"s3://{BUCKET}/i", "/opt/ml/processing/../model")]}, BEGINNING),
        ({"inputs": [processing_input("i", f"s3://{BUCKET}/i", "/opt/ml/processingx")]}, BEGINNING),
        ({"inputs": [processing_input("i", f"s3://{BUCKET}/../x", "/opt/ml/processing/i")]}, "segment"),
        ({"ExperimentConfig": {"ExperimentName": "e"}}, "ExperimentConfig: not implemented"),
    ],
)
def test_a_path_outside_the_jobs_folders_and_an_experiment_are_refused(
    jobs: Jobs, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match=message):
        jobs.run_script("", **changes)


def test_a_name_can_be_used_once(jobs: Jobs) -> None:
    name = jobs.start_script("")
    with pytest.raises(ServiceError, match="ResourceInUse: Job name must be unique"):
        jobs.start_script("", ProcessingJobName=name)
    jobs.wait("processing-job", name)
    jobs.call("DeleteProcessingJob", ProcessingJobName=name)
    with pytest.raises(ServiceError, match=f"ValidationException: Could not find requested job with name: {name}"):
        jobs.call("DescribeProcessingJob", ProcessingJobName=name)


def test_jobs_are_listed_in_the_order_of_their_making_with_their_status(jobs: Jobs) -> None:
    names = [jobs.start_script("", ProcessingJobName=jobs.name("listed")) for _ in range(2)]
    for name in names:
        jobs.wait("processing-job", name)
    assert [entry["ProcessingJobName"] for entry in _listed(jobs, NameContains="listed")] == names
    assert {entry["ProcessingJobStatus"] for entry in _listed(jobs, NameContains="listed")} == {"Completed"}


def _listed(jobs: Jobs, **request: object) -> list[dict[str, Any]]:
    return jobs.call("ListProcessingJobs", **request)["ProcessingJobSummaries"]


def _started(jobs: Jobs, name: str) -> bool:
    return "ProcessingStartTime" in jobs.parts.store.get("processing-job", name)
