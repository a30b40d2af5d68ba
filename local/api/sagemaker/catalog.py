"""Imports every module that implements operations of SageMaker, so that ``operations.call`` finds them."""

from __future__ import annotations

from local.api.sagemaker import (
    endpoint_configs,
    endpoints,
    model_package_groups,
    model_packages,
    models,
    pipeline_executions,
    pipelines,
    processing_jobs,
    tags,
    training_jobs,
    transform_jobs,
    tuning_jobs,
)

__all__ = [
    "endpoint_configs",
    "endpoints",
    "model_package_groups",
    "model_packages",
    "models",
    "pipeline_executions",
    "pipelines",
    "processing_jobs",
    "tags",
    "training_jobs",
    "transform_jobs",
    "tuning_jobs",
]
