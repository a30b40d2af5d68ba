"""The service's process is killed while executions run, and started again."""

from __future__ import annotations

import json
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
from tests.local.interpreter.documents import ROLE, TRUE, condition, definition, fail, get, processing

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
        self.client = self.client_of("sagemaker")
        self.start()

    def client_of(self, service):
        return boto3.Session(ACCESS_KEY, secret_key(self._root), region_name="us-east-1").client(
            service, endpoint_url=f"http://127.0.0.1:{self._port}", config=Config(retries={"total_max_attempts": 1})
        )

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


@pytest.mark.slow
def test_a_killed_service_goes_on_waiting_for_a_callback_and_its_other_steps_are_lost(process, tmp_path) -> None:
    mark, sqs = tmp_path / "pid", process.client_of("sqs")
    url = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    outputs = [{"OutputName": "rows", "OutputType": "Integer"}]
    waiting = {"Type": "Callback", "SqsQueueUrl": url, "OutputParameters": outputs}
    after = fail("Say", get("Steps.Wait.OutputParameters['rows']"))
    alone = [{"Name": "Wait", **waiting}, after]
    together = [*alone, processing("Slow", "python3", "-c", SLOW, str(mark))]
    arns = {}
    for name, steps in (("alone", alone), ("together", together)):
        process.client.create_pipeline(PipelineName=name, PipelineDefinition=definition(*steps), RoleArn=ROLE)
        arns[name] = process.client.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    tokens: dict[str, str] = {}
    while len(tokens) < len(arns):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", []):
            body = json.loads(message["Body"])
            tokens[body["pipelineExecutionArn"]] = body["token"]
    wait_for(lambda: mark.exists())
    wait_for(lambda: all(statuses(process, arn)["Wait"] == "Executing" for arn in arns.values()))

    process.end(signal.SIGKILL)
    process.start()

    assert statuses(process, arns["alone"]) == {"Wait": "Executing"}
    assert statuses(process, arns["together"]) == {"Wait": "Executing", "Slow": "Failed"}
    assert "Messages" not in sqs.receive_message(QueueUrl=url, VisibilityTimeout=0), "nothing is sent twice"
    for arn in arns.values():
        process.client.send_pipeline_execution_step_success(
            CallbackToken=tokens[arn], OutputParameters=[{"Name": "rows", "Value": "7"}]
        )
    wait_for(lambda: statuses(process, arns["alone"]) == {"Wait": "Succeeded", "Say": "Failed"})
    wait_for(lambda: statuses(process, arns["together"]) == {"Wait": "Succeeded", "Slow": "Failed"})
    for arn in arns.values():
        wait_for(lambda arn=arn: status(process, arn) == "Failed")


def status(process, arn):
    return process.client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]


def statuses(process, arn):
    listed = process.client.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {step["StepName"]: step["StepStatus"] for step in listed}


def is_running(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
