"""Checks of training jobs that run the user's code."""

from __future__ import annotations

from typing import Any

from local.core.errors import validation_error
from local.runtime.containers.container import OPT_ML, local_path
from local.runtime.jobs import training_outputs
from local.runtime.jobs.metrics import Definition
from local.storage.objects import S3Uri


def check(definition: dict[str, Any]) -> None:
    """Check that the service can run the user's code as the request says.

    Args:
        definition: A request of CreateTrainingJob, or the TrainingJobDefinition of a tuning job.

    Raises:
        ServiceError: ValidationException, because it cannot.
    """
    _check_metrics(definition["AlgorithmSpecification"])
    _check_modes(definition)
    for uri, folder in training_outputs.continuous({"TrainingJobName": "job", **definition}).items():
        S3Uri.parse(uri)
        if local_path(folder, OPT_ML) is None:
            raise validation_error(f"LocalPath {folder}: the local service uploads folders below /opt/ml only")


def _check_metrics(specification: dict[str, Any]) -> None:
    for each in specification.get("MetricDefinitions", []):
        try:
            Definition.compile(each["Name"], each["Regex"])
        except ValueError as error:
            raise validation_error(f"MetricDefinitions: {error}") from None


def _check_modes(definition: dict[str, Any]) -> None:
    mode = definition["AlgorithmSpecification"]["TrainingInputMode"]
    channels = definition.get("InputDataConfig", [])
    for given in (mode, *(channel.get("InputMode", mode) for channel in channels)):
        if given == "Pipe":
            raise validation_error("TrainingInputMode Pipe: not implemented by the local service for your own code")
    for channel in channels:
        if channel.get("RecordWrapperType", "None") != "None" or channel.get("CompressionType", "None") != "None":
            raise validation_error(
                f"channel {channel['ChannelName']}: RecordWrapperType and CompressionType are for the input mode Pipe, "
                "which is not implemented by the local service for your own code"
            )
