"""What an execution found: the winner, every training job, the model package, the endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.execution import ExecutionState

_SERVING = ("Deploying", "InService")
"""What the deploying function says of an endpoint that VerifyEndpoint then waits for and verifies."""


@dataclass(frozen=True)
class Results:
    """What an execution found; what it did not get to is None or empty.

    Attributes:
        best: ``best.json`` of SelectBest.
        training_jobs: every training job: fold, mse, hyperparameters, names.
        model_package_arn: the registered version.
        endpoint_name: the endpoint that was deployed.
        endpoint_state: how the deployment ended: ``verified``, or what the deploying function said.
    """

    best: dict[str, Any] | None
    training_jobs: list[dict[str, Any]]
    model_package_arn: str | None
    endpoint_name: str | None
    endpoint_state: str


def results_of(session: Any, state: ExecutionState) -> Results:
    """Collect what an execution found.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.
    """
    outputs = _selection_outputs(session, state)
    register, deploy, verify = (state.step(name) for name in ("RegisterModel", "DeployEndpoint", "VerifyEndpoint"))
    deployed = {
        parameter["Name"]: parameter["Value"]
        for parameter in (deploy.metadata.get("Lambda", {}) if deploy else {}).get("OutputParameters", [])
    }
    verified = verify is not None and verify.status == "Succeeded" and deployed.get("status") in _SERVING
    return Results(
        best=_json(session, outputs, "best", "best.json"),
        training_jobs=_json(session, outputs, "evaluation", "training_jobs.json") or [],
        model_package_arn=register.metadata.get("RegisterModel", {}).get("Arn") if register else None,
        endpoint_name=deployed.get("endpoint_name"),
        endpoint_state="verified" if verified else deployed.get("status", "not deployed"),
    )


def _selection_outputs(session: Any, state: ExecutionState) -> dict[str, str]:
    step = state.step("SelectBest")
    if step is None or step.status != "Succeeded":
        return {}
    name = step.metadata.get("ProcessingJob", {}).get("Arn", "").rpartition("/")[2]
    if not name:  # from the cache of an execution that is gone
        return {}
    job = session.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    return {o["OutputName"]: o["S3Output"]["S3Uri"] for o in job["ProcessingOutputConfig"]["Outputs"]}


def _json(session: Any, outputs: dict[str, str], output: str, name: str) -> Any:
    if output not in outputs:
        return None
    place = urlsplit(f"{outputs[output].rstrip('/')}/{name}")
    body = session.client("s3").get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    return json.loads(body)
