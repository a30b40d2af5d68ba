"""Imports every module that implements operations of SageMaker, so that ``operations.call`` finds them."""

from __future__ import annotations

from local.sagemaker import pipeline_executions, pipelines

__all__ = ["pipeline_executions", "pipelines"]
