"""The service is killed at random moments, while a pipeline runs and clients write.

After each restart, nothing is lost that a client was told, no process is left, no execution hangs, and every object is
whole.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY
from local.runtime.survivors import VARIABLE
from tests.local.conftest import environment_without_aws
from tests.local.interpreter.documents import ROLE, TRUE, Document, condition, definition, processing
from tests.local.runtime.jobs.conftest import processing_input

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST_RUN = 0.8
"""Longest time until a kill, in seconds. A job of the pipeline takes about as long."""

# A child in a session of its own, and output that grows.
WORK = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
for number in range(20):
    print("line", number, flush=True)
    time.sleep(0.02)
open(sys.argv[1] + "/result.txt", "w").write("x" * 200_000)
"""


def work(name: str) -> Document:
    """A step that runs the script."""
    code = processing_input("code", "s3://bucket/code/work.py", "/opt/ml/processing/input/code")
    entrypoint = ("python3", "/opt/ml/processing/input/code/work.py", "/opt/ml/processing/output/out")
    outputs = {"out": f"s3://bucket/results/{name}"}
    return processing(name, *entrypoint, outputs=outputs, arguments={"ProcessingInputs": [code]})


class Service:
    """A service in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "--root", str(root), "--port", "0"],
            cwd=REPOSITORY,
            env=environment_without_aws(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, f"the service has not started: {line}"
        self._url = found[0]

    def client(self, name: Any) -> Any:
        session = boto3.Session(ACCESS_KEY, secret_key(self.root), region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1}, read_timeout=20)
        return session.client(name, endpoint_url=self._url, config=config)

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Promises:
    """What clients were told: the objects that exist with their digests, and the groups and executions."""

    def __init__(self) -> None:
        self.objects: dict[str, set[str]] = {}
        self.unchecked: set[str] = set()
        self.groups: list[str] = []
        self.executions: list[str] = []
        self._count = 0

    def put_objects(self, service: Service, stop: threading.Event) -> None:
        """Write new objects and replace old ones, small and large."""
        client = service.client("s3")
        while not stop.is_set():
            self._count += 1
            key = f"folder/{self._count % 7}" if self._count % 2 else f"object-{self._count}"
            content = os.urandom(1 + self._count * 7919 % 300_000)
            digest = hashlib.md5(content).hexdigest()
            # Until the answer, either content is right.
            before = self.objects.get(key, set())
            self.objects[key] = {*before, digest} if before else {digest, "absent"}
            self.unchecked.add(key)
            client.put_object(Bucket="bucket", Key=key, Body=content, Metadata={"digest": digest})
            self.objects[key] = {digest}

    def create_groups(self, service: Service, stop: threading.Event) -> None:
        """Write records."""
        client = service.client("sagemaker")
        while not stop.is_set():
            name = f"group-{len(self.groups)}-{random.getrandbits(32)}"
            client.create_model_package_group(ModelPackageGroupName=name)
            self.groups.append(name)

    def run_pipelines(self, service: Service, stop: threading.Event) -> None:
        """Start executions one after the other."""
        client = service.client("sagemaker")
        while not stop.is_set():
            arn = client.start_pipeline_execution(PipelineName="pipeline")["PipelineExecutionArn"]
            self.executions.append(arn)
            while not stop.is_set() and _status(client, arn) == "Executing":
                time.sleep(0.05)

    def check(self, service: Service) -> None:
        """Assert that everything is there."""
        s3, sagemaker = service.client("s3"), service.client("sagemaker")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
        listed = {item["Key"] for page in pages for item in page.get("Contents", ())}
        for key in self.objects.keys() - listed:
            assert "absent" in self.objects[key], f"{key} is lost"
        for key in self.unchecked & listed:
            digests = self.objects[key]
            got = s3.get_object(Bucket="bucket", Key=key)
            digest = hashlib.md5(got["Body"].read()).hexdigest()
            assert digest in digests, f"{key} is not whole"
            assert got["ETag"] == f'"{digest}"'
            assert got["Metadata"] == {"digest": digest}
            self.objects[key] = {digest}
        self.unchecked = set()
        unknown = {key for key in listed - self.objects.keys() if not key.startswith(("results/", "code/"))}
        assert not unknown
        groups = sagemaker.get_paginator("list_model_package_groups").paginate()
        names = {group["ModelPackageGroupName"] for page in groups for group in page["ModelPackageGroupSummaryList"]}
        assert set(self.groups) <= names
        for arn in self.executions[-2:]:
            until(lambda arn=arn: _status(sagemaker, arn) not in ("Executing", "Stopping"))  # type: ignore[misc]
            steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
            assert {step["StepStatus"] for step in steps} <= {"Succeeded", "Failed"}
            if _status(sagemaker, arn) == "Succeeded":
                assert len(steps) == 3
        jobs = sagemaker.list_processing_jobs(StatusEquals="InProgress")["ProcessingJobSummaries"]
        assert not jobs, "a job hangs"


def _status(client: Any, arn: str) -> str:
    return str(client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


OF_SERVICE = "SAGEMAKER_USER_CONFIG_OVERRIDE"
"""A job's variable with a path in the folder of its service."""


def processes_of(root: Path) -> list[psutil.Process]:
    """The processes of jobs in a folder that have not ended."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if VARIABLE in environment and environment.get(OF_SERVICE, "").startswith(str(root)):
            found.append(process)
    return found


@pytest.fixture
def services(tmp_path: Path) -> Iterator[list[Service]]:
    started = [Service(tmp_path / ".local")]
    yield started
    if started[-1].process.poll() is None:
        started[-1].end(signal.SIGKILL)
    for process in processes_of(tmp_path):
        process.kill()


def write_until_killed(service: Service, promises: Promises, seconds: float, *, within_job: bool) -> None:
    """Write with several clients, and kill the service some seconds after an execution, or its job, has started."""
    executions = len(promises.executions)
    stop, faults = threading.Event(), []

    def run(write: Callable[[Service, threading.Event], None]) -> None:
        try:
            write(service, stop)
        except (BotoCoreError, ClientError) as error:
            # A client whose service has gone gets no answer. A service that answers with an error fails.
            if isinstance(error, ClientError):
                faults.append(error)

    writes = (promises.put_objects, promises.create_groups, promises.run_pipelines)
    writers = [threading.Thread(target=run, args=[write]) for write in writes]
    for writer in writers:
        writer.start()
    until(lambda: len(promises.executions) > executions or bool(faults))
    until(lambda: not within_job or bool(processes_of(service.root)) or bool(faults))
    time.sleep(seconds)
    service.end(signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join(30)
        assert not writer.is_alive(), "a client hangs"
    assert faults == []


@pytest.mark.slow
@pytest.mark.parametrize("kills", [8, pytest.param(20, marks=pytest.mark.long)])
def test_kills_lose_nothing_and_leave_nothing(services: list[Service], tmp_path: Path, kills: int) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))
    print(f"seed: {seed} (KILL_SEED={seed} repeats the moments)")
    moments = random.Random(seed)
    promises = Promises()
    client = services[-1].client("s3")
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="code/work.py", Body=WORK.encode())
    document = definition(work("Work"), condition("Gate", TRUE, then=[work("Last")], DependsOn=["Work"]))
    services[-1].client("sagemaker").create_pipeline(PipelineName="pipeline", PipelineDefinition=document, RoleArn=ROLE)
    for number in range(kills):
        write_until_killed(services[-1], promises, moments.uniform(0, LONGEST_RUN), within_job=number % 2 == 0)
        services.append(Service(tmp_path / ".local"))
        promises.check(services[-1])
        until(lambda: not processes_of(tmp_path))
        assert not list((tmp_path / ".local" / "s3" / ".nanio" / "uploads").iterdir())
    promises.unchecked = set(promises.objects)
    promises.check(services[-1])
    assert len(promises.executions) >= kills
    assert len(promises.groups) > kills
    assert len(promises.objects) > kills

    # The last execution runs to its end when nothing disturbs it.
    sagemaker = services[-1].client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName="pipeline")["PipelineExecutionArn"]
    until(lambda: _status(sagemaker, arn) != "Executing")
    assert _status(sagemaker, arn) == "Succeeded"
