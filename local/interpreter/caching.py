"""Step caching: reuse the results of an earlier run.

Only successful runs of the same step of the same pipeline are reused. The latest one is preferred. Source: "Caching
pipeline steps" and "Default cache key attributes by pipeline step type", Amazon SageMaker developer guide.
"""

from __future__ import annotations

import json
import time

from definition_language.caching import CACHE_KEYS, part
from local.interpreter.definition import Json, Step
from local.records import executions as records
from local.storage.store import Document, Store


def cache_key(step: Step, arguments: dict[str, Json]) -> str | None:
    """Return a step's cache key. A run with the same key can be reused.

    Args:
        step: The step.
        arguments: The step's arguments, with all expressions evaluated.

    Returns:
        The key as JSON text, or None if the step is never cached.
    """
    if step.cache_window is None:
        return None
    if step.type == "Lambda":
        attributes: dict[str, Json] = {"FunctionArn": step.function_arn, "Arguments": arguments}
    elif step.type == "Callback":
        attributes = {"SqsQueueUrl": step.queue_url, "Arguments": arguments}
    else:
        if step.type not in CACHE_KEYS:
            return None
        attributes = {path: part(arguments, path) for path in CACHE_KEYS[step.type]}
    return json.dumps([step.type, attributes], sort_keys=True)


def find_cached_run(store: Store, pipeline_arn: str, step: Step, key: str) -> tuple[str, Document] | None:
    """Find the latest run that can be reused.

    Returns:
        The ARN of the run's execution and the run's record, or None if there is no such run.
    """
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
