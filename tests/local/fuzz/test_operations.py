"""Every operation of every service: whatever a request holds, the answer is one of the service's own, and well-formed.

FUZZ_RANDOM=1 FUZZ_TIMES=50 python -m pytest tests/local/fuzz sends other requests, and more of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definition_language.models import service_model
from local.api.moto.services import SERVICES
from local.app.parts import Parts
from local.aws.credentials import KeyRing
from local.core.settings import Settings
from tests.local.fuzz.conftest import fuzzed
from tests.local.fuzz.encodings import to_cbor, to_json, to_query, to_rest
from tests.local.fuzz.sender import check
from tests.local.fuzz.values import requests


def _ours() -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(Settings(Path(folder) / ".local"), KeyRing("none"))
        try:
            return {
                "sagemaker": sorted(parts.sagemaker.operations),
                "lambda": sorted(parts.functions_api.operations()),
                "logs": sorted(parts.logs_api.operations()),
            }
        finally:
            parts.close()


OURS = [(service, operation) for service, names in _ours().items() for operation in names]
EVENTS = ["PutRule", "PutTargets", "PutEvents", "DeleteRule", "ListRules", "TestEventPattern"]
TEMPLATES = {name: service_model("lambda").operation_model(name).http["requestUri"] for name in _ours()["lambda"]}


def send(target: Any, service: str, operation: str, request: Any) -> None:
    """Send a request in the service's first protocol, and check the answer."""
    model = service_model("cloudwatch" if service == "monitoring" else service)
    shape, output = (getattr(model.operation_model(operation), name) for name in ("input_shape", "output_shape"))
    method, path, headers, protocol = "POST", b"/", {}, str(model.metadata["protocol"])
    if protocol == "json":
        headers = {
            b"x-amz-target": f"{model.metadata['targetPrefix']}.{operation}".encode(),
            b"content-type": b"application/x-amz-json-1.1",
        }
        body = to_json(request)
    elif protocol == "query":
        headers = {b"content-type": b"application/x-www-form-urlencoded"}
        body = to_query(operation, model.api_version, shape, request if isinstance(request, dict) else {})
    elif protocol == "smithy-rpc-v2-cbor":
        headers = {b"smithy-protocol": b"rpc-v2-cbor", b"content-type": b"application/cbor"}
        path = f"/service/{model.metadata['targetPrefix']}/operation/{operation}".encode()
        body = to_cbor(request)
    else:
        method = model.operation_model(operation).http["method"]
        path, headers, body = to_rest(shape, TEMPLATES[operation], request if isinstance(request, dict) else {})
    reply = target.sender.send(service, method, path, headers, body)
    check(reply, protocol, output, (operation, request))


@pytest.mark.parametrize(("service_name", "operation"), OURS)
def test_our_operations(target, service_name, operation) -> None:
    target.seed()
    _send_many(target, service_name, operation, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("service_name", "operation"), OURS)
def test_our_operations_at_length(target, service_name, operation) -> None:
    target.seed()
    _send_many(target, service_name, operation, 25)


def _send_many(target: Any, service: str, operation: str, examples: int) -> None:
    @fuzzed(examples)
    @given(requests(service_model(service).operation_model(operation).input_shape))
    def run(request: Any) -> None:
        send(target, service, operation, request)

    run()


@pytest.mark.parametrize("service_name", sorted(SERVICES))
def test_motos_operations(target, service_name) -> None:
    _send_any(target, service_name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("service_name", sorted(SERVICES))
def test_motos_operations_at_length(target, service_name) -> None:
    _send_any(target, service_name, 40)


def _send_any(target: Any, service: str, examples: int) -> None:
    model = service_model("cloudwatch" if service == "monitoring" else service)

    @fuzzed(examples)
    @given(
        st.data(), st.sampled_from(EVENTS if service == "events" and examples < 10 else sorted(model.operation_names))
    )
    def run(data: st.DataObject, operation: str) -> None:
        send(target, service, operation, data.draw(requests(model.operation_model(operation).input_shape)))

    run()
