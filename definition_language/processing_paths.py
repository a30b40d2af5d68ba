"""Checks the local paths of a processing job's inputs and outputs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-input-and-output.html : "For both ProcessingInput and
ProcessingOutput, the path in the processing container must begin with /opt/ml/processing/".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

ROOT = "/opt/ml/processing/"


def begins_with_root(path: str) -> bool:
    """Return whether a local path is below ``/opt/ml/processing/``, also after its ``..`` segments."""
    return path.startswith(ROOT) and f"{posixpath.normpath(path)}/".startswith(ROOT)


def local_path_faults(arguments: dict[str, Any]) -> Iterator[str]:
    """Yield the faults of the local paths of a request of CreateProcessingJob.

    Args:
        arguments: The request, which fits its shape. Values that are not known yet are no texts, and not checked.
    """
    inputs, config = arguments.get("ProcessingInputs"), arguments.get("ProcessingOutputConfig")
    outputs = config.get("Outputs") if isinstance(config, dict) else None
    for place, given, member in (
        ("ProcessingInputs", inputs, "S3Input"),
        ("ProcessingOutputConfig.Outputs", outputs, "S3Output"),
    ):
        for index, item in enumerate(given if isinstance(given, list) else []):
            source = item.get(member) if isinstance(item, dict) and item.get("AppManaged") is not True else None
            path = source.get("LocalPath") if isinstance(source, dict) else None
            if isinstance(path, str) and not begins_with_root(path):
                yield f"{place}[{index}].{member}.LocalPath: {path!r} must begin with {ROOT}"
