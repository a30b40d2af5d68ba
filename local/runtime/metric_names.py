"""Namespaces and units of SageMaker's metrics in CloudWatch.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

ENDPOINTS = "AWS/SageMaker"
"""Metrics of endpoints, with the dimensions EndpointName and VariantName."""

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
"""Metrics that training jobs report, with the dimension TrainingJobName."""

_MICROSECONDS = ("ModelLatency", "OverheadLatency")


def unit_of(metric: str) -> str:
    """Return a metric's unit."""
    return "Microseconds" if metric in _MICROSECONDS else "None"
