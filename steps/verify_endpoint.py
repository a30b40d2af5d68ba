"""See that the endpoint serves the model that was selected.

Waits until the endpoint is in service, sends it the held-out rows of the winning fold, and compares the error of its
answers with the one that the training job reported. Runs in SageMaker's scikit-learn container as a processing job;
needs boto3 and nothing of this repository.

Output: <verification>/verification.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

NOT_DEPLOYED = ("AwaitingApproval", "Rejected")
MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Under the endpoint's limit of 6 MiB a request, whose answers may be longer than the rows."""

MAX_ROWS = 200_000
"""Rows sent at the most: beyond, a part stands for all, and its error is compared within its own uncertainty."""

RELATIVE_TOLERANCE = 1e-3
"""The endpoint works in 32-bit floating point, and so do the metrics that SageMaker reports."""

POLL_SECONDS = 0.25
MAX_POLL_SECONDS = 15.0
MAX_WAIT_SECONDS = 1800


class VerificationError(Exception):
    """The endpoint does not serve what it should; the text says how."""


def client(service: str) -> Any:
    """Return a boto3 client for the region that the job runs in.

    SageMaker's containers have AWS_REGION; boto3 itself reads AWS_DEFAULT_REGION only.

    Raises:
        VerificationError: neither variable is set.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise VerificationError("no AWS region: set the environment variable AWS_REGION or AWS_DEFAULT_REGION")
    return boto3.client(service, region_name=region)


def wait_until_in_service(sagemaker: Any, endpoint: str, endpoint_config: str) -> None:
    """Wait for the endpoint, at most half an hour.

    Raises:
        VerificationError: it failed, went back to another configuration, or is not ready in time.
    """
    deadline, pause = time.monotonic() + MAX_WAIT_SECONDS, POLL_SECONDS
    while True:
        description = sagemaker.describe_endpoint(EndpointName=endpoint)
        status, serving = description["EndpointStatus"], description.get("EndpointConfigName")
        reason = description.get("FailureReason", "no reason given")
        if status == "InService" and serving == endpoint_config:
            return
        if status == "InService":
            raise VerificationError(
                f"{endpoint} serves {serving} and not {endpoint_config}: it was rolled back: {reason}"
            )
        if status not in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            raise VerificationError(f"{endpoint} is {status}: {reason}")
        if time.monotonic() > deadline:
            raise VerificationError(f"{endpoint} is still {status} after {MAX_WAIT_SECONDS // 60} minutes")
        time.sleep(pause)
        pause = min(pause * 1.5, MAX_POLL_SECONDS)


def held_out_rows(s3: Any, folder_uri: str) -> Iterator[str]:
    """Lines of every CSV part under a folder, label first."""
    folder = urlsplit(folder_uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=folder.netloc, Prefix=folder.path.lstrip("/"))
    for page in pages:
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=folder.netloc, Key=item["Key"])["Body"]
            for line in body.iter_lines():
                if line.strip():
                    yield line.decode("utf-8")


def requests(rows: Iterator[str], limit: int) -> Iterator[tuple[list[float], bytes]]:
    """Labels, and the request's body without them, in requests of bounded size."""
    labels: list[float] = []
    lines: list[str] = []
    size = 0
    for count, row in enumerate(rows):
        if count == limit:
            break
        label, _, features = row.partition(",")
        if size + len(features) > MAX_REQUEST_BYTES:
            yield labels, "\n".join(lines).encode()
            labels, lines, size = [], [], 0
        labels.append(float(label))
        lines.append(features)
        size += len(features) + 1
    if labels:
        yield labels, "\n".join(lines).encode()


def squared_errors(runtime: Any, endpoint: str, rows: Iterator[str]) -> list[float]:
    """The squared error of the endpoint's score for each row.

    Raises:
        VerificationError: it answered with another number of scores, or one that is not finite.
    """
    errors: list[float] = []
    for labels, body in requests(rows, MAX_ROWS):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="application/json", Body=body
        )
        scores = [prediction["score"] for prediction in json.loads(answer["Body"].read())["predictions"]]
        if len(scores) != len(labels):
            raise VerificationError(f"{endpoint} answered {len(labels)} rows with {len(scores)} scores")
        if not all(math.isfinite(score) for score in scores):
            raise VerificationError(f"{endpoint} answered with a score that is not a finite number")
        errors += [(score - label) ** 2 for score, label in zip(scores, labels)]  # noqa: B905 - Python 3.9 has no strict
    return errors


def compare(errors: list[float], expected: float) -> dict[str, Any]:
    """Compare the mean squared error of the answers with the training job's.

    Raises:
        VerificationError: there were no rows, or the two differ by more than the tolerance.
    """
    if not errors:
        raise VerificationError("the winning fold has no held-out rows")
    mse, tolerance = statistics.fmean(errors), RELATIVE_TOLERANCE * expected
    if len(errors) == MAX_ROWS:
        tolerance += 5 * statistics.stdev(errors) / math.sqrt(len(errors))
    result = {"rows": len(errors), "mse": mse, "training_job_mse": expected, "tolerance": tolerance}
    if not abs(mse - expected) <= tolerance:
        raise VerificationError(
            f"the endpoint's error on held-out rows is not the training job's: {json.dumps(result)}"
        )
    return result


def verify(options: argparse.Namespace) -> dict[str, Any]:
    """Verify the endpoint; say so where there is none to verify."""
    if options.deployment_status in NOT_DEPLOYED:
        return {"status": options.deployment_status, "verified": False}
    best = json.loads(options.best.read_text("utf-8"))
    wait_until_in_service(client("sagemaker"), options.endpoint_name, options.endpoint_config_name)
    rows = held_out_rows(client("s3"), f"{options.folds_uri.rstrip('/')}/vc{best['fold']}/test/")
    errors = squared_errors(client("sagemaker-runtime"), options.endpoint_name, rows)
    return {"status": "InService", "verified": True, **compare(errors, best["mse"])}


def main(arguments: list[str] | None = None) -> None:
    """Verify, and write the output."""
    parser = argparse.ArgumentParser(description="See that the endpoint serves the model that was selected.")
    parser.add_argument("--endpoint-name", required=True)
    parser.add_argument("--endpoint-config-name", required=True, help="the configuration that it should serve")
    parser.add_argument("--deployment-status", required=True, help="what the deploying function said")
    parser.add_argument("--best", required=True, type=Path, help="best.json of the selection")
    parser.add_argument("--folds-uri", required=True, help="where the folds are in S3")
    parser.add_argument("--verification", required=True, type=Path, help="folder for the output")
    options = parser.parse_args(arguments)
    result = verify(options)
    options.verification.mkdir(parents=True, exist_ok=True)
    (options.verification / "verification.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    try:
        main()
    except VerificationError as error:
        sys.exit(f"verify_endpoint: error: {error}")
