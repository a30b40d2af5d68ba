"""Definition documents that the tests put together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
TOKEN = "0123456789abcdef0123456789abcdef"
PYTHON_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

DEFINITIONS = Path(__file__).parent / "definitions"

WAIT_FOR_FILE = """
import os, time
def handler(event, context):
    while not os.path.exists(event["file"]):
        time.sleep(0.01)
    return {}
"""
"""A function that ends when there is the event's file, so that a test need not be quicker than it."""

Document = dict[str, Any]


def definition(*steps: Document, parameters: list[Document] | None = None, **members: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps), **members})


def get(path: str) -> Document:
    return {"Get": path}


def join(separator: str, *values: Any) -> Document:
    return {"Std:Join": {"On": separator, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> Document:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def fail(name: str, message: Any = "no", **members: Any) -> Document:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


def condition(
    name: str, test: Document | list[Document], then: Any = (), otherwise: Any = (), **members: Any
) -> Document:
    tests = test if isinstance(test, list) else [test]
    arguments = {"Conditions": tests, "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def compare(kind: str, left: Any, right: Any) -> Document:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


TRUE = compare("Equals", 1, 1)
FALSE = compare("Equals", 1, 2)


def function(
    name: str, arn: str, arguments: Document | None = None, outputs: Document | None = None, **members: Any
) -> Document:
    declared = [{"OutputName": key, "OutputType": kind} for key, kind in (outputs or {}).items()]
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": arguments or {},
        "OutputParameters": declared,
        **members,
    }


def processing(
    name: str, *entrypoint: Any, outputs: Document | None = None, arguments: Document | None = None, **members: Any
) -> Document:
    """A processing step; ``outputs``: S3 URIs by output name."""
    listed = [
        {
            "OutputName": output,
            "S3Output": {
                "S3Uri": uri,
                "LocalPath": f"/opt/ml/processing/output/{output}",
                "S3UploadMode": "EndOfJob",
            },
        }
        for output, uri in (outputs or {}).items()
    ]
    request = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": PYTHON_IMAGE,
            "ContainerEntrypoint": [one_line(part) for part in entrypoint] or ["true"],
        },
        "RoleArn": ROLE,
        **({"ProcessingOutputConfig": {"Outputs": listed}} if listed else {}),
        **(arguments or {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": request, **members}


def one_line(part: Any) -> Any:
    """Python code of several lines in one: SageMaker takes no line break in an entrypoint or an argument."""
    return f"exec({part!r})" if isinstance(part, str) and "\n" in part else part


def parameter(name: str, kind: str, default: Any = None, allowed: list[Any] | None = None) -> Document:
    document: Document = {"Name": name, "Type": kind}
    if default is not None:
        document["DefaultValue"] = default
    if allowed is not None:
        document["EnumValues"] = allowed
    return document
