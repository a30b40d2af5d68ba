"""Changes of endpoints that take long, and the stop of the service meanwhile."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.app.parts import Parts
from local.core.settings import Settings
from local.runtime.endpoints.serving import ModelLoader
from local.runtime.models.containers import UnservableError
from local.runtime.models.program import ServingProgram
from local.runtime.models.server import ModelServer, ServerLimits, ServerPlan
from local.runtime.supervisor import ServiceStoppingError
from tests.local.conftest import IMAGE, open_parts

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SLOW_ENDPOINTS = 8
LOG = "/aws/sagemaker/Endpoints/quick"


@pytest.fixture
def create(parts: Parts, put_model: Callable[..., str]) -> Callable[[str], Any]:
    """Creates an endpoint."""
    parts.sagemaker.call(
        "CreateModel", {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": put_model()}}
    )
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    parts.sagemaker.call("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    return lambda name: parts.sagemaker.call("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": "c"})


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Slow endpoints are deployed when this is set."""
    event, load = threading.Event(), ModelLoader.load

    def wait_and_load(loader: ModelLoader, endpoint: str, *arguments: Any, **options: Any) -> Any:
        if endpoint.startswith("slow"):
            event.wait(60)
        return load(loader, endpoint, *arguments, **options)

    monkeypatch.setattr(ModelLoader, "load", wait_and_load)
    yield event
    event.set()


def plan(prepare: Callable[[Any], ServingProgram]) -> ServerPlan:
    return ServerPlan("e", "endpoint/e", prepare, lambda _: None, ServerLimits(60, 60, None))


def status(parts: Parts, name: str) -> str:
    record = parts.store.find("endpoint", name) or {"EndpointStatus": "Deleted"}
    return str(record["EndpointStatus"])


def until(reached: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def test_deployments_that_take_long_delay_nothing_of_other_endpoints(
    parts: Parts, create: Callable[[str], Any], go_on: threading.Event
) -> None:
    create("quick")
    until(lambda: status(parts, "quick") == "InService")
    for number in range(SLOW_ENDPOINTS):
        create(f"slow-{number}")
    assert parts.hosting.invoke("quick", b"1,2,3", "text/csv", None, None)[0] == 424
    until(parts.logs.path(LOG, "v/local").exists)
    weights = [{"VariantName": "v", "DesiredWeight": 0.5}]
    parts.sagemaker.call(
        "UpdateEndpointWeightsAndCapacities", {"EndpointName": "quick", "DesiredWeightsAndCapacities": weights}
    )
    until(lambda: status(parts, "quick") == "InService")
    parts.sagemaker.call("DeleteEndpoint", {"EndpointName": "quick"})
    until(lambda: status(parts, "quick") == "Deleted")
    go_on.set()
    for number in range(SLOW_ENDPOINTS):
        until(lambda name=f"slow-{number}": status(parts, name) == "InService")  # type: ignore[misc]


def test_a_deployment_that_the_services_stop_interrupts_goes_on_at_the_next_start(
    parts: Parts, create: Callable[[str], Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_for_the_stop(*_: object, **__: object) -> None:
        program = ServingProgram([sys.executable, "-c", "import time; time.sleep(60)"], settings.root, {})
        ModelServer(parts.supervisor, plan(lambda _: program)).wait_until_ready()

    with monkeypatch.context() as patch:
        patch.setattr(ModelLoader, "load", wait_for_the_stop)
        create("e")
        until(lambda: parts.supervisor._programs)
        parts.stop_work()
    again = open_parts(settings)
    try:
        record = again.store.get("endpoint", "e")
        assert (record["EndpointStatus"], record.get("FailureReason")) == ("Creating", None)
        again.changes.restore()
        until(lambda: status(again, "e") == "InService")
    finally:
        again.stop_work()
        again.close()


def test_no_model_server_starts_while_the_service_stops(parts: Parts, settings: Settings) -> None:
    parts.supervisor.stop_all()
    loader = ModelLoader(settings, parts.logs, parts.servers)
    staged = {"VariantName": "v", "Weight": 1.0, "Image": SKLEARN, "Artifact": None, "Source": None}
    with pytest.raises(ServiceStoppingError):
        loader.load("e", [staged], None)
    assert not parts.logs.path("/aws/sagemaker/Endpoints/e", "v/local").exists()


def test_a_server_that_breaks_says_why(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    def prepare(_: object) -> ServingProgram:
        raise ZeroDivisionError("in the service itself")

    with caplog.at_level(logging.CRITICAL), pytest.raises(UnservableError, match="ZeroDivisionError: in the service"):
        ModelServer(parts.supervisor, plan(prepare)).wait_until_ready()
