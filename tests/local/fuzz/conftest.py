"""A service with one of each kind of resource, all of one name; what is found outside its folder afterwards."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from local.app.server import LocalService
from local.core.errors import ServiceError
from local.core.settings import Settings
from tests.local.conftest import IMAGE, ROLE, RunningService, make_artifact
from tests.local.fuzz.sender import Sender
from tests.local.fuzz.values import SEED

RANDOM = os.environ.get("FUZZ_RANDOM") == "1"
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
"""With FUZZ_RANDOM=1 every run sends other requests, and with FUZZ_TIMES=20 twenty times as many."""

DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": [{"Name": SEED, "Type": "String", "DefaultValue": "1"}],
        "Steps": [{"Name": SEED, "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}],
    }
)
TOKEN = "a" * 32
VARIANT = {"VariantName": SEED, "ModelName": SEED, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SEEDS: list[tuple[str, dict[str, Any]]] = [
    (
        "CreatePipeline",
        {"PipelineName": SEED, "RoleArn": ROLE, "PipelineDefinition": DEFINITION, "ClientRequestToken": TOKEN},
    ),
    ("CreateModel", {"ModelName": SEED, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{SEED}/{SEED}"}}),
    ("CreateModelPackageGroup", {"ModelPackageGroupName": SEED}),
    ("CreateModelPackage", {"ModelPackageGroupName": SEED, "ClientToken": TOKEN}),
    ("CreateModelPackage", {"ModelPackageName": SEED}),
    ("CreateEndpointConfig", {"EndpointConfigName": SEED, "ProductionVariants": [VARIANT]}),
    ("CreateEndpoint", {"EndpointName": SEED, "EndpointConfigName": SEED}),
]


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """Settings of a test that sends so many requests."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=not RANDOM,
        database=None,
        deadline=None,
        # An example is not repeated: the service is another one after it.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Target(RunningService):
    """The service, and a connection to it."""

    def __init__(self, service: LocalService) -> None:
        super().__init__(service)
        self.sender = Sender(service.settings)

    def seed(self) -> None:
        """Make what a request may have deleted."""
        for name, request in SEEDS:
            with contextlib.suppress(ServiceError):
                self.parts.sagemaker.call(name, request)
        self.parts.logs.create_group(SEED)
        self.parts.logs.append(SEED, SEED, ["a line"])
        (self.settings.buckets / SEED).mkdir(exist_ok=True)
        if not (self.settings.buckets / SEED / SEED).is_file():
            self.parts.objects.write(f"s3://{SEED}/{SEED}", make_artifact(self.settings.root, [1.0, 2.0], 0.5))

    def assert_alive(self) -> None:
        """A service that answers the next request has not hung."""
        self.client("sagemaker").list_pipelines(MaxResults=1)
        self.client("s3").list_buckets()


def _outside(root: Path) -> dict[str, int]:
    """Files beside the service's folder, and links within that lead outside."""
    found = {str(path): path.lstat().st_size for path in root.parent.rglob("*") if not path.is_relative_to(root)}
    links = {str(path): 0 for path in root.rglob("*") if path.is_symlink() and root not in path.resolve().parents}
    return found | links


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "canary").write_text("")
    root: Path = folder / "a" / ".local"
    (folder / "a").mkdir()
    (folder / "a" / "canary").write_text("")
    with LocalService(Settings(root, port=0)) as running:
        fuzzed_service = Target(running)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("main.py", "def handler(event, context): return event")
        fuzzed_service.seed()
        code = {"ZipFile": base64.b64encode(archive.getvalue()).decode()}
        function = {
            "FunctionName": SEED,
            "Runtime": "python3.11",
            "Handler": "main.handler",
            "Role": ROLE,
            "Code": code,
        }
        fuzzed_service.parts.functions_api.operations()["CreateFunction"](function)
        before = _outside(root)
        yield fuzzed_service
        fuzzed_service.assert_alive()
        fuzzed_service.sender.close()
        assert _outside(root) == before
