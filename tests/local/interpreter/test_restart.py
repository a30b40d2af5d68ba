"""The service's process is killed while executions run, and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY
from tests.local.interpreter.documents import ROLE, TRUE, condition, definition, processing

SLOW = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
ROOT = Path(__file__).parents[3]


def wait_for(what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come to be in time")


class ServiceProcess:
    """``python -m local`` on a folder, killed and started again at will."""

    def __init__(self, root) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._root = root
        self.client = boto3.Session(ACCESS_KEY, secret_key(root), region_name="us-east-1").client(
            "sagemaker", endpoint_url=f"http://127.0.0.1:{self._port}", config=Config(retries={"total_max_attempts": 1})
        )
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "local", "--root", str(self._root), "--port", str(self._port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers)

    def _answers(self):
        assert self._process.poll() is None
        try:
            return self.client.list_pipelines()
        except (BotoCoreError, ClientError):
            return None

    def end(self, number) -> None:
        self._process.send_signal(number)
        self._process.wait(20)


@pytest.fixture
def process(tmp_path):
    process = ServiceProcess(tmp_path / ".local")
    yield process
    process.end(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_execution_that_ran_is_failed_with_the_reason_and_can_be_retried(process, tmp_path, number) -> None:
    mark = tmp_path / "pid"
    steps = [processing("Slow", "python3", "-c", SLOW, str(mark)), condition("Gate", TRUE)]
    process.client.create_pipeline(PipelineName="p", PipelineDefinition=definition(*steps), RoleArn=ROLE)
    arn = process.client.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    job = int(wait_for(lambda: mark.exists() and mark.read_text()))
    wait_for(lambda: statuses(process, arn).get("Gate") == "Succeeded")

    process.end(number)
    process.start()

    described = process.client.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert "the local service stopped" in described["FailureReason"]
    assert statuses(process, arn) == {"Slow": "Failed", "Gate": "Succeeded"}
    wait_for(lambda: not is_running(job))
    assert process.client.describe_pipeline(PipelineName="p")["PipelineDefinition"] == definition(*steps)

    mark.unlink()
    process.client.retry_pipeline_execution(PipelineExecutionArn=arn)
    wait_for(mark.exists)
    process.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    wait_for(
        lambda: (
            process.client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Stopped"
        )
    )
    assert statuses(process, arn) == {"Slow": "Stopped", "Gate": "Succeeded"}


def statuses(process, arn):
    listed = process.client.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {step["StepName"]: step["StepStatus"] for step in listed}


def is_running(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
