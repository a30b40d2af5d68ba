"""Training jobs that run the user's code."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.core.errors import ServiceError
from local.runtime.containers import isolation
from local.runtime.jobs import log
from tests.local.runtime.jobs.conftest import BUCKET, LINEAR_LEARNER, ROLE, Jobs, channel
from tests.local.runtime.jobs.own_image import (
    IMAGE,
    artifact_uri,
    map_images,
    own_request,
    printed,
    train,
    write_program,
)

own_roots = pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces")
WRITES_ALL = """
    import os
    os.makedirs("/opt/ml/checkpoints", exist_ok=True)
    for place in ("model/m.txt", "output/data/report.txt", "checkpoints/epoch-1"):
        with open(f"/opt/ml/{place}", "w") as file:
            file.write(place)
    """
CHECKPOINTS = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/"}}


@pytest.fixture(scope="module", autouse=True)
def own_image(jobs: Jobs) -> Iterator[None]:
    file = map_images(jobs, {"image": IMAGE, "environment": {"OF_IMAGE": "yes"}})
    yield
    file.unlink()


def test_a_container_has_sagemakers_files_and_variables(jobs: Jobs) -> None:
    jobs.put("numbers/a.csv", "1\n")
    description, lines = train(
        jobs,
        """
        import json, os
        config = {name: json.load(open(f"/opt/ml/input/config/{name}.json"))
                  for name in ("hyperparameters", "resourceconfig", "inputdataconfig")}
        names = ("TRAINING_JOB_NAME", "OF_IMAGE", "OF_REQUEST")
        config["variables"] = [os.environ[name] for name in names]
        config["data"] = open("/opt/ml/input/data/train/a.csv").read()
        print(json.dumps(config))
        """,
        HyperParameters={"epochs": "3", "name": '"x"'},
        Environment={"OF_REQUEST": "too"},
        channels=[
            channel("train", f"s3://{BUCKET}/numbers/"),
        ],
    )
    assert description["TrainingJobStatus"] == "Completed", lines
    read = printed(lines)
    assert read["hyperparameters"] == {"epochs": "3", "name": '"x"'}
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    assert read["resourceconfig"].pop("network_interface_name")
    assert read["resourceconfig"] == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [group],
    }
    assert read["inputdataconfig"]["train"]["TrainingInputMode"] == "File"
    assert read["variables"] == [description["TrainingJobName"], "yes", "too"]
    assert read["data"] == "1\n"


@own_roots
def test_a_job_has_its_own_root_and_its_roles_identity_and_cannot_change_its_input_in_s3(jobs: Jobs) -> None:
    uri = jobs.put("kept/a.csv", "1\n")
    description, lines = train(
        jobs,
        """
        import json, os, socket, urllib.request
        open("/opt/ml/input/data/train/a.csv", "w").write("changed")
        credentials = json.load(urllib.request.urlopen(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]))
        print(json.dumps({"folder": os.getcwd(), "host": socket.gethostname(), "role": credentials.get("RoleArn")}))
        """,
        channels=[channel("train", uri)],
    )
    assert description["TrainingJobStatus"] == "Completed", lines
    read = printed(lines)
    assert (read["folder"], read["host"]) == ("/", "algo-1")
    assert read["role"] in (None, ROLE)
    assert jobs.read(uri) == "1\n"


@pytest.mark.parametrize("way", [pytest.param("own root", marks=own_roots), "changed paths"])
def test_what_a_job_writes_is_uploaded(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "changed paths":
        monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    prefix = f"s3://{BUCKET}/checkpoints-{way.replace(' ', '-')}"
    description, lines = train(jobs, WRITES_ALL, CheckpointConfig={"S3Uri": prefix})
    assert description["TrainingJobStatus"] == "Completed", lines
    name = description["TrainingJobName"]
    assert description["ModelArtifacts"]["S3ModelArtifacts"] == artifact_uri(name, "model.tar.gz")
    assert _content(jobs, artifact_uri(name, "model.tar.gz")) == {"m.txt": "model/m.txt"}
    assert _content(jobs, artifact_uri(name, "output.tar.gz")) == {"report.txt": "output/data/report.txt"}
    assert jobs.read(f"{prefix}/epoch-1") == "checkpoints/epoch-1"
    _, lines = train(
        jobs,
        "import os, json; print(json.dumps({'found': os.listdir('/opt/ml/checkpoints')}))",
        CheckpointConfig={"S3Uri": prefix},
    )
    assert printed(lines) == {"found": ["epoch-1"]}


def test_a_model_that_is_not_compressed_is_uploaded_as_files(jobs: Jobs) -> None:
    script = f"{WRITES_ALL}\n    os.makedirs('/opt/ml/model/deep'); open('/opt/ml/model/deep/w', 'w').write('weights')"
    output = {"S3OutputPath": f"s3://{BUCKET}/models", "CompressionType": "NONE"}
    description, lines = train(jobs, script, OutputDataConfig=output)
    assert description["TrainingJobStatus"] == "Completed", lines
    assert description["OutputDataConfig"]["CompressionType"] == "NONE"
    name = description["TrainingJobName"]
    model = artifact_uri(name, "model/")
    assert description["ModelArtifacts"]["S3ModelArtifacts"] == model
    assert [key.rpartition("/output/")[2] for key in jobs.keys(artifact_uri(name, ""))] == [
        "model/deep/w",
        "model/m.txt",
        "output.tar.gz",
    ]
    assert jobs.read(f"{model}deep/w") == "weights"


def test_an_empty_model_folder_gives_the_artifacts_name_but_no_object(jobs: Jobs) -> None:
    description, lines = train(jobs, "print('nothing')")
    assert description["TrainingJobStatus"] == "Completed"
    assert not jobs.parts.objects.exists(description["ModelArtifacts"]["S3ModelArtifacts"])
    assert any("no model.tar.gz" in line for line in lines)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("open('/opt/ml/output/failure', 'w').write('no rows\\n' + 'x' * 2000); exit(3)", "no rows\nx"),
        ("raise ValueError('no columns')", "ValueError: no columns"),
    ],
)
def test_a_failure_becomes_the_reason_and_nothing_is_uploaded(jobs: Jobs, script: str, reason: str) -> None:
    description, _ = train(jobs, f"open('/opt/ml/model/m', 'w').close()\n{script}")
    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Failed"
    assert description["FailureReason"].startswith(f"AlgorithmError: {reason}")
    assert description["FailureReason"].endswith(", exit code: 3" if "exit(3)" in script else ", exit code: 1")
    assert "ModelArtifacts" not in description
    assert not jobs.parts.objects.exists(artifact_uri(description["TrainingJobName"], "model.tar.gz"))


def test_a_failure_file_of_a_program_that_exits_with_0_means_nothing(jobs: Jobs) -> None:
    description, _ = train(jobs, "open('/opt/ml/output/failure', 'w').write('no')")
    assert description["TrainingJobStatus"] == "Completed"


def test_metrics_are_read_from_the_log_where_a_tabulator_is_011(jobs: Jobs) -> None:
    description, lines = train(
        jobs,
        "for loss in (3, 2, 0.5): print(f'\\tloss={loss};')",
        specification={"MetricDefinitions": [{"Name": "loss", "Regex": "#011loss=(.*?);"}]},
    )
    assert "#011loss=0.5;" in lines
    (metric,) = description["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", 0.5)


def test_a_stopped_job_keeps_its_model_and_is_not_a_failure(jobs: Jobs) -> None:
    name = jobs.name("stopped")
    script = "import time; open('/opt/ml/model/m', 'w').close(); print('ready', flush=True); time.sleep(600)"
    jobs.call("CreateTrainingJob", **own_request(name, script, jobs))
    while "ready" not in jobs.log_lines(log.TRAINING, name):
        jobs.parts.store.wait_until(lambda: False, 0.05)
    jobs.call("StopTrainingJob", TrainingJobName=name)
    description = jobs.wait("training-job", name)
    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Stopped"
    assert "FailureReason" not in description
    assert jobs.parts.objects.exists(description["ModelArtifacts"]["S3ModelArtifacts"])


@own_roots
def test_an_image_is_started_with_the_argument_train(jobs: Jobs) -> None:
    write_program(jobs, "import sys; print('train', *sys.argv[1:])")
    programs = {"image": IMAGE, "files": {"/opt/program": "program"}}
    on_path = programs | {"environment": {"PATH": "/opt/program:${PATH}"}}
    try:
        map_images(jobs, on_path)
        _, by_name = train(jobs, "")
        map_images(jobs, programs | {"entrypoint": ["/opt/program/train", "--fast"]})
        _, by_entrypoint = train(jobs, "")
        _, by_arguments = train(jobs, "", specification={"ContainerArguments": ["tune"]})
        map_images(jobs, {"image": IMAGE})
        missing, _ = train(jobs, "")
    finally:
        map_images(jobs, {"image": IMAGE, "environment": {"OF_IMAGE": "yes"}})
    assert "train" in by_name
    assert "train --fast train" in by_entrypoint
    assert "train --fast tune" in by_arguments
    assert missing["FailureReason"].startswith("ClientError: the container's program train is neither in ")


def test_an_entry_of_the_users_goes_before_an_algorithm(jobs: Jobs) -> None:
    try:
        map_images(jobs, {"image": LINEAR_LEARNER})
        description, lines = train(
            jobs,
            "print('mine')",
            specification={"TrainingImage": LINEAR_LEARNER, "MetricDefinitions": [{"Name": "a", "Regex": "(.)"}]},
        )
    finally:
        map_images(jobs, {"image": IMAGE, "environment": {"OF_IMAGE": "yes"}})
    assert description["TrainingJobStatus"] == "Completed"
    assert "mine" in lines


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"specification": {"TrainingInputMode": "Pipe"}}, "TrainingInputMode Pipe: not implemented"),
        ({"CheckpointConfig": {"S3Uri": "s3://a/b", "LocalPath": "/tmp/c"}}, "LocalPath /tmp/c"),
        ({"CheckpointConfig": {"S3Uri": "https://a/b"}}, "https://a/b"),
        (
            {"specification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=.*"}]}},
            "has no group for the metric's value",
        ),
    ],
)
def test_what_is_not_imitated_is_refused_by_name(jobs: Jobs, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as refused:
        jobs.call("CreateTrainingJob", **own_request(jobs.name("refused"), "", jobs, **changes))
    assert refused.value.code == "ValidationException"
    assert message in refused.value.message


def _content(jobs: Jobs, uri: str) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(jobs.parts.objects.read(uri))) as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name: archive.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]
