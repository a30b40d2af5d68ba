"""Print docs/coverage.md: the supported and refused operations of each AWS service.

.venv/bin/python -m local.app.coverage > docs/coverage.md
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import botocore.session

from local.api.moto.services import SERVICES
from local.app import public_pipelines
from local.app.parts import Parts
from local.aws.credentials import KeyRing
from local.core.settings import Settings
from local.interpreter.step_types import SUPPORTED_TYPES

STEP_TYPES = (
    *("AutoML", "Callback", "ClarifyCheck", "Cleanup", "Condition", "EMR", "EMRServerless", "Endpoint"),
    *("EndpointConfig", "Fail", "ForEach", "InferenceComponent", "Job", "Lambda", "Lineage", "Model"),
    *("MonitorBatchTransform", "NotebookJob", "Processing", "QualityCheck", "RegisterModel", "Training", "Transform"),
    "Tuning",
)
"""All types of steps: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html ; their names
in definitions are the SDK's ``StepTypeEnum``."""

_INTRODUCTION = """\
# What the local service has, and what it refuses

`.venv/bin/python -m local.app.coverage > docs/coverage.md` writes this page from the code; a test compares the two.
A refused operation answers `NotImplementedException` (HTTP 501) with its name.
CreatePipeline refuses a definition with a refused step type.
[The local service](local-service.md) says how what is there differs from AWS.
"""


def document() -> str:
    """Return the page as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(Settings(Path(folder) / ".local"), KeyRing("none"))
        try:
            sections = [
                _INTRODUCTION,
                public_pipelines.section(),
                _steps(),
                _operations("SageMaker", "sagemaker", parts.sagemaker.operations),
                _operations("Lambda", "lambda", parts.functions_api.operations()),
                _operations("CloudWatch Logs", "logs", parts.logs_api.operations()),
            ]
        finally:
            parts.close()
    moto = ", ".join(f"`{name}`" for name in sorted(SERVICES))
    sections.append(
        "## Other services\n\n"
        "`s3`: objects and buckets; [the local service](local-service.md) lists what is refused.\n\n"
        f"Answered by moto, by signing name: {moto}.\n\nEvery other service is refused by name.\n"
    )
    return "\n".join(sections)


def _steps() -> str:
    rows = [f"| {name} | {'there' if name in SUPPORTED_TYPES else 'refused'} |" for name in STEP_TYPES]
    return "\n".join(["## Step types", "", "| step type | |", "|---|---|", *rows, ""])


def _operations(title: str, service: str, there: Iterable[str]) -> str:
    known = botocore.session.get_session().get_service_model(service).operation_names
    names = set(there)
    refused = [name for name in known if name not in names]
    return "\n".join(
        [
            f"## {title}: {len(names)} of {len(known)} operations",
            "",
            "There: " + ", ".join(f"`{name}`" for name in known if name in names) + ".",
            "",
            "Refused: " + ", ".join(refused) + ".",
            "",
        ]
    )


if __name__ == "__main__":
    print(document(), end="")
