"""Jobs of a service that stops or is killed: no program outlives it, and its records say what became of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY, Settings
from local.runtime.lines import read_lines
from local.runtime.supervisor import Program, Supervisor
from tests.local.runtime.jobs.conftest import ROLE, SCIKIT_LEARN, channel, processing_input

REPOSITORY = Path(__file__).parents[4]
# The script starts a program of its own, which outlives it unless somebody ends it.
ENDLESS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("programs", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


@dataclass
class Process:
    """A service in a process of its own."""

    root: Path

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "--root", str(self.root), "--port", "0"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        # It greets when it serves.
        self.said = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert found, f"the service has not started: {self.said}"
        self.url = found[0]

    def client(self, name: Any) -> Any:
        session = boto3.Session(ACCESS_KEY, secret_key(self.root), region_name="us-east-1")
        return session.client(name, endpoint_url=self.url)

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.said += self.process.stdout.read()
        self.process.stdout.close()


@pytest.fixture
def service_process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path / ".local")
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGKILL)


def _create_processing_job(sagemaker: Any, name: str) -> None:
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
        },
        ProcessingInputs=[processing_input("code", "s3://code/script.py", "/opt/ml/processing/input/code")],
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    )


def _create_training_job(sagemaker: Any, name: str) -> None:
    specification = {
        "TrainingImage": SCIKIT_LEARN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/script.py"],
    }
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification=specification,
        InputDataConfig=[channel("code", "s3://code/script.py")],
        OutputDataConfig={"S3OutputPath": "s3://code/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def _start_endless_job(service: Process, name: str, kind: str = "Processing") -> list[int]:
    """Start a processing or training job that does not end; return the ids of its processes."""
    s3, sagemaker, logs = (service.client(each) for each in ("s3", "sagemaker", "logs"))
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="script.py", Body=ENDLESS.encode())
    {"Processing": _create_processing_job, "Training": _create_training_job}[kind](sagemaker, name)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/sagemaker/{kind}Jobs")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        for event in events:
            if event["message"].startswith("programs "):
                return [int(process) for process in event["message"].split()[1:]]
        time.sleep(0.05)
    raise AssertionError("the job has not started")


def _gone(processes: list[int], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_is_running(process) for process in processes):
            return True
        time.sleep(0.02)
    return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    # A zombie that nobody has collected yet does nothing any more.
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_the_credentials_of_an_interrupted_job_are_worth_nothing_after_the_restart(service_process: Process) -> None:
    program = _start_endless_job(service_process, "with-credentials")[0]
    uri = psutil.Process(program).environ()["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    keys = json.load(urllib.request.urlopen(uri))
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"], region_name="us-east-1")
    assert session.client("s3", endpoint_url=service_process.url).list_buckets()["Buckets"]
    service_process.end(signal.SIGKILL)

    again = Process(service_process.root)
    try:
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            session.client("s3", endpoint_url=again.url).list_buckets()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(again.url + urlsplit(uri).path)
    finally:
        again.end(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Processing", "Training"])
def test_nothing_outlives_a_killed_service_and_its_job_is_failed_at_the_next_start(
    service_process: Process, kind: str
) -> None:
    if kind == "Training":
        # An image's environment of its own needs no packages here.
        (service_process.root.parent / "local-images.yaml").write_text(f"- image: {SCIKIT_LEARN}\n")
    processes = _start_endless_job(service_process, "interrupted-job", kind)
    service_process.end(signal.SIGKILL)
    assert _gone(processes)

    again = Process(service_process.root)
    try:
        sagemaker = again.client("sagemaker")
        if kind == "Processing":
            description = sagemaker.describe_processing_job(ProcessingJobName="interrupted-job")
        else:
            description = sagemaker.describe_training_job(TrainingJobName="interrupted-job")
    finally:
        again.end(signal.SIGTERM)
    assert description[f"{kind}JobStatus"] == "Failed"
    assert description["FailureReason"] == ("InternalServerError: the local service stopped while the job was running")
    assert "Marked interrupted jobs as Failed: interrupted-job." in again.said
    assert "Killed" not in again.said


@pytest.mark.slow
def test_a_service_that_is_told_to_stop_ends_its_jobs_programs(service_process: Process) -> None:
    processes = _start_endless_job(service_process, "stopped-job")
    service_process.end(signal.SIGINT)
    assert service_process.process.returncode == 0
    # A guard may end them a moment after the service.
    assert _gone(processes)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """What starts the jobs of a service, here of none: it stands for one that is gone but for its programs."""
    started = Supervisor(Settings(tmp_path / ".local", port=0))
    yield started
    started.stop_all()


def _start_endless_program(supervisor: Supervisor, folder: Path) -> tuple[Program, list[int]]:
    command = [sys.executable, "-c", ENDLESS]
    program = supervisor.start("processing-job/orphaned", command, folder=folder, environment=os.environ)
    return program, [int(process) for process in next(read_lines(program.read_output()))[0].split()[1:]]


def test_the_next_start_kills_what_nobody_else_has(supervisor: Supervisor, tmp_path: Path) -> None:
    program, processes = _start_endless_program(supervisor, tmp_path)
    assert all(_is_running(process) for process in processes)

    again = Process(tmp_path / ".local")
    again.end(signal.SIGTERM)
    assert "Killed programs that interrupted jobs had left running: 1." in again.said
    assert program.wait() == -signal.SIGKILL
    assert _gone(processes)


def test_a_program_that_has_ended_is_signalled_no_more(supervisor: Supervisor, tmp_path: Path) -> None:
    program, processes = _start_endless_program(supervisor, tmp_path)
    program.kill()
    assert program.wait() == -signal.SIGKILL
    assert _gone(processes)
    program.terminate(grace=0)
    program.kill()
    again, others = _start_endless_program(supervisor, tmp_path)
    time.sleep(0.1)
    assert all(_is_running(process) for process in others)
    again.kill()
    again.wait()
