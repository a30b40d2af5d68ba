"""The metrics that SageMaker adds to those of a request."""

from __future__ import annotations

from typing import Any

from local.records.training_jobs import OBJECTIVE
from local.runtime import algorithms


def with_metrics(algorithm: dict[str, Any], objective: str | None = None) -> dict[str, Any]:
    """Return an AlgorithmSpecification with the metrics that SageMaker adds.

    These are the metrics of its own algorithms, and the objective of a tuning job, which training jobs report under
    a second name too.

    Args:
        algorithm: The AlgorithmSpecification of a request.
        objective: The objective of a tuning job.

    Returns:
        A copy with MetricDefinitions, or ``algorithm`` itself if nothing is added.
    """
    found = algorithms.find(algorithm.get("TrainingImage", ""))
    given: list[dict[str, str]] = algorithm.get("MetricDefinitions", [])
    own = [] if found is None or given else [{"Name": name, "Regex": regex} for name, regex in found.metrics]
    known = [*given, *own]
    added = [{"Name": OBJECTIVE, "Regex": each["Regex"]} for each in known if each["Name"] == objective]
    if not own and not added:
        return algorithm
    time_series = {"EnableSageMakerMetricsTimeSeries": True} if own else {}
    return algorithm | {"MetricDefinitions": known + added} | time_series
