"""Sends rows of features to an endpoint, and shows how to send them with curl and with Python."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from pipeline.operate.model_columns import ModelColumns
from studio.aws import Aws


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered.

    Attributes:
        text: its body, or the model's error.
        predictions: the predictions as the model gives them, one JSON object a row; empty if the body has none.
        is_error: whether the model answered with an error, for example because a value is no number.
    """

    text: str
    predictions: tuple[Any, ...] = ()
    is_error: bool = False


def ask_endpoint(aws: Aws, endpoint: str, body: str) -> Answer:
    """Send rows of features to an endpoint."""
    runtime = aws.client("sagemaker-runtime")
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="application/json", Body=body.encode()
        )
    except runtime.exceptions.ModelError as error:
        return Answer(str(error.response.get("OriginalMessage") or error), is_error=True)
    text = answer["Body"].read().decode("utf-8", "replace")
    return Answer(text, _predictions(text))


def curl_command(aws: Aws, endpoint: str, body: str) -> str:
    """Return a command that sends the same request; curl signs it with the credentials in the environment."""
    url = f"{aws.client('sagemaker-runtime').meta.endpoint_url}/endpoints/{endpoint}/invocations"
    lines = [
        f"curl --aws-sigv4 {shlex.quote(f'aws:amz:{aws.region}:sagemaker')}",
        '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
        '--header "x-amz-security-token: $AWS_SESSION_TOKEN"',
        "--header 'content-type: text/csv' --header 'accept: application/json'",
        # Unlike --data, this takes a body that begins with @ as it is.
        f"--data-raw {shlex.quote(body)}",
        shlex.quote(url),
    ]
    return " \\\n  ".join(lines)


def python_code(aws: Aws, endpoint: str, body: str, columns: ModelColumns | None) -> str:
    """Return a Python program that sends the same request, and prints the labels in their own unit or as classes."""
    undone = columns is not None and columns.preparation.label_transform is not None
    where = f", endpoint_url={str(aws.client('sagemaker-runtime').meta.endpoint_url)!r}" if aws.is_local else ""
    score = 'math.expm1(each["score"])' if undone else 'each["score"]'
    shown = f'print([{score} for each in json.loads(answer["Body"].read())["predictions"]])'
    if columns is not None and columns.classes:
        shown = _class_lines(columns)
    return f"""import json
{"import math" + chr(10) if undone else ""}
import boto3

runtime = boto3.client("sagemaker-runtime", region_name={aws.region!r}{where})
answer = runtime.invoke_endpoint(
    EndpointName={endpoint!r},
    ContentType="text/csv",
    Accept="application/json",
    Body={body!r},
)
{shown}
"""


def _class_lines(columns: ModelColumns) -> str:
    """Return lines of Python that print the class and the score of each row, as ``ModelColumns.prediction_of`` does."""
    is_binary = len(columns.scored_classes) == 1
    # XGBoost names no class.
    probable = 'each["score"] > 0.5' if is_binary else 'each["score"].index(max(each["score"]))'
    return f"""classes = {list(columns.classes)!r}
for each in json.loads(answer["Body"].read())["predictions"]:
    print(classes[int(each.get("predicted_label", {probable}))], each["score"])"""


def _predictions(text: str) -> tuple[Any, ...]:
    """Return the predictions in an answer of linear-learner or XGBoost; none if it is another model's."""
    try:
        found: Any = json.loads(text)
        return tuple(found["predictions"])
    except (ValueError, KeyError, TypeError):
        return ()
