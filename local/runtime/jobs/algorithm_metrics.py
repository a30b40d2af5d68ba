"""The metrics that SageMaker defines for its own algorithms."""

from __future__ import annotations

from typing import Any

from local.records.training_jobs import OBJECTIVE
from local.runtime import algorithms


def with_metrics(algorithm: dict[str, Any], objective: str | None = None) -> dict[str, Any]:
    """Return an AlgorithmSpecification with the metrics that SageMaker adds for its own algorithms.

    Args:
        algorithm: The AlgorithmSpecification of a request.
        objective: The objective of a tuning job. Its training jobs report the objective under a second name too.

    Returns:
        A copy with MetricDefinitions, or ``algorithm`` itself if its image is not one of SageMaker's own.
    """
    found = algorithms.find(algorithm.get("TrainingImage", ""))
    if found is None:
        return algorithm
    known = list(found.metrics)
    if objective:
        known += [(OBJECTIVE, regex) for name, regex in found.metrics if name == objective]
    definitions = [{"Name": name, "Regex": regex} for name, regex in known]
    return algorithm | {"MetricDefinitions": definitions, "EnableSageMakerMetricsTimeSeries": True}
