"""What happens to model servers over time: updates, deletions, crashes, time limits, kills of the service."""

from __future__ import annotations

import threading
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import RunningService
from tests.local.runtime.models.conftest import BUCKET, IN_MODEL, SCRIPT, Serving, until

pytestmark = pytest.mark.slow
ROW = b"[[1, 2]]"


def processes() -> list[psutil.Process]:
    """The model servers' programs."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if "/models/image" in _command(process)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def folders(serving: Serving) -> list[str]:
    root = serving.service.settings.model_servers
    return [path.name for path in root.iterdir()] if root.is_dir() else []


def delete(serving: Serving, endpoint: str) -> None:
    serving.sagemaker.delete_endpoint(EndpointName=endpoint)
    until(lambda: not folders(serving) and not processes())


def test_an_update_loses_no_request_and_a_deletion_leaves_nothing(serving: Serving) -> None:
    endpoint = serving.serve({"code/inference.py": SCRIPT, "weight.txt": "2"})
    config = serving.config(serving.model({"code/inference.py": SCRIPT, "weight.txt": "3"}))
    answers: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append(serving.ask(endpoint, ROW))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        until(lambda: bool(answers))
        serving.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        described = serving.settle(endpoint)
        until(lambda: answers[-1] == "[9.0]")
    finally:
        stop.set()
        thread.join()
    assert described["EndpointStatus"] == "InService"
    assert set(answers) == {"[6.0]", "[9.0]"}
    assert answers == sorted(answers)
    until(lambda: len(folders(serving)) == 1 and len(processes()) == 1)
    delete(serving, endpoint)


def test_a_failed_update_keeps_the_old_model(serving: Serving) -> None:
    endpoint = serving.serve({"code/inference.py": SCRIPT, "weight.txt": "2"})
    config = serving.config(serving.model({"code/inference.py": SCRIPT, "weight.txt": "heavy"}))
    serving.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    described = serving.settle(endpoint)
    assert described["EndpointStatus"] == "InService"
    assert "did not pass the ping health check. Please check CloudWatch logs" in described["FailureReason"]
    assert "could not convert string to float: 'heavy'" in described["FailureReason"]
    serving.wait_for_log(endpoint, "in model_fn")
    assert serving.ask(endpoint, ROW) == "[6.0]"
    delete(serving, endpoint)


def test_a_program_that_dies_is_started_again(serving: Serving) -> None:
    dies = SCRIPT + "\ndef input_fn(body, content_type):\n    os._exit(3) if body == 'die' else None\n"
    dies += "    import numpy\n    return numpy.array([[1, 2]])\n"
    endpoint = serving.serve({"code/inference.py": dies, "weight.txt": "2"})
    with pytest.raises(ClientError) as raised:
        serving.ask(endpoint, "die")
    answer: dict[str, Any] = dict(raised.value.response)
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 0)
    assert f"Amazon SageMaker could not get a response from the {endpoint} endpoint" in answer["OriginalMessage"]

    def is_back() -> bool:
        try:
            return serving.ask(endpoint, "live") == "[6.0]"
        except ClientError:
            return False

    until(is_back)
    delete(serving, endpoint)


def test_a_slow_answer_is_ended_by_the_containers_own_limit(serving: Serving) -> None:
    slow = SCRIPT + "\nimport time\ndef input_fn(body, content_type):\n    time.sleep(float(body))\n"
    slow += "    import numpy\n    return numpy.array([[1, 2]])\n"
    environment = {**IN_MODEL, "SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"}
    endpoint = serving.serve({"code/inference.py": slow, "weight.txt": "2"}, environment)
    with pytest.raises(ClientError, match="504 Gateway Time-out: SAGEMAKER_MODEL_SERVER_TIMEOUT is 1 s"):
        serving.ask(endpoint, "30")
    until(lambda: _answers(serving, endpoint))
    delete(serving, endpoint)


def test_requests_do_not_end_a_program_that_starts_slowly(serving: Serving) -> None:
    script = (
        SCRIPT.replace("    with open", "    wait()\n    with open")
        + """
import time

def wait():
    if os.path.exists("/opt/ml/output/died"):
        time.sleep(4)

def input_fn(body, content_type):
    import numpy
    if body == "die":
        open("/opt/ml/output/died", "w").close()
        os._exit(1)
    return numpy.array([[1, 2]])
"""
    )
    environment = {**IN_MODEL, "SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"}
    endpoint = serving.serve({"code/inference.py": script, "weight.txt": "2"}, environment)
    with pytest.raises(ClientError):
        serving.ask(endpoint, "die")
    until(lambda: _answers(serving, endpoint))
    delete(serving, endpoint)


def _answers(serving: Serving, endpoint: str) -> bool:
    try:
        return serving.ask(endpoint, "0") == "[6.0]"
    except ClientError:
        return False


def test_a_restarted_service_serves_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings_root = tmp_path_factory.mktemp("again") / ".local"
    # Loading asks the service, which must listen by then.
    asks = "import boto3\n" + SCRIPT.replace(
        "    with open", "    boto3.client('s3', region_name='us-east-1').list_buckets()\n    with open"
    )
    with LocalService(Settings(settings_root, port=0)) as first:
        service = RunningService(first)
        service.client("s3").create_bucket(Bucket=BUCKET)
        serving = Serving(service)
        endpoint = serving.serve({"code/inference.py": asks, "weight.txt": "2"})
        port = first.settings.port
    assert processes() == []
    with LocalService(Settings(settings_root, port=port)) as second:
        serving = Serving(RunningService(second))
        assert serving.ask(endpoint, ROW) == "[6.0]"
        assert len(folders(serving)) == 1
        delete(serving, endpoint)


def test_a_model_that_computes_for_long_delays_no_other_request(serving: Serving) -> None:
    waits = (
        SCRIPT
        + """
import time

def input_fn(body, content_type):
    import numpy
    while not os.path.exists("/opt/ml/output/go-on"):
        time.sleep(0.01)
    return numpy.array([[1, 2]])
"""
    )
    endpoint = serving.serve({"code/inference.py": waits, "weight.txt": "2"})
    (folder,) = serving.service.settings.model_servers.iterdir()
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(serving.ask(endpoint, ROW))) for _ in range(30)]
    for thread in threads:
        thread.start()
    other = serving.serve({"code/inference.py": SCRIPT, "weight.txt": "3"})
    assert serving.ask(other, ROW) == "[9.0]"
    assert answers == []
    (folder / "output" / "go-on").touch()
    for thread in threads:
        thread.join()
    assert answers == ["[6.0]"] * 30
    serving.sagemaker.delete_endpoint(EndpointName=other)
    delete(serving, endpoint)
