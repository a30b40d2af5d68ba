"""Targets of EventBridge's rules: what PutTargets refuses.

EventBridge's words for refusals come from its users; where a rule names no other source, from
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from local.api.eventbridge.inputs import Target, fill, places
from local.core.errors import not_implemented, validation_error
from local.core.json_text import JsonError, read_json
from local.core.settings import ACCOUNT_ID

FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[^:]+:\d{12}:function:.+")
PIPELINE = re.compile(r"arn:aws[a-z-]*:sagemaker:[^:]+:\d{12}:pipeline/(.+)")
LOG_GROUP = re.compile(r"arn:aws[a-z-]*:logs:[^:]+:\d{12}:log-group:([^:]+).*")
_PATH = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+")
_INPUTS = ("Input", "InputPath", "InputTransformer")
_PREDEFINED = "aws.events."


def check_target(target: Target, region: str) -> None:
    """Refuse a target that EventBridge refuses, or that would not get here what it gets on AWS.

    Raises:
        ServiceError: ValidationException in EventBridge's words, or NotImplementedException.
    """
    arn, name = target.get("Arn", ""), target.get("Id")
    if not any(kind.fullmatch(arn) for kind in (FUNCTION, PIPELINE, LOG_GROUP)):
        raise not_implemented("events", f"PutTargets with the target {arn}")
    if arn.split(":")[3:5] != [region, ACCOUNT_ID]:
        raise not_implemented("events", f"PutTargets with the target {arn} of another region or account")
    if PIPELINE.fullmatch(arn):
        _check_pipeline(target)
    elif target.get("SageMakerPipelineParameters"):
        raise validation_error(f"Parameter(s) SageMakerPipelineParameters not supported for target: {name}.")
    _check_input(target)


def _check_pipeline(target: Target) -> None:
    """Refuse a pipeline target without a role, or with parameters whose JSON path EventBridge does not support.

    Source: "Dynamic path parameters", https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    if not target.get("RoleArn"):
        raise validation_error(f"RoleArn is required for target {target['Arn']}.")
    for item in pipeline_parameters(target):
        if item["Value"].startswith("$") and not _PATH.fullmatch(item["Value"]):
            raise not_implemented("events", f"PutTargets with the JSON path {item['Value']}")


def _check_input(target: Target) -> None:
    name = target.get("Id")
    if sum(member in target for member in _INPUTS) > 1:
        raise validation_error(
            f"Only one of {', '.join(_INPUTS[:2])}, or {_INPUTS[2]} must be provided for target {name}."
        )
    if "Input" in target:
        try:
            read_json(target["Input"])
        except JsonError:
            raise validation_error(f"JSON syntax error in input for target {name}.") from None
    if "InputPath" in target:
        _check_path(target["InputPath"], f"InputPath for target {name} is invalid.")
    transformer = target.get("InputTransformer", {})
    for key, path in transformer.get("InputPathsMap", {}).items():
        _check_path(path, f"InputPath for target {name} is invalid. (InputPathsMap: {key})")
    if transformer:
        _check_template(transformer, name)


def _check_path(path: str, message: str) -> None:
    if not path.startswith("$") or "['" in path or '["' in path:
        raise validation_error(message)
    if path != "$" and not _PATH.fullmatch(path):
        raise not_implemented("events", f"PutTargets with an InputPath such as {path}")


def _check_template(transformer: dict[str, Any], name: str | None) -> None:
    template = transformer["InputTemplate"]
    for place in places(template):
        if place in transformer.get("InputPathsMap", {}):
            continue
        if place.startswith(_PREDEFINED):
            raise not_implemented("events", f"PutTargets with <{place}> in an InputTemplate")
        raise validation_error(f"InputTemplate for target {name} contains invalid placeholder {place}.")
    try:
        json.loads(fill(template, {}))
    except (ValueError, RecursionError):
        raise not_implemented("events", "PutTargets with an InputTemplate that is not JSON") from None


def pipeline_parameters(target: Target) -> list[dict[str, str]]:
    """Return the names and values of the parameters with which a target starts its pipeline."""
    parameters: list[dict[str, str]] = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    return parameters
