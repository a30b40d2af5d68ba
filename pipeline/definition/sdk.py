"""The names of the SageMaker Python SDK that this project uses, imported without a network."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

_OFFLINE = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "offline",
    "AWS_SECRET_ACCESS_KEY": "offline",
    "AWS_EC2_METADATA_DISABLED": "true",
    # Without it the SDK asks IAM whether a role would do.
    "SAGEMAKER_VALIDATE_ROLE": "false",
    # A definition does not depend on a person's or a machine's defaults. Validating them would take seconds, too.
    "SAGEMAKER_USER_CONFIG_OVERRIDE": os.devnull,
    "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": os.devnull,
}


@contextmanager
def offline_environment() -> Iterator[None]:
    """Set environment variables with which the SDK can be imported and build steps; restore them at the end.

    The SDK creates AWS clients that it never uses. Without a region that fails. Without credentials botocore asks
    the machine's metadata service or runs a profile's credential command.
    """
    before = {name: os.environ.pop(name, None) for name in (*_OFFLINE, "AWS_PROFILE", "AWS_REGION")}
    os.environ.update(_OFFLINE)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector away from what is imported meanwhile, for as long as the process lives.

    The SDK makes 300,000 objects that stay. Looking through them takes a quarter of the time of the import, then some
    tenths of a second at each full collection, and a second at the end of the process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


warnings.filterwarnings("ignore", module=r"sagemaker\..*|pydantic\..*")
_root_before = (logging.root.level, logging.root.handlers[:])

with offline_environment(), _uncollected():
    import boto3
    from sagemaker.core import common_utils, image_uris
    from sagemaker.core.drift_check_baselines import DriftCheckBaselines
    from sagemaker.core.lambda_helper import Lambda
    from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import (
        Channel,
        DataSource,
        ModelPackageModelCard,
        OutputDataConfig,
        ProcessingInput,
        ProcessingOutput,
        ProcessingS3Input,
        ProcessingS3Output,
        S3DataSource,
    )
    from sagemaker.core.spark.processing import PySparkProcessor
    from sagemaker.core.telemetry import telemetry_logging
    from sagemaker.core.workflow.conditions import (
        ConditionEquals,
        ConditionGreaterThan,
        ConditionGreaterThanOrEqualTo,
        ConditionLessThan,
        ConditionLessThanOrEqualTo,
        ConditionOr,
    )
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow import steps as workflow_steps
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TuningStep
    from sagemaker.serve.model_builder import ModelBuilder
    from sagemaker.train.configs import Compute, Networking, StoppingCondition
    from sagemaker.train.model_trainer import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner


# The SDK configures the root logger. Its messages about building are not for the user.
logging.root.setLevel(_root_before[0])
logging.root.handlers[:] = _root_before[1]
logging.getLogger("sagemaker").setLevel(logging.ERROR)


def _send_nothing(*_: Any, **__: Any) -> None:
    """Replace the SDK's telemetry, which reports the account and the error texts of every call."""


# The SDK's documented opt-out is a configuration that it reads again for every request, six seconds a build.
# If a later SDK lacks this function, stop: its telemetry must first be turned off in another way.
if not hasattr(telemetry_logging, "_send_telemetry_request"):
    raise ImportError("pipeline/definition/sdk.py does not know how this version of the SageMaker SDK sends telemetry")
telemetry_logging._send_telemetry_request = _send_nothing

# Each URI of an image would read botocore's list of all endpoints again.
common_utils._botocore_resolver = cache(common_utils._botocore_resolver)

# Each processing step would make a session with clients of S3, 0.2 s of CPU time, to ask for a method's name.
workflow_steps.LocalSagemakerClient = partial(workflow_steps.LocalSagemakerClient, sagemaker_session=object())


class _NoClient:
    """Takes the place of an AWS client that the SDK makes, and does not use to build a definition."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"building a definition makes no AWS call, and the SDK wants {name} of {self._service}")


class _OfflineSession(boto3.Session):
    """A session without clients. The SDK would make a dozen of them, which takes half the time of building."""

    def client(self, service_name: str, *_: Any, **__: Any) -> Any:
        return _NoClient(service_name)

    def resource(self, service_name: str, *_: Any, **__: Any) -> Any:
        return _NoClient(service_name)


def offline_session(region: str, bucket: str) -> PipelineSession:
    """Return a session that can build steps and cannot call AWS."""
    boto_session = _OfflineSession(
        region_name=region,
        aws_access_key_id="offline",
        aws_secret_access_key="offline",  # noqa: S106
    )
    return PipelineSession(boto_session=boto_session, default_bucket=bucket)


__all__ = [
    "CacheConfig",
    "CategoricalParameter",
    "Channel",
    "Compute",
    "ConditionEquals",
    "ConditionGreaterThan",
    "ConditionGreaterThanOrEqualTo",
    "ConditionLessThan",
    "ConditionLessThanOrEqualTo",
    "ConditionOr",
    "ConditionStep",
    "ContinuousParameter",
    "DataSource",
    "DriftCheckBaselines",
    "ExecutionVariables",
    "FailStep",
    "HyperparameterTuner",
    "IntegerParameter",
    "Join",
    "JsonGet",
    "Lambda",
    "LambdaOutput",
    "LambdaOutputTypeEnum",
    "LambdaStep",
    "MetricsSource",
    "ModelBuilder",
    "ModelMetrics",
    "ModelPackageModelCard",
    "ModelStep",
    "ModelTrainer",
    "NetworkConfig",
    "Networking",
    "OutputDataConfig",
    "ParameterFloat",
    "ParameterInteger",
    "ParameterString",
    "Pipeline",
    "ProcessingInput",
    "ProcessingOutput",
    "ProcessingS3Input",
    "ProcessingS3Output",
    "ProcessingStep",
    "PropertyFile",
    "PySparkProcessor",
    "S3DataSource",
    "SageMakerJobExceptionTypeEnum",
    "SageMakerJobStepRetryPolicy",
    "ScriptProcessor",
    "StepExceptionTypeEnum",
    "StepRetryPolicy",
    "StoppingCondition",
    "TrainingStep",
    "TuningStep",
    "image_uris",
    "offline_environment",
    "offline_session",
]
