"""Collects the results of an execution: the winner, the training jobs, the model package and the endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.errors import UserError
from pipeline.operate.aws_errors import is_gone
from pipeline.operate.execution import ExecutionState
from pipeline.s3_uris import split_uri

if TYPE_CHECKING:
    from boto3 import Session


class ResultsDeletedError(UserError):
    """Results of an execution do not exist any more; the text says which."""


@dataclass(frozen=True)
class Refit:
    """A model that was trained on all rows.

    Attributes:
        training_job: the training job's name.
        value: the objective on the rows that it was trained on.
    """

    training_job: str
    value: float


@dataclass(frozen=True)
class RejectedRows:
    """Rows of the input that MakeFolds set aside, because it could not use them.

    Attributes:
        total: their number.
        rows: the number of all rows of the input, with them.
        reasons: their number by the reason's name in ``folds.json``, the most frequent first.
        uri: the S3 URI of the folder with the rows, their places and reasons.
    """

    total: int
    rows: int
    reasons: dict[str, int]
    uri: str


@dataclass(frozen=True)
class Results:
    """The results of an execution. Results of steps that did not run are None or empty.

    Attributes:
        rejected_rows: the rows that were set aside; None if there are none.
        best: ``best.json`` of SelectBest.
        training_jobs: fold, MSE, hyperparameters and names of every training job that completed.
        cv_results: every point with its error on each fold, the best first.
        cv_results_uri: the S3 URI of the same as CSV.
        refit: training job and objective of the model that was refitted on all rows; None for a fold's model.
        model_package_arn: the model package, registered by this execution or by an earlier one.
        model_package_deleted: whether it does not exist any more.
        newly_registered: whether this execution registered it.
        endpoint_name: the deployed endpoint.
        endpoint_state: ``verified``, another outcome of the verification, the status that the deploying function
            returned, or ``deleted since``.
    """

    rejected_rows: RejectedRows | None
    best: dict[str, Any] | None
    training_jobs: list[dict[str, Any]]
    cv_results: list[dict[str, Any]]
    cv_results_uri: str | None
    refit: Refit | None
    model_package_arn: str | None
    model_package_deleted: bool
    newly_registered: bool
    endpoint_name: str | None
    endpoint_state: str


def results_of(session: Session, state: ExecutionState) -> Results:
    """Collect the results of an execution.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.

    Raises:
        ResultsDeletedError: a file of results does not exist any more.
    """
    outputs = job_outputs(session, state, "SelectBest")
    found = _function_outputs(state, "FindModel")
    registered = state.step("RegisterModel")
    new_arn = registered.metadata.get("RegisterModel", {}).get("Arn") if registered else None
    again = "Again" if state.step("DeployEndpointAgain") else ""
    # FindModel finds a model also for an execution that rejects it.
    known_arn = found["model_package_arn"] if again else None
    deployed = _function_outputs(state, f"DeployEndpoint{again}")
    verified_at = job_outputs(session, state, f"VerifyEndpoint{again}")
    verification = _json(session, verified_at, "verification", "verification.json") or {}
    best = _json(session, outputs, "best", "best.json")
    package_arn = new_arn or known_arn
    package = _described(session, "model_package", ModelPackageName=package_arn) if package_arn else None
    return Results(
        rejected_rows=find_rejected_rows(session, state),
        best=best,
        training_jobs=_json(session, outputs, "evaluation", "training_jobs.json") or [],
        cv_results=_json(session, outputs, "evaluation", "cv_results.json") or [],
        cv_results_uri=f"{outputs['evaluation'].rstrip('/')}/cv_results.csv" if "evaluation" in outputs else None,
        refit=_refit(best, package),
        model_package_arn=package_arn,
        model_package_deleted=package_arn is not None and package is None,
        newly_registered=new_arn is not None,
        endpoint_name=deployed.get("endpoint_name"),
        endpoint_state=_endpoint_state(session, deployed, verification),
    )


def find_rejected_rows(session: Session, state: ExecutionState) -> RejectedRows | None:
    """Return which rows MakeFolds set aside; None if there are none, or if its report does not exist (any more)."""
    try:
        outputs = job_outputs(session, state, "MakeFolds")
        report = _json(session, outputs, "folds", "folds.json")
    except ResultsDeletedError:
        return None
    if report is None or not report["rejected"]["total"]:
        return None
    total, reasons = report["rejected"]["total"], report["rejected"]["by_reason"]
    rows = report["rows"] + total + report["dropped"]["total"]
    frequent = sorted(((name, number) for name, number in reasons.items() if number), key=lambda item: -item[1])
    return RejectedRows(total, rows, dict(frequent), f"{outputs['folds'].rstrip('/')}/rejected/")


def _endpoint_state(session: Session, deployed: dict[str, str], verification: dict[str, Any]) -> str:
    if verification.get("verified"):
        name = deployed["endpoint_name"]
        return "deleted since" if _described(session, "endpoint", EndpointName=name) is None else "verified"
    if verification.get("outcome") == "Failed":
        return f"failed its verification: {verification['message']}"
    return str(verification.get("outcome") or deployed.get("status", "not deployed"))


def _refit(best: dict[str, Any] | None, package: dict[str, Any] | None) -> Refit | None:
    if best is None or best["fold"] is not None or package is None:
        return None
    metadata = package["CustomerMetadataProperties"]
    value = metadata["training_mse"] if "training_mse" in metadata else metadata["training_value"]
    return Refit(metadata["training_job"], float(value))


def _described(session: Session, kind: str, **name: str) -> dict[str, Any] | None:
    """Return the description of a resource of SageMaker, or None if it does not exist any more."""
    describe: Callable[..., dict[str, Any]] = getattr(session.client("sagemaker"), f"describe_{kind}")
    try:
        return describe(**name)
    except ClientError as error:
        if not is_gone(error):
            raise
        return None


def _function_outputs(state: ExecutionState, name: str) -> dict[str, str]:
    step = state.step(name)
    parameters = step.metadata.get("Lambda", {}).get("OutputParameters", []) if step else []
    return {parameter["Name"]: parameter["Value"] for parameter in parameters}


def job_outputs(session: Session, state: ExecutionState, name: str) -> dict[str, str]:
    """Return the S3 URIs of a processing step's outputs by name; none if the step has not succeeded."""
    step = state.step(name)
    if step is None or step.status != "Succeeded":
        return {}
    job_name = step.metadata.get("ProcessingJob", {}).get("Arn", "").rpartition("/")[2]
    if not job_name:  # from the cache of an execution that is gone
        return {}
    job = _described(session, "processing_job", ProcessingJobName=job_name)
    if job is None:
        raise ResultsDeletedError(f"The processing job {job_name} of {name} does not exist any more.")
    return {o["OutputName"]: o["S3Output"]["S3Uri"] for o in job["ProcessingOutputConfig"]["Outputs"]}


def _json(session: Session, outputs: dict[str, str], output: str, name: str) -> Any:
    if output not in outputs:
        return None
    uri = f"{outputs[output].rstrip('/')}/{name}"
    bucket, key = split_uri(uri)
    try:
        answer = session.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if not is_gone(error):
            raise
        raise ResultsDeletedError(f"{uri} does not exist any more: it had results of the execution.") from None
    return json.loads(answer["Body"].read())
