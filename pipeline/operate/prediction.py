"""Scores of an endpoint for encoded rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

_MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Below the 6 MiB that an endpoint takes, and answers with, in one request."""


def predict(runtime: SageMakerRuntimeClient, endpoint_name: str, lines: list[str]) -> list[float]:
    """Ask an endpoint for the score of each row.

    Args:
        runtime: boto3's SageMaker runtime client.
        endpoint_name: the endpoint.
        lines: one line a row, features separated by commas.

    Returns:
        One score a row, in dollars for the insurance dataset: the label's own unit.
    """
    scores: list[float] = []
    for body in _requests(lines):
        response = runtime.invoke_endpoint(
            EndpointName=endpoint_name, ContentType="text/csv", Accept="application/json", Body=body.encode()
        )
        scores += [prediction["score"] for prediction in json.loads(response["Body"].read())["predictions"]]
    return scores


def _requests(lines: list[str]) -> Iterator[str]:
    body: list[str] = []
    size = 0
    for line in lines:
        if body and size + len(line) > _MAX_REQUEST_BYTES:
            yield "\n".join(body)
            body, size = [], 0
        body.append(line)
        size += len(line) + 1
    if body:
        yield "\n".join(body)
