"""The metrics that SageMaker adds to those of a request."""

from __future__ import annotations

from typing import Any

from local.records.training_jobs import OBJECTIVE
from local.runtime.algorithms import Algorithm


def with_metrics(
    specification: dict[str, Any], algorithm: Algorithm | None, objective: str | None = None
) -> dict[str, Any]:
    """Return an AlgorithmSpecification with the metrics that SageMaker adds.

    These are the metrics of its own algorithms, and the objective of a tuning job, which training jobs report under
    a second name too.

    Args:
        specification: The AlgorithmSpecification of a request.
        algorithm: The algorithm of its image, if it has one.
        objective: The objective of a tuning job.

    Returns:
        A copy with MetricDefinitions, or ``specification`` itself if nothing is added.
    """
    given: list[dict[str, str]] = specification.get("MetricDefinitions", [])
    own = [] if algorithm is None or given else [{"Name": name, "Regex": regex} for name, regex in algorithm.metrics]
    known = [*given, *own]
    added = [{"Name": OBJECTIVE, "Regex": each["Regex"]} for each in known if each["Name"] == objective]
    if not own and not added:
        return specification
    time_series = {"EnableSageMakerMetricsTimeSeries": True} if own else {}
    return specification | {"MetricDefinitions": known + added} | time_series
