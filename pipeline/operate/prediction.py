"""Asks an endpoint for the scores of encoded rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

_MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Less than the endpoint's limit of 6 MiB for a request and for its answer."""


def predict(runtime: SageMakerRuntimeClient, endpoint_name: str, lines: list[str]) -> list[float]:
    """Return an endpoint's score for each row.

    Args:
        runtime: boto3's SageMaker runtime client.
        endpoint_name: the endpoint.
        lines: one line for each row, features separated by commas.

    Returns:
        One score for each row, in the label's unit (dollars for the insurance dataset).
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
