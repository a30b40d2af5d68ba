"""Step caching: earlier runs whose results are used again.

Source: "Caching pipeline steps" and "Default cache key attributes by pipeline step type", Amazon SageMaker
developer guide. Only successful runs of the same step of the same pipeline count, the latest first.
"""

from __future__ import annotations

import json
import time

from definition_language.caching import CACHE_KEYS, part
from local.interpreter.definition import Json, Step
from local.records import executions as records
from local.storage.store import Document, Store


def cache_key(step: Step, arguments: dict[str, Json]) -> str | None:
    """What has to be the same in an earlier run; None where the step is never cached.

    Args:
        step: the step.
        arguments: its arguments with their expressions evaluated.
    """
    if step.cache_window is None:
        return None
    if step.type == "Lambda":
        attributes: dict[str, Json] = {"FunctionArn": step.function_arn, "Arguments": arguments}
    else:
        if step.type not in CACHE_KEYS:
            return None
        attributes = {path: part(arguments, path) for path in CACHE_KEYS[step.type]}
    return json.dumps([step.type, attributes], sort_keys=True)


def find_run(store: Store, pipeline_arn: str, step: Step, key: str) -> tuple[str, Document] | None:
    """The latest run that may be used again: its execution's ARN and its record."""
    if step.cache_window is None:
        return None
    oldest = time.time() - step.cache_window.total_seconds()
    runs = [
        (execution["PipelineExecutionArn"], run)
        for execution in store.list(records.EXECUTION, f"{pipeline_arn}/execution/")
        if (run := records.step(store, execution["PipelineExecutionArn"], step.name)) is not None
        and run["StepStatus"] == "Succeeded"
        and run.get("_CacheKey") == key
        and run["EndTime"] >= oldest
    ]
    return max(runs, key=lambda found: float(found[1]["EndTime"]), default=None)
