"""Where the user's code of a model is: in the artifact or in S3, with packages of its own; or an image of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError

from local.runtime.containers import isolation
from tests.local.runtime.jobs.wheels import wheel
from tests.local.runtime.models.conftest import IN_MODEL, SCRIPT, Serving, archive, until

pytestmark = pytest.mark.slow
ROW = b"[[1, 2]]"
OWN_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own-server:1"
# What a server in an image does, in the standard library.
SERVER = """#!/usr/bin/env python3
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"fail":
            self.answer(b"the row is bad", 422)
            return
        names = sorted(os.listdir("/opt/ml/model"))
        self.answer(json.dumps([sys.argv[1:], names, os.environ["KIND"], body.decode()]).encode())

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        name = "X-Amzn-SageMaker-Custom-Attributes"
        self.send_header(name, f"got {self.headers[name]}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(os.environ.get("PORT_VARIABLE", 8080))), Handler).serve_forever()
"""
needs_own_roots = pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces")


def test_code_in_s3_is_served_also_after_the_object_is_gone(serving: Serving) -> None:
    uri = serving.put(
        archive(
            {
                "serve.py": SCRIPT.replace("return float", "import helper\n        return helper.two * float"),
                "helper.py": "two = 2",
            }
        )
    )
    environment = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": uri}
    endpoint = serving.serve({"weight.txt": "2"}, environment)
    assert serving.ask(endpoint, ROW) == "[12.0]"
    serving.service.parts.objects.delete(uri)
    staged = serving.service.parts.store.get("endpoint", endpoint)["_Variants"][0]
    assert (serving.service.settings.root / staged["Source"]).is_file()


def test_requirements_are_installed_for_this_model_only(serving: Serving) -> None:
    script = (
        SCRIPT + "\ndef output_fn(prediction, accept):\n    return __import__('jobpackage').version, 'text/plain'\n"
    )
    files: dict[str, str | bytes] = {
        "code/inference.py": script,
        "code/requirements.txt": "./jobpackage-7-py3-none-any.whl",
        "code/jobpackage-7-py3-none-any.whl": wheel("7"),
        "weight.txt": "2",
    }
    assert serving.ask(serving.serve(files), ROW) == "7"
    without = {name: content for name, content in files.items() if name in ("code/inference.py", "weight.txt")}
    endpoint = serving.serve(without)
    with pytest.raises(ClientError, match="Internal Server Error"):
        serving.ask(endpoint, ROW)
    serving.wait_for_log(endpoint, "No module named 'jobpackage'")


def test_a_model_has_its_roles_identity(serving: Serving) -> None:
    script = (
        SCRIPT
        + """
import boto3

def output_fn(prediction, accept):
    return boto3.client("sts", region_name="us-east-1").get_caller_identity()["Arn"], "text/plain"
"""
    )
    endpoint = serving.serve({"code/inference.py": script, "weight.txt": "2"})
    assert serving.ask(endpoint, ROW) == "arn:aws:sts::123456789012:assumed-role/serving/SageMaker"


def test_a_machine_without_namespaces_replaces_paths(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    script = (
        SCRIPT
        + """
def output_fn(prediction, accept):
    found = [open("/opt/ml/model/weight.txt").read(), os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]]
    try:
        open("/opt/ml/model/weight.txt", "w")
    except OSError:
        found.append("read-only")
    return " ".join(found), "text/plain"
"""
    )
    endpoint = serving.serve({"code/inference.py": script, "weight.txt": "2"})
    weight, place, *rest = serving.ask(endpoint, ROW).split()
    assert weight == "2"
    assert Path(place).is_relative_to(serving.service.settings.model_servers)
    # The modes of files do not hold for root.
    assert rest == ["read-only"] or os.geteuid() == 0
    serving.sagemaker.delete_endpoint(EndpointName=endpoint)
    until(lambda: not Path(place).parents[1].exists())


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"code/inference.py": "def predict_fn(a, b): pass"}, "Please provide a model_fn implementation"),
        ({"code/inference.py": "import nothing_like_this"}, "No module named 'nothing_like_this'"),
        ({"code/other.py": SCRIPT}, "No module named 'inference'"),
    ],
)
def test_code_that_cannot_be_loaded_fails_the_health_check(
    serving: Serving, files: dict[str, str | bytes], reason: str
) -> None:
    endpoint = serving.deploy(files, {**IN_MODEL, "SAGEMAKER_MODEL_SERVER_WORKERS": "2"})
    described = serving.settle(endpoint)
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    serving.wait_for_log(endpoint, reason)


@pytest.fixture
def own_image(serving: Serving) -> Iterator[Path]:
    """The folder of an own image's files; local-images.yaml is gone after the test."""
    folder = serving.service.settings.root.parent
    (folder / "docker").mkdir(exist_ok=True)
    yield folder
    (folder / "local-images.yaml").unlink()


def build(folder: Path, server: str, **entry: object) -> None:
    program = folder / "docker" / "serve"
    program.write_text(server)
    program.chmod(0o755)
    entry = {"image": OWN_IMAGE, "files": {"/app": "docker"}, **entry}
    (folder / "local-images.yaml").write_text(yaml.safe_dump([entry]))


@needs_own_roots
def test_an_own_images_server_answers_at_the_port_that_it_is_given(serving: Serving, own_image: Path) -> None:
    server = SERVER.replace("PORT_VARIABLE", "SAGEMAKER_BIND_TO_PORT")
    build(own_image, server, environment={"KIND": "own"}, entrypoint=["python3", "/app/serve"])
    endpoint = serving.serve({"weight.txt": "2"}, {}, Image=OWN_IMAGE)
    answer = serving.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"a", CustomAttributes="trace=1")
    assert json.loads(answer["Body"].read()) == [["serve"], ["weight.txt"], "own", "a"]
    assert answer["CustomAttributes"] == "got trace=1"
    with pytest.raises(
        ClientError, match=r"Received client error \(422\) from primary with message \"the row is bad\""
    ):
        serving.ask(endpoint, "fail")


@needs_own_roots
def test_a_server_that_insists_on_port_8080_is_refused(serving: Serving, own_image: Path) -> None:
    # An image without an entrypoint has a program named serve.
    build(own_image, SERVER, environment={"PATH": "/app:/bin:/usr/bin"})
    described = serving.settle(serving.deploy({"weight.txt": "2"}, {}, Image=OWN_IMAGE))
    assert described["EndpointStatus"] == "Failed"
    assert "must listen on the port in SAGEMAKER_BIND_TO_PORT" in described["FailureReason"]
